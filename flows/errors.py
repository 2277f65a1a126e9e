"""Every error that Handrail raises on purpose.

    HandrailError
    ├── DefinitionError (ValueError)        a flow, input or route that cannot work
    │   ├── UnboundedPattern                a pattern that RE2 cannot run in bounded time
    │   ├── NoLanguages                     a locale is chosen where the App has one language
    │   └── UnknownLocale (LookupError)     a locale that the App does not have
    ├── UnknownFlow (LookupError)           a flow name that no registry holds
    ├── UnknownStep (LookupError)           a step name that the flow does not have
    ├── StartRefused (ValueError)           arguments that do not make the flow's data
    ├── InvalidKey (ValueError)             what a flow's key function answered is no key
    ├── NoScope (LookupError)               a flow cannot start where its key has no value
    ├── CannotAsk (RuntimeError)            something asked that cannot: a middleware, say
    ├── StepError (RuntimeError)            a step handler failed; the turn left no trace
    │   ├── InvalidData                     the data that a step left does not validate
    │   ├── UndeclaredMove                  a move that the definition does not declare
    │   ├── AmbiguousNext                   ``next()`` where several edges leave
    │   ├── NotAnAction                     a handler returned something else than an action
    │   ├── ConcurrentAsk                   a second ``ask`` while one is outstanding
    │   ├── NondeterministicStep            a step whose re-run keeps disagreeing with its journal
    │   ├── JournalTooLong                  a step that asks too often
    │   ├── StateTooLarge                   a conversation that keeps more than it may
    │   ├── HandlerTimeout                  a handler that ran out of time
    │   ├── TooDeep                         flows that call flows that call flows
    │   ├── NoFork                          ``turn.parallel`` in a flow without a fork
    │   └── TransitionLoop                  automatic moves that never come to rest
    ├── TooManyTries                        the tries of an ``ask`` are used up
    ├── AskTimeout (TimeoutError)           nobody answered an ``ask`` in time
    ├── ChildCancelled                      the flow that ``turn.call`` called was cancelled
    ├── InvalidAnswer (ValueError)          what a person sent is not what the input wants
    ├── OperationError                      what an operator or a program asked for cannot be done
    │   ├── UnknownInstance (LookupError)   nothing that runs has this id
    │   ├── UnknownConversation (LookupError) nothing is known of that conversation
    │   ├── UnknownBroadcast (LookupError)  no broadcast has this id
    │   ├── BroadcastRefused (ValueError)   a broadcast that cannot begin, or cannot be moved so
    │   ├── UnknownDeadLetter (LookupError) no dead letter has this number
    │   ├── UnknownToken (LookupError)      a ticket that is expired, used, or none of ours
    │   ├── NotWaiting (RuntimeError)       it does not wait for an operator
    │   ├── PayloadRefused (ValueError)     what is handed in is not what is waited for
    │   ├── BadAddress (ValueError)         no chat or person goes by that name
    │   └── NotRunning (RuntimeError)       the App does not run in this process
    ├── StorageError
    │   ├── StorageDown                     it cannot be reached now; try again
    │   ├── OutcomeUnknown                  the answer to a commit was lost
    │   ├── BadRow (ValueError)             one row of a batch cannot be stored
    │   ├── CorruptState                    what is stored cannot be read; it is never overwritten
    │   ├── SecretKeyMissing (LookupError)  there is no key for what is, or has to be, encrypted
    │   ├── SchemaMismatch                  the database is older, newer, or not ours
    │   └── AlreadyOwned                    another process works on this database
    └── ChannelError
        ├── SendLater                       the service asks to wait
        ├── SendRefused                     it will never take this message
        ├── ChatMoved                       the chat goes by another id now
        ├── SendUncertain                   the answer was cut: it may or may not have arrived
        ├── DownloadFailed                  a file could not be fetched
        │   └── FileTooLarge (ValueError)   it has more bytes than may be fetched
        ├── CallError                       a call of the service's own API brought no result
        │   ├── NoApi (LookupError)         the channel has none
        │   ├── CallRefused (ValueError)    the service understood it and said no
        │   ├── CallLater                   nothing was done; the service asks to wait, or is away
        │   └── CallUncertain               the answer was cut: it may or may not have been done
        └── ChannelStopped                  the channel cannot go on (a revoked token, say)

A message says what happened, with the values, and then what to do; the values are
attributes as well.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


class HandrailError(Exception):
    """The base of all errors that Handrail raises on purpose."""


class DefinitionError(HandrailError, ValueError):
    """A definition that cannot work. ``flow`` and ``step`` name the place, where there is one."""

    def __init__(self, message: str, *, flow: str | None = None, step: str | None = None) -> None:
        self.flow = flow
        self.step = step
        place = f"flow {flow!r}" if flow else ""
        if step:
            place = f"{place}, step {step}" if place else f"step {step}"
        super().__init__(f"{place}: {message}" if place else message)


class UnboundedPattern(DefinitionError):
    """A pattern that RE2 refuses: back-references and look-around cannot run in bounded time."""

    def __init__(self, pattern: str, reason: str) -> None:
        self.pattern = pattern
        self.reason = reason
        super().__init__(
            f"the pattern {pattern!r} cannot run in bounded time ({reason}). "
            "Write it without back-references and look-around (RE2 syntax)."
        )


class NoLanguages(DefinitionError):
    """A locale was chosen in an App that speaks one language only."""

    def __init__(self, locale: str | None) -> None:
        self.locale = locale
        super().__init__(
            f"the locale {locale!r} cannot be chosen: the App has no languages. Give it "
            "App(languages=Languages(...))."
        )


class UnknownLocale(DefinitionError, LookupError):
    """A locale that the App does not have."""

    def __init__(self, locale: str, known: Iterable[str]) -> None:
        self.locale, self.known = locale, tuple(known)
        super().__init__(
            f"there is no locale {locale!r}; there are {', '.join(self.known)}. Choose one of "
            "them, or add a catalogue for it."
        )


class UnknownFlow(HandrailError, LookupError):
    """No flow of that name is registered."""

    def __init__(self, name: str, known: Iterable[str]) -> None:
        self.name = name
        self.known = tuple(sorted(known))
        self.near = tuple(get_close_matches(name, self.known))
        hint = f"Did you mean {' or '.join(map(repr, self.near))}?" if self.near else ""
        there = f"Registered: {', '.join(self.known)}." if self.known else "No flow is registered."
        super().__init__(f"there is no flow {name!r}. {hint or there}")


class UnknownStep(HandrailError, LookupError):
    """The flow has no step of that name."""

    def __init__(self, flow: str, name: str, known: Iterable[str]) -> None:
        self.flow = flow
        self.name = name
        self.known = tuple(known)
        super().__init__(
            f"flow {flow!r} has no step {name!r}. Its steps are {', '.join(self.known)}."
        )


class StartRefused(HandrailError, ValueError):
    """A flow cannot start with these arguments. ``field`` names the one at fault."""

    def __init__(self, flow: str, field: str | None, reason: str) -> None:
        self.flow = flow
        self.field = field
        self.reason = reason
        what = f"its field {field!r}: {reason}" if field else reason
        advice = "Give the field a default, or pass what it takes when the flow is started."
        super().__init__(f"flow {flow!r} cannot start: {what}. {advice}")


class InvalidKey(HandrailError, ValueError):
    """What the key function of a flow answered is no key. ``key`` names the function."""

    def __init__(self, key: str, reason: str) -> None:
        self.key = key
        self.reason = reason
        super().__init__(f"the key function {key} {reason}. Let it answer a short text, or None.")


class NoScope(HandrailError, LookupError):
    """A flow cannot start: the update has nothing of the kind that the flow is keyed by."""

    def __init__(self, flow: str, key: str) -> None:
        self.flow = flow
        self.key = key
        super().__init__(
            f"flow {flow!r} cannot start here: it is keyed by {key}, which this update has not. "
            "Start it from an update that has it, or give the flow another key."
        )


class StepError(HandrailError, RuntimeError):
    """A step handler failed. Nothing that the turn did was kept."""

    def __init__(self, flow: str, step: str, message: str) -> None:
        self.flow = flow
        self.step = step
        super().__init__(f"flow {flow!r}, step {step}: {message}")


class InvalidData(StepError):
    """The data that a step left does not validate. ``field`` names the first field at fault."""

    def __init__(self, flow: str, step: str, field: str, reason: str) -> None:
        self.field = field
        self.reason = reason
        super().__init__(
            flow,
            step,
            f"the data cannot be stored, field {field!r}: {reason}. Nothing was changed.",
        )


class UndeclaredMove(StepError):
    """A move that the definition does not declare."""

    def __init__(self, flow: str, step: str, target: str, declared: Iterable[str]) -> None:
        self.target = target
        self.declared = tuple(declared)
        declared_text = ", ".join(self.declared) or "nowhere"
        super().__init__(
            flow,
            step,
            f"it may not move to {target}; it is declared to go to {declared_text}. "
            f"Declare it with to=[..., {target}], or use turn.goto for a jump.",
        )


class AmbiguousNext(StepError):
    """``next()`` without a target where several edges leave."""

    def __init__(self, flow: str, step: str, declared: Iterable[str]) -> None:
        self.declared = tuple(declared)
        super().__init__(
            flow,
            step,
            f"next() has several ways to go ({', '.join(self.declared)}). "
            "Name one: turn.next(Step.X).",
        )


class NotAnAction(StepError):
    """A handler returned something that is no action."""

    def __init__(self, flow: str, step: str, returned: object) -> None:
        self.returned_type = type(returned).__name__
        super().__init__(
            flow,
            step,
            f"the handler returned {self.returned_type}, which is no action. "
            "Return a decision such as turn.next(), turn.goto(Step.X) or turn.complete().",
        )


class CannotAsk(HandrailError, RuntimeError):
    """Something that cannot ask has asked: a middleware, say, or a handler whose update has no
    person or no chat.
    """


class ConcurrentAsk(StepError):
    """A second ``ask`` while one is outstanding, as in ``asyncio.gather``."""

    def __init__(self, flow: str, step: str) -> None:
        super().__init__(
            flow, step, "two questions were asked at once. Ask one after the other, or use a fork."
        )


class NondeterministicStep(StepError):
    """A step whose re-run disagreed with its journal twice under the same code."""

    def __init__(self, flow: str, step: str, reason: str) -> None:
        self.reason = reason
        super().__init__(
            flow,
            step,
            f"run again with the same answers, it asked something else ({reason}). What a step "
            "asks may depend on answers, turn.data, turn.once, turn.now and turn.random only.",
        )


class JournalTooLong(StepError):
    """A step that holds more answers than its journal may."""

    def __init__(self, flow: str, step: str, limit: int) -> None:
        self.limit = limit
        super().__init__(
            flow, step, f"it has asked more than {limit} questions. Split it into several steps."
        )


class StateTooLarge(StepError):
    """A conversation would keep more than it may.

    Attributes:
        size, limit: what it would take, and the most that it may, in bytes.
        part, part_size: the largest part of it, such as ``field 'photo'``, and its bytes.
    """

    def __init__(
        self, flow: str, step: str, *, size: int, limit: int, part: str, part_size: int
    ) -> None:
        self.size = size
        self.limit = limit
        self.part = part
        self.part_size = part_size
        super().__init__(
            flow,
            step,
            f"the conversation would take {size} bytes, and {limit} is the most; the largest part "
            f"of it is {part}, with {part_size}. Keep large things elsewhere and a reference to "
            "them here, or raise App(max_state=...).",
        )


class HandlerTimeout(StepError):
    """A handler that ran longer than it may."""

    def __init__(self, flow: str, step: str, seconds: float) -> None:
        self.seconds = seconds
        super().__init__(
            flow,
            step,
            f"the handler ran for more than {seconds:g} seconds and was stopped. "
            "Do long work outside the conversation, or raise App(handler_timeout=...).",
        )


class TransitionLoop(StepError):
    """Automatic moves that never come to rest. ``steps`` are the last ones entered."""

    def __init__(self, flow: str, step: str, steps: Iterable[str], limit: int) -> None:
        self.steps = tuple(steps)
        self.limit = limit
        super().__init__(
            flow,
            step,
            f"more than {limit} moves in one turn without a question: "
            f"{' -> '.join(self.steps)}. Ask something on the way, or end the flow.",
        )


class TooDeep(StepError):
    """A flow calls a flow, which calls a flow, and so on."""

    def __init__(self, flow: str, step: str, limit: int) -> None:
        self.limit = limit
        super().__init__(
            flow,
            step,
            f"flows have called each other more than {limit} deep. Does one call itself? "
            "Use a step and turn.goto for a loop.",
        )


class NoFork(StepError):
    """The flow has no fork whose progress could be told."""

    def __init__(self, flow: str, step: str) -> None:
        super().__init__(
            flow, step, "turn.parallel tells of a fork, and this flow has none. Add flow.parallel."
        )


class TooManyTries(HandrailError):
    """Raised by ``ask`` inside the handler when the tries that its input allows are used up."""

    def __init__(self, tries: int) -> None:
        self.tries = tries
        super().__init__(f"no valid answer in {tries} tries")


class AskTimeout(HandrailError, TimeoutError):
    """Raised by ``ask`` inside the handler when the time for the answer is up. Where it is not
    caught, ``on_timeout`` decides: the ask's, the step's, the flow's; else the flow is cancelled.
    """

    def __init__(self, on_timeout: object = None) -> None:
        self.on_timeout = on_timeout
        super().__init__("nobody answered in time")


class ChildCancelled(HandrailError):
    """Raised by ``turn.call``: the called flow did not succeed. Where it is not caught, the
    calling flow is cancelled, too; but a ``back`` from its first question goes on back here.

    Attributes:
        reason: ``back``, ``expired``, or what it was cancelled with.
    """

    def __init__(self, flow: str, reason: str) -> None:
        self.flow = flow
        self.reason = reason
        super().__init__(f"the called flow {flow!r} was cancelled: {reason}")


class InvalidAnswer(HandrailError, ValueError):
    """What a person sent is not what the input wants. ``reason`` is written for that person."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


