"""Forms, played from the first question to the model that comes of them."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from enum import Enum, StrEnum, auto
from typing import Annotated, Any, Literal, Self

import pytest
from pydantic import (
    BaseModel,
    ConfigDict,
    EmailStr,
    Field,
    SecretStr,
    ValidationInfo,
    field_validator,
    model_validator,
)

from engine.composition import storage_of
from engine.testing.chat import Chat, NoSuchButton
from flows import (
    Action,
    Answers,
    Choice,
    FormBuilder,
    FormTexts,
    FormTurn,
    Input,
    Integer,
    Phone,
    Photo,
    Reply,
    form_flow,
)
from tests.support import app_of

pytestmark = pytest.mark.anyio


class Plan(StrEnum):
    FREE = auto()
    PRO = auto()


class Address(BaseModel):
    street: str
    city: str


class Card(BaseModel):
    kind: Literal["card"]
    number: str = Field(pattern=r"^\d{4}$")


class Cash(BaseModel):
    kind: Literal["cash"]


Payment = Annotated[Card | Cash, Field(discriminator="kind")]


class Played:
    """A form with what came of it, and a person who fills it in."""

    def __init__(self, form: FormBuilder[Any, Any]) -> None:
        self.results: list[Any] = []

        async def keep(turn: FormTurn, model: BaseModel) -> None:
            self.results.append(model)
            turn.reply("done")

        form.on_submit(keep)
        self.app = app_of(form.build(), rerun_every_step=True)

    async def through(self, *said: str) -> list[tuple[str, ...]]:
        """Starts the form and says these; ``!`` presses a button."""
        async with Chat(self.app) as chat:
            return [await say(chat, one) for one in ("/start", *said)]

    async def anew(self, *said: str) -> list[tuple[str, ...]]:
        """The same, with a restart before each of them."""
        storage = storage_of("memory://")
        replies: list[tuple[str, ...]] = []
        for one in ("/start", *said):
            async with Chat(self.app, storage=storage) as chat:
                text = one.removeprefix("!")
                if text != one:  # what is on the screen is asked for again, for its buttons
                    await chat.say("/help")
                replies.append(await say(chat, one))
        return replies


async def say(chat: Chat, said: str) -> tuple[str, ...]:
    return await (chat.press(said[1:]) if said.startswith("!") else chat.say(said))


class Everything(BaseModel):
    name: str = Field(description="What's your name?", max_length=10)
    email: EmailStr | None = Field(default=None, title="E-mail")
    stars: int = Field(ge=1, le=5)
    plan: Plan = Plan.FREE
    news: bool
    born: date
    price: Decimal = Field(decimal_places=2)
    address: Address = Field(description="Where do you live?")
    work: Address | None = None
    tags: list[str] = Field([], max_length=2)
    payment: Payment


FILLED = (
    "Ada", "!Skip", "!4", "!Pro", "!Yes", "1815-12-10", "9.50", "1 Main St", "London",
    "!Skip", "a", "!Yes", "b", "!Card", "1234", "!Submit",
)  # fmt: skip

EVERYTHING = Everything(
    name="Ada",
    stars=4,
    plan=Plan.PRO,
    news=True,
    born=date(1815, 12, 10),
    price=Decimal("9.50"),
    address=Address(street="1 Main St", city="London"),
    tags=["a", "b"],
    payment=Card(kind="card", number="1234"),
)

SUMMARY = """\
Name: Ada
E-mail: -
Stars: 4
Plan: Pro
News: Yes
Born: 1815-12-10
Price: 9.50
Address: Street: 1 Main St
Address: City: London
Work: -
Tags: a, b
Payment: Card
Number: 1234

