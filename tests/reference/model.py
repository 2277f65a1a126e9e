"""The reference model: a slow and simple interpreter of what conversations mean.

It keeps everything in plain objects, and takes a copy of them before every turn.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy

from tests.reference.plans import FIELDS
from tests.reference.screen import ask_of
from tests.reference.state import (
    ConfirmPressed,
    Fork,
    HubPressed,
    Meaning,
    Pressed,
    Run,
    Said,
    Spot,
    TimedOut,
    current,
    leaves,
    tree,
)
from tests.reference.walking import Failed, Walking

APOLOGY = "Sorry, something went wrong. Please try that again."
BUSY = "Let us finish this first."
CANCELLED = "Cancelled."
EXPIRED = "This conversation has expired."
HELP = "Here is what I can do:"
LOST = "I did not understand that."
NOTHING_TO_CANCEL = "There is nothing to cancel."
NOTHING_TO_UNDO = "There is nothing to go back to."
NOT_NOW = "I did not expect that now."
OVER = "We are in the middle of that already. Start over?"
REMINDER = "This is a reminder."
RUNNING = "We are in the middle of that already."


class Model(Walking):
    """What the bot of a plan does with one person."""

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
            self.woke = due[0]
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
        ask = ask_of(spot)
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
        parse = [spot for spot in others if ask_of(spot).parses(text)]
        passes = (
            [spot for spot in focus if ask_of(spot).parses(text)],
            [spot for spot in parse if ask_of(spot).wants != "word"],
            focus,
            parse,
            others,
        )
        return next((spots[0] for spots in passes if spots), None)

    def _press(self, button: Meaning) -> None:
        for root in self.stack:
            if isinstance(button, ConfirmPressed):
                if root.pending == button.pending:
                    return self._press_confirm(root, button)
                continue
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
        if running is not None and plan.again == "confirm":
            self._confirm(running)
            return
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

    def _confirm(self, running: Run) -> None:
        """It runs already: whether to start over is asked, and nothing else is changed."""
        running.pending = pending = next(self._ids)
        buttons = (
            ("Start over", ConfirmPressed(pending, True)),
            ("Continue", ConfirmPressed(pending, False)),
        )
        self._emit(OVER, buttons)
        self._shown = running

    def _press_confirm(self, root: Run, button: ConfirmPressed) -> None:
        root.pending = None
        if not button.over:
            self._rise(root)
            self._show(root)
            return
        self._end(root, "cancelled", "restart")
        self._shown = run = Run(root.flow, dict.fromkeys(FIELDS, ""))
        self.stack.append(run)
        self._begin(run)

    def _cancel(self, run: Run) -> None:
        self._emit(CANCELLED)
        self._end(run, "cancelled", "cancelled")

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

    # --- what an operator orders --------------------------------------------------------

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

    # --- time ---------------------------------------------------------------------------

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
        uncovered = False
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
            if self._bury() and self.stack:
                uncovered = True
                self._pass_over_reminders(self.stack[-1])
        if uncovered and self.stack:
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


def _shown(spot: Spot) -> int:
    return spot.visit.waiting.shown if spot.visit.waiting is not None else 0


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
