"""Columns and sequences as DDL."""

from __future__ import annotations

from collections.abc import Mapping

from bgce_migrate.adopt.scope import parts
from bgce_migrate.adopt.spelling import Speller, default_text, type_word
from bgce_migrate.fingerprint.model import Object

_LARGEST = {"smallint": 2**15 - 1, "integer": 2**31 - 1, "bigint": 2**63 - 1}
_SERIAL = {"smallint": "SMALLSERIAL", "integer": "SERIAL", "bigint": "BIGSERIAL"}
_LONGEST = 63  # bytes of a name


class Sequences:
    """The sequences of a catalog, by the column that they belong to."""

    def __init__(self, found: Mapping[str, Object]) -> None:
        self.of_column: dict[tuple[str, str, str], Object] = {}
        self.free: list[Object] = []
        for item in found.values():
            if item.kind != "sequence":
                continue
            owner = item.facts.get("owned by")
            if isinstance(owner, str):
                self.of_column[column_of(owner)] = item
            else:
                self.free.append(item)


def column_of(text: str) -> tuple[str, str, str]:
    """Schema, table and column of `schema.table.column`, whose first two are quoted where needed and the last never is."""
    rest, found = text.removeprefix("identity of "), []
    for _ in range(2):
        end = rest.index('".') + 1 if rest.startswith('"') else rest.index(".")
        found.append(rest[:end].strip('"').replace('""', '"'))
        rest = rest[end + 1 :]
    return found[0], found[1], rest


def parameters(sequence: Object) -> str:
    """What a sequence has beyond what CREATE SEQUENCE gives by itself."""
    facts, kind = sequence.facts, str(sequence.facts.get("type", "bigint"))
    up = int(str(facts.get("increment", 1))) > 0
    low, high = (1, _LARGEST[kind]) if up else (-_LARGEST[kind] - 1, -1)
    usual: dict[str, object] = {"increment": 1, "minimum": low, "maximum": high, "start": low if up else high, "cache": 1}
    if "minimum" in facts and up:
        usual["start"] = facts["minimum"]
    words = {"increment": "INCREMENT BY", "minimum": "MINVALUE", "maximum": "MAXVALUE", "start": "START WITH", "cache": "CACHE"}
    out = [f"{words[name]} {facts[name]}" for name, value in usual.items() if name in facts and facts[name] != value]
    return " ".join([*out, *(["CYCLE"] if facts.get("cycle") else [])])


def create_sequence(sequence: Object, speller: Speller) -> str:
    """CREATE SEQUENCE, without its owner."""
    kind = str(sequence.facts.get("type", "bigint"))
    words = [f"CREATE {'UNLOGGED ' if sequence.facts.get('unlogged') else ''}SEQUENCE {speller.qualified(sequence.name)}"]
    words += [f"AS {type_word(kind)}"] if kind != "bigint" else []
    return " ".join([*words, *filter(None, [parameters(sequence)])])


def _usual_name(sequence: Object, table: str, column: str) -> bool:
    """Whether it is called as the server would call it."""
    name = f"{parts(table)[1]}_{column}_seq"
    return parts(sequence.name) == (parts(table)[0], name) and len(name.encode()) <= _LONGEST


def column_line(
    column: Object, raw: str, table: Object, sequence: Object | None, speller: Speller, *, keyed: bool
) -> tuple[str, bool]:
    """A column inside CREATE TABLE, and whether its sequence comes with it.

    Args:
        raw: its name.
        sequence: the one that belongs to it.
        keyed: it is in the primary key, which makes it NOT NULL.
    """
    facts, kind = column.facts, str(column.facts.get("type", ""))
    default, partition = facts.get("default"), "partition of" in table.facts
    along = sequence is not None and "identity" in facts
    words = [speller.word(raw)]
    serial = (
        sequence is not None and default is not None and kind in _SERIAL and facts.get("not null") is True and "identity" not in facts
        and _usual_name(sequence, table.name, raw) and not parameters(sequence) and sequence.facts.get("type") == kind
        and str(default) == f"nextval('{speller.qualified(sequence.name)}'::regclass)" and "comment" not in sequence.facts
    )  # fmt: skip
    if serial:
        return " ".join([speller.word(raw), _SERIAL[kind], *_not_null_name(facts, table, raw, speller)]), True
    words.append(type_word(kind))
    words += [f"COMPRESSION {facts['compression']}"] if "compression" in facts else []
    words += [f"COLLATE {facts['collation']}"] if "collation" in facts else []
    if "identity" in facts and sequence is not None and not partition:
        words.append(f"GENERATED {str(facts['identity']).upper()} AS IDENTITY")
        options = [] if _usual_name(sequence, table.name, raw) else [f"SEQUENCE NAME {speller.qualified(sequence.name)}"]
        options += list(filter(None, [parameters(sequence)]))
        words += [f"({' '.join(options)})"] if options else []
    elif facts.get("not null") and not keyed:
        words += _not_null_name(facts, table, raw, speller) or ["NOT NULL"]
    if "not null constraint" in facts and (keyed or "identity" in facts):
        words += _not_null_name(facts, table, raw, speller)
    if default is not None:
        words.append(f"DEFAULT {default_text(str(default), kind)}")
    if "generated" in facts:
        expression, _, how = str(facts["generated"]).rpartition(" ")
        words.append(f"GENERATED ALWAYS AS ({expression}) {how.upper()}")
    return " ".join(words), along


def _not_null_name(facts: Mapping[str, object], table: Object, raw: str, speller: Speller) -> list[str]:
    """From 18 on NOT NULL has a name; said where it is not the one that the server would give."""
    name = facts.get("not null constraint")
    if name is None or name == f"{parts(table.name)[1]}_{raw}_not_null":
        return []
    inherit = " NO INHERIT" if facts.get("not null not inherited") else ""
    return [f"CONSTRAINT {speller.word(str(name))} NOT NULL{inherit}"]
