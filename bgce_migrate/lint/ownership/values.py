"""What ownership rules look at: one migration's touches, its facts, its calls, and who owns what."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from msgspec import Struct, field

from bgce_migrate.domain import Domain
from bgce_migrate.effect import Action, Name, ObjectKind
from bgce_migrate.errors import Where
from bgce_migrate.lint.ownership.world import World
from bgce_migrate.migration import Finding, MigrationId, Severity

#: What may follow an object's name in a message, by kind of relation.
_WORDS = {"matview": "materialized view", "": "relation"}


class Dependent(Struct, frozen=True):
    """What hangs on an object and belongs to another domain: `view orders.v`, `foreign key of orders.t`."""

    what: str
    owner: str
    detail: str = ""


class Touch(Struct, frozen=True):
    """One effect, with the object it really means at its point of the order.

    Attributes:
        object: with its schema.
        owner: the domain the object belongs to; None if it is nobody's or not known.
        known: the replayed history knows the object.
        over: it was there already when it was made (CREATE OR REPLACE, IF NOT EXISTS).
        dependents: what of other domains hangs on it at this point; for DROP, TRUNCATE and renames only.
    """

    action: Action
    object: Name
    owner: str | None
    line: int
    statement: int
    detail: str = ""
    soft: bool = False
    cascade: bool = False
    relation_kind: str = ""
    known: bool = True
    over: bool = False
    to: Name | None = None
    dependents: tuple[Dependent, ...] = ()
    fresh: bool = False
    settled: bool = False

    @property
    def shown(self) -> str:
        """The object's name for messages."""
        return show(self.object)

    @property
    def noun(self) -> str:
        """`table billing.invoices`, `function billing.pay`."""
        kind = self.object.kind
        if kind is ObjectKind.RELATION:
            return f"{_WORDS.get(self.relation_kind, self.relation_kind)} {self.shown}"
        return f"{kind.value} {self.shown}"


def show(name: Name) -> str:
    """A name with its schema, unless that is `public`; a part after its table."""
    text = name.name if name.schema in (None, "public") else f"{name.schema}.{name.name}"
    return f"{text}.{name.part}" if name.part and name.kind is not ObjectKind.KEY else text


class Call(Struct, frozen=True):
    """A function call anywhere in a file, also inside bodies: the arguments that are constant texts, else None."""

    name: str
    schema: str | None
    arguments: tuple[str | None, ...]
    line: int
    statement: int
    inside: str = ""


class RowLock(Struct, frozen=True):
    """SELECT ... FOR UPDATE and its weaker kin, of one table."""

    schema: str | None
    table: str
    line: int
    statement: int
    inside: str = ""


class Inner(Struct, frozen=True):
    """A statement in a function's body.

    Attributes:
        kind: PostgreSQL's parse node.
        name: the relation or object it is about, "" if none.
        words: of SET and RESET: the word, the setting, the values.
    """

    kind: str
    schema: str | None
    name: str
    words: tuple[str, ...]
    line: int
    statement: int
    inside: str


class Scene(Struct, frozen=True):
    """One migration as ownership rules see it.

    Attributes:
        domain: whose migration it is: the intruder of messages.
        facts: of its statements, those inside DO blocks included.
        inner: statements in function bodies and DO blocks, as they stand there.
        target: PostgreSQL's major version.
    """

    migration: MigrationId
    domain: Domain
    file: str
    text: str
    world: World
    touches: tuple[Touch, ...] = ()
    facts: tuple[Any, ...] = ()
    inner: tuple[Inner, ...] = ()
    calls: tuple[Call, ...] = ()
    row_locks: tuple[RowLock, ...] = ()
    target: int = 16
    key_list: list[tuple[Any, ...]] = field(default_factory=list)
    _lines: list[str] = field(default_factory=list)
    _met: dict[str, list[Touch]] = field(default_factory=dict)

    def line_text(self, line: int) -> str:
        """A line of the file, counted from 1."""
        if not self._lines:
            self._lines.extend(self.text.split("\n"))
        return self._lines[line - 1] if 0 < line <= len(self._lines) else ""

    def column(self, line: int, word: str) -> int | None:
        """Where a word stands on a line, counted from 1."""
        at = self.line_text(line).lower().find(word.lower()) if word else -1
        return at + 1 if at >= 0 else None

    def foreign(self, owner: str | None) -> bool:
        """Whether an owner is another declared domain."""
        return owner is not None and owner != self.domain.name and self.world.declared(owner)

    def requires(self, owner: str) -> bool:
        """Whether this domain declares that it depends on `owner`."""
        return owner in self.domain.requires

    def owner_of(self, ref: tuple[str | None, str]) -> str | None:
        """The owner of a relation as written, found through this migration's touches, then the declarations."""
        schema, name = ref
        if not self._met:
            for touch in self.touches:
                if touch.object.kind in (ObjectKind.RELATION, ObjectKind.TYPE):
                    met = self._met.setdefault(touch.object.name, [])
                    if all(t.object.schema != touch.object.schema for t in met):
                        met.append(touch)
            self._met.setdefault("", [])
        for touch in self._met.get(name, ()):
            if schema in (None, touch.object.schema):
                return touch.owner
        return self.world.owner_of(schema, name, (self.domain.schema, "public"))


class Found(Struct, frozen=True):
    """What a rule found, before it becomes a finding.

    Attributes:
        word: where it stands on its line, for the caret.
        subject: the object it is about.
    """

    message: str
    line: int
    hint: str | None = None
    word: str = ""
    subject: str = ""
    column: int | None = None
    severity: Severity | None = None


class OwnershipRule(Struct, frozen=True):
    """A rule about borders between domains; its page is the docstring of its module.

    Attributes:
        id: kebab-case, what `allow` and `explain` take.
        code: its row in the catalogue.
    """

    id: str
    code: str
    severity: Severity
    check: Callable[[Scene], Iterator[Found]]

    @property
    def module(self) -> str:
        """Where its page is."""
        return self.check.__module__

    def findings(self, scene: Scene) -> Iterator[Finding]:
        """Its findings in one migration."""
        for found in self.check(scene):
            column = found.column or scene.column(found.line, found.word)
            yield Finding(
                self.id,
                found.severity or self.severity,
                found.message,
                Where(scene.file, found.line, column),
                found.hint,
                scene.domain.name,
                subject=found.subject,
                span=len(found.word) if column else 0,
            )
