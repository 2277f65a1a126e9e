"""What filters look at, and how they combine."""

from __future__ import annotations

from typing import Any

import pytest

from flows import DefinitionError, FileRef, Person, PhotoMessage, TextMessage, filters
from flows.conversation import Address
from flows.filters import Condition, Facts, filter_of
from flows.updates import Command, Content, Update


def facts(
    content: Content | None = None,
    *,
    user: str = "1",
    chat: str = "1",
    language: str = "",
    reply_to: str | None = None,
    state: str | None = None,
) -> Facts:
    update = Update(
        source="test:bot",
        ext="1",
        content=content or TextMessage("hello"),
        at=0,
        address=Address("test:bot", chat),
        user=Person(id=user, language=language),
        reply_to=reply_to,
        private=user == chat,
    )
    return Facts(update, state)


NOBODY = Facts(Update(source="test:bot", ext="1", content=TextMessage("x"), at=0), None)
PHOTO = PhotoMessage(FileRef(id="1"), "a sunset")


@pytest.mark.parametrize(
    ("condition", "passing", "other"),
    [
        (filters.PRIVATE, facts(), facts(chat="-5")),
        (filters.GROUP, facts(chat="-5"), facts()),
        (filters.users(1, "2"), facts(user="2"), facts(user="3")),
        (filters.chats(-5), facts(chat="-5"), facts()),
        (filters.language("pt"), facts(language="pt-BR"), facts(language="ptx")),
        (filters.language("pt-BR"), facts(language="pt-br"), facts(language="pt")),
        (filters.REPLY, facts(reply_to="7"), facts()),
        (filters.HAS_TEXT, facts(PHOTO), facts(PhotoMessage(FileRef(id="1")))),
        (filters.HAS_TEXT, facts(Command("start")), facts(TextMessage(""))),
        (filters.matches("sun.et"), facts(PHOTO), facts()),
        (filters.state("a", "b"), facts(state="b"), facts(state="c")),
        (filters.state(), facts(state="c"), facts()),
        (filters.where(lambda update: update.private), facts(), facts(chat="-5")),
        (~filters.PRIVATE, facts(chat="-5"), facts()),
        (filters.PRIVATE & filters.REPLY, facts(reply_to="7"), facts()),
        (filters.GROUP | filters.REPLY, facts(reply_to="7"), facts()),
        (filters.PRIVATE & (lambda update: update.reply_to == "7"), facts(reply_to="7"), facts()),
        ((lambda update: update.reply_to == "7") | filters.GROUP, facts(chat="-5"), facts()),
    ],
)
def test_a_filter_passes_what_it_says(condition: Condition, passing: Facts, other: Facts) -> None:
    wanted = filter_of(condition)
    assert wanted.passes(passing)
    assert not wanted.passes(other)


@pytest.mark.parametrize(
    "condition",
    [
        filters.PRIVATE, filters.GROUP, filters.users(1), filters.chats(1), filters.language("en"),
        filters.REPLY, filters.state(),
    ],
)  # fmt: skip
def test_an_update_without_chat_and_sender_passes_none(condition: filters.Filter) -> None:
    assert not condition.passes(NOBODY)


def test_the_second_of_two_is_not_asked_where_the_first_decides() -> None:
    def never(update: Update) -> bool:
        raise AssertionError("it was asked")

    assert not (filters.GROUP & never).passes(facts())
    assert (filters.PRIVATE | never).passes(facts())


async def later(update: Update) -> bool:
    return True


class Later:
    async def __call__(self, update: Update) -> bool:
        return True


@pytest.mark.parametrize("condition", [later, Later(), "private", None, bool])
def test_what_cannot_answer_at_once_is_no_filter(condition: Any) -> None:
    with pytest.raises(DefinitionError, match="filter"):
        filter_of(condition)


@pytest.mark.parametrize("make", [filters.users, filters.chats, filters.language])
def test_a_filter_that_would_pass_nobody_is_refused(make: Any) -> None:
    with pytest.raises(DefinitionError, match="passes nobody"):
        make()


def test_filters_that_say_the_same_are_equal() -> None:
    assert filters.users(1, 2) & filters.REPLY == filters.users(2, 1) & filters.REPLY
