"""What the site holds besides the pages of ``docs/``."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.tables import ROOT
from tests.site.commands import commands_page
from tests.site.diagrams import FOLDER, diagrams, drawn, picture_name
from tests.site.fences import titled
from tests.site.links import Site, relinked
from tests.site.pages import DOCS, extra_pages
from tests.site.reference import PAGES, reference_page

README = (ROOT / "README.md").read_text(encoding="utf-8")
PACKAGES = (
    "flows",
    "flows.ports",
    "engine",
    "engine.operate",
    "engine.channels.telegram",
    "engine.channels.web",
    "engine.inspector",
    "engine.languages",
    "engine.telemetry",
    "engine.testing",
    "storage",
    "storage.testing",
)


def shown() -> Iterator[object]:
    """Every object of the reference; of a package that is shown as a whole, all in it."""
    for section in (section for page in PAGES for section in page.sections):
        package = importlib.import_module(section.package)
        yield from (getattr(package, name) for name in section.names or vars(package))
        yield package


@pytest.mark.parametrize("name", PACKAGES)
def test_all_that_a_package_exports_is_in_the_reference(name: str) -> None:
    package = importlib.import_module(name)
    there = {id(one) for one in shown()}
    assert [export for export in package.__all__ if id(getattr(package, export)) not in there] == []


def test_nothing_is_in_the_reference_twice() -> None:
    names = [
        f"{section.package}.{name}"
        for page in PAGES
        for section in page.sections
        for name in section.names
    ]
    assert len(set(names)) == len(names)


def test_a_page_of_the_reference_names_its_objects() -> None:
    (page,) = [page for page in PAGES if page.name == "storages"]
    assert "\n::: storage.open_storage\n" in reference_page(page)


def test_the_page_of_commands_has_each_with_its_options() -> None:
    page = commands_page()
    assert "\n## handrail db upgrade\n" in page
    section = page.partition("\n## handrail ps\n")[2].partition("\n## ")[0]
    assert "- `--flow" in section


def test_the_page_of_settings_is_the_table_of_the_readme() -> None:
    page = extra_pages()["reference/settings.md"].text
    rows = [line for line in README.splitlines() if line.startswith("| `HANDRAIL_")]
    assert len(rows) > 5
    assert all(row in page for row in rows)


def test_words_behind_a_language_are_a_title() -> None:
    assert titled("```python bot.py\nx\n```\n") == '```python title="bot.py"\nx\n```\n'
    assert titled("```sh\nx\n```\n") == "```sh\nx\n```\n"


SITE = Site(Path("/r"), Path("/r/docs"), {Path("/r/examples/kyc/README.md"): "examples/kyc.md"})


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("[a](time.md#x)", "[a](../time.md#x)"),
        ("[a](../examples/kyc/README.md)", "[a](../examples/kyc.md)"),
        ("[a](../tests/test_a.py)", "a (`tests/test_a.py`)"),
        ("[a](https://example.org/x)", "[a](https://example.org/x)"),
        ("[a](#here)", "[a](#here)"),
        ("```md\n[a](time.md)\n```", "```md\n[a](time.md)\n```"),
    ],
)
def test_links_lead_to_where_pages_are_in_the_site(written: str, shown: str) -> None:
    there = relinked(written, page="cookbook/x.md", origin=Path("/r/docs/x.md"), site=SITE)
    assert there == shown


def test_every_diagram_has_a_picture() -> None:
    texts = [extra.text for extra in extra_pages().values()]
    texts += [path.read_text(encoding="utf-8") for path in DOCS.rglob("*.md")]
    wanted = {picture_name(diagram) for text in texts for diagram in diagrams(text)}
    assert {path.name for path in (DOCS / FOLDER).glob("*.svg")} == wanted, "run make screenshots"


def test_a_diagram_without_a_picture_stays_as_it_is() -> None:
    text = "```mermaid\nstateDiagram-v2\n```\n"
    assert drawn(text, page="x.md", docs=ROOT / "docs") == text


def test_no_picture_loads_anything_from_elsewhere() -> None:
    for path in DOCS.rglob("*.svg"):
        text = path.read_text(encoding="utf-8")
        assert "url(http" not in text
        assert 'href="http' not in text
