"""Stored instances read back: the inverse of their JSON form."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from flows.instance import Branch, FlowInstance, OpenFork, Past, Status
from flows.replies import Button, Format, Reply
from flows.visit import (
    Answer,
    Escalation,
    Given,
    OnceResult,
    Poll,
    Rung,
    Visit,
    WaitButton,
    Waiting,
)


def instance_from_json(data: Mapping[str, Any]) -> FlowInstance:
    """The instance of its JSON form. Raises KeyError, TypeError or ValueError if it is none."""
    values = _line(data)
    values["status"] = Status(values["status"])
    values["spare"] = {place: _once(results) for place, results in values["spare"].items()}
    values["fork"] = _open_fork(values.get("fork"))
    shelved = values.get("shelved", {})
    values["shelved"] = {after: _open_fork(fork) for after, fork in shelved.items()}
    return FlowInstance(**values)


def _line(data: Mapping[str, Any]) -> dict[str, Any]:
    values = dict(data)
    visit = values["visit"]
    values["visit"] = _visit(visit) if visit is not None else None
    values["history"] = [_past(past) for past in values["history"]]
    return values


def _past(data: Mapping[str, Any]) -> Past:
    return Past(**{**data, "fork": _open_fork(data.get("fork"))})


def _open_fork(data: Mapping[str, Any] | None) -> OpenFork | None:
    if data is None:
        return None
    branches = [Branch(**_line(branch)) for branch in data["branches"]]
    return OpenFork(**{**data, "branches": branches})


def _visit(data: Mapping[str, Any]) -> Visit:
    values = dict(data)
    values["answers"] = [Answer(**answer) for answer in values["answers"]]
    values["once"] = _once(values["once"])
    waiting = values["waiting"]
    values["waiting"] = _waiting(waiting) if waiting is not None else None
    given = values["given"]
    values["given"] = Given(**given) if given is not None else None
    child, escalated = values.get("child"), values.get("escalated")
    values["child"] = instance_from_json(child) if child is not None else None
    values["escalated"] = Escalation(**escalated) if escalated is not None else None
    return Visit(**values)


def _once(data: Mapping[str, Any]) -> dict[str, OnceResult]:
    return {key: OnceResult(**result) for key, result in data.items()}


def _waiting(data: Mapping[str, Any]) -> Waiting:
    values = dict(data)
    prompt = values["prompt"]
    values["prompt"] = _reply(prompt) if prompt is not None else None
    values["buttons"] = [WaitButton(**button) for button in values["buttons"]]
    values["rungs"] = [Rung(**rung) for rung in values.get("rungs", ())]
    poll = values.get("poll")
    values["poll"] = Poll(**poll) if poll is not None else None
    return Waiting(**values)


def _reply(data: Mapping[str, Any]) -> Reply:
    rows = tuple(tuple(Button(**button) for button in row) for row in data["keyboard"])
    format_: Format = data["format"]
    return replace(Reply(text=data["text"], format=format_), keyboard=rows)
