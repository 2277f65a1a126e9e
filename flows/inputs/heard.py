"""What conversations without a flow wait for besides answers: commands, presses, a phrase, and
whatever comes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from fnmatch import fnmatchcase
from typing import Any, ClassVar, Self

import orjson
from pydantic import TypeAdapter

from flows.inputs.albums import photos_in
from flows.inputs.base import Input, Json, StringInput, decoded
from flows.messages.translations import phrase
from flows.routing.patterns import compile_pattern
from flows.routing.triggers import OnCallback, command_name
from flows.updates import (
    ChatMigrated,
    Command,
    Content,
    FileRef,
    Opened,
    Order,
    Press,
    SendFailed,
    TextMessage,
    TimerFired,
    Update,
    is_silent,
)

_COMMAND: TypeAdapter[Command] = TypeAdapter(Command)
_PRESS: TypeAdapter[Press] = TypeAdapter(Press)
_FILES: TypeAdapter[list[FileRef]] = TypeAdapter(list[FileRef])


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandInput(Input[Command]):
    """A command, such as ``/done``. The commands that work inside every flow come first.

    Attributes:
        names: which commands; none: any.
    """

    kind: ClassVar[str] = "given_command"

    names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "names", tuple(command_name(name) for name in self.names))
        Input.__post_init__(self)

    def fits(self, content: Content) -> bool:
        """Whether it is one of these commands."""
        return isinstance(content, Command) and (not self.names or content.name in self.names)

    def parse(self, content: Content) -> Json:
        """The command as a JSON object."""
        if not isinstance(content, Command):
            raise self.refused(self.hint())
        return self.dump(content)

    def load(self, value: Json) -> Command:
        """The command of its JSON form."""
        return _COMMAND.validate_python(value)

    def dump(self, value: Command) -> Json:
        """The command as a JSON object."""
        if not isinstance(value, Command):
            raise ValueError(f"{value!r} is no command")
        return asdict(value)

    def hint(self) -> str:
        """Names the commands."""
        named = ", ".join(f"/{name}" for name in self.names)
        if not named:
            return self.retry or phrase("Please send a command.")
        return self.retry or phrase("Please send {wanted}.", wanted=named)

    def stored(self) -> dict[str, Json]:
        """The names as a list."""
        return {**Input.stored(self), **({"names": list(self.names)} if self.names else {})}

    @classmethod
    def restored(cls, data: Mapping[str, Any]) -> Self:
        """Reads the names from a list."""
        return cls(**decoded(data, tuple, "names"))


@dataclass(frozen=True, slots=True, kw_only=True)
class PressInput(Input[Press]):
    """A press of a button of one's own; those of questions never match.

    Attributes:
        pattern: of the button's data; ``*`` stands for anything.
    """

    kind: ClassVar[str] = "given_press"

    pattern: str = "*"

    def __post_init__(self) -> None:
        OnCallback(self.pattern)  # says what is wrong with it
        Input.__post_init__(self)

    def fits(self, content: Content) -> bool:
        """Whether it is the press of such a button."""
        return isinstance(content, Press) and fnmatchcase(content.data, self.pattern)

    def parse(self, content: Content) -> Json:
        """The press as a JSON object."""
        if not isinstance(content, Press):
            raise self.refused(self.hint())
        return self.dump(content)

    def load(self, value: Json) -> Press:
        """The press of its JSON form."""
        return _PRESS.validate_python(value)

    def dump(self, value: Press) -> Json:
        """The press as a JSON object."""
        if not isinstance(value, Press):
            raise ValueError(f"{value!r} is no press")
        return asdict(value)

    def hint(self) -> str:
        """Asks for a press."""
        return self.retry or phrase("Please press one of the buttons.")


@dataclass(frozen=True, slots=True, kw_only=True)
class HearsInput(StringInput):
    """A text in which a pattern is found: the text.

    Attributes:
        pattern: a regular expression, in RE2 syntax.
        wanted: what is wanted, in words for the person.

    Raises:
        UnboundedPattern: at construction, for back-references and look-around.
    """

    kind: ClassVar[str] = "hears"

    pattern: str
    wanted: str | None = None

    def __post_init__(self) -> None:
        compile_pattern(self.pattern)
        StringInput.__post_init__(self)

    def fits(self, content: Content) -> bool:
        """Whether it is a text in which the pattern is found."""
        if not isinstance(content, TextMessage):
            return False
        return compile_pattern(self.pattern).search(content.text) is not None

    def parse_text(self, text: str) -> Json:
        """The text."""
        return text

    def hint(self) -> str:
        """Says what is wanted, as far as the definition tells."""
        if self.retry is None and self.wanted is not None:
            return phrase("Please send {wanted}.", wanted=self.wanted)
        return StringInput.hint(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class PhotosInput(Input[list[FileRef]]):
    """Photos: all that are in one update, an album or a photo alone."""

    kind: ClassVar[str] = "given_photos"

    def fits(self, content: Content) -> bool:
        """Whether a photo is in it."""
        return bool(photos_in(content))

    def parse(self, content: Content) -> Json:
        """The references of the photos."""
        return self.dump(photos_in(content))

    def load(self, value: Json) -> list[FileRef]:
        """The references of their JSON form."""
        return _FILES.validate_python(value)

    def dump(self, value: list[FileRef]) -> Json:
        """The references as JSON objects."""
        return [asdict(file) for file in value]

    def hint(self) -> str:
        """Asks for a photo."""
        return self.retry or phrase("Please send a photo.")


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateInput(Input[Update]):
    """Whatever a person sends, commands apart: the update. Only ``ctx.wait_any`` takes it, which
    puts the whole update into the journal, where an input sees its content alone.

    Attributes:
        kinds: of content, as in ``Update.kinds``; none: all but commands.
    """

    kind: ClassVar[str] = "given_update"

    kinds: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        unknown = [kind for kind in self.kinds if kind not in Update.kinds]
        if unknown:
            raise self._cannot(
                f"there is no kind {unknown[0]!r} of update. The kinds are "
                f"{', '.join(Update.kinds)}"
            )
        Input.__post_init__(self)

    @property
    def specific(self) -> bool:
        """Whether it takes some kinds only."""
        return bool(self.kinds)

    def fits(self, content: Content) -> bool:
        """Whether it is of these kinds, and sent by a person."""
        return content.kind in self.kinds if self.kinds else _is_said(content)

    def parse(self, content: Content) -> Json:
        """Nothing: the update is put in its place."""
        return None

    def load(self, value: Json) -> Update:
        """The update of its JSON form."""
        return Update.from_json(orjson.dumps(value).decode())

    def dump(self, value: Update) -> Json:
        """The update as a JSON object."""
        dumped: Json = orjson.loads(value.to_json())
        return dumped

    def stored(self) -> dict[str, Json]:
        """The kinds as a list."""
        return {**Input.stored(self), **({"kinds": list(self.kinds)} if self.kinds else {})}

    @classmethod
    def restored(cls, data: Mapping[str, Any]) -> Self:
        """Reads the kinds from a list."""
        return cls(**decoded(data, tuple, "kinds"))


def _is_said(content: Content) -> bool:
    """Whether a person has sent it as something to be answered, and it is no command."""
    match content:
        case Command() | Opened() | TimerFired() | Order() | SendFailed() | ChatMigrated():
            return False
    return not is_silent(content)
