"""What we remember of a server between commands, and the lock that lets one process change it."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bgce_migrate.errors import Unavailable, UsageError

LOCK_WAIT = 120.0


@dataclass(frozen=True, slots=True)
class Record:
    """A server's record: `.bgce/<name>-<major>.json`, mode 0600."""

    provider: str
    name: str
    major: int
    version: str
    port: int
    folder: str
    socket_dir: str
    password: str
    notes: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """`<name>-<major>`: the name of its folder and of its record."""
        return f"{self.name}-{self.major}"


def write_private(path: Path, text: str, owner: os.stat_result) -> None:
    """Replace `path` atomically with mode 0600, belonging to whom `owner` belongs."""
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    draft.unlink(missing_ok=True)
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        if os.getuid() == 0:
            os.fchown(handle, owner.st_uid, owner.st_gid)
        file.write(text)
    draft.replace(path)


@contextlib.contextmanager
def locked(private: Path, key: str) -> Iterator[None]:
    """Let one process at a time start or stop the server `key`.

    Raises:
        Unavailable: another process held it for two minutes.
    """
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW
    handle = os.open(private / f"{key}.lock", flags, 0o600)
    try:
        owner = private.stat()
        if os.getuid() == 0 and owner.st_uid != 0 and os.fstat(handle).st_nlink == 1:
            os.fchown(handle, owner.st_uid, owner.st_gid)
        end = time.monotonic() + LOCK_WAIT
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > end:
                    raise Unavailable(
                        f"another process has been starting or stopping the server {key} for {LOCK_WAIT:.0f} s",
                        hint=f"see who holds {private / key}.lock",
                    ) from None
                time.sleep(0.05)
        yield
    finally:
        os.close(handle)


def read_record(private: Path, key: str) -> Record | None:
    """The record of the server `key` (`<name>-<major>`), None if there is none.

    Raises:
        UsageError: it is there and cannot be read.
    """
    path = private / f"{key}.json"
    try:
        values: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return Record(**(values | {"notes": tuple(values["notes"])}))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise UsageError(
            f"cannot read {path}: {error}", hint=f"stop the server, then remove {private} to begin anew"
        ) from error


def read_records(private: Path) -> list[Record]:
    """All servers of this folder, by name, newest major first."""
    keys = [path.stem for path in private.glob("*-*.json")]
    records = [record for key in keys if (record := read_record(private, key))]
    return sorted(records, key=lambda record: (record.name, -record.major))


def write_record(private: Path, record: Record) -> None:
    """Remember `record`."""
    text = json.dumps(asdict(record), indent=1) + "\n"
    write_private(private / f"{record.key}.json", text, private.stat())
