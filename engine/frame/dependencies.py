"""Dependencies: an object as it is, or what makes one and takes it down again."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from typing import Any, TypeGuard

from flows.definition.naming import shown
from flows.errors import DefinitionError


def is_factory(deps: object) -> TypeGuard[Callable[[], AbstractAsyncContextManager[Any]]]:
    """Whether it is a function that ``contextlib.asynccontextmanager`` has made."""
    function = deps.func if isinstance(deps, partial) else deps
    return inspect.isroutine(function) and inspect.isasyncgenfunction(inspect.unwrap(function))


def check_dependencies(deps: object) -> None:
    """Raises DefinitionError for a factory that nobody can call as it is called."""
    if inspect.isasyncgenfunction(deps):
        raise DefinitionError(
            f"deps={shown(deps)} is an async generator. Put @contextlib.asynccontextmanager "
            "above it."
        )
    if inspect.isroutine(deps) and inspect.isgeneratorfunction(inspect.unwrap(deps)):
        raise DefinitionError(
            f"deps={shown(deps)} is a generator. Make it 'async def', with "
            "@contextlib.asynccontextmanager above it."
        )
    if not is_factory(deps):
        return
    try:
        inspect.signature(deps).bind()
    except TypeError as error:
        raise DefinitionError(
            f"deps={shown(deps)} is called without arguments, and then: {error}"
        ) from None


@asynccontextmanager
async def opened(deps: Any) -> AsyncIterator[Any]:
    """The dependencies for the time in which a bot runs."""
    if not is_factory(deps):
        yield deps
        return
    async with deps() as made:
        yield made
