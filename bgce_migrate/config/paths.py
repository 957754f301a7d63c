"""How paths are shown, and how files of others are opened: regular, inside their folder, bounded."""

from __future__ import annotations

import os
import stat
from pathlib import Path

_FLAGS = os.O_RDONLY | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
_NOFOLLOW = getattr(os, "O_NOFOLLOW", 0)
#: What is read at once of a file whose size nobody has asked for: nearly all migrations fit.
_PIECE = 16 * 1024


class FileFault(Exception):
    """A file that is not opened; the text says why."""


def shown(path: Path) -> str:
    """`path` relative to the current directory when it is inside, else absolute; with forward slashes.

    Characters that would change the terminal or the reading order are shown as code points.
    """
    absolute = Path(os.path.abspath(path))
    try:
        text = absolute.relative_to(Path.cwd()).as_posix()
    except (ValueError, OSError):
        text = absolute.as_posix()
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else f"<U+{ord(c):04X}>" for c in text)


def inside(path: str, folder: str) -> bool:
    """Whether `path`, all links followed, is `folder` or below it. `folder` must be resolved already."""
    return below(os.path.realpath(path), folder)


def below(real: str, folder: str) -> bool:
    """`inside` for a path that is resolved already."""
    return real == folder or real.startswith(folder.rstrip(os.sep) + os.sep)


def read_regular(path: str, limit: int) -> bytes:
    """The first `limit` bytes of a regular file that is no link; never waits on a pipe or device.

    Raises:
        FileFault: not a regular file, a link, or not readable.
    """
    try:
        fd = os.open(path, _FLAGS | _NOFOLLOW)
    except OSError as error:
        raise FileFault(f"cannot be read: {error.strerror or error}") from None
    try:
        info = os.fstat(fd)
        if not stat.S_ISREG(info.st_mode):
            raise FileFault("is not a regular file")
        raw = os.read(fd, min(limit, info.st_size + 1))
        if len(raw) < min(limit, info.st_size):
            parts = [raw]
            size = len(raw)
            while size < limit and (part := os.read(fd, limit - size)):
                parts.append(part)
                size += len(part)
            raw = b"".join(parts)
        return raw
    except OSError as error:
        raise FileFault(f"cannot be read: {error.strerror or error}") from None
    finally:
        os.close(fd)


def read_listed(path: str, limit: int) -> bytes:
    """`read_regular` for what a listing of its folder has just shown as a regular file: one call less for each of many.

    Raises:
        FileFault: a link by now, or not readable.
    """
    try:
        fd = os.open(path, _FLAGS | _NOFOLLOW)
    except OSError as error:
        raise FileFault(f"cannot be read: {error.strerror or error}") from None
    try:
        raw = os.read(fd, _PIECE)
        # The end is where nothing more comes, not where a piece is short.
        while len(raw) < limit and (more := os.read(fd, len(raw) or 1)):
            raw += more
        return raw if len(raw) <= limit else raw[:limit]
    except OSError as error:
        raise FileFault(f"cannot be read: {error.strerror or error}") from None
    finally:
        os.close(fd)


def read_within(path: str, folder: str, limit: int) -> bytes:
    """Like `read_regular`, but follows a link that stays inside `folder` (resolved already).

    Raises:
        FileFault: as `read_regular`, or a link that leads out of the folder.
    """
    if os.path.islink(path):
        if not inside(path, folder):
            raise FileFault("is a link that leads out of its folder")
        path = os.path.realpath(path)
    return read_regular(path, limit)
