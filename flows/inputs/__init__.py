"""Inputs: what an ``ask`` accepts, and how an answer becomes a typed value."""

from flows.inputs.base import Input, Json, StringInput, TextInput, input_from_json
from flows.inputs.choices import Choice, Confirm
from flows.inputs.contact import Email, Phone
from flows.inputs.dates import Date
from flows.inputs.files import Document, FileInput, Photo
from flows.inputs.model_field import FieldInput, field
from flows.inputs.numbers import Integer, Number
from flows.inputs.text import Pattern, Text

__all__ = [
    "Choice",
    "Confirm",
    "Date",
    "Document",
    "Email",
    "FieldInput",
    "FileInput",
    "Input",
    "Integer",
    "Json",
    "Number",
    "Pattern",
    "Phone",
    "Photo",
    "StringInput",
    "Text",
    "TextInput",
    "field",
    "input_from_json",
]
