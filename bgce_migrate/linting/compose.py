"""Puts the sources of findings together: what is judged, in which order, and what is said of it."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence

from bgce_migrate.beside import beside, can_fork
from bgce_migrate.domain import ColumnClass
from bgce_migrate.errors import Where
from bgce_migrate.lint import LintConfig, LintInput, check, rule_ids
from bgce_migrate.lint.allow import waive
from bgce_migrate.lint.ownership import OWNERSHIP_RULES
from bgce_migrate.lint.ownership.values import Scene, Touch
from bgce_migrate.lint.ownership.world import World
from bgce_migrate.lint.weight import weighed
from bgce_migrate.linting import declarations
from bgce_migrate.linting.kept import Request, Result, in_order, read_findings, write_findings
from bgce_migrate.linting.ordering import EXACT, Ordered, ordered, superseded
from bgce_migrate.linting.pages import PAGES
from bgce_migrate.linting.reading import MANY, Readings, judged_files
from bgce_migrate.linting.selection import Chosen
from bgce_migrate.linting.touches import Replayer
from bgce_migrate.migration import Direction, Finding, Migration, MigrationId, Mode, Severity, SourceFile
from bgce_migrate.tree import Tree

#: True only where everything could be read.
_FROM_ALL_FILES = frozenset({"unknown-name", "reference-to-later"})


class _Declared:
    """The declarations, as the safety rules ask for them."""

    def __init__(self, tree: Tree) -> None:
        self.registry = tree.project.registry

    def owner_of(self, table: str, schema: str | None = None) -> str | None:
        return self.registry.owner_of(table, schema)

    def requires(self, domain: str) -> frozenset[str]:
        return self.registry.requires_closure(domain) if domain in self.registry else frozenset()

    def classes(self, table: str, schema: str | None = None) -> Mapping[str, ColumnClass] | None:
        owner = self.registry.owner_of(table, schema)
        declared = self.registry[owner].tables.get(table) if owner is not None else None
        return declared.columns if declared is not None else None


class Run:
    """One run over one tree.

    Attributes:
        judged: migrations whose statements are judged.
        read: what is known of each file, by its path; before the order is found, perhaps not all of it.
    """

    def __init__(
        self,
        tree: Tree,
        request: Request,
        findings: Sequence[Finding],
        chosen: Chosen,
        judged: frozenset[MigrationId],
        readings: Readings,
    ) -> None:
        self.tree, self.request, self.findings, self.chosen = tree, request, list(findings), chosen
        self.judged, self.readings = judged, readings
        self.read = readings.begun
        self.settings = tree.project.lint
        locked = tree.lock.lines if tree.lock is not None else ()
        self.settled = frozenset(line.id for line in locked)
        self.texts = {s.path: s.text for m in tree.migrations.values() for s in (m.up, m.down) if s is not None}
        self.target = request.target or self.settings.target

    def result(self, style: Callable[[], Sequence[Finding]]) -> Result:
        """Replay and judge; `style` gives the findings of style, asked last."""
        for migration, found in self.tree.migrations.items():
            self.tree.know(migration, self.read[found.up.path].script(found.up))
        inputs = self._say_all()
        self.findings += style()
        return self._shown(inputs)

    def _say_all(self) -> tuple[LintInput, ...]:
        """All findings but those of style; the files in the order in which they were judged."""
        self.findings += self.tree.notes
        self.findings += self.tree.project.notes
        self.findings += self._reading()
        self.findings += declarations.lock_findings(self.tree)
        self.findings += declarations.version_findings(self.tree, self.judged)
        order = ordered(self.tree)
        self.read = self.readings.whole()
        # What a file that could not be read makes is not unknown, only not known here.
        self.findings += (f for f in order.findings if not self.tree.unread or f.rule not in _FROM_ALL_FILES)
        inputs = tuple(self._inputs(order))
        self.findings += self._judged(order, inputs)
        return inputs

    def _judged(self, order: Ordered, inputs: Sequence[LintInput]) -> Iterator[Finding]:
        """Ownership and safety, side by side where there is much to do."""
        if len(self.judged) <= MANY or self.request.jobs < 2 or not can_fork():
            yield from self._ownership(order)
            yield from self._safety(inputs)
            return
        with beside(lambda pipe: write_findings(pipe, self._safety(inputs))) as answer:
            yield from list(self._ownership(order))
            safety = read_findings(answer())
        yield from safety if safety is not None else self._safety(inputs)

    def _safety(self, inputs: Sequence[LintInput]) -> tuple[Finding, ...]:
        return check(inputs, LintConfig(self.target, declarations=_Declared(self.tree), complete=not self.tree.unread))

    # -- reading -----------------------------------------------------------------------------------------------

    def _reading(self) -> Iterator[Finding]:
        """What is refused in judged files, and a missing down."""
        for migration, source, _ in judged_files(self.tree, self.judged):
            known = self.read[source.path]
            yield from known.notes
            for problem in known.problems:
                rule = "syntax" if known.broken else "refused-sql"
                where = problem.where or Where(source.path)
                yield Finding(rule, Severity.ERROR, problem.message, where, problem.hint, migration.domain)
        for migration in sorted(self.judged):
            found = self.tree.migrations[migration]
            if found.down is None and found.id not in self.tree.unread and not self.read[found.up.path].directives.irreversible:
                yield _no_down(found)

    # -- ownership ---------------------------------------------------------------------------------------------

    def _ownership(self, order: Ordered) -> Iterator[Finding]:
        project = self.tree.project
        if not any(d.declared for d in project.domains):
            return
        world = World.of(
            project.domains,
            bookkeeping=project.database.bookkeeping_schema,
            history_view=project.history_view,
            extensions=project.database.extensions,
            hot=self.settings.hot,
        )
        replayer = Replayer(world, self.settled - self.judged)
        touches: dict[MigrationId, tuple[Touch, ...]] = {}
        for migration in order.order:
            found = self.tree.migrations.get(migration)
            if found is None:
                continue
            judged = migration in self.judged
            effects = self.read[found.up.path].effects
            touched = replayer.run(migration, effects, judged)
            if judged and self.tree.domain(migration).declared:
                touches[migration] = touched
                yield from self._scene(world, found, found.up, touched)
                if found.down is not None:
                    undone = replayer.beside(migration, self.read[found.down.path].effects)
                    yield from self._scene(world, found, found.down, undone)
        yield from declarations.table_findings(self.tree, touches, self.judged)

    def _scene(
        self, world: World, migration: Migration, source: SourceFile, touches: tuple[Touch, ...]
    ) -> Iterator[Finding]:
        known = self.read[source.path]
        domain = self.tree.domain(migration.id)
        scene = Scene(
            migration.id, domain, source.path, source.text, world, touches,
            known.facts, known.inner, known.calls, known.row_locks, self.target,
        )  # fmt: skip
        for rule in OWNERSHIP_RULES:
            yield from rule.findings(scene)

    # -- safety --------------------------------------------------------------------------------------

    def _inputs(self, order: Ordered) -> Iterator[LintInput]:
        for migration in order.order:
            found = self.tree.migrations.get(migration)
            if found is None:
                continue
            judged = migration in self.judged
            yield self._input(found, found.up, Direction.UP, judged)
            if judged and found.down is not None:
                yield self._input(found, found.down, Direction.DOWN, True)

    def _input(self, migration: Migration, source: SourceFile, direction: Direction, judged: bool) -> LintInput:
        known = self.read[source.path]
        domain = self.tree.domain(migration.id)
        return LintInput(
            migration.id,
            source.path,
            source.text,
            known.facts,
            judged=judged,
            new=not self.request.one_by_one and (migration.id not in self.settled or migration.id in self.judged),
            transactional=known.mode is not Mode.JOURNAL,
            schema=domain.schema,
            declared=domain.declared,
            directives=known.directives,
            direction=direction,
        )

    # -- the end -----------------------------------------------------------------------------------------------

    def _shown(self, inputs: Sequence[LintInput]) -> Result:
        owned = {rule.id for rule in OWNERSHIP_RULES}
        findings = superseded(tuple(dict.fromkeys(self.findings)), owned | EXACT)
        findings = list(weighed(findings, self.settings.severities))
        known = rule_ids() | owned | PAGES.keys() | {f.rule for f in findings}
        if self.request.today:
            findings = list(waive(findings, inputs, self.request.today, known))
        findings = [f for f in findings if self.chosen.shows(f)]
        paths = {f.where.file for f in findings if f.where is not None}
        sources: dict[str, str] = {}
        fixable: set[str] = set()
        for migration, source, _ in judged_files(self.tree, self.judged):
            if source.path in paths:
                sources[source.path] = source.text
            if migration not in self.settled:
                fixable.add(source.path)
        statements = {f: words for f in findings if (words := self._statement(f))}
        counts = (len(self.judged), len(self.tree.migrations))
        return Result(in_order(findings), sources, *counts, frozenset(fixable), statements)

    def _statement(self, finding: Finding) -> str:
        """The words of the statement at a finding's line."""
        where = finding.where
        known = self.read.get(where.file) if where is not None else None
        if where is None or known is None or where.line is None or not known.statements:
            return ""
        # The last statement that begins on the line or above it.
        at = bisect_right(known.statements, (where.line, where.column or 1 << 30)) - 1
        offset, length = known.statements[max(at, 0)][2:4]
        return " ".join(self.texts[where.file][offset : offset + length].split())


def _no_down(migration: Migration) -> Finding:
    name = migration.up.path.rpartition("/")[2].replace(".up.sql", ".down.sql")
    return Finding(
        "no-down",
        Severity.ERROR if migration.declared else Severity.NOTE,
        f"{migration.id} has no down file",
        Where(migration.up.path),
        f'write {name}, or say `-- bgce: irreversible reason="..."` at the top of the up file',
        migration.id.domain,
    )
