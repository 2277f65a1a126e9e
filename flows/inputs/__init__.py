"""Inputs: what an ``ask`` accepts, and how an answer becomes a typed value."""

from flows.inputs.albums import Photos
from flows.inputs.any_of import AnyOf
from flows.inputs.base import Draft, Input, Json, StringInput, TextInput, input_from_json
from flows.inputs.choices import Choice, Confirm
from flows.inputs.contact import Contact, Email, Phone
from flows.inputs.dates import Date
from flows.inputs.edited import Edited
from flows.inputs.files import Animation, Audio, Document, FileInput, Photo, Video, Voice
from flows.inputs.model_field import FieldInput, field
from flows.inputs.multi_choice import MultiChoice
from flows.inputs.numbers import Integer, Number
from flows.inputs.outside import Outside
from flows.inputs.places import Location
from flows.inputs.sent import DiceThrow, Payment, Poll, SentInput, Sticker
from flows.inputs.text import Pattern, Text
from flows.inputs.times import Time
from flows.inputs.urls import Url
from flows.inputs.web_app import WebAppData

__all__ = [
    "Animation",
    "AnyOf",
    "Audio",
    "Choice",
    "Confirm",
    "Contact",
    "Date",
    "DiceThrow",
    "Document",
    "Draft",
    "Edited",
    "Email",
    "FieldInput",
    "FileInput",
    "Input",
    "Integer",
    "Json",
    "Location",
    "MultiChoice",
    "Number",
    "Outside",
    "Pattern",
    "Payment",
    "Phone",
    "Photo",
    "Photos",
    "Poll",
    "SentInput",
    "Sticker",
    "StringInput",
    "Text",
    "TextInput",
    "Time",
    "Url",
    "Video",
    "Voice",
    "WebAppData",
    "field",
    "input_from_json",
]
