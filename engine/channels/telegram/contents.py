"""What a message of Telegram's holds, as content of ours."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from engine.channels.telegram.shapes import (
    Contact,
    File,
    Location,
    Message,
    Photo,
    Recording,
    Round,
    Venue,
)
from flows.updates import (
    AudioMessage,
    ChatMigrated,
    ContactMessage,
    Content,
    DocumentMessage,
    FileMessage,
    FileRef,
    LocationMessage,
    Other,
    PhotoMessage,
    VideoMessage,
    VoiceMessage,
    WebAppMessage,
)

_NAMES = (
    "animation", "sticker", "poll", "dice", "game", "story", "successful_payment",
)  # fmt: skip
"""Contents that have no type of their own yet."""


def shown_content(message: Message, fields: Collection[str]) -> Content:
    """The content of a message without a text; ``fields`` are the names of all its fields."""
    if message.migrate_to_chat_id is not None:
        return ChatMigrated(str(message.migrate_to_chat_id))
    content = _file(message) or _shared(message)
    if content is not None:
        return content
    name = next((name for name in _NAMES if name in fields), None)
    # the rest is what the chat itself says: members come and go, a message is pinned
    return Other(name) if name is not None else Other("service_message", silent=True)


def _file(message: Message) -> FileMessage | None:
    if message.photo:
        return PhotoMessage(_largest(message.photo), message.caption)
    if message.document is not None:
        return DocumentMessage(_reference(message.document), message.caption)
    if message.voice is not None:
        return VoiceMessage(_reference(message.voice), message.caption)
    if message.audio is not None:
        return AudioMessage(_reference(message.audio), message.caption)
    if message.video is not None:
        return VideoMessage(_reference(message.video), message.caption)
    return VideoMessage(_round(message.video_note)) if message.video_note is not None else None


def _shared(message: Message) -> Content | None:
    if message.venue is not None:  # it comes with a location beside it
        return _venue(message.venue)
    if message.location is not None:
        return _location(message.location)
    if message.contact is not None:
        return _contact(message.contact, message)
    app = message.web_app_data
    return WebAppMessage(app.data, app.button_text) if app is not None else None


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