class OperationError(HandrailError):
    """The base of what is refused to operators and programs. Nothing was done."""


class UnknownInstance(OperationError, LookupError):
    """Nothing that runs has this id. ``ended`` is how it ended, where it is known.

    ``near`` are ids that look alike, of instances that run.
    """

    def __init__(self, instance: str, *, ended: str | None = None, running: Iterable[str] = ()):
        self.instance = instance
        self.ended = ended
        known = tuple(running)
        self.near = tuple(get_close_matches(instance, known))
        if ended is not None:
            message = f"the instance {instance!r} is over ({ended}). Start its flow anew."
        elif self.near:
            near = " or ".join(map(repr, self.near))
            message = f"no instance {instance!r} runs. Did you mean {near}?"
        elif known:
            message = f"no instance {instance!r} runs. 'handrail ps' lists those that do."
        else:
            message = f"no instance {instance!r} runs; none does at all."
        super().__init__(message)


class UnknownBroadcast(OperationError, LookupError):
    """No broadcast has this id: it was swept a while after its end, or there never was one.

    ``near`` are ids that look alike.
    """

    def __init__(self, broadcast: str, known: Iterable[str] = ()) -> None:
        self.broadcast = broadcast
        self.near = tuple(get_close_matches(broadcast, tuple(known)))
        hint = (
            f"Did you mean {' or '.join(map(repr, self.near))}?"
            if self.near
            else "'handrail broadcast list' lists those that there are."
        )
        super().__init__(f"there is no broadcast {broadcast!r}. {hint}")


