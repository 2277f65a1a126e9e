"""A wizard out of a pydantic model: ``form_flow``."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import Enum
from typing import Any, Generic

from flows.definition.builder import FlowBuilder
from flows.definition.chart import COMPLETED
from flows.definition.checks import call_refusal
from flows.errors import DefinitionError
from flows.flow import Again, Flow, Interrupt
from flows.forms.answers import Answers, answers_model
from flows.forms.checks import check_overrides, check_paths, check_route
from flows.forms.form import Deps, Form, FormStep, M, OnSubmit, Summary
from flows.forms.reading import ModelReader
from flows.forms.route import Route, route_of
from flows.forms.shapes import is_model
from flows.forms.texts import FormTexts
from flows.inputs import Input
from flows.keys import USER_IN_CHAT, Key
from flows.messages.replies import Reply
from flows.turns.actions import END

SUMMARY = "summary"
"""The name of the last step, with underscores after it where a field bears that name."""


@dataclass(kw_only=True, slots=True)
class FormBuilder(Generic[M, Deps]):
    """A form that is being written; ``form_flow`` makes it and explains the settings."""

    model: type[M]
    name: str
    summary: bool | Summary[M]
    when: dict[str, Callable[[M], object]]
    overrides: dict[str, str | Reply | Input[Any] | FormStep[Deps]]
    exclude: frozenset[str]
    texts: FormTexts
    deps: type[Deps] | None
    version: int
    ttl: timedelta | None
    max_age: timedelta | None
    again: Again
    interrupt: Interrupt
    key: Key
    description: str
    _on_submit: OnSubmit[M] | None = field(default=None, init=False)
    _read: Form[M, Deps] | None = field(default=None, init=False)

    def step(self, path: str) -> Callable[[FormStep[Deps]], FormStep[Deps]]:
        """A decorator for ``async def (turn)``: a field's step of your own.

        What it returns is the field's value, which is validated as the field's answers are; a
        decision of the turn (``turn.back()``, ``turn.cancel()``) is carried out instead.

        Raises:
            DefinitionError: the field has an override already, or the form is built.
        """

        def decorate(function: FormStep[Deps]) -> FormStep[Deps]:
            self._check_open()
            if path in self.overrides:
                raise self._refuse(f"field {path!r} has an override already")
            self.overrides[path] = function
            return function

        return decorate

    def on_submit(self, function: OnSubmit[M]) -> OnSubmit[M]:
        """A decorator for ``async def (turn, model)``: what is done with the completed form.

        It belongs to the last step, and may ask, send, and decide; answering None completes the
        flow.

        Raises:
            DefinitionError: there is one already, it is no such function, or the form is built.
        """
        self._check_open()
        if self._on_submit is not None:
            raise self._refuse("it has an on_submit handler already")
        if (reason := call_refusal(function, "turn", "model")) is not None:
            raise self._refuse(f"its on_submit handler {reason}")
        self._on_submit = function
        return function

    def build(self) -> Flow[Enum, Answers, M]:
        """Reads the model, checks the form and compiles its flow.

        Raises:
            DefinitionError: no question fits a field; a path leads nowhere; a question that can
                be left out has no default.
        """
        return self.builder().build(initial=self._form.first, result=self.result)

    def builder(self) -> FlowBuilder[Enum, Answers, Deps]:
        """The builder of the form's flow, with all its steps, for what a flow can have besides.

        The first of its steps is the initial one. Raises DefinitionError as ``build`` does.
        """
        form = self._form
        flow = FlowBuilder[Enum, Answers, Deps](
            self.name,
            type(form.last),
            answers_model(f"{self.model.__name__}Answers", form.steps),
            deps=self.deps,
            version=self.version,
            ttl=self.ttl,
            max_age=self.max_age,
            again=self.again,
            interrupt=self.interrupt,
            key=self.key,
            description=self.description,
        )
        for place, stop in enumerate(form.route.stops):
            ways, ends = form.route.ways_on(place)
            to = [form.steps[way.path] for way in ways] + ([form.last] if ends else [])
            flow.step(form.steps[stop.path], form.handler(stop), to=to)
        return flow.step(form.last, form.finish, to=[END])

    def result(self, answers: Answers) -> M:
        """The model of a form that is complete: of its flow's data.

        Raises:
            ValidationError: of pydantic, where the answers make no model (yet).
        """
        return self._form.result(answers)

    @property
    def _form(self) -> Form[M, Deps]:
        if self._read is None:
            self._read = self._made()
        return self._read

    def _made(self) -> Form[M, Deps]:
        route = self._route()
        steps = _step_enum(self.model.__name__, [stop.path for stop in route.stops])
        *members, last = steps
        return Form(
            model=self.model,
            route=route,
            steps={member.value: member for member in members},
            last=last,
            texts=self.texts,
            summary=self.summary,
            on_submit=self._on_submit,
        )

    def _route(self) -> Route:
        if not is_model(self.model):
            raise self._refuse(f"a form is made from a pydantic model, not from {self.model!r}")
        reader = ModelReader(self.overrides, self.exclude, self.texts)
        settings = {"overrides": self.overrides, "exclude": self.exclude, "when": self.when}
        try:
            check_overrides(self.overrides)
            route = route_of(reader.read(self.model), self.when)
            check_paths(settings, reader.met)
            check_route(route, self.when, self.texts)
        except DefinitionError as error:
            raise self._refuse(str(error)) from error
        return route

    def _check_open(self) -> None:
        if self._read is not None:
            raise self._refuse("it is built already. Write its handlers before")

    def _refuse(self, reason: str) -> DefinitionError:
        return DefinitionError(reason, flow=self.name)


def form_flow(
    model: type[M],
    *,
    name: str | None = None,
    summary: bool | Summary[M] = True,
    when: Mapping[str, Callable[[M], object]] | None = None,
    overrides: Mapping[str, str | Reply | Input[Any] | FormStep[Deps]] | None = None,
    exclude: Iterable[str] = (),
    texts: FormTexts | None = None,
    deps: type[Deps] | None = None,
    version: int = 1,
    ttl: timedelta | None = None,
    max_age: timedelta | None = None,
    again: Again = "resume",
    interrupt: Interrupt = "stack",
    key: Key = USER_IN_CHAT,
    description: str = "",
) -> FormBuilder[M, Deps]:
    """A wizard that asks for the fields of a model, one after the other, and gives the model.

    A field's description is its question, its title the label of its buttons, its type and
    constraints the validation. A model within the model is a section, a list is asked item by
    item, a union with a discriminator begins with the choice. Fields are named by dotted paths:
    ``address.street``; in a union the tag stands between: ``payment.card.number``.

    Args:
        name: of the flow; the model's name in lower case unless said.
        summary: whether the answers are shown at the end, to be edited or submitted; a function
            of the model gives its own words.
        when: by path, whether the field is asked, by the answers before it. A field without an
            answer is missing there, unless it has a default.
        overrides: by path, another question (a text), another input, or a step of your own as
            ``FormBuilder.step`` takes it.
        exclude: paths of fields that are not asked; they need defaults.
        texts: what the form itself says.
        deps: the type of the dependencies, as of FlowBuilder, and so the rest.
        version: is raised where stored instances need a migration.
        ttl: how long the person may be silent.
        max_age: how long the flow may take in all.
        again: what starting it does where it runs already.
        interrupt: what starting another flow does to it.
        key: whose instances there are.
        description: what the list of commands says of it.
    """
    return FormBuilder(
        model=model,
        name=name if name is not None else _snake(getattr(model, "__name__", "form")),
        summary=summary,
        when=dict(when or {}),
        overrides=dict(overrides or {}),
        exclude=frozenset(exclude),
        texts=texts if texts is not None else FormTexts(),
        deps=deps,
        version=version,
        ttl=ttl,
        max_age=max_age,
        again=again,
        interrupt=interrupt,
        key=key,
        description=description,
    )


def _step_enum(model: str, paths: Iterable[str]) -> type[Enum]:
    """The steps of a form: a member a path, and the last step."""
    members: dict[str, str] = {}
    for path in (*paths, ""):
        name = path or SUMMARY
        while name in (COMPLETED, "mro") or name in members:
            name += "_"
        members[name] = path
    return Enum(f"{model}Step", members)  # type: ignore[return-value] # the functional form


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
