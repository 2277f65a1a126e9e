"""The answers of a form, and the model that they make."""

from __future__ import annotations

import warnings
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from pydantic import BaseModel, JsonValue, create_model

from flows.forms.nodes import Custom, Node, Question, Section, Series, Variants
from flows.inputs import Json


class Answer(BaseModel):
    """An answer that was given, in its JSON form; None where the field was skipped."""

    value: JsonValue


class Answers(BaseModel):
    """The data of a form: an answer for each path that has one.

    ``answers["address.street"]`` is the JSON form of an answer, and ``in`` tells whether there
    is one.
    """

    def __contains__(self, path: str) -> bool:
        return self.__dict__.get(path) is not None

    def __getitem__(self, path: str) -> Json:
        if path not in self:
            raise KeyError(path)
        return held_in(self, path)

    def __setitem__(self, path: str, value: Json) -> None:
        setattr(self, path, Answer(value=value))


def held_in(answers: Answers, path: str) -> Json:
    """The JSON form of an answer; None where the field was skipped or not asked."""
    given: Answer | None = answers.__dict__.get(path)
    return None if given is None else given.value


def answers_model(name: str, paths: Iterable[str]) -> type[Answers]:
    """The data model of a form: one field a path, so that a step writes its own answer only."""
    fields: dict[str, Any] = dict.fromkeys(paths, (Answer | None, None))
    with warnings.catch_warnings():  # of a field called "copy", the form's model has warned
        warnings.simplefilter("ignore", UserWarning)
        return create_model(name, __base__=Answers, **fields)


def is_answered(node: Node, answers: Answers) -> bool:
    """Whether the node has an answer that still can be read."""
    if node.path not in answers:
        return False
    held = answers[node.path]
    if held is None and node.skippable:
        return True
    match node:
        case Question(codec=codec) | Custom(codec=codec) | Series(codec=codec):
            return codec.reads(held)
        case Variants(sections=sections):
            return held in sections
    return True


def json_of(section: Section, answers: Answers, shown: Collection[str]) -> dict[str, Json]:
    """The JSON form of the section's model, as far as it is answered.

    Args:
        shown: the paths of the questions that are to be asked; what others hold is left out.
    """
    values: dict[str, Json] = {}
    for part in section.parts:
        for found in _json_of(part, answers, shown):
            values[part.name] = found
    return values


def _json_of(node: Node, answers: Answers, shown: Collection[str]) -> Iterator[Json]:
    """The JSON form of one node; nothing where it has none, so that the default holds."""
    if isinstance(node, Section) and not node.gated:
        if not node.parts or any(is_inside(path, node.path) for path in shown):
            yield json_of(node, answers, shown)
        return
    if node.path not in shown or not is_answered(node, answers):
        return
    held = answers[node.path]
    match node:
        case Section() if held:
            yield json_of(node, answers, shown)
        case Variants(sections=sections, discriminator=name) if isinstance(held, str):
            yield {name: sections[held].tag, **json_of(sections[held], answers, shown)}
        case Section() | Variants():
            yield from [None] if node.optional else []
        case Question(codec=codec) | Custom(codec=codec) | Series(codec=codec):
            yield from [held] if held is not None or codec.reads(None) else []


def draft(section: Section, values: Mapping[str, Json]) -> Any:
    """The section's model of what is answered so far, not validated: a field that is required
    and has no answer is missing.
    """
    known: dict[str, Any] = dict(values)  # the discriminator is no part, and stays as it is
    for part in section.parts:
        if values.get(part.name) is not None:
            known[part.name] = _drafted(part, values[part.name])
    return section.model.model_construct(**known)


def _drafted(node: Node, held: Any) -> Any:
    match node:
        case Section():
            return draft(node, held)
        case Variants(sections=sections, discriminator=name):
            return draft(sections[str(held[name])], held)
        case Question(codec=codec) | Custom(codec=codec) | Series(codec=codec):
            return codec.load(held)
    return held


def is_inside(path: str, section: str) -> bool:
    """Whether a path is that of the section or of something in it."""
    return path == section or path.startswith(f"{section}.")
