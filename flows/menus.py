"""The menus of commands that a channel shows: which commands, in which chats, in which words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol, get_args, runtime_checkable

from flows.errors import DefinitionError

Audience = Literal["everybody", "private", "groups", "admins"]
"""Where a command stands in the menu: in all chats, in private ones, in groups, or in groups for
their administrators alone.
"""

MenuScope = Audience | int
"""An audience, or one chat by its id."""

AUDIENCES: tuple[Audience, ...] = get_args(Audience)


@dataclass(frozen=True, slots=True)
class MenuCommand:
    """A command as menus have it.

    Attributes:
        languages: the description in other languages, by two-letter code.
        scopes: where it is shown; nowhere where there is none.
    """

    name: str
    description: str
    languages: tuple[tuple[str, str], ...] = ()
    scopes: tuple[MenuScope, ...] = ("everybody",)


@dataclass(frozen=True, slots=True)
class Menu:
    """The commands that a scope's menu has, for people of a language.

    Attributes:
        language: a two-letter code; empty: everybody whose language has no menu of its own.
        commands: names and descriptions.
    """

    scope: MenuScope
    language: str
    commands: tuple[tuple[str, str], ...]


@runtime_checkable
class ShowsMenus(Protocol):
    """A channel that has a menu for each audience and language."""

    async def show_menus(self, menus: Sequence[Menu]) -> None:
        """Shows these menus and no others, once it is open. It never fails: menus are only a
        convenience.
        """
        ...


def menus_of(commands: Sequence[MenuCommand]) -> tuple[Menu, ...]:
    """The menus that the commands make, the broadest scope first.

    A service shows the menu of the narrowest scope alone, so each has what belongs to the broader
    ones as well, and is there in every language that one of its commands knows.
    """
    used = {scope for command in commands for scope in command.scopes}
    chats = sorted(scope for scope in used if isinstance(scope, int))
    scopes: list[MenuScope] = [*(scope for scope in AUDIENCES if scope in used), *chats]
    return tuple(
        Menu(scope, language, _described(shown, language))
        for scope in scopes
        if (shown := [one for one in commands if _is_shown(one, scope)])
        for language in ("", *_languages(shown))
    )


def are_plain(commands: Iterable[MenuCommand]) -> bool:
    """Whether one menu does for everybody."""
    return all(one.scopes == ("everybody",) and not one.languages for one in commands)


def described_once(commands: Iterable[MenuCommand]) -> list[tuple[str, str]]:
    """Names and descriptions, each name once: as it stands there first."""
    found: dict[str, str] = {}
    for command in commands:
        found.setdefault(command.name, command.description)
    return list(found.items())


def scopes_of_menu(scope: object) -> tuple[MenuScope, ...]:
    """The scopes that are meant, by one or several. Raises DefinitionError when one is none."""
    given: tuple[Any, ...] = (scope,)
    if isinstance(scope, Sequence) and not isinstance(scope, str):
        given = tuple(scope)
    for one in given:
        if one not in AUDIENCES and (isinstance(one, bool) or not isinstance(one, int)):
            raise DefinitionError(
                f"{one!r} is no scope of a menu. Take one of {', '.join(AUDIENCES)}, or the id of "
                "a chat."
            )
    return given


def languages_of_menu(
    languages: Mapping[str, str] | Sequence[tuple[str, str]],
) -> tuple[tuple[str, str], ...]:
    """Descriptions by language, in order. Raises DefinitionError when a language is none."""
    pairs = languages.items() if isinstance(languages, Mapping) else languages
    for code, _ in pairs:
        if not (len(code) == 2 and code.isascii() and code.isalpha() and code.islower()):
            raise DefinitionError(
                f"{code!r} is no language of a menu. Take a two-letter code (ISO 639-1), such as "
                "'de'."
            )
    return tuple(sorted(pairs))


def _is_shown(command: MenuCommand, scope: MenuScope) -> bool:
    """Whether a scope's menu has the command: its own, or that of a broader scope."""
    return not set(command.scopes).isdisjoint(_broader(scope))


def _broader(scope: MenuScope) -> tuple[MenuScope, ...]:
    match scope:
        case "everybody":
            return ("everybody",)
        case "private" | "groups":
            return ("everybody", scope)
        case "admins":
            return ("everybody", "groups", "admins")
    # Telegram's ids of groups are below zero
    return ("everybody", "groups" if scope < 0 else "private", scope)


def _languages(commands: Iterable[MenuCommand]) -> list[str]:
    return sorted({code for command in commands for code, _ in command.languages})


def _described(commands: Iterable[MenuCommand], language: str) -> tuple[tuple[str, str], ...]:
    found: dict[str, str] = {}
    for one in commands:
        found.setdefault(one.name, dict(one.languages).get(language, one.description))
    return tuple(found.items())