Is everything right?"""


async def test_a_form_asks_for_every_field_and_gives_the_model() -> None:
    played = Played(form_flow(Everything))
    replies = await played.through(*FILLED)
    assert replies[0] == ("What's your name?",)
    assert replies[7] == ("Where do you live?\n\nStreet?",)
    assert played.results == [EVERYTHING]


async def test_a_form_goes_on_after_a_restart_at_every_turn() -> None:
    played = Played(form_flow(Everything))
    replies = await played.anew(*FILLED)
    assert played.results == [EVERYTHING]
    assert replies[-1] == ("done",)


async def test_the_summary_shows_every_answer() -> None:
    replies = await Played(form_flow(Everything)).through(*FILLED)
    assert replies[-2] == (SUMMARY,)


async def test_back_leads_through_every_question_to_the_start_and_forth_again() -> None:
    played = Played(form_flow(Everything))
    back = ["/back"] * 17
    forth = [
        "!Keep: Ada", "!Skip", "!Keep: 4", "!Keep: Pro", "!Keep: Yes", "!Keep: 1815-12-10",
        "!Keep: 9.50", "!Keep: 1 Main St", "!Keep: London", "!Skip", "!Keep", "!Keep: Card",
        "!Keep: 1234", "!Submit",
    ]  # fmt: skip
    replies = await played.through(*FILLED[:-1], *back, *forth)
    assert any(said[-1] == "What's your name?" and len(said) == 2 for said in replies)
    assert played.results == [EVERYTHING]


class Rated(BaseModel):
    stars: int = Field(ge=1, le=5)
    even: int = Field(ge=0, le=8, multiple_of=2)
    wide: int = Field(ge=0, le=10)


async def test_a_small_range_of_numbers_has_a_button_for_each() -> None:
    async with Chat(Played(form_flow(Rated)).app) as chat:
        await chat.say("/start")
        row = [button.label for button in chat.deliveries[-1].keyboard[0]]
        assert row == ["1", "2", "3", "4", "5"]
        assert "from 1 to 5" in (await chat.say("6"))[0]
        await chat.say("3")
        assert [len(row) for row in chat.deliveries[-1].keyboard] == [5]
        await chat.press("8")
        assert chat.deliveries[-1].keyboard == ()


async def test_the_defaults_are_offered_and_what_is_optional_can_be_skipped() -> None:
    class Settings(BaseModel):
        size: int = 7
        note: str = ""
        mail: EmailStr = ""
        nick: str | None = "Al"

    played = Played(form_flow(Settings, summary=False))
    await played.through("!Keep: 7", "!Skip", "me@example.com", "!Skip")
    await played.through("8", "hm", "me@example.com", "!Keep: Al")
    assert [model.model_dump() for model in played.results] == [
        {"size": 7, "note": "", "mail": "me@example.com", "nick": None},
        {"size": 8, "note": "hm", "mail": "me@example.com", "nick": "Al"},
    ]


async def test_a_default_that_the_field_itself_refuses_is_no_answer() -> None:
    class Named(BaseModel):
        name: str = Field("", min_length=2)

    async with Chat(Played(form_flow(Named)).app) as chat:
        await chat.say("/start")
        with pytest.raises(NoSuchButton, match="no button is shown"):
            chat.button("Skip")


async def test_a_bad_answer_is_refused_with_the_reason_and_nothing_is_lost() -> None:
    played = Played(form_flow(Everything))
    replies = await played.through("Ada", "no address", "!Skip", "9", "4", "gold", "!Free")
    assert "e-mail" in replies[2][0]
    assert "from 1 to 5" in replies[4][0]
    assert replies[6] == ("Please choose one of: Free, Pro.",)
    assert replies[7] == ("News?",)


# --- sections, unions and lists ---------------------------------------------------------


class Trip(BaseModel):
    start: Address
    end: Address | None = Field(default=None, description="Is there an end?")
    payment: Payment | None = None


async def test_an_optional_section_is_asked_when_it_is_wanted() -> None:
    played = Played(form_flow(Trip))
    await played.through("a", "b", "!Yes", "c", "d", "!Skip", "!Submit")
    assert played.results[0].end == Address(street="c", city="d")
    assert played.results[0].payment is None


async def test_the_buttons_of_the_summary_tell_sections_apart() -> None:
    played = Played(form_flow(Trip))
    said = ("a", "b", "!Yes", "c", "d", "!Skip", "!Edit end: Street", "x", "!Submit")
    replies = await played.through(*said)
    assert "Start: Street: a\nStart: City: b\nEnd: Yes\nEnd: Street: c" in replies[6][0]
    assert played.results[0].end == Address(street="x", city="d")


async def test_another_variant_asks_for_what_it_needs_and_forgets_the_old_one() -> None:
    class Order(BaseModel):
        payment: Payment

    played = Played(form_flow(Order))
    edits = ("!Cash", "!Edit payment", "!Card", "12", "1234", "!Edit payment", "!Keep: Card")
    replies = await played.through(*edits, "!Edit payment", "!Cash", "!Submit")
    assert replies[3] == ("Number?",)
    assert played.results == [Order(payment=Cash(kind="cash"))]


async def test_back_passes_over_a_question_that_another_answer_has_removed() -> None:
    class Order(BaseModel):
        payment: Payment

    played = Played(form_flow(Order))
    replies = await played.through("!Card", "1234", "!Edit payment", "!Cash", "/back")
    assert replies[-1] == ("Payment?",)


class Pet(BaseModel):
    name: str
    nicks: list[str] = []


class Owner(BaseModel):
    pets: list[Pet] = Field(min_length=1, max_length=3)


async def test_a_list_of_models_is_asked_item_by_item() -> None:
    played = Played(form_flow(Owner))
    await played.anew("Rex", "r", "!Yes", "x", "!No", "!Yes", "Tom", "!Skip", "!No", "!Submit")
    assert played.results == [Owner(pets=[Pet(name="Rex", nicks=["r", "x"]), Pet(name="Tom")])]


async def test_back_in_a_list_undoes_the_last_answer() -> None:
    played = Played(form_flow(Owner))
    said = ("Rax", "/back", "Rex", "!Skip", "!Yes", "Tom", "/back", "/back", "!No", "!Submit")
    replies = await played.through(*said)
    assert replies[8] == ("Add another?",)
    assert played.results == [Owner(pets=[Pet(name="Rex")])]


async def test_a_list_can_be_kept_extended_and_started_anew() -> None:
    played = Played(form_flow(Owner))
    filled = ("Rex", "!Skip", "!No", "!Edit pets")
    await played.through(*filled, "!Keep", "!Submit")
    await played.through(*filled, "!Add more", "Tom", "!Skip", "!No", "!Submit")
    await played.through(*filled, "!Start over", "Tom", "!Skip", "!No", "!Submit")
    names = [[pet.name for pet in owner.pets] for owner in played.results]
    assert names == [["Rex"], ["Rex", "Tom"], ["Tom"]]


async def test_a_list_that_is_full_takes_no_more() -> None:
    played = Played(form_flow(Owner))
    pet = ("Rex", "!Skip")
    replies = await played.through(*pet, "!Yes", *pet, "!Yes", *pet)
    assert replies[-1] == ("Pets: Rex, Rex, Rex\n\nIs everything right?",)


async def test_a_list_without_a_bound_ends_where_a_step_can_hold_no_more() -> None:
    class Listing(BaseModel):
        tags: list[str]

    played = Played(form_flow(Listing))
    said = [one for number in range(98) for one in (f"t{number}", "!Yes")]
    replies = await played.through(*said, "last", "!Submit")
    assert replies[-2][0] == "That is as many as I can take."
    assert len(played.results[0].tags) == 99


async def test_a_validator_of_the_whole_list_has_it_asked_again() -> None:
    class Unique(BaseModel):
        tags: list[str]

        @field_validator("tags")
        @classmethod
        def differ(cls, tags: list[str]) -> list[str]:
            if len(set(tags)) < len(tags):
                raise ValueError("Each only once.")
            return tags

    played = Played(form_flow(Unique, summary=False))
    replies = await played.through("a", "!Yes", "a", "!No", "a", "!No")
    assert replies[4] == ("Each only once.", "Tags?")
    assert played.results == [Unique(tags=["a"])]


async def test_the_default_of_a_list_can_be_kept() -> None:
    class Listing(BaseModel):
        tags: list[str] = Field(default=["a", "b"], min_length=1)

    played = Played(form_flow(Listing, summary=False))
    replies = await played.through("!Keep")
    await played.through("!Start over", "c", "!No")
    assert replies[0] == ("Tags: a, b",)
    assert played.results == [Listing(), Listing(tags=["c"])]


async def test_models_that_are_strict_frozen_and_aliased_can_be_asked_for() -> None:
    class Inner(BaseModel):
        model_config = ConfigDict(strict=True, frozen=True, extra="forbid")

        day: date = Field(alias="Day")
        tags: set[str] = Field(alias="Tags")

    class Outer(BaseModel):
        inner: Inner = Field(alias="Inner")
        after: int = 0

    played = Played(form_flow(Outer, when={"after": lambda given: "a" in given.inner.tags}))
    await played.through("2030-01-01", "a", "!No", "3", "!Submit")
    assert played.results[0].model_dump() == {
        "inner": {"day": date(2030, 1, 1), "tags": {"a"}},
        "after": 3,
    }


# --- conditions -------------------------------------------------------------------------


class Feedback(BaseModel):
    satisfied: int = Field(description="How satisfied are you?", ge=1, le=5)
    likes: str = Field("", description="What do you like?")
    recommend: bool = Field(description="Would you recommend us?")
    improve: str | None = Field("-", description="What should we improve?")
    contact: Address | None = None


def unhappy(given: Feedback) -> bool:
    return not given.recommend


async def test_a_condition_skips_a_question_and_its_default_holds() -> None:
    played = Played(form_flow(Feedback, summary=False, when={"improve": unhappy}))
    replies = await played.through("!4", "Speed", "!Yes", "!Skip")
    assert replies[3] == ("Contact?",)
    assert played.results[0].improve == "-"


async def test_a_condition_is_looked_at_again_when_an_answer_is_edited() -> None:
    played = Played(form_flow(Feedback, when={"improve": unhappy}))
    filled = ("!4", "Speed", "!Yes", "!Skip", "!Edit recommend", "!No")
    replies = await played.anew(*filled, "Docs", "!Edit recommend", "!Yes", "!Submit")
    assert replies[6] == ("What should we improve?",)
    assert "Improve: Docs" in replies[7][0]
    assert "Improve" not in replies[9][0]
    assert played.results[0].improve == "-"


async def test_a_condition_of_a_section_holds_for_all_of_it() -> None:
    class Parcel(BaseModel):
        pickup: bool
        to: Address = Address(street="-", city="-")
        work: Payment = Cash(kind="cash")

    when = {"to": lambda given: not given.pickup, "work": lambda given: given.to.city == "Paris"}
    played = Played(form_flow(Parcel, summary=False, when=when))
    await played.through("!Yes")
    await played.through("!No", "!Yes", "1 Main St", "Paris", "!Card", "1234")
    assert [each.to.city for each in played.results] == ["-", "Paris"]
    assert played.results[1].work == Card(kind="card", number="1234")


async def test_a_condition_that_looks_ahead_fails_the_step_with_the_field_named(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Ahead(BaseModel):
        first: int
        second: int = 0
        third: int

    played = Played(form_flow(Ahead, when={"second": lambda given: given.third > 0}))
    await played.through("1")
    assert "has no attribute 'third'" in caplog.text


# --- the model at the end ---------------------------------------------------------------


class Stay(BaseModel):
    arrival: date
    departure: date
    guests: int = 1

    @field_validator("departure")
    @classmethod
    def after_arrival(cls, departure: date, info: ValidationInfo) -> date:
        if "arrival" in info.data and departure <= info.data["arrival"]:
            raise ValueError("You leave before you come.")
        return departure

    @model_validator(mode="after")
    def not_too_many(self) -> Self:
        if self.guests > (self.departure - self.arrival).days:
            raise ValueError("Too many guests.")
        return self


@pytest.mark.parametrize("summary", [True, False])
async def test_an_error_with_a_location_asks_that_field_again(summary: bool) -> None:
    played = Played(form_flow(Stay, summary=summary))
    replies = await played.through("2030-01-05", "2030-01-04", "!Keep: 1", "2030-01-07")
    assert replies[3] == ("Departure: You leave before you come.", "Departure?")
    assert ("done" in replies[4]) is not summary


@pytest.mark.parametrize("summary", [True, False])
async def test_an_error_without_a_location_is_shown_on_the_summary(summary: bool) -> None:
    played = Played(form_flow(Stay, summary=summary))
    bad = ("2030-01-05", "2030-01-07", "9", "!Edit guests", "8", "!Edit guests", "2")
    replies = await played.through(*bad)
    assert "Guests: 9\n\nToo many guests.\n\nPlease change an answer." in replies[3][0]
    assert "Guests: 8\n\nToo many guests." in replies[5][0]
    assert ("done" in replies[7]) is not summary


async def test_what_cannot_be_submitted_has_no_button_for_it() -> None:
    async with Chat(Played(form_flow(Stay)).app) as chat:
        for said in ("/start", "2030-01-05", "2030-01-07", "9"):
            await chat.say(said)
        with pytest.raises(NoSuchButton, match="Edit guests"):
            chat.button("Submit")


async def test_aliases_and_titles_of_the_model_do_not_matter_to_its_answers() -> None:
    class Aliased(BaseModel):
        model_config = ConfigDict(alias_generator=lambda name: f"x-{name}")

        first: int
        last: int

        @field_validator("last")
        @classmethod
        def larger(cls, last: int, info: ValidationInfo) -> int:
            if last < info.data.get("first", last):
                raise ValueError("Too small.")
            return last

    played = Played(form_flow(Aliased))
    replies = await played.through("3", "2", "4", "!Submit")
    assert replies[2] == ("Last: Too small.", "Last?")
    assert played.results[0].last == 4


# --- hooks ------------------------------------------------------------------------------


async def test_a_step_of_ones_own_gives_the_value_of_its_field() -> None:
    form = form_flow(Trip, exclude=["end", "payment"])

    @form.step("start")
    async def start(turn: FormTurn) -> Address:
        street = await turn.ask("Which street?")
        return Address(street=street, city=await turn.ask("And the city?"))

    played = Played(form)
    replies = await played.anew("1 Main St", "/back", "2 Main St", "Paris", "!Submit")
    assert replies[2] == ("Which street?",)
    assert played.results == [Trip(start=Address(street="2 Main St", city="Paris"))]


async def test_a_step_of_ones_own_can_decide() -> None:
    form = form_flow(Card)

    @form.step("number")
    async def number(turn: FormTurn) -> str | Action[Enum]:
        said = await turn.ask("Number?")
        return turn.cancel("no card") if said == "none" else said

    form.overrides["kind"] = Choice(["card"])
    played = Played(form)
    replies = await played.through("!card", "none", "hello")
    assert played.results == []
    assert "Number" not in replies[-1][0]


async def test_a_value_of_ones_own_step_is_validated_as_an_answer_is() -> None:
    form = form_flow(Card, overrides={"kind": Choice(["card"])})

    @form.step("number")
    async def number(turn: FormTurn) -> str:
        return await turn.ask("Number?")

    replies = await Played(form).through("!card", "12", "1234")
    assert replies[2] == ("That is not in the form that is needed.", "Number?")
    assert "Number: 1234" in replies[3][0]


async def test_other_words_and_other_inputs_ask_for_a_field() -> None:
    class Contact(BaseModel):
        name: str
        phone: str | None = None
        count: int = Field(le=3)

    bold = Reply(text="<b>Name</b>", format="html")
    overrides: dict[str, Reply | Input[Any]] = {
        "name": bold,
        "phone": Phone(),
        "count": Integer(ge=0, retry="Nought to three."),
    }
    played = Played(form_flow(Contact, overrides=overrides, summary=False))
    replies = await played.through("Ada", "hm", "!Skip", "7", "-1", "2")
    assert replies[0] == ("Name",)
    assert replies[4] == replies[5] == ("Nought to three.",)
    assert played.results == [Contact(name="Ada", count=2)]


async def test_a_file_can_be_the_value_of_a_field() -> None:
    class Report(BaseModel):
        photo: dict[str, Any]

    form = form_flow(Report, summary=False)

    @form.step("photo")
    async def photo(turn: FormTurn) -> dict[str, Any]:
        file = await turn.ask("A photo, please.", Photo())
        return {"id": file.id}

    played = Played(form)
    async with Chat(played.app) as chat:
        await chat.say("/start")
        await chat.send_file("photo")
    assert played.results[0].photo["id"]


async def test_the_words_of_the_summary_can_be_ones_own() -> None:
    def words(model: Stay) -> str:
        return f"{model.guests} guests?"

    played = Played(form_flow(Stay, summary=words))
    replies = await played.through("2030-01-05", "2030-01-07", "2")
    assert replies[-1] == ("2 guests?",)


async def test_a_form_speaks_another_language() -> None:
    class Mitglied(BaseModel):
        newsletter: bool = Field(description="Newsletter?")
        tags: list[str] = Field(default=[], description="Stichworte?")

    texts = FormTexts(
        confirm="Stimmt das?", submit="Absenden", edit="{label} ändern", skip="Auslassen",
        yes="Ja", no="Nein", another="Noch eins?",
    )  # fmt: skip
    played = Played(form_flow(Mitglied, texts=texts))
    said = ("!Ja", "a", "!Nein", "!tags ändern", "!Start over", "!Auslassen", "!Absenden")
    replies = await played.through(*said)
    assert replies[3] == ("Newsletter: Ja\nTags: a\n\nStimmt das?",)
    assert played.results == [Mitglied(newsletter=True)]


@pytest.mark.parametrize("decide", ["complete", "repeat", "cancel"])
async def test_on_submit_may_ask_and_decide(decide: str) -> None:
    form = form_flow(Card, overrides={"kind": Choice(["card"])})

    @form.on_submit
    async def done(turn: FormTurn, model: Card) -> Action[Enum] | None:
        said = await turn.ask(f"Sure of {model.number}?")
        turn.reply(f"{said}!")
        match decide:
            case "repeat":
                return turn.repeat("Once more.")
            case "cancel":
                return turn.cancel()
        return None

    async with Chat(app_of(form.build(), rerun_every_step=True)) as chat:
        for said in ("/start", "!card", "1234", "!Submit"):
            await say(chat, said)
        last = (await chat.say("yes"))[-1]
    assert ("Is everything right?" in last) is (decide == "repeat")


async def test_the_flow_of_a_form_takes_what_every_flow_takes() -> None:
    form = form_flow(Stay)
    builder = form.builder()

    @builder.on_error
    async def recover(turn: FormTurn, error: Exception) -> Action[Enum]:
        return turn.cancel(str(error))

    flow = builder.build(initial=next(iter(builder.steps)))
    assert flow.recovery is recover
    assert issubclass(flow.data, Answers)


# --- the data ---------------------------------------------------------------------------


async def test_a_handler_reads_the_answers_by_their_paths() -> None:
    form = form_flow(Trip, exclude=["end", "payment"])
    seen: list[object] = []

    @form.step("start.city")
    async def city(turn: FormTurn) -> str:
        seen[:] = [turn.data["start.street"], "start.city" in turn.data, "copy" in turn.data]
        with pytest.raises(KeyError, match=r"start\.city"):
            turn.data["start.city"]
        return "Paris"

    await Played(form).through("1 Main St")
    assert seen == ["1 Main St", False, False]


async def test_an_answer_that_a_deploy_has_made_impossible_is_asked_again() -> None:
    class Old(BaseModel):
        name: str
        note: str

    class New(BaseModel):
        name: str = Field(max_length=3)
        note: str

    storage = storage_of("memory://")
    async with Chat(app_of(form_flow(Old, name="form").build()), storage=storage) as chat:
        await chat.say("/start")
        await chat.say("Adelaide")
    played = Played(form_flow(New, name="form"))
    async with Chat(played.app, storage=storage) as chat:
        assert await chat.say("hm") == ("Name?",)
        await chat.say("Ada")
        await chat.press("Submit")
    assert played.results == [New(name="Ada", note="hm")]


async def test_a_value_that_json_does_not_bring_back_is_an_error_not_a_loss(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Login(BaseModel):
        password: SecretStr

    async def secret(turn: FormTurn) -> SecretStr:
        return SecretStr(await turn.ask("Password?"))

    played = Played(form_flow(Login, overrides={"password": secret}))
    await played.through("hunter2")
    assert "a SecretStr does not come back from JSON" in caplog.text
    assert "hunter2" not in caplog.text
