"""For all values: what is parsed loads, what is loaded dumps, what is stored comes back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from datetime import date, time
from decimal import Decimal
from enum import Enum, StrEnum, auto
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, HttpUrl

from flows.errors import InvalidAnswer
from flows.inputs import (
    Animation,
    AnyOf,
    Audio,
    Choice,
    Confirm,
    Contact,
    Date,
    DiceThrow,
    Document,
    Draft,
    Edited,
    Email,
    Input,
    Integer,
    Json,
    Location,
    MultiChoice,
    Number,
    Pattern,
    Payment,
    Phone,
    Photo,
    Photos,
    Poll,
    Sticker,
    Text,
    Time,
    Url,
    Video,
    Voice,
    WebAppData,
    field,
    input_from_json,
)
from flows.updates import (
    AlbumMessage,
    AnimationMessage,
    AudioMessage,
    ContactCard,
    ContactMessage,
    Content,
    Customer,
    DiceMessage,
    DocumentMessage,
    EditedMessage,
    FileRef,
    LocationMessage,
    PaymentMessage,
    PhotoMessage,
    Place,
    PollMessage,
    StickerMessage,
    TextMessage,
    VideoMessage,
    VoiceMessage,
    WebAppMessage,
)


class Plan(StrEnum):
    FREE = auto()
    PRO = auto()


class Size(Enum):
    SMALL = (1,)
    BIG = (2,)


class Form(BaseModel):
    age: int = 0
    plan: Plan | None = None
    weight: float = 0
    plans: frozenset[Plan] = frozenset()
    page: HttpUrl | None = None
    at: time | None = None


OPENS = date(2024, 2, 29)

ALL: list[Input[Any]] = [
    Text(),
    Text(min_length=2, max_length=5, commands=True, tries=3, retry="Again."),
    Integer(),
    Integer(ge=-5, le=5, buttons=(("Many", 99),)),
    Number(ge=0.5, le=Decimal("99.95"), places=2),
    Email(buttons=(("Skip", ""),)),
    Phone(region="GB"),
    Date(format="%d/%m/%Y", earliest=date(1900, 1, 1), buttons=(("Now", date(2024, 2, 29)),)),
    Choice(Plan, columns=2),
    Choice(Size, buttons=(("Any", Size.BIG),)),
    Choice({"One": 1, "Half": 0.5, "Text": "t"}),
    Confirm("Ja", "Nein"),
    Pattern(r"[a-z]+\d", wanted="a code"),
    Photo(),
    Document(max_size=100, mime=("image/*",)),
    Voice(max_seconds=60, max_size=100),
    Audio(mime=("audio/*",)),
    Video(),
    Animation(max_seconds=5),
    Photos(),
    Photos(min_count=2, max_count=3, max_size=100, retry="Two or three."),
    Sticker(),
    Poll(tries=2),
    DiceThrow(),
    DiceThrow(emoji="\U0001f3af"),
    Payment(),
    Payment(payload="order-1"),
    Edited(Text(max_length=5)),
    AnyOf(Integer(), Edited(Integer())),
    Location(retry="Where?"),
    Contact(),
    Contact(anyone=True, tries=2),
    WebAppData(),
    WebAppData(Form, retry="Again."),
    Url(),
    Url(schemes=("ftp", "http"), buttons=(("None", ""),)),
    Time(),
    Time(formats=("%I:%M %p", "%H:%M"), earliest=time(9), buttons=(("Noon", time(12)),)),
    MultiChoice(Size, min_choices=0, max_choices=1),
    MultiChoice(["a", "b", "c, d"], done="Ok", buttons=(("All", ["c, d", "a"]),), columns=2),
    Date(picker=True, opens=OPENS, buttons=(("Then", OPENS),)),
    Date(picker=True, earliest=date(2024, 2, 10), latest=OPENS, format="%d.%m.%Y"),
    AnyOf(Date(picker=True, opens=OPENS), MultiChoice(Plan), Photo(), Integer(), Text()),
    AnyOf(Text(), Choice(Size), buttons=(("The big one", Size.BIG),)),
    AnyOf(Email(), Phone(), buttons=(("Neither", ""),), retry="How?"),
    field(Form, "plans"),
    field(Form, "page", buttons=(("Skip", None),)),
    field(Form, "at"),
    field(Form, "age"),
    field(Form, "plan", buttons=(("Skip", None),)),
    field(Form, "weight", retry="A weight."),
]

texts = st.one_of(
    st.text(),
    st.integers().map(str),
    st.decimals(allow_nan=False).map(str),
    st.dates().map(lambda day: day.strftime("%d/%m/%Y")),
    st.emails(),
    st.from_regex(r"\+44 20 7946 0\d{3}", fullmatch=True),
    st.times().map(lambda at: at.strftime("%I:%M %p")),
    st.sampled_from(["https://example.com", "ftp://x.example/a", "small, BIG", "c, d, a", "all"]),
    st.sampled_from(["free", "PRO", "Small", "any", "half", "ja", "Nein", "abc1", "99", "0.5"]),
)
files = st.builds(
    FileRef,
    id=st.text(),
    name=st.text(),
    size=st.none() | st.integers(0, 200),
    mime=st.sampled_from(["", "image/png", "text/plain"]),
    width=st.none() | st.integers(0, 10_000),
    duration=st.none() | st.integers(0, 100),
)
degrees = st.floats(-90, 90)
places = st.builds(Place, latitude=degrees, longitude=degrees, title=st.text())
cards = st.builds(
    ContactCard, phone=st.text(), name=st.text(), user=st.none() | st.text(), own=st.booleans()
)
contents: st.SearchStrategy[Content] = st.one_of(
    texts.map(TextMessage),
    *(files.map(make) for make in
      (PhotoMessage, DocumentMessage, VoiceMessage, AudioMessage, VideoMessage)),
    places.map(lambda place: LocationMessage(**asdict(place))),
    cards.map(lambda card: ContactMessage(**asdict(card))),
    (st.text() | st.just('{"age": 3}')).map(WebAppMessage),
    st.lists(st.builds(PhotoMessage, files) | st.builds(VideoMessage, files), max_size=4).map(
        lambda items: AlbumMessage(tuple(items))),
    files.map(AnimationMessage),
    st.builds(StickerMessage, file=files, emoji=st.text()),
    st.builds(PollMessage, id=st.text(), question=st.text(),
              options=st.lists(st.text()).map(tuple)),
    st.builds(DiceMessage, st.integers(1, 64), st.sampled_from(["\U0001f3b2", "\U0001f3af"])),
    st.builds(PaymentMessage, currency=st.text(), amount=st.integers(0, 2**62),
              payload=st.sampled_from(["order-1", ""]), charge=st.text(),
              customer=st.none() | st.builds(Customer, name=st.text())),
    texts.map(lambda text: EditedMessage(TextMessage(text))),
)  # fmt: skip


def again(wanted: Input[Any]) -> Input[Any]:
    return input_from_json(orjson.loads(orjson.dumps(wanted.to_json())))


def outcome(wanted: Input[Any], content: Content) -> tuple[str, Json]:
    if not wanted.fits(content):
        return "does not fit", wanted.hint()
    try:
        return "parsed", wanted.parse(content)
    except InvalidAnswer as refused:
        return "refused", refused.reason


def press(wanted: Input[Any], value: Json, draft: Json) -> Json | Draft:
    """What comes of a press; a refused one leaves the draft as it is."""
    try:
        return wanted.press(value, draft)
    except InvalidAnswer:
        return Draft(draft)


@pytest.mark.parametrize("wanted", ALL, ids=repr)
def test_the_stored_form_is_the_same_after_a_round_trip(wanted: Input[Any]) -> None:
    assert again(wanted).to_json() == wanted.to_json()


@pytest.mark.parametrize("wanted", ALL, ids=repr)
def test_a_rebuilt_input_offers_the_same_buttons(wanted: Input[Any]) -> None:
    assert again(wanted).options() == wanted.options()


@pytest.mark.parametrize("wanted", ALL, ids=repr)
@settings(max_examples=40, deadline=None)  # how long it takes says nothing here
@given(data=st.data())
def test_presses_lead_to_drafts_or_to_a_value_that_loads_and_dumps(
    wanted: Input[Any], data: st.DataObject
) -> None:
    draft, stored = wanted.start(), again(wanted)
    for _ in range(5):
        options = wanted.options(draft)
        assert stored.options(draft) == options
        assert sum(wanted.rows(draft) or ()) <= len(options)
        if not options:
            return
        _, value = data.draw(st.sampled_from(options))
        pressed = press(stored, value, draft)
        assert pressed == press(wanted, value, draft)
        if not isinstance(pressed, Draft):
            assert wanted.dump(wanted.load(pressed)) == pressed
            return
        draft = orjson.loads(orjson.dumps(pressed.state))


@pytest.mark.parametrize("wanted", ALL, ids=repr)
@settings(max_examples=40, deadline=None)  # how long it takes says nothing here
@given(content=contents)
def test_a_rebuilt_input_reads_answers_alike(wanted: Input[Any], content: Content) -> None:
    assert outcome(again(wanted), content) == outcome(wanted, content)


@pytest.mark.parametrize("wanted", ALL, ids=repr)
@settings(max_examples=40, deadline=None)  # how long it takes says nothing here
@given(content=contents)
def test_what_is_parsed_is_json_that_loads_and_dumps(wanted: Input[Any], content: Content) -> None:
    ended, parsed = outcome(wanted, content)
    if ended != "parsed":
        return
    value = wanted.load(orjson.loads(orjson.dumps(parsed)))
    assert wanted.load(wanted.dump(value)) == value


VALUES: list[tuple[Input[Any], st.SearchStrategy[Any], Callable[[Any], Content]]] = [
    (Integer(), st.integers(-(2**63), 2**63 - 1), lambda v: TextMessage(str(v))),
    (
        Number(),
        st.decimals(
            allow_nan=False, allow_infinity=False, places=4, min_value=-(10**20), max_value=10**20
        ),
        lambda v: TextMessage(f"{v:f}"),
    ),
    (Date(), st.dates(min_value=date(1000, 1, 1)), lambda v: TextMessage(v.isoformat())),
    (Choice(Size), st.sampled_from(Size), lambda v: TextMessage(v.name)),
    (Confirm(), st.booleans(), lambda v: TextMessage("yes" if v else "no")),
    (Photo(), files, PhotoMessage),
    (Document(), files, DocumentMessage),
    (Voice(), files, VoiceMessage),
    (Audio(), files, AudioMessage),
    (Video(), files, VideoMessage),
    (Location(), places, lambda v: LocationMessage(**asdict(v))),
    (Contact(anyone=True), cards, lambda v: ContactMessage(**asdict(v))),
    (WebAppData(), st.text(), WebAppMessage),
    (
        WebAppData(Form),
        st.builds(Form, age=st.integers(), weight=st.floats(allow_nan=False, allow_infinity=False)),
        lambda v: WebAppMessage(v.model_dump_json()),
    ),
    (
        Time(formats=("%H:%M:%S.%f",)),
        st.times(),
        lambda v: TextMessage(v.isoformat(timespec="microseconds")),
    ),
    (
        MultiChoice(Size),
        st.lists(st.sampled_from(Size), min_size=1, unique=True).map(
            lambda sizes: [size for size in Size if size in sizes]
        ),
        lambda v: TextMessage(", ".join(size.name for size in reversed(v))),
    ),
    (
        AnyOf(Photo(), Integer(), Confirm()),
        st.booleans() | st.integers(-100, 100) | files,
        lambda v: (
            PhotoMessage(v)
            if isinstance(v, FileRef)
            else TextMessage(("No", "Yes")[v] if isinstance(v, bool) else str(v))
        ),
    ),
]


@pytest.mark.parametrize(("wanted", "values", "said"), VALUES, ids=[repr(v[0]) for v in VALUES])
@settings(max_examples=40, deadline=None)  # how long it takes says nothing here
@given(data=st.data())
def test_a_value_that_is_said_is_the_value_that_is_loaded(
    wanted: Input[Any],
    values: st.SearchStrategy[Any],
    said: Callable[[Any], Content],
    data: st.DataObject,
) -> None:
    value = data.draw(values)
    assert wanted.load(wanted.parse(said(value))) == value
