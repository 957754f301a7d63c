"""A plain git hook: written beside what is there, which is kept and called first."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path

from bgce_migrate.config.paths import shown
from bgce_migrate.errors import ConfigError, Refused, Where
from bgce_migrate.scaffold.files import render

NAME = "pre-commit"
BACKUP = "pre-commit.before-bgce"
#: Where pre-commit (the program) keeps a hook that was there before its own, and calls it.
LEGACY = "pre-commit.legacy"
MARKER = "bgce-migrate hook"


def install_hook(folder: Path) -> bool:
    """Write the hook; one of someone else's is kept as `pre-commit.before-bgce` and called first.

    Returns:
        False if it was there already, up to date.

    Raises:
        Refused: both a hook of someone else's and an older backup are there.
        ConfigError: the system refuses.
    """
    hook, backup = folder / NAME, folder / BACKUP
    text = _text()
    try:
        if _is_ours(folder / LEGACY):
            return _write(folder / LEGACY, text)
        if os.path.lexists(hook) and not _is_ours(hook):
            if os.path.lexists(backup):
                message = f"{shown(hook)} is someone else's, and so is {shown(backup)}"
                raise Refused(message, hint="join the two by hand, then try again", where=Where(shown(hook)))
            hook.rename(backup)
        folder.mkdir(parents=True, exist_ok=True)
        return _write(hook, text)
    except OSError as error:
        raise ConfigError(f"{shown(hook)} cannot be written: {error.strerror or error}") from None


def uninstall_hook(folder: Path) -> bool:
    """Remove the hook and put back what was there before it; False if it was not there."""
    hook, backup = folder / NAME, folder / BACKUP
    try:
        if _is_ours(folder / LEGACY):
            (folder / LEGACY).unlink()
            if os.path.lexists(backup):
                backup.rename(folder / LEGACY)
            return True
        if not _is_ours(hook):
            return False
        hook.unlink()
        if os.path.lexists(backup):
            backup.rename(hook)
        return True
    except OSError as error:
        raise ConfigError(f"{shown(hook)} cannot be removed: {error.strerror or error}") from None


def _is_ours(path: Path) -> bool:
    try:
        return MARKER in path.read_text(encoding="utf-8", errors="replace")[:400]
    except OSError:
        return False


def _write(path: Path, text: str) -> bool:
    if _is_ours(path) and path.read_text(encoding="utf-8") == text and os.access(path, os.X_OK):
        return False
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_text(text, encoding="utf-8", newline="\n")
    temporary.chmod(0o755)
    temporary.replace(path)
    return True


def _text() -> str:
    """The script. It names the program of now: a commit from an editor has another PATH."""
    script = Path(sys.executable).with_name("bgce-migrate")
    program, words = (script, "hook run") if os.access(script, os.X_OK) else (Path(sys.executable), "-m bgce_migrate hook run")
    values = {"marker": MARKER, "backup": BACKUP, "program": shlex.quote(str(program)), "words": words}
    return render("pre-commit.sh.tmpl", values)
