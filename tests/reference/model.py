"""The reference model: a slow and simple interpreter of what conversations mean.

It keeps everything in plain objects, takes a copy of them before every turn, and recurses where
the engine loops. It knows nothing of journals: a step that is run again says nothing until the
answer that is new to it.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from itertools import count

from tests.reference.plans import END, FIELDS, Ask, BotPlan, Call, Decision, ForkPlan, StepPlan
from tests.reference.state import (
    Answer,
    Buttons,
    Cancelled,
    Data,
    Fork,
    HubPressed,
    Line,
    Meaning,
    Past,
    Pressed,
    Run,
    Said,
    Spot,
    TimedOut,
    Visit,
    Waiting,
    current,
    leaves,
    tree,
)

APOLOGY = "Sorry, something went wrong. Please try that again."
AT_START = "This is the start, there is no question before it."
BUSY = "Let us finish this first."
CANCELLED = "Cancelled."
EXPIRED = "This conversation has expired."
HELP = "Here is what I can do:"
LOST = "I did not understand that."
NOTHING_TO_CANCEL = "There is nothing to cancel."
NOTHING_TO_UNDO = "There is nothing to go back to."
NOT_NOW = "I did not expect that now."
REMINDER = "This is a reminder."
RUNNING = "We are in the middle of that already."
TIMED_OUT = "That took too long, so I have stopped here."


class Failed(Exception):
    """A handler raised."""


class Model:
    """What the bot of a plan does with one person.

    Attributes:
        stack: the runs that no other one called, the one on top last.
        ended: flow and ending of those that are over.
        now: milliseconds since the epoch.
    """

    def __init__(self, bot: BotPlan) -> None:
        self.bot = bot
        self.stack: list[Run] = []
        self.ended: list[tuple[str, str]] = []
        self.now = 0
        self._said: list[Said] = []
        self._shown: Run | None = None
        self._ids = count(1)

    # --- what happens -------------------------------------------------------------------

    def say(self, text: str, now: int) -> list[Said]:
        """The person says a text or a command."""
        return self._turn(now, lambda: self._text(text))

    def press(self, button: Meaning, now: int) -> list[Said]:
        """The person presses a button, shown or gone."""
        return self._turn(now, lambda: self._press(button))

    def order_goto(self, depth: int, step: str, now: int) -> list[Said]:
        """An operator moves the run at that place of the stack."""
        return self._turn(now, lambda: self._order_goto(self.stack[depth], step))

    def order_cancel(self, depth: int, now: int) -> list[Said]:
        """An operator ends the run at that place of the stack."""
        return self._turn(now, lambda: self._cancel(self.stack[depth]))

    def advance(self, until: int) -> list[Said]:
        """Time passes: whatever is due happens at its own time."""
        said: list[Said] = []
        while (due := self._first_due()) is not None and due[0] <= until:
            said += self._turn(due[0], lambda: None)
        self.now = until
        return said

    def _turn(self, now: int, happen: Callable[[], None]) -> list[Said]:
        self.now, self._said, self._shown = now, [], None
        before = deepcopy((self.stack, self.ended))
        try:
            self._overdue()
            happen()
            self._uncover()
        except Failed:
            self.stack, self.ended = before
            self._said = [Said(APOLOGY)]
        return _in_place(self._said)

    def _emit(self, text: str, buttons: Buttons = ()) -> None:
        self._said.append(Said(text, buttons))

    # --- who gets it --------------------------------------------------------------------

    def _text(self, text: str) -> None:
        match text:
            case "/cancel" if self.stack:
                self._cancel(self.stack[-1])
            case "/cancel":
                self._emit(NOTHING_TO_CANCEL)
            case "/back" if self.stack:
                self._shown = self.stack[-1]
                self._go_back(current(self.stack[-1]))
            case "/back":
                self._emit(NOTHING_TO_UNDO)
            case "/help":
                self._emit(HELP)
                self._show_top()
            case _ if text.startswith("/"):
                self._command(text.removeprefix("/"))
            case _:
                self._free(text)

    def _command(self, name: str) -> None:
        if any(flow.name == name for flow in self.bot.flows):
            self._start(name)
        else:
            self._left_over()

    def _left_over(self) -> None:
        if self.stack:
            self._show(self.stack[-1], hint=NOT_NOW)
        else:
            self._emit(LOST)

    def _free(self, text: str) -> None:
        spot = self._addressee(text)
        if spot is None:
            self._left_over()
            return
        self._shown = spot.root
        ask = _ask(spot)
        if ask.parses(text):
            self._answered(spot, text)
            return
        spot.take_focus()
        self._put(spot, text=ask.refusal)

    def _addressee(self, text: str) -> Spot | None:
        """Focus if it parses; others with a specific input; focus anyhow; free text; anybody."""
        waiting = leaves(self.stack[-1]) if self.stack else []
        focus = [spot for spot in waiting if not spot.held]
        others = sorted((spot for spot in waiting if spot.held), key=lambda spot: -_shown(spot))
        parse = [spot for spot in others if _ask(spot).parses(text)]
        passes = (
            [spot for spot in focus if _ask(spot).parses(text)],
            [spot for spot in parse if _ask(spot).wants != "word"],
            focus,
            parse,
            others,
        )
        return next((spots[0] for spots in passes if spots), None)

    def _press(self, button: Meaning) -> None:
        for root in self.stack:
            for run in tree(root):
                if isinstance(button, HubPressed):
                    if run.fork is not None and run.fork.id == button.fork:
                        return self._press_hub(run, run.fork, button.head)
                    continue
                for line in run.lines():
                    if line.visit is not None and line.visit.id == button.visit:
                        return self._press_answer(Spot(run, line), button)
        return self._show_top()

    def _press_answer(self, spot: Spot, button: Pressed) -> None:
        if spot.visit.waiting is None or spot.visit.asking != button.asking:
            self._show_top()
            return
        self._rise(spot.root)
        self._answered(spot, button.value)

    def _press_hub(self, run: Run, fork: Fork, head: str) -> None:
        if head == "" and not self._may_go_on(run, fork):
            self._show_top()
            return
        spot = Spot(run, run.main)
        self._rise(spot.root)
        self._heard(spot)
        if head == "":
            self._join(run)
            return
        branch = fork.branch(head)
        fork.focus = head
        if branch.visit is not None:
            self._show(run)
            return
        self._jump_to(Spot(run, branch), head)

    def _rise(self, root: Run) -> None:
        self._shown = root
        if self.stack[-1] is not root:
            self.stack.remove(root)
            self.stack.append(root)
            self._pass_over_reminders(root)

    def _answered(self, spot: Spot, text: str) -> None:
        self._heard(spot)
        spot.visit.answers.append(text)
        self._play(spot)

    def _heard(self, spot: Spot) -> None:
        spot.take_focus()
        self._silence(spot)

    # --- starting and ending ------------------------------------------------------------

    def _start(self, name: str) -> None:
        plan = self.bot.flow(name)
        running = next((run for run in self.stack if run.flow == name), None)
        if running is not None and plan.again != "restart":
            if plan.again == "refuse":
                self._emit(RUNNING)
            self._rise(running)
            self._show(running)
            return
        if running is not None:
            self._end(running, "cancelled", "restart")
        elif self.stack:
            match self.bot.flow(self.stack[-1].flow).interrupt:
                case "refuse":
                    self._emit(BUSY)
                    self._shown = self.stack[-1]
                    self._show(self._shown)
                    return
                case "replace":
                    self._end(self.stack[-1], "cancelled", "replaced")
        self._shown = run = Run(name, dict.fromkeys(FIELDS, ""))
        self.stack.append(run)
        self._begin(run)

    def _begin(self, run: Run) -> None:
        self._silence(Spot(run, run.main))
        self._enter(Spot(run, run.main), self.bot.flow(run.flow).steps[0].name, first=True)

    def _cancel(self, run: Run) -> None:
        self._emit(CANCELLED)
        self._end(run, "cancelled", "cancelled")

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
        for line in run.lines():
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

    def _uncover(self) -> None:
        """What was beneath an ended run is shown again."""
        if self._bury() and self.stack and self.stack[-1] is not self._shown:
            self._pass_over_reminders(self.stack[-1])
            self._show_top()

    def _bury(self) -> bool:
        running = [run for run in self.stack if run.ending is None]
        buried = len(running) < len(self.stack)
        self.stack = running
        return buried

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
        if focus is not None:
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

    def _order_goto(self, root: Run, step: str) -> None:
        self._shown = root
        self._rise(root)
        spot = Spot(root, root.main)
        if root.fork is not None and root.fork.focus is not None:
            spot = Spot(root, root.fork.branch(root.fork.focus))
        self._silence(spot)
        if self._is_sibling(spot, step):
            self._switch(spot, step)
            return
        if spot.line.visit is not None and spot.visit.child is not None:
            self._close(spot.visit.child, "cancelled")
            spot.visit.child = None
        self._jump(spot, step, {})

    # --- showing ------------------------------------------------------------------------

    def _show_top(self) -> None:
        if self.stack:
            self._shown = self.stack[-1]
            self._show(self._shown)

    def _show(self, run: Run, *, hint: str | None = None) -> None:
        """What is talked about there is asked again."""
        spot = current(run)
        if not spot.at_hub:
            if spot.line.visit is not None and spot.visit.waiting is not None:
                prompt = _ask(spot).text
                self._put(spot, text=prompt if hint is None else f"{hint}\n\n{prompt}")
            return
        if hint is not None:
            self._emit(hint)
        fork = spot.run.fork
        assert fork is not None
        text, buttons = self._progress(spot.run, fork), self._hub_buttons(spot.run, fork)
        self._said.append(Said(text, buttons, hub=fork.id))
        fork.shown = True

    def _put(self, spot: Spot, *, text: str | None = None) -> None:
        """Shows the question, or another text in its place."""
        visit, ask = spot.visit, _ask(spot)
        buttons = tuple((one, Pressed(visit.id, visit.asking, one)) for one in ask.labels)
        self._emit(ask.text if text is None else text, buttons)
        assert visit.waiting is not None
        visit.waiting.shown = self.now

    def _refresh(self, run: Run) -> None:
        fork = run.fork
        if fork is not None and fork.shown:
            text, buttons = self._progress(run, fork), self._hub_buttons(run, fork)
            self._said.append(Said(text, buttons, hub=fork.id, edit=True))

    def _progress(self, run: Run, fork: Fork) -> str:
        return f"hub {run.flow} {fork.done}/{self._fork_plan(run).need}"

    def _hub_buttons(self, run: Run, fork: Fork) -> Buttons:
        labels = [(f"\u2713 {one.head}" if one.done else one.head, one) for one in fork.branches]
        buttons = [(label, HubPressed(fork.id, one.head)) for label, one in labels]
        more = [("Continue", HubPressed(fork.id, ""))] if self._may_go_on(run, fork) else []
        return (*buttons, *more)

    def _may_go_on(self, run: Run, fork: Fork) -> bool:
        return fork.joined and fork.done >= self._fork_plan(run).need

    def _hook(self, flow: str, event: str) -> None:
        if self.bot.flow(flow).hooks:
            self._emit(f"[{flow} {event}]")

    def _plan(self, spot: Spot) -> StepPlan:
        return self.bot.flow(spot.run.flow).step(spot.visit.step)

    def _fork_plan(self, run: Run) -> ForkPlan:
        plan = self.bot.flow(run.flow).fork
        assert plan is not None
        return plan

    # --- time ---------------------------------------------------------------------------

    def _silence(self, spot: Spot) -> None:
        """The time for silence starts anew, all the way up."""
        ttl = self.bot.flow(spot.run.flow).ttl
        if ttl is not None:
            spot.run.silent = self.now + ttl * 1000
        if spot.run.caller is not None:
            self._silence(spot.run.caller)

    def _dues(self) -> list[tuple[int, int, Run, Spot | None]]:
        """Time, rank, and whose it is; reminders of parked runs are held."""
        found: list[tuple[int, int, Run, Spot | None]] = []
        for root in self.stack:
            runs = [run for run in tree(root) if run.silent is not None]
            found += [(run.silent or 0, 3, run, None) for run in runs]
            for spot in leaves(root):
                waiting = spot.visit.waiting
                if waiting is not None and waiting.deadline is not None:
                    found.append((waiting.deadline, 2, spot.run, spot))
                if waiting is not None and waiting.remind is not None and root is self.stack[-1]:
                    found.append((waiting.remind, 1, spot.run, spot))
        return found

    def _first_due(self) -> tuple[int, int, Run, Spot | None] | None:
        return min(self._dues(), key=lambda due: due[:2], default=None)

    def _overdue(self) -> None:
        buried = False
        while (due := self._first_due()) is not None and due[0] <= self.now:
            _, rank, run, spot = due
            if spot is None:
                self._emit(EXPIRED)
                self._end(run, "expired", "expired")
            elif rank == 1:
                self._remind(spot)
            else:
                spot.visit.answers.append(TimedOut())
                self._play(spot)
            buried = self._bury() or buried
        if buried and self.stack:
            self._pass_over_reminders(self.stack[-1])
            self._show_top()

    def _remind(self, spot: Spot) -> None:
        """Branches that are held are reminded of together; the first of them is shown last."""
        assert spot.visit.waiting is not None
        due, spot.visit.waiting.remind = spot.visit.waiting.remind, None
        self._emit(REMINDER)
        for other in leaves(spot.root) if spot.held else []:
            waiting = other.visit.waiting
            if waiting is not None and waiting.remind == due and other.held:
                waiting.remind = None
                self._put(other)
        self._put(spot)

    def _pass_over_reminders(self, root: Run) -> None:
        for spot in leaves(root):
            waiting = spot.visit.waiting
            if waiting is not None and waiting.remind is not None and waiting.remind <= self.now:
                waiting.remind = None


def _ask(spot: Spot) -> Ask:
    assert spot.visit.waiting is not None
    return spot.visit.waiting.ask


def _shown(spot: Spot) -> int:
    return spot.visit.waiting.shown if spot.visit.waiting is not None else 0


def _written(step: StepPlan, entry: Data, answer: Answer) -> Data:
    """The data as the step leaves it: the answer stands behind what the field held."""
    if step.writes is None:
        return entry
    return {**entry, step.writes: f"{entry[step.writes]}{answer}"[-9:]}


def _decision(step: StepPlan, answer: Answer) -> Decision:
    return step.ways.get(str(answer), step.usual)


def _in_place(said: list[Said]) -> list[Said]:
    """A hub that is sent and edited in one turn is sent once, at the place of the edit."""
    found: list[Said] = []
    for one in said:
        fresh = [old for old in found if one.edit and old.hub == one.hub and not old.edit]
        if fresh:
            found.remove(fresh[0])
            one = Said(one.text, one.buttons, hub=one.hub)
        found.append(one)
    return found
