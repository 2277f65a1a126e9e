"""Waiting in a plain handler, by what is waited for: ``ask`` with the input already chosen."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from enum import Enum
from typing import Any, TypedDict, TypeVar, overload

from typing_extensions import Unpack

from flows.errors import DefinitionError
from flows.inputs import Choice, Email, Number, Text, Voice
from flows.inputs.heard import CommandInput, HearsInput, PhotosInput, PressInput, UpdateInput
from flows.inputs.text import MAX_TEXT
from flows.messages.replies import Reply
from flows.plain.asks import PlainAsks, TextOrHandler
from flows.turns.asking import Check
from flows.turns.journal import Run
from flows.turns.timing import Remind
from flows.updates import Command, FileRef, Press, Update

T = TypeVar("T")
E = TypeVar("E", bound=Enum)

Prompt = str | Reply | None
"""A question; None: the last message of the handler is the question."""

Where = Callable[[Update], bool | Awaitable[bool]]
"""Tells which updates are meant."""


NOT_MEANT = "That is not what I am waiting for."
"""What is said to an update that is not meant."""


class Waiting(TypedDict, total=False):
    """What every wait takes; ``PlainAsks.ask`` explains it."""

    key: str | None
    otherwise: TextOrHandler | None
    timeout: timedelta | None
    remind: Remind | None
    on_timeout: TextOrHandler | None


class PlainWaits(PlainAsks):
    """The part of a context that waits."""

    async def wait_text(
        self,
        prompt: Prompt = None,
        *,
        min_length: int = 1,
        max_length: int = MAX_TEXT,
        **how: Unpack[Waiting],
    ) -> str:
        """Waits for a text, and answers it."""
        wanted = Text(min_length=min_length, max_length=max_length)
        return await self.ask(prompt, wanted, **how)

    async def wait_command(
        self, *names: str, prompt: Prompt = None, **how: Unpack[Waiting]
    ) -> Command:
        """Waits for a command: one of ``names``, or any where none is named. It comes here, and
        not to the flow or handler that it would call; /cancel and the like do not come here.

        Raises:
            DefinitionError: no command name.
        """
        return await self.ask(prompt, CommandInput(names=names), **how)

    async def wait_hears(
        self,
        pattern: str,
        prompt: Prompt = None,
        *,
        wanted: str | None = None,
        **how: Unpack[Waiting],
    ) -> str:
        """Waits for a text in which ``pattern`` (RE2) is found, and answers the text.

        Args:
            wanted: what is wanted, in words for the person.

        Raises:
            UnboundedPattern: RE2 refuses the pattern.
        """
        return await self.ask(prompt, HearsInput(pattern=pattern, wanted=wanted), **how)

    async def wait_number(
        self,
        prompt: Prompt = None,
        *,
        ge: Decimal | int | float | None = None,
        le: Decimal | int | float | None = None,
        places: int | None = None,
        **how: Unpack[Waiting],
    ) -> Decimal:
        """Waits for a number.

        Args:
            ge: the least that it may be.
            le: the greatest that it may be.
            places: decimal places that it may have.
        """
        return await self.ask(prompt, Number(ge=ge, le=le, places=places), **how)

    async def wait_email(self, prompt: Prompt = None, **how: Unpack[Waiting]) -> str:
        """Waits for an e-mail address, and answers it in its normal form."""
        return await self.ask(prompt, Email(), **how)

    @overload
    async def wait_choice(self, prompt: Prompt, options: type[E], **how: Unpack[Waiting]) -> E: ...

    @overload
    async def wait_choice(
        self, prompt: Prompt, options: Sequence[str], **how: Unpack[Waiting]
    ) -> str: ...

    @overload
    async def wait_choice(
        self,
        prompt: Prompt,
        options: Mapping[str, T] | Sequence[tuple[str, T]],
        **how: Unpack[Waiting],
    ) -> T: ...

    async def wait_choice(self, prompt: Prompt, options: Any, **how: Unpack[Waiting]) -> Any:
        """Waits for one of several options, each of which is a button; its label can be typed.

        Args:
            options: an enum, texts, or labels with their values, as ``Choice`` takes them.

        Raises:
            DefinitionError: these are no options.
        """
        wanted: Choice[Any] = Choice(options)
        return await self.ask(prompt, wanted, **how)

    async def wait_photos(
        self, prompt: Prompt = None, *, count: int = 1, **how: Unpack[Waiting]
    ) -> list[FileRef]:
        """Waits until ``count`` photos have come, and answers all that have. A ``key`` names the
        first message; a timeout holds for each.

        Raises:
            DefinitionError: ``count`` is below 1.
        """
        if count < 1:
            raise DefinitionError(f"wait_photos(count={count}): give 1 or more")
        photos = await self.ask(prompt, PhotosInput(), **how)
        rest: Waiting = {**how, "key": None}
        while len(photos) < count:
            more = await self.ask(None, PhotosInput(), **rest)
            photos += more
        return photos

    async def wait_voice(
        self, prompt: Prompt = None, *, max_seconds: int | None = None, **how: Unpack[Waiting]
    ) -> FileRef:
        """Waits for something that is spoken into the phone."""
        return await self.ask(prompt, Voice(max_seconds=max_seconds), **how)

    async def wait_callback(
        self, pattern: str = "*", prompt: Prompt = None, **how: Unpack[Waiting]
    ) -> Press:
        """Waits for the press of a button of your own whose data matches ``pattern``, in which
        ``*`` stands for anything.

        Raises:
            DefinitionError: no button can have such data.
        """
        return await self.ask(prompt, PressInput(pattern=pattern), **how)

    async def wait_any(
        self,
        *kinds: str,
        prompt: Prompt = None,
        where: Where | None = None,
        **how: Unpack[Waiting],
    ) -> Update:
        """Waits for whatever the person sends next, and answers the update. It comes here, and
        to no other handler.

        Args:
            kinds: of content, such as ``"photo"``, as in ``Update.kinds``; none: all but commands.
            where: looks at the update, may be async; False: that is not what is meant, and the
                person reads what ``otherwise`` says.

        Raises:
            DefinitionError: there is no such kind.
        """
        turn = await self._opened()
        wanted = UpdateInput(kinds=kinds)
        if _has_come(turn._run, wanted):
            turn._run.visit.answers[-1].value = wanted.dump(turn._around.update)
        check = self._checked(where, how.get("otherwise")) if where is not None else None
        return await self.ask(prompt, wanted, check=check, **how)

    def _checked(self, where: Where, otherwise: TextOrHandler | None) -> Check[Update]:
        """A check of the update that has come, which calls ``otherwise`` itself."""

        async def check(update: Update) -> str | None:
            meant = where(update)
            if await meant if inspect.isawaitable(meant) else meant:
                return None
            told = self._telling(otherwise)
            if told is None or isinstance(told, str):
                return told or NOT_MEANT
            await told()
            return ""

        return check


def _has_come(run: Run, wanted: UpdateInput) -> bool:
    """Whether the answer to this question is the update that has just come in."""
    return run.at_fresh and run.visit.answers[-1].kind == wanted.kind
