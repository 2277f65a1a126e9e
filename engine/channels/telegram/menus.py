"""The menus of commands at Telegram: one for each scope and language."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Sequence
from typing import Any

from engine.channels.telegram.api import Api
from engine.channels.telegram.cleaning import clean
from engine.channels.telegram.client import CallFailed, Refused
from engine.channels.telegram.splitting import shortened
from flows.menus import AUDIENCES, Menu, MenuScope

log = logging.getLogger("handrail.telegram")

_COMMAND_NAME = re.compile(r"[a-z0-9_]{1,32}")
_MAX_COMMANDS = 100
_MAX_DESCRIPTION = 256
_SCOPES = {
    "everybody": "default",
    "private": "all_private_chats",
    "groups": "all_group_chats",
    "admins": "all_chat_administrators",
}

Commands = list[dict[str, str]]


def bot_commands(commands: Sequence[tuple[str, str]]) -> Commands:
    """Names and descriptions as Telegram takes them; what it does not take is left out."""
    known = [_described(name, text) for name, text in commands if _is_command(name)]
    return known[:_MAX_COMMANDS]


async def tell_menus(api: Api, menus: Sequence[Menu]) -> None:
    """Brings the menus at Telegram to these: sets those that are others, and deletes those that
    there should not be, of every audience, and of the chats and languages that are named here.

    They are a convenience: what Telegram refuses is logged, and where it cannot be reached, the
    rest is left for the next start.
    """
    wanted = {(menu.scope, menu.language): bot_commands(menu.commands) for menu in menus}
    for scope, language in _places(menus):
        try:
            await _settle(api, _parameters(scope, language), wanted.get((scope, language), []))
        except Refused as refused:
            log.warning("Telegram refuses the menu for %s: %s", scope, refused)
        except CallFailed as failure:
            log.warning("Telegram was not told the menus: %s", failure)
            return


def _places(menus: Sequence[Menu]) -> Iterator[tuple[MenuScope, str]]:
    scopes: dict[MenuScope, None] = dict.fromkeys(AUDIENCES)
    for menu in menus:
        scopes.setdefault(menu.scope)
    languages = sorted({"", *(menu.language for menu in menus)})
    return ((scope, language) for scope in scopes for language in languages)


async def _settle(api: Api, place: dict[str, Any], wanted: Commands) -> None:
    if await api.call("getMyCommands", place) == wanted:
        return
    if wanted:
        await api.call("setMyCommands", {"commands": wanted, **place})
    else:
        await api.call("deleteMyCommands", place)


def _parameters(scope: MenuScope, language: str) -> dict[str, Any]:
    known = (
        {"type": "chat", "chat_id": scope} if isinstance(scope, int) else {"type": _SCOPES[scope]}
    )
    return {"scope": known, "language_code": language} if language else {"scope": known}


def _is_command(name: str) -> bool:
    if _COMMAND_NAME.fullmatch(name):
        return True
    log.warning("command %r is not shown in Telegram's menu: it takes a-z, 0-9 and _, up to 32",
                name)  # fmt: skip
    return False


def _described(name: str, text: str) -> dict[str, str]:
    description = shortened(" ".join(clean(text).split()), limit=_MAX_DESCRIPTION)
    return {"command": name, "description": description or name}
