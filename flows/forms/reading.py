"""Reading a model: which questions it makes, and which fields no question fits."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from pydantic import BaseModel, Field, create_model
from pydantic.fields import FieldInfo

from flows.errors import DefinitionError
from flows.forms.leaves import leaf_input
from flows.forms.nodes import Codec, Custom, Node, Question, Section, Series, Variants
from flows.forms.places import Place, words_of
from flows.forms.shapes import Shape, field_shape, tags_of
from flows.forms.texts import FormTexts
from flows.inputs import Input
from flows.inputs.field_types import SUPPORTED, reader_of
from flows.messages.replies import Reply
from flows.messages.translations import joined
from flows.turns.journal import JOURNAL_LIMIT

NESTED_ITEMS = 10
"""Items of a list within a list, where the model sets no bound: all are asked in one step."""

Override = str | Reply | Input[Any] | Callable[[Any], Awaitable[object]]


@dataclass(slots=True)
class ModelReader:
    """Reads the questions off a model.

    Attributes:
        overrides: by path; each must be met.
        exclude: paths of fields that are not asked; each must be met.
        met: the paths of all fields that were read.
    """

    overrides: Mapping[str, Override]
    exclude: frozenset[str]
    texts: FormTexts
    met: set[str] = field(default_factory=set)

    def read(self, model: type[BaseModel]) -> Section:
        """The questions of the form's model.

        Raises:
            DefinitionError: with the field named: no question fits it, it leads back to a model
                that it lies in, it is excluded and has no default.
        """
        parts = self._parts(Place(owners=(), model=model, name="", path=""), model)
        return Section(
            path="", name="", label="", prompt="", info=FieldInfo(), model=model, parts=parts
        )

    def _parts(
        self, place: Place, model: type[BaseModel], *, without: str = "", intro: str = ""
    ) -> tuple[Node, ...]:
        """The nodes of a model's fields; ``place`` is where the model stands."""
        parts: list[Node] = []
        model.model_rebuild()  # its fields may name what was defined after it
        for name, info in model.model_fields.items():
            inner = place.within(model, name, "" if parts else intro)
            if name != without and not self._excluded(inner.path, info):
                parts.append(self._node(inner))
        return tuple(parts)

    def _excluded(self, path: str, info: FieldInfo) -> bool:
        if path not in self.exclude:
            return False
        self.met.add(path)
        if info.is_required():
            raise DefinitionError(
                f"field {path!r} is excluded, and has no default. Ask for it, or give it one."
            )
        return True

    def _node(self, place: Place) -> Node:
        override = None
        if not place.in_item:
            self.met.add(place.path)
            override = self.overrides.get(place.path)
        if isinstance(override, Input):
            return self._question(place, override)
        if override is not None and not isinstance(override, str | Reply):
            codec = Codec.of(place.model, place.name)
            return Custom(**self._common(place), handler=override, codec=codec)
        if self._is_leaf(place):
            return self._question(place, None)
        shape = field_shape(place.info)
        if shape.model is not None:
            return self._section(place, shape.model)
        if shape.discriminator is not None:
            return self._variants(place, shape, shape.discriminator)
        if shape.item is not None:
            return self._series(place, shape)
        raise self._refusal(place, f"it is {place.info.annotation!r}, which no question fits")

    def _is_leaf(self, place: Place) -> bool:
        """Whether one question asks for it."""
        try:
            return reader_of(place.info.annotation, place.info.metadata) is not None
        except DefinitionError as error:
            raise self._refusal(place, str(error)) from error

    def _question(self, place: Place, given: Input[Any] | None) -> Question:
        try:
            accept = leaf_input(place.model, place.name, given, self.texts)
        except DefinitionError as error:
            raise self._refusal(place, str(error)) from error
        codec = Codec.of(place.model, place.name)
        return Question(**self._common(place), accept=accept, codec=codec)

    def _section(self, place: Place, model: type[BaseModel]) -> Section:
        self._refuse_cycle(place, model)
        gated = field_shape(place.info).optional or not place.info.is_required()
        intro = "" if gated else place.info.description or ""
        parts = self._parts(place, model, intro=joined(filter(None, (place.intro, intro)), "\n\n"))
        return Section(**self._common(place), model=model, parts=parts)

    def _variants(self, place: Place, shape: Shape, discriminator: str) -> Variants:
        sections: dict[str, Section] = {}
        for variant in shape.kinds:
            self._refuse_cycle(place, variant)
            for tag in tags_of(variant, discriminator):
                sections[str(tag)] = self._variant(place, variant, discriminator, tag)
        if not sections:
            raise self._refusal(place, f"its discriminator {discriminator!r} is no Literal")
        common = self._common(place)
        return Variants(**common, discriminator=discriminator, sections=sections)

    def _variant(
        self, place: Place, variant: type[BaseModel], discriminator: str, tag: Any
    ) -> Section:
        inner = replace(place, path=f"{place.path}.{tag}")
        title = variant.model_config.get("title")
        return Section(
            path=inner.path,
            name=place.name,
            label=title or words_of(str(tag)),
            prompt="",
            info=place.info,
            model=variant,
            parts=self._parts(inner, variant, without=discriminator),
            tag=tag,
        )

    def _series(self, place: Place, shape: Shape) -> Series:
        least, bound = shape.bounds
        item = self._item(place, shape.item)
        room = (JOURNAL_LIMIT - 1) // (most_asks(item) + 1)
        if place.in_item:
            room = max(NESTED_ITEMS, least)
        most = room if bound is None else min(bound, room)
        if most < max(least, 1):
            raise self._refusal(
                place, f"its list needs {least} items, and one step can ask for {most}"
            )
        first = item if least else self._item(place, shape.item, or_none=True)
        common = self._common(place)
        capped = bound is None or bound > most
        codec = Codec.of(place.model, place.name)
        return Series(
            **common, item=item, first=first, least=least, most=most, capped=capped, codec=codec
        )

    def _item(self, place: Place, kind: Any, *, or_none: bool = False) -> Node:
        """What an item of the list is: the field of a model made for it."""
        title, prompt = place.label, _text(self._prompt(place))
        info = Field(None if or_none else ..., title=title, description=prompt)
        annotation = kind | None if or_none else kind
        config = {k: v for k, v in place.model.model_config.items() if k != "alias_generator"}
        fields: dict[str, Any] = {place.name: (annotation, info)}
        holder = create_model(place.model.__name__, __config__=config, **fields)  # type: ignore[call-overload] # the names of the fields are data
        return self._node(replace(place, model=holder, in_item=True, intro=""))

    def _refuse_cycle(self, place: Place, model: type[BaseModel]) -> None:
        if model in place.owners:
            raise self._refusal(place, f"it leads back to {model.__name__}, without an end")

    def _refusal(self, place: Place, reason: str) -> DefinitionError:
        way = "override the list that it belongs to" if place.in_item else "override it"
        return DefinitionError(
            f"field {place.path!r} of the form: {reason}. A form takes {SUPPORTED}, models, "
            "unions of models with a discriminator, and lists of these. Exclude the field, or "
            f"{way} with an input or a step of your own."
        )

    def _common(self, place: Place) -> dict[str, Any]:
        return {
            "path": place.path,
            "name": place.name,
            "label": place.label,
            "prompt": self._prompt(place),
            "info": place.info,
            "optional": field_shape(place.info).optional,
        }

    def _prompt(self, place: Place) -> str | Reply:
        override = None if place.in_item else self.overrides.get(place.path)
        if isinstance(override, Reply):
            return override
        own = override if isinstance(override, str) else place.info.description
        asked = own or f"{place.label}?"
        return f"{place.intro}\n\n{asked}" if place.intro else asked


def most_asks(node: Node) -> int:
    """The most answers that a node takes, with all that lies in it."""
    match node:
        case Section(parts=parts):
            return node.gated + sum(map(most_asks, parts))
        case Variants(sections=sections):
            return 1 + max(sum(map(most_asks, each.parts)) for each in sections.values())
        case Series(item=item, most=most):
            return 1 + most * (most_asks(item) + 1)
    return 1


def _text(prompt: str | Reply) -> str:
    return prompt.text if isinstance(prompt, Reply) else prompt
