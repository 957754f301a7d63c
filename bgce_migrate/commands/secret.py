"""Where a command takes a password from: a prompt, a variable or a file, never the command line itself."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path

from bgce_migrate.commands.call import Call
from bgce_migrate.errors import Interrupted, UsageError

_MOST = 4096  # bytes of a file; a password file that is longer is another file


def read_password(call: Call, login: str, *, variable: str | None = None, file: Path | None = None) -> str:
    """The password for `login`; from now on no output shows it.

    Args:
        variable: the name of an environment variable.
        file: its first line; `-` is standard input.

    Raises:
        UsageError: there is none, or nobody to ask.
        Interrupted: the person at the prompt gave up.
    """
    if variable is not None and file is not None:
        raise UsageError("--from-env and --from-file are two places for one password", hint="give one of them")
    if variable is not None:
        value = _from_variable(variable, login)
    elif file is not None:
        value = _from_file(call, file, login)
    elif call.asks:
        value = _from_prompt(call, login)
    else:
        raise UsageError(
            f"there is nobody to ask for the password of {login}",
            hint="give --from-env VARIABLE or --from-file FILE (- is standard input); never the password itself",
        )
    call.out.secrets.add(value)
    return value


def _from_variable(name: str, login: str) -> str:
    if not name.isidentifier():
        raise UsageError("--from-env takes the name of an environment variable, never a password")
    value = os.environ.get(name)
    if not value:
        raise UsageError(
            f"{name} is {'not set' if value is None else 'set and empty'}: there is no password for {login}",
            hint="a missing secret arrives as an empty string; nothing was changed",
        )
    return value


def _from_file(call: Call, file: Path, login: str) -> str:
    try:
        if str(file) == "-":
            raw = sys.stdin.buffer.read(_MOST + 1)
        else:
            with file.open("rb") as stream:
                if stat.S_IMODE(os.fstat(stream.fileno()).st_mode) & 0o077:
                    call.out.note(f"warning: others may read {file}; chmod 600 keeps it yours")
                raw = stream.read(_MOST + 1)
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}", hint="nothing was changed") from None
    # Editors and `echo` end a line; a password may end with a blank.
    line, _, rest = raw.replace(b"\r\n", b"\n").partition(b"\n")
    if rest or len(raw) > _MOST or not line:
        raise UsageError(
            f"{file} does not hold one line with the password of {login}", hint="nothing was changed"
        )
    try:
        return line.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise UsageError(f"{file} is not UTF-8", hint="nothing was changed") from None


def _from_prompt(call: Call, login: str) -> str:
    from getpass import getpass

    from bgce_migrate.commands.signals import interruptible

    try:
        with interruptible():
            first = getpass(f"new password of {login}: ", sys.stderr)
            call.out.secrets.add(first)
            second = getpass("the same again: ", sys.stderr)
    except (KeyboardInterrupt, EOFError):
        call.out.note("")
        raise Interrupted("stopped at the question; nothing was changed") from None
    if not first or first != second:
        raise UsageError(
            "the password is empty" if not first else "the two passwords differ", hint="nothing was changed"
        )
    return first
