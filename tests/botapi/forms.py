"""Parameters of a request: JSON, or a form as other libraries send it."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl

import orjson

_FORM = "application/x-www-form-urlencoded"

_TEXTS = frozenset(
    ("text", "caption", "parse_mode", "callback_query_id", "url", "title", "description", "name",
     "secret_token", "language_code", "file_id", "question", "emoji", "address", "phone_number",
     "first_name", "last_name", "business_connection_id", "message_effect_id", "action",
     "explanation", "performer", "payload", "currency", "provider_token", "photo_url",
     "error_message", "inline_query_id", "pre_checkout_query_id", "shipping_query_id")
)  # fmt: skip
"""Fields of forms that hold texts as they are; all others hold JSON."""


def params_of(content_type: str, body: bytes) -> dict[str, Any]:
    """The parameters as the JSON object that they would be."""
    if not body:
        return {}
    if content_type.partition(";")[0] != _FORM:
        params: dict[str, Any] = orjson.loads(body)
        return params
    fields = parse_qsl(body.decode(), keep_blank_values=True)
    return {name: value_of(name, text) for name, text in fields}


def value_of(name: str, text: str) -> Any:
    """The value of a field of a form."""
    if name in _TEXTS:
        return text
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return text
