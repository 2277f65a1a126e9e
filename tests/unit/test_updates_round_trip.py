"""Every update comes back from its JSON text as it was."""

from __future__ import annotations

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.conversation import Address
from flows.updates import (
    AlbumMessage,
    AnimationMessage,
    AudioMessage,
    ChannelPost,
    ChatMigrated,
    Command,
    ContactMessage,
    Content,
    Customer,
    DocumentMessage,
    EditedChannelPost,
    EditedMessage,
    FileRef,
    LocationMessage,
    Opened,
    Other,
    PaymentMessage,
    Person,
    PhotoMessage,
    PollMessage,
    Press,
    SendFailed,
    StickerMessage,
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
    st.builds(AlbumMessage, st.lists(st.builds(PhotoMessage, files, texts) | st.builds(
        AnimationMessage, files, texts), max_size=3).map(tuple), texts),
    st.builds(StickerMessage, file=files, emoji=texts, pack=texts),
    st.builds(PollMessage, id=texts, question=texts, options=st.lists(texts).map(tuple)),
    st.builds(PaymentMessage, currency=texts, amount=st.integers(0, 2**53), payload=texts,
              charge=texts, customer=st.none() | st.builds(Customer, name=texts)),
    *(st.builds(holder, st.builds(TextMessage, texts) | st.builds(PhotoMessage, files, texts))
      for holder in (EditedMessage, ChannelPost, EditedChannelPost)),
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


def test_what_was_stored_before_there_were_albums_and_raw_objects_is_read() -> None:
    stored = (
        '{"source":"telegram:42","ext":"8","content":{"name":"album","silent":true,'
        '"kind":"other"},"at":1,"address":{"source":"telegram:42","chat":"7","topic":null},'
        '"user":{"id":"7","name":"Ada","username":"","language":""},"message":"5"}'
    )
    update = Update.from_json(stored)
    assert update.content == Other("album", silent=True)
    assert (update.album, update.raw) == (None, None)
