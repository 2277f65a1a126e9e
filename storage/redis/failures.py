"""What an error of the server or of the connection means for the caller."""

from __future__ import annotations

from typing import Final

from redis.exceptions import AuthenticationError, RedisError, TimeoutError

from flows.errors import OutcomeUnknown, StorageDown, StorageError
from storage.redis.location import Location

_TEMPORARY: Final = {
    "LOADING": "it is still reading its data from the disk. It goes on by itself then",
    "READONLY": "it is a replica, which takes no writes. Name the primary in the database URL",
    "MASTERDOWN": "it is a replica that has lost its primary. Name the primary in the database URL",
    "MOVED": "it is a node of a cluster, and another one has these keys. Name that one in the "
    "database URL",
    "ASK": "the cluster is moving these keys to another node. It goes on when that is done",
    "CLUSTERDOWN": "the cluster is down. Look at its nodes",
    "CROSSSLOT": "it is a cluster with other rules for keys. Use a server that is none",
    "OOM": "its memory is full. Raise maxmemory, or remove something",
    "MISCONF": "it cannot write to its disk and so takes no writes. Look at the disk and at the "
    "server's log",
    "BUSY": "it is busy with a script. Look with SLOWLOG what runs for so long",
    "NOREPLICAS": "it has too few replicas to take writes (min-replicas-to-write). Look at them",
    "UNKILLABLE": "it is busy with a script. Look with SLOWLOG what runs for so long",
    "NOAUTH": "it wants a password. Put it into the database URL: redis://:PASSWORD@host",
    "WRONGPASS": "it refuses the name and password. Look at those in the database URL",
    "NOPERM": "its user may not do that. Give it the right to EVALSHA, EVAL, INFO, PUBLISH, "
    "SUBSCRIBE and all data commands on the keys of this prefix",
    "EXECABORT": "it refused the transaction. Look at the server's log",
}


def refused(place: Location, error: RedisError) -> StorageError:
    """The server's answer was an error, so that nothing was written."""
    text = str(error)
    word = text.partition(" ")[0].rstrip(":")
    # The driver takes the first word away where it has a class for the error.
    code = word if word in _TEMPORARY else _CODES.get(type(error).__name__, "")
    # Before Redis 7, what failed a script stands in the middle of the text.
    code = code or next((known for known in _TEMPORARY if f"-{known} " in text), "")
    if code == "WRONGPASS" and "required" in text:
        code = "NOAUTH"
    if code in _TEMPORARY:
        return StorageDown(f"Redis at {place} cannot be used now ({text}): {_TEMPORARY[code]}.")
    if "WRONGTYPE" in text:
        return StorageError(
            f"a key of the database {place} has another type than Handrail's ({text}). Somebody "
            "else has written it: remove it, or give Handrail a prefix of its own."
        )
    return StorageError(f"Redis at {place} refused a script, nothing was written: {text}")


_CODES: Final = {
    "BusyLoadingError": "LOADING",
    "ReadOnlyError": "READONLY",
    "MasterDownError": "MASTERDOWN",
    "MovedError": "MOVED",
    "AskError": "ASK",
    "ClusterDownError": "CLUSTERDOWN",
    "ClusterCrossSlotError": "CROSSSLOT",
    "OutOfMemoryError": "OOM",
    "NoPermissionError": "NOPERM",
    "AuthenticationError": "WRONGPASS",
    "AuthenticationWrongNumberOfArgsError": "WRONGPASS",
    "ExecAbortError": "EXECABORT",
}


def unreachable(place: Location, error: Exception) -> StorageError:
    """There was no connection to send anything on."""
    if isinstance(error, AuthenticationError) or type(error).__name__ in _CODES:
        assert isinstance(error, RedisError)  # noqa: S101 -- those are all of them
        return refused(place, error)
    return StorageDown(
        f"Redis at {place} cannot be reached ({_reason(error)}). Look whether it runs and whether "
        "the database URL is right; it goes on by itself when the server is back."
    )


def lost(place: Location, error: Exception, *, wrote: bool) -> StorageError:
    """The connection ended between the question and the answer."""
    if not wrote:
        return StorageDown(
            f"the connection to Redis at {place} was lost ({_reason(error)}). Ask again."
        )
    return OutcomeUnknown(
        f"the answer of Redis at {place} was lost ({_reason(error)}): it may have written or not. "
        "Read the versions again before anything is repeated."
    )


def not_open() -> StorageDown:
    """The answer to calls before ``open`` and after ``close``."""
    return StorageDown("the storage is not open. Await open() before anything else.")


def _reason(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return str(error) or "no answer in time"
    return str(error) or type(error).__name__
