"""What the server says of itself: whether it keeps what it is given, and through which failure."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Final

from flows.errors import StorageDown, StorageError
from storage.redis.link import Link
from storage.redis.location import Location

OLDEST: Final = (6, 2)
"""The first version with all the commands that the scripts use."""

FAILOVER: Final = (
    "Where replicas take over, a failover may take commits that were answered: WAIT is not used."
)


async def settings_of(link: Link) -> Mapping[str, str]:
    """The server's INFO, with ``save`` and ``appendfsync`` where they may be read."""
    text: bytes = await link.command("INFO")
    lines = (line.partition(":") for line in text.decode().splitlines())
    settings = {name: value for name, colon, value in lines if colon}
    # Managed services often forbid CONFIG.
    with suppress(StorageError):
        found: list[bytes] = await link.command("CONFIG", "GET", "save")
        settings |= {name.decode(): value.decode() for name, value in _pairs(found)}
    with suppress(StorageError):
        found = await link.command("CONFIG", "GET", "appendfsync")
        settings |= {name.decode(): value.decode() for name, value in _pairs(found)}
    return settings


def check_server(place: Location, settings: Mapping[str, str]) -> None:
    """Raises StorageError where the server would not keep what it is given."""
    version = settings.get("redis_version", "0")
    if _version(version) < OLDEST:
        raise StorageError(
            f"Redis at {place} is version {version}, and Handrail needs "
            f"{'.'.join(map(str, OLDEST))} or newer. Upgrade the server."
        )
    policy = settings.get("maxmemory_policy", "unknown")
    if policy != "noeviction":
        raise StorageError(
            f"Redis at {place} throws data away when its memory is full (maxmemory-policy is "
            f"{policy}), and conversations are no cache. Set maxmemory-policy to noeviction, in "
            "its configuration file or with CONFIG SET."
        )
    if settings.get("role") == "slave":
        raise StorageDown(
            f"Redis at {place} is a replica, which takes no writes. Name the primary in the "
            "database URL."
        )


def durability_of(settings: Mapping[str, str]) -> str:
    """What survives which failure, by the server's persistence settings."""
    return f"{_persistence(settings)} {FAILOVER}"


def keeps_history(settings: Mapping[str, str]) -> bool:
    """Whether the server has an append-only file, which holds what was removed as well."""
    return settings.get("aof_enabled") == "1"


def _persistence(settings: Mapping[str, str]) -> str:
    if keeps_history(settings):
        return _APPENDED.get(settings.get("appendfsync", ""), _UNKNOWN_FSYNC)
    save = settings.get("save")
    if save is None:
        return (
            "Every commit survives the end of this process. The server has no append-only file "
            "(appendonly no), and whether it takes snapshots could not be read: its end, or a "
            "power cut, may take everything since the last one."
        )
    if not save:
        return (
            "Every commit survives the end of this process. Nothing survives the end of the "
            "server or a power cut: it writes nothing to its disk (appendonly no, no save)."
        )
    return (
        "Every commit survives the end of this process. The end of the server or a power cut "
        f"takes everything since its last snapshot (appendonly no, save {save}: a snapshot after "
        "so many seconds with so many changes)."
    )


_APPENDED: Final = {
    "always": "Every commit is on the server's disk when it returns (appendfsync always): it "
    "survives the end of this process and of the server, and a power cut.",
    "everysec": "Every commit survives the end of this process and of the server. A power cut "
    "may take those of the last two seconds (appendfsync everysec).",
    "no": "Every commit survives the end of this process and of the server. A power cut may take "
    "what the system has not written yet, often half a minute (appendfsync no).",
}
_UNKNOWN_FSYNC: Final = (
    "Every commit survives the end of this process and of the server, which has an append-only "
    "file. What a power cut may take could not be read (appendfsync): often two seconds."
)


def _pairs(flat: list[bytes]) -> list[tuple[bytes, bytes]]:
    return list(zip(flat[::2], flat[1::2], strict=True))


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(number) for number in text.split(".")[:2] if number.isdecimal())
