"""The changing line on a terminal: step, statement, time, index build; drawn with rich."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator, Mapping
from types import TracebackType
from typing import TYPE_CHECKING

from msgspec import Struct, field
from rich.console import Console
from rich.live import Live
from rich.text import Text

from bgce_migrate.report.clean import one_line
from bgce_migrate.report.output import Output
from bgce_migrate.report.runs import status_word

if TYPE_CHECKING:
    from bgce_migrate.migration import Step
    from bgce_migrate.outcome import StepResult


class _Running(Struct):
    direction: str
    statements: int
    done: int = 0
    detail: str = ""
    blocked: str = ""
    since: float = field(default_factory=time.monotonic)


class LiveProgress:
    """A line a running step; what has ended is only counted, because the table follows."""

    def __init__(self, out: Output) -> None:
        self._out = out
        self._lock = threading.Lock()
        self._running: dict[str, _Running] = {}
        self._finished = 0
        self._waiting = ""
        self._drawn = False
        console = Console(file=sys.stderr, highlight=False, emoji=False)
        self._live = Live(console=console, get_renderable=self._draw, transient=True, refresh_per_second=8)

    def __enter__(self) -> LiveProgress:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._drawn:
            self._live.stop()

    def step_started(self, step: Step, statements: int) -> None:
        """A new line."""
        with self._lock:
            self._waiting = ""
            self._running[str(step.id)] = _Running(step.direction.value, statements)
        self._begin()

    def statement_done(self, step: Step, index: int, tag: str) -> None:
        """The next statement of the line."""
        self._change(step, done=index + 1, detail="")

    def index_progress(self, step: Step, phase: str, done: int, total: int) -> None:
        """What the server says about its index build."""
        share = f" {100 * done // total} %" if total else ""
        self._change(step, detail=f"{phase}{share}")

    def step_finished(self, result: StepResult) -> None:
        """The line goes; a step that did not work stays to be read."""
        with self._lock:
            self._running.pop(str(result.id), None)
            self._finished += 1
        if status_word(result) not in ("applied", "reverted") or self._out.verbose:
            self.note(f"{result.id} {status_word(result)} {result.duration_ms:.0f} ms")

    def waiting(self, message: str) -> None:
        """Who holds what this run waits for."""
        with self._lock:
            self._waiting = self._shown(message)
            for running in self._running.values() if message else ():
                running.blocked = ""  # a paused run waits for nobody
        if message:
            self._begin()

    def blocked(self, step: Step, by: Mapping[str, str]) -> None:
        """Who is in the way of its statement."""
        with self._lock:
            running = self._running.get(str(step.id))
            if running is not None:
                running.blocked = self._shown("; ".join(by.values()))

    def note(self, message: str) -> None:
        """A line that stays, above the changing ones."""
        self._live.console.print(Text(self._shown(message)))

    def _begin(self) -> None:
        """Draw from the first event on: what a person is asked before has the terminal for itself."""
        with self._lock:
            begun, self._drawn = self._drawn, True
        if not begun:
            self._live.start()

    def _change(self, step: Step, *, detail: str, done: int | None = None) -> None:
        with self._lock:
            running = self._running.get(str(step.id))
            if running is not None:
                running.done = running.done if done is None else done
                running.detail = self._shown(detail)
                running.blocked = "" if done is not None else running.blocked

    def _shown(self, text: str) -> str:
        return one_line(self._out.secrets.mask(text))

    def _draw(self) -> Text:
        with self._lock:
            return Text("\n", no_wrap=True, overflow="ellipsis").join(self._lines())

    def _lines(self) -> Iterator[Text]:
        now = time.monotonic()
        if self._waiting:
            yield Text(self._waiting, style="yellow")
        for name, step in self._running.items():
            text = Text(f"{self._finished} done  ", style="dim")
            text.append(f"{one_line(name)} {step.direction}", style="bold")
            if step.statements:
                text.append(f"  statement {min(step.done + 1, step.statements)}/{step.statements}")
            if step.detail:
                text.append(f"  {step.detail}", style="cyan")
            text.append(f"  {now - step.since:.1f} s", style="dim")
            yield text
            if step.blocked:
                # A line of its own: on a narrow terminal the end of a line is cut off.
                yield Text(f"  waits for {step.blocked}", style="yellow")
