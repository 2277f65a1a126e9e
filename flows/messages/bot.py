"""The service's own API, for whatever messages, edits and keyboards do not do."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, Protocol, TypeVar, overload

from pydantic import TypeAdapter

from flows.conversation import Address
from flows.errors import NoApi
from flows.messages.downloads import Downloads, Target, Told
from flows.updates import FileRef

T = TypeVar("T")

Id = int | str
"""An id by the service's own word: of a person or a chat, or a public name such as ``@news``."""

ChatAction = Literal[
    "typing", "upload_photo", "record_video", "upload_video", "record_voice", "upload_voice",
    "upload_document", "choose_sticker", "find_location", "record_video_note",
    "upload_video_note",
]  # fmt: skip
"""What people see that the bot is doing."""


class Api(Downloads, Protocol):
    """What a channel offers besides messages, where its service has an API of its own. Such a
    channel has it as its attribute ``api``.
    """

    async def call(self, method: str, params: Mapping[str, Any]) -> Any:
        """Calls a method and answers its result, as JSON gives it.

        Raises:
            CallError: it brought no result.
        """
        ...

    async def act(self, chat: str, topic: str | None, action: str) -> None:
        """Shows people in a chat what the bot is doing, until it is cancelled. Never fails."""
        ...


class Bot:
    """The bot at its service: ``ctx.bot``, ``turn.bot`` and ``app.bot``.

    A call is made at once, and is no part of the turn: it has happened also where the turn fails,
    and happens again where a step is run again. In a step, put it into ``turn.once``.

    It keeps to the service's limits: it waits its turn, and up to 10 seconds where the service
    asks to wait.

    Attributes:
        source: channel and bot, such as ``telegram:110201543``.
        api: what makes the calls; None: the channel has no API.
        showing: the chats in which a handler shows what it is doing.
    """

    __slots__ = ("api", "showing", "source")

    def __init__(self, source: str, api: Api | None) -> None:
        self.source = source
        self.api = api
        self.showing: set[Address] = set()

    def __repr__(self) -> str:
        return f"Bot({self.source!r})"

    @overload
    async def call(self, method: str, /, **params: Any) -> Any: ...

    @overload
    async def call(self, method: str, into: type[T], /, **params: Any) -> T: ...

    async def call(self, method: str, into: Any = None, /, **params: Any) -> Any:
        """Calls any method of the service's API, and answers its result.

        Args:
            method: such as ``getChat``.
            into: a type that the result is read into: a pydantic model or a dataclass with the
                fields that are needed, say. None: the result as JSON gives it.
            params: as the service names them; those that are None are left out. An ``InputFile``
                is sent along.

        Raises:
            NoApi: the channel has no API.
            CallRefused: the service said no.
            CallLater: nothing was done; the service asks to wait for longer, or is away.
            CallUncertain: the answer was cut.
            ValidationError: the result is no such type.
        """
        if self.api is None:
            raise NoApi(self.source)
        given = {name: value for name, value in params.items() if value is not None}
        result = await self.api.call(method, given)
        return result if into is None else TypeAdapter(into).validate_python(result)

    # --- files --------------------------------------------------------------------------

    async def download(
        self,
        file: FileRef | str,
        to: Target,
        *,
        limit: int | None = None,
        progress: Told | None = None,
    ) -> Path | None:
        """Fetches a file that somebody has sent, and answers where it is; None where it was
        written into a stream.

        Args:
            file: the reference that came with a message, or its id.
            to: a folder that is there, in which the file gets a new name: what its sender has
                called it is not looked at, and its ending is that of its type, where that is a
                harmless one. Or the path of the file itself; what is there is replaced once all
                has come. Or a stream of bytes to write into.
            limit: the most bytes to take; None: what the service allows, which is 20 MB on
                Telegram.
            progress: is called after each piece with the bytes so far, and with all, where known.

        Raises:
            NoApi: the channel has no API.
            FileTooLarge: it has more bytes; no more than these were fetched.
            DownloadFailed: it could not be fetched. There is no file then; a stream may hold a
                part.
            OSError: it could not be written.
        """
        return await self._downloads().download(file, to, limit=limit, progress=progress)

    def chunks(self, file: FileRef | str, *, limit: int | None = None) -> AsyncIterator[bytes]:
        """The bytes of a file, piece by piece.

        Raises:
            NoApi: the channel has no API.
            FileTooLarge: it has more than ``limit`` bytes.
            DownloadFailed: it could not be fetched, or not to its end.
        """
        return self._downloads().chunks(file, limit=limit)

    def _downloads(self) -> Downloads:
        if self.api is None:
            raise NoApi(self.source)
        return self.api

    # --- what is often needed -----------------------------------------------------------

    async def get_chat_member(self, chat: Id, user: Id) -> dict[str, Any]:
        """What somebody is in a chat: ``status`` is ``creator``, ``administrator``, ``member``,
        ``restricted``, ``left`` or ``kicked``.
        """
        return await self.call("getChatMember", dict[str, Any], chat_id=chat, user_id=int(user))

    async def is_member(self, chat: Id, user: Id) -> bool:
        """Whether somebody is in a chat now."""
        member = await self.get_chat_member(chat, user)
        if member.get("status") == "restricted":
            return bool(member.get("is_member"))
        return member.get("status") in ("creator", "administrator", "member")

    async def answer_inline_query(
        self,
        query: str,
        results: Sequence[Mapping[str, Any]],
        *,
        cache_seconds: int | None = None,
        personal: bool = False,
        next_offset: str = "",
    ) -> None:
        """Answers an inline query with up to 50 results, within 30 seconds.

        Args:
            results: as Telegram's ``InlineQueryResult`` has them.
            personal: the answer is for this person alone.
        """
        await self.call(
            "answerInlineQuery",
            inline_query_id=query,
            results=list(results),
            cache_time=cache_seconds,
            is_personal=personal or None,
            next_offset=next_offset or None,
        )

    async def answer_pre_checkout_query(self, query: str, *, error: str = "") -> None:
        """Says within 10 seconds whether a payment may go on; ``error`` says why it may not."""
        await self.call(
            "answerPreCheckoutQuery",
            pre_checkout_query_id=query,
            ok=not error,
            error_message=error or None,
        )

    async def approve_join_request(self, chat: Id, user: Id) -> None:
        """Lets somebody in who has asked to join."""
        await self.call("approveChatJoinRequest", chat_id=chat, user_id=int(user))

    async def decline_join_request(self, chat: Id, user: Id) -> None:
        """Does not let somebody in who has asked to join."""
        await self.call("declineChatJoinRequest", chat_id=chat, user_id=int(user))

    async def set_reaction(
        self, chat: Id, message: Id, emoji: str = "", *, big: bool = False
    ) -> None:
        """Reacts to a message with an emoji; without one, takes the reaction back."""
        reaction = [{"type": "emoji", "emoji": emoji}] if emoji else []
        await self.call(
            "setMessageReaction",
            chat_id=chat,
            message_id=int(message),
            reaction=reaction,
            is_big=big or None,
        )

    async def pin(self, chat: Id, message: Id, *, silent: bool = True) -> None:
        """Pins a message."""
        await self.call(
            "pinChatMessage", chat_id=chat, message_id=int(message), disable_notification=silent
        )

    async def ban(self, chat: Id, user: Id) -> None:
        """Removes somebody from a chat for good."""
        await self.call("banChatMember", chat_id=chat, user_id=int(user))

    async def unban(self, chat: Id, user: Id) -> None:
        """Lets somebody come back who was banned."""
        await self.call("unbanChatMember", chat_id=chat, user_id=int(user), only_if_banned=True)
