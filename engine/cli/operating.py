"""``start``, ``resume``, ``goto``, ``repeat``, ``cancel`` and ``erase``: acting on what runs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

import orjson
import typer

from engine.cli import beside
from engine.cli.loading import load_app
from engine.cli.looking import Instance, summary
from engine.cli.output import say
from engine.cli.talking import Target
from engine.operate import Erased, Operator, Receipt
from flows.errors import UnknownInstance
from flows.ports import InstanceRow

PATIENCE = 2.0
"""Seconds that a command waits for a bot to carry out its order."""

LAST_WORDS = 5.0
"""Seconds that a bot gets to end the flows of a person who is erased."""

Act = Callable[[Operator], Awaitable[Receipt]]
After = Callable[[Operator, Receipt], Awaitable[InstanceRow | None]]


def add_to(app: typer.Typer) -> None:
    """Registers the commands."""
    for command in (start, resume, goto, repeat, cancel, erase):
        app.command()(command)


def start(
    target: Target,
    flow: Annotated[str, typer.Argument(metavar="FLOW", help="The name of the flow.")],
    user: Annotated[str, typer.Option(help="The channel's id of the person.")],
    chat: Annotated[
        str | None, typer.Option(help="The channel's id of the chat; else the private one.")
    ] = None,
    topic: Annotated[str | None, typer.Option(help="The topic of the chat.")] = None,
    source: Annotated[
        str | None,
        typer.Option(
            help="Channel and bot, such as telegram:110201543; else the bot of "
            "HANDRAIL_TELEGRAM_TOKEN, or the console."
        ),
    ] = None,
    data: Annotated[
        str | None, typer.Option(metavar="JSON", help="What it starts with, as a JSON object.")
    ] = None,
) -> None:
    """Start a flow for a person.

    Example: handrail start examples.signup:app signup --user local --data '{"name": "Ada"}'
    """
    given = _object(data)

    async def act(operator: Operator) -> Receipt:
        return await operator.start(
            flow, user=user, chat=chat, topic=topic, source=source, data=given
        )

    async def newest(operator: Operator, receipt: Receipt) -> InstanceRow | None:
        page = await operator.instances(flow=flow, conversation=receipt.conversation, limit=1)
        return page.rows[0] if page.rows else None

    _order(target, act, newest, may_create=True)


def resume(
    target: Target,
    name: Annotated[
        str,
        typer.Argument(
            metavar="TICKET_OR_INSTANCE",
            help="The ticket of an outside event, or the id of an instance that waits for an "
            "operator.",
        ),
    ],
    payload: Annotated[
        str | None,
        typer.Argument(help="What is handed in: JSON, or plain text.", show_default=False),
    ] = None,
) -> None:
    """Hand in an outside event, or an operator's answer.

    Example: handrail resume examples.signup:app 2s-0 '{"approved": true}'
    """
    value = _json_or_text(payload)
    _order(
        target,
        lambda operator: (operator.resume if "." in name else operator.decide)(name, value),
        _instance(name.partition(".")[0]),
    )


def goto(
    target: Target,
    instance: Instance,
    step: Annotated[str, typer.Argument(metavar="STEP", help="The name of the step.")],
) -> None:
    """Move an instance to a step of its flow.

    Example: handrail goto examples.signup:app 2s-0 EMAIL
    """
    _order(target, lambda operator: operator.goto(instance, step), _instance(instance))


def repeat(target: Target, instance: Instance) -> None:
    """Have an instance ask its question again.

    Example: handrail repeat examples.signup:app 2s-0
    """
    _order(target, lambda operator: operator.repeat(instance), _instance(instance))


def cancel(
    target: Target,
    instance: Annotated[
        str | None, typer.Argument(metavar="[INSTANCE]", help="Its id, as 'handrail ps' lists it.")
    ] = None,
    conversation: Annotated[
        str | None,
        typer.Option(metavar="KEY", help="All of a conversation, as 'handrail show' names it."),
    ] = None,
    reason: Annotated[str, typer.Option(help="What hooks and the log are told.")] = "cancelled",
) -> None:
    """End an instance, or all of a conversation; the hooks of the flow run.

    Example: handrail cancel examples.signup:app 2s-0 --reason "asked on the phone"
    """
    if instance is not None and conversation is None:
        _order(target, lambda operator: operator.cancel(instance, reason), _instance(instance))
    elif conversation is not None and instance is None:
        _order(target, lambda operator: operator.cancel_conversation(conversation, reason))
    else:
        raise typer.BadParameter("name an INSTANCE, or a --conversation, and not both")


def erase(
    target: Target,
    person: Annotated[
        str, typer.Argument(metavar="PERSON", help="Channel and user id: telegram/4242.")
    ],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Remove a person everywhere, for ever: conversations, messages, the log.

    Their flows are ended first, with their hooks, where a bot runs that can do it.

    Example: handrail erase examples.signup:app telegram/4242
    """
    app = load_app(target)
    if not yes:
        typer.confirm(f"Remove all that is kept of {person}? Nothing brings it back", abort=True)

    async def act() -> Erased:
        async with beside.operator(app) as operator:
            return await operator.erase(person, patience=LAST_WORDS)

    result = beside.run(act())
    if result.scopes == 0:
        say(f"Nothing was kept of {person}, or nothing is any more.")
        return
    say(f"{person} is erased. Conversations removed: {result.scopes}.")
    if result.unheard:
        say(
            f"In {result.unheard} of them something was running that no bot ended within "
            f"{LAST_WORDS:g} s: its hooks did not run."
        )


def _order(target: str, act: Act, after: After | None = None, *, may_create: bool = False) -> None:
    app = load_app(target)

    async def order() -> tuple[bool, InstanceRow | None]:
        async with beside.operator(app, may_create=may_create) as operator:
            receipt = await act(operator)
            done = await operator.until_done(receipt, seconds=PATIENCE)
            return done, await after(operator, receipt) if done and after else None

    done, row = beside.run(order())
    if not done:
        say(
            f"It is kept, and no bot has done it within {PATIENCE:g} s: "
            "it is done when the bot runs next, or gets to it."
        )
        return
    say("The bot has taken it." if row is None else f"The bot has taken it. {summary(row)}")


def _instance(name: str) -> After:
    """Finds out how the instance is afterwards."""

    async def look(operator: Operator, _: Receipt) -> InstanceRow | None:
        try:
            return (await operator.show(name)).row
        except UnknownInstance:  # erased or swept in this moment
            return None

    return look


def _object(text: str | None) -> dict[str, Any]:
    try:
        value = orjson.loads(text) if text is not None else {}
    except ValueError as error:
        raise typer.BadParameter(f"--data is no JSON: {error}") from None
    if not isinstance(value, dict):
        raise typer.BadParameter('--data is no JSON object such as \'{"name": "Ada"}\'')
    return value


def _json_or_text(text: str | None) -> Any:
    if text is None:
        return None
    try:
        return orjson.loads(text)
    except ValueError:
        return text
