"""Asking for an address: a flow of its own, which any other flow can call."""

from __future__ import annotations

from enum import StrEnum, auto

from pydantic import BaseModel

from flows import FlowBuilder, Text


class Step(StrEnum):
    """Where a person can be."""

    STREET = auto()
    CITY = auto()


class Address(BaseModel):
    """What is asked for, and what the caller gets."""

    street: str = ""
    city: str = ""

    def __str__(self) -> str:
        return f"{self.street}, {self.city}"


builder = FlowBuilder("address", Step, Address, version=1)
builder.ask(Step.STREET, "Street and number?", Text(max_length=100), into="street")
builder.ask(Step.CITY, "City?", Text(max_length=100), into="city")

address = builder.build(initial=Step.STREET)
