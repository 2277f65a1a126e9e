"""What the server knows: people, chats, updates that wait, messages, and planned faults."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Literal

from tests.botapi.contents import a_poll
from tests.botapi.peers import judge_update
from tests.botapi.posting import Posting

Json = dict[str, Any]


@dataclass(slots=True, kw_only=True)
class Fault:
    """Something that goes wrong with the next ``times`` matching requests.

    Attributes:
        method: only this method; None: any.
        chat: only requests for this chat; None: any.
        status: the HTTP status of the answer, with ``description`` and ``parameters``.
        html: the body is a page of HTML, as a proxy sends it.
        cut: the connection is cut instead of an answer, before or after the request is done.
    """

    method: str | None = None
    chat: int | None = None
    times: int = 1
    status: int = 500
    description: str = "Internal Server Error"
    parameters: Json | None = None
    html: bool = False
    cut: Literal["before", "after"] | None = None


@dataclass(slots=True, kw_only=True)
class Recorded:
    """A request as it came in.

    Attributes:
        status: the HTTP status that it got; 0: the connection was cut; None: not yet answered.
        files: what went along, by the names of the parts.
    """

    method: str
    params: Json
    status: int | None = None
    files: dict[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that a person saw: a message sent or edited, or a press answered."""

    kind: Literal["sent", "edited", "answered"]
    chat: int
    message_id: int
    text: str
    labels: tuple[str, ...] = ()
    parse_mode: str | None = None
    topic: int | None = None


@dataclass(slots=True, kw_only=True)
class Message:
    """A message of the bot as it stands now.

    Attributes:
        text: what people see; of a file and the like, its kind in brackets and its caption.
        content: the fields that show what it holds instead of a text.
    """

    chat: int
    message_id: int
    text: str
    parse_mode: str | None
    keyboard: list[list[Json]]
    topic: int | None
    caption: str = ""
    content: Json = field(default_factory=dict)


