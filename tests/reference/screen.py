"""What the reference model says: questions, hubs, hooks; and the tables that it reads."""

from __future__ import annotations

from itertools import count

from tests.reference.plans import Ask, BotPlan, ForkPlan, StepPlan
from tests.reference.state import (
    Buttons,
    Fork,
    HubPressed,
    Pressed,
    Run,
    Said,
    Spot,
    current,
)


class Screen:
    """What is said in one turn, and what runs.

    Attributes:
        stack: the runs that no other one called, the one on top last.
        ended: flow and ending of those that are over.
        now: milliseconds since the epoch.
        woke: when something last happened by itself.
    """

    def __init__(self, bot: BotPlan) -> None:
        self.bot = bot
        self.stack: list[Run] = []
        self.ended: list[tuple[str, str]] = []
        self.now = self.woke = 0
        self._said: list[Said] = []
        self._shown: Run | None = None
        self._ids = count(1)

    def _emit(self, text: str, buttons: Buttons = ()) -> None:
        self._said.append(Said(text, buttons))

    def _show_top(self) -> None:
        if self.stack:
            self._shown = self.stack[-1]
            self._show(self._shown)

    def _show(self, run: Run, *, hint: str | None = None) -> None:
        """What is talked about there is asked again."""
        spot = current(run)
        if not spot.at_hub:
            if spot.line.visit is not None and spot.visit.waiting is not None:
                prompt = ask_of(spot).text
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
        visit, ask = spot.visit, ask_of(spot)
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

    def _silence(self, spot: Spot) -> None:
        """The time for silence starts anew, all the way up."""
        ttl = self.bot.flow(spot.run.flow).ttl
        if ttl is not None:
            spot.run.silent = self.now + ttl * 1000
        if spot.run.caller is not None:
            self._silence(spot.run.caller)


def ask_of(spot: Spot) -> Ask:
    assert spot.visit.waiting is not None
    return spot.visit.waiting.ask
