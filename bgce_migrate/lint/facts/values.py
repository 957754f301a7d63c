"""The parts that facts are made of: places, names, types, columns, constraints."""

from __future__ import annotations

from typing import TypeAlias

import msgspec

#: Schema (None: left to the search path) and name.
Ref: TypeAlias = tuple[str | None, str]


class Place(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where a fact stands in its file.

    Attributes:
        statement: the statement's index in the file.
        line: of the best token, counted from 1.
        column: of the best token, in characters, counted from 1.
        end: the best token's end as a column on that line.
        offset: characters before the statement.
        length: characters of the statement, without its semicolon.
        inside: "DO" for what a DO block runs, else "".
        guarded: inside IF, a loop or a block with EXCEPTION, so it may not run.
        part: which of the statement's sub-commands it is.
        parts: how many sub-commands the statement has.
    """

    statement: int
    line: int
    column: int
    end: int
    offset: int
    length: int
    inside: str = ""
    guarded: bool = False
    part: int = 0
    parts: int = 1


class Type(msgspec.Struct, frozen=True, omit_defaults=True):
    """A type as written, under PostgreSQL's own name (`int4`, `varchar`), with its modifiers."""

    name: str
    schema: str | None = None
    mods: tuple[int, ...] = ()
    array: bool = False
    serial: bool = False

    def __str__(self) -> str:
        shown = SPOKEN.get(self.name, self.name)
        text = shown if self.schema is None else f"{self.schema}.{shown}"
        mods = f"({','.join(map(str, self.mods))})" if self.mods else ""
        return f"{text}{mods}{'[]' if self.array else ''}"


#: PostgreSQL's internal names in the words people write.
SPOKEN = {
    "int2": "smallint",
    "int4": "integer",
    "int8": "bigint",
    "float4": "real",
    "float8": "double precision",
    "bool": "boolean",
    "bpchar": "char",
}


class ForeignKey(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a foreign key points at; actions are "", "cascade", "set null", "set default", "restrict"."""

    table: Ref
    columns: tuple[str, ...] = ()
    on_delete: str = ""
    on_update: str = ""


class Constraint(msgspec.Struct, frozen=True, omit_defaults=True):
    """A constraint of a table, a column or a domain.

    Attributes:
        kind: "check", "foreign", "unique", "primary", "exclude" or "not_null".
        name: "" if the server chooses it.
        columns: its key columns; for a check all columns it reads.
        valid: False for NOT VALID.
        enforced: False for NOT ENFORCED.
        using_index: the index of USING INDEX.
        not_nulls: columns that a check proves to be not null.
        terms: a check's conjuncts of the form (column, operator, constant).
        deferred: INITIALLY DEFERRED.
        offset: characters before it in the file.
    """

    kind: str
    name: str = ""
    columns: tuple[str, ...] = ()
    valid: bool = True
    enforced: bool = True
    using_index: str = ""
    references: ForeignKey | None = None
    not_nulls: tuple[str, ...] = ()
    terms: tuple[tuple[str, str, str], ...] = ()
    deferrable: bool = False
    deferred: bool = False
    offset: int = 0


class Column(msgspec.Struct, frozen=True, omit_defaults=True):
    """A column as CREATE TABLE or ADD COLUMN defines it.

    Attributes:
        default: "none", "null", "constant", "stable", "volatile", "unknown" (a function of its own)
            or "sequence".
        function: the function that decides `default`, where one does.
        identity: "", "always" or "by default".
        generated: "", "stored" or "virtual".
        offset: characters before the definition in the file.
        type_offset: characters before the type in the file.
    """

    name: str
    type: Type
    not_null: bool = False
    default: str = "none"
    function: Ref | None = None
    identity: str = ""
    generated: str = ""
    collation: str = ""
    constraints: tuple[Constraint, ...] = ()
    line: int = 0
    offset: int = 0
    type_offset: int = 0

    @property
    def references(self) -> ForeignKey | None:
        """Its inline foreign key."""
        return next((c.references for c in self.constraints if c.kind == "foreign"), None)

    def has(self, kind: str) -> bool:
        """Whether an inline constraint of that kind is there."""
        return any(c.kind == kind for c in self.constraints)


class Bound(msgspec.Struct, frozen=True, omit_defaults=True):
    """FOR VALUES of a partition: strategy "list", "range", "hash" or "default", constants as texts."""

    strategy: str
    values: tuple[str, ...] = ()
    lower: tuple[str, ...] = ()
    upper: tuple[str, ...] = ()