class BroadcastRefused(OperationError, ValueError):
    """A broadcast cannot begin as it was asked for, or cannot be paused, resumed or cancelled."""


class UnknownDeadLetter(OperationError, LookupError):
    """No dead letter has this number: it was replayed or erased, or there never was one."""

    def __init__(self, letter: int) -> None:
        self.letter = letter
        super().__init__(
            f"there is no dead letter {letter}: it was replayed or erased already, or there never "
            "was one. 'handrail dead' lists those that there are."
        )


class UnknownConversation(OperationError, LookupError):
    """Nothing runs in a conversation of that key, or it is no key."""

    def __init__(self, key: str, reason: str = "nothing runs in it") -> None:
        self.key = key
        self.reason = reason
        super().__init__(
            f"there is nothing to be done with the conversation {key!r}: {reason}. "
            "'handrail ps' lists what runs, 'handrail show' says in which conversation."
        )


class UnknownToken(OperationError, LookupError):
    """A ticket that nothing waits with. Only its first part is told: the rest is a secret."""

    def __init__(self, token: str) -> None:
        self.instance = token.partition(".")[0]
        super().__init__(
            f"nothing waits for the ticket {self.instance}.(...): it is expired, was used "
            "already, or was never issued."
        )


class NotWaiting(OperationError, RuntimeError):
    """An instance that an operator cannot resume. ``reason`` says what it does instead."""

    def __init__(self, instance: str, reason: str) -> None:
        self.instance = instance
        self.reason = reason
        super().__init__(
            f"the instance {instance!r} waits for no operator: {reason}. "
            "Move it with goto, or end it with cancel."
        )