@dataclass(slots=True)
class World:
    """The state, and what people do in it.

    Attributes:
        page_limit: a page never holds more updates than this, as when they are large.
        webhook: the URL that is set, which forbids polling.
        refused: what the judges said against requests, and against what is served.
        polling: whether a poll is being held.
        posting: what posts updates to the webhook.
        files: what can be fetched, by path.
    """

    username: str = "loopback_bot"
    next_update_id: int = 700_000_001
    page_limit: int = 100
    webhook: str = ""
    updates: list[Json] = field(default_factory=list)
    allowed: frozenset[str] | None = None
    chats: dict[int, Json] = field(default_factory=dict)
    messages: dict[tuple[int, int], Message] = field(default_factory=dict)
    presses: dict[str, Event] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    requests: list[Recorded] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    menus: dict[tuple[str, str], list[Json]] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    polling: bool = False
    posting: Posting = field(init=False)
    _ids: Callable[[], int] = field(default_factory=lambda: count(1).__next__)
    _waiters: list[asyncio.Future[None]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.posting = Posting(self)

    # --- what people do ---

    def chat(self, chat: int, *, kind: str | None = None, title: str = "Group") -> Json:
        """Makes the bot know a chat; negative ones are groups."""
        if chat not in self.chats:
            named: Json = {"first_name": "Ada"} if chat > 0 else {"title": title}
            default = "private" if chat > 0 else "supergroup"
            self.chats[chat] = {"id": chat, "type": kind or default, **named}
        return self.chats[chat]

    def text(self, user: int, text: str, chat: int | None = None, **more: Any) -> Json:
        """A person writes; ``more`` are further fields of the message."""
        if text.startswith("/"):
            length = len(text.split()[0])
            more.setdefault("entities", [{"type": "bot_command", "offset": 0, "length": length}])
        return self.message(user, chat, text=text, **more)

    def photo(self, user: int, chat: int | None = None, **more: Any) -> Json:
        """A person sends a photo, which comes in three sizes, the largest in the middle."""
        sizes = [
            {"file_id": f"photo-{w}", "file_unique_id": f"u{w}", "width": w, "height": w,
             "file_size": w * w}
            for w in (90, 1280, 320)
        ]  # fmt: skip
        return self.message(user, chat, photo=sizes, **more)

    def document(
        self, user: int, chat: int | None = None, *, name: str = "passport.pdf", **more: Any
    ) -> Json:
        """A person sends a file."""
        document = {"file_id": "document-1", "file_unique_id": "d1", "file_name": name,
                    "mime_type": "application/pdf", "file_size": 1234}  # fmt: skip
        return self.message(user, chat, document=document, **more)

    def voice(self, user: int, chat: int | None = None, **more: Any) -> Json:
        """A person speaks for four seconds."""
        voice = {"file_id": "voice-1", "file_unique_id": "v1", "duration": 4,
                 "mime_type": "audio/ogg", "file_size": 4321}  # fmt: skip
        return self.message(user, chat, voice=voice, **more)

    def audio(self, user: int, chat: int | None = None, **more: Any) -> Json:
        """A person sends a piece of music."""
        audio = {"file_id": "audio-1", "file_unique_id": "a1", "duration": 194,
                 "file_name": "notes.mp3", "mime_type": "audio/mpeg", "title": "Notes"}  # fmt: skip
        return self.message(user, chat, audio=audio, **more)

    def video(self, user: int, chat: int | None = None, **more: Any) -> Json:
        """A person sends a video."""
        video = {"file_id": "video-1", "file_unique_id": "w1", "duration": 12, "width": 1280,
                 "height": 720, "mime_type": "video/mp4"}  # fmt: skip
        return self.message(user, chat, video=video, **more)

    def location(
        self, user: int, latitude: float, longitude: float, chat: int | None = None, **more: Any
    ) -> Json:
        """A person shares a place."""
        place = {"latitude": latitude, "longitude": longitude}
        return self.message(user, chat, location=place, **more)

    def contact(
        self,
        user: int,
        phone: str = "442079460958",
        chat: int | None = None,
        *,
        of: int | None = None,
        **more: Any,
    ) -> Json:
        """A person shares their own contact, or that of the person ``of``."""
        card = {"phone_number": phone, "first_name": "Ada", "user_id": user if of is None else of}
        return self.message(user, chat, contact=card, **more)

    def web_app(self, user: int, data: str, chat: int | None = None, **more: Any) -> Json:
        """A web app, opened by its button, sends something back."""
        sent = {"data": data, "button_text": "Open"}
        return self.message(user, chat, web_app_data=sent, **more)

    def poll(self, question: str, *options: str, id: str = "1") -> Json:
        """A poll is as it is now."""
        return self.update(poll=a_poll(question, [*options], id=id))

    def message(self, user: int, chat: int | None = None, **content: Any) -> Json:
        """A person sends a message with this content."""
        body = {
            "message_id": self._ids(),
            "date": 1_760_000_000,
            "chat": self.chat(user if chat is None else chat),
            "from": self.person(user),
        }
        return self.update(message={**body, **content})

    def press(
        self,
        user: int,
        label: str | None = None,
        *,
        data: str | None = None,
        chat: int | None = None,
        message_id: int | None = None,
    ) -> Json:
        """A person presses a button of the bot's latest message that has it.

        Raises:
            LookupError: no message of the chat shows such a button.
        """
        place = user if chat is None else chat
        held, found = self._button(place, label, data, message_id)
        query = f"query-{self._ids()}"
        body = {
            "id": query,
            "from": self.person(user),
            "chat_instance": "1",
            "data": found["callback_data"],
            "message": {**self.shown(held), "date": 1_760_000_000},
        }
        self.presses[query] = Event(
            kind="answered", chat=place, message_id=held.message_id, text=""
        )
        return self.update(callback_query=body)

    def update(self, **body: Any) -> Json:
        """Puts any update into the queue, if its type is asked for.

        It is judged; ``raw_update`` takes what no Bot API sends.
        """
        update = {"update_id": self.next_update_id, **body}
        self.note(judge_update(update))
        self.next_update_id += 1
        if self.allowed is None or self.allowed & set(body):
            self.raw_update(update)
        return update

    def raw_update(self, update: Any) -> None:
        """Puts anything into the queue, as it is."""
        self.updates.append(update)
        self.changed()

    def fail(self, **fault: Any) -> Fault:
        """Plans a fault."""
        planned = Fault(**fault)
        self.faults.append(planned)
        return planned

    # --- what tests look at ---

    def replies(self, chat: int) -> list[str]:
        """The texts that were sent or edited in a chat, in order."""
        return [e.text for e in self.events if e.chat == chat and e.kind != "answered"]

    def answers(self, chat: int) -> list[str]:
        """The notices that answered presses in a chat; '' for an answer without one."""
        return [e.text for e in self.events if e.chat == chat and e.kind == "answered"]

    def calls(self, method: str) -> list[Recorded]:
        """The requests for a method."""
        return [request for request in self.requests if request.method == method]

    def take_refused(self) -> list[str]:
        """The judges' refusals so far, which then no longer count."""
        taken, self.refused = self.refused, []
        return taken

    async def until(self, predicate: Callable[[], object], seconds: float = 10) -> None:
        """Returns when the predicate is true; looks at it after every change.

        Raises:
            TimeoutError: it has not become true in so many seconds.
        """
        async with asyncio.timeout(seconds):
            while not predicate():
                await self.change()

    # --- what the server needs ---

    def note(self, verdict: str | None) -> None:
        """Keeps what a judge said, if it was something."""
        if verdict is not None:
            self.refused.append(verdict)

    def change(self) -> asyncio.Future[None]:
        """A future that is done at the next change."""
        waiter = asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        return waiter

    def changed(self) -> None:
        """Wakes whoever waits for a change."""
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)

    def new_id(self) -> int:
        """A message id."""
        return self._ids()

    def person(self, user: int) -> Json:
        """A person, as Telegram shows them."""
        return {"id": user, "is_bot": False, "first_name": "Ada", "last_name": "Lovelace",
                "username": f"user{user}", "language_code": "en"}  # fmt: skip

    def shown(self, message: Message) -> Json:
        """A message of the bot, as Telegram shows it."""
        topic = {"message_thread_id": message.topic, "is_topic_message": True}
        return {
            "message_id": message.message_id,
            "date": 1_760_000_000,
            "chat": self.chat(message.chat),
            "from": {"id": 42, "is_bot": True, "first_name": "Bot", "username": self.username},
            **(message.content or {"text": message.text}),
            **({"caption": message.caption} if message.caption else {}),
            **(topic if message.topic is not None else {}),
            **({"reply_markup": {"inline_keyboard": message.keyboard}} if message.keyboard else {}),
        }

    def fault_for(self, method: str, params: Json) -> Fault | None:
        """The first planned fault that this request meets; it is used up by one."""
        for fault in self.faults:
            here = fault.chat is None or fault.chat == params.get("chat_id")
            if here and fault.times > 0 and fault.method in (None, method):
                fault.times -= 1
                return fault
        return None

    def _button(
        self, chat: int, label: str | None, data: str | None, message_id: int | None
    ) -> tuple[Message, Json]:
        for message in reversed(self.messages.values()):
            if message.chat != chat or message_id not in (None, message.message_id):
                continue
            for button in (button for row in message.keyboard for button in row):
                if "callback_data" not in button:
                    continue
                if label in (None, button["text"]) and data in (None, button["callback_data"]):
                    return message, button
        wanted = label if label is not None else data
        raise LookupError(f"no message in chat {chat} shows a button {wanted!r}")
