"""Which commands stand in which menu, in which words."""

from __future__ import annotations

from typing import Any

import pytest

from flows import DefinitionError, FlowRegistry, OnCommand, Router, filters
from flows.menus import Menu, MenuCommand, are_plain, menus_of
from flows.plain.context import Context
from tests.integration.test_router_order import says


def command(name: str, *scopes: Any, **languages: str) -> MenuCommand:
    return MenuCommand(name, f"{name}!", tuple(languages.items()), scopes or ("everybody",))


def shown(*commands: MenuCommand) -> dict[tuple[Any, str], str]:
    """The names in each menu."""
    return {
        (menu.scope, menu.language): " ".join(name for name, _ in menu.commands)
        for menu in menus_of(commands)
    }


def test_what_is_for_everybody_is_one_menu() -> None:
    commands = (command("a"), command("b"))
    assert menus_of(commands) == (Menu("everybody", "", (("a", "a!"), ("b", "b!"))),)
    assert are_plain(commands)


def test_a_narrower_menu_has_what_the_broader_ones_have() -> None:
    assert shown(
        command("all"),
        command("alone", "private"),
        command("together", "groups"),
        command("ban", "admins"),
    ) == {
        ("everybody", ""): "all",
        ("private", ""): "all alone",
        ("groups", ""): "all together",
        ("admins", ""): "all together ban",
    }


def test_the_menu_of_a_chat_has_what_chats_of_its_kind_have() -> None:
    commands = (command("alone", "private"), command("together", "groups"))
    here, there = command("here", 7), command("there", -7)
    menus = shown(*commands, here, there)
    assert menus[7, ""] == "alone here"
    assert menus[-7, ""] == "together there"


def test_a_command_may_stand_in_several_menus_or_in_none() -> None:
    assert shown(command("a", "private", "admins"), MenuCommand("b", "b!", (), ())) == {
        ("private", ""): "a",
        ("admins", ""): "a",
    }


def test_each_menu_is_there_in_every_language_that_it_knows() -> None:
    commands = (command("a", de="A auf Deutsch"), command("b", "private", fr="B en français"))
    assert shown(*commands) == {
        ("everybody", ""): "a",
        ("everybody", "de"): "a",
        ("private", ""): "a b",
        ("private", "de"): "a b",
        ("private", "fr"): "a b",
    }
    german = next(menu for menu in menus_of(commands) if menu.language == "de")
    assert german.commands == (("a", "A auf Deutsch"),)


def test_of_several_handlers_for_a_command_each_menu_has_its_own() -> None:
    router = Router("bot")

    async def handler(ctx: Context) -> None: ...

    router.command("rules", "here", scope="private", where=filters.PRIVATE)(handler)
    router.command("rules", "of the group", scope="groups", where=filters.GROUP)(handler)
    private, groups = menus_of(router.menu())
    assert (private.commands, groups.commands) == (
        (("rules", "here"),),
        (("rules", "of the group"),),
    )
    assert router.commands() == [("rules", "here")]


def test_flows_and_the_commands_of_all_flows_bring_their_words() -> None:
    registry = FlowRegistry()
    registry.register(OnCommand("go", languages={"de": "Los"}), says("go"))
    registry.cancel_command("cancel", "stop", languages={"de": "Halt"})
    menu = next(menu for menu in menus_of(registry.menu()) if menu.language == "de")
    assert menu.commands == (("go", "Los"), ("cancel", "Halt"))
    assert registry.commands() == [("go", "start go"), ("cancel", "stop")]


def test_a_command_with_languages_can_still_be_compared_and_hashed() -> None:
    one, two = (OnCommand("go", languages={"de": "Los", "fr": "Allez"}) for _ in range(2))
    assert one == two
    assert hash(one) == hash(two)


@pytest.mark.parametrize("language", ["", "deu", "DE", "de-at", "\N{LATIN SMALL LETTER A}"])
def test_what_is_no_language_is_refused(language: str) -> None:
    with pytest.raises(DefinitionError, match="is no language of a menu"):
        OnCommand("go", languages={language: "Los"})


@pytest.mark.parametrize("scope", ["everyone", 1.5, True, ("private", "x")])
def test_what_is_no_scope_is_refused(scope: Any) -> None:
    with pytest.raises(DefinitionError, match="is no scope of a menu"):
        OnCommand("go", scope=scope)
