"""What the source of a handler tells: its moves, the flows it calls, and whether it changed."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from hashlib import blake2b
from types import CodeType, FunctionType, ModuleType
from typing import Any, TypeVar

from flows.flow import Flow

T = TypeVar("T")

AnyFlow = Flow[Any, Any, Any]

Names = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Moves:
    """The literal moves of a handler.

    Attributes:
        targets: the enum members of every ``turn.next(Enum.MEMBER)``.
        jumps: those of every ``turn.goto(Enum.MEMBER)`` and ``turn.detour(Enum.MEMBER)``.
        completes: it says ``turn.complete()`` somewhere.
        bare: it says ``turn.next()`` somewhere, without a step.
        done: it says ``turn.done()`` somewhere.
        children: the flows of every ``turn.call(flow)``.
    """

    targets: tuple[Enum, ...] = ()
    jumps: tuple[Enum, ...] = ()
    completes: bool = False
    bare: bool = False
    done: bool = False
    children: tuple[AnyFlow, ...] = ()

    def __add__(self, other: Moves) -> Moves:
        """The moves of two functions of one step."""
        return Moves(
            targets=self.targets + other.targets,
            jumps=self.jumps + other.jumps,
            completes=self.completes or other.completes,
            bare=self.bare or other.bare,
            done=self.done or other.done,
            children=self.children + other.children,
        )


def read_moves(handler: Callable[..., Any]) -> Moves:
    """The literal moves in the source; none where there is no source to read."""
    function = inspect.unwrap(handler)
    # a lambda has no source of its own: its lines may hold those of other steps
    if not inspect.isfunction(function) or function.__name__ == "<lambda>":
        return Moves()
    calls = _calls_in(function.__code__, function.__code__.co_filename)
    names = _namespace(function)
    said = {method for method, _ in calls}
    return Moves(
        targets=tuple(_of_kind(Enum, calls, names, "next")),
        jumps=tuple(_of_kind(Enum, calls, names, "goto", "detour")),
        completes="complete" in said,
        bare=any(method == "next" and not arguments for method, arguments in calls),
        done="done" in said,
        children=tuple(_of_kind(Flow, calls, names, "call", "call_data")),
    )


_Call = tuple[str, list[ast.expr]]


@lru_cache(maxsize=256)
def _calls_in(code: CodeType, file: str) -> Sequence[_Call]:
    """The calls of methods of the first parameter: the name and the arguments of each. All steps
    that are asked in one line, and those of a factory, have one code.

    Args:
        file: where it stands. Codes of two files may be equal, and one may have no source.
    """
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(code)))
    except (OSError, SyntaxError):  # defined at a prompt, by exec, or within an expression
        return ()
    parameter = code.co_varnames[0] if code.co_varnames else ""
    return tuple(_calls(tree, parameter))


def _of_kind(kind: type[T], calls: Sequence[_Call], names: Names, *methods: str) -> Iterator[T]:
    """What the first arguments in the calls of these methods name, where it is of this kind."""
    for method, arguments in calls:
        if method in methods and arguments:
            yield from (one for one in _named(arguments[0], names) if isinstance(one, kind))


def _calls(tree: ast.AST, parameter: str) -> Iterator[_Call]:
    for node in ast.walk(tree):
        match node:
            case ast.Call(
                func=ast.Attribute(value=ast.Name(id=name), attr=method), args=args, keywords=extra
            ) if name == parameter:
                yield method, [*args, *(keyword.value for keyword in extra)]


def _named(node: ast.expr, names: Names) -> Iterator[object]:
    """What an expression names, both ways of a conditional included."""
    match node:
        case ast.IfExp(body=body, orelse=orelse):
            yield from _named(body, names)
            yield from _named(orelse, names)
        case ast.Name(id=name):
            yield names.get(name)
        case ast.Attribute(value=value, attr=attribute):
            for owner in _named(value, names):
                yield _attribute(owner, attribute)


def _attribute(owner: object, name: str) -> object:
    # a module and an enum are asked; of other things nothing may run while a flow is built
    if isinstance(owner, ModuleType | type):
        return getattr(owner, name, None)
    return inspect.getattr_static(owner, name, None)


def _namespace(function: FunctionType) -> Names:
    """What the names in a function mean, apart from its own."""
    own = function.__code__.co_varnames
    return {
        name: value
        for name, value in {**function.__globals__, **dict(_enclosed(function))}.items()
        if name not in own
    }


def _enclosed(function: FunctionType) -> Iterator[tuple[str, object]]:
    cells = zip(function.__code__.co_freevars, function.__closure__ or (), strict=True)
    for name, cell in cells:
        with suppress(ValueError):  # it has no value yet
            yield name, cell.cell_contents


def fingerprint(handler: Callable[..., Any]) -> str:
    """A digest of the handler's own code (not of what it calls): 16 hexadecimal digits."""
    code = code_of(handler)
    digest = blake2b(digest_size=8)
    if code is not None:
        _digest(code, digest.update)
    else:
        digest.update(repr(type(handler)).encode())
    return digest.hexdigest()


def code_of(handler: Callable[..., Any]) -> CodeType | None:
    """The handler's own code; None where it has none, as what is written in C."""
    function = inspect.unwrap(handler)
    code = getattr(function, "__code__", None)
    if code is None:
        code = getattr(getattr(function, "__call__", None), "__code__", None)  # noqa: B004 - the method itself
    return code if isinstance(code, CodeType) else None


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
