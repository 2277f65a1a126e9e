"""Whether a bot may keep what its people confide to it, where it is about to keep it."""

from __future__ import annotations

from collections.abc import Iterator

from engine.bot import Bot
from flows.errors import SecretKeyMissing
from flows.ports import Limits
from flows.sensitive import sensitive_fields


def confided(bot: Bot) -> Iterator[tuple[str, frozenset[str]]]:
    """What has ``Sensitive`` fields, and the names of these."""
    for flow in bot.registry.flows.values():
        if fields := sensitive_fields(flow.data):
            yield f"the flow {flow.name!r}", fields
    if bot.session is not None and (fields := sensitive_fields(bot.session)):
        yield f"the session {bot.session.__name__}", fields
    data = bot.fsm.data
    if data is not None and (fields := sensitive_fields(data)):
        yield f"the state data {data.__name__}", fields


def refuse_to_expose(bot: Bot, limits: Limits) -> None:
    """Raises SecretKeyMissing where ``Sensitive`` fields would be kept for everybody to read."""
    if limits.sealed:
        return
    places = [f"{owner} ({', '.join(sorted(fields))})" for owner, fields in confided(bot)]
    if places:
        raise SecretKeyMissing(
            f"there are Sensitive fields in {' and in '.join(places)}, and no key to encrypt them "
            "with. Set HANDRAIL_SECRET_KEY to what 'handrail key new' prints, and keep a copy of "
            "it in a safe place: what is stored cannot be read without it."
        )
