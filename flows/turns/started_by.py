"""What started a flow, at rest: the content that a trigger matched, where it is no mere words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import orjson
from pydantic import Discriminator, TypeAdapter

from flows.updates import Command, Content, Press, TextMessage

_ADAPTER: TypeAdapter[Content] = TypeAdapter(Annotated[Content, Discriminator("kind")])


def kept_content(content: Content | None) -> dict[str, Any] | None:
    """The JSON form of what is kept; None for words, which the payload has already."""
    if content is None or isinstance(content, TextMessage | Command | Press):
        return None
    kept: dict[str, Any] = orjson.loads(orjson.dumps(content))
    return kept


def content_of(kept: Mapping[str, Any]) -> Content:
    """The content of its JSON form. Raises ValueError when it is none."""
    return _ADAPTER.validate_python(kept)
