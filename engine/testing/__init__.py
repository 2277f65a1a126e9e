"""For the tests of bots: transcripts, and a channel that a test drives."""

from engine.testing.scripted import NoSuchButton, ScriptedChannel
from engine.testing.transcript import (
    Transcript,
    TranscriptError,
    TranscriptMismatch,
    parse_transcript,
    play,
    read_transcript,
)

__all__ = [
    "NoSuchButton",
    "ScriptedChannel",
    "Transcript",
    "TranscriptError",
    "TranscriptMismatch",
    "parse_transcript",
    "play",
    "read_transcript",
]
