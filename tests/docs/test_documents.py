"""What the documents say is so: their code runs, their commands exist, their links lead somewhere.

The blocks of a document are taken in their order, in one folder and one namespace:

- ``python FILE``: a file of that name, which later blocks can import;
- ``python``: code that runs at once; it may ``await``;
- ``transcript MODULE:APP``: a conversation that is played to that app;
- ``sh``: each ``handrail`` command in it exists, with the options that are given;
- ``console``: commands after ``$``, and what they print; in the quickstart they are run;
- ``mermaid``: in the README, the picture of the signup flow;
- ``gleam`` and ``elixir``: what other libraries look like.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import re
import shlex
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from anyio import to_thread

from engine.cli.commands import app as command_line
from engine.settings import PREFIX, Settings
from engine.testing import parse_transcript, play
from examples.signup.flow import signup
from flows.definition.graph import mermaid
from tests.docs.blocks import FENCE, Block, blocks, session
from tests.modules import forgotten

ROOT = Path(__file__).parents[2]
DOCUMENTS = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    *sorted((ROOT / "docs").rglob("*.md")),
    *sorted((ROOT / "examples").rglob("*.md")),
]
FOREIGN = {"gleam", "elixir"}  # shown, and not run
KNOWN = {"python", "transcript", "sh", "console", "mermaid", *FOREIGN}

_LINK = re.compile(r"(?<!!)\[[^\]]+\]\(([^)\s]+)\)")

every_document = pytest.mark.parametrize(
    "path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT))
)


def prose(path: Path) -> str:
    """A document without its fenced blocks."""
    return FENCE.sub("", path.read_text(encoding="utf-8"))


@every_document
def test_every_block_is_of_a_kind_that_is_checked(path: Path) -> None:
    assert {block.language for block in blocks(path)} <= KNOWN


# --- code -------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder to run a document in; what is imported from it is forgotten afterwards."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    with forgotten(tmp_path):
        yield tmp_path


@pytest.mark.anyio
@every_document
async def test_the_code_of_a_document_runs(path: Path, folder: Path) -> None:
    namespace: dict[str, Any] = {"__name__": "document"}
    for block in blocks(path):
        match block.language, block.info:
            case "python", "":
                await run(_kept(block, folder), namespace)
            case "python", name:
                _importable(folder / name, block.text)
            case "transcript", info:
                module, _, app = info.partition(" ")[0].partition(":")
                transcript = parse_transcript(block.text, name=f"{path.name}:{block.line}")
                await play(getattr(importlib.import_module(module), app), transcript)


def _importable(file: Path, text: str) -> None:
    """Writes a module, or a package by its ``__init__.py``, in place of an older text of it."""
    file.parent.mkdir(exist_ok=True)
    file.write_text(text, encoding="utf-8")
    name = file.parent.name if file.stem == "__init__" else file.stem
    shutil.rmtree(file.parent / "__pycache__", ignore_errors=True)
    sys.modules.pop(name, None)
    importlib.invalidate_caches()
    importlib.import_module(name)


def _kept(block: Block, folder: Path) -> Path:
    """The block as a file, so that what reads the source of handlers can."""
    file = folder / f"line{block.line}.py"
    file.write_text(block.text, encoding="utf-8")
    return file


async def run(file: Path, namespace: dict[str, Any]) -> None:
    """Runs a file of code that may await."""
    source = await to_thread.run_sync(file.read_text)
    flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    result = eval(compile(source, str(file), "exec", flags), namespace)  # noqa: S307 - ours
    if inspect.isawaitable(result):
        await result


# --- commands ---------------------------------------------------------------------------


def commands(path: Path) -> list[list[str]]:
    """The words of every ``handrail`` command in the blocks and indented lines of a document."""
    text = path.read_text(encoding="utf-8")
    sh = [
        line for block in blocks(path) if block.language == "sh" for line in block.text.split("\n")
    ]
    console = [
        said.command
        for block in blocks(path)
        if block.language == "console"
        for said in session(block)
    ]
    indented = [line for line in text.splitlines() if line.startswith("    ")]
    quoted = re.findall(r"`(handrail [^`]+)`", prose(path))
    found = (_command(line) for line in (*sh, *console, *indented, *quoted))
    return [words for words in found if words]


def _command(line: str) -> list[str]:
    """The words after ``handrail`` in a line, up to a comment."""
    words = shlex.split(line.rpartition(" | ")[2], comments=True)
    while words and "=" in words[0]:
        words.pop(0)
    return words[1:] if words[:1] == ["handrail"] else []


@every_document
def test_the_commands_of_a_document_exist(path: Path) -> None:
    for words in commands(path):
        command, rest = _found(words)
        known = {option for parameter in command.params for option in parameter.opts}
        given = {word for word in rest if word.startswith("-")}
        assert given <= known, f"handrail {' '.join(words)}"


def _found(words: list[str]) -> tuple[Any, list[str]]:
    """The command that the words name, and the words that are left."""
    command: Any = typer.main.get_command(command_line)
    rest = list(words)
    while hasattr(command, "commands") and rest and not rest[0].startswith("-"):
        name = rest.pop(0)
        assert name in command.commands, f"there is no command 'handrail {' '.join(words)}'"
        command = command.commands[name]
    return command, rest


def test_commands_are_found_in_the_documents() -> None:
    assert ["graph", "examples.signup:app", "signup", "--format", "mermaid"] in commands(
        ROOT / "README.md"
    )
    assert sum(len(commands(path)) for path in DOCUMENTS) > 15


@every_document
def test_the_make_targets_of_a_document_exist(path: Path) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in re.findall(r"(?:`|^    |\| )make (\w+)", path.read_text("utf-8"), re.MULTILINE):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), f"make {target}"


# --- links ------------------------------------------------------------------------------


@every_document
def test_the_links_of_a_document_lead_somewhere(path: Path) -> None:
    for link in _LINK.findall(prose(path)):
        if link.startswith("https://"):
            continue
        name, _, anchor = link.partition("#")
        target = (path.parent / name).resolve() if name else path
        assert target.exists(), f"{path.name} links to {link}, which is not there"
        assert not anchor or anchor in anchors(target), f"{path.name}: there is no heading {link}"


def anchors(path: Path) -> set[str]:
    """The headings of a document, as they are linked to."""
    headings = re.findall(r"^#+ (.+)$", prose(path), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def linked_from(path: Path) -> set[Path]:
    """The files that a document links to."""
    return {(path.parent / link.partition("#")[0]).resolve() for link in _LINK.findall(prose(path))}


def test_the_readme_leads_to_every_document() -> None:
    index = ROOT / "docs" / "README.md"
    assert index in linked_from(ROOT / "README.md")
    assert set(index.parent.glob("*.md")) - {index} <= linked_from(index)
    assert index.parent / "cookbook" / "README.md" in linked_from(index)


def test_every_page_of_the_cookbook_is_linked_to_from_its_list() -> None:
    folder = ROOT / "docs" / "cookbook"
    index = folder / "README.md"
    assert set(folder.glob("*.md")) - {index} <= linked_from(index)


# --- the README -------------------------------------------------------------------------


def test_the_first_bot_has_less_than_30_lines() -> None:
    first = next(block for block in blocks(ROOT / "README.md") if block.language == "python")
    assert first.text.count("\n") < 30


def test_the_diagram_is_that_of_the_signup_flow() -> None:
    (drawn,) = [block.text for block in blocks(ROOT / "README.md") if block.language == "mermaid"]
    assert drawn == mermaid(signup)


def test_the_table_of_settings_has_every_variable_with_its_default() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    rows = re.findall(rf"^\| `({PREFIX}\w+)` \| (.+?) \|", text, re.MULTILINE)
    assert [name for name, _ in rows] == [PREFIX + name.upper() for name in Settings.model_fields]
    assert dict(rows)["HANDRAIL_DATABASE_URL"] == f"`{Settings().database_url}`"
    assert Settings().telegram_limits is (dict(rows)["HANDRAIL_TELEGRAM_LIMITS"] == "`on`")
    assert dict(rows)["HANDRAIL_LOG_FORMAT"] == f"`{Settings().log_format}`"


def test_the_layout_names_every_folder_and_no_other() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    named = set(re.findall(r"^\| `(\w+)/` \|", text, re.MULTILINE))
    assert named == {"flows", "engine", "storage", "alembic", "examples", "tests", "docs"}
    assert all((ROOT / name).is_dir() for name in named)
