"""Order, where one worker has kept what another one is handed once more."""

from __future__ import annotations

import pytest

from engine.testing.chat import Chat
from flows import Action, Flow, FlowBuilder, TextMessage, Turn
from flows.ports import InboxRow
from flows.updates import Update
from storage import MemoryStorage
from tests.support import Names, One, app_of

pytestmark = pytest.mark.anyio


def echo() -> Flow[One, Names]:
    async def step(turn: Turn[One, Names]) -> Action[One]:
        said = await turn.ask("Go on.")
        while True:
            said = await turn.ask(said)

    return FlowBuilder("echo", One, Names).step(One.ONLY, step).build(initial=One.ONLY)


def row_of(update: Update) -> InboxRow:
    """The row that another worker keeps of it."""
    assert update.address is not None
    return InboxRow(
        source=update.source,
        ext=update.ext,
        part=update.address.partition,
        conv=str(update.conversation),
        kind=update.content.kind,
        body=update.to_json(),
        at=update.at,
    )


async def test_what_another_worker_has_kept_and_not_acknowledged_goes_before_what_is_new(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It was stopped between the two; the service hands the first one in once more."""
    database = MemoryStorage().database
    other = MemoryStorage(database=database)
    async with Chat(app_of(echo()), storage=MemoryStorage(database=database)) as chat:
        await chat.say("/start")
        first, second = (chat.update(TextMessage(text)) for text in ("first", "second"))
        await other.open()
        for handle in database.handles:  # wake-ups may be lost
            monkeypatch.setattr(handle, "hint", lambda: None)
        await other.accept([row_of(first)])
        assert await chat.deliver(first, second) == ("first", "second")
        await other.close()
