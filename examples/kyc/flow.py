"""The conversation of the identity check."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum, auto

from pydantic import BaseModel

from flows import (
    Action,
    AnyOf,
    Choice,
    Confirm,
    Document,
    Email,
    FlowBuilder,
    Phone,
    Photo,
    Progress,
    Reminder,
    Sensitive,
    Turn,
)


class Step(StrEnum):
    """Where a person can be; between START and REVIEW they are in several at once."""

    START = auto()
    DOCUMENT = auto()
    PHONE = auto()
    EMAIL = auto()
    EMAIL_OK = auto()
    REVIEW = auto()
    DECISION = auto()


class Verdict(StrEnum):
    """What an operator may answer."""

    APPROVE = auto()
    REJECT = auto()


class Kyc(BaseModel):
    """What the person has handed in; operators see three stars in its place."""

    document: Sensitive[str] = ""
    phone: Sensitive[str] = ""
    email: Sensitive[str] = ""


DAILY = Reminder(timedelta(days=1), "Your identity check is not complete yet.")

builder = FlowBuilder(
    "kyc", Step, Kyc, version=1, ttl=timedelta(days=7), description="prove who you are"
)

builder.say(Step.START, "Let us check who you are. Three things, in any order you like.")


@builder.step(Step.DOCUMENT, remind=DAILY)
async def document(turn: Turn[Step, Kyc]) -> Action[Step]:
    """Keeps the channel's reference; the file itself stays with the channel."""
    sent = await turn.ask(
        "Send a photo of your passport or identity card, or a file.", AnyOf(Photo(), Document())
    )
    turn.data.document = sent.id
    return turn.done()


builder.ask(Step.PHONE, "What's your phone number?", Phone(), into="phone", remind=DAILY)
builder.ask(Step.EMAIL, "What's your e-mail?", Email(), into="email", remind=DAILY)


@builder.step(Step.EMAIL_OK, to=[Step.EMAIL, Step.REVIEW], remind=DAILY)
async def email_ok(turn: Turn[Step, Kyc]) -> Action[Step]:
    """The second step of its branch: back to the first, or on to the join."""
    if await turn.ask(f"{turn.data.email} - is that right?", Confirm()):
        return turn.done()
    turn.data.email = ""  # a wrong address is not offered again
    return turn.next(Step.EMAIL)


def hub(progress: Progress[Step, Kyc]) -> str:
    """What stands above the buttons of the branches."""
    lines = (f"{'✓' if branch.done else '•'} {branch.label}" for branch in progress)
    return "\n".join((f"Your identity check: {progress.done}/{progress.total}", *lines))


builder.parallel(
    from_=Step.START,
    steps=[Step.DOCUMENT, Step.PHONE, (Step.EMAIL, Step.EMAIL_OK)],
    join=Step.REVIEW,
    labels={Step.DOCUMENT: "Document", Step.PHONE: "Phone", Step.EMAIL: "E-mail"},
    hub=hub,
)


@builder.step(Step.REVIEW)
async def review(turn: Turn[Step, Kyc]) -> Action[Step]:
    """The person's last look; /back leads to the hub, where each branch can be redone."""
    data = turn.data
    await turn.ask(
        f"Please review it: a document, {data.phone}, {data.email}.\n/back changes it.",
        Choice(["Submit"]),
    )
    return turn.next()


@builder.step(Step.DECISION)
async def decision(turn: Turn[Step, Kyc]) -> Action[Step]:
    """Run twice: on entry, and when an operator has answered."""
    if turn.input is None:
        turn.reply("Submitted. Somebody looks at it now, and you will hear from us here.")
        return turn.escalate("an identity check", accept=Choice(Verdict))
    if turn.input == Verdict.APPROVE:
        turn.reply("Welcome! Your identity check is approved.")
        return turn.complete()
    turn.reply("Your identity check is rejected. /kyc starts a new one.")
    return turn.cancel("rejected")


kyc = builder.build(initial=Step.START)
