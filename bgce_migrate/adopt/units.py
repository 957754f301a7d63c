"""One object of the live catalog with everything that goes with it, as the statements that make it and undo it."""

from __future__ import annotations

from msgspec import Struct, field


class Key(Struct):
    """A foreign key: written with its table where the other one is there already, else afterwards.

    Attributes:
        table: its table, as a fingerprint shows it.
        target: the table that it refers to, as statements call it.
        definition: `FOREIGN KEY (...) REFERENCES ...`.
        after: statements that need it: its comment.
    """

    name: str
    table: str
    target: str
    definition: str
    after: list[str] = field(default_factory=list)


class Unit(Struct):
    """What becomes a migration.

    Attributes:
        kind: `table`, `view`, `materialized view`, `sequence`, `type`, `domain`, `function` or `procedure`.
        name: as a fingerprint shows it.
        before: statements before `body`; `after`: those behind it.
        head: of a table: what stands before its parenthesis; `lines`: inside it; `tail`: behind it. Else the whole statement.
        drop: what undoes it all.
        keys: of a table.
        reads: of a view: (schema, table, column) of what it shows.
        partition_of: the table that this one is attached to, as statements call it.
    """

    kind: str
    name: str
    head: str
    lines: list[str] = field(default_factory=list)
    tail: str = ""
    before: list[str] = field(default_factory=list)
    after: list[str] = field(default_factory=list)
    drop: list[str] = field(default_factory=list)
    keys: list[Key] = field(default_factory=list)
    parenthesised: bool = False
    partition_of: str = ""
    reads: tuple[tuple[str, str, str], ...] = ()

    @property
    def identity(self) -> str:
        """As a fingerprint's objects are called."""
        return f"{self.kind} {self.name}"

    def statements(self, inline: list[str]) -> list[str]:
        """All statements, without semicolons.

        Args:
            inline: lines of foreign keys to be written inside.
        """
        body = self.head
        if self.parenthesised:
            lines = ",\n".join(f"    {line}" for line in [*self.lines, *inline])
            body = f"{self.head} (\n{lines}\n){self.tail}" if lines else f"{self.head} (){self.tail}"
        return [*self.before, body, *self.after]
