"""The decisions that a step can make. Handlers make them through ``Turn``'s methods."""

from __future__ import annotations

from enum import Enum
from typing import Any, Final, Generic

from typing_extensions import TypeVar

from flows.inputs import Input
from flows.messages.replies import Reply
from flows.records import record
from flows.turns.timing import UNTIMED, Timing

S_co = TypeVar("S_co", bound=Enum, covariant=True)


class End(Enum):
    """Where a flow is over; ``END`` stands in ``to=`` beside the steps."""

    END = "completed"


END: Final = End.END


@record(frozen=True, slots=True)
class Action(Generic[S_co]):
    """A decision of a step of the flow whose steps are ``S``."""


@record(frozen=True, slots=True)
class Next(Action[S_co]):
    """On to ``step``, or along the only declared edge."""

    step: S_co | None = None


@record(frozen=True, slots=True)
class GoTo(Action[S_co]):
    """A jump to any step."""

    step: S_co


@record(frozen=True, slots=True)
class Detour(Action[S_co]):
    """One visit of ``step``, then back to the step that decided this."""

    step: S_co


@record(frozen=True, slots=True)
class Back(Action[S_co]):
    """Undo the last answer; at the first one go to the step before.

    Attributes:
        restore: take back what the undone step wrote into the data, too.
    """

    restore: bool = False


@record(frozen=True, slots=True)
class Repeat(Action[S_co]):
    """Discard what this run of the step did, say ``notice`` and ask again."""

    notice: str | None = None


@record(frozen=True, slots=True)
class Retry(Action[S_co]):
    """Run the failed step once more, with the same answers. For ``on_error`` only."""


@record(frozen=True, slots=True)
class Wait(Action[S_co]):
    """Keep the data, and call the handler from its top with the next input.

    Attributes:
        inputs: what is accepted, tried in this order.
        prompt: what to show while waiting; None: the last reply of this run.
        timing: its clock.
        people: who may answer; empty: everybody whose conversation it is.
    """

    inputs: tuple[Input[Any], ...]
    prompt: Reply | None = None
    timing: Timing = UNTIMED
    people: tuple[str, ...] = ()


@record(frozen=True, slots=True)
class Done(Action[S_co]):
    """The branch of a fork is over."""


@record(frozen=True, slots=True)
class Remind(Action[S_co]):
    """Say ``text``, ask on, and give the person the same time again. For ``on_timeout`` only."""

    text: str | None = None


@record(frozen=True, slots=True)
class Escalate(Action[S_co]):
    """Keep the data and hand over to an operator, who resumes, moves or ends the instance.

    Attributes:
        reason: what the operator reads.
        accept: what the operator may answer; None: anything.
    """

    reason: str
    accept: Input[Any] | None = None


@record(frozen=True, slots=True)
class Complete(Action[S_co]):
    """The flow is over, and it succeeded."""


@record(frozen=True, slots=True)
class Cancel(Action[S_co]):
    """The flow is over, and it did not."""

    reason: str = "cancelled"
