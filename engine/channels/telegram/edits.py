"""Changing and deleting messages, whatever they are by now."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from engine.channels.telegram import messages
from engine.channels.telegram.attached import Call, edited_media
from engine.channels.telegram.client import Refused
from flows.messages.attachments import Media
from flows.ports import Delivery

_NOT_MODIFIED = ("message is not modified",)
_GONE = ("message to edit not found", "message can't be edited", "message_id_invalid",
         "message identifier is not specified")  # fmt: skip
_NO_TEXT = ("there is no text in the message to edit",)
_DELETED = ("message to delete not found", "message identifier is not specified",
            "message_id_invalid")  # fmt: skip


class Caller(Protocol):
    """Makes a call of the Bot API; see ``BotApi``."""

    def __call__(
        self, call: Call, go_on: Callable[[], bool] | None = None, /
    ) -> Awaitable[object]: ...


class Edits:
    """Changes messages. What is as it should be already is no error."""

    def __init__(self, call: Caller) -> None:
        self._call = call

    async def edit(self, delivery: Delivery, message_id: int) -> bool:
        """Whether the message is now as it should be; False: it is gone.

        Raises:
            CallFailed: it could not be changed.
        """
        try:
            await self._edited(delivery, messages.chat_id(delivery.chat), message_id)
        except Refused as refused:
            if says(refused.reason, _NOT_MODIFIED):
                return True
            if says(refused.reason, _GONE):
                return False
            raise
        return True

    async def delete(self, delivery: Delivery, message_id: int) -> None:
        """Takes a message away, if it is there.

        Raises:
            CallFailed: it could not be deleted.
        """
        params = {"chat_id": messages.chat_id(delivery.chat), "message_id": message_id}
        try:
            await self._call(Call("deleteMessage", params))
        except Refused as refused:
            if not says(refused.reason, _DELETED):
                raise

    async def _edited(self, delivery: Delivery, chat: int | str, message_id: int) -> None:
        if delivery.task == "buttons":
            params = messages.edited_buttons(delivery, chat, message_id)
            await self._call(Call("editMessageReplyMarkup", params))
        elif isinstance(delivery.attachment, Media):
            media = edited_media(delivery, delivery.attachment, chat, message_id)
            await self._call(media, delivery.go_on)
        else:
            await self._reworded(delivery, chat, message_id)

    async def _reworded(self, delivery: Delivery, chat: int | str, message_id: int) -> None:
        params = messages.edited_message(delivery, chat, message_id)
        try:
            await self._call(Call("editMessageText", params))
        except Refused as refused:
            if not says(refused.reason, _NO_TEXT):
                raise
            # it is a photo or the like: what stands under it is its caption
            params = messages.edited_caption(delivery, chat, message_id)
            await self._call(Call("editMessageCaption", params))


def says(reason: str, phrases: Sequence[str]) -> bool:
    """Whether Telegram's reason has one of these phrases in it."""
    return any(phrase in reason.lower() for phrase in phrases)
