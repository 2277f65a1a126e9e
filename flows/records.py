"""Records: dataclasses that are made by the dozen in every turn."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dataclasses import dataclass as record
else:
    from dataclasses import dataclass, fields

    def record(*, slots, frozen=False, kw_only=False):
        """A dataclass that is frozen and slotted for the type checkers alone, and hashed as a
        frozen one is.

        A turn makes some fifty of them, and CPython (from 3.12 on) makes an object quickly where
        its class has no slots and an ``__init__`` that sets attributes in the plain way, and where
        the call gives all of its arguments by position. One that is frozen or slotted when it runs
        takes four to eight times as long. So where a turn makes a record, all fields are given, by
        position. What is handed to users stays a frozen and slotted dataclass.
        """

        def made(cls):
            cls = dataclass(kw_only=kw_only, unsafe_hash=frozen)(cls)
            for each in fields(cls):
                # an attribute of the class with the same name would make each look-up slow
                if each.init and each.name in cls.__dict__:
                    delattr(cls, each.name)
            return cls

        return made


__all__ = ["record"]
