"""Random honest histories: migrations of several domains, each valid on the schema that the ones before it leave."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["table", "view", "function", "type", "sequence", "index"]
#: Few names, so that they are used again for something else.
POOL = 3


@dataclass(eq=False)
class Column:
    """A column of a live table or view."""

    name: str
    type: str = "int"


@dataclass(eq=False)
class Thing:
    """A live object. `uses` are the columns and things that cannot be dropped before it."""

    kind: Kind
    name: str
    domain: str
    columns: list[Column] = field(default_factory=list)
    keys: list[Column] = field(default_factory=list)
    uses: set[object] = field(default_factory=set)
    #: What the text of a function's body names, and by which names: nothing holds these.
    says: dict[Thing | Column, str] = field(default_factory=dict)
    home: Thing | None = None  # of an index


@dataclass
class Migration:
    """One migration of a history, in the order in which people wrote them."""

    domain: str
    number: int
    statements: list[str] = field(default_factory=list)
    requires: list[str] = field(default_factory=list)
    version: int = 0

    @property
    def short(self) -> str:
        """`domain/000003`."""
        return f"{self.domain}/{self.version:06d}"

    @property
    def text(self) -> str:
        """The up file."""
        lines = ['-- bgce: irreversible reason="random"']
        lines += [f"-- bgce: requires {short}" for short in self.requires]
        return "\n".join([*lines, *(f"{s};" for s in self.statements), ""])


class World:
    """The live schema, and who may write what next."""

    def __init__(self, rng: random.Random, domains: int) -> None:
        self.rng = rng
        self.domains = [f"d{n}" for n in range(domains)]
        #: Each may use what those before it own.
        self.requires = {
            name: [other for other in self.domains[:n] if rng.random() < 0.8]
            for n, name in enumerate(self.domains)
        }
        self.things: dict[str, Thing] = {}
        self.written = 0
        self.last: dict[str, str] = {}

    def batch(self, size: int) -> list[Migration]:
        """The next migrations, in true order, without versions."""
        out = []
        for _ in range(size):
            migration = Migration(self.rng.choice(self.domains), self.written)
            for _ in range(self.rng.choice((1, 1, 1, 2, 3))):
                self._add(migration)
            if migration.statements:
                self.written += 1
                out.append(migration)
        return out

    # -- what is there -----------------------------------------------------------------------------------------

    def _mine(self, domain: str, *kinds: Kind) -> list[Thing]:
        return [t for t in self.things.values() if t.domain == domain and t.kind in kinds]

    def _usable(self, domain: str, *kinds: Kind) -> list[Thing]:
        allowed = {domain, *self.requires[domain]}
        return [t for t in self.things.values() if t.domain in allowed and t.kind in kinds]

    def _held(self, what: object) -> bool:
        return any(what in other.uses for other in self.things.values() if other is not what)

    def _said(self, what: object) -> bool:
        """Whether the body of a function that something calls names it."""
        things = self.things.values()
        return any(isinstance(what, (Thing, Column)) and what in t.says and self._held(t) for t in things)

    def _callable(self, domain: str) -> list[Thing]:
        """Functions whose bodies still name what is there."""
        return [
            f for f in self._usable(domain, "function")
            if all(what.name == name and self._lives(what) for what, name in f.says.items())
        ]  # fmt: skip

    def _lives(self, what: Thing | Column) -> bool:
        if isinstance(what, Thing):
            return self.things.get(what.name) is what
        return any(what in t.columns for t in self.things.values())

    def _free(self, domain: str, letter: str) -> str | None:
        names = [f"{letter}_{domain}_{n}" for n in range(POOL)]
        free = [name for name in names if name not in self.things]
        return self.rng.choice(free) if free else None

    def _pick(self, things: list[Thing]) -> Thing | None:
        return self.rng.choice(things) if things else None

    def _new_column(self, thing: Thing) -> str | None:
        free = [n for n in ("a", "b", "c", "d", "e") if n not in {c.name for c in thing.columns}]
        return self.rng.choice(free) if free else None

    # -- statements --------------------------------------------------------------------------------------------

    def _add(self, migration: Migration) -> None:
        for _ in range(10):
            kind = self.rng.choices(list(_WRITERS), weights=[w for _, w in _WRITERS.values()])[0]
            said = _WRITERS[kind][0](self, migration.domain)
            if said:
                migration.statements += said if isinstance(said, list) else [said]
                return

    def create_table(self, domain: str) -> str | None:
        name = self._free(domain, "t")
        if name is None:
            return None
        table = Thing("table", name, domain)
        key = Column("id")
        table.columns, table.keys = [key], [key]
        parts = ["id int PRIMARY KEY"]
        for letter in self.rng.sample("abcde", self.rng.randint(1, 3)):
            column = Column(letter)
            parts.append(self._column(table, column))
            table.columns.append(column)
        self.things[name] = table
        return f"CREATE TABLE {name} ({', '.join(parts)})"

    def _column(self, table: Thing, column: Column) -> str:
        """A column's definition; it may refer to, default to or be of something else."""
        choice = self.rng.random()
        if choice < 0.3 and (parent := self._pick(self._usable(table.domain, "table"))) and parent.keys:
            key = self.rng.choice(parent.keys)
            table.uses |= {parent, key}
            suffix = "" if key.name == "id" and self.rng.random() < 0.5 else f" ({key.name})"
            return f"{column.name} int REFERENCES {parent.name}{suffix}"
        if choice < 0.4 and (enum := self._pick(self._usable(table.domain, "type"))):
            table.uses.add(enum)
            column.type = enum.name
            return f"{column.name} {enum.name}"
        if choice < 0.5 and (function := self._pick(self._callable(table.domain))):
            table.uses.add(function)
            return f"{column.name} int DEFAULT {function.name}()"
        if choice < 0.55 and (sequence := self._pick(self._mine(table.domain, "sequence"))):
            table.uses.add(sequence)
            return f"{column.name} int DEFAULT nextval('{sequence.name}')"
        if choice < 0.7:
            table.keys.append(column)
            return f"{column.name} int UNIQUE"
        return f"{column.name} int"

    def add_column(self, domain: str) -> str | None:
        table = self._pick(self._mine(domain, "table"))
        name = self._new_column(table) if table else None
        if table is None or name is None:
            return None
        column = Column(name)
        definition = self._column(table, column)
        table.columns.append(column)
        return f"ALTER TABLE {table.name} ADD COLUMN {definition}"

    def drop_column(self, domain: str) -> str | None:
        table = self._pick(self._mine(domain, "table"))
        free = [c for c in table.columns[1:] if not self._held(c) and not self._said(c)] if table else []
        if table is None or not free:
            return None
        column = self.rng.choice(free)
        table.columns.remove(column)
        if column in table.keys:
            table.keys.remove(column)
        for index in [t for t in self.things.values() if t.home is table and column in t.keys]:
            del self.things[index.name]
        return f"ALTER TABLE {table.name} DROP COLUMN {column.name}"

    def rename_column(self, domain: str) -> str | None:
        table = self._pick(self._mine(domain, "table"))
        name = self._new_column(table) if table else None
        if table is None or name is None or len(table.columns) < 2:
            return None
        column = self.rng.choice(table.columns[1:])
        if self._said(column):
            return None
        before, column.name = column.name, name
        return f"ALTER TABLE {table.name} RENAME COLUMN {before} TO {name}"

    def rename(self, domain: str) -> str | list[str] | None:
        thing = self._pick(self._mine(domain, "table", "view", "type", "function", "sequence"))
        name = self._free(domain, thing.name[0]) if thing else None
        if thing is None or name is None or self._said(thing):
            return None
        word = {"type": "TYPE", "function": "FUNCTION"}.get(thing.kind, thing.kind.upper())
        brackets = "()" if thing.kind == "function" else ""
        there = f"ALTER {word} {thing.name}{brackets} RENAME TO {name}"
        if self.rng.random() < 0.3:
            return [there, f"ALTER {word} {name}{brackets} RENAME TO {thing.name}"]
        del self.things[thing.name]
        thing.name = name
        self.things[name] = thing
        return there

    def create_view(self, domain: str) -> str | None:
        name = self._free(domain, "v")
        sources = self._usable(domain, "table", "view")
        if name is None or not sources:
            return None
        view = Thing("view", name, domain)
        selected = self._select(view, self.rng.sample(sources, min(len(sources), self.rng.randint(1, 2))))
        self.things[name] = view
        return f"CREATE VIEW {name} AS {selected}"

    def _select(self, view: Thing, sources: list[Thing]) -> str:
        words, froms = [], []
        for number, source in enumerate(sources):
            view.uses.add(source)
            column = self.rng.choice(source.columns)
            view.uses.add(column)
            words.append(f"x{number}.{column.name} AS c{number}")
            view.columns.append(Column(f"c{number}", column.type))
            froms.append(f"{source.name} x{number}")
        if (function := self._pick(self._callable(view.domain))) and self.rng.random() < 0.3:
            view.uses.add(function)
            words.append(f"{function.name}() AS f")
            view.columns.append(Column("f"))
        return f"SELECT {', '.join(words)} FROM {', '.join(froms)}"

    def drop(self, domain: str) -> str | None:
        kinds: tuple[Kind, ...] = ("table", "view", "function", "type", "sequence", "index")
        free = [
            t for t in self._mine(domain, *kinds)
            if not any(self._held(what) or self._said(what) for what in (t, *t.columns))
        ]  # fmt: skip
        thing = self._pick(free)
        if thing is None:
            return None
        for index in [t for t in self.things.values() if t.home is thing]:
            del self.things[index.name]
        del self.things[thing.name]
        maybe = "IF EXISTS " if self.rng.random() < 0.2 else ""
        brackets = "()" if thing.kind == "function" else ""
        return f"DROP {thing.kind.upper()} {maybe}{thing.name}{brackets}"

    def create_function(self, domain: str) -> str | None:
        name = self._free(domain, "f")
        if name is None:
            return None
        function = Thing("function", name, domain)
        body = self._body(function)
        self.things[name] = function
        return f"CREATE FUNCTION {name}() RETURNS int {body}"

    def _body(self, function: Thing) -> str:
        source = self._pick([t for t in self._usable(function.domain, "table", "view") if t.columns[0].type == "int"])
        style = self.rng.random()
        function.says = {}
        query = f"SELECT max({source.columns[0].name}) FROM {source.name}" if source else "SELECT 1"
        if style < 0.3:
            if source:
                function.uses |= {source, source.columns[0]}
            return f"LANGUAGE sql BEGIN ATOMIC {query}; END"
        if source:
            function.says = {source: source.name, source.columns[0]: source.columns[0].name}
        if style < 0.6:
            return f"LANGUAGE sql AS $$ {query} $$"
        return f"LANGUAGE plpgsql AS $$ BEGIN RETURN ({query}); END $$"

    def replace_function(self, domain: str) -> str | None:
        function = self._pick(self._mine(domain, "function"))
        if function is None:
            return None
        held = self._reaches(function)
        before = function.uses, function.says
        function.uses = set()
        body = self._body(function)
        if (function.uses | set(function.says)) & held:  # it would use what uses it
            function.uses, function.says = before
            return None
        return f"CREATE OR REPLACE FUNCTION {function.name}() RETURNS int {body}"

    def _reaches(self, thing: Thing) -> set[object]:
        """What depends on it, and on that."""
        found: set[object] = {thing}
        while True:
            more = {t for t in self.things.values() if t not in found and t.uses & found}
            if not more:
                return found
            found |= more

    def create_type(self, domain: str) -> str | None:
        name = self._free(domain, "e")
        if name is None:
            return None
        self.things[name] = Thing("type", name, domain)
        return f"CREATE TYPE {name} AS ENUM ('x', 'y')"

    def create_sequence(self, domain: str) -> str | None:
        name = self._free(domain, "s")
        if name is None:
            return None
        self.things[name] = Thing("sequence", name, domain)
        return f"CREATE SEQUENCE {name}"

    def create_index(self, domain: str) -> str | None:
        table, name = self._pick(self._mine(domain, "table")), self._free(domain, "i")
        if table is None or name is None:
            return None
        column = self.rng.choice(table.columns)
        self.things[name] = Thing("index", name, domain, keys=[column], home=table)
        if self.rng.random() < 0.2:
            return f"DO $do$ BEGIN CREATE INDEX {name} ON {table.name} ({column.name}); END $do$"
        return f"CREATE INDEX {name} ON {table.name} ({column.name})"

    def copy_rows(self, domain: str) -> str | None:
        into = self._pick(self._mine(domain, "table"))
        source = self._pick([t for t in self._usable(domain, "table", "view") if t.columns[0].type == "int"])
        if into is None or source is None:
            return None
        return f"INSERT INTO {into.name} (id) SELECT {source.columns[0].name} FROM {source.name} WHERE false"

    def comment(self, domain: str) -> str | None:
        thing = self._pick(self._mine(domain, "table", "view"))
        return f"COMMENT ON {thing.kind.upper()} {thing.name} IS '{self.rng.randint(1, 99)}'" if thing else None


_WRITERS: dict[str, tuple[Callable[[World, str], str | list[str] | None], int]] = {
    "create_table": (World.create_table, 10),
    "add_column": (World.add_column, 6),
    "drop_column": (World.drop_column, 4),
    "rename_column": (World.rename_column, 3),
    "rename": (World.rename, 4),
    "create_view": (World.create_view, 7),
    "drop": (World.drop, 8),
    "create_function": (World.create_function, 4),
    "replace_function": (World.replace_function, 3),
    "create_type": (World.create_type, 2),
    "create_sequence": (World.create_sequence, 2),
    "create_index": (World.create_index, 3),
    "copy_rows": (World.copy_rows, 2),
    "comment": (World.comment, 1),
}
