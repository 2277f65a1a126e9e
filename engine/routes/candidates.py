"""Finding the question that an answer is for, where several are waiting."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from engine.steps.places import Flows, Place, leaves, top
from engine.turns.conversations import Conversations
from flows.errors import InvalidAnswer
from flows.inputs import input_from_json
from flows.records import record
from flows.turns.visit import Waiting
from flows.updates import Content, Update


@record(frozen=True, slots=True)
class Answered:
    """What a place waits for: which of its inputs took it, and the JSON form."""

    place: Place
    input: int
    value: Any


@record(frozen=True, slots=True)
class Refused:
    """It was meant for the place, but does not parse; ``reason`` is for the person, and
    ``input`` is the first of the inputs that it was meant for.
    """

    place: Place
    input: int
    reason: str


@record(frozen=True, slots=True)
class Outdated:
    """What the place waits for cannot be read by this code."""

    place: Place
    reason: str


Taken = Answered | Refused | Outdated


@record(frozen=True, slots=True)
class _Offer:
    """What a place makes of the content; ``specific``: it would not take just anything."""

    taken: Taken
    specific: bool = True


def waiting_places(conversations: Conversations, flows: Flows) -> list[Place]:
    """The places that take free input, the one that is talked about first, then those that
    were asked last, then in declared order.
    """
    found: list[Place] = []
    for conversation in conversations.by_key.values():
        if conversation.stack:
            for place in leaves(top(conversation.stack[-1], flows), flows):
                visit = place.line.visit
                if visit is not None and visit.waiting is not None:
                    found.append(place)
    if len(found) > 1:
        foremost = conversations.foremost(flows)
        found.sort(key=lambda place: (not in_focus(place, foremost), -_asked(place)))
    return found


def in_focus(place: Place, foremost: object) -> bool:
    """Whether this is what is talked about."""
    return place.root is foremost and not place.held


def take(
    conversations: Conversations, flows: Flows, update: Update, *, replied: str | None
) -> Taken | None:
    """Who gets the content, in this order: the question it replies to; the one in focus, if it
    parses; others that want something of this kind; the one in focus, to refuse it; free text;
    whatever fits.

    Args:
        replied: the name of the message that it replies to.
    """
    places = [place for place in waiting_places(conversations, flows) if _may_answer(place, update)]
    if len(places) < 2:
        offer = _offered(places[0], update.content) if places else None
        return offer.taken if offer is not None else None
    foremost = conversations.foremost(flows)
    if replied is not None:
        places.sort(key=lambda place: place.visit.waiting is None or _slot(place) != replied)
    offers = [
        (place, offer) for place in places if (offer := _offered(place, update.content)) is not None
    ]
    if replied is not None and offers and _slot(offers[0][0]) == replied:
        return offers[0][1].taken
    if len(offers) == 1:
        return offers[0][1].taken
    focus = [offer for place, offer in offers if in_focus(place, foremost)]
    others = [offer for place, offer in offers if not in_focus(place, foremost)]
    return _first(
        (focus, _parses),
        (others, lambda offer: _parses(offer) and offer.specific),
        (focus, _any),
        (others, _parses),
        (others, _any),
    )


def answered_before(conversations: Conversations, flows: Flows, update: Update) -> bool:
    """Whether it would be this person's second answer to a question that several answer."""
    for place in waiting_places(conversations, flows):
        if _has_answered(place, update):
            offer = _offered(place, update.content)
            if offer is not None and _parses(offer):
                return True
    return False


def asks(place: Place, update: Update) -> bool:
    """Whether the place waits for an answer of this person."""
    return place.visit.waiting is not None and _may_answer(place, update)


Wanted = Callable[[_Offer], bool]


def _first(*passes: tuple[Sequence[_Offer], Wanted]) -> Taken | None:
    for offers, wanted in passes:
        for offer in offers:
            if wanted(offer):
                return offer.taken
    return None


def _parses(offer: _Offer) -> bool:
    return isinstance(offer.taken, Answered)


def _any(offer: _Offer) -> bool:
    return True


def _offered(place: Place, content: Content) -> _Offer | None:
    """What a waiting place makes of it: the first input that parses, else that fits."""
    waiting = _waiting(place)
    refusal: _Offer | None = None
    try:
        inputs = [input_from_json(stored) for stored in waiting.inputs]
    except ValueError as error:
        return _Offer(Outdated(place, str(error)))
    for index, accepted in enumerate(inputs):
        if not accepted.fits(content):
            continue
        try:
            value = accepted.parse(content)
        except InvalidAnswer as error:
            refusal = refusal or _Offer(Refused(place, index, error.reason))
        else:
            return _Offer(Answered(place, index, value), accepted.specific)
    return refusal


def _may_answer(place: Place, update: Update) -> bool:
    """Whether this person's answers count there, and are still wanted."""
    waiting = _waiting(place)
    if waiting.people and _person(update) not in waiting.people:
        return False
    return waiting.poll is None or _person(update) not in waiting.poll.answers


def _has_answered(place: Place, update: Update) -> bool:
    poll = _waiting(place).poll
    return poll is not None and _person(update) in poll.answers


def _person(update: Update) -> str:
    return update.user.id if update.user is not None else ""


def _waiting(place: Place) -> Waiting:
    visit = place.line.visit
    waiting = visit.waiting if visit is not None else None
    if waiting is None:
        raise LookupError(f"instance {place.instance.id} waits for nothing there")
    return waiting


def _slot(place: Place) -> str:
    return _waiting(place).slot


def _asked(place: Place) -> int:
    return _waiting(place).asked
