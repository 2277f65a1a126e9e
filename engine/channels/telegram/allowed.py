"""Which types of update Telegram is asked for: those that the bot can make something of."""

from __future__ import annotations

from collections.abc import Collection

ALWAYS = ("message", "edited_message", "callback_query")
"""What questions may be answered by, whatever the handlers are for."""

_TYPES = {
    "channel_post": "channel_post",
    "edited_channel_post": "edited_channel_post",
    "inline_query": "inline_query",
    "chosen_inline_result": "chosen_inline_result",
    "shipping_query": "shipping_query",
    "pre_checkout_query": "pre_checkout_query",
    "poll_state": "poll",
    "poll_answer": "poll_answer",
    "my_chat_member": "my_chat_member",
    "chat_member": "chat_member",
    "chat_join_request": "chat_join_request",
    "message_reaction": "message_reaction",
    "message_reaction_count": "message_reaction_count",
}
"""Telegram's type of each kind that is in none of those."""


def allowed_updates(kinds: Collection[str]) -> tuple[str, ...]:
    """Telegram's ``allowed_updates`` for a bot that takes these kinds of ``Update.kinds``. It is
    said with every request: else Telegram would go on with the set of whoever asked before, and
    by itself it sends neither members that come and go nor reactions.
    """
    return (*ALWAYS, *(name for kind, name in _TYPES.items() if kind in kinds))
