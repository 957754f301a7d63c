"""What a rule is, what it is told, and what it says."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Protocol, TypeAlias

from msgspec import Struct, field

from bgce_migrate.domain import ColumnClass
from bgce_migrate.errors import Where
from bgce_migrate.lint.catalog import Catalog, TableState, shown
from bgce_migrate.lint.facts.fact import Fact
from bgce_migrate.lint.facts.values import Column, Ref
from bgce_migrate.migration import Direction, Directives, Edit, Finding, MigrationId, Severity

ERROR, WARNING, NOTE = Severity.ERROR, Severity.WARNING, Severity.NOTE


class Declarations(Protocol):
    """What rules ask the declarations of a project; all False or None where nothing is declared."""

    def owner_of(self, table: str, schema: str | None = None) -> str | None:
        """The domain that declares a table."""

    def requires(self, domain: str) -> frozenset[str]:
        """All domains it requires, directly or through others."""

    def classes(self, table: str, schema: str | None = None) -> Mapping[str, ColumnClass] | None:
        """The declared column classes of a table; None if it is not declared."""


class NoDeclarations:
    """A plain folder: nothing is owned."""

    def owner_of(self, table: str, schema: str | None = None) -> str | None:
        """Nobody."""
        return None

    def requires(self, domain: str) -> frozenset[str]:
        """Nothing."""
        return frozenset()

    def classes(self, table: str, schema: str | None = None) -> Mapping[str, ColumnClass] | None:
        """None."""
        return None


class LintInput(Struct, frozen=True):
    """One migration file, in the order in which it runs.

    Attributes:
        path: as messages show it.
        text: as read (no BOM, LF).
        facts: see `lint.facts.read`.
        judged: its statements are reported, not only replayed.
        new: not on the target branch: what it makes counts as new for later new ones. None: as `judged`.
        transactional: its statements run in one transaction.
        schema: where its domain makes unqualified names.
        declared: it belongs to a domain with a `domain.toml`.
    """

    migration: MigrationId
    path: str
    text: str
    facts: tuple[Fact, ...]
    judged: bool = True
    new: bool | None = None
    transactional: bool = True
    schema: str = "public"
    declared: bool = True
    directives: Directives = field(default_factory=Directives)
    direction: Direction = Direction.UP

    @property
    def is_new(self) -> bool:
        """See `new`."""
        return self.judged if self.new is None else self.new


class LintConfig(Struct, frozen=True):
    """Settings of a check.

    Attributes:
        target: the oldest major of PostgreSQL that the files must run on, 14 to 18.
        severities: by rule id; None switches a rule off.
        complete: the inputs begin with an empty database, so what they did not make does not exist.
        today: as an ISO date, for waivers; "" leaves waivers to the caller.
    """

    target: int = 14
    severities: Mapping[str, Severity | None] = field(default_factory=lambda: MappingProxyType({}))
    declarations: Declarations = field(default_factory=NoDeclarations)
    complete: bool = True
    today: str = ""


class WholeFile(Fact, frozen=True):
    """Stands for the file itself; rules meet it after its last statement, when all of it is replayed."""


class State:
    """What a rule may look at; valid while it is asked.

    Attributes:
        catalog: before the statement (for `WholeFile`: after the file).
        file: the file at hand; `facts` are all of it, `index` is this fact's place among them.
        target: the oldest major that the file must run on.
        new: migrations whose tables count as new.
        validated: names of all constraints that some file validates, also later ones.
    """

    __slots__ = ("_by_kind", "catalog", "declarations", "file", "index", "new", "rule", "target", "validated")

    def __init__(
        self, catalog: Catalog, config: LintConfig, new: frozenset[MigrationId], validated: frozenset[str]
    ) -> None:
        self.catalog = catalog
        self.target = config.target
        self.declarations = config.declarations
        self.new = new
        self.validated = validated
        self.index = 0
        self._by_kind: tuple[LintInput | None, dict[type[Fact], list[tuple[int, Fact]]]] = (None, {})
        self.file: LintInput
        self.rule: Rule

    @property
    def facts(self) -> tuple[Fact, ...]:
        """All facts of the file."""
        return self.file.facts

    @property
    def before(self) -> Sequence[Fact]:
        """The file's facts before this one."""
        return self.file.facts[: self.index]

    @property
    def after(self) -> Sequence[Fact]:
        """The file's facts after this one."""
        return self.file.facts[self.index + 1 :]

    def earlier(self, *kinds: type[Fact]) -> Iterator[Fact]:
        """The file's facts of these kinds before this one: for rules that files of many statements ask often."""
        for kind in kinds:
            for index, fact in self._of_kind(kind):
                if index >= self.index:
                    break
                yield fact

    def later(self, *kinds: type[Fact]) -> Iterator[Fact]:
        """The file's facts of these kinds after this one."""
        for kind in kinds:
            for index, fact in reversed(self._of_kind(kind)):
                if index <= self.index:
                    break
                yield fact

    def _of_kind(self, kind: type[Fact]) -> list[tuple[int, Fact]]:
        if self._by_kind[0] is not self.file:
            table: dict[type[Fact], list[tuple[int, Fact]]] = {}
            for index, fact in enumerate(self.file.facts):
                table.setdefault(type(fact), []).append((index, fact))
            self._by_kind = (self.file, table)
        return self._by_kind[1].get(kind, [])

    def table(self, ref: Ref) -> TableState | None:
        """The relation of that name, if the replay knows it."""
        return self.catalog.relation(ref)

    def is_fresh(self, ref: Ref) -> bool:
        """Whether the table is made by this file or another one that is not deployed yet, or temporary."""
        table = self.catalog.relation(ref)
        if table is None:
            index = self.catalog.index(ref)
            table = self.catalog.relations.get(index.table) if index is not None else None
        return table is not None and self.is_new(table)

    def is_new(self, table: TableState) -> bool:
        """See `is_fresh`."""
        made = table.made_by
        return table.temporary or (
            table.proven and made is not None and (made == self.file.migration or made in self.new)
        )

    def name(self, ref: Ref) -> str:
        """A relation's name as people write it."""
        return shown(self.catalog.key(ref))

    def default_of(self, column: Column) -> str:
        """How a new column's default behaves, with the replay's functions known."""
        if column.default == "unknown" and column.function is not None:
            return self.catalog.volatility(column.function)
        return column.default

    def statement(self, fact: Fact) -> str:
        """The text of a fact's statement."""
        return self.file.text[fact.at.offset : fact.at.offset + fact.at.length]

    def finding(
        self,
        fact: Fact,
        message: str,
        hint: str | None = None,
        *,
        subject: str = "",
        fix: tuple[Edit, ...] = (),
        severity: Severity | None = None,
    ) -> Finding:
        """A finding at a fact."""
        at = fact.at
        return Finding(
            self.rule.id,
            severity or self.rule.severity,
            message,
            Where(self.file.path, at.line, at.column),
            hint,
            self.file.migration.domain,
            () if at.inside else fix,
            subject,
            at.end - at.column,
        )


Check: TypeAlias = Callable[..., Iterator[Finding]]


class Rule(Struct, frozen=True):
    """One rule.

    Attributes:
        id: kebab-case, the name in reports and waivers.
        code: its row in the catalogue of hazards, e.g. "A01"; "" for none.
        facts: the kinds of facts it looks at.
        check: `check(fact, state)` yields findings.
        fixable: some of its findings carry a fix.
        since: the first target major it applies to.
        until: the last one.
        downs: it looks at down files, too.
    """

    id: str
    code: str
    severity: Severity
    facts: tuple[type[Fact], ...]
    check: Check
    fixable: bool = False
    since: int = 0
    until: int = 99
    downs: bool = False
