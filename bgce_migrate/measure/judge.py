"""Findings from what was measured: work under a lock that others meet, locks on what others own, what goes with a cascade."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec import Struct
from msgspec.structs import replace

from bgce_migrate.errors import Where
from bgce_migrate.finding import Finding, Severity
from bgce_migrate.measure.model import Block, Hit, Kind, Measured, MeasuredStep, TableName, Work
from bgce_migrate.measure.weights import duration, volume

#: What is done before anybody would call (seconds).
_SHORT = 1.0

_RULES = {
    Kind.REWRITE: "measured-rewrite",
    Kind.SCAN: "measured-scan",
    Kind.BUILD: "measured-build",
    Kind.EMPTY: "measured-emptied",
}
_VERBS = {
    Kind.REWRITE: "writes every row of {} anew",
    Kind.SCAN: "reads every row of {}",
    Kind.BUILD: "builds index {1} over every row of {0}",
    Kind.EMPTY: "takes every row out of {}",
}
_HINTS = {
    Kind.REWRITE: "add a new column or table beside it, fill it in batches, then switch",
    Kind.SCAN: "add it NOT VALID and VALIDATE it in a later migration; for NOT NULL, over a valid CHECK",
    Kind.BUILD: "build it CONCURRENTLY, in a file of its own with `-- bgce: no-transaction`",
    Kind.EMPTY: "say in the down what is lost; TRUNCATE takes the tables that refer to it along only with CASCADE",
}


class Judging(Struct):
    """Judges one step."""

    step: MeasuredStep
    file: str

    def hits(self) -> Iterable[Hit]:
        """Its findings, by statement."""
        for index, statement in enumerate(self.step.statements):
            yield from self._work(index, statement)
            yield from self._cascades(statement)
            yield from self._foreign(index, statement)

    def _held(self, index: int) -> dict[TableName, Block]:
        """What is held while a statement runs: in one transaction everything since its begin."""
        together = self.step.mode != "journal"
        held = [b for b in self.step.blocks if b.statement == index or (together and b.statement < index)]
        return {b.table: b for b in sorted(held, key=lambda b: b.stops == "reads and writes")}

    def _work(self, index: int, statement: Measured) -> Iterable[Hit]:
        held = self._held(index)
        told: set[tuple[Kind, TableName]] = set()
        for work in statement.work:
            block = held.get(work.table)
            if work.new or block is None or (work.kind, work.table) in told:
                continue
            told.add((work.kind, work.table))
            did = _VERBS[work.kind].format(_sized(work), work.index)
            yield self._hit(_RULES[work.kind], f"{statement.tag} {did}; {stopped(block)}", statement, block, _HINTS[work.kind])

    def _foreign(self, index: int, statement: Measured) -> Iterable[Hit]:
        """One finding for each other owner and mode."""
        others: dict[tuple[str, str], list[Block]] = {}
        for block in self.step.blocks:
            owner = block.table.domain
            if block.statement == index and owner is not None and owner != self.step.id.domain:
                others.setdefault((owner, block.mode), []).append(block)
        for (owner, mode), held in others.items():
            services = tuple(dict.fromkeys(s for b in held for s in b.services))
            longest = replace(held[0], services=services)
            names = ", ".join(sorted(str(b.table) for b in held))
            message = f"{statement.tag} takes {mode} on {names} of {owner}: {stopped(longest, len(held))}"
            hint = f"run it when {owner} has little to do, and tell its team"
            yield self._hit("measured-foreign-lock", message, statement, longest, hint)

    def _hit(self, rule: str, message: str, statement: Measured, block: Block, hint: str) -> Hit:
        severity = Severity.NOTE if block.seconds is not None and block.seconds < _SHORT else Severity.WARNING
        finding = Finding(
            rule, severity, f"{self.step.id.short}: {message}", Where(self.file, statement.line, statement.column),
            hint, self.step.id.domain, subject=str(block.table),
        )  # fmt: skip
        return Hit(finding, domains_of([block], self.step.id.domain))

    def _cascades(self, statement: Measured) -> Iterable[Hit]:
        if not statement.cascaded:
            return
        names = ", ".join(f"{o.kind} {o.name}" for o in statement.cascaded[:10])
        more = f" and {len(statement.cascaded) - 10} more" if len(statement.cascaded) > 10 else ""
        where = Where(self.file, statement.line, statement.column)
        message = f"{self.step.id.short}: {statement.tag} takes along what it does not name: {names}{more}"
        hint = "drop them by name, in their owners' migrations, before this one"
        yield Hit(Finding("measured-cascade", Severity.WARNING, message, where, hint, self.step.id.domain), (self.step.id.domain,))


def domains_of(found: Iterable[Block], first: str) -> tuple[str, ...]:
    """The domains hit: owners of the tables and homes of the services that wait; the step's own first if it is one."""
    names = [name for b in found for name in (b.table.domain, *(home for _, home in b.services)) if name]
    return tuple(sorted(dict.fromkeys(names), key=lambda name: (name != first, name)))


def failure(step: MeasuredStep, file: str, line: int | None) -> Hit:
    """The step does not run at all."""
    where = Where(file, line)
    message = f"{step.id.short} does not run on scratch: {step.error}"
    finding = Finding("measured-failure", Severity.ERROR, message, where, "mend it; later steps were not measured", step.id.domain)
    return Hit(finding, (step.id.domain,))


def _sized(work: Work) -> str:
    if work.rows is None or work.bytes is None:
        return str(work.table)
    return f"{work.table} ({work.rows:,} rows, {volume(work.bytes)})"


def stopped(block: Block, tables: int = 1) -> str:
    """Who cannot do what for how long, in words."""
    verb = {"writes": "write", "reads and writes": "read or write"}[block.stops]
    what = f"nobody can {verb} {'it' if tables == 1 else 'them'}"
    how_long = "until the step ends" if block.seconds is None else f"for {duration(block.seconds)} (estimate)"
    return f"{what} {how_long}{_who(block.services)}"


def _who(services: Sequence[tuple[str, str]]) -> str:
    if not services:
        return ""
    names = [name if name == domain else f"{name} ({domain})" for name, domain in services[:8]]
    more = f" and {len(services) - 8} more" if len(services) > 8 else ""
    return f": {', '.join(names)}{more} wait" + ("s" if len(services) == 1 else "")


