"""What a message of Telegram's holds, as content of ours."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TypedDict

from engine.channels.telegram.payments import payment_message
from engine.channels.telegram.shapes import (
    Contact,
    File,
    Location,
    Message,
    Photo,
    Poll,
    Recording,
    Round,
    Sticker,
    Venue,
)
from flows.updates import (
    AnimationMessage,
    AudioMessage,
    ChatMigrated,
    ContactMessage,
    DiceMessage,
    DocumentMessage,
    FileMessage,
    FileRef,
    LocationMessage,
    MessageContent,
    Other,
    PhotoMessage,
    PollMessage,
    StickerMessage,
    VideoMessage,
    VoiceMessage,
    WebAppMessage,
)

_NAMES = (
    "game", "story", "paid_media", "checklist", "rich_message", "invoice", "giveaway",
    "passport_data", "users_shared", "chat_shared",
)  # fmt: skip
"""What people send and share that has no type of its own: they may wait for an answer to it."""


def shown_content(message: Message, fields: Collection[str]) -> MessageContent:
    """The content of a message without a text; ``fields`` are the names of all its fields."""
    if message.migrate_to_chat_id is not None:
        return ChatMigrated(str(message.migrate_to_chat_id))
    content = _file(message) or _shared(message) or _played(message)
    if content is not None:
        return content
    name = next((name for name in _NAMES if name in fields), None)
    # the rest is what the chat itself says: members come and go, a message is pinned
    return Other(name) if name is not None else Other("service_message", silent=True)


def _file(message: Message) -> FileMessage | None:
    if message.photo:
        return PhotoMessage(_largest(message.photo), message.caption)
    if message.animation is not None:  # it comes with a document beside it
        return AnimationMessage(_reference(message.animation), message.caption)
    if message.document is not None:
        return DocumentMessage(_reference(message.document), message.caption)
    if message.voice is not None:
        return VoiceMessage(_reference(message.voice), message.caption)
    if message.audio is not None:
        return AudioMessage(_reference(message.audio), message.caption)
    if message.video is not None:
        return VideoMessage(_reference(message.video), message.caption)
    return VideoMessage(_round(message.video_note)) if message.video_note is not None else None


def _shared(message: Message) -> MessageContent | None:
    if message.venue is not None:  # it comes with a location beside it
        return _venue(message.venue)
    if message.location is not None:
        return _location(message.location)
    if message.contact is not None:
        return _contact(message.contact, message)
    app = message.web_app_data
    return WebAppMessage(app.data, app.button_text) if app is not None else None


def _played(message: Message) -> MessageContent | None:
    if message.sticker is not None:
        return _sticker(message.sticker)
    if message.poll is not None:
        return PollMessage(**poll_fields(message.poll))
    if message.dice is not None:
        return DiceMessage(message.dice.value, message.dice.emoji)
    payment = message.successful_payment
    return payment_message(payment) if payment is not None else None


def _sticker(sticker: Sticker) -> StickerMessage:
    file = FileRef(
        id=sticker.file_id, size=sticker.file_size, width=sticker.width, height=sticker.height
    )
    return StickerMessage(file=file, emoji=sticker.emoji, pack=sticker.set_name)


class PollFields(TypedDict):
    """The fields of ``PollInfo``."""

    id: str
    question: str
    options: tuple[str, ...]
    votes: tuple[int, ...]
    voters: int
    closed: bool
    anonymous: bool
    multiple: bool
    quiz: bool
    correct: int | None


def poll_fields(poll: Poll) -> PollFields:
    """What a poll says, for whatever holds one."""
    return {
        "id": poll.id,
        "question": poll.question,
        "options": tuple(option.text for option in poll.options),
        "votes": tuple(option.voter_count for option in poll.options),
        "voters": poll.total_voter_count,
        "closed": poll.is_closed,
        "anonymous": poll.is_anonymous,
        "multiple": poll.allows_multiple_answers,
        "quiz": poll.type == "quiz",
        "correct": _correct(poll),
    }


def _correct(poll: Poll) -> int | None:
    # Until version 9.6 the Bot API knew one right answer only, and servers of one's own are old.
    if poll.correct_option_ids:
        return poll.correct_option_ids[0]
    return poll.correct_option_id


def _largest(sizes: Sequence[Photo]) -> FileRef:
    largest = max(sizes, key=lambda size: size.width * size.height)
    return FileRef(
        id=largest.file_id, size=largest.file_size, width=largest.width, height=largest.height
    )


def _reference(file: File) -> FileRef:
    recording = file if isinstance(file, Recording) else None
    return FileRef(
        id=file.file_id,
        name=file.file_name,
        size=file.file_size,
        mime=file.mime_type,
        width=recording.width if recording else None,
        height=recording.height if recording else None,
        duration=recording.duration if recording else None,
    )


def _round(video: Round) -> FileRef:
    return FileRef(
        id=video.file_id,
        size=video.file_size,
        width=video.length,
        height=video.length,
        duration=video.duration,
    )


def _location(location: Location) -> LocationMessage:
    return LocationMessage(
        latitude=location.latitude,
        longitude=location.longitude,
        accuracy=location.horizontal_accuracy,
    )


def _venue(venue: Venue) -> LocationMessage:
    return LocationMessage(
        latitude=venue.location.latitude,
        longitude=venue.location.longitude,
        accuracy=venue.location.horizontal_accuracy,
        title=venue.title,
        address=venue.address,
    )


def _contact(contact: Contact, message: Message) -> ContactMessage:
    # Who writes as a chat is not named, so that nothing is theirs.
    sender = message.sender if message.sender_chat is None else None
    own = sender is not None and sender.id == contact.user_id
    phone = contact.phone_number
    return ContactMessage(
        # Some apps leave out the plus of the person's own number, which bears its country code.
        phone=f"+{phone}" if own and phone.isascii() and phone.isdigit() else phone,
        name=f"{contact.first_name} {contact.last_name}".strip(),
        user=None if contact.user_id is None else str(contact.user_id),
        own=own,
    )
