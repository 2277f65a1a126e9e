"""The methods of the Bot API, as far as they are needed, with the real one's refusals."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from math import inf
from typing import Any

from tests.botapi.media import MediaMethods, Refusal
from tests.botapi.world import Event, Json, Message, World

_CONFLICT = (
    "Conflict: terminated by other getUpdates request; make sure that only one bot instance "
    "is running"
)
_WEBHOOK = (
    "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete "
    "the webhook first"
)
_NOT_MODIFIED = (
    "Bad Request: message is not modified: specified new message content and reply markup are "
    "exactly the same as a current content and reply markup of the message"
)
_TOO_LATE = "Bad Request: query is too old and response timeout expired or query ID is invalid"


class ApiError(Exception):
    """An answer that is no result."""

    def __init__(self, status: int, description: str) -> None:
        self.status = status
        self.description = description
        super().__init__(description)


class Methods:
    """The methods, over a world."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._poll: asyncio.Future[None] | None = None
        self._known: dict[str, Callable[[Json], Awaitable[Any]]] = {
            "getMe": self._get_me,
            "getUpdates": self._get_updates,
            "setWebhook": self._set_webhook,
            "deleteWebhook": self._delete_webhook,
            "getWebhookInfo": self._get_webhook_info,
            "setMyCommands": self._set_my_commands,
            "getMyCommands": self._get_my_commands,
            "deleteMyCommands": self._delete_my_commands,
            "sendMessage": self._send_message,
            "editMessageText": self._edit_message_text,
            "answerCallbackQuery": self._answer_callback_query,
            **MediaMethods(world).known(),
        }

    async def call(self, method: str, params: Json) -> Any:
        """The result of a method. Raises ApiError."""
        known = self._known.get(method)
        if known is None:
            raise ApiError(404, "Not Found: method not found")
        try:
            return await known(params)
        except Refusal as refusal:
            raise ApiError(400, str(refusal)) from None

    async def _get_me(self, _params: Json) -> Json:
        return {"id": 42, "is_bot": True, "first_name": "Loopback",
                "username": self._world.username}  # fmt: skip

    async def _set_my_commands(self, params: Json) -> bool:
        self._world.menus[_menu(params)] = params["commands"]
        return True

    async def _get_my_commands(self, params: Json) -> list[Json]:
        return self._world.menus.get(_menu(params), [])

    async def _delete_my_commands(self, params: Json) -> bool:
        self._world.menus.pop(_menu(params), None)
        return True

    async def _set_webhook(self, params: Json) -> bool:
        if params.get("drop_pending_updates"):
            self._world.updates.clear()
        if "allowed_updates" in params:
            self._world.allowed = frozenset(params["allowed_updates"]) or None
        self._world.webhook = params["url"]
        self._world.posting.begin(params["url"], params.get("secret_token", ""))
        return True

    async def _delete_webhook(self, params: Json) -> bool:
        if params.get("drop_pending_updates"):
            self._world.updates.clear()
        self._world.webhook = ""
        await self._world.posting.end()
        return True

    async def _get_webhook_info(self, _params: Json) -> Json:
        world = self._world
        failed = [post.status for post in world.posting.posts if not post.acknowledged]
        wrong = [f"Wrong response from the webhook: {status}" for status in failed[-1:]]
        last = {"last_error_date": 1_760_000_000, "last_error_message": wrong[0]} if wrong else {}
        return {
            "url": world.webhook,
            "has_custom_certificate": False,
            "pending_update_count": len(world.updates),
            "max_connections": 40,
            "allowed_updates": sorted(world.allowed or ()),
            **last,
        }

    async def _get_updates(self, params: Json) -> list[Json]:
        world = self._world
        if world.webhook:
            raise ApiError(409, _WEBHOOK)
        if "allowed_updates" in params:
            world.allowed = frozenset(params["allowed_updates"]) or None
        self._confirm(params.get("offset", 0))
        if self._poll is not None and not self._poll.done():
            self._poll.set_result(None)
        mine = self._poll = asyncio.get_running_loop().create_future()
        await self._wait_for_updates(mine, min(params.get("timeout", 0), 50))
        if mine.done():
            raise ApiError(409, _CONFLICT)
        self._poll = None
        limit = min(max(params.get("limit", 100), 1), 100, world.page_limit)
        return world.updates[:limit]

    async def _wait_for_updates(self, ended: asyncio.Future[None], seconds: float) -> None:
        self._world.polling = True
        self._world.changed()
        try:
            async with asyncio.timeout(seconds):
                while not self._world.updates and not ended.done():
                    change = self._world.change()
                    await asyncio.wait({change, ended}, return_when=asyncio.FIRST_COMPLETED)
        except TimeoutError:
            return  # an empty page
        finally:
            self._world.polling = False

    def _confirm(self, offset: int) -> None:
        """Forgets what lies below the offset; of a negative one, all but the last so many."""
        world = self._world
        if offset < 0:
            world.updates = world.updates[offset:]
        # A higher one lies in the future: the ids have started anew, and nothing is forgotten.
        elif offset <= world.next_update_id:
            below = [at for at, update in enumerate(world.updates) if _id_of(update) < offset]
            world.updates = world.updates[below[-1] + 1 if below else 0 :]

    async def _send_message(self, params: Json) -> Json:
        world = self._world
        chat = params["chat_id"]
        if chat not in world.chats:
            raise ApiError(400, "Bad Request: chat not found")
        message = Message(
            chat=chat,
            message_id=world.new_id(),
            text=_checked_text(params),
            parse_mode=params.get("parse_mode"),
            keyboard=_keyboard(params),
            topic=params.get("message_thread_id"),
        )
        world.messages[chat, message.message_id] = message
        world.events.append(_seen("sent", message))
        return world.shown(message)

    async def _edit_message_text(self, params: Json) -> Json:
        message = self._world.messages.get((params["chat_id"], params["message_id"]))
        if message is None:
            raise ApiError(400, "Bad Request: message to edit not found")
        new = (_checked_text(params), params.get("parse_mode"), _keyboard(params))
        if message.content:  # a file, say
            raise ApiError(400, "Bad Request: there is no text in the message to edit")
        if new == (message.text, message.parse_mode, message.keyboard):
            raise ApiError(400, _NOT_MODIFIED)
        message.text, message.parse_mode, message.keyboard = new
        self._world.events.append(_seen("edited", message))
        return self._world.shown(message)

    async def _answer_callback_query(self, params: Json) -> bool:
        press = self._world.presses.pop(params["callback_query_id"], None)
        if press is None:
            raise ApiError(400, _TOO_LATE)
        self._world.events.append(
            Event(
                kind="answered",
                chat=press.chat,
                message_id=press.message_id,
                text=params.get("text", ""),
            )
        )
        return True


def _id_of(update: Any) -> float:
    """The update's id; infinite where it has none, as a test may want, and goes with the next."""
    number = update.get("update_id") if isinstance(update, dict) else None
    return number if isinstance(number, int) and number >= 0 else inf


def _checked_text(params: Json) -> str:
    text: str = params["text"].strip()
    if not text:
        raise ApiError(400, "Bad Request: message text is empty")
    return text


def _keyboard(params: Json) -> list[list[Json]]:
    keyboard: list[list[Json]] = params.get("reply_markup", {}).get("inline_keyboard", [])
    return keyboard


def _seen(kind: Any, message: Message) -> Event:
    return Event(
        kind=kind,
        chat=message.chat,
        message_id=message.message_id,
        text=message.text,
        labels=tuple(button["text"] for row in message.keyboard for button in row),
        parse_mode=message.parse_mode,
        topic=message.topic,
    )


def _menu(params: Json) -> tuple[str, str]:
    """What a menu is kept under: the scope, and the language or nothing."""
    scope = params.get("scope", {"type": "default"})
    return str(scope.get("chat_id", scope["type"])), params.get("language_code", "")
