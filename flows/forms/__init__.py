"""Forms: wizards that are made out of pydantic models."""

from flows.forms.answers import Answers
from flows.forms.builder import FormBuilder, form_flow
from flows.forms.form import FormTurn
from flows.forms.texts import FormTexts

__all__ = ["Answers", "FormBuilder", "FormTexts", "FormTurn", "form_flow"]
