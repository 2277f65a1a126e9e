"""Asking a node's question within a step, with the answer that was given before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, StrEnum, auto
from typing import Any

from flows.forms.answers import Answers, held_in
from flows.forms.leaves import default_items, default_of, held_value
from flows.forms.nodes import Node, Question, Section, Series, Variants
from flows.forms.summary import shown_value
from flows.forms.texts import FormTexts
from flows.inputs import Choice, Confirm, Json
from flows.messages.translations import joined
from flows.turns.turn import Turn

_SKIPPED = ""


class _Old(StrEnum):
    """What is done with a list that is there already."""

    KEEP = auto()
    ADD = auto()
    DROP = auto()


@dataclass(frozen=True, slots=True)
class Asking:
    """Asks in one run of a step.

    A question's ``key`` is the path of what it asks for, so that an answer is never taken for
    that of another question after the model has changed.
    """

    turn: Turn[Enum, Answers, Any]
    texts: FormTexts

    async def of_step(self, node: Node) -> Json:
        """The answer of the node's own step."""
        held = held_in(self.turn.data, node.path)
        match node:
            case Question():
                return await self.question(node, node.path, held)
            case Section():
                return await self.gate(node, node.path, held)
            case Variants():
                return await self.variant(node, node.path, held)
            case Series():
                return await self.series(node, node.path, held)
        raise AssertionError(f"{node!r} has no question")

    async def question(self, node: Question, key: str, held: Json = None) -> Json:
        """The answer to one question."""
        keep = default_of(node) if held is None else held_value(node, held)
        value = await self.turn.ask(node.prompt, node.accept, key=key, keep=keep)
        return node.codec.dump(value)

    async def gate(self, node: Section, key: str, held: Json = None) -> bool | None:
        """Whether the person wants an optional section; None: they skip it."""
        keep = held if isinstance(held, bool) else None
        accept = Confirm(yes=self.texts.yes, no=self.texts.skip)
        return await self.turn.ask(node.prompt, accept, key=key, keep=keep) or None

    async def variant(self, node: Variants, key: str, held: Json = None) -> str | None:
        """The tag of the section that was chosen; None: they skip it."""
        keep = held if isinstance(held, str) and held in node.sections else None
        accept = variant_choice(node, self.texts)
        return await self.turn.ask(node.prompt, accept, key=key, keep=keep) or None

    async def series(self, node: Series, key: str, held: Json = None) -> Json:
        """The items of a list, one by one; None: the list is skipped."""
        items: list[Json] = []
        wanted = True
        held = held or default_items(node)
        if isinstance(held, list) and held:
            match await self._old_items(node, key, held):
                case _Old.KEEP:
                    return held
                case _Old.ADD:
                    items = list(held)
        while wanted and len(items) < node.most:
            item = node.first if not items else node.item
            found = await self.item(item, f"{key}.{len(items)}")
            if found is None and not items and not node.least:
                return None if node.optional else []
            items.append(found)
            wanted = await self._goes_on(node, key, items)
        if len(items) == node.most and node.capped:
            self.turn.reply(self.texts.full)
        return items

    async def _old_items(self, node: Series, key: str, held: Sequence[Json]) -> _Old:
        """What to do with the list that is there."""
        options = [(self.texts.keep_items, _Old.KEEP), (self.texts.drop_items, _Old.DROP)]
        if len(held) < node.most:
            options.insert(1, (self.texts.add_items, _Old.ADD))
        prompt = joined((node.label, shown_value(node, list(held), self.texts)), ": ")
        return await self.turn.ask(prompt, Choice(options), key=f"{key}.held")

    async def _goes_on(self, node: Series, key: str, items: Sequence[Json]) -> bool:
        """Whether there is to be another item."""
        if len(items) < node.least or len(items) == node.most:
            return True
        accept = Confirm(yes=self.texts.yes, no=self.texts.no)
        return await self.turn.ask(self.texts.another, accept, key=f"{key}.{len(items)}.more")

    async def item(self, node: Node, key: str) -> Json:
        """Everything that belongs to a node, asked in this step."""
        match node:
            case Question():
                return await self.question(node, key)
            case Section():
                if node.gated and not await self.gate(node, key):
                    return None
                return await self._parts(node, key)
            case Variants():
                tag = await self.variant(node, key)
                if tag is None:
                    return None
                section = node.sections[tag]
                return {node.discriminator: section.tag, **await self._parts(section, key)}
            case Series():
                return await self.series(node, key)
        raise AssertionError(f"{node!r} has no question")

    async def _parts(self, section: Section, key: str) -> dict[str, Json]:
        values: dict[str, Json] = {}
        for part in section.parts:
            value = await self.item(part, f"{key}.{part.name}")
            if value is not None or part.optional:
                values[part.name] = value
        return values


def variant_choice(node: Variants, texts: FormTexts) -> Choice[str]:
    """The buttons of a union's variants.

    Raises:
        DefinitionError: two of them have the same label.
    """
    options = {section.label: tag for tag, section in node.sections.items()}
    if node.skippable:
        options[texts.skip] = _SKIPPED
    return Choice(options)
