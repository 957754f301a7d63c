"""The operating-system user a server runs as, and running programs as that user."""

from __future__ import annotations

import os
import pwd
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bgce_migrate.errors import Unavailable, UsageError

USER_VARIABLE = "BGCE_SERVER_USER"
ORDINARY_USERS = ("postgres", "nobody")


@dataclass(frozen=True, slots=True)
class Account:
    """An operating-system user; `switch` is True when we are root and run the server as somebody else."""

    name: str
    uid: int
    gid: int
    switch: bool = False

    def run(
        self,
        command: Sequence[str | Path],
        *,
        folder: Path = Path("/"),
        timeout: float = 120,
        given: str = "",
    ) -> subprocess.CompletedProcess[str]:
        """Run `command` as this user in `folder`, with `given` as its input and no PG* variables.

        Output goes to a pipe only for programs that end; a server must have been given its log before.

        Raises:
            Unavailable: the program cannot be started or does not end within `timeout` seconds.
        """
        kept = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")
        environment = {name: os.environ[name] for name in kept if name in os.environ}
        environment |= {"LC_ALL": "C", "HOME": "/nonexistent"}
        groups = os.getgrouplist(self.name, self.gid) if self.switch else None
        try:
            return subprocess.run(
                [str(part) for part in command],
                cwd=folder,
                env=environment,
                input=given,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=timeout,
                check=False,
                umask=0o077,
                user=self.uid if self.switch else None,
                group=self.gid if self.switch else None,
                extra_groups=groups,
            )
        except (OSError, subprocess.SubprocessError) as error:
            raise Unavailable(f"cannot run {Path(command[0]).name} as user {self.name}: {error}") from error

    def write(self, path: Path, text: str, *, append: bool = False) -> None:
        """Write a file of mode 0600 as this user.

        As root we never write into a folder of the server's user ourselves: a link that lies there would
        lead us anywhere.

        Raises:
            Unavailable: the file cannot be written.
        """
        script = 'cat >> "$1"' if append else 'rm -f -- "$1" && cat > "$1"'
        self._shell(script, path, text)

    def make_folder(self, path: Path) -> None:
        """Make a folder of mode 0700 as this user.

        Raises:
            Unavailable: it cannot be made.
        """
        self._shell('mkdir -m 700 -- "$1"', path)

    def delete(self, path: Path) -> None:
        """Delete a folder as this user: what this user may not delete stays."""
        self.run(["/bin/sh", "-c", 'rm -rf -- "$1"', "sh", path])

    def can_enter(self, folder: Path) -> bool:
        """Whether this user can reach `folder`; asked as that user, for modes say nothing about ACLs."""
        return self.run(["/bin/sh", "-c", 'cd -- "$1"', "sh", folder]).returncode == 0

    def _shell(self, script: str, path: Path, given: str = "") -> None:
        done = self.run(["/bin/sh", "-c", script, "sh", path], given=given)
        if done.returncode != 0:
            raise Unavailable(f"cannot write {path} as user {self.name}: {done.stderr.strip()}")


def current() -> Account:
    """The user we are."""
    uid = os.getuid()
    try:
        name = pwd.getpwuid(uid).pw_name
    except KeyError:
        name = str(uid)  # a container may run under a number without a name
    return Account(name, uid, os.getgid())


def server_account(owner: int | None = None) -> Account:
    """Who the server runs as: we ourselves, or as root an existing ordinary user; none is ever created.

    Args:
        owner: uid of an existing data folder; as root the server runs as its owner.

    Raises:
        UsageError: we are root and there is no ordinary user, or the named one cannot be it.
    """
    us = current()
    if us.uid != 0:
        return us
    if owner:
        try:
            return _switched(pwd.getpwuid(owner))
        except KeyError:
            raise UsageError(f"the data folder belongs to uid {owner}, which is no user here") from None
    named = os.environ.get(USER_VARIABLE)
    for name in (named,) if named else ORDINARY_USERS:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        if entry.pw_uid:
            return _switched(entry)
    asked = f"{USER_VARIABLE}={named} is not" if named else "there is neither 'postgres' nor 'nobody' as"
    raise UsageError(
        f"PostgreSQL refuses to run as root, and {asked} an ordinary user here",
        hint=f"set {USER_VARIABLE} to an existing ordinary user, or run as one",
    )


def _switched(entry: pwd.struct_passwd) -> Account:
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid, switch=True)
