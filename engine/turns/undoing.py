"""Taking back what a turn has done, where a part of it fails."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from engine.state.conversation import Conversation
from engine.steps.running import StepFailed
from engine.turns.conversations import Conversations
from engine.turns.foreground import Foreground
from engine.turns.stage import Stage

Undoing = Callable[[], AbstractContextManager[None]]
"""Makes a context; what a turn has done inside of it is taken back where it fails."""


@contextmanager
def undone_by_an_error(
    stage: Stage, conversations: Conversations, foreground: Foreground
) -> Iterator[None]:
    """Takes back all that is done inside, but for the results of ``turn.once``, should it fail.

    Raises:
        BaseException: what was raised inside; of a StepFailed, its cause.
    """
    before = {key: one.encode() for key, one in conversations.by_key.items()}
    session, shown = stage.session.value, foreground.shown
    said, moved = stage.effects.mark(), len(stage.moves)
    ended, entered = len(stage.ended), len(stage.entered)
    try:
        yield
    except BaseException as error:
        for key, text in before.items():
            conversation = conversations.by_key[key]
            conversation.go_back_to(Conversation.decode(key, text))
            conversation.keep_results(stage.notes)
        stage.noted.clear()
        stage.effects.undo(said)
        del stage.moves[moved:], stage.ended[ended:], stage.entered[entered:]
        stage.session.value, foreground.shown = session, shown
        if isinstance(error, StepFailed):
            raise error.cause from None
        raise
