"""Fenced blocks as the site's Markdown knows them.

In ``docs/`` the words after the language say what a test does with a block: the name of a file,
or the app that a transcript is played to. On the site they are its title.
"""

from __future__ import annotations

import re

_FENCE = re.compile(r"^```(\w+) (\S[^\n]*)$", re.MULTILINE)
_TRANSCRIPT = re.compile(r"^```transcript$", re.MULTILINE)


def titled(text: str) -> str:
    """The text with titles where fences have words behind their language."""
    return _TRANSCRIPT.sub("```text", _FENCE.sub(_title, text))


def _title(fence: re.Match[str]) -> str:
    language, words = fence.groups()
    if language == "transcript":
        return f'```text title="A conversation with {words}"'
    return f'```{language} title="{words}"'
