"""Writes the DDL of a catalog: one unit an object, with what goes with it. What it cannot write a replay tells."""

from __future__ import annotations

import re
from collections.abc import Iterator

from bgce_migrate.adopt.columns import Sequences, column_line, column_of, create_sequence
from bgce_migrate.adopt.scope import parts
from bgce_migrate.adopt.spelling import Speller, literal, type_word
from bgce_migrate.adopt.units import Key, Unit
from bgce_migrate.db.definitions import Definitions
from bgce_migrate.fingerprint.model import Catalog, Object

_TARGET = re.compile(r"REFERENCES (?P<table>(?:\"(?:[^\"]|\"\")*\"|[^\s(\"]+)+)\(")
_PRIMARY = re.compile(r"PRIMARY KEY \(([^)]*)\)")
_STATES = {"disabled": "DISABLE", "on replicas only": "ENABLE REPLICA", "always": "ENABLE ALWAYS"}


class Writer:
    """The units of one catalog."""

    def __init__(self, live: Catalog, texts: Definitions) -> None:
        self.live = live
        self.texts = texts
        self.spell = Speller(texts.reserved, texts.hidden)
        self.sequences = Sequences(live.objects)
        self.parts: dict[str, list[Object]] = {}
        for item in live.objects.values():
            if item.part_of:
                self.parts.setdefault(item.part_of, []).append(item)

    def units(self) -> tuple[Unit, ...]:
        """Everything that can be written; parts go with their whole."""
        return tuple(self._units())

    def _units(self) -> Iterator[Unit]:
        for item in self.live.objects.values():
            if item.kind == "table":
                yield self._table(item)
            elif item.kind in ("view", "materialized view"):
                yield self._view(item)
            elif item.kind in ("function", "procedure") and item.name in self.texts.routines and not item.part_of:
                yield self._routine(item)
            elif item.kind in ("type", "domain") and not item.part_of:
                unit = self._type(item)
                if unit is not None:
                    yield unit
        for sequence in self.sequences.free:
            q = self.spell.qualified(sequence.name)
            yield self._finished(sequence, Unit("sequence", sequence.name, create_sequence(sequence, self.spell), drop=[f"DROP SEQUENCE {q}"]))

    # -- tables ------------------------------------------------------------------------------------------------

    def _table(self, table: Object) -> Unit:
        q, facts = self.spell.qualified(table.name), table.facts
        unit = Unit("table", table.name, f"CREATE {'UNLOGGED ' if facts.get('unlogged') else ''}TABLE {q}", parenthesised=True)
        unit.drop = [f"DROP TABLE {q}"]
        inside = self.parts.get(table.identity, [])
        constraints = [p for p in inside if p.kind == "constraint"]
        self._columns(table, unit, [p for p in inside if p.kind == "column"], _primary(constraints))
        for constraint in constraints:
            self._constraint(table, constraint, unit)
        unit.tail = self._tail(table)
        if "partition of" in facts:
            unit.after += self._indexes(inside)
            unit.partition_of = self.spell.short(str(facts["partition of"]))
            unit.after.append(f"ALTER TABLE {facts['partition of']} ATTACH PARTITION {q} {facts['partition bound']}")
        else:
            unit.after += self._indexes(inside)
        unit.after += self._settings(table, q, inside)
        return self._finished(table, unit)

    def _columns(self, table: Object, unit: Unit, columns: list[Object], keyed: frozenset[str]) -> None:
        schema, name = parts(table.name)
        q = self.spell.qualified(table.name)
        for column in columns:
            raw = self.raw(column, table)
            if column.facts.get("inherited") == "only" and "inherits" in table.facts:
                continue
            sequence = self.sequences.of_column.get((schema, name, raw))
            line, along = column_line(column, raw, table, sequence, self.spell, keyed=raw in keyed)
            unit.lines.append(line)
            if sequence is not None and not along:
                unit.before.append(create_sequence(sequence, self.spell))
                unit.after.append(f"ALTER SEQUENCE {self.spell.qualified(sequence.name)} OWNED BY {q}.{self.spell.word(raw)}")
            if sequence is not None and "comment" in sequence.facts:
                unit.after.append(_comment("SEQUENCE", self.spell.qualified(sequence.name), sequence))
            start = f"ALTER TABLE {q} ALTER COLUMN {self.spell.word(raw)}"
            for fact, words in (("storage", "SET STORAGE {}"), ("statistics target", "SET STATISTICS {}")):
                if fact in column.facts:
                    unit.after.append(f"{start} {words.format(str(column.facts[fact]).upper())}")
            options = column.facts.get("options")
            if isinstance(options, tuple):
                unit.after.append(f"{start} SET ({', '.join(options)})")
            if "comment" in column.facts:
                unit.after.append(_comment("COLUMN", f"{q}.{self.spell.word(raw)}", column))

    def _constraint(self, table: Object, constraint: Object, unit: Unit) -> None:
        q, facts = self.spell.qualified(table.name), constraint.facts
        name, definition = self.spell.word(_own_name(constraint, table)), str(facts["definition"])
        if facts.get("inherited") == "only" and "inherits" in table.facts:
            return
        after = []
        if "comment" in facts:
            after.append(_comment("CONSTRAINT", f"{name} ON {q}", constraint))
        if "index comment" in facts:
            schema = self.spell.word(parts(table.name)[0])
            after.append(f"COMMENT ON INDEX {schema}.{name} IS {literal(str(facts['index comment']))}")
        target = _TARGET.search(definition) if definition.startswith("FOREIGN KEY") else None
        if target is not None:
            unit.keys.append(Key(name, table.name, target["table"], definition, after))
            return
        if definition.endswith("NOT VALID"):
            after.insert(0, f"ALTER TABLE {q} ADD CONSTRAINT {name} {definition}")
        else:
            unit.lines.append(f"CONSTRAINT {name} {definition}")
        unit.after += after
        if facts.get("replica identity"):
            unit.after.append(f"ALTER TABLE {q} REPLICA IDENTITY USING INDEX {name}")
        if facts.get("clustered"):
            unit.after.append(f"ALTER TABLE {q} CLUSTER ON {name}")

    def _tail(self, table: Object) -> str:
        facts, out = table.facts, []
        inherits = facts.get("inherits")
        if isinstance(inherits, tuple):
            out.append(f"INHERITS ({', '.join(inherits)})")
        if "partition key" in facts:
            out.append(f"PARTITION BY {facts['partition key']}")
        if "access method" in facts and "partition key" not in facts:
            out.append(f"USING {self.spell.word(str(facts['access method']))}")
        options = [*_tuple(facts.get("options")), *(f"toast.{o}" for o in _tuple(facts.get("toast options")))]
        if options:
            out.append(f"WITH ({', '.join(options)})")
        return f" {' '.join(out)}" if out else ""

    def _indexes(self, inside: list[Object]) -> list[str]:
        out = []
        for index in (p for p in inside if p.kind == "index"):
            q = self.spell.qualified(index.name)
            definition = str(index.facts["definition"]).replace(" ON ONLY ", " ON ", 1).replace(" USING btree ", " ", 1)
            out.append(definition)
            home = self.spell.qualified(index.part_of.partition(" ")[2]) if index.part_of.startswith("table ") else ""
            for target in _tuple(index.facts.get("statistics targets")):
                number, _, value = target.rpartition(": ")
                out.append(f"ALTER INDEX {q} ALTER COLUMN {number} SET STATISTICS {value}")
            if index.facts.get("replica identity"):
                out.append(f"ALTER TABLE {home} REPLICA IDENTITY USING INDEX {self.spell.word(parts(index.name)[1])}")
            if index.facts.get("clustered"):
                out.append(f"ALTER TABLE {home} CLUSTER ON {self.spell.word(parts(index.name)[1])}")
            if "comment" in index.facts:
                out.append(_comment("INDEX", q, index))
        return out

    def _settings(self, table: Object, q: str, inside: list[Object]) -> list[str]:
        """What hangs on a table or view beside columns, constraints and indexes."""
        facts, out = table.facts, []
        if facts.get("replica identity") in ("full", "nothing"):
            out.append(f"ALTER TABLE {q} REPLICA IDENTITY {str(facts['replica identity']).upper()}")
        for item in inside:
            name = self.spell.word(_own_name(item, table)) if item.kind in ("trigger", "rule", "policy") else ""
            if item.kind in ("trigger", "rule"):
                out.append(str(item.facts["definition"]).rstrip(";"))
                if "state" in item.facts:
                    out.append(f"ALTER TABLE {q} {_STATES[str(item.facts['state'])]} {item.kind.upper()} {name}")
            elif item.kind == "policy":
                out.append(self._policy(item, name, q))
            elif item.kind == "statistics":
                out.append(str(item.facts["definition"]))
                if "statistics target" in item.facts:
                    out.append(f"ALTER STATISTICS {self.spell.qualified(item.name)} SET STATISTICS {item.facts['statistics target']}")
                name = self.spell.qualified(item.name)
            if name and "comment" in item.facts:
                out.append(_comment(item.kind.upper(), name if item.kind == "statistics" else f"{name} ON {q}", item))
        out += [f"ALTER TABLE {q} {words} ROW LEVEL SECURITY" for fact, words in (("row security", "ENABLE"), ("row security forced", "FORCE"))
                if facts.get(fact)]  # fmt: skip
        return out

    def _policy(self, policy: Object, name: str, q: str) -> str:
        facts = policy.facts
        words = [f"CREATE POLICY {name} ON {q}"]
        words += ["AS RESTRICTIVE"] if facts.get("restrictive") else []
        words += [f"FOR {facts['command']}"] if facts.get("command") != "ALL" else []
        roles = _tuple(facts.get("roles"))
        words += [f"TO {', '.join('PUBLIC' if r == 'PUBLIC' else self.spell.word(r) for r in roles)}"] if roles != ("PUBLIC",) else []
        words += [f"USING ({facts['using']})"] if "using" in facts else []
        words += [f"WITH CHECK ({facts['check']})"] if "check" in facts else []
        return " ".join(words)

    # -- the others --------------------------------------------------------------------------------------------

    def _view(self, view: Object) -> Unit:
        q, facts = self.spell.qualified(view.name), view.facts
        options = _tuple(facts.get("options"))
        told = f" WITH ({', '.join(options)})" if options else ""
        body = str(facts["definition"]).rstrip().rstrip(";")
        without = " WITH NO DATA" if facts.get("without data") else ""
        kind = view.kind.upper()
        unit = Unit(view.kind, view.name, f"CREATE {kind} {q}{told} AS\n{body}{without}", drop=[f"DROP {kind} {q}"])
        unit.reads = tuple(column_of(use) for use in _tuple(facts.get("uses")))
        inside = self.parts.get(view.identity, [])
        unit.after += [*self._indexes(inside), *self._settings(view, q, inside)]
        for column in (p for p in inside if p.kind == "column"):
            name = f"{q}.{self.spell.word(self.raw(column, view))}"
            if "comment" in column.facts:
                unit.after.append(_comment("COLUMN", name, column))
        return self._finished(view, unit)

    def _routine(self, routine: Object) -> Unit:
        text = self.texts.routines[routine.name].rstrip()
        bare, _, arguments = routine.name.partition("(")
        q = f"{self.spell.qualified(bare)}({arguments}"
        unit = Unit(routine.kind, routine.name, text.replace("CREATE OR REPLACE ", "CREATE ", 1), drop=[f"DROP {routine.kind.upper()} {q}"])
        return self._finished(routine, unit, q)

    def _type(self, item: Object) -> Unit | None:
        q, facts = self.spell.qualified(item.name), item.facts
        inside = self.parts.get(item.identity, [])
        if item.kind == "domain":
            words = [f"CREATE DOMAIN {q} AS {type_word(str(facts['type']))}"]
            words += [f"COLLATE {facts['collation']}"] if "collation" in facts else []
            words += [f"DEFAULT {facts['default']}"] if "default" in facts else []
            words += ["NOT NULL"] if facts.get("not null") else []
            for constraint in inside:
                if constraint.kind == "constraint":
                    words.append(f"CONSTRAINT {self.spell.word(_own_name(constraint, item))} {constraint.facts['definition']}")
            head = " ".join(words)
        elif facts.get("form") == "enum":
            head = f"CREATE TYPE {q} AS ENUM ({', '.join(map(literal, _tuple(facts.get('labels'))))})"
        elif "form" not in facts:
            lines = ", ".join(
                f"{self.spell.word(self.raw(p, item))} {type_word(str(p.facts['type']))}" + (f" COLLATE {p.facts['collation']}" if "collation" in p.facts else "")
                for p in inside if p.kind == "attribute"
            )  # fmt: skip
            head = f"CREATE TYPE {q} AS ({lines})"
        else:
            return None
        return self._finished(item, Unit(item.kind, item.name, head, drop=[f"DROP {item.kind.upper()} {q}"]))

    def _finished(self, item: Object, unit: Unit, q: str = "") -> Unit:
        """With its comment, and names as short as they may be."""
        if "comment" in item.facts:
            unit.after.append(_comment(item.kind.upper(), q or self.spell.qualified(item.name), item))
        short = self.spell.short
        unit.head, unit.tail = short(unit.head), short(unit.tail)
        for texts in (unit.lines, unit.before, unit.after, unit.drop):
            texts[:] = [short(text) for text in texts]
        for key in unit.keys:
            key.definition, key.target, key.after = short(key.definition), short(key.target), [short(text) for text in key.after]
        return unit

    def raw(self, column: Object, whole: Object) -> str:
        """A column's own name."""
        shown = column.name[len(whole.name) + 1 :]
        return shown[1:-1].replace('""', '"') if shown.startswith('"') else shown


def _own_name(item: Object, whole: Object) -> str:
    shown = item.name[: -len(f" on {whole.name}")]
    return shown[1:-1].replace('""', '"') if shown.startswith('"') else shown


def _primary(constraints: list[Object]) -> frozenset[str]:
    """The columns of the primary key."""
    found = next((m for c in constraints if (m := _PRIMARY.match(str(c.facts["definition"])))), None)
    return frozenset(c.strip().strip('"') for c in found[1].split(",")) if found else frozenset()


def _tuple(value: object) -> tuple[str, ...]:
    return value if isinstance(value, tuple) else ()


def _comment(kind: str, name: str, item: Object) -> str:
    return f"COMMENT ON {kind} {name} IS {literal(str(item.facts['comment']))}"
