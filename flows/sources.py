"""What the source of a handler tells: the moves that it names, and whether it changed."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from hashlib import blake2b
from types import CodeType
from typing import Any


@dataclass(frozen=True, slots=True)
class Moves:
    """The literal moves of a handler.

    Attributes:
        targets: the enum members of every ``turn.next(Enum.MEMBER)``.
        jumps: those of every ``turn.goto(Enum.MEMBER)`` and ``turn.detour(Enum.MEMBER)``.
        completes: it says ``turn.complete()`` somewhere.
        bare: it says ``turn.next()`` somewhere, without a step.
    """

    targets: tuple[Enum, ...] = ()
    jumps: tuple[Enum, ...] = ()
    completes: bool = False
    bare: bool = False


def read_moves(handler: Callable[..., Any]) -> Moves:
    """The literal moves in the source; none where there is no source to read."""
    function = inspect.unwrap(handler)
    if not inspect.isfunction(function):
        return Moves()
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    except (OSError, SyntaxError):  # defined at a prompt, by exec, or within an expression
        return Moves()
    names = _namespace(function)
    parameter = next(iter(inspect.signature(function).parameters), "")
    calls = list(_calls(tree, parameter))
    return Moves(
        targets=tuple(_named(calls, names, "next")),
        jumps=tuple(_named(calls, names, "goto", "detour")),
        completes=any(method == "complete" for method, _ in calls),
        bare=any(method == "next" and not arguments for method, arguments in calls),
    )


_Call = tuple[str, list[ast.expr]]


def _named(calls: list[_Call], names: dict[str, Any], *methods: str) -> Iterator[Enum]:
    """The members in the calls of these methods."""
    for method, arguments in calls:
        if method in methods and arguments:
            yield from _members(arguments[0], names)


def _calls(tree: ast.AST, parameter: str) -> Iterator[_Call]:
    for node in ast.walk(tree):
        match node:
            case ast.Call(
                func=ast.Attribute(value=ast.Name(id=name), attr=method), args=args, keywords=extra
            ) if name == parameter:
                yield method, [*args, *(keyword.value for keyword in extra)]


def _members(node: ast.expr, names: dict[str, Any]) -> Iterator[Enum]:
    """The enum members that an expression names, both ways of a conditional included."""
    match node:
        case ast.IfExp(body=body, orelse=orelse):
            yield from _members(body, names)
            yield from _members(orelse, names)
        case ast.Attribute(value=ast.Name(id=name), attr=attribute):
            member = getattr(names.get(name), attribute, None)
            if isinstance(member, Enum):
                yield member


def _namespace(function: Callable[..., Any]) -> dict[str, Any]:
    seen = inspect.getclosurevars(function)
    return {**seen.globals, **seen.nonlocals}


def fingerprint(handler: Callable[..., Any]) -> str:
    """A digest of the handler's own code (not of what it calls): 16 hexadecimal digits."""
    function = inspect.unwrap(handler)
    code = getattr(function, "__code__", None)
    if code is None:
        code = getattr(getattr(function, "__call__", None), "__code__", None)  # noqa: B004 - the method itself
    digest = blake2b(digest_size=8)
    if isinstance(code, CodeType):
        _digest(code, digest.update)
    else:
        digest.update(repr(type(handler)).encode())
    return digest.hexdigest()


def _digest(code: CodeType, update: Callable[[bytes], None]) -> None:
    update(code.co_code)
    update(" ".join((*code.co_names, *code.co_varnames)).encode())
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            _digest(constant, update)
        elif isinstance(constant, frozenset):
            # a set's order differs from process to process
            update(" ".join(sorted(map(repr, constant))).encode())
        else:
            update(repr(constant).encode())
