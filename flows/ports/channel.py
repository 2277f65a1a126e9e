"""The port of channels, and what a channel hands its updates to."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import field
from typing import Literal, Protocol, runtime_checkable

from flows.messages.attachments import Attachment
from flows.messages.replies import Keyboard, SendOptions
from flows.ports.storage import FlowStorage
from flows.records import record
from flows.updates import Update


class Intake(Protocol):
    """What a channel hands its updates to."""

    async def accept(self, updates: Sequence[Update]) -> Sequence[Update]:
        """Keeps a page of updates. When this returns they are durable, and the channel may
        acknowledge them; when it raises, it must not.

        It answers those that were left out, since no storage could ever keep them: there is no
        use in handing them in again, and a channel may tell who has sent them.

        Raises:
            StorageDown: nothing was kept; hand the page in again later.
        """
        ...

    async def set_aside(self, source: str, ext: str, body: str, *, at: int) -> None:
        """Keeps what is no update as a dead letter, once for each (source, ext). When this
        returns it is durable, as with ``accept``.

        Args:
            body: what came in, JSON text.
            at: when, milliseconds since the epoch.

        Raises:
            StorageDown: it was not kept; hand it in again later.
        """
        ...

    async def settle(self) -> None:
        """Returns when all that was accepted so far has been run, committed and delivered, or
        waits for a time in the future.
        """
        ...


@record(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One message on its way out, references resolved.

    Attributes:
        edit: the reference of the message to be replaced; None: a new message.
        format: how the text is to be read: ``plain``, ``html`` or ``markdown``.
        task: ``buttons``: only the keyboard of the message ``edit`` is replaced; ``delete``: that
            message is taken away. One that is not there is no error, for these two.
        attachment: what the message brings; then the text is its caption, and may be empty.
        options: how it is sent.
        reply_to: the reference of the message that it answers.
        id: the name of the message, the same each time that it is tried; no other message to this
            chat ever has it. A channel that keeps what it was given can tell by it what it has.
        go_on: to be called before each piece of what takes long to send, such as a large file.
            True: the send may take 5 seconds more from now. False: it is not ours any more; the
            channel stops before the message is complete, so that nothing arrives, and raises
            SendLater.
    """

    chat: str
    topic: str | None
    text: str
    format: str
    keyboard: Keyboard
    edit: str | None = None
    task: Literal["message", "buttons", "delete"] = "message"
    attachment: Attachment | None = None
    options: SendOptions | None = None
    reply_to: str | None = None
    id: str = field(default="", compare=False)
    go_on: Callable[[], bool] | None = field(default=None, compare=False, repr=False)


@record(frozen=True, slots=True)
class Pause:
    """How long the limits of a service want to be waited for.

    Attributes:
        seconds: over 0.
        everybody: no chat may be sent to meanwhile; else only the one that was asked for.
    """

    seconds: float
    everybody: bool = False


@runtime_checkable
class KeepsRecords(Protocol):
    """A channel that has no service behind it which keeps what was said: it records it in the
    bot's own storage.
    """

    def keep_in(self, storage: FlowStorage) -> None:
        """Gives it the storage, which is open and stays so until the channel is closed. It is
        called before ``open``.
        """
        ...


class Channel(Protocol):
    """A way to talk with people."""

    @property
    def source(self) -> str:
        """Channel and bot, such as ``telegram:110201543``; known before ``open``, no secret."""
        ...

    @property
    def shared(self) -> bool:
        """Whether several processes may serve this bot at once: whichever of them sends, it
        arrives, and one of them receives for all.
        """
        ...

    @property
    def everywhere(self) -> bool:
        """Whether each of several workers receives, rather than one of them for all: where the
        service hands an update to any process that it reaches, in order for a chat, and the next
        one of a chat not before that is acknowledged.
        """
        ...

    @property
    def catch_up(self) -> float:
        """Seconds that it takes after its start to hand in what people sent while nothing ran.
        So long no timer fires, lest an answer that was given in time comes too late.
        """
        ...

    async def open(self, commands: Sequence[tuple[str, str]], kinds: Collection[str] = ()) -> None:
        """Makes ready to send.

        Args:
            commands: (name, description) of what the bot understands.
            kinds: those of ``Update.kinds`` that its handlers may take: what its service hands
                out only when it is asked to, it need not be asked for where nobody takes it.

        Raises:
            ChannelStopped: it cannot work, and the message says why and what to do.
        """
        ...

    async def receive(self, intake: Intake) -> None:
        """Hands in updates, in order, until it is cancelled or its input has ended.

        It acknowledges nothing to its service before ``intake.accept`` has returned. It
        heals itself from passing failures; where it raises anything else it is called again
        after a pause. Of several workers with the same bot only one receives at a time, unless
        it is ``everywhere``: it is cancelled where another takes over, and called again when it
        is this one's turn.

        Raises:
            ChannelStopped: it cannot go on.
        """
        ...

    def allot(self, share: float) -> None:
        """How much of what its service lets the bot send in all this process may use, over 0 and
        up to 1: several workers send for the same bot. 1 until it is called.
        """
        ...

    def admit(self, chat: str) -> Pause | None:
        """Asks whether one more message may go to a chat, by what the channel knows of the limits
        of its service. None: it may, and counts as sent; else nothing is counted, and it is to
        be asked again after the pause. Never waits itself: a message that waits for its
        service's limits must take no place of another that need not.
        """
        ...

    async def send(self, delivery: Delivery) -> str | None:
        """Sends or edits one message and answers its reference, where the channel has one.
        ``admit`` has let it through just before. The engine cuts it off after 5 seconds, so that
        no send outlives the lease that it was begun under; then it may have arrived. What takes
        longer calls ``delivery.go_on`` on its way.

        Raises:
            SendLater: the service asks to wait.
            SendRefused: it will never be taken.
            ChatMoved: the chat has another id; send it there.
            SendUncertain: the answer was cut; it may have arrived.
            ChannelStopped: the channel cannot go on.
        """
        ...

    async def answer(self, press: str, notice: str | None) -> None:
        """Answers a button press, with a notice of up to 200 characters or none. A press that is
        too old is no error.
        """
        ...

    async def close(self) -> None:
        """Lets everything go. May be called twice."""
        ...
