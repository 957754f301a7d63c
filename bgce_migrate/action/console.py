"""The log of a job: lines that the runner does not obey, commands that it does, masks, outputs and the summary."""

from __future__ import annotations

import contextlib
import threading
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import TextIO

from bgce_migrate.report.clean import Secrets, clean

#: What GitHub takes for one summary, in bytes.
SUMMARY_LIMIT = 1 << 20


class Console:
    """Where the Action says what it does.

    Attributes:
        label: the environment; it stands before every line.
    """

    def __init__(self, stream: TextIO) -> None:
        self.label = ""
        self.secrets = Secrets()
        self._stream = stream
        self._hidden: set[str] = set()
        self._lock = threading.Lock()

    def say(self, text: str) -> None:
        """Lines of text; none of them is a command for the runner, whatever it says."""
        shown = clean(self.secrets.mask(text))
        head = f"[{self.label}] " if self.label else "| "
        # The runner obeys `::` at the begin of a line, which no line of ours has, and `##[` anywhere.
        lines = (f"{head}{line}".replace("##[", "## [") for line in shown.split("\n"))
        self._write("".join(f"{line}\n" for line in lines))

    def command(self, name: str, message: str = "", **properties: object) -> None:
        """A workflow command."""
        listed = ",".join(
            f"{key}={_property(str(value))}" for key, value in properties.items() if value not in (None, "")
        )
        self._write(f"::{name}{' ' + listed if listed else ''}::{_data(message)}\n")

    def annotate(self, level: str, message: str, **properties: object) -> None:
        """An annotation: `error`, `warning` or `notice`."""
        self.command(level, clean(self.secrets.mask(message)), **properties)

    def hide(self, secret: str) -> None:
        """Have the runner mask a secret in everything that the job prints from now on."""
        self.secrets.add(secret)
        for line in secret.splitlines():
            if line.strip() and line not in self._hidden:
                self._hidden.add(line)
                self.command("add-mask", line)

    def _write(self, text: str) -> None:
        # A log that went away must not stop a run half way.
        with self._lock, contextlib.suppress(OSError, ValueError):
            self._stream.write(text)
            self._stream.flush()


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(clean(text)).replace(":", "%3A").replace(",", "%2C")


def write_outputs(path: str | None, outputs: Mapping[str, str]) -> None:
    """Append to the step's output file, in the form that no value can break out of."""
    if not path:
        return
    parts = []
    for name, value in outputs.items():
        end = f"end_{uuid.uuid4().hex}"
        parts.append(f"{name}<<{end}\n{value}\n{end}\n")
    with Path(path).open("a", encoding="utf-8", errors="backslashreplace", newline="\n") as file:
        file.write("".join(parts))


def write_summary(path: str | None, text: str) -> None:
    """Append to the job's summary."""
    if path:
        with Path(path).open("a", encoding="utf-8", errors="backslashreplace", newline="\n") as file:
            file.write(text + "\n")
