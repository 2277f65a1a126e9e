"""For the tests of bots: people who talk with a bot under test, and transcripts."""

from engine.testing.chat import Chat, NoSuchButton, TestChannel
from engine.testing.transcript import (
    Transcript,
    TranscriptError,
    TranscriptMismatch,
    parse_transcript,
    play,
    read_transcript,
)

__all__ = [
    "Chat",
    "NoSuchButton",
    "TestChannel",
    "Transcript",
    "TranscriptError",
    "TranscriptMismatch",
    "parse_transcript",
    "play",
    "read_transcript",
]
