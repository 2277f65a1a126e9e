"""Every update comes back from its JSON text as it was."""

from __future__ import annotations

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.conversation import Address
from flows.updates import (
    AudioMessage,
    ChatMigrated,
    Command,
    ContactMessage,
    Content,
    DocumentMessage,
    FileRef,
    LocationMessage,
    Opened,
    Other,
    Person,
    PhotoMessage,
    Press,
    SendFailed,
    TextMessage,
    Update,
    VideoMessage,
    VoiceMessage,
    WebAppMessage,
)

texts = st.text(max_size=20)
maybe = st.none() | st.integers(0, 2**53)
files = st.builds(
    FileRef, id=texts, name=texts, size=maybe, mime=texts, width=maybe, height=maybe, duration=maybe
)
places = st.builds(
    LocationMessage,
    latitude=st.floats(-90, 90),
    longitude=st.floats(-180, 180),
    accuracy=st.none() | st.floats(0, 1e9),
    title=texts,
    address=texts,
)
contacts = st.builds(
    ContactMessage, phone=texts, name=texts, user=st.none() | texts, own=st.booleans()
)
contents: st.SearchStrategy[Content] = st.one_of(
    st.builds(TextMessage, texts),
    st.builds(Command, texts, texts),
    st.builds(Press, id=texts, data=texts, message=st.none() | texts),
    *(st.builds(message, files, texts) for message in
      (PhotoMessage, DocumentMessage, VoiceMessage, AudioMessage, VideoMessage)),
    places,
    contacts,
    st.builds(WebAppMessage, texts, texts),
    st.just(Opened()),
    st.builds(SendFailed, slot=st.none() | texts, reason=texts, blocked=st.booleans()),
    st.builds(ChatMigrated, texts),
    st.builds(Other, texts, st.booleans()),
)  # fmt: skip


@given(
    content=contents,
    address=st.none() | st.builds(Address, texts, texts, st.none() | texts),
    user=st.none() | st.builds(Person, id=texts, name=texts),
)
def test_an_update_is_the_same_after_a_round_trip(
    content: Content, address: Address | None, user: Person | None
) -> None:
    update = Update(source="test", ext="1", content=content, at=2**45, address=address, user=user)
    again = Update.from_json(update.to_json())
    assert again == update
    assert type(again.content) is type(content)


def test_every_content_has_a_kind_that_handlers_can_name() -> None:
    kinds = {kind.__dataclass_fields__["kind"].default for kind in get_args(Content)}
    assert kinds >= set(Update.kinds)
    assert len(kinds) == len(get_args(Content))


@pytest.mark.parametrize("number", ["NaN", "Infinity", '"far"', "null", "90.1"])
def test_a_place_without_numbers_is_none(number: str) -> None:
    update = Update(source="test", ext="1", content=LocationMessage(latitude=1, longitude=2), at=0)
    with pytest.raises(ValueError, match="latitude"):
        Update.from_json(update.to_json().replace('"latitude":1', f'"latitude":{number}'))
