"""What a conversation is: flows, steps, inputs, and the ports that an engine runs them through."""

from flows.actions import END, Action
from flows.builder import FlowBuilder
from flows.context import Context, call_flow
from flows.conversation import Address, ConversationKey
from flows.errors import (
    AmbiguousNext,
    ConcurrentAsk,
    DefinitionError,
    HandrailError,
    InvalidAnswer,
    InvalidData,
    NondeterministicStep,
    StartRefused,
    StepError,
    TooManyTries,
    TransitionLoop,
    UnboundedPattern,
    UndeclaredMove,
    UnknownFlow,
    UnknownStep,
)
from flows.flow import Flow
from flows.forms import Answers, FormBuilder, FormTexts, FormTurn, form_flow
from flows.inputs import (
    Choice,
    Confirm,
    Date,
    Document,
    Email,
    Input,
    Integer,
    Number,
    Pattern,
    Phone,
    Photo,
    Text,
    field,
)
from flows.instance import FlowInstance, Status
from flows.ports import Channel, Clock, FlowStorage
from flows.registry import FlowRegistry
from flows.replies import Button, Message, Reply, keyboard
from flows.reserved import warn_of_hidden_packages
from flows.router import CallNext, Router
from flows.triggers import OnCallback, OnCommand, OnKind, OnText, Trigger
from flows.turn import Turn
from flows.updates import (
    Command,
    DocumentMessage,
    FileRef,
    Opened,
    Other,
    Person,
    PhotoMessage,
    Press,
    TextMessage,
    Update,
)

__all__ = [
    "END",
    "Action",
    "Address",
    "AmbiguousNext",
    "Answers",
    "Button",
    "CallNext",
    "Channel",
    "Choice",
    "Clock",
    "Command",
    "ConcurrentAsk",
    "Confirm",
    "Context",
    "ConversationKey",
    "Date",
    "DefinitionError",
    "Document",
    "DocumentMessage",
    "Email",
    "FileRef",
    "Flow",
    "FlowBuilder",
    "FlowInstance",
    "FlowRegistry",
    "FlowStorage",
    "FormBuilder",
    "FormTexts",
    "FormTurn",
    "HandrailError",
    "Input",
    "Integer",
    "InvalidAnswer",
    "InvalidData",
    "Message",
    "NondeterministicStep",
    "Number",
    "OnCallback",
    "OnCommand",
    "OnKind",
    "OnText",
    "Opened",
    "Other",
    "Pattern",
    "Person",
    "Phone",
    "Photo",
    "PhotoMessage",
    "Press",
    "Reply",
    "Router",
    "StartRefused",
    "Status",
    "StepError",
    "Text",
    "TextMessage",
    "TooManyTries",
    "TransitionLoop",
    "Trigger",
    "Turn",
    "UnboundedPattern",
    "UndeclaredMove",
    "UnknownFlow",
    "UnknownStep",
    "Update",
    "call_flow",
    "field",
    "form_flow",
    "keyboard",
]

warn_of_hidden_packages()
