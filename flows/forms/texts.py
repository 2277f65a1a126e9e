"""What a form itself says; the questions come from the model."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class FormTexts:
    """The words of a form. Set them to change the wording or the language.

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

    confirm: str = "Is everything right?"
    submit: str = "Submit"
    edit: str = "Edit {label}"
    skip: str = "Skip"
    yes: str = "Yes"
    no: str = "No"
    another: str = "Add another?"
    keep_items: str = "Keep"
    add_items: str = "Add more"
    drop_items: str = "Start over"
    full: str = "That is as many as I can take."
    change: str = "Please change an answer."
    nothing: str = "-"
