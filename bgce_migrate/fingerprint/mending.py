"""The statement that takes a difference back, where the catalog says enough to write one."""

from __future__ import annotations

from bgce_migrate.fingerprint.compare import Difference
from bgce_migrate.fingerprint.model import Object, Value

#: What is dropped by its name alone; what goes with a table is dropped on it.
_DROPPED = frozenset({
    "aggregate", "collation", "conversion", "domain", "event trigger", "extension", "foreign data wrapper", "foreign table",
    "function", "index", "materialized view", "operator", "operator class", "operator family", "procedure",
    "publication", "schema", "sequence", "server", "statistics", "subscription", "table", "text search configuration",
    "text search dictionary", "type", "user mapping", "view", "cast",
})  # fmt: skip
_ON_TABLE = frozenset({"policy", "rule", "trigger"})


def mend(difference: Difference) -> str:
    """The statement after which `after` says again what `before` said, without its semicolon; or nothing."""
    what, fact = difference.what, difference.fact
    if not fact:
        return _drop(what) if difference.after else _create(what)
    if what.kind == "column":
        return _column(what, fact, difference.before)
    if fact == "comment":
        return _comment(what, difference.before)
    if fact == "owner" and isinstance(difference.before, str):
        return f"ALTER {what.kind.upper()} {what.name} OWNER TO {difference.before}"
    if fact in ("row security", "row security forced"):
        words = "ROW LEVEL SECURITY"
        on, off = ("FORCE", "NO FORCE") if fact.endswith("forced") else ("ENABLE", "DISABLE")
        return f"ALTER TABLE {what.name} {on if difference.before else off} {words}"
    return ""


def _drop(what: Object) -> str:
    if what.kind == "column":
        table, _, column = _apart(what)
        return f"ALTER TABLE {table} DROP COLUMN {column}"
    if what.kind == "constraint":
        name, _, home = what.name.partition(" on ")
        kind = "DOMAIN" if what.part_of.startswith("domain ") else "TABLE"
        return f"ALTER {kind} {home} DROP CONSTRAINT {name}"
    if what.kind in _DROPPED or what.kind in _ON_TABLE:
        return f"DROP {what.kind.upper()} {what.name.replace(' on ', ' ON ') if what.kind in _ON_TABLE else what.name}"
    return ""


def _create(what: Object) -> str:
    definition = what.facts.get("definition")
    if what.kind == "column":
        table, _, column = _apart(what)
        return f"ALTER TABLE {table} ADD COLUMN {column} {described(what)}"
    if not isinstance(definition, str):
        return ""
    if what.kind == "constraint":
        name, _, home = what.name.partition(" on ")
        kind = "DOMAIN" if what.part_of.startswith("domain ") else "TABLE"
        return f"ALTER {kind} {home} ADD CONSTRAINT {name} {definition}"
    if what.kind in ("view", "materialized view"):
        return f"CREATE {what.kind.upper()} {what.name} AS{_one_line(definition)}"
    if what.kind == "index" and not what.facts.get("not valid"):
        definition = definition.replace(" ON ONLY ", " ON ", 1)  # of a partitioned table: with those of its partitions
    return _one_line(definition).strip() if what.kind in ("index", "trigger", "rule", "statistics") else ""


def described(what: Object) -> str:
    """A column or attribute behind its name: type, collation, default, identity, NOT NULL."""
    facts = what.facts
    words = [str(facts.get("type", ""))]
    if "collation" in facts:
        words.append(f"COLLATE {facts['collation']}")
    if "default" in facts:
        words.append(f"DEFAULT {facts['default']}")
    if "generated" in facts:
        expression, _, how = str(facts["generated"]).rpartition(" ")
        words.append(f"GENERATED ALWAYS AS ({expression}) {how.upper()}")
    if "identity" in facts:
        words.append(f"GENERATED {str(facts['identity']).upper()} AS IDENTITY")
    if "not null" in facts:
        words.append("NOT NULL")
    return " ".join(words)


def _column(what: Object, fact: str, before: Value | None) -> str:
    table, _, column = _apart(what)
    start = f"ALTER TABLE {table} ALTER COLUMN {column}"
    if fact == "type":
        return f"{start} TYPE {before}"
    if fact == "not null":
        return f"{start} {'SET' if before else 'DROP'} NOT NULL"
    if fact == "default":
        return f"{start} DROP DEFAULT" if before is None else f"{start} SET DEFAULT {before}"
    if fact == "statistics target":
        return f"{start} SET STATISTICS {-1 if before is None else before}"
    return _comment(what, before) if fact == "comment" else ""


def _comment(what: Object, before: Value | None) -> str:
    text = "NULL" if before is None else "'" + str(before).replace("'", "''") + "'"
    return f"COMMENT ON {what.kind.upper()} {what.name.replace(' on ', ' ON ')} IS {text}"


def _apart(what: Object) -> tuple[str, str, str]:
    """A column's table and its own name."""
    table = what.part_of.partition(" ")[2]
    if what.part_of.startswith(("foreign table ", "materialized view ")):
        table = table.partition(" ")[2]
    return table, ".", what.name[len(table) + 1 :]


def _one_line(text: str) -> str:
    return " " + " ".join(text.rstrip(";").split())
