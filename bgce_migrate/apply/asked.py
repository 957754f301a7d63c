"""What another terminal asks of a run: looked for now and then through the run's second connection."""

from __future__ import annotations

import contextlib
import threading

from bgce_migrate.apply.audit import Audit
from bgce_migrate.apply.context import Context
from bgce_migrate.errors import BgceError

#: Seconds between two looks. The first comes after one of them, so that a short run never looks.
INTERVAL = 0.5
#: How the connection calls itself behind the run's id once it has passed a request on: with that request's number.
HEARD = "heard "


class Asked:
    """Passes on what is asked, from `start` until `end`: `pause`, `resume` and `cancel` become `Pause` and `Stop`.

    Behind a pooler nobody looks: a run has few connections there, and this would be one more.
    """

    def __init__(self, context: Context, audit: Audit) -> None:
        self.context = context
        self.audit = audit
        self._told = "0"
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._look, name="bgce-migrate asked", daemon=True)

    def start(self) -> None:
        """From here on."""
        if not self.context.facts.pooled:
            self._thread.start()

    def end(self) -> None:
        """Not any more."""
        self._end.set()
        if self._thread.is_alive():
            self._thread.join(timeout=2 * INTERVAL)

    def _look(self) -> None:
        while not self._end.wait(INTERVAL):
            # A connection that is gone is opened again with the next look.
            with contextlib.suppress(BgceError):
                for number, what, by in self.audit.asked(self.context.info.run_id, self._told):
                    self._told = number or self._told
                    self._obey(what or "", by or "somebody")
                    self.audit.call_itself(f"{self.context.info.application_name} {HEARD}{self._told}")

    def _obey(self, what: str, by: str) -> None:
        progress, run = self.context.progress, self.context.info.run_id[:8]
        if what == "cancel":
            progress.note(f"cancelled by {by}")
            self.context.stop.request()
            self.context.pause.set(False)
        elif what == "pause" and not self.context.pause.asked:
            self.context.pause.set(True)
            progress.waiting(f"paused by {by}; it goes on with: bgce-migrate resume {run}")
        elif what == "resume" and self.context.pause.asked:
            progress.waiting("")
            progress.note(f"resumed by {by}")
            self.context.pause.set(False)
