"""What a stored message becomes when it is handed to a channel."""

from __future__ import annotations

from collections.abc import Callable

from flows.messages.replies import Delete, Edit, Send
from flows.ports import Delivery


def lapses(send: Send) -> bool:
    """Whether nothing is to be done where the message that it is about was never sent."""
    return isinstance(send, Delete) or (isinstance(send, Edit) and send.buttons_only)


def delivered(
    send: Send,
    *,
    chat: str,
    topic: str | None,
    edit: str | None,
    reply_to: str | None,
    id: str,
    go_on: Callable[[], bool] | None,
) -> Delivery:
    """The message for the channel, with its references resolved."""
    if isinstance(send, Delete):
        return Delivery(
            chat=chat,
            topic=topic,
            text="",
            format="plain",
            keyboard=(),
            edit=edit,
            task="delete",
            id=id,
        )
    buttons_only = isinstance(send, Edit) and send.buttons_only
    return Delivery(
        chat=chat,
        topic=topic,
        text=send.text,
        format=send.format,
        keyboard=send.keyboard,
        edit=edit,
        task="buttons" if buttons_only else "message",
        attachment=send.attachment,
        options=send.options,
        reply_to=reply_to,
        id=id,
        go_on=go_on,
    )
