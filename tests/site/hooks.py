"""What MkDocs calls while it builds the site."""

from __future__ import annotations

import logging
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page
from pymdownx.slugs import slugify

from tests.site.diagrams import diagrams, drawn
from tests.site.fences import titled
from tests.site.links import Site, relinked
from tests.site.pages import DOCS, ROOT, extra_pages

LOG = logging.getLogger("mkdocs.hooks.handrail")  # a warning of MkDocs' own fails the build
EXTRA = extra_pages()
SITE = Site(ROOT, DOCS, {extra.origin: page for page, extra in EXTRA.items()})


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Headings get the anchors that a repository host gives them, which our links name."""
    config.mdx_configs["toc"]["slugify"] = slugify(case="lower")
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Adds the pages that are no files in ``docs/``."""
    for page, extra in EXTRA.items():
        files.append(File.generated(config, page, content=extra.text))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Writes what repository hosts understand so that the site's Markdown does, too."""
    name = page.file.src_uri
    text = drawn(markdown, page=name, docs=DOCS)
    if diagrams(text):
        LOG.warning("a diagram of %s was changed or is new. Draw it: make screenshots", name)
    return titled(relinked(text, page=name, origin=_origin(name), site=SITE))


def _origin(page: str) -> Path:
    extra = EXTRA.get(page)
    return extra.origin if extra is not None else DOCS / page
