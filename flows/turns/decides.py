"""What a turn decides: where the flow goes on."""

from __future__ import annotations

from datetime import timedelta
from enum import Enum
from typing import Any, Generic

from typing_extensions import TypeVar

from flows.inputs import Input, Text
from flows.messages.replies import Reply
from flows.turns.actions import (
    Action,
    Back,
    Cancel,
    Complete,
    Detour,
    Done,
    Escalate,
    GoTo,
    Next,
    Repeat,
    Retry,
    Wait,
)
from flows.turns.actions import (
    Remind as RemindAction,
)
from flows.turns.answerers import Answerers, People
from flows.turns.timing import Remind, Timing

S = TypeVar("S", bound=Enum)


class Decides(Answerers, Generic[S]):
    """The part of a turn that makes actions; the step returns one of them."""

    __slots__ = ()

    def next(self, step: S | None = None) -> Action[S]:
        """On to ``step``, to which an edge is declared; without one, along the only edge that
        leads to a step (to the end, if none does).
        """
        self._run.enter()
        return Next(step)

    def goto(self, step: S) -> Action[S]:
        """A jump to any step of the flow."""
        self._run.enter()
        return GoTo(step)

    def detour(self, step: S) -> Action[S]:
        """One visit of ``step`` and back here, whatever it decides but complete and cancel."""
        self._run.enter()
        return Detour(step)

    def back(self, *, restore: bool = False) -> Action[S]:
        """Undo the last answer; at the first one, go to the step before.

        Args:
            restore: take back what that step wrote into the data, too.
        """
        self._run.enter()
        return Back(restore)

    def repeat(self, notice: str | None = None) -> Action[S]:
        """Discard what this run of the step changed, say ``notice`` and ask again."""
        self._run.enter()
        return Repeat(notice)

    def retry(self) -> Action[S]:
        """For ``on_error``: run the failed step once more with the same answers, at most three
        times in a turn.
        """
        self._run.enter()
        return Retry()

    def wait(
        self,
        *accept: Input[Any],
        prompt: str | Reply | None = None,
        timeout: timedelta | None = None,
        remind: Remind | None = None,
        from_: People | None = None,
    ) -> Action[S]:
        """Keep the data and come to rest; the next input runs the handler from its top, with
        ``turn.input`` set.

        Args:
            accept: what is taken as an answer, tried in this order; a text unless said.
            prompt: the question, where no reply before has asked it.
            timeout: how long the answer may take; then ``on_timeout`` of the step or the flow
                decides.
            remind: reminders, each counted from now.
            from_: whose answer counts, where several people could give one.
        """
        self._run.enter()
        reply = Reply(text=prompt) if isinstance(prompt, str) else prompt
        timing = Timing.of(timeout, remind, None)
        return Wait(accept or (Text(),), reply, timing, tuple(self._people(from_)))

    def done(self) -> Action[S]:
        """This branch of a fork is over; the flow goes on when enough of them are."""
        self._run.enter()
        return Done()

    def remind(self, text: str | None = None) -> Action[S]:
        """For ``on_timeout``: say ``text``, ask again, and give the person the same time anew."""
        self._run.enter()
        return RemindAction(text)

    def escalate(self, reason: str, *, accept: Input[Any] | None = None) -> Action[S]:
        """Keep the data and hand over to an operator, who resumes, moves or ends this run of the
        flow. Resumed, the step is run from its top with ``turn.input``: the operator's answer.
        After ``on_error`` has decided so, it is the failed step that runs again, over its journal.

        Args:
            reason: what the operator reads.
            accept: what the operator may answer, and how it is read; None: any JSON.
        """
        self._run.enter()
        return Escalate(reason, accept)

    def complete(self) -> Action[S]:
        """The flow is over, and it succeeded."""
        self._run.enter()
        return Complete()

    def cancel(self, reason: str = "cancelled") -> Action[S]:
        """The flow is over, and it did not succeed."""
        self._run.enter()
        return Cancel(reason)