class PayloadRefused(OperationError, ValueError):
    """What was handed in is not what is waited for. ``reason`` says what would be."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(f"the payload is refused: {reason}")


class BadAddress(OperationError, ValueError):
    """No bot, chat or person goes by that name."""


class NotRunning(OperationError, RuntimeError):
    """The App does not run in this process."""

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(
            f"the App {name!r} does not run in this process. Call this while App.run() is under "
            "way; in a script, or beside a bot of another process, use: "
            "async with app.operator(storage) as operator."
        )


class StorageError(HandrailError):
    """The base of what a storage raises."""


class StorageDown(StorageError):
    """The storage cannot be reached or is busy. Nothing was written; try again later."""


class OutcomeUnknown(StorageError):
    """The answer to a commit was lost: read version and cause before running anything again."""


class BadRow(StorageError, ValueError):
    """One row of a batch cannot be stored; ``index`` is its place. Nothing was written."""

    def __init__(self, index: int, reason: str) -> None:
        self.index = index
        self.reason = reason
        super().__init__(f"row {index} of the batch cannot be stored: {reason}")


class CorruptState(StorageError):
    """A stored conversation cannot be read. It is never overwritten and never 'not found'."""

    def __init__(
        self, key: str, reason: str, *, remedy: str = "Restore it from a backup, or remove that row"
    ) -> None:
        self.key = key
        self.reason = reason
        super().__init__(
            f"the stored state of conversation {key!r} cannot be read ({reason}). It was left as "
            f"it is. {remedy}."
        )


class SecretKeyMissing(StorageError, LookupError):
    """A database, or a flow with ``Sensitive`` fields, needs a secret key that is not set."""


class SchemaMismatch(StorageError):
    """The database is not in the schema that this version works with."""


class AlreadyOwned(StorageError):
    """Another process works on this database."""


class ChannelError(HandrailError):
    """The base of what a channel raises."""


class SendLater(ChannelError):
    """The service asks to wait ``seconds`` before anything more is sent to this chat."""

    def __init__(self, seconds: float, reason: str = "") -> None:
        self.seconds = seconds
        super().__init__(reason or f"to be sent again in {seconds:g} seconds")


class SendRefused(ChannelError):
    """The service never takes this message. ``blocked``: nor any other to this chat."""

    def __init__(self, reason: str, *, blocked: bool = False) -> None:
        self.reason = reason
        self.blocked = blocked
        super().__init__(reason)


class ChatMoved(ChannelError):
    """The chat goes by the id ``to`` from now on; nothing was sent."""

    def __init__(self, to: str) -> None:
        self.to = to
        super().__init__(f"the chat goes by the id {to} now")


class SendUncertain(ChannelError):
    """The answer was cut: the message may or may not have arrived."""


class DownloadFailed(ChannelError):
    """A file could not be fetched; nothing is left of it. Trying again may help, unless the file is
    gone or too large.
    """


class FileTooLarge(DownloadFailed, ValueError):
    """The file has more than ``limit`` bytes."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        super().__init__(
            f"the file has more than the {limit} bytes that may be fetched. Ask for a smaller one: "
            "an input's max_size tells people so."
        )


