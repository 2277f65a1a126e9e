"""Finding the app that MODULE:APP names."""

from __future__ import annotations

import importlib
import re
import sys
import traceback
import warnings
from difflib import get_close_matches
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from engine.cli.output import warn
from flows.errors import HandrailError
from flows.reserved import warn_of_hidden_packages

if TYPE_CHECKING:
    from engine.app import App


class CannotLoad(HandrailError, LookupError):
    """What was named cannot be loaded; the message says why and what to do."""


def load_app(target: str) -> App:
    """The App behind ``module:name``, such as ``examples.signup:app``.

    Raises:
        CannotLoad: there is no such module or name, or it is no App.
        DefinitionError: a flow in the module cannot work.
    """
    module_name, colon, name = target.partition(":")
    if not colon or not module_name or not name:
        raise CannotLoad(
            f"{target!r} does not name an app. Write MODULE:APP, such as {_example(target)}."
        )
    _see_current_folder()
    return app_in(_imported(module_name), name)


def app_in(module: ModuleType, name: str = "app") -> App:
    """The App of that name in a module.

    Raises:
        CannotLoad: there is none, or it is something else.
    """
    from engine.app import App

    try:
        found = getattr(module, name)
    except AttributeError:
        raise CannotLoad(_no_such_name(module, name)) from None
    if not isinstance(found, App):
        raise CannotLoad(
            f"{module.__name__}:{name} is of type {type(found).__name__}, which is no App. "
            "Make one with engine.App(...) and name that."
        )
    return found


def load_package(folder: Path) -> App:
    """The ``app`` of the package in a folder.

    Raises:
        CannotLoad: the folder is no package, or has no app.
        DefinitionError: a flow in it cannot work.
    """
    _see_current_folder()
    folder = folder.resolve()
    if not (folder / "__init__.py").is_file():
        raise CannotLoad(
            f"{folder} is no package: it has no __init__.py. Name its app: MODULE:APP."
        )
    root, name = _import_name(folder)
    if str(root) not in sys.path:
        sys.path.insert(0, str(root))
    module = _imported(name)
    if folder not in [Path(path).resolve() for path in module.__path__]:
        raise CannotLoad(
            f"{folder} is hidden by {module.__file__}, which bears the same name {name!r}. "
            "Rename the folder, or run the command from the folder that holds it."
        )
    return app_in(module)


def load_demo() -> App:
    """The signup bot: an example in a clone of the sources, and part of an installed package.

    Raises:
        CannotLoad: the installation is incomplete.
    """
    engine = Path(__file__).resolve().parents[1]
    for root in (engine / "demo", engine.parent):
        if (root / "examples" / "signup" / "__init__.py").is_file():
            sys.path.insert(0, str(root))
            return app_in(_imported("examples.signup"))
    raise CannotLoad(
        "this installation has no demo. Install Handrail again, or try 'handrail new'."
    )


def _import_name(folder: Path) -> tuple[Path, str]:
    roots = [Path.cwd(), *(Path(entry) for entry in sys.path if entry)]
    for root in map(Path.resolve, roots):
        if folder != root and folder.is_relative_to(root):
            parts = folder.relative_to(root).parts
            if all(part.isidentifier() for part in parts):
                return root, ".".join(parts)
    top = folder
    while (top.parent / "__init__.py").is_file():
        top = top.parent
    return top.parent, ".".join(folder.relative_to(top.parent).parts)


def _imported(name: str) -> ModuleType:
    if not all(part.isidentifier() for part in name.split(".")):
        raise CannotLoad(_no_module_name(name))
    try:
        return importlib.import_module(name)
    except HandrailError:
        raise
    except ModuleNotFoundError as error:
        missing = error.name or ""
        if name == missing or name.startswith(f"{missing}."):
            raise CannotLoad(_no_such_module(name, missing)) from None
        raise CannotLoad(
            f"the module {name!r} needs the module {missing!r}, which is not installed"
            f"{_place(error)}. Install it, or correct the import."
        ) from error
    except SystemExit as leaving:
        raise CannotLoad(
            f"the module {name!r} ended the program while it was imported{_place(leaving)}. "
            "Move what it runs under: if __name__ == '__main__':"
        ) from leaving
    except Exception as error:
        raise CannotLoad(
            f"the module {name!r} failed while it was imported{_place(error)}: "
            f"{type(error).__name__}: {error}"
        ) from error


def _place(error: BaseException) -> str:
    if isinstance(error, SyntaxError):
        return ""  # its message says it
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if "importlib" not in frame.filename and frame.filename != __file__
    ]
    return f" (line {frames[-1].lineno} of {frames[-1].filename})" if frames else ""


def _example(target: str) -> str:
    """A MODULE:APP for somebody who has written only half of one."""
    module = target.partition(":")[0].removesuffix(".py")
    usable = all(part.isidentifier() for part in module.split("."))
    return f"{module}:app" if usable else "examples.signup:app"


def _no_module_name(name: str) -> str:
    if "/" not in name and "\\" not in name and not name.endswith(".py"):
        return f"{name!r} is no module name. Write it with dots, such as examples.signup:app."
    path = re.split(r"[/\\]", name.removesuffix(".py").removesuffix("__init__"))
    parts = [part for part in path if part not in {"", "."}]
    if parts and all(part.isidentifier() for part in parts) and path[0] != "":
        return f"{name!r} is a path. Name the module with dots instead: {'.'.join(parts)}:app"
    return (
        f"{name!r} is a path that no module name can say. Go to the folder that holds the "
        "module, and name it there, such as bot:app."
    )


def _no_such_module(name: str, missing: str) -> str:
    where = f" ({missing!r} was not found)" if missing != name else ""
    return (
        f"there is no module {name!r}{where}. "
        f"It is looked for in the current folder, {Path.cwd()}, and among installed packages."
    )


def _no_such_name(module: ModuleType, name: str) -> str:
    from engine.app import App

    apps = [key for key, value in vars(module).items() if isinstance(value, App)]
    near = get_close_matches(name, list(vars(module)), n=2) or apps
    hint = (
        f" Did you mean {' or '.join(f'{module.__name__}:{one}' for one in near)}?" if near else ""
    )
    return f"the module {module.__name__!r} has no {name!r}.{hint}"


def _see_current_folder() -> None:
    # As ``python -m`` does: a command that was installed does not look there by itself.
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        warn_of_hidden_packages()
    for warning in caught:
        warn(str(warning.message))
