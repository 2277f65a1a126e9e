"""A bot in real processes that are killed, frozen and cut off; see ``docs/crash.md``."""
