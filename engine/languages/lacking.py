"""What catalogues lack: for ``handrail check --languages``."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from babel.messages.catalog import Catalog, Message

from engine.languages.languages import Languages

_PLACEHOLDER = re.compile(r"\{(\w+)\}")

Key = tuple[str, str]
"""Context and text of a message."""


def faults(languages: Languages) -> Iterator[str]:
    """A line for each text of a catalogue, or of another one, that has no translation, and for
    each translation with other placeholders than the original. What is in no catalogue is not
    known here: ``pybabel update`` puts it there.
    """
    known = {locale: _messages(one) for locale, one in languages.catalogues.items()}
    texts = {key: None for messages in known.values() for key in messages}
    for locale, messages in known.items():
        for key in texts:
            message = messages.get(key)
            if message is None or message.fuzzy or not all(_forms(message)):
                if locale != languages.default:
                    yield f"{locale}: {key[1]!r} has no translation"
                continue
            yield from (f"{locale}: {reason}" for reason in _strange(message))


def _messages(catalogue: Catalog) -> Mapping[Key, Message]:
    return {(one.context or "", _originals(one)[0]): one for one in catalogue if one.id}


def _strange(message: Message) -> Iterator[str]:
    """What placeholders of a translation no value stands in for, or which it leaves out."""
    allowed = {name for text in _originals(message) for name in _PLACEHOLDER.findall(text)}
    needed = set(_PLACEHOLDER.findall(_originals(message)[-1]))
    for form in _forms(message):
        found = set(_PLACEHOLDER.findall(form))
        first = _originals(message)[0]
        unknown = ", ".join(sorted(found - allowed))
        missing = ", ".join(sorted(needed - found)) if not message.pluralizable else ""
        if unknown:
            yield f"{form!r} has the placeholder {unknown}, which {first!r} has not"
        if missing:
            yield f"{form!r} leaves out the placeholder {missing}"


def _originals(message: Message) -> list[str]:
    return [message.id] if isinstance(message.id, str) else [str(one) for one in message.id]


def _forms(message: Message) -> list[str]:
    text = message.string
    return [str(text)] if isinstance(text, str) else [str(one or "") for one in text or ("",)]
