"""The summary of a form: what was answered, and the buttons that ask again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from flows.forms.answers import Answers, held_in
from flows.forms.leaves import shown, word_of
from flows.forms.nodes import Node, Question, Section, Series, Variants
from flows.forms.route import Stop
from flows.forms.texts import FormTexts
from flows.inputs import Choice, Json
from flows.messages.translations import Translatable, joined
from flows.models import DoesNotFit

SUBMIT = ""
"""Stands for the end among the paths of the steps."""


def summary_text(stops: Sequence[Stop], answers: Answers, texts: FormTexts) -> str:
    """A line for each question that was asked."""
    lines = [
        joined((stop.label, shown_value(stop.node, held_in(answers, stop.path), texts)), ": ")
        for stop in stops
    ]
    return joined(lines, "\n")


def summary_choice(stops: Sequence[Stop], texts: FormTexts, *, submit: bool = True) -> Choice[str]:
    """The button that submits, and one that asks again for each question.

    Raises:
        DefinitionError: two buttons have the same label.
    """
    edits = [(texts.edit.format(label=_lowered(stop.label)), stop.path) for stop in stops]
    return Choice([(texts.submit, SUBMIT), *edits] if submit else edits)


def shown_value(node: Node, held: Json, texts: FormTexts) -> str:
    """An answer in words for the person."""
    match node:
        case _ if held is None:
            return texts.nothing
        case Question():
            return _shown_leaf(node, held, texts)
        case Section() if isinstance(held, dict):
            return _shown_parts(node, held, texts)
        case Section():
            return texts.yes if held else texts.nothing
        case Variants(sections=sections) if isinstance(held, str):
            return sections[held].label if held in sections else held
        case Variants(sections=sections, discriminator=name) if isinstance(held, dict):
            section = sections[str(held[name])]
            return joined(filter(None, (section.label, _shown_parts(section, held, texts))), ", ")
        case Series(item=item) if isinstance(held, list):
            return _joined([shown_value(item, each, texts) for each in held]) or texts.nothing
    return str(held)


def _shown_leaf(node: Question, held: Json, texts: FormTexts) -> str:
    try:
        value = node.codec.load(held)
    except DoesNotFit:
        return str(held)
    label = shown(node.accept, value)
    if label is not None:
        return label
    if isinstance(held, list) and isinstance(value, Iterable):
        return _joined([word_of(each) for each in value]) or texts.nothing
    return str(held) or texts.nothing


def _shown_parts(section: Section, held: Mapping[str, Any], texts: FormTexts) -> str:
    parts = [part for part in section.parts if held.get(part.name) not in (None, [])]
    return joined([shown_value(part, held[part.name], texts) for part in parts], ", ")


def _joined(items: Sequence[str]) -> str:
    return joined(items, "; " if any(", " in each for each in items) else ", ")


def _lowered(label: str) -> str:
    """A label within a sentence: "Name" becomes "name", "URL" stays; so does what languages have
    their own rules for.
    """
    if isinstance(label, Translatable):
        return label
    return label if label[1:2].isupper() else label[:1].lower() + label[1:]
