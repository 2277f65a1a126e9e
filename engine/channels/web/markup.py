"""Formatted texts in pieces: what is markup is read here, so that the page reads none.

HTML as Telegram takes it, and MarkdownV2. What is no markup of theirs is text, and stays so.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urlsplit

from engine.channels.console.plain import harmless
from engine.channels.web.bubbles import Rich, Style, Styled

DEEPEST = 16
"""How many styles may be in each other."""

_TAGS: dict[str, Style] = {
    "b": "b", "strong": "b", "i": "i", "em": "i", "u": "u", "ins": "u",
    "s": "s", "strike": "s", "del": "s", "code": "code", "pre": "pre",
    "blockquote": "quote", "tg-spoiler": "spoiler", "a": "a",
}  # fmt: skip

_MARKS: dict[str, Style] = {
    "*": "b", "__": "u", "_": "i", "~": "s", "||": "spoiler", "`": "code", "```": "pre",
}  # fmt: skip

_TOKEN = re.compile(
    r"\\(?P<escaped>[!-/:-@\[-`{-~])"
    r"|(?P<quote>^(?:\*\*)?>)"
    r"|!?\[(?P<label>(?:\\.|[^\]\\])*)\]\((?P<url>(?:\\.|[^)\\])*)\)"
    r"|```(?:[A-Za-z0-9+#._-]*\n)?(?P<pre>(?:\\.|[^`\\]|`(?!``))*)```"
    r"|`(?P<code>(?:\\.|[^`\\])*)`"
    r"|(?P<mark>\*\*|\*|__|_|~|\|\|)",
    re.MULTILINE | re.DOTALL,
)
_SCHEMES = frozenset({"http", "https", "mailto", "tel"})


def rich(text: str, format: str) -> Rich:
    """The text in pieces; ``format`` is ``plain``, ``html`` or ``markdown``."""
    if format == "html":
        return _from_html(text)
    if format == "markdown":
        return _from_markdown(text)
    return (harmless(text),) if text else ()


def safe_url(url: str) -> str:
    """The address, if a page may lead there; else nothing."""
    url = url.strip()
    try:
        scheme = urlsplit(url).scheme.lower()
    except ValueError:
        return ""
    return url if scheme in _SCHEMES else ""


@dataclass(slots=True)
class _Open:
    """A style that has begun."""

    style: Style
    mark: str
    href: str = ""
    parts: list[Styled | str] = field(default_factory=list)


class _Builder:
    """Puts pieces together; what is open is closed in the order that it nests in."""

    def __init__(self) -> None:
        self._root: list[Styled | str] = []
        self._open: list[_Open] = []

    def text(self, text: str) -> None:
        parts = self._open[-1].parts if self._open else self._root
        if text:
            parts.append(harmless(text))

    def begin(self, style: Style, mark: str, href: str = "") -> None:
        if len(self._open) < DEEPEST:
            self._open.append(_Open(style, mark, href))

    def is_open(self, mark: str) -> bool:
        return any(one.mark == mark for one in self._open)

    def end(self, mark: str) -> None:
        """Closes the innermost of this mark, and what is open in it."""
        while self.is_open(mark):
            closed = self._open.pop()
            parts = self._open[-1].parts if self._open else self._root
            if closed.style == "a" and not closed.href:
                parts += closed.parts
            elif closed.parts:
                parts.append(Styled(closed.style, tuple(closed.parts), closed.href))
            if closed.mark == mark:
                return

    def done(self) -> Rich:
        while self._open:
            self.end(self._open[-1].mark)
        return tuple(self._root)


class _Reader(HTMLParser):
    """Reads the tags that Telegram knows."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.built = _Builder()

    def handle_data(self, data: str) -> None:
        self.built.text(data)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "br":
            self.built.text("\n")
        elif tag == "span" and given.get("class") == "tg-spoiler":
            self.built.begin("spoiler", tag)
        elif tag in _TAGS:
            self.built.begin(_TAGS[tag], tag, safe_url(given.get("href") or ""))

    def handle_endtag(self, tag: str) -> None:
        self.built.end(tag)


def _from_html(text: str) -> Rich:
    reader = _Reader()
    reader.feed(text)
    reader.close()
    return reader.built.done()


def _from_markdown(text: str) -> Rich:
    built = _Builder()
    at = 0
    for found in _TOKEN.finditer(text):
        _plain(built, text[at : found.start()])
        _marked(built, found)
        at = found.end()
    _plain(built, text[at:])
    return built.done()


def _plain(built: _Builder, text: str) -> None:
    """Text without marks; a quotation ends with its line."""
    first, newline, rest = text.partition("\n")
    built.text(first)
    if newline:
        built.end("quote")
        built.text(newline + rest)


def _marked(built: _Builder, found: re.Match[str]) -> None:
    match found.lastgroup:
        case "escaped":
            built.text(found["escaped"])
        case "quote":
            built.begin("quote", "quote")
        case "url":
            built.begin("a", "link", safe_url(_unescaped(found["url"])))
            built.text(_unescaped(found["label"]))
            built.end("link")
        case "pre" | "code" as kind:
            built.begin(_MARKS["```" if kind == "pre" else "`"], kind)
            built.text(_unescaped(found[kind]))
            built.end(kind)
        case _:
            _toggled(built, found["mark"])


def _toggled(built: _Builder, mark: str) -> None:
    if mark == "**":  # keeps what stands beside it apart, and is nothing itself
        return
    if built.is_open(mark):
        built.end(mark)
    else:
        built.begin(_MARKS[mark], mark)


def _unescaped(text: str) -> str:
    return re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", text)
