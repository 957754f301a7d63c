"""The statements that make an object as a catalog describes it, with its parts; for people to read before they run them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from bgce_migrate.fingerprint.compare import Difference
from bgce_migrate.fingerprint.mending import described, mend
from bgce_migrate.fingerprint.model import ORDER, Catalog, Object, Value, quoted

#: Parts that are not inside CREATE TABLE, in the order in which they can be made.
_AFTERWARDS = ("index", "statistics", "rule", "trigger", "policy")


def make(whole: Catalog, item: Object) -> tuple[str, ...]:
    """Statements without semicolons; none where the catalog does not say enough."""
    maker = _MAKERS.get(item.kind)
    if maker is not None:
        return tuple(maker(whole, item))
    text = mend(Difference(item, "", True, None))
    if not text:
        return ()
    comments = _comment(item)
    return (text, *comments)


def parts(whole: Catalog, item: Object) -> Iterator[Object]:
    """What is directly a part of an object, in the catalog's order."""
    return (o for o in whole.objects.values() if o.part_of == item.identity)


def text(value: Value | None) -> str:
    """A literal."""
    return "'" + str(value).replace("'", "''") + "'"


def _comment(item: Object) -> tuple[str, ...]:
    said = item.facts.get("comment")
    return (f"COMMENT ON {item.kind.upper()} {item.name.replace(' on ', ' ON ')} IS {text(said)}",) if said else ()


def _list(value: Value | None) -> tuple[str, ...]:
    return value if isinstance(value, tuple) else ()


def _table(whole: Catalog, table: Object) -> Iterator[str]:
    facts, inside = table.facts, list(parts(whole, table))
    own = [s for s in whole.objects.values() if s.kind == "sequence" and _owner_table(s) == table.name]
    serial = [s for s in own if not str(s.facts["owned by"]).startswith("identity of ")]
    for sequence in serial:
        yield from _sequence(whole, sequence)
    order = {name: n for n, name in enumerate(_list(facts.get(ORDER)))}
    columns = sorted((o for o in inside if o.kind == "column"), key=lambda o: order.get(_last(table, o), 0))
    bodies = [f"{_last(table, o)} {described(o)}" for o in columns]
    constraints = [o for o in inside if o.kind == "constraint" and "inherited" not in o.facts]
    bodies += [f"CONSTRAINT {o.name.partition(' on ')[0]} {o.facts['definition']}" for o in constraints]
    words = "UNLOGGED TABLE" if facts.get("unlogged") else "TABLE"
    if isinstance(parent := facts.get("partition of"), str):
        yield f"CREATE {words} {table.name} PARTITION OF {parent} {facts.get('partition bound', 'DEFAULT')}"
    else:
        tail = f" INHERITS ({', '.join(_list(facts['inherits']))})" if facts.get("inherits") else ""
        tail += f" PARTITION BY {facts['partition key']}" if "partition key" in facts else ""
        tail += f" WITH ({', '.join(_list(facts['options']))})" if facts.get("options") else ""
        yield f"CREATE {words} {table.name} ({', '.join(bodies)}){tail}"
    for sequence in serial:
        yield f"ALTER SEQUENCE {sequence.name} OWNED BY {sequence.facts['owned by']}"
    for kind in _AFTERWARDS:
        for item in inside:
            if item.kind == kind and "partition of" not in item.facts:
                yield from make(whole, item)
    if facts.get("row security"):
        yield f"ALTER TABLE {table.name} ENABLE ROW LEVEL SECURITY"
    for item in (table, *columns, *constraints):
        yield from _comment(item)


def _owner_table(sequence: Object) -> str:
    owned = str(sequence.facts.get("owned by", ""))
    return owned.removeprefix("identity of ").rpartition(".")[0]


def _last(whole: Object, part: Object) -> str:
    return part.name[len(whole.name) + 1 :]


def _sequence(_: Catalog, item: Object) -> Iterator[str]:
    facts = item.facts
    words = [f"CREATE SEQUENCE {item.name} AS {facts.get('type', 'bigint')}", *sequence_words(facts)]
    yield " ".join(words)
    yield from _comment(item)


def sequence_words(facts: Mapping[str, Value]) -> list[str]:
    """The parameters of a sequence as CREATE and ALTER SEQUENCE take them."""
    names = {"increment": "INCREMENT BY", "minimum": "MINVALUE", "maximum": "MAXVALUE", "start": "START WITH", "cache": "CACHE"}
    return [*(f"{word} {facts[name]}" for name, word in names.items() if name in facts), "CYCLE" if facts.get("cycle") else "NO CYCLE"]


