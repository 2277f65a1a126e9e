"""What has to come out: what the bot of ``bot`` says to somebody who has sent 1 to ``count``.

Written down by itself, not computed by the bot, so that the two can be compared.
"""

from __future__ import annotations

from dataclasses import dataclass

ROUND = 12
"""The bot does the same again after so many numbers."""

STAMP_AT, PAIR_AFTER, FORK_AFTER, NAP_AFTER = 3, 5, 9, 0
"""Places in a round: which number is stamped, and after which ones what else happens."""


@dataclass(frozen=True, slots=True)
class Said:
    """A text of the bot, and the number of the person that it answers, by itself or by timer."""

    text: str
    number: int


def transcript(count: int) -> list[Said]:
    """All that the bot says, in order; number 0 is the command that starts it."""
    said = [Said("0 heard", 0)]
    for number in range(1, count + 1):
        said.extend(Said(text, number) for text in _answers(number))
    return said


def _answers(number: int) -> tuple[str, ...]:
    place = number % ROUND
    if place == PAIR_AFTER:
        return (f"{number} heard, two more",)
    if place == PAIR_AFTER + 1:
        return (f"{number} heard, one more",)
    if place == FORK_AFTER:
        return (f"{number} heard, and 0 of 2",)
    if place == FORK_AFTER + 1:
        return (f"{number - 1} heard, and 1 of 2",)
    if place == FORK_AFTER + 2:
        return (f"{number - 2} heard, and 2 of 2", f"{number} heard")
    if place == NAP_AFTER:
        return tuple(f"{number} heard{rest}" for rest in (", asleep", ", awake", ""))
    return (f"{number} heard",)


def falls_asleep(number: int) -> bool:
    """Whether the bot sleeps after this number: nobody talks to it then."""
    return number > 0 and number % ROUND == NAP_AFTER


def stamps(count: int) -> list[int]:
    """What ``turn.once`` has to have given."""
    return [number * 7 for number in range(1, count + 1) if number % ROUND == STAMP_AT]


def naps(count: int) -> int:
    """How often a timer has to have fired."""
    return count // ROUND


def finished(count: int) -> int:
    """How many of the numbers stand in the data: those of a step that is under way do not yet."""
    place = count % ROUND
    under_way = {PAIR_AFTER + 1: 1, FORK_AFTER + 1: 1}
    return count - under_way.get(place, 0)
