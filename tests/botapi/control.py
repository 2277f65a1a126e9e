"""The server from outside its loop: control over HTTP."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import httpx

if TYPE_CHECKING:
    from tests.botapi.server import BotApiServer

_ACTIONS = (
    "chat", "text", "photo", "document", "voice", "audio", "video", "location", "contact",
    "web_app", "message", "press", "update", "raw_update", "fail",
)  # fmt: skip


async def controlled(server: BotApiServer, what: str, args: dict[str, Any]) -> Any:
    """Does one of the actions above, makes many chats known, or answers a question: replies,
    answers, events, until.

    Raises:
        LookupError: there is no such action.
    """
    if what in _ACTIONS:
        done = getattr(server, what)(**args)
        return done if isinstance(done, dict) else None
    if what == "until":
        chat, count = args["chat"], args["count"]
        await server.until(lambda: len(server.replies(chat)) >= count, args.get("seconds", 10))
        return server.replies(chat)
    match what:
        case "chats":
            for chat in args["chats"]:
                server.chat(chat)
            return None
        case "replies":
            return server.replies(args["chat"])
        case "answers":
            return server.answers(args["chat"])
        case "events":
            return [asdict(event) for event in server.events]
        case "requests":
            return [asdict(request) for request in server.requests]
        case "waiting":
            return len(server.updates)
        case "refused":
            return server.refused
    raise LookupError(f"there is no /control/{what}")


class Control:
    """A server that runs elsewhere. ``url`` and ``token`` are what a channel takes."""

    def __init__(self, url: str, token: str) -> None:
        self.url = url
        self.token = token
        # One for all calls, and no certificates: to load those takes longer than the call.
        self._http = httpx.Client(timeout=30, trust_env=False, verify=False)  # noqa: S501

    def close(self) -> None:
        """Lets go of the connection."""
        self._http.close()

    def post(self, what: str, **args: Any) -> Any:
        """Does an action, or asks (see ``controlled``)."""
        answer = self._http.post(f"{self.url}/control/{what}", json=args)
        if answer.status_code != httpx.codes.OK:
            raise AssertionError(answer.json()["description"])
        return answer.json()
