"""Telegram as a channel: long polling or a webhook in, messages, edits and answers out."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Sequence

import httpx

from engine.backoff import Backoff, delay
from engine.channels.telegram import messages
from engine.channels.telegram.allowed import allowed_updates
from engine.channels.telegram.api import Api
from engine.channels.telegram.attached import Call, attached_message
from engine.channels.telegram.calling import BotCalls
from engine.channels.telegram.client import (
    PUBLIC_API,
    AnswerLost,
    BotApi,
    Busy,
    CallFailed,
    NoSuchApi,
    Refused,
)
from engine.channels.telegram.edits import Edits, says
from engine.channels.telegram.known_files import KnownFiles
from engine.channels.telegram.limits import SendLimits
from engine.channels.telegram.menus import bot_commands, tell_menus
from engine.channels.telegram.polling import poll
from engine.channels.telegram.posts import Posts
from engine.channels.telegram.recent import Recent
from engine.channels.telegram.registration import register
from engine.channels.telegram.updates import UpdateReader
from engine.channels.telegram.uploads import Progress
from engine.channels.telegram.webhook import Webhook
from engine.clock import SystemClock
from flows.errors import (
    ChannelStopped,
    ChatMoved,
    SendLater,
    SendRefused,
    SendUncertain,
)
from flows.menus import Menu
from flows.ports import Clock, Delivery, Intake, Pause

log = logging.getLogger("handrail.telegram")

_FAILING_CHATS = 4096

_FILE_UNKNOWN = ("file identifier", "remote file", "file_id", "file_reference")
_NOT_THIS_KIND = ("not enough rights to send", "chat_send_", "voice_messages_forbidden",
                  "restricted receiving")  # fmt: skip
_BLOCKED = ("bot was blocked", "user is deactivated", "bot was kicked", "chat not found",
            "chat was deactivated", "chat is deactivated", "not a member", "peer_id_invalid",
            "have no rights to send", "not enough rights to send", "chat_write_forbidden",
            "chat was deleted", "group chat was upgraded")  # fmt: skip
_TOO_LATE = ("query is too old", "query id is invalid", "query_id_invalid")

SEND_SECONDS = 4.5
"""How long the answer to a message may take: the engine cuts a send off at 5 seconds."""

_UNSAID_WAIT = 5.0
"""Seconds to wait, and longer each time, where Telegram asks to wait and says not how long."""

CATCH_UP = 3.0
"""Seconds after which the updates that waited at Telegram have come in, more or less."""


class TelegramChannel:
    """A Telegram bot (see ``flows.ports.Channel``).

    A reference is a message id. A text over 4096 characters goes out as several messages,
    whose last one has the keyboard and is the reference; each of them counts for the limits,
    and the rest of a text may go out some time after its beginning. An edit of a message that
    is gone is sent anew.

    Args:
        token: what @BotFather gave; never logged, never in an error. Or an ``Api`` that makes the
            calls, such as another library's client; ``api_url`` and ``client`` are not used then.
        api_url: base URL of the Bot API, such as a local server's.
        limits: whether to keep Telegram's sending limits from our side.
        webhook: where Telegram posts updates, for this bot alone; None: long polling.
        client: an HTTP client to use instead of an own one; ``close`` leaves it open.
        progress: is told of every upload how many bytes have gone out, and of how many.
        raw: whether ``Update.raw`` is Telegram's own object, which is stored with the update
            until that is done with, and makes its row two to three times as long.

    Raises:
        ChannelStopped: the token or the URL has not the form of one.
    """

    def __init__(
        self,
        token: str | Api,
        *,
        api_url: str = PUBLIC_API,
        limits: bool = True,
        webhook: Webhook | None = None,
        clock: Clock | None = None,
        client: httpx.AsyncClient | None = None,
        progress: Progress | None = None,
        raw: bool = True,
    ) -> None:
        self._api: Api = BotApi(token, api_url, client) if isinstance(token, str) else token
        self._source = f"telegram:{self._api.bot_id}"
        self._clock: Clock = clock or SystemClock()
        self._limits = SendLimits(self._clock) if limits else None
        self._progress = progress
        self._calls = BotCalls(self._api, self._clock, self._limits, progress)
        self._edits = Edits(self._call)
        self._files = KnownFiles()
        self._reader = UpdateReader(self._source, raw=raw)
        self._webhook = webhook
        self._allowed = allowed_updates(())
        self._failures: Recent[str, int] = Recent(_FAILING_CHATS)
        self._begun: Recent[str, tuple[Delivery, int]] = Recent(_FAILING_CHATS)

    def __repr__(self) -> str:
        return f"TelegramChannel({self._source})"

    @property
    def api(self) -> BotCalls:
        """The Bot API, for handlers."""
        return self._calls

    @property
    def source(self) -> str:
        """``telegram:`` and the bot's id."""
        return self._source

    @property
    def shared(self) -> bool:
        """Any process with the token can send."""
        return True

    @property
    def everywhere(self) -> bool:
        """Telegram posts to whichever process its webhook reaches; one polls for all."""
        return self._webhook is not None

    @property
    def catch_up(self) -> float:
        """What waits at Telegram comes with the first answers to polling, and soon after a start
        by the webhook.
        """
        return CATCH_UP

    @property
    def allowed_updates(self) -> tuple[str, ...]:
        """The types of update that Telegram is asked for, by its own names; known once the channel
        is open.
        """
        return self._allowed

    @property
    def username(self) -> str | None:
        """The bot's own name without ``@``; known once the channel is open."""
        return self._reader.username

    async def open(self, commands: Sequence[tuple[str, str]], kinds: Collection[str] = ()) -> None:
        """Learns who we are and tells Telegram the commands; waits until it can be reached. Where
        there is a webhook with a place of its own to listen at, it listens from here to ``close``.

        A webhook that is set is left as it is: polling then reports it.

        Raises:
            ChannelStopped: the token is refused, there is no Bot API at this URL, or there is no
                listening at that place.
        """
        self._allowed = allowed_updates(kinds)
        if self._webhook is not None:
            await self._webhook.open()
        me = await self._who_am_i()
        name = me.get("username") if isinstance(me, dict) else None
        self._reader.username = name if isinstance(name, str) else None
        log.info("connected to %s as @%s (%s)", self._api.where, self.username, self._source)
        await self._tell(commands)

    async def show_menus(self, menus: Sequence[Menu]) -> None:
        """Brings the menus at Telegram to these (see ``flows.menus.ShowsMenus``)."""
        await tell_menus(self._api, menus)

    async def receive(self, intake: Intake) -> None:
        """Polls, or takes what is posted to the webhook, until it is cancelled. The webhook stays
        set then: Telegram keeps the updates until somebody takes them.

        Raises:
            ChannelStopped: the token is revoked, or Telegram refuses the webhook.
        """
        if self._webhook is None:
            await poll(self._api, self._reader, self._clock, intake, self._allowed)
            return
        posts = Posts(self._reader, self._clock, intake, self._source)
        async with self._webhook.taking(posts.take):
            await register(self._api, self._webhook, self._clock, self._allowed)
            await self._webhook.failed()

    def allot(self, share: float) -> None:
        """Sends with this share of Telegram's overall limit."""
        if self._limits is not None:
            self._limits.allot(share)

    def admit(self, chat: str) -> Pause | None:
        """Keeps Telegram's sending limits."""
        return self._limits.admit(chat) if self._limits is not None else None

    async def send(self, delivery: Delivery) -> str | None:
        """Sends or edits one message and answers its message id.

        Raises:
            SendLater: Telegram asks to wait, or cannot be reached, or the rest of a long text
                is to wait.
            SendRefused: it will never be taken.
            SendUncertain: the answer was cut; it may have arrived.
            ChannelStopped: the token is revoked.
        """
        try:
            reference = await self._deliver(delivery)
        except CallFailed as failure:
            error = self._send_error(delivery, failure)
        else:
            self._failures.discard(delivery.chat)
            return reference
        raise error

    async def answer(self, press: str, notice: str | None) -> None:
        """Answers a press. Never fails: what goes wrong is logged."""
        try:
            await self._api.call("answerCallbackQuery", messages.press_answer(press, notice))
        except (CallFailed, ChannelStopped) as failure:
            if not says(str(failure), _TOO_LATE):
                log.warning("a button press could not be answered: %s", failure)

    async def close(self) -> None:
        """Closes the connections."""
        if self._webhook is not None:
            await self._webhook.close()
        await self._api.close()

    # --- opening ---

    async def _who_am_i(self) -> object:
        backoff = Backoff(base=1, cap=60)
        while True:
            try:
                return await self._api.call("getMe", {})
            except (NoSuchApi, Refused) as failure:
                stopped = ChannelStopped(
                    f"{self._api.where} does not know this bot ({failure}). Check the token "
                    "(HANDRAIL_TELEGRAM_TOKEN) and the URL (HANDRAIL_TELEGRAM_API_URL)."
                )
            except CallFailed as failure:
                asked = failure.seconds if isinstance(failure, Busy) else None
                seconds = backoff.next() if asked is None else asked
                log.warning("%s cannot be reached (%s); trying again in %.1f s",
                            self._api.where, failure, seconds)  # fmt: skip
                await self._clock.sleep(seconds)
                continue
            raise stopped

    async def _tell(self, commands: Sequence[tuple[str, str]]) -> None:
        known = bot_commands(commands)
        if not known:
            return
        try:
            await self._api.call("setMyCommands", {"commands": known})
        except CallFailed as failure:
            # They are a menu only; the bot understands them without it.
            log.warning("Telegram was not told the commands: %s", failure)

    # --- sending ---

    async def _deliver(self, delivery: Delivery) -> str | None:
        if delivery.edit is None:
            return await self._sent(delivery)
        if not _is_message_id(delivery.edit):
            log.warning("%r is no message id; nothing can be changed there", delivery.edit)
        elif delivery.task == "delete":
            await self._edits.delete(delivery, int(delivery.edit))
            return None
        elif await self._edits.edit(delivery, int(delivery.edit)):
            return delivery.edit
        return await self._sent(delivery) if delivery.task == "message" else None

    async def _sent(self, delivery: Delivery) -> str | None:
        calls = _calls(delivery)
        place = f"{delivery.chat}/{delivery.topic}"
        # A chat's messages come in order, so the same one again is the rest of this one.
        begun = self._begun.get(place)
        done = begun[1] if begun is not None and begun[0] == delivery else 0
        while True:
            call = calls[done]
            if call.messages > 1:
                self._wait_for_room(delivery.chat, call.messages)
            result = await self._call(call, delivery.go_on)
            done += 1
            if done == len(calls):
                self._begun.discard(place)
                return _reference(result)
            self._begun.put(place, (delivery, done))
            self._pause_between_parts(delivery.chat)

    def _wait_for_room(self, chat: str, sends: int) -> None:
        """Raises SendLater where an album has to wait."""
        pause = self._limits and self._limits.admit_together(chat, sends)
        if pause:
            raise SendLater(pause.seconds, "an album counts as its messages")

    def _pause_between_parts(self, chat: str) -> None:
        """Raises SendLater where the next part of a text has to wait."""
        pause = self.admit(chat)
        if pause is not None:
            raise SendLater(pause.seconds, "the rest of a long text follows")

    async def _call(self, call: Call, go_on: Callable[[], bool] | None = None) -> object:
        try:
            if call.files:
                return await self._brought(call, go_on)
            return await self._api.call(call.method, call.params, seconds=SEND_SECONDS)
        except Refused as refused:
            if refused.migrate_to is None:
                raise
            moved = ChatMoved(str(refused.migrate_to))
        raise moved

    async def _brought(self, call: Call, go_on: Callable[[], bool] | None) -> object:
        """Sends what brings files; those that Telegram has already are not uploaded again."""
        known = self._files.recalled(call)
        if known is not call:
            try:
                return await self._with_files(known, go_on)
            except Refused as refused:
                if not says(refused.reason, _FILE_UNKNOWN):
                    raise
                self._files.forget(call)
        return await self._with_files(call, go_on)

    async def _with_files(self, call: Call, go_on: Callable[[], bool] | None) -> object:
        if not call.files:
            return await self._api.call(call.method, call.params, seconds=SEND_SECONDS)
        async with self._calls.uploading(call.method, call.params):
            result = await self._api.upload(
                call.method, call.params, call.files, go_on=go_on, progress=self._progress
            )
        self._files.learn(call, result)
        return result

    def _send_error(
        self, delivery: Delivery, failure: CallFailed
    ) -> SendLater | SendRefused | SendUncertain:
        match failure:
            case Busy():
                seconds = failure.seconds
                if seconds is None:
                    seconds = self._backoff(delivery.chat, base=_UNSAID_WAIT)
                return SendLater(seconds, f"Telegram asks to wait: {failure}")
            case Refused():
                self._begun.discard(f"{delivery.chat}/{delivery.topic}")
                return SendRefused(failure.reason, blocked=_is_blocked(delivery, failure))
            case AnswerLost() if delivery.edit is None:
                return SendUncertain(f"the answer to a message was lost: {failure}")
            case _:
                # An edit whose answer was lost is here too: doing it twice shows no difference.
                return SendLater(self._backoff(delivery.chat, base=1), f"not sent: {failure}")

    def _backoff(self, chat: str, *, base: float) -> float:
        """How long this chat waits after one more failure."""
        failures = (self._failures.get(chat) or 0) + 1
        self._failures.put(chat, failures)
        return delay(failures, base=base, cap=60)


def _calls(delivery: Delivery) -> list[Call]:
    chat = messages.chat_id(delivery.chat)
    if delivery.attachment is not None:
        return attached_message(delivery, delivery.attachment, chat)
    return [Call("sendMessage", params) for params in messages.new_messages(delivery, chat)]


def _is_blocked(delivery: Delivery, refused: Refused) -> bool:
    """Whether nothing at all can be sent to the chat any more."""
    if delivery.attachment is not None and says(refused.reason, _NOT_THIS_KIND):
        return False
    # who may not change one message may send others all the same
    forbidden = refused.code == httpx.codes.FORBIDDEN and delivery.edit is None
    return forbidden or says(refused.reason, _BLOCKED)


def _is_message_id(reference: str) -> bool:
    return reference.isascii() and reference.isdigit()


def _reference(result: object) -> str | None:
    if isinstance(result, list) and result:  # of an album, its first
        result = result[0]
    number = result.get("message_id") if isinstance(result, dict) else None
    return str(number) if type(number) is int else None
