"""Standard output for results, standard error for everything else; nothing is printed anywhere else."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import sys
from collections.abc import Mapping, Sequence
from typing import TextIO

from bgce_migrate.report.clean import Secrets, clean
from bgce_migrate.report.table import Column, on_terminal, plain


class Output:
    """Where a command's words go.

    Writing never raises: a reader that went away must not stop a run half way. What could not be written
    for another reason is in `fault`.

    Attributes:
        json: results are JSON documents on standard output.
        verbose: say also what is only sometimes of interest.
        json_log: standard error is JSON, one object a line, instead of sentences.
        run_id: of the run that is under way.
    """

    def __init__(self, *, as_json: bool = False, verbose: bool = False, json_log: bool = False) -> None:
        self.json = as_json
        self.verbose = verbose
        self.json_log = json_log
        self.run_id: str | None = None
        self.secrets = Secrets()
        self.fault: str | None = None
        self._gone: set[TextIO] = set()
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(AttributeError, ValueError, OSError):
                stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]

    @property
    def result_is_terminal(self) -> bool:
        """Whether a person reads the result as it comes."""
        return _is_terminal(sys.stdout)

    @property
    def progress_is_terminal(self) -> bool:
        """Whether progress can be a line that changes."""
        return not self.json_log and _is_terminal(sys.stderr)

    def line(self, text: str = "") -> None:
        """A line of the result; left out with `--json`, where the document is the result."""
        if not self.json:
            self._write(sys.stdout, clean(self.secrets.mask(text)) + "\n")

    def painted(self, text: str) -> None:
        """Lines of the result whose parts are cleaned already and may carry colours."""
        if not self.json:
            self._write(sys.stdout, self.secrets.mask(text) + "\n")

    def open_line(self, text: str) -> None:
        """A line of the result that is a connection string and needs its password: of our own local server."""
        if not self.json:
            self._write(sys.stdout, clean(text) + "\n")

    def table(self, columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> None:
        """Aligned columns; with colour and headings on a terminal."""
        if self.json or not rows:
            return
        cleaned = self._cleaned(rows)
        if self.result_is_terminal:
            self._flush(sys.stderr)
            self._write(sys.stdout, on_terminal(columns, cleaned, sys.stdout))
        else:
            self._write(sys.stdout, plain(columns, cleaned))

    def _cleaned(self, rows: Sequence[Sequence[str]]) -> Sequence[Sequence[str]]:
        # What there is nothing to clean of as a whole, there is not in any cell.
        whole = " ".join([" ".join(row) for row in rows])
        if whole.isprintable() and self.secrets.mask(whole) == whole:
            return rows
        return [[clean(self.secrets.mask(cell)) for cell in row] for row in rows]

    def document(self, command: str, content: Mapping[str, object], *, open_secrets: bool = False) -> None:
        """The JSON document of a command; nothing without `--json`."""
        if self.json:
            self._write(sys.stdout, self.document_text(command, content, open_secrets=open_secrets) + "\n")

    def document_text(
        self, command: str, content: Mapping[str, object], *, open_secrets: bool = False
    ) -> str:
        """A document as text: ASCII, so that it survives every terminal and encoding."""
        whole = {"schema": f"bgce-migrate/{command}/1", **content}
        return json.dumps(whole if open_secrets else self._masked(whole), indent=2)

    def note(self, text: str, event: str = "note", /, **fields: object) -> None:
        """A line of progress, a warning or an error; for machines an event with the same words, and more fields."""
        if self.json_log:
            from bgce_migrate.report.log import graded

            level, message = graded(text)
            self.event(event, level, message=message, **fields)
            return
        self._flush(sys.stdout)
        self._write(sys.stderr, clean(self.secrets.mask(text)) + "\n")

    def event(self, name: str, level: str = "info", /, **fields: object) -> None:
        """Something that happened, for logs of machines; nothing where people read sentences."""
        if self.json_log:
            from bgce_migrate.report.log import line

            # Masked before it is quoted: quoting may change what a password looks like.
            shown = {key: self._masked(value) for key, value in fields.items()}
            self._flush(sys.stdout)
            self._write(sys.stderr, line(name, level, self.run_id, shown) + "\n")

    def detail(self, text: str) -> None:
        """A note that is of interest with `-v` only."""
        if self.verbose:
            self.note(text)

    def finish(self) -> None:
        """Flush; from here on nothing is written."""
        self._flush(sys.stdout)
        self._flush(sys.stderr)

    def _masked(self, value: object) -> object:
        if isinstance(value, str):
            return self.secrets.mask(value)
        if isinstance(value, Mapping):
            return {key: self._masked(item) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return [self._masked(item) for item in value]
        return value

    def _write(self, stream: TextIO, text: str) -> None:
        if stream in self._gone:
            return
        try:
            stream.write(text)
            if stream is sys.stderr:
                stream.flush()
        except (OSError, ValueError) as error:
            self._broken(stream, error)

    def _flush(self, stream: TextIO) -> None:
        if stream in self._gone:
            return
        try:
            stream.flush()
        except (OSError, ValueError) as error:
            self._broken(stream, error)

    def _broken(self, stream: TextIO, error: Exception) -> None:
        self._gone.add(stream)
        if stream is sys.stdout and getattr(error, "errno", None) not in (errno.EPIPE, None):
            self.fault = str(getattr(error, "strerror", None) or error)
        # The interpreter flushes once more at its end; what is left goes nowhere.
        with contextlib.suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _is_terminal(stream: TextIO) -> bool:
    try:
        return stream.isatty() and os.environ.get("TERM") != "dumb"
    except ValueError:
        return False