class CallError(ChannelError):
    """A call of the service's own API brought no result."""


class NoApi(CallError, LookupError):
    """The channel has no API that could be called."""

    def __init__(self, source: str) -> None:
        self.source = source
        super().__init__(
            f"{source} has no API to call, as Telegram has one. Look at 'update.source' before, "
            "or run the bot on Telegram."
        )


class CallRefused(CallError, ValueError):
    """The service understood the call and said no. ``code`` is that of its answer."""

    def __init__(self, method: str, code: int, reason: str) -> None:
        self.method = method
        self.code = code
        self.reason = reason
        super().__init__(f"{method}: {reason} ({code})")


class CallLater(CallError):
    """Nothing was done. The service asks to wait ``seconds``, or could not be reached (None)."""

    def __init__(self, method: str, seconds: float | None, reason: str) -> None:
        self.method = method
        self.seconds = seconds
        self.reason = reason
        wait = f"; try again in {seconds:g} seconds" if seconds is not None else ""
        super().__init__(f"{method}: {reason}{wait}")


class CallUncertain(CallError):
    """The answer to the call was cut: it may or may not have been done."""

    def __init__(self, method: str, reason: str) -> None:
        self.method = method
        self.reason = reason
        super().__init__(f"{method}: the answer was lost ({reason})")


class ChannelStopped(ChannelError):
    """The channel cannot go on; the message says why and what to do."""
