"""The harness finds what it looks for: each fault, made by hand, is counted."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.crash.journal import Journal, unmarked
from tests.crash.model import transcript
from tests.crash.people import AHEAD, Person
from tests.crash.run import Death, Freeze, Happened
from tests.crash.stored import Found, Stored
from tests.crash.verdict import Verdict, after_freeze, judged, recoveries, wanted_of
from tests.crash.world import FIRST_USER, Arrival, World

COUNT = 32
EVERYTHING = Stored(range(1, COUNT + 1), COUNT, [21, 105, 189], 2)


def a_run(*texts: str, stored: Stored = EVERYTHING, happened: Happened | None = None) -> Verdict:
    """The verdict of a run with one person, to whom these texts have arrived; all if none is."""
    world = World(1, COUNT)
    person = world.people[FIRST_USER]
    person.sent = COUNT
    for at, text in enumerate(texts or [said.text for said in transcript(COUNT)]):
        first = person.arrives(text)
        world.sends.append(Arrival(at, "p1", FIRST_USER, text, "sent", first))
    return judged(world, happened or Happened(), Found({FIRST_USER: stored}, 0))


def all_but(*left_out: str, more: Sequence[str] = ()) -> list[str]:
    """The texts that have to arrive, without some, and then some more."""
    return [said.text for said in transcript(COUNT) if said.text not in left_out] + [*more]


def test_a_run_without_faults_is_good() -> None:
    assert a_run().good
    assert a_run().turns == COUNT + 1


@pytest.mark.parametrize(
    ("stored", "lost", "duplicated", "disordered"),
    [
        (Stored([*range(1, 17), *range(18, 33)], 32, EVERYTHING.stamps, 2), 1, 0, 0),
        (Stored([*range(1, 18), *range(17, 33)], 32, EVERYTHING.stamps, 2), 0, 1, 0),
        (Stored([*range(1, 17), 18, 17, *range(19, 33)], 32, EVERYTHING.stamps, 2), 0, 0, 1),
        (Stored(EVERYTHING.numbers, 33, EVERYTHING.stamps, 2), 0, 1, 0),
        (Stored(EVERYTHING.numbers, 31, EVERYTHING.stamps, 2), 1, 0, 0),
        (Stored(EVERYTHING.numbers, 32, [21, 105, 105, 189], 2), 0, 1, 0),
        (Stored(EVERYTHING.numbers, 32, EVERYTHING.stamps, 1), 1, 0, 0),
        (Stored(EVERYTHING.numbers, 32, EVERYTHING.stamps, 3), 0, 1, 0),
        (Stored(), 32 + 32 + 3 + 2, 0, 0),
    ],
)
def test_what_is_stored_wrongly_is_counted(
    stored: Stored, lost: int, duplicated: int, disordered: int
) -> None:
    verdict = a_run(stored=stored)
    assert (verdict.lost, verdict.duplicated, verdict.disordered) == (lost, duplicated, disordered)
    assert not verdict.good


def test_a_send_that_has_not_arrived_is_lost() -> None:
    verdict = a_run(*all_but("12 heard, awake"))
    assert (verdict.sends_lost, verdict.good) == (1, False)


def test_a_send_that_overtakes_another_is_strange() -> None:
    verdict = a_run(*all_but("7 heard", more=["7 heard"]))
    assert (verdict.sends_lost, verdict.strange, verdict.good) == (0, 1, False)


def test_a_send_that_nothing_asked_for_is_strange() -> None:
    verdict = a_run(*all_but(more=["Sorry, something went wrong."]))
    assert (verdict.strange, verdict.good) == (1, False)


def test_a_send_that_comes_twice_needs_a_death_at_which_it_was_not_marked() -> None:
    again = all_but(more=["7 heard", "7 heard"])
    one = Death(process="p1", at=7.5, how="anywhere", unmarked=frozenset({(FIRST_USER, "7 heard")}))
    other = Death(process="p2", at=7.5, how="anywhere", unmarked=frozenset({(FIRST_USER, "8")}))
    explained = [
        (deaths, a_run(*again, happened=Happened(deaths=deaths)))
        for deaths in ([], [one], [other, one], [one, one])
    ]
    assert [verdict.duplicates for _, verdict in explained] == [2, 2, 2, 2]
    assert [verdict.explained for _, verdict in explained] == [0, 1, 1, 2]
    assert [verdict.good for _, verdict in explained] == [False, False, False, True]


def test_more_than_32_messages_without_a_mark_are_too_many() -> None:
    many = frozenset((FIRST_USER, str(number)) for number in range(33))
    death = Death(process="p1", at=1.0, how="anywhere", unmarked=many)
    verdict = a_run(happened=Happened(deaths=[death]))
    assert (verdict.most_unmarked, verdict.good) == (33, False)


def test_a_complaint_and_a_row_that_is_not_done_are_not_good() -> None:
    assert not a_run(happened=Happened(complaints=["p1 ended with 1"])).good
    world = World(1, COUNT)
    assert not judged(world, Happened(), Found({}, 1)).good


def test_a_journal_tells_what_was_in_flight_or_not_marked(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "p1.journal")
    for text in ("a", "b", "c"):
        journal.write("send", chat=1, text=text)
    journal.write("marked", chat=1, text="b")
    journal.write("send", chat=2, text="b")
    journal.write("send", chat=2, text="c")
    journal.write("lost", chat=2, text="c")
    assert unmarked(tmp_path / "p1.journal") == {(1, "a"), (1, "c"), (2, "b")}
    assert unmarked(tmp_path / "none") == frozenset()


def test_what_a_process_does_after_a_freeze_on_its_old_lease_is_counted(tmp_path: Path) -> None:
    path = tmp_path / "p1.journal"
    journal = Journal(path)
    journal.write("commit", count=3)
    begin = 0.0
    entries_before = path.read_bytes()
    freeze = Freeze(path, begin, _last(entries_before))
    journal.write("committed", count=3)  # begun before the freeze: its answer comes after it
    journal.write("commit", count=2)
    journal.write("committed", count=2)
    journal.write("send", chat=1, text="a")
    journal.write("lease", count=16)
    journal.write("send", chat=1, text="b")
    assert after_freeze(freeze) == 3


def _last(lines: bytes) -> float:
    """Just after the last of them was written."""
    return float(lines.splitlines()[-1][1:].split(b",")[0]) + 1e-9


def test_a_recovery_is_the_first_answer_by_another_process_to_whom_the_dead_one_served() -> None:
    sends = [
        Arrival(1.0, "p1", 1, "a", "sent", True),
        Arrival(1.1, "p2", 2, "a", "sent", True),
        Arrival(2.5, "p2", 2, "b", "sent", True),
        Arrival(4.0, "p3", 1, "b", "sent", True),
    ]
    death = Death(process="p1", at=2.0, how="anywhere", unmarked=frozenset())
    assert recoveries(sends, [death]) == [2.0]


def test_a_person_is_ahead_of_the_answers_and_silent_while_the_bot_sleeps() -> None:
    person = Person(1001, COUNT)
    assert person.sends() == ["/start"]
    person.arrives("0 heard")
    assert person.sends() == ["1", "2", "3"][:AHEAD]
    for number in range(1, 12):
        for said in transcript(COUNT):
            if said.number == number:
                person.arrives(said.text)
        person.sends()
    assert person.sent == 12
    person.arrives("12 heard, asleep")
    person.arrives("12 heard, awake")
    assert person.sends() == []
    person.arrives("12 heard")
    assert person.sends() == ["13", "14", "15"]


def test_what_is_wanted_leaves_out_the_first_answer_of_a_step_that_has_two() -> None:
    person = Person(1001, COUNT)
    person.sent = 6
    assert list(wanted_of(person).numbers) == [1, 2, 3, 4, 5]
    person.sent = 7
    assert list(wanted_of(person).numbers) == [1, 2, 3, 4, 5, 6, 7]
