"""What a message looks like where only text can be shown."""

from __future__ import annotations

from engine.channels.console.plain import harmless, readable
from flows.messages.attachments import Album, Media, described
from flows.messages.keyboards import ForceReply, Key, ReplyKeyboard
from flows.messages.replies import SendOptions
from flows.ports import Delivery


def saying(delivery: Delivery) -> str:
    """The message as a text: what it brings, what it says, and the person's new keyboard."""
    if delivery.task == "delete":
        return "[deleted]"
    if delivery.task == "buttons":
        return "[buttons]" if delivery.keyboard else "[no buttons]"
    text = readable(delivery.text, delivery.format)
    if delivery.attachment is None and delivery.options is None:
        return text
    lines = [*_attached(delivery), text] if text else _attached(delivery)
    return "\n".join([*lines, *_keys(delivery.options)])


def _attached(delivery: Delivery) -> list[str]:
    attachment = delivery.attachment
    if attachment is None:
        return []
    if isinstance(attachment, Album):
        return [_captioned(media) for media in attachment.media]
    return [harmless(described(attachment))]


def _captioned(media: Media) -> str:
    return f"{harmless(described(media))} {readable(media.caption, media.format)}".rstrip()


def _keys(options: SendOptions | None) -> list[str]:
    match options.markup if options is not None else None:
        case ReplyKeyboard(rows=rows):
            return ["  ".join(map(_key, row)) for row in rows]
        case ForceReply(placeholder=placeholder) if placeholder:
            return [f"({harmless(placeholder)})"]
        case _:
            return []


def _key(key: Key) -> str:
    label = harmless(key.label)
    if key.web_app:
        return f"({label}: {harmless(key.web_app)})"
    return f"({label}: send @{key.asks_for})" if key.asks_for else f"({label})"
