"""Texts for a terminal: readable without markup, and unable to drive the terminal."""

from __future__ import annotations

import re
from html.parser import HTMLParser

from flows.messages.replies import Format

_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
_MARKDOWN = re.compile(
    r"\\(?P<escaped>[!-/:-@\[-`{-~])"
    r"|\[(?P<label>(?:\\.|[^\]\\])*)\]\((?P<url>(?:\\.|[^)\\])*)\)"
    r"|(?P<mark>[*_~`]+|\|\|)"
)


def readable(text: str, format: Format | str = "plain") -> str:
    """The text as a person should read it, with its markup taken off."""
    if format == "html":
        return harmless(_without_tags(text))
    if format == "markdown":
        return harmless(_without_marks(text))
    return harmless(text)


def harmless(text: str) -> str:
    """Control characters made visible; line ends and tabs stay.

    A name such as ``\\x1b]0;...`` must not retitle the window or move the cursor.
    """
    return _CONTROL.sub(_visible, text.replace("\r\n", "\n"))


def _visible(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code < 0x20:
        return chr(0x2400 + code)
    return "\u2421" if code == 0x7F else "\ufffd"


def _without_tags(text: str) -> str:
    parser = _TagStripper()
    parser.feed(text)
    parser.close()
    return "".join(parser.parts)


class _TagStripper(HTMLParser):
    """Keeps the text; a link's address follows its text in parentheses."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._links: list[str | None] = []

    def handle_data(self, data: str) -> None:
        self.parts.append(data)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "br":
            self.parts.append("\n")
        if tag == "a":
            self._links.append(dict(attrs).get("href"))

    def handle_endtag(self, tag: str) -> None:
        if tag == "a" and self._links and (url := self._links.pop()):
            self.parts.append(f" ({url})")


def _without_marks(text: str) -> str:
    return _MARKDOWN.sub(_unmarked, text)


def _unmarked(match: re.Match[str]) -> str:
    if match["escaped"] is not None:
        return match["escaped"]
    if match["label"] is not None:
        return f"{_without_marks(match['label'])} ({match['url']})"
    return ""
