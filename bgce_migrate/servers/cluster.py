"""A data directory: making it, its settings, starting and stopping its postmaster."""

from __future__ import annotations

import contextlib
import re
import socket
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from bgce_migrate.errors import Unavailable, UsageError
from bgce_migrate.servers.account import Account
from bgce_migrate.servers.postmaster import runs_in
from bgce_migrate.servers.programs import Programs

ADMIN = "postgres"
HOST = "127.0.0.1"
SETTINGS_FILE = "bgce.conf"
#: For throw-away servers: a crash of the machine may lose them, and they start and commit faster.
FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
START_SECONDS = 60
STOP_SECONDS = 60
STOP_SIGNALS = {"smart": "TERM", "fast": "INT", "immediate": "QUIT"}
LARGEST_LOG = 10 * 1024 * 1024
#: Below the range from which systems take ports for outgoing connections.
FIRST_PORT, PORTS = 15432, 10000


@dataclass(frozen=True, slots=True)
class Cluster:
    """A folder of mode 0700 with `data`, `log` and, when its path is short, `socket`.

    Programs run inside the folder and get relative paths: pg_ctl hands paths to a shell, and no shell
    may ever interpret the name of a checkout.
    """

    folder: Path
    account: Account

    @property
    def data(self) -> Path:
        """The data directory."""
        return self.folder / "data"

    @property
    def log(self) -> Path:
        """The server's log."""
        return self.folder / "log"

    @property
    def made(self) -> bool:
        """Whether there is a whole data directory."""
        return (self.data / "PG_VERSION").exists()

    def initialise(self, programs: Programs, password: str) -> None:
        """Make the data directory with SCRAM for everybody and UTF-8, unless it is there.

        Raises:
            Unavailable: initdb failed; its last lines are in the message.
        """
        if self.made:
            return
        draft, secret = self.folder / "data-new", self.folder / "password"
        said = ""
        with _erased(secret):
            self.account.write(secret, password + "\n")
            for locale in _locales(programs.major):
                self.account.delete(draft)
                done = self.account.run(
                    [
                        programs.path("initdb"),
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
            f"initdb of PostgreSQL {programs.version} failed as user {self.account.name}: {said}",
            hint=f"see that {self.folder} has space and may be written",
        )

    def configure(self, port: int, socket_dir: Path, settings: Mapping[str, str]) -> None:
        """Write our settings, included by postgresql.conf.

        Raises:
            UsageError: a setting's name or value is not one.
        """
        ours = {
            "listen_addresses": HOST,
            "port": str(port),
            "unix_socket_directories": '"' + str(socket_dir).replace('"', '""') + '"',
            "unix_socket_permissions": "0700",
            "timezone": "UTC",
            "log_timezone": "UTC",
        }
        lines = ["# Written by bgce-migrate at every start. Yours go to the end of postgresql.conf."]
        lines += [_setting(name, value) for name, value in (ours | dict(settings)).items()]
        main, include = self.data / "postgresql.conf", f"include '{SETTINGS_FILE}'"
        if include not in main.read_text(encoding="utf-8"):
            self.account.write(main, f"\n{include}\n", append=True)
        self.account.write(self.data / SETTINGS_FILE, "\n".join(lines) + "\n")

    def start(self, programs: Programs) -> int:
        """Start the postmaster in a session of its own, wait until it answers and return its process id.

        Raises:
            Unavailable: it did not come up; the end of its log is in the message.
        """
        if self.log.exists() and self.log.stat().st_size > LARGEST_LOG:
            self.log.replace(self.log.with_suffix(".old"))
        before = self.log.stat().st_size if self.log.exists() else 0
        if self.pid() is None:
            # Its number may belong to another process by now, which would stop the start.
            (self.data / "postmaster.pid").unlink(missing_ok=True)
        options = ["-D", self.data.name, "-l", self.log.name, "-w", "-s", "-t", str(START_SECONDS)]
        done = self.account.run(
            [programs.path("pg_ctl"), "start", *options], folder=self.folder, timeout=START_SECONDS + 30
        )
        pid = self.pid()
        if done.returncode == 0 and pid is not None:
            return pid
        said = ""
        with contextlib.suppress(OSError), self.log.open(encoding="utf-8", errors="replace") as log:
            log.seek(before)
            said = _last_lines(log.read())
        raise Unavailable(
            f"PostgreSQL {programs.version} did not start as user {self.account.name}: "
            f"{said or _last_lines(done.stderr)}",
            hint=f"the whole log is {self.log}",
        )

    def stop(self, mode: str) -> None:
        """Stop the postmaster and wait for its end; needs no programs, so it works after they are gone.

        Args:
            mode: `smart` waits for sessions, `fast` ends them, `immediate` skips the checkpoint.

        Raises:
            UsageError: there is no such mode.
            Unavailable: it did not end within a minute.
        """
        pid = self.pid()
        if mode not in STOP_SIGNALS:
            raise UsageError(f"'{mode}' is not a way to stop", hint=f"one of {', '.join(STOP_SIGNALS)}")
        if pid is None:
            return
        # Sent as the server's user: the number was read from a file that this user may write.
        self.account.run(["/bin/sh", "-c", f'kill -{STOP_SIGNALS[mode]} "$1"', "sh", str(pid)])
        end = time.monotonic() + STOP_SECONDS
        while self.pid() == pid:
            if time.monotonic() > end:
                raise Unavailable(
                    f"the server in {self.folder} (pid {pid}) did not stop within {STOP_SECONDS} s",
                    hint="close its connections, or stop it with mode immediate",
                )
            time.sleep(0.02)

    def pid(self) -> int | None:
        """The postmaster's process id while it runs, else None."""
        try:
            pid = int((self.data / "postmaster.pid").read_text().split("\n", 1)[0])
        except (OSError, ValueError):
            return None
        return pid if runs_in(pid, self.data) else None


def free_port(wanted: int) -> int:
    """`wanted` if nobody listens there on 127.0.0.1, else a later one of our range.

    Raises:
        Unavailable: 500 ports in a row are taken.
    """
    for attempt in range(500):
        port = FIRST_PORT + (wanted - FIRST_PORT + attempt) % PORTS
        with socket.socket() as probe:
            # As PostgreSQL does, so that the remains of closed connections do not count.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with contextlib.suppress(OSError):
                probe.bind((HOST, port))
                return port
    raise Unavailable(f"no free port on {HOST} from {wanted} on")


def _locales(major: int) -> list[list[str]]:
    """Locales to try: letters of all alphabets, sorted by code point, the same on all machines."""
    builtin = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
    return [["--locale=C.UTF-8"], *([builtin] if major >= 17 else []), ["--locale=C"]]


def _setting(name: str, value: str) -> str:
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_.]*", name) or re.search(r"[\r\n\0]", value):
        raise UsageError(f"'{name} = {value!r}' is not a setting of PostgreSQL")
    escaped = value.replace("\\", "\\\\").replace("'", "''")
    return f"{name} = '{escaped}'"


def _last_lines(text: str, count: int = 8) -> str:
    return "\n".join(text.strip().splitlines()[-count:])


@contextlib.contextmanager
def _erased(path: Path) -> Iterator[None]:
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
