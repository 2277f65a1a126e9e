"""For the tests of bots: people who talk with a bot under test, time, crashes, transcripts, and an
explorer that tries everything.
"""

from engine.testing.api import ApiDouble
from engine.testing.channel import TestChannel
from engine.testing.chat import Chat, NothingToRepeat, TimeIsReal
from engine.testing.clock import VirtualClock
from engine.testing.expecting import Unexpected
from engine.testing.exploration import Coverage, Exploration, Finding
from engine.testing.explorer import explore
from engine.testing.faults import CrashPoint, Faults
from engine.testing.screen import NoSuchButton
from engine.testing.transcript import (
    Transcript,
    TranscriptError,
    TranscriptMismatch,
    parse_transcript,
    play,
    read_transcript,
)

__all__ = [
    "ApiDouble",
    "Chat",
    "Coverage",
    "CrashPoint",
    "Exploration",
    "Faults",
    "Finding",
    "NoSuchButton",
    "NothingToRepeat",
    "TestChannel",
    "TimeIsReal",
    "Transcript",
    "TranscriptError",
    "TranscriptMismatch",
    "Unexpected",
    "VirtualClock",
    "explore",
    "parse_transcript",
    "play",
    "read_transcript",
]
