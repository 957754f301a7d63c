"""The course of a deployment: begin, apply, run, ask for health, and end well or undo."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Protocol

from msgspec.structs import replace

from bgce_migrate.apply.context import Limits, RunInfo, Stop
from bgce_migrate.apply.target import Target
from bgce_migrate.db.history import read_stored
from bgce_migrate.deploying import outside, record
from bgce_migrate.deploying.choosing import Choice, choose, require_whole
from bgce_migrate.deploying.model import (
    EVERYTHING,
    DeployReport,
    Ended,
    Kept,
    Orders,
    Standing,
    titled,
)
from bgce_migrate.domain import Domain
from bgce_migrate.errors import BgceError, Interrupted, NeedsHuman, NotReady, Refused, Unavailable, UsageError
from bgce_migrate.migration import MigrationId
from bgce_migrate.outcome import RunReport


class Hands(Protocol):
    """What a deployment asks of whoever knows project and database."""

    @property
    def domains(self) -> tuple[Domain, ...]: ...
    def open(self) -> AbstractContextManager[Target]: ...
    def info(self, command: str) -> RunInfo: ...
    def up(self, target: Target, info: RunInfo) -> RunReport: ...
    def down(self, target: Target, info: RunInfo, choice: Choice) -> RunReport: ...
    def take_back(self, target: Target, info: RunInfo) -> tuple[str, ...]: ...
    def tell(self, text: str) -> None: ...
    @property
    def heard(self) -> outside.Heard | None: ...


class Course:
    """One call of `deploy`; between two of its parts no connection and no lock is held."""

    def __init__(self, hands: Hands, orders: Orders, limits: Limits, stop: Stop) -> None:
        self.hands = hands
        self.orders = orders
        self.limits = limits
        self.stop = stop
        self.report = DeployReport(orders.deployment, orders.scope, "open")

    # -- the whole ---------------------------------------------------------------------------------------------

    def deploy(self) -> DeployReport:
        """Apply, run the command, ask for health; undo where one of them fails.

        Raises:
            UsageError: there is no such program.
            Refused: it is open already, or not open where it is to be resumed.
            Unavailable: it could not begin; nothing was changed.
        """
        outside.require_program(self.orders.words)
        standing = self._look()
        self._require_startable(standing)
        if standing.last == "undo":
            self.hands.tell(f"{self.orders.title} failed before; going on with undoing it")
            return self._undo("it had failed before it was stopped", standing)
        info = self.hands.info("deploy")
        self._write("begin", info, check=self._require_startable)
        try:
            reason = self._apply(info) or self._run()
        except (Interrupted, Unavailable, NeedsHuman) as error:
            return self._stopped(error)
        if reason is None:
            return self._well()
        self.hands.tell(f"{self.orders.title} failed: {reason}")
        return self._undo(reason, None)

    def begin(self) -> DeployReport:
        """Record that it begins; what is applied elsewhere under its id is joined to it."""
        self._write("begin", check=self._require_startable)
        return replace(self.report, result="begun")

    def finish(self, *, well: bool) -> DeployReport:
        """End what was begun: for good, or by undoing it.

        Raises:
            Refused: it has ended well before, or is being undone.
        """
        standing = self._look()
        if well:
            self._require_unfailed(standing)
            return replace(self.report, result="done") if standing.last == "ok" else self._well()
        self._require_unfinished(standing)
        report = self._undo("it was declared failed", standing)
        if report.result in ("undone", "kept"):
            return replace(report, failure=None)  # what was asked for is done
        return report

    # -- its parts ---------------------------------------------------------------------------------------------

    def _look(self) -> Standing:
        with self.hands.open() as target:
            events = record.read_events(target, self.orders.deployment)
        return record.standing(events, self.orders.deployment, self.orders.scope)

    def _require_startable(self, standing: Standing) -> None:
        if self.orders.resume and not standing.is_open:
            state = _PAST.get(standing.last, "not begun")
            raise Refused(f"{self.orders.title} is {state}: there is nothing to resume", hint="leave --resume out")
        if standing.is_open and not self.orders.resume:
            raise self._already(standing)

    def _already(self, standing: Standing) -> Refused:
        run = standing.events[-1].run_id
        return Refused(
            f"{self.orders.title} is {_PAST[standing.last]}, by run {run}, and has no end",
            hint=f"go on with it: the same command and --resume; or give it up: {self._finish()}",
        )

    def _apply(self, info: RunInfo) -> str | None:
        """Apply, in the run that has begun it; why that failed."""
        try:
            with self.hands.open() as target:
                found = self.hands.up(target, info)
        except (Interrupted, Unavailable, NeedsHuman):
            raise
        except BgceError as error:
            self.report = replace(self.report, failure=error)
            return error.message
        self.report = replace(self.report, up=found)
        failure = found.failure
        if failure is None:
            return None
        self.report = replace(self.report, failure=failure)
        # What is half done, or not known, nobody can undo; a step that only met a lock for too long has failed.
        if failure.exit_code in (6, 130):
            raise failure
        return failure.message

    def _run(self) -> str | None:
        """The command, then its health; what went wrong."""
        more = {"BGCE_DEPLOYMENT": self.orders.deployment}
        timeout, heard = self.orders.timeout, self.hands.heard
        asked: list[Callable[[], Ended]] = [lambda: outside.run("command", self.orders.words, timeout, self.stop, more, heard)]
        if (line := self.orders.health) is not None:
            asked.append(lambda: outside.healthy(line, timeout, self.stop, more, heard))
        for ask in asked:
            try:
                ended = ask()
            except UsageError as error:
                return error.message
            self.report = replace(self.report, ran=(*self.report.ran, ended))
            if not ended.well:
                return ended.sentence
        return None

    def _well(self) -> DeployReport:
        try:
            self._write("ok", check=self._require_unfailed)
        except BgceError as error:
            raised = NeedsHuman(
                f"{self.orders.title} went well, but that is not recorded: {error.message}",
                hint=error.hint if isinstance(error, Refused) else f"bgce-migrate deploy finish {self.orders.deployment} --ok",
            )
            return replace(self.report, failure=raised)
        return replace(self.report, result="done")

    def _undo(self, reason: str, standing: Standing | None) -> DeployReport:
        self.report = replace(self.report, reason=reason)
        try:
            with self.hands.open() as target:
                return self._undone(target, reason, standing)
        except BgceError as error:
            return self._stuck(error)

    def _undone(self, target: Target, reason: str, standing: Standing | None) -> DeployReport:
        info = self.hands.info("deploy undo")
        if standing is None or standing.last != "undo":
            def check(now: Standing) -> None:
                self._require_unfinished(now)
                require_whole(target, now)

            record.write(target, info, self.limits, self.orders.scope, "undo", self._names, check=check)
        events = record.read_events(target, self.orders.deployment)
        own = record.standing(events, self.orders.deployment, self.orders.scope)
        others = [s for s in record.standings(events) if (s.deployment, s.scope) != (own.deployment, own.scope)]
        stored = read_stored(target.control)
        choice = choose(stored, own, others, self.orders.undo, {d.name: d for d in self.hands.domains})
        undone: set[MigrationId] = set()
        if choice.these:
            found = self.hands.down(target, info, choice)
            self.report = replace(self.report, undo=found)
            if found.failure is not None:
                return self._stuck(found.failure)
            undone = {step.id for step in found.steps}
            target.reread()
        if self.orders.undo != "none":
            for left in self.hands.take_back(target, info):
                self.hands.tell(f"warning: {left}")
        kept = tuple(Kept(i, why) for i, why in choice.stays.items() if i not in undone)
        result = "kept" if self.orders.undo == "none" else "undone"
        record.write(target, info, self.limits, self.orders.scope, result, self._names)
        failure: BgceError = NotReady(f"{self.orders.title} failed: {reason}")
        if (found_first := self.report.failure) is not None:
            # Its own hint is that of `up`, where earlier steps stand.
            hint = "mend it and deploy again"
            failure = type(found_first)(
                found_first.message, hint=hint, where=found_first.where, problems=found_first.problems, facts=found_first.facts
            )
        return replace(self.report, result=result, kept=kept, failure=failure)

    # -- ends on the way ---------------------------------------------------------------------------------------

    def _stopped(self, error: BgceError) -> DeployReport:
        kind = type(error)
        hint = f"go on with it: the same command and --resume; or give it up: {self._finish()}"
        if error.exit_code == 6 and error.hint:
            hint = f"{error.hint}; then {hint}"
        told = kind(f"{self.orders.title} stays open: {error.message}", hint=hint, where=error.where, facts=error.facts)
        return replace(self.report, result="open", failure=told)

    def _stuck(self, error: BgceError) -> DeployReport:
        kind = Interrupted if error.exit_code == 130 else NeedsHuman
        hint = f"then go on: {self._finish()}"
        told = kind(
            f"{self.orders.title} failed and is not undone: {error.message}",
            hint=f"{error.hint}; {hint}" if error.hint else hint,
            problems=error.problems,
            facts=error.facts,
        )
        return replace(self.report, result="open", failure=told)

    def _finish(self) -> str:
        scope = "--all-domains" if self.orders.scope == EVERYTHING else f"--domain {self.orders.scope}"
        return f"bgce-migrate deploy finish {self.orders.deployment} --failed {scope}"

    @property
    def _names(self) -> tuple[str, ...]:
        return tuple(d.name for d in self.hands.domains)

    def _write(self, word: str, info: RunInfo | None = None, *, check: Callable[[Standing], None]) -> None:
        info = info or self.hands.info(f"deploy {word}")
        with self.hands.open() as target:
            record.write(target, info, self.limits, self.orders.scope, word, self._names, check=check)

    def _require_unfailed(self, standing: Standing) -> None:
        """Somebody may have given it up while its command ran."""
        if standing.last in ("undo", "undone", "kept"):
            raise Refused(f"{self.orders.title} has failed: it is {_PAST[standing.last]}", hint="deploy it again")

    def _require_unfinished(self, standing: Standing) -> None:
        """Somebody may have ended it well while its command ran."""
        if standing.last == "ok":
            raise Refused(
                f"{self.orders.title} has ended well",
                hint=f"to undo it all the same: bgce-migrate down --deployment {self.orders.deployment}",
            )


def scope_of(standings: tuple[Standing, ...], deployment: str, said: str | None) -> str:
    """Which scope `finish` is about: the one said, else the only one that is open, else all domains.

    Raises:
        UsageError: several are open.
    """
    if said is not None:
        return said
    own = [s for s in standings if s.deployment == deployment]
    still = [s.scope for s in own if s.is_open] or [s.scope for s in own[-1:]] or [EVERYTHING]
    if len(still) > 1:
        shown = ", ".join(titled(deployment, scope).rpartition(" of ")[2] for scope in still)
        raise UsageError(f"deployment {deployment} is open for {shown}", hint="say which: --domain NAME or --all-domains")
    return still[0]


_PAST = {"begin": "begun", "undo": "being undone", "ok": "done", "undone": "undone", "kept": "given up without undoing"}
