"""Instances at rest: their JSON form, and how they are read back from it.

What is as it is by default is left out: most of an instance is so most of the time, and the form
is written in every turn. What is read may have been written by an older version, in full.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from flows.messages.keyboards import ActionButton, Button, Keyboard
from flows.messages.replies import Reply, packed, reply_from_json
from flows.messages.translations import text_of
from flows.turns.instance import (
    Branch,
    FlowInstance,
    Line,
    OpenFork,
    Past,
    PendingStart,
    Status,
)
from flows.turns.visit import (
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

Json = dict[str, Any]
"""A JSON object; of what lies deeper, orjson writes the dataclasses as they are."""

# --- writing --------------------------------------------------------------------------------


def instance_to_json(one: FlowInstance) -> Json:
    """The JSON form of an instance."""
    data: Json = {
        "id": one.id,
        "flow": one.flow,
        "version": one.version,
        "secret": one.secret,
        "data": one.data,
        "started": one.started,
        "visits": one.visits,
        "inputs": one.inputs,
        "origin": one.origin,
    }
    _put_line(data, one)
    if one.payload:
        data["payload"] = one.payload
    if one.status is not Status.ACTIVE:
        data["status"] = one.status
    if one.fork is not None:
        data["fork"] = _fork_to_json(one.fork)
    if one.shelved:
        data["shelved"] = {after: _fork_to_json(fork) for after, fork in one.shelved.items()}
    if one.spare:
        data["spare"] = one.spare
    if one.silent is not None:
        data["silent"] = one.silent
    if one.oldest is not None:
        data["oldest"] = one.oldest
    if one.assignee is not None:
        data["assignee"] = one.assignee
    if one.started_by is not None:
        data["started_by"] = one.started_by
    if one.pending is not None:
        data["pending"] = one.pending
    return data


def _put_line(data: Json, line: Line) -> None:
    if line.visit is not None:
        data["visit"] = _visit_to_json(line.visit)
    if line.history:
        data["history"] = [_past_to_json(past) for past in line.history]


def _past_to_json(past: Past) -> Json:
    data: Json = {"step": past.step, "asked": past.asked}
    if past.undo:
        data["undo"] = past.undo
    if past.fork is not None:
        data["fork"] = _fork_to_json(past.fork)
    return data


def _fork_to_json(fork: OpenFork) -> Json:
    data: Json = {
        "after": fork.after,
        "number": fork.number,
        "branches": [_branch_to_json(branch) for branch in fork.branches],
        "focus": fork.focus,
        "joined": fork.joined,
        "shown": fork.shown,
    }
    if fork.before:
        data["before"] = fork.before
    return data


def _branch_to_json(branch: Branch) -> Json:
    data: Json = {"head": branch.head, "done": branch.done}
    _put_line(data, branch)
    if branch.changed:
        data["changed"] = branch.changed
    return data


def _visit_to_json(visit: Visit) -> Json:
    data: Json = {"number": visit.number, "step": visit.step, "asked": visit.asked}
    if visit.waiting is not None:
        data["waiting"] = _waiting_to_json(visit.waiting)
    if visit.answers:
        data["answers"] = visit.answers
    if visit.base:
        data["base"] = visit.base
    if visit.undone:
        data["undone"] = visit.undone
    _put_recorded(data, visit)
    if visit.misfit is not None:
        data["misfit"] = visit.misfit
    if visit.origin is not None:
        data["origin"] = visit.origin
    if visit.given is not None:
        data["given"] = visit.given
    if visit.child is not None:
        data["child"] = instance_to_json(visit.child)
    if visit.call_key is not None:
        data["call_key"] = visit.call_key
    if visit.escalated is not None:
        data["escalated"] = visit.escalated
    if visit.new:
        data["new"] = True
    return data


def _put_recorded(data: Json, visit: Visit) -> None:
    """What later runs of the step see again."""
    if visit.once:
        data["once"] = visit.once
    if visit.seen:
        data["seen"] = visit.seen
    if visit.scene:
        data["scene"] = visit.scene
    if visit.data:
        data["data"] = visit.data
    if visit.session:
        data["session"] = visit.session


def _waiting_to_json(waiting: Waiting) -> Json:
    data: Json = {
        "ordinal": waiting.ordinal,
        "explicit": waiting.explicit,
        "inputs": waiting.inputs,
        "slot": waiting.slot,
        "asked": waiting.asked,
        "drafts": waiting.drafts,
    }
    if waiting.key is not None:
        data["key"] = waiting.key
    if waiting.prompt is not None:
        data["prompt"] = _reply_to_json(waiting.prompt)
    if waiting.buttons:
        data["buttons"] = waiting.buttons
    if waiting.failures:
        data["failures"] = waiting.failures
    if waiting.people:
        data["people"] = waiting.people
    if waiting.poll is not None:
        data["poll"] = waiting.poll
    if waiting.ticket is not None:
        data["ticket"] = waiting.ticket
    if waiting.timeout is not None:
        data["timeout"] = waiting.timeout
    if waiting.deadline is not None:
        data["deadline"] = waiting.deadline
    if waiting.rungs:
        data["rungs"] = waiting.rungs
    if waiting.otherwise is not None:
        data["otherwise"] = waiting.otherwise
    return data


def _reply_to_json(reply: Reply) -> Json:
    data: Json = {"text": reply.text}
    if reply.format != "plain":
        data["format"] = reply.format
    if reply.keyboard:
        data["keyboard"] = reply.keyboard
    if reply.attachment is not None:
        data["attachment"] = packed(reply.attachment)
    if reply.options is not None:
        data["options"] = packed(reply.options)
    return data


# --- reading --------------------------------------------------------------------------------


def instance_from_json(data: Mapping[str, Any]) -> FlowInstance:
    """The instance of its JSON form. Raises KeyError, TypeError or ValueError if it is none."""
    values = _line(data)
    if (status := values.get("status")) is not None:
        values["status"] = Status(status)
    if spare := values.get("spare"):
        values["spare"] = {place: _once(results) for place, results in spare.items()}
    if (fork := values.get("fork")) is not None:
        values["fork"] = _open_fork(fork)
    if shelved := values.get("shelved"):
        values["shelved"] = {after: _open_fork(fork) for after, fork in shelved.items()}
    if (pending := values.get("pending")) is not None:
        values["pending"] = PendingStart(**pending)
    return FlowInstance(**values)


def _line(data: Mapping[str, Any]) -> Json:
    values = dict(data)
    if (visit := values.get("visit")) is not None:
        values["visit"] = _visit(visit)
    if history := values.get("history"):
        values["history"] = [_past(past) for past in history]
    return values


def _past(data: Mapping[str, Any]) -> Past:
    fork = data.get("fork")
    return Past(
        data["step"],
        data["asked"],
        data.get("undo", {}),
        _open_fork(fork) if fork is not None else None,
    )


def _open_fork(data: Mapping[str, Any]) -> OpenFork:
    branches = [Branch(**_line(branch)) for branch in data["branches"]]
    return OpenFork(**{**data, "branches": branches})


def _visit(data: Mapping[str, Any]) -> Visit:
    values = dict(data)
    if (waiting := values.get("waiting")) is not None:
        values["waiting"] = _waiting(waiting)
    if answers := values.get("answers"):
        values["answers"] = [Answer(**answer) for answer in answers]
    if once := values.get("once"):
        values["once"] = _once(once)
    if (given := values.get("given")) is not None:
        values["given"] = Given(**given)
    if (child := values.get("child")) is not None:
        values["child"] = instance_from_json(child)
    if (escalated := values.get("escalated")) is not None:
        values["escalated"] = Escalation(**escalated)
    return Visit(**values)


def _once(data: Mapping[str, Any]) -> dict[str, OnceResult]:
    return {key: OnceResult(**result) for key, result in data.items()}


def _waiting(data: Mapping[str, Any]) -> Waiting:
    values = dict(data)
    if (prompt := values.get("prompt")) is not None:
        values["prompt"] = _reply(prompt)
    if buttons := values.get("buttons"):
        values["buttons"] = [
            WaitButton(**{**button, "label": text_of(button["label"])}) for button in buttons
        ]
    if rungs := values.get("rungs"):
        values["rungs"] = [Rung(rung["due"], text_of(rung["text"])) for rung in rungs]
    if (otherwise := values.get("otherwise")) is not None:
        values["otherwise"] = text_of(otherwise)
    if (poll := values.get("poll")) is not None:
        values["poll"] = Poll(**poll)
    return Waiting(**values)


def _reply(data: Mapping[str, Any]) -> Reply:
    if "attachment" in data or "options" in data:
        return reply_from_json(data)
    return Reply(
        text=text_of(data["text"]),
        format=data.get("format", "plain"),
        keyboard=_keyboard(data.get("keyboard", ())),
    )


def _keyboard(rows: Iterable[Iterable[Mapping[str, Any]]]) -> Keyboard:
    return tuple(tuple(_button(button) for button in row) for row in rows)


def _button(data: Mapping[str, Any]) -> Button:
    values = {**data, "label": text_of(data["label"])}
    return ActionButton(**values) if "action" in data else Button(**values)
