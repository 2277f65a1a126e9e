"""What Telegram sends when all is well: an update of every kind. Fuzzing starts from these."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

MARK = "private words"
"""What people say here, to be found in no log."""

ADA = {"id": 7, "is_bot": False, "first_name": MARK, "username": "ada", "language_code": "en"}
BOB = {"id": 8, "is_bot": False, "first_name": "Bob"}
PRIVATE = {"id": 7, "type": "private", "first_name": MARK}
GROUP = {"id": -1001234567890, "type": "supergroup", "title": MARK}
IN_CHAT = {"chat": GROUP, "date": 1_760_000_000}
FILE = {"file_id": "AgAD", "file_unique_id": "u", "file_size": 2048}
CLIP = {**FILE, "duration": 4, "width": 640, "height": 480, "mime_type": "video/mp4"}
HERE = {"latitude": 48.85, "longitude": 2.35, "horizontal_accuracy": 12.5}
HOME = {"country_code": "GB", "state": "", "city": "London", "street_line1": MARK,
        "street_line2": "", "post_code": "SW1Y"}  # fmt: skip
ORDER = {"name": MARK, "phone_number": "442079460958", "email": "ada@example.com",
         "shipping_address": HOME}  # fmt: skip
POLL = {"id": "1", "question": MARK, "options": [{"text": "A", "voter_count": 1}],
        "total_voter_count": 1, "is_closed": False, "is_anonymous": False, "type": "quiz",
        "allows_multiple_answers": False, "correct_option_id": 0}  # fmt: skip
PAID = {"currency": "EUR", "total_amount": 995, "invoice_payload": "o1", "order_info": ORDER,
        "telegram_payment_charge_id": "t", "provider_payment_charge_id": "p"}  # fmt: skip
THUMB = {"type": "emoji", "emoji": "\U0001f44d"}
CHANGE = {**IN_CHAT, "from": ADA, "old_chat_member": {"user": BOB, "status": "left"},
          "new_chat_member": {"user": BOB, "status": "restricted", "is_member": True},
          "invite_link": {"invite_link": "https://t.me/+x", "creator": ADA}}  # fmt: skip
ENTITY = {"type": "bot_command", "offset": 0, "length": 6}
GONE = {"chat": GROUP, "message_id": 5, "date": 0}


def message(**more: Any) -> dict[str, Any]:
    """A message of Ada's."""
    return {"message_id": 5, "date": 1_760_000_000, "chat": PRIVATE, "from": ADA, **more}


def press(**more: Any) -> dict[str, Any]:
    """A press of hers."""
    return {"id": "99", "from": ADA, "chat_instance": "1", "data": "hr~a-0.1.0.0.x.y", **more}


TALK = message(text=MARK, reply_to_message=message(text="?"))
BODIES: tuple[Mapping[str, Any], ...] = (
    {"message": TALK},
    {"message": message(text="/start ref_42", entities=[ENTITY])},
    {"message": message(text="/say@our_bot two words")},
    {"message": message(text="x", chat=GROUP, message_thread_id=3, is_topic_message=True)},
    {"message": message(text="x", sender_chat=GROUP)},
    {"message": message(photo=[{**FILE, "width": 90, "height": 90}], caption=MARK,
                        media_group_id="g")},
    {"message": message(document={**FILE, "file_name": "../../x", "mime_type": "text/plain"})},
    {"message": message(voice={**FILE, "duration": 4})},
    {"message": message(audio={**FILE, "duration": 4, "performer": "Ada"})},
    {"message": message(video=CLIP)},
    {"message": message(video_note={**FILE, "duration": 3, "length": 240})},
    {"message": message(animation=CLIP, document=FILE)},
    {"message": message(sticker={**FILE, "width": 512, "height": 512, "emoji": "x",
                                 "set_name": "faces"})},
    {"message": message(location=HERE)},
    {"message": message(venue={"location": HERE, "title": MARK, "address": "Rue 1"})},
    {"message": message(contact={"phone_number": "442079460958", "first_name": MARK,
                                 "user_id": 7})},
    {"message": message(web_app_data={"data": "{}", "button_text": "Order"})},
    {"message": message(poll=POLL)},
    {"message": message(dice={"emoji": "\U0001f3b2", "value": 6})},
    {"message": message(successful_payment=PAID)},
    {"message": message(migrate_to_chat_id=-1001)},
    {"message": message(new_chat_members=[BOB])},
    {"edited_message": message(text=MARK, edit_date=1_760_000_050)},
    {"channel_post": {**IN_CHAT, "message_id": 6, "text": MARK, "sender_chat": GROUP}},
    {"edited_channel_post": {**IN_CHAT, "message_id": 6, "text": MARK, "edit_date": 1_760_000_050}},
    {"business_message": message(text=MARK, business_connection_id="b")},
    {"callback_query": press(message=message(text="?"))},
    {"callback_query": press(message=GONE)},
    {"callback_query": press(inline_message_id="m")},
    {"chat_member": CHANGE},
    {"my_chat_member": CHANGE},
    {"chat_join_request": {**IN_CHAT, "from": ADA, "user_chat_id": 7, "bio": MARK}},
    {"message_reaction": {**IN_CHAT, "message_id": 3, "user": ADA, "old_reaction": [],
                          "new_reaction": [THUMB, {"type": "custom_emoji",
                                                   "custom_emoji_id": "9"}]}},
    {"message_reaction_count": {**IN_CHAT, "message_id": 3,
                                "reactions": [{"type": THUMB, "total_count": 4}]}},
    {"poll": POLL},
    {"poll_answer": {"poll_id": "1", "user": ADA, "option_ids": [0, 2]}},
    {"inline_query": {"id": "5", "from": ADA, "query": MARK, "offset": "", "chat_type": "sender",
                      "location": HERE}},
    {"chosen_inline_result": {"result_id": "r", "from": ADA, "query": MARK, "location": HERE,
                              "inline_message_id": "m"}},
    {"pre_checkout_query": {"id": "5", "from": ADA, "currency": "EUR", "total_amount": 995,
                            "invoice_payload": "o1", "order_info": ORDER}},
    {"shipping_query": {"id": "5", "from": ADA, "invoice_payload": "o1",
                        "shipping_address": HOME}},
    {"telepathy": {"from": ADA, "chat": GROUP, "date": 1_760_000_000, "thought": MARK}},
)  # fmt: skip
UPDATES = tuple({"update_id": 700_000_001, **body} for body in BODIES)
