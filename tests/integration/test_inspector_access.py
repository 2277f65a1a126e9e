"""Who is let into the inspector, and what is refused."""

from __future__ import annotations

import logging

import pytest
from starlette.applications import Starlette
from starlette.requests import HTTPConnection
from starlette.routing import Mount

from engine import App
from engine.inspector import Inspector, Role, Visitor
from engine.inspector.throttle import TRIES
from engine.testing import Chat
from examples.kyc import app as kyc
from flows import DefinitionError
from tests.inspector import READ_TOKEN, TOKEN, act, browser, logged_in, proof_of, said

pytestmark = pytest.mark.anyio

PAGES = ["/", "/flows/kyc", "/instances", "/escalated", "/letters", "/audit", "/erase", "/end"]


def inspector_of(app: App = kyc) -> Inspector:
    return Inspector(app, operate_token=TOKEN, read_token=READ_TOKEN)


@pytest.mark.parametrize("path", [*PAGES, "/instances/a-0", "/instances/a-0/goto", "/letters/1"])
async def test_nobody_sees_a_page_without_a_token(path: str) -> None:
    async with Chat(kyc), browser(inspector_of()) as client:
        answer = await client.get(path)
        assert answer.status_code == 401
        assert "kyc" not in answer.text


async def test_a_link_lets_in_and_its_token_leaves_the_address() -> None:
    async with Chat(kyc), browser(inspector_of()) as client:
        answer = await client.get("/login", params={"token": TOKEN})
        assert (answer.status_code, answer.headers["location"]) == (303, "/")
        cookie = answer.headers["set-cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=strict" in cookie
        assert TOKEN not in cookie
        assert (await client.get("/")).status_code == 200


async def test_a_wrong_token_lets_nobody_in_and_many_make_one_wait() -> None:
    async with Chat(kyc), browser(inspector_of()) as client:
        for _ in range(TRIES):
            answer = await client.get("/login", params={"token": "wrong"})
            assert answer.status_code == 403
        answer = await client.get("/login", params={"token": TOKEN})
        assert answer.status_code == 429
        assert 0 < int(answer.headers["retry-after"]) <= 60


async def test_a_forged_cookie_lets_nobody_in() -> None:
    async with Chat(kyc):
        client = await logged_in(inspector_of())
        (cookie,) = client.cookies.jar
        said_, _, signature = (cookie.value or "").rpartition(".")
        for value in ("", "x", f"{said_}.{signature[:-1]}", f"{said_[:-2]}.{signature}", "é.ü"):
            forged = browser(inspector_of())
            headers = {b"cookie": f"{cookie.name}={value}".encode()}
            assert (await forged.get("/", headers=headers)).status_code == 401
        await client.aclose()


@pytest.mark.parametrize(
    "host", ["http://evil.example", "http://127.0.0.1.evil.example", "http://x[y"]
)
async def test_a_name_of_somebody_else_is_refused(host: str) -> None:
    async with Chat(kyc):
        client = await logged_in(inspector_of())
        answer = await client.get("/", headers={"host": host.removeprefix("http://")})
        assert answer.status_code == 421
        assert "HANDRAIL_WEB_HOSTS" in answer.text
        await client.aclose()


async def test_who_may_look_may_not_act() -> None:
    async with Chat(kyc) as chat:
        await chat.say("/kyc")
        (row,) = (await kyc.running.instances()).rows
        client = await logged_in(inspector_of(), READ_TOKEN)
        page = await client.get(f"/instances/{row.id}")
        assert "Go to a step" not in page.text
        proof = proof_of(page.text)
        for path in (f"/instances/{row.id}/cancel", "/erase", "/end", "/letters/1/replay"):
            answer = await client.post(path, data={"proof": proof, "person": "x", "again": "x"})
            assert answer.status_code == 403, path
        assert (await client.get(f"/instances/{row.id}/goto")).status_code == 403
        assert (await kyc.running.audit()).rows == ()
        await client.aclose()


@pytest.mark.parametrize("proof", [None, "", "0" * 64])
async def test_a_form_without_the_proof_does_nothing(proof: str | None) -> None:
    async with Chat(kyc) as chat:
        await chat.say("/kyc")
        (row,) = (await kyc.running.instances()).rows
        client = await logged_in(inspector_of())
        data = {"reason": "x"} if proof is None else {"reason": "x", "proof": proof}
        answer = await client.post(f"/instances/{row.id}/cancel", data=data)
        assert answer.status_code == 403
        assert (await kyc.running.instances(live=True)).rows == (row,)
        await client.aclose()


async def test_the_proof_of_another_session_is_none() -> None:
    async with Chat(kyc) as chat:
        await chat.say("/kyc")
        (row,) = (await kyc.running.instances()).rows
        inspector = inspector_of()
        one, other = await logged_in(inspector), await logged_in(inspector)
        proof = proof_of((await other.get("/")).text)
        answer = await one.post(f"/instances/{row.id}/cancel", data={"proof": proof})
        assert answer.status_code == 403
        await one.aclose()
        await other.aclose()


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://evil.example"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ],
)
async def test_a_form_of_another_sites_page_does_nothing(headers: dict[str, str]) -> None:
    async with Chat(kyc) as chat:
        await chat.say("/kyc")
        (row,) = (await kyc.running.instances()).rows
        client = await logged_in(inspector_of())
        proof = proof_of((await client.get("/")).text)
        path = f"/instances/{row.id}/cancel"
        answer = await client.post(path, data={"proof": proof}, headers=headers)
        assert answer.status_code == 403
        assert (await kyc.running.instances(live=True)).rows == (row,)
        await client.aclose()


