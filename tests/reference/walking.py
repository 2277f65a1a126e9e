"""How the reference model goes through the steps of a run: on, back, into forks and out."""

from __future__ import annotations

from tests.reference.plans import END, FIELDS, Ask, Call, Decision, StepPlan
from tests.reference.screen import Screen
from tests.reference.state import (
    Answer,
    Cancelled,
    Data,
    Fork,
    Line,
    Past,
    Run,
    Said,
    Spot,
    TimedOut,
    Visit,
    Waiting,
)

AT_START = "This is the start, there is no question before it."
TIMED_OUT = "That took too long, so I have stopped here."


class Failed(Exception):
    """A handler raised."""


class Walking(Screen):
    """Runs steps; recurses where the engine loops. Knows nothing of journals: a step that is run
    again says nothing until the answer that is new to it.
    """

    # --- starting and ending ------------------------------------------------------------

    def _begin(self, run: Run) -> None:
        self._silence(Spot(run, run.main))
        self._enter(Spot(run, run.main), self.bot.flow(run.flow).steps[0].name, first=True)

    def _end(self, run: Run, ending: str, reason: str, *, left: Line | None = None) -> None:
        """The run is over, inner ones first; whoever called it goes on."""
        self._close(run, ending, left=left)
        if run.caller is None:
            self.ended.append((run.flow, ending))
            return
        caller = run.caller
        caller.visit.child = None
        result = run.data["a"] if ending == "completed" else Cancelled(reason)
        caller.visit.answers.append(result)
        self._play(caller)

    def _close(self, run: Run, ending: str, *, left: Line | None = None) -> None:
        shelved = run.shelved.branches if run.shelved is not None else []
        for line in [*run.lines(), *shelved]:
            self._drop(Spot(run, line), hook=line is not left)
        run.ending = ending
        self._hook(run.flow, "complete" if ending == "completed" else "cancel")
        self._hook(run.flow, f"exit {ending}")

    def _drop(self, spot: Spot, *, hook: bool = True) -> None:
        """The line does not go on: what it has called is cancelled, and its step is left."""
        visit = spot.line.visit
        if visit is None:
            return
        if visit.child is not None:
            self._close(visit.child, "cancelled")
            visit.child = None
        if hook:
            self._hook(spot.run.flow, f"leave {visit.step}")

    # --- running a step -----------------------------------------------------------------

    def _enter(
        self, spot: Spot, step: str, *, origin: str | None = None, first: bool = False
    ) -> None:
        run = spot.run
        spot.line.visit = visit = Visit(next(self._ids), step, dict(run.data), origin=origin)
        if first:
            self._hook(run.flow, "enter")
        self._hook(run.flow, f"enter {step}")
        self._play(spot, fresh=visit)

    def _play(self, spot: Spot, *, fresh: Visit | None = None) -> None:
        """Runs the step until a question, a call or its decision; ``fresh``: it may speak."""
        step = self._plan(spot)
        if fresh is not None and step.says:
            self._emit(step.says)
        for number, part in enumerate(step.parts):
            if number == len(spot.visit.answers):
                spot.visit.asked = True
                self._rest(spot, part)
                return
            match spot.visit.answers[number]:
                case TimedOut():
                    self._emit(TIMED_OUT)
                    self._decide(spot, spot.visit.entry, Decision("cancel", "timed out"))
                    return
                case Cancelled(reason):
                    back = Decision("back") if reason == "back" else Decision("cancel", reason)
                    self._decide(spot, spot.visit.entry, back)
                    return
        answer = spot.visit.answers[-1] if spot.visit.answers else ""
        self._decide(spot, _written(step, spot.visit.entry, answer), _decision(step, answer))

    def _rest(self, spot: Spot, part: Ask | Call) -> None:
        if isinstance(part, Call):
            child = Run(part.flow, dict.fromkeys(FIELDS, ""), caller=spot)
            spot.visit.waiting, spot.visit.child = None, child
            self._begin(child)
            return
        deadline = self.now + part.timeout * 1000 if part.timeout is not None else None
        remind = self.now + part.remind * 1000 if part.remind is not None else None
        spot.visit.waiting = Waiting(part, 0, deadline, remind)
        if not spot.held:
            self._put(spot)

    def _decide(self, spot: Spot, data: Data, decision: Decision) -> None:
        run, visit = spot.run, spot.visit
        match decision.verb:
            case "fail":
                raise Failed
            case "repeat":
                self._emit("again")
                visit.forget(run.data)
                self._play(spot, fresh=visit)
                return
            case "back" | "restore":
                if visit.answers:
                    visit.undo()
                self._back(spot, data, restore=decision.verb == "restore")
                return
            case "goto" if visit.origin is None and self._is_sibling(spot, decision.step):
                if visit.answers:
                    visit.undo()
                self._switch(spot, str(decision.step))
                return
        undo = self._write(spot, data)
        match decision.verb:
            case "cancel":
                self._leave(spot)
                self._end(run, "cancelled", decision.step or "cancelled", left=spot.line)
            case "complete":
                self._leave(spot)
                self._end(run, "completed", "", left=spot.line)
            case _ if visit.origin is not None:
                self._leave(spot)
                self._enter(spot, visit.origin)
            case "detour":
                self._leave(spot)
                self._enter(spot, str(decision.step), origin=visit.step)
            case "goto":
                self._jump(spot, str(decision.step), undo)
            case "done":
                self._end_branch(spot, undo)
            case _:
                self._next(spot, decision.step or self._way(spot, data), undo)

    def _way(self, spot: Spot, data: Data) -> str:
        """Where ``next`` without a target goes; "" is the end of a branch."""
        plan, step = self.bot.flow(spot.run.flow), self._plan(spot)
        if step.cases:
            cases = (to for field, letter, to in step.cases if letter in data[field])
            return next(cases, step.otherwise)
        if plan.fork is not None and plan.fork.after == step.name:
            return "fork"
        return plan.following(step.name)

    def _next(self, spot: Spot, target: str, undo: Data) -> None:
        fork = self.bot.flow(spot.run.flow).fork
        if target == END:
            self._leave(spot)
            self._end(spot.run, "completed", "", left=spot.line)
        elif target == "fork":
            self._leave(spot)
            self._open(spot, None, undo)
        elif target == "" or (spot.branch and fork is not None and target == fork.join):
            self._end_branch(spot, undo)
        elif fork is not None and spot.branch and fork.head_of(target) != spot.line.head:
            self._end_branch(spot, undo, focus=target)
        else:
            self._go(spot, target, undo)

    def _go(self, spot: Spot, target: str, undo: Data) -> None:
        self._leave(spot)
        self._remember(spot, undo)
        self._enter(spot, target)

    def _write(self, spot: Spot, data: Data) -> Data:
        """Writes the fields that differ from those at entry; answers what they were before."""
        run = spot.run
        changed = {name: text for name, text in data.items() if text != spot.visit.entry[name]}
        undo = {name: run.data[name] for name in changed}
        run.data.update(changed)
        if spot.branch and run.fork is not None:
            run.fork.before = {**undo, **run.fork.before}
        return undo

    def _leave(self, spot: Spot) -> None:
        if spot.line.visit is not None:
            self._hook(spot.run.flow, f"leave {spot.line.visit.step}")

    def _remember(self, spot: Spot, undo: Data) -> None:
        visit = spot.line.visit
        if visit is not None:
            spot.line.past.append(Past(visit.step, visit.asked, undo))

    # --- going back ---------------------------------------------------------------------

    def _go_back(self, spot: Spot) -> None:
        """The person says so."""
        self._back(spot, None)

    def _back(self, spot: Spot, data: Data | None, *, restore: bool = False) -> None:
        """``data``: what the step leaves that has decided so; None: the person says so."""
        run, line, visit = spot.run, spot.line, spot.line.visit
        if visit is not None and visit.answers:
            visit.undo()
            self._play(spot)
            return
        past = next((one for one in reversed(line.past) if one.asked or one.fork), None)
        if visit is not None and visit.origin is not None:
            self._settle(spot, data)
            self._leave(spot)
            self._enter(spot, visit.origin)
        elif past is not None:
            self._settle(spot, data)
            self._return_to(spot, past, restore=restore)
        elif spot.branch:
            self._unfocus(spot, decided=data is not None)
        elif run.caller is not None:
            self._settle(spot, data)
            self._end(run, "cancelled", "back")
        else:
            self._emit(AT_START)
            if data is not None:
                spot.visit.forget(run.data)
                self._play(spot)
            else:
                self._show(run)

    def _settle(self, spot: Spot, data: Data | None) -> None:
        if data is not None:
            self._write(spot, data)

    def _return_to(self, spot: Spot, past: Past, *, restore: bool) -> None:
        run, line = spot.run, spot.line
        if spot.at_hub:
            run.shelved, run.fork = run.fork, None
        self._leave(spot)
        gone = line.past[line.past.index(past) :]
        del line.past[-len(gone) :]
        for one in reversed(gone if restore else []):
            if one.fork is None:  # what was done in branches stays done
                run.data.update(one.undo)
        if past.fork is None:
            self._enter(spot, past.step)
            return
        run.fork, line.visit = past.fork, None
        past.fork.id, past.fork.focus, past.fork.joined = next(self._ids), None, True
        self._show(run)

    def _unfocus(self, spot: Spot, *, decided: bool) -> None:
        fork = spot.run.fork
        assert fork is not None
        fork.focus = None
        if decided:
            spot.visit.forget(spot.run.data)
            self._play(spot)
        self._show(spot.run)

    # --- forks --------------------------------------------------------------------------

    def _open(self, spot: Spot, step: str | None, undo: Data) -> None:
        """Each branch runs to its first question; ``step``: one that is begun with, in focus."""
        run, plan = spot.run, self._fork_plan(spot.run)
        self._remember(spot, undo)
        run.main.visit = None
        fork = run.shelved or Fork(0, [Line(branch[0]) for branch in plan.branches])
        run.fork, run.shelved = fork, None
        fork.id, fork.focus, fork.shown = next(self._ids), None, False
        focus = plan.head_of(step) if step is not None else None
        for line in fork.branches:
            if line.head == focus:
                self._jump_to(Spot(run, line), str(step))
            elif not line.done and line.visit is None:
                self._enter(Spot(run, line), line.head)
            if run.fork is not fork or run.ending is not None:
                return
        self._show(run)
        if focus is not None and not fork.branch(focus).done:
            fork.focus = focus
            self._show(run)

    def _jump_to(self, spot: Spot, step: str) -> None:
        """Another step of a branch, whatever it stands at."""
        self._drop(spot)
        self._remember(spot, {})
        if spot.line.visit is None:
            spot.line.past.clear()
        spot.line.done = False
        self._refresh(spot.run)
        self._enter(spot, step)

    def _end_branch(self, spot: Spot, undo: Data, *, focus: str | None = None) -> None:
        run, fork = spot.run, spot.run.fork
        assert fork is not None
        self._leave(spot)
        self._remember(spot, undo)
        spot.line.visit, spot.line.done, fork.focus = None, True, None
        if fork.done >= self._fork_plan(run).need:
            self._join(run)
            return
        self._refresh(run)
        if focus is not None and not fork.branch(focus).done:
            fork.focus = focus
            self._show(run)

    def _join(self, run: Run) -> None:
        fork, plan = run.fork, self._fork_plan(run)
        assert fork is not None
        for line in fork.branches:
            if not line.done:
                self._drop(Spot(run, line))
                line.visit = None
        if fork.shown:
            self._said.append(Said(self._progress(run, fork), hub=fork.id, edit=True))
        run.main.past.append(Past(plan.after, True, dict(fork.before), fork))
        run.fork = None
        if plan.join == END:
            self._end(run, "completed", "")
        else:
            self._enter(Spot(run, run.main), plan.join)

    def _abandon(self, run: Run, *, left: Line) -> None:
        assert run.fork is not None
        for line in run.fork.branches:
            if not line.done:
                self._drop(Spot(run, line), hook=line is not left)
        run.fork = None

    def _is_sibling(self, spot: Spot, step: str | None) -> bool:
        fork = self.bot.flow(spot.run.flow).fork
        head = fork.head_of(str(step)) if fork is not None else None
        return spot.run.fork is not None and head is not None and head != spot.line.head

    def _switch(self, spot: Spot, step: str) -> None:
        """Another branch is talked about; this one goes on waiting where it was."""
        run, fork = spot.run, spot.run.fork
        assert fork is not None
        sibling = fork.branch(str(self._fork_plan(run).head_of(step)))
        fork.focus = sibling.head
        if spot.line.visit is not None and spot.visit.waiting is None and spot.visit.child is None:
            self._play(spot)
        if sibling.visit is not None and sibling.visit.step == step:
            self._show(run)
            return
        self._jump_to(Spot(run, sibling), step)

    def _jump(self, spot: Spot, step: str, undo: Data) -> None:
        """``goto``: anywhere."""
        run, plan = spot.run, self.bot.flow(spot.run.flow).fork
        if plan is None or plan.head_of(step) is None:
            self._leave(spot)
            if run.fork is not None:
                self._abandon(run, left=spot.line)
                self._enter(Spot(run, run.main), step)
                return
            self._remember(spot, undo)
            self._enter(spot, step)
        elif run.fork is None:
            self._leave(spot)
            self._open(spot, step, undo)
        else:
            self._go(spot, step, undo)


def _written(step: StepPlan, entry: Data, answer: Answer) -> Data:
    """The data as the step leaves it: the answer stands behind what the field held."""
    if step.writes is None:
        return entry
    return {**entry, step.writes: f"{entry[step.writes]}{answer}"[-9:]}


def _decision(step: StepPlan, answer: Answer) -> Decision:
    return step.ways.get(str(answer), step.usual)
