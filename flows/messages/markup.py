"""Formatted texts in the two languages that Telegram reads, everything else in them escaped."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Protocol

_MARKDOWN_SPECIAL = re.compile(r"[_*\[\]()~`>#+\-=|{}.!\\]")
_CODE_SPECIAL = re.compile(r"[`\\]")
_URL_SPECIAL = re.compile(r"[)\\]")

_TAGS = {"bold": "b", "italic": "i", "underline": "u", "strikethrough": "s",
         "spoiler": "tg-spoiler", "code": "code"}  # fmt: skip
_MARKS = {"bold": "*", "italic": "_", "underline": "__", "strikethrough": "~",
          "spoiler": "||", "code": "`"}  # fmt: skip


class Spanned(Protocol):
    """A styled piece; see ``flows.formatting.Span``."""

    @property
    def start(self) -> int:
        """Its first character."""
        ...

    @property
    def end(self) -> int:
        """The character after it."""
        ...

    @property
    def style(self) -> str:
        """How it looks."""
        ...

    @property
    def detail(self) -> str:
        """What the style needs to know."""
        ...


def html(text: str, spans: Sequence[Spanned]) -> str:
    """The text in Telegram's HTML."""
    out: list[str] = []
    for piece, closing, opening in _pieces(text, spans):
        out += [_tags(span)[1] for span in closing]
        out += [_tags(span)[0] for span in opening]
        out.append(escape(piece, quote=False))
    return "".join(out)


def markdown(text: str, spans: Sequence[Spanned]) -> str:
    """The text in Telegram's MarkdownV2."""
    writer = _Markdown()
    for piece, closing, opening in _pieces(text, spans):
        for span in closing:
            writer.close(span)
        for span in opening:
            writer.open(span)
        writer.write(piece)
    return writer.text


def _pieces(
    text: str, spans: Sequence[Spanned]
) -> Iterator[tuple[str, list[Spanned], list[Spanned]]]:
    """The text cut where spans begin or end: each piece with what ends and what begins before it,
    in the order in which they nest.
    """
    ordered = sorted(spans, key=lambda span: (span.start, -span.end))
    ends = sorted({0, len(text), *(s.start for s in spans), *(s.end for s in spans)})
    for at, end in zip(ends, [*ends[1:], len(text)], strict=True):
        closing = [span for span in reversed(ordered) if span.end == at]
        opening = [span for span in ordered if span.start == at]
        yield text[at:end], closing, opening


def _tags(span: Spanned) -> tuple[str, str]:
    detail = escape(span.detail)
    match span.style:
        case "pre" if detail:
            return f'<pre><code class="language-{detail}">', "</code></pre>"
        case "pre":
            return "<pre>", "</pre>"
        case "text_link":
            return f'<a href="{detail}">', "</a>"
        case "text_mention":
            return f'<a href="tg://user?id={detail}">', "</a>"
        case "custom_emoji":
            return f'<tg-emoji emoji-id="{detail}">', "</tg-emoji>"
        case "blockquote":
            return "<blockquote>", "</blockquote>"
        case "expandable_blockquote":
            return "<blockquote expandable>", "</blockquote>"
        case style:
            return f"<{_TAGS[style]}>", f"</{_TAGS[style]}>"


@dataclass(slots=True)
class _Markdown:
    """Writes MarkdownV2, and knows what is open."""

    text: str = ""
    _escape: Callable[[str], str] = field(default=lambda piece: _escaped(piece))
    _quoting: bool = False
    _quoted: bool = False
    _after_mark: bool = False

    def write(self, piece: str) -> None:
        if not piece:
            return
        if self._quoted and not piece.startswith("\n"):
            self.text += "\n"  # what follows on the line of a quotation would belong to it
        self._quoted = self._after_mark = False
        written = self._escape(piece)
        self.text += written.replace("\n", "\n>") if self._quoting else written

    def open(self, span: Spanned) -> None:
        match span.style:
            case "pre":
                self._code()
                self._mark(f"```{span.detail}\n")
            case "code":
                self._code()
                self._mark("`")
            case "text_link" | "text_mention":
                self._mark("[")
            case "custom_emoji":
                self._mark("![")
            case "blockquote" | "expandable_blockquote":
                if self.text and not self.text.endswith("\n"):
                    self.text += "\n"
                # two quotations one after the other are one, but for an empty bold between them
                self.text += "**>" if span.style != "blockquote" or self._quoted else ">"
                self._quoting, self._quoted = True, False
            case style:
                self._mark(_MARKS[style])

    def close(self, span: Spanned) -> None:
        match span.style:
            case "pre":
                self._escape = _escaped
                self._mark("```")
            case "code":
                self._escape = _escaped
                self._mark("`")
            case "text_link":
                self._mark(f"]({_URL_SPECIAL.sub(_slashed, span.detail)})")
            case "text_mention":
                self._mark(f"](tg://user?id={span.detail})")
            case "custom_emoji":
                self._mark(f"](tg://emoji?id={span.detail})")
            case "blockquote" | "expandable_blockquote":
                self.text += "||" if span.style != "blockquote" else ""
                self._quoting, self._quoted = False, True
            case style:
                self._mark(_MARKS[style])

    def _code(self) -> None:
        self._escape = _code_escaped

    def _mark(self, mark: str) -> None:
        if self._quoted:
            self.text += "\n"
            self._quoted = False
        if self._after_mark and mark[0] in "_`" and self.text[-1] == mark[0]:
            self.text += "**"  # Telegram's own advice: "___" is read as "__" and "_"
        self.text += mark
        self._after_mark = True


def _escaped(piece: str) -> str:
    return _MARKDOWN_SPECIAL.sub(_slashed, piece)


def _code_escaped(piece: str) -> str:
    return _CODE_SPECIAL.sub(_slashed, piece)


def _slashed(match: re.Match[str]) -> str:
    return f"\\{match[0]}"