@pytest.mark.parametrize("path", ["/", "/login", "/nowhere", "/static/inspector.css", "/static/x"])
async def test_browsers_are_told_to_run_nothing_of_others(path: str) -> None:
    async with Chat(kyc):
        client = await logged_in(inspector_of())
        headers = (await client.get(path)).headers
        assert headers["content-security-policy"].startswith(
            "default-src 'none'; script-src 'self'"
        )
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["cache-control"] == "no-store"
        await client.aclose()


async def test_no_page_has_a_script_or_a_style_inline() -> None:
    async with Chat(kyc) as chat:
        await chat.say("/kyc")
        (row,) = (await kyc.running.instances()).rows
        client = await logged_in(inspector_of())
        for path in (*PAGES, f"/instances/{row.id}", f"/instances/{row.id}/goto"):
            text = (await client.get(path)).text
            assert text.count("<script") == text.count('<script src="') == 1
            assert "<style" not in text
            assert " style=" not in text
            assert " onclick" not in text
        await client.aclose()


async def test_logging_out_ends_it() -> None:
    async with Chat(kyc):
        client = await logged_in(inspector_of())
        proof = proof_of((await client.get("/")).text)
        answer = await client.post("/logout", data={"proof": proof})
        assert answer.headers["location"] == "/login"
        assert (await client.get("/")).status_code == 401
        await client.aclose()


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({}, "nobody could log in"),
        ({"operate_token": "short"}, "fewer than 16 characters"),
        ({"operate_token": TOKEN, "read_token": TOKEN}, "is the one for acting"),
        ({"operate_token": TOKEN, "authorise": lambda _: Role.READ}, "Leave the other one out"),
        ({"operate_token": TOKEN, "signing_key": "k" * 32}, "Leave signing_key= out"),
        ({"authorise": lambda _: Role.READ, "signing_key": "k" * 15}, "fewer than 16 characters"),
    ],
)
def test_what_would_let_in_nobody_or_everybody_is_refused(
    given: dict[str, object], told: str
) -> None:
    with pytest.raises(DefinitionError, match=told):
        Inspector(kyc, **given)  # type: ignore[arg-type]  # some of them


# --- in another application -----------------------------------------------------------------


async def role_of(connection: HTTPConnection) -> Visitor | Role | None:
    """What a host application might say."""
    match connection.headers.get("x-user"):
        case None:
            return None
        case "boss":
            return Visitor(Role.OPERATE, "boss")
        case _:
            return Role.READ


async def test_the_host_application_says_who_may_look_and_act() -> None:
    async with Chat(kyc) as chat:
        await chat.say("/kyc")
        (row,) = (await kyc.running.instances()).rows
        host = Starlette(routes=[Mount("/staff/inspector", Inspector(kyc, authorise=role_of))])
        async with browser(host, host="http://bot.example") as client:
            assert (await client.get("/staff/inspector/")).status_code == 403
            client.headers["x-user"] = "clerk"
            page = await client.get(f"/staff/inspector/instances/{row.id}")
            assert page.status_code == 200
            assert 'href="/staff/inspector/static/inspector.css"' in page.text
            assert (await client.get("/staff/inspector/static/inspector.css")).status_code == 200
            client.headers["x-user"] = "boss"
            path = f"/staff/inspector/instances/{row.id}/cancel"
            answer = await act(client, path, reason="asked by phone")
            assert answer.headers["location"].startswith(f"/staff/inspector/instances/{row.id}?")
            assert "It was cancelled." in said(await client.get(answer.headers["location"]))
        assert [(one.who, one.what) for one in (await kyc.running.audit()).rows] == [
            ("boss", "cancel")
        ]


@pytest.mark.parametrize(("second", "answer"), [("k" * 32, 303), ("l" * 32, 403), (None, 403)])
async def test_a_form_of_one_process_is_taken_by_another_with_its_key(
    second: str | None, answer: int
) -> None:
    async with Chat(kyc) as chat:
        await chat.say("/kyc")
        (row,) = (await kyc.running.instances()).rows
        path = f"/instances/{row.id}/cancel"
        one = Inspector(kyc, authorise=role_of, signing_key="k" * 32)
        other = Inspector(kyc, authorise=role_of, signing_key=second)
        async with browser(one) as client:
            client.headers["x-user"] = "boss"
            page = await client.get(path)
            async with browser(other) as elsewhere:
                elsewhere.headers["x-user"] = "boss"
                elsewhere.cookies = client.cookies
                form = {"proof": proof_of(page.text), "reason": "asked by phone"}
                assert (await elsewhere.post(path, data=form)).status_code == answer


async def test_where_the_bot_does_not_run_the_page_says_so() -> None:
    client = await logged_in(inspector_of())
    answer = await client.get("/")
    assert answer.status_code == 503
    assert "does not run in this process" in said(answer)
    await client.aclose()


async def test_tokens_are_in_no_log(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, logger="handrail"):
        async with Chat(kyc):
            client = await logged_in(inspector_of())
            await client.get("/login", params={"token": "wrong-wrong-wrong"})
            await client.aclose()
    assert TOKEN not in caplog.text
    assert "wrong-wrong" not in caplog.text
