"""What a form itself says; the questions come from the model."""

from __future__ import annotations

from dataclasses import dataclass

from flows.messages.translations import gettext


@dataclass(frozen=True, slots=True, kw_only=True)
class FormTexts:
    """The words of a form, in the languages that the engine speaks. Set them to change the wording.

    Attributes:
        confirm: what the summary asks.
        submit: the button that ends the form.
        edit: the button that asks a question again; ``{label}`` is the field's title.
        skip: the button that leaves an optional field out.
        yes, no: the buttons of a yes-or-no question.
        another: asked after each item of a list.
        keep_items, add_items, drop_items: what can be done with a list that is there already.
        full: said where a list has no room for another item, though the model would take it.
        change: what the summary says under a reason why the answers cannot be submitted.
        nothing: stands in the summary for a field without an answer.
    """

    confirm: str = gettext("Is everything right?")
    submit: str = gettext("Submit")
    edit: str = gettext("Edit {label}")
    skip: str = gettext("Skip")
    yes: str = gettext("Yes")
    no: str = gettext("No")
    another: str = gettext("Add another?")
    keep_items: str = gettext("Keep")
    add_items: str = gettext("Add more")
    drop_items: str = gettext("Start over")
    full: str = gettext("That is as many as I can take.")
    change: str = gettext("Please change an answer.")
    nothing: str = "-"
