"""The verdict: what was sent against what is stored, what had to arrive against what did."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from tests.crash import journal, model
from tests.crash.journal import Message
from tests.crash.people import Person
from tests.crash.run import Death, Freeze, Happened
from tests.crash.stored import Found, Stored
from tests.crash.world import Arrival, World

UNMARKED = 32
"""So many messages may be in flight or not marked when a process dies, and no more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """How a run came out.

    Attributes:
        lost: numbers, stamps and naps that are not stored; and rows that never become done.
        duplicated: what is stored more often than it happened.
        disordered: numbers that are stored behind a later one.
        sends_lost: texts that had to arrive and did not.
        strange: texts that arrived and nothing asked for, or before what comes before them.
        duplicates: arrivals of what had arrived before.
        explained: those of them that were in flight or not marked at a death.
        most_unmarked: the most messages that were in flight or not marked at a death.
        zombie: what processes did after they were frozen and before they held a lease again.
        recoveries: seconds from each death to the first answer in its place.
        complaints: whatever else must not be, a line each.
    """

    kills: int = 0
    faults: int = 0
    turns: int = 0
    lost: int = 0
    duplicated: int = 0
    disordered: int = 0
    sends: int = 0
    sends_lost: int = 0
    strange: int = 0
    duplicates: int = 0
    explained: int = 0
    most_unmarked: int = 0
    zombie: int = 0
    recoveries: Sequence[float] = ()
    complaints: Sequence[str] = field(default_factory=tuple)

    @property
    def good(self) -> bool:
        """Nothing was lost, done twice, out of order, or sent twice without a reason."""
        wrong = (
            self.lost, self.duplicated, self.disordered, self.sends_lost, self.strange,
            self.duplicates - self.explained, self.zombie, len(self.complaints),
        )  # fmt: skip
        return not any(wrong) and self.most_unmarked <= UNMARKED


def judged(world: World, happened: Happened, found: Found) -> Verdict:
    """Compares what was sent with what was found, and what had to arrive with what did."""
    complaints = [*happened.complaints]
    if found.undone:
        complaints.append(
            f"{found.undone} rows of the inbox and the outbox are not done at the end"
        )
    duplicates = duplicated_sends(world.sends)
    result = Verdict(
        kills=len(happened.deaths),
        faults=happened.faults,
        turns=world.sent,
        sends=len(world.sends),
        duplicates=sum(duplicates.values()),
        explained=explained(duplicates, happened),
        most_unmarked=max((len(death.unmarked) for death in happened.deaths), default=0),
        zombie=sum(after_freeze(freeze) for freeze in happened.freezes),
        recoveries=recoveries(world.sends, happened.deaths),
        complaints=tuple(complaints),
    )
    for user, person in world.people.items():
        result = _with_person(result, person, found.people.get(user, Stored()))
    return result


def _with_person(found: Verdict, person: Person, stored: Stored) -> Verdict:
    wanted = wanted_of(person)
    expected = person.expected
    arrived = [text for text in person.arrived if text in expected]
    return replace(
        found,
        lost=found.lost + missing(wanted, stored),
        duplicated=found.duplicated + missing(stored, wanted),
        disordered=found.disordered + disorder(stored.numbers),
        sends_lost=found.sends_lost + len(expected) - len(arrived),
        strange=found.strange
        + len(person.arrived) - len(arrived)
        + disorder([expected.index(text) for text in arrived]),
    )  # fmt: skip


def wanted_of(person: Person) -> Stored:
    """What has to be stored of somebody, by what they have sent."""
    heard = max(person.sent, 0)
    numbers = range(1, model.finished(heard) + 1)
    return Stored(numbers, len(numbers), model.stamps(heard), model.naps(heard))


def missing(wanted: Stored, found: Stored) -> int:
    """How much of the one is not in the other."""
    numbers = Counter(wanted.numbers) - Counter(found.numbers)
    stamps = Counter(wanted.stamps) - Counter(found.stamps)
    counted = max(wanted.count - found.count, 0), max(wanted.naps - found.naps, 0)
    return numbers.total() + stamps.total() + sum(counted)


def disorder(numbers: Sequence[int]) -> int:
    """How many stand behind a greater one."""
    greatest, found = -1, 0
    for number in numbers:
        found += number < greatest
        greatest = max(greatest, number)
    return found


def duplicated_sends(sends: Sequence[Arrival]) -> Mapping[Message, int]:
    """The messages that have arrived more than once, and how often more."""
    return Counter((one.chat, one.text) for one in sends if not one.first)


def explained(duplicates: Mapping[Message, int], happened: Happened) -> int:
    """How many of them there may be: one for each death at which it was not marked, and for
    each time in which it could not be.
    """
    times = [*(death.unmarked for death in happened.deaths), *happened.outages]
    allowed = Counter(message for unmarked in times for message in unmarked)
    return sum(min(often, allowed[message]) for message, often in duplicates.items())


def after_freeze(freeze: Freeze) -> int:
    """What a process did after a freeze, before it knew that its lease was over: sends that it
    began, and turns of commits that it began and that were done.
    """
    found, begun = 0, False
    for entry in journal.read(freeze.journal):
        if entry.at < freeze.end:
            continue
        match entry.what:
            case "lease":
                break
            case "send":
                found += 1
            case "commit":
                begun = True
            case "committed" if begun:
                found += entry.count
            case _:
                pass
    return found


def recoveries(sends: Sequence[Arrival], deaths: Sequence[Death]) -> list[float]:
    """For each death, the seconds until somebody whom that process had served last was answered
    by another one. A death in whose place nobody had anything to say is left out.
    """
    found = []
    for death in deaths:
        served: dict[int, str] = {}
        for one in sends:
            if one.at <= death.at:
                served[one.chat] = one.process
            elif served.get(one.chat, death.process) == death.process != one.process:
                found.append(one.at - death.at)
                break
    return found
