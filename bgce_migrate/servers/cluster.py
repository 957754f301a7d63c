"""A data directory: making it, its settings, starting and stopping its postmaster."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from bgce_migrate.errors import Unavailable, UsageError
from bgce_migrate.servers.account import Account
from bgce_migrate.servers.programs import Programs

ADMIN = "postgres"
HOST = "127.0.0.1"
SETTINGS_FILE = "bgce.conf"
#: For throw-away servers: a crash of the machine may lose them, and they start and commit faster.
FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
START_SECONDS = 60
LARGEST_LOG = 10 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Cluster:
    """A folder of mode 0700 with `data`, `log` and, when its path is short, `socket`.

    Programs run inside the folder and get relative paths: pg_ctl hands paths to a shell, and no shell
    may ever interpret the name of a checkout.
    """

    folder: Path
    programs: Programs
    account: Account

    @property
    def data(self) -> Path:
        """The data directory."""
        return self.folder / "data"

    @property
    def log(self) -> Path:
        """The server's log."""
        return self.folder / "log"

    def initialise(self, password: str) -> None:
        """Make the data directory with SCRAM for everybody and UTF-8, unless it is there.

        Raises:
            Unavailable: initdb failed; its last lines are in the message.
        """
        if (self.data / "PG_VERSION").exists():
            return
        draft, secret = self.folder / "data-new", self.folder / "password"
        with _erased(secret):
            # Made at once with mode 0600, so that nobody can read it in between.
            with os.fdopen(os.open(secret, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                file.write(password + "\n")
            self.account.own(secret, 0o600)
            said = ""
            for locale in self._locales():
                shutil.rmtree(draft, ignore_errors=True)
                done = self.account.run(
                    [
                        self.programs.path("initdb"),
                        *("-D", draft.name, "-U", ADMIN, "--auth=scram-sha-256", f"--pwfile={secret.name}"),
                        *("--encoding=UTF8", "--lc-messages=C", "--no-instructions", "--no-sync", *locale),
                    ],
                    folder=self.folder,
                )
                if done.returncode == 0:
                    # Only a whole data directory gets the name; an interrupted one is made anew.
                    draft.replace(self.data)
                    return
                said = _last_lines(done.stderr or done.stdout)
        raise Unavailable(
            f"initdb of PostgreSQL {self.programs.version} failed as user {self.account.name}: {said}",
            hint=f"see that {self.folder} has space and may be written",
        )

    def configure(self, port: int, socket_dir: Path, settings: Mapping[str, str]) -> bool:
        """Write our settings; return whether they changed.

        Raises:
            UsageError: a setting's name or value is not one.
        """
        ours = {
            "listen_addresses": HOST,
            "port": str(port),
            "unix_socket_directories": _listed(socket_dir),
            "unix_socket_permissions": "0700",
            "timezone": "UTC",
            "log_timezone": "UTC",
        }
        lines = ["# Written by bgce-migrate at every start. Your own go to the end of postgresql.conf, after the include."]
        lines += [_setting(name, value) for name, value in (ours | dict(settings)).items()]
        text = "\n".join(lines) + "\n"
        main, file = self.data / "postgresql.conf", self.data / SETTINGS_FILE
        if f"include '{SETTINGS_FILE}'" not in main.read_text(encoding="utf-8"):
            with main.open("a", encoding="utf-8") as out:
                out.write(f"\ninclude '{SETTINGS_FILE}'\n")
        if file.exists() and file.read_text(encoding="utf-8") == text:
            return False
        file.write_text(text, encoding="utf-8")
        self.account.own(file, 0o600)
        return True

    def start(self) -> None:
        """Start the postmaster in a session of its own and wait until it answers.

        Raises:
            Unavailable: it did not come up; the end of its log is in the message.
        """
        if self.log.exists() and self.log.stat().st_size > LARGEST_LOG:
            self.log.replace(self.log.with_suffix(".old"))
        before = self.log.stat().st_size if self.log.exists() else 0
        self._forget_stranger()
        command = [self.programs.path("pg_ctl"), "start", "-D", self.data.name, "-l", self.log.name]
        done = self.account.run(
            [*command, "-w", "-s", "-t", str(START_SECONDS)], folder=self.folder, timeout=START_SECONDS + 30
        )
        if done.returncode == 0 and self.pid() is not None:
            return
        said = ""
        with contextlib.suppress(OSError), self.log.open(encoding="utf-8", errors="replace") as log:
            log.seek(before)
            said = _last_lines(log.read())
        raise Unavailable(
            f"PostgreSQL {self.programs.version} did not start as user {self.account.name}: "
            f"{said or _last_lines(done.stderr)}",
            hint=f"the whole log is {self.log}",
        )

    def stop(self, mode: str) -> None:
        """Stop the postmaster and wait for its end; `mode` is smart, fast or immediate.

        Raises:
            Unavailable: it did not end.
        """
        command = [self.programs.path("pg_ctl"), "stop", "-D", self.data.name, "-m", mode, "-w", "-s"]
        done = self.account.run([*command, "-t", str(START_SECONDS)], folder=self.folder)
        if done.returncode != 0 and self.pid() is not None:
            raise Unavailable(
                f"the server in {self.folder} did not stop: {_last_lines(done.stderr)}",
                hint="close its connections, or stop it with mode immediate",
            )

    def pid(self) -> int | None:
        """The postmaster's process id while it runs, else None."""
        try:
            pid = int((self.data / "postmaster.pid").read_text().split("\n", 1)[0])
        except (OSError, ValueError):
            return None
        return pid if _alive(pid) and self._ours(pid) else None

    def _ours(self, pid: int) -> bool:
        """False if that process is certainly another one (a number used again after a reboot)."""
        try:
            return os.path.samefile(os.readlink(f"/proc/{pid}/cwd"), self.data)
        except OSError:
            return True

    def _forget_stranger(self) -> None:
        """Take away a pid file whose number now belongs to another process: it would stop the start."""
        file = self.data / "postmaster.pid"
        if file.exists() and self.pid() is None:
            file.unlink()

    def _locales(self) -> list[list[str]]:
        """Locales to try: letters of all alphabets, sorted by code point, the same on all machines."""
        builtin = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
        return [["--locale=C.UTF-8"], *([builtin] if self.programs.major >= 17 else []), ["--locale=C"]]


def free_port(wanted: int, *, tries: int = 500) -> int:
    """`wanted` if nobody listens there on 127.0.0.1, else a later one; below the ephemeral range.

    Raises:
        Unavailable: all are taken.
    """
    for attempt in range(tries):
        port = 15432 + (wanted - 15432 + attempt) % 10000
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with contextlib.suppress(OSError):
                probe.bind((HOST, port))
                return port
    raise Unavailable(f"no free port on {HOST} between {wanted} and {wanted + tries}")


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _setting(name: str, value: str) -> str:
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_.]*", name) or "\n" in value or "\0" in value:
        raise UsageError(f"'{name} = {value!r}' is not a setting of PostgreSQL")
    escaped = value.replace("\\", "\\\\").replace("'", "''")
    return f"{name} = '{escaped}'"


def _listed(folder: Path) -> str:
    """A folder as an element of a list setting: quoted, because of commas and spaces in it."""
    return '"' + str(folder).replace('"', '""') + '"'


def _last_lines(text: str, count: int = 8) -> str:
    return "\n".join(text.strip().splitlines()[-count:])


@contextlib.contextmanager
def _erased(path: Path) -> Iterator[None]:
    path.unlink(missing_ok=True)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
