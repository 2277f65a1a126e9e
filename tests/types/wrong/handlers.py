"""Handlers and filters that cannot be."""

# A mark belongs to its line, and makes it long.
# fmt: off

from __future__ import annotations

from flows import Context, Fsm, Router, filters

router = Router("bot")


@router.text()  # error: mypy=type-var pyright=reportArgumentType
async def answers_a_text(ctx: Context) -> str:
    return "state"


router.text(where="private")  # error: mypy=arg-type pyright=reportArgumentType
both = filters.PRIVATE & "group"  # error: mypy=operator pyright=reportOperatorIssue
router.command("a", scope="everyone")  # error: mypy=arg-type pyright=reportArgumentType
Fsm(key="user")  # error: mypy=arg-type pyright=reportArgumentType
Fsm(int)  # error: mypy=arg-type pyright=reportArgumentType
