"""What the inspector shows, and what its actions do."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import httpx
import pytest

from engine import App
from engine.inspector import Inspector
from engine.testing import Chat
from examples.kyc import app as kyc
from flows import Action, FlowBuilder, Integer, Text, Turn
from flows.ports import Tally
from storage import MemoryStorage, SqlStorage
from tests.inspector import TOKEN, act, logged_in, said
from tests.support import Names, Three, app_of

pytestmark = pytest.mark.anyio

EVIL = "<img src=x onerror=alert(1)>"


def three_app() -> tuple[App, Inspector]:
    builder = FlowBuilder("three", Three, Names)
    builder.ask(Three.FIRST, "First?", Text(), into="first")

    @builder.step(Three.SECOND)
    async def second(turn: Turn[Three, Names]) -> Action[Three]:
        if turn.input is None:
            return turn.escalate("how many?", accept=Integer())
        turn.reply(f"It is {turn.input}.")
        return turn.next()

    builder.ask(Three.THIRD, "Third?", Text(), into="third")
    app = app_of(builder.build(initial=Three.FIRST))
    return app, Inspector(app, operate_token=TOKEN)


@pytest.fixture
async def chat() -> AsyncIterator[Chat]:
    async with Chat(kyc) as running:
        yield running


@pytest.fixture
async def client(chat: Chat) -> AsyncIterator[httpx.AsyncClient]:
    made = await logged_in(Inspector(kyc, operate_token=TOKEN))
    yield made
    await made.aclose()


async def submitted(chat: Chat, by: str = "1") -> str:
    """A person who has handed everything in; answers the id of the instance."""
    await chat.say("/kyc", by=by)
    await chat.send_file("photo", by=by)
    await chat.press("Phone", by=by)
    await chat.say("+442079460958", by=by)
    await chat.press("E-mail", by=by)
    await chat.say(f"ada{by}@example.org", by=by)
    await chat.press("Yes", by=by)
    await chat.press("Submit", by=by)
    (row,) = (await kyc.running.instances(person=f"test/{by}", live=True)).rows
    return row.id


async def test_the_overview_counts_and_shows_where_people_leave(
    chat: Chat, client: httpx.AsyncClient
) -> None:
    await submitted(chat)
    await chat.say("/kyc", by="2")
    await chat.say("/cancel", by="2")
    page = await client.get("/")
    text = said(page)
    assert "started 2 running 1 completed 0 cancelled 1 expired 0 escalated 1" in text
    assert "1 wait for an operator" in text
    assert "DOCUMENT: 2 came here, 0 are here, 1 left here" in text


async def test_the_diagram_says_how_many_are_where(chat: Chat, client: httpx.AsyncClient) -> None:
    await submitted(chat)
    await chat.say("/kyc", by="2")
    text = said(await client.get("/flows/kyc"))
    assert "DECISION: 1 here now" in text
    assert "PHONE: 1 here now" in text


async def test_an_instance_shows_all_but_what_is_sensitive(
    chat: Chat, client: httpx.AsyncClient
) -> None:
    instance = await submitted(chat)
    page = await client.get(f"/instances/{instance}")
    text = said(page)
    assert "an operator at DECISION" in text
    assert "an identity check" in text
    assert "document *** phone *** email ***" in text
    assert "REVIEW → DECISION by next" in text
    assert "START \u203a START \u203a REVIEW \u203a DECISION" in text
    for secret in ("442079460958", "ada1@example.org"):
        assert secret not in page.text


async def test_what_a_step_was_told_is_masked_before_it_is_data(
    chat: Chat, client: httpx.AsyncClient
) -> None:
    await chat.say("/kyc")
    await chat.send_file("photo")
    await chat.press("E-mail")
    await chat.say("ada@example.org")
    (row,) = (await kyc.running.instances()).rows
    page = await client.get(f"/instances/{row.id}")
    assert "*** - is that right?" in said(page)
    assert "ada@example.org" not in page.text


@pytest.mark.parametrize(
    ("query", "users"),
    [
        ("", {"1", "2"}),
        ("status=all", {"1", "2", "3"}),
        ("status=ended", {"3"}),
        ("status=escalated", {"1"}),
        ("flow=kyc&step=PHONE", {"2"}),
        ("text=test/2", {"2"}),
        ("text=/local/3/&status=all", {"3"}),
        ("idle=1h", set()),
        ("flow=nothing", set()),
    ],
)
async def test_instances_are_found(
    chat: Chat, client: httpx.AsyncClient, query: str, users: set[str]
) -> None:
    await submitted(chat)
    await chat.say("/kyc", by="2")
    await chat.say("/kyc", by="3")
    await chat.say("/cancel", by="3")
    page = await client.get(f"/instances?{query}")
    assert page.status_code == 200
    shown = {user for user in "123" if f"key=test%2Flocal%2F{user}%2F%2F{user}" in page.text}
    assert shown == users


async def test_a_list_goes_on(chat: Chat, client: httpx.AsyncClient) -> None:
    for number in range(60):
        await chat.say("/kyc", by=str(number))
    first = await client.get("/instances")
    assert first.text.count('class="id"') == 50
    (link,) = [part.split('"')[0] for part in first.text.split('rel="next" href="')[1:]]
    second = await client.get(link.replace("&amp;", "&"))
    assert second.text.count('class="id"') == 10
    wrong = await client.get("/instances?after=nonsense")
    assert wrong.status_code == 422


async def test_a_move_brings_the_person_the_question(chat: Chat, client: httpx.AsyncClient) -> None:
    await chat.say("/kyc")
    (row,) = (await kyc.running.instances()).rows
    answer = await act(client, f"/instances/{row.id}/goto", step="REVIEW")
    assert answer.headers["location"] == f"/instances/{row.id}?done=goto"
    await chat.settle()
    assert "Please review it" in chat.replies()[-1]
    page = said(await client.get(answer.headers["location"]))
    assert "It was moved." in page
    assert "eve goto" in page


async def test_the_prompt_is_repeated(chat: Chat, client: httpx.AsyncClient) -> None:
    await chat.say("/kyc")
    (row,) = (await kyc.running.instances()).rows
    before = len(chat.replies())
    await act(client, f"/instances/{row.id}/repeat")
    await chat.settle()
    assert "Your identity check: 0/3" in "\n".join(chat.replies()[before:])


async def test_an_escalated_one_is_approved_from_the_queue(
    chat: Chat, client: httpx.AsyncClient
) -> None:
    instance = await submitted(chat)
    queue = await client.get("/escalated")
    assert "Approve Reject" in said(queue)
    path = f"/instances/{instance}/resume?choice=%22approve%22"
    asked = await client.get(path)
    assert 'value="&#34;approve&#34;" required checked' in asked.text
    await act(client, path, choice='"approve"')
    await chat.settle()
    assert chat.replies()[-1] == "Welcome! Your identity check is approved."
    (entry,) = (await kyc.running.audit()).rows
    assert (entry.who, entry.what, entry.detail) == ("eve", "decide", "approve")


async def test_an_answer_that_does_not_fit_is_asked_for_again() -> None:
    app, inspector = three_app()
    async with Chat(app) as chat:
        await chat.say("/start")
        await chat.say("a")
        client = await logged_in(inspector)
        queue = await client.get("/escalated")
        path = queue.text.split('class="button primary" href="')[1].split('"')[0]
        refused = await act(client, path, answer="many")
        assert refused.status_code == 422
        assert "whole number" in said(refused)
        done = await act(client, path, answer="42")
        assert done.status_code == 303
        await chat.settle()
        assert chat.replies()[-2:] == ("It is 42.", "Third?")
        await client.aclose()


async def test_all_of_a_conversation_is_cancelled(chat: Chat, client: httpx.AsyncClient) -> None:
    await chat.say("/kyc")
    key = "test%2Flocal%2F1%2F%2F1"
    await act(client, f"/end?key={key}", key="test/local/1//1")
    page = await client.get(f"/conversation?key={key}")
    assert "cancelled" in said(page)
    assert (await kyc.running.instances(live=True)).rows == ()


async def test_a_person_is_erased_when_the_name_is_written_once_more(
    chat: Chat, client: httpx.AsyncClient
) -> None:
    await submitted(chat)
    wrong = await act(client, "/erase?person=test/1", person="test/1", again="test/2")
    assert wrong.status_code == 422
    assert (await kyc.running.instances()).rows != ()
    done = await act(client, "/erase?person=test/1", person="test/1", again="test/1")
    assert done.status_code == 303
    assert (await kyc.running.instances()).rows == ()
    page = await client.get("/audit")
    assert "erase" in said(page)
    assert "test/1" not in page.text


async def test_what_is_gone_is_told(chat: Chat, client: httpx.AsyncClient) -> None:
    for path in ("/instances/zz-0", "/letters/7", "/letters/99999999999999999999", "/flows/x",
                 "/nowhere", "/instances/zz-0/goto", "/instances/zz-0/explode"):  # fmt: skip
        answer = await client.get(path)
        assert answer.status_code == 404, path
        assert "That did not work" in answer.text


async def test_names_that_look_like_markup_stay_text(chat: Chat, client: httpx.AsyncClient) -> None:
    await chat.say("/kyc", by=EVIL)
    (row,) = (await kyc.running.instances()).rows
    await act(client, f"/instances/{row.id}/cancel", reason=EVIL)
    key = httpx.QueryParams({"key": row.conv})
    paths = ["/instances?status=all", f"/instances/{row.id}", f"/conversation?{key}", "/audit",
             f"/instances?{httpx.QueryParams({'text': EVIL, 'flow': EVIL, 'step': EVIL})}",
             f"/erase?{httpx.QueryParams({'person': EVIL})}", f"/flows/{EVIL}"]  # fmt: skip
    for path in paths:
        page = await client.get(path)
        assert "<img" not in page.text, path
        assert "&lt;img" in page.text, path


async def test_beside_a_bot_orders_wait_in_its_database(tmp_path: Path) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path / 'bot.db'}"
    app, _ = three_app()
    async with Chat(app, storage=SqlStorage(url)) as chat:
        await chat.say("/start")
    inspector = Inspector(app, storage=SqlStorage(url), operate_token=TOKEN)
    async with inspector:
        client = await logged_in(inspector)
        page = await client.get("/instances")
        path = page.text.split('class="id" href="')[1].split('"')[0]
        answer = await act(client, f"{path}/goto", step="THIRD")
        assert answer.headers["location"].endswith("?done=late")
        assert "in: order" in said(await client.get(path))
        await client.aclose()
    async with Chat(app, storage=SqlStorage(url)) as chat:
        await chat.settle()
        assert chat.replies()[-1] == "Third?"


async def test_nothing_is_opened_before_somebody_looks(tmp_path: Path) -> None:
    app, _ = three_app()
    url = f"sqlite+aiosqlite:///{tmp_path / 'bot.db'}"
    inspector = Inspector(app, storage=SqlStorage(url), operate_token=TOKEN)
    client = await logged_in(inspector)
    assert not (tmp_path / "bot.db").exists()
    assert (await client.get("/")).status_code == 200
    await inspector.close()
    await client.aclose()


async def test_many_who_look_at_once_are_counted_for_once() -> None:
    class Counting(MemoryStorage):
        count = 0

        async def tally(self) -> Sequence[Tally]:
            Counting.count += 1
            return await super().tally()

    app, inspector = three_app()
    async with Chat(app, storage=Counting()):
        client = await logged_in(inspector)
        for _ in range(5):
            await client.get("/")
        assert Counting.count == 1
        await client.aclose()
