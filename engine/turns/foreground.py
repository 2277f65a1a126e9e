"""The instance that is talked about, and its question on the screen."""

from __future__ import annotations

from collections.abc import Iterator

from engine.state.timers import pass_over_reminders
from engine.steps import showing
from engine.steps.places import Place, current, leaves, top
from engine.turns.conversations import Conversations
from engine.turns.stage import Stage
from flows.inputs import input_from_json
from flows.messages.translations import said
from flows.turns.instance import FlowInstance


class Foreground:
    """What a turn shows.

    Attributes:
        shown: the id of the instance whose question was shown last, or that took the input.
    """

    __slots__ = ("_conversations", "_stage", "shown")

    def __init__(self, stage: Stage, conversations: Conversations) -> None:
        self._stage = stage
        self._conversations = conversations
        self.shown: str | None = None

    @property
    def talked_in(self) -> str | None:
        """The storage key of the scope whose question was shown last."""
        return self._conversations.home_of(self.shown) if self.shown is not None else None

    def foremost(self) -> FlowInstance | None:
        """The instance that is talked about."""
        return self._conversations.foremost(self._stage.flows)

    def place(self, root: FlowInstance) -> Place:
        """Where the instance stands."""
        return top(root, self._stage.flows)

    def note(self, root: FlowInstance | None) -> None:
        """The instance has shown its question by itself."""
        if root is not None:
            self.shown = root.id

    def show(self) -> None:
        """Shows the question of what is talked about, if there is one."""
        foremost = self.foremost()
        if foremost is not None:
            self.show_of(foremost)

    def show_of(self, root: FlowInstance) -> None:
        """Shows the question of an instance."""
        showing.show(self._stage, self.place(root))
        self.note(root)

    def show_with_hint(self, root: FlowInstance) -> None:
        """Shows the question again to who has said something else, and what would be taken."""
        place = self.place(root)
        hints = dict.fromkeys(map(said, self._hints(place)))
        hint = " ".join((said(self._stage.texts.not_now), *hints))
        showing.show(self._stage, place, hint=hint)

    def rise(self, root: FlowInstance) -> None:
        """The instance takes the input from now on."""
        if self._conversations.raise_to_top(root):
            pass_over_reminders(root, self._stage.flows, self._stage.now)

    def uncover(self) -> None:
        """Takes ended instances off the stacks and shows the question that was beneath."""
        if self._conversations.uncover():
            self.show_uncovered()

    def show_uncovered(self) -> None:
        """Shows the question of what is talked about now, unless it was shown already."""
        foremost = self.foremost()
        if foremost is not None and foremost.id != self.shown:
            pass_over_reminders(foremost, self._stage.flows, self._stage.now)
            self.show_of(foremost)

    def _hints(self, place: Place) -> Iterator[str]:
        """What would be taken, of what is talked about; of everything at a hub."""
        here = current(place, self._stage.flows)
        lines = leaves(place, self._stage.flows) if here.at_hub else (here,)
        for line in lines:
            visit = line.line.visit
            if visit is not None and visit.waiting is not None:
                yield from (input_from_json(stored).hint() for stored in visit.waiting.inputs)
