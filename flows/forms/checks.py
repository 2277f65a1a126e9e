"""The checks of a form's settings against its model, each naming the path."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from difflib import get_close_matches

from flows.definition.checks import call_refusal
from flows.errors import DefinitionError
from flows.forms.asking import variant_choice
from flows.forms.nodes import Node, Section, Variants
from flows.forms.route import Route
from flows.forms.summary import summary_choice
from flows.forms.texts import FormTexts
from flows.inputs import Input
from flows.messages.replies import Reply


def check_overrides(overrides: Mapping[str, object]) -> None:
    """Raises DefinitionError for an override that is no prompt, no input and no step."""
    for path, override in overrides.items():
        if isinstance(override, str | Reply | Input):
            continue
        if (reason := call_refusal(override, "turn")) is not None:
            raise DefinitionError(f"the override of field {path!r} {reason}")


def check_paths(settings: Mapping[str, Collection[str]], known: Collection[str]) -> None:
    """Raises DefinitionError for a path in the settings that no field has."""
    for setting, paths in settings.items():
        for path in paths:
            if path not in known:
                raise DefinitionError(
                    f"{setting} names {path!r}, which is no field that is asked. "
                    f"{_hint(path, known)}"
                )


def check_route(route: Route, conditions: Collection[str], texts: FormTexts) -> None:
    """Raises DefinitionError where there is nothing to ask, where a question that can be left
    out has no default, and for labels that stand twice.
    """
    if not route.stops:
        raise DefinitionError(f"{route.root.model.__name__} has no field to ask for")
    if route.stops[0].whens:
        raise DefinitionError(
            f"the first question, {route.stops[0].path!r}, has a condition. Nothing is "
            "answered before it; put another field first."
        )
    summary_choice(route.stops, texts)
    for node in _nodes(route.root):
        if node.path in conditions and node.required:
            raise DefinitionError(
                f"field {node.path!r} is asked only under a condition, and has no default"
            )
        if isinstance(node, Variants):
            variant_choice(node, texts)


def _nodes(section: Section) -> Iterable[Node]:
    """Everything in a section that has a path."""
    for part in section.parts:
        yield part
        if isinstance(part, Section):
            yield from _nodes(part)
        if isinstance(part, Variants):
            for variant in part.sections.values():
                yield from _nodes(variant)


def _hint(path: str, known: Collection[str]) -> str:
    near = get_close_matches(path, known)
    if near:
        return f"Did you mean {' or '.join(map(repr, near))}?"
    return f"The fields are {', '.join(sorted(known))}."
