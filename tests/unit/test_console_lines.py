"""What a typed line means."""

from __future__ import annotations

import pytest

from engine.channels.console.lines import content_of, update_of
from engine.channels.console.made_up import CannotSend
from flows.conversation import Address
from flows.updates import (
    AlbumMessage,
    AudioMessage,
    Command,
    ContactMessage,
    Content,
    DiceMessage,
    DocumentMessage,
    LocationMessage,
    PaymentMessage,
    Person,
    PhotoMessage,
    PollMessage,
    StickerMessage,
    TextMessage,
    VideoMessage,
    VoiceMessage,
    WebAppMessage,
)


@pytest.mark.parametrize(
    ("line", "command"),
    [
        ("/start", Command("start")),
        ("/Start  deep link ", Command("start", "deep link")),
        ("/start@signup_bot now", Command("start", "now")),
    ],
)
def test_a_slash_and_a_name_is_a_command(line: str, command: Command) -> None:
    assert content_of(line) == command


@pytest.mark.parametrize("line", ["/", "//", "/no-name", "1/2", "@ada", "@photos", "@", "hello"])
def test_everything_else_is_text_as_it_was_typed(line: str) -> None:
    assert content_of(line) == TextMessage(line)


@pytest.mark.parametrize("line", ["/start", "@photo", "@ noon", "!Yes", "\\"])
def test_a_backslash_keeps_a_line_as_text(line: str) -> None:
    assert content_of("\\" + line) == TextMessage(line)


def test_at_photo_sends_a_made_up_photo_with_its_caption() -> None:
    photo = content_of("@photo  my passport")
    assert isinstance(photo, PhotoMessage)
    assert photo.caption == "my passport"
    assert photo.file.mime == "image/jpeg"


def test_at_document_sends_a_made_up_document() -> None:
    document = content_of("@document")
    assert isinstance(document, DocumentMessage)
    assert document.caption == ""


@pytest.mark.parametrize("gap", ["", " ", "  "])
@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("photo", PhotoMessage),
        ("voice", VoiceMessage),
        ("audio", AudioMessage),
        ("video", VideoMessage),
    ],
)
def test_at_and_a_kind_sends_a_made_up_file(gap: str, kind: str, message: type[Content]) -> None:
    sent = content_of(f"@{gap}{kind}  la la ")
    assert isinstance(sent, PhotoMessage | VoiceMessage | AudioMessage | VideoMessage)
    assert (type(sent), sent.caption) == (message, "la la")
    assert sent.file.duration is None or sent.file.duration > 0


@pytest.mark.parametrize(
    ("line", "content"),
    [
        ("@ location 48.85 2.35", LocationMessage(latitude=48.85, longitude=2.35)),
        (
            "@location -1 +180 Café de Flore",
            LocationMessage(latitude=-1, longitude=180, title="Café de Flore"),
        ),
        ("@ location", LocationMessage(latitude=48.8584, longitude=2.2945)),
        (
            "@ contact +44 20-7946 0958 Bob",
            ContactMessage(phone="+442079460958", name="Bob", own=True),
        ),
        ("@ contact 12", ContactMessage(phone="12", own=True)),
        ("@ contact", ContactMessage(phone="+442079460958", name="Ada Lovelace", own=True)),
        ('@ webapp {"cups": 2}', WebAppMessage('{"cups": 2}')),
        ("@webapp", WebAppMessage("{}")),
    ],
)
def test_places_contacts_and_web_apps_take_words(line: str, content: Content) -> None:
    assert content_of(line) == content


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("@ story", "there is no 'story' to send. Send photo, document, voice"),
        ("@ location Paris", "'Paris' is no place"),
        ("@ location 48.85", "latitude and longitude in degrees, such as '@ location 48.85 2.35'"),
        ("@ location 91 0", "no place"),
        ("@ location nan nan", "no place"),
        ("@ contact Bob", "'Bob' is no contact"),
        ("@ album 11", "an album has 2 to 10 photos, not 11"),
        ("@ album 1", "an album has 2 to 10 photos, not 1"),
        ("@ dice 7", "'7' is on no die"),
    ],
)
def test_what_cannot_be_sent_is_told_in_a_sentence(line: str, reason: str) -> None:
    with pytest.raises(CannotSend, match=reason):
        content_of(line)


@pytest.mark.parametrize(
    ("line", "count", "caption"),
    [("@album", 2, ""), ("@ album 3 my cats", 3, "my cats"), ("@ album my cats", 2, "my cats")],
)
def test_an_album_has_so_many_photos_and_a_caption(line: str, count: int, caption: str) -> None:
    album = content_of(line)
    assert isinstance(album, AlbumMessage)
    assert (len(album.items), album.caption, album.items[0].caption) == (count, caption, caption)


def test_stickers_polls_dice_and_payments_take_words() -> None:
    sticker, poll = content_of("@sticker \U0001f600"), content_of("@ poll Tea? yes, no")
    assert isinstance(sticker, StickerMessage)
    assert sticker.emoji == "\U0001f600"
    assert isinstance(poll, PollMessage)
    assert (poll.question, poll.options, poll.votes) == ("Tea?", ("yes", "no"), (0, 0))
    assert content_of("@dice 5") == DiceMessage(5, "\U0001f3b2")
    paid = content_of("@payment order-1")
    assert isinstance(paid, PaymentMessage)
    assert paid.payload == "order-1"


def test_two_equal_lines_are_two_updates() -> None:
    address, user = Address("console:local", "local"), Person(id="local")
    first, second = (update_of(TextMessage("hi"), address=address, user=user) for _ in range(2))
    assert first.ext != second.ext
    assert first.content == second.content
