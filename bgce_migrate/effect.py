"""What a statement of a migration does, and to which object."""

from __future__ import annotations

from enum import Enum

from msgspec import Struct

#: `Effect.detail` of what a foreign key uses.
FOREIGN_KEY = "foreign key"
#: `Effect.detail` of the sequence behind an identity column.
IDENTITY = "identity"


class ObjectKind(str, Enum):
    """Name spaces in which a migration makes or uses objects."""

    RELATION = "relation"  # tables, views, sequences, indexes: pg_class has one name space
    COLUMN = "column"  # Name.part is the column
    KEY = "key"  # a unique key; Name.part is its sorted columns, joined by commas
    TYPE = "type"
    FUNCTION = "function"  # functions, procedures, aggregates, by name
    TRIGGER = "trigger"  # Name.part is the trigger, Name.name its table
    SCHEMA = "schema"
    EXTENSION = "extension"


# Names, effects and statements come by the ten thousand: a Struct is made and read back several times faster.
class Name(Struct, frozen=True, order=True, array_like=True):
    """An object's name. `schema` is None when the SQL leaves it to the search path."""

    kind: ObjectKind
    name: str
    schema: str | None = None
    part: str | None = None

    def __str__(self) -> str:
        text = self.name if self.schema in (None, "public") else f"{self.schema}.{self.name}"
        return f"{text}.{self.part}" if self.part and self.kind is ObjectKind.COLUMN else text


class Action(str, Enum):
    """What a statement does to an object."""

    MAKE = "make"  # CREATE
    REPLACE = "replace"  # CREATE OR REPLACE, CREATE ... IF NOT EXISTS
    ALTER = "alter"
    RENAME = "rename"  # Effect.to is the new name
    DROP = "drop"
    USE = "use"  # read or referenced
    WRITE = "write"  # INSERT, UPDATE, DELETE, TRUNCATE, COPY
    OPAQUE = "opaque"  # cannot be seen through: a computed string, an unknown language


class Effect(Struct, frozen=True, array_like=True):
    """One thing one statement does to one object.

    Attributes:
        soft: the use binds late (a string body), so the order follows it only where it can.
        detail: how, in words for `plan --explain`: "foreign key", "view", "body of function f".
        path: the search path in force, first schema first, for a name without schema.
        optional: IF EXISTS / IF NOT EXISTS was said.
        cascade: DROP ... CASCADE.
        relation_kind: for relations made: "table", "view", "matview", "sequence", "index".
        signature: for functions made or dropped: the types of the input arguments without schemas,
            e.g. "int4,text[]"; None if not said. DROP FUNCTION IF EXISTS f() leaves f(text) alone.
            For a foreign key without a column list, that is to the primary key, "".
    """

    action: Action
    object: Name
    line: int
    statement: int = 0
    soft: bool = False
    detail: str = ""
    to: Name | None = None
    path: tuple[str, ...] = ("public",)
    optional: bool = False
    cascade: bool = False
    relation_kind: str = ""
    signature: str | None = None
