"""Methods for more than texts: files, albums, polls, captions, deletions."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from email import message_from_bytes
from typing import Any

from tests.botapi.contents import FILES, OTHERS, shown_file
from tests.botapi.forms import params_of, value_of
from tests.botapi.world import Event, Json, Message, World

_DONE = (
    "sendChatAction", "answerInlineQuery", "answerPreCheckoutQuery", "answerShippingQuery",
    "setMessageReaction", "pinChatMessage", "banChatMember", "unbanChatMember",
    "approveChatJoinRequest", "declineChatJoinRequest", "setChatPhoto",
)  # fmt: skip
"""Methods that are answered with true, and change nothing here."""


class Refusal(Exception):
    """Why a method says no."""


def fields(body: bytes, content_type: str) -> Json:
    """The parameters of a request; files that go along are under ``files``, by their names."""
    if not content_type.startswith("multipart/form-data"):
        return params_of(content_type, body)
    form = message_from_bytes(f"Content-Type: {content_type}\r\n\r\n".encode() + body)
    params: Json = {}
    files: dict[str, bytes] = {}
    for part in form.walk():
        name = part.get_param("name", header="content-disposition")
        content = part.get_payload(decode=True)
        if not isinstance(name, str) or not isinstance(content, bytes):
            continue
        if part.get_filename() is not None:
            files[name] = content
        else:
            params[name] = value_of(name, content.decode())
    return params | {"files": files}


class MediaMethods:
    """The methods, over a world."""

    def __init__(self, world: World) -> None:
        self._world = world

    def known(self) -> dict[str, Callable[[Json], Awaitable[Any]]]:
        """The methods by their names."""
        return {
            **{method: self._sends_file(kind) for method, kind in FILES.items()},
            **{method: self._sends(shown) for method, shown in OTHERS.items()},
            **dict.fromkeys(_DONE, _done),
            "sendMediaGroup": self._send_media_group,
            "editMessageCaption": self._edit_message_caption,
            "editMessageMedia": self._edit_message_media,
            "editMessageReplyMarkup": self._edit_message_reply_markup,
            "deleteMessage": self._delete_message,
            "getFile": self._get_file,
            "getChatMember": self._get_chat_member,
        }

    def _sends_file(self, kind: str) -> Callable[[Json], Awaitable[Json]]:
        async def send(params: Json) -> Json:
            return self._world.shown(self._made(params, kind, params.get("caption", "")))

        return send

    def _sends(self, shown: Callable[[Json], Json]) -> Callable[[Json], Awaitable[Json]]:
        async def send(params: Json) -> Json:
            content = shown(params)
            return self._world.shown(self._made(params, [*content][-1], "", content))

        return send

    async def _send_media_group(self, params: Json) -> list[Json]:
        made = [
            self._made(params, item["type"], item.get("caption", "")) for item in params["media"]
        ]
        album = {"media_group_id": str(made[0].message_id)}
        return [self._world.shown(message) | album for message in made]

    async def _edit_message_caption(self, params: Json) -> Json:
        message = self._held(params, "edit")
        message.text = message.caption = params["caption"]
        self._world.events.append(_seen("edited", message))
        return self._world.shown(message)

    async def _edit_message_media(self, params: Json) -> Json:
        message = self._held(params, "edit")
        media = params["media"]
        message.content = shown_file(media["type"], message.message_id)
        message.caption = media.get("caption", "")
        message.text = f"[{media['type']}] {message.caption}".rstrip()
        self._world.events.append(_seen("edited", message))
        return self._world.shown(message)

    async def _edit_message_reply_markup(self, params: Json) -> Json:
        message = self._held(params, "edit")
        message.keyboard = params.get("reply_markup", {}).get("inline_keyboard", [])
        return self._world.shown(message)

    async def _delete_message(self, params: Json) -> bool:
        message = self._held(params, "delete")
        del self._world.messages[message.chat, message.message_id]
        return True

    async def _get_file(self, params: Json) -> Json:
        path = params["file_id"]
        held = self._world.files.get(path)
        if held is None:
            raise Refusal("Bad Request: invalid file_id")
        return {"file_id": path, "file_unique_id": path, "file_size": len(held), "file_path": path}

    async def _get_chat_member(self, params: Json) -> Json:
        return {"status": "member", "user": self._world.person(params["user_id"])}

    def _held(self, params: Json, what: str) -> Message:
        message = self._world.messages.get((params["chat_id"], params["message_id"]))
        if message is None:
            raise Refusal(f"Bad Request: message to {what} not found")
        return message

    def _made(self, params: Json, kind: str, caption: str, content: Json | None = None) -> Message:
        world = self._world
        number = world.new_id()
        message = Message(
            chat=params["chat_id"],
            message_id=number,
            text=f"[{kind}] {caption}".rstrip(),
            caption=caption,
            content=content or shown_file(kind, number),
            parse_mode=params.get("parse_mode"),
            keyboard=params.get("reply_markup", {}).get("inline_keyboard", []),
            topic=params.get("message_thread_id"),
        )
        world.messages[message.chat, message.message_id] = message
        world.events.append(_seen("sent", message))
        return message


async def _done(_params: Json) -> bool:
    return True


def _seen(kind: Any, message: Message) -> Event:
    return Event(
        kind=kind, chat=message.chat, message_id=message.message_id, text=message.text,
        topic=message.topic,
    )  # fmt: skip