def _type(whole: Catalog, item: Object) -> Iterator[str]:
    form = item.facts.get("form")
    if form == "enum":
        yield f"CREATE TYPE {item.name} AS ENUM ({', '.join(text(v) for v in _list(item.facts.get('labels')))})"
    elif form is None:
        attributes = [o for o in parts(whole, item) if o.kind == "attribute"]
        order = {name: n for n, name in enumerate(_list(item.facts.get(ORDER)))}
        attributes.sort(key=lambda o: order.get(_last(item, o), 0))
        yield f"CREATE TYPE {item.name} AS ({', '.join(f'{_last(item, o)} {described(o)}' for o in attributes)})"
    else:
        return
    yield from _comment(item)


def _domain(whole: Catalog, item: Object) -> Iterator[str]:
    words = [f"CREATE DOMAIN {item.name} AS {item.facts.get('type')}"]
    words += [f"COLLATE {item.facts['collation']}"] if "collation" in item.facts else []
    words += [f"DEFAULT {item.facts['default']}"] if "default" in item.facts else []
    words += ["NOT NULL"] if "not null" in item.facts else []
    for part in parts(whole, item):
        if part.kind == "constraint":
            words.append(f"CONSTRAINT {part.name.partition(' on ')[0]} {part.facts['definition']}")
    yield " ".join(words)
    yield from _comment(item)


def routine(item: Object) -> str:
    """CREATE OR REPLACE of a function or procedure."""
    facts = item.facts
    name = item.name.partition("(")[0]
    words = [f"CREATE OR REPLACE {item.kind.upper()} {name}({facts.get('arguments', '')})"]
    words += [f"RETURNS {facts['result']}"] if item.kind == "function" and "result" in facts else []
    words.append(f"LANGUAGE {facts.get('language', 'sql')}")
    words += [str(facts["volatility"]).upper()] if "volatility" in facts else []
    words += ["STRICT"] if facts.get("strict") else []
    words += ["LEAKPROOF"] if facts.get("leakproof") else []
    words += ["SECURITY DEFINER"] if facts.get("security definer") else []
    words += [f"PARALLEL {str(facts['parallel']).upper()}"] if "parallel" in facts else []
    words += [f"COST {facts['cost']}"] if "cost" in facts else []
    words += [f"SET {name} TO {value}" for name, _, value in (s.partition("=") for s in _list(facts.get("settings")))]
    if "sql body" in facts:
        words.append(str(facts["sql body"]))
    else:
        body = str(facts.get("body", ""))
        mark = "$$" if "$$" not in body else "$bgce$"
        words.append(f"AS {mark}{body}{mark}")
    return " ".join(words)


def _routine(_: Catalog, item: Object) -> Iterator[str]:
    if "object file" not in item.facts:
        yield routine(item)
        yield from _comment(item)


def _policy(_: Catalog, item: Object) -> Iterator[str]:
    facts = item.facts
    words = [f"CREATE POLICY {item.name.replace(' on ', ' ON ')}"]
    words += ["AS RESTRICTIVE"] if facts.get("restrictive") else []
    words.append(f"FOR {facts.get('command', 'ALL')}")
    words.append(f"TO {', '.join(role(r) for r in _list(facts.get('roles')))}")
    words += [f"USING ({facts['using']})"] if "using" in facts else []
    words += [f"WITH CHECK ({facts['check']})"] if "check" in facts else []
    yield " ".join(words)


def role(name: str) -> str:
    """A role as a statement names it."""
    return name if name == "PUBLIC" else quoted(name)


def _column(_: Catalog, item: Object) -> Iterator[str]:
    if text_ := mend(Difference(item, "", True, None)):
        yield text_
        yield from _comment(item)


def _schema(_: Catalog, item: Object) -> Iterator[str]:
    yield f"CREATE SCHEMA {item.name}"
    yield from _comment(item)


def _extension(_: Catalog, item: Object) -> Iterator[str]:
    yield f"CREATE EXTENSION {item.name}" + (f" SCHEMA {item.facts['in schema']}" if "in schema" in item.facts else "")


_MAKERS: Mapping[str, Callable[[Catalog, Object], Iterator[str]]] = {
    "table": _table, "sequence": _sequence, "type": _type, "domain": _domain, "function": _routine, "procedure": _routine,
    "policy": _policy, "column": _column, "schema": _schema, "extension": _extension,
}  # fmt: skip
