"""All statements that take a difference back, with the two catalogs at hand: more than one, and for more facts than `mend`."""

from __future__ import annotations

from collections.abc import Iterator

from bgce_migrate.fingerprint.compare import Difference
from bgce_migrate.fingerprint.making import make, role, routine, sequence_words, text
from bgce_migrate.fingerprint.mending import mend
from bgce_migrate.fingerprint.model import RIGHTS, Catalog, Object, Value

#: Objects that nothing stands on: dropped and made again where they changed.
_MADE_AGAIN = frozenset({"index", "constraint", "trigger", "policy", "statistics", "rule", "event trigger"})
_STATES = {None: "ENABLE", "disabled": "DISABLE", "on replicas only": "ENABLE REPLICA", "always": "ENABLE ALWAYS"}


def restore(difference: Difference, before: Catalog, after: Catalog) -> tuple[str, ...]:
    """The statements after which `after` says again what `before` said, without semicolons; none if a person must write them.

    Args:
        before, after: the catalogs that were compared.
    """
    what, fact = difference.what, difference.fact
    if not fact:
        old = before.objects.get(what.identity)
        return make(before, old) if old is not None and not difference.after else _one(mend(difference))
    if fact == RIGHTS:
        return tuple(_rights(what, difference.before, difference.after))
    old = before.objects.get(what.identity)
    if old is None:
        return _one(mend(difference))
    return _fact(difference, old, before) or _one(mend(difference))


def _one(statement: str) -> tuple[str, ...]:
    return (statement,) if statement else ()


def _fact(difference: Difference, old: Object, before: Catalog) -> tuple[str, ...]:
    what, fact, value = difference.what, difference.fact, difference.before
    if fact in ("comment", "owner"):
        return ()
    if fact == "state":
        return _one(_state(what, value))
    if what.kind in _MADE_AGAIN:
        drop = mend(Difference(what, "", None, True))
        return (drop, *make(before, old)) if drop else ()
    if what.kind in ("function", "procedure") and "object file" not in old.facts:
        if fact in ("result", "arguments"):
            return (f"DROP {what.kind.upper()} {what.name}", routine(old))
        return (routine(old),)
    if what.kind == "view" and fact == "definition":
        made = mend(Difference(old, "", True, None))
        return (f"DROP VIEW {what.name}", made) if made else ()
    if fact == "labels":
        return tuple(_labels(what, value, difference.after))
    if what.kind == "sequence" and fact != "owned by":
        return (f"ALTER SEQUENCE {what.name} AS {old.facts.get('type', 'bigint')} {' '.join(sequence_words(old.facts))}",)
    if what.kind == "column":
        return tuple(_column(what, fact, value, difference.after))
    return tuple(_relation(what, fact, value, difference.after))


def _state(what: Object, value: Value | None) -> str:
    name, _, home = what.name.partition(" on ")
    word = _STATES[value if isinstance(value, str) else None]
    if what.kind in ("trigger", "rule"):
        return f"ALTER TABLE {home} {word} {what.kind.upper()} {name}"
    return f"ALTER EVENT TRIGGER {what.name} {word}" if what.kind == "event trigger" else ""


def _labels(what: Object, wanted: Value | None, found: Value | None) -> Iterator[str]:
    """Labels can be added, never taken."""
    old, new = (v if isinstance(v, tuple) else () for v in (wanted, found))
    if set(new) <= set(old):
        for n, label in enumerate(old):
            if label not in new:
                place = f" AFTER {text(old[n - 1])}" if n else f" BEFORE {text(new[0])}" if new else ""
                yield f"ALTER TYPE {what.name} ADD VALUE {text(label)}{place}"


def _column(what: Object, fact: str, value: Value | None, found: Value | None) -> Iterator[str]:
    start = mend(Difference(what, "default", None, True)).removesuffix(" DROP DEFAULT")
    if fact == "identity":
        if value is None:
            yield f"{start} DROP IDENTITY"
        elif found is None:
            yield f"{start} ADD GENERATED {str(value).upper()} AS IDENTITY"
        else:
            yield f"{start} SET GENERATED {str(value).upper()}"
    elif fact in ("storage", "compression"):
        yield f"{start} SET {fact.upper()} {str(value or 'DEFAULT').upper()}"
    elif fact == "options":
        yield from _options(start, value, found)
    elif fact == "generated" and value is None:
        yield f"{start} DROP EXPRESSION"


def _relation(what: Object, fact: str, value: Value | None, found: Value | None) -> Iterator[str]:
    kind = what.kind.upper() if what.kind != "foreign table" else "FOREIGN TABLE"
    start = f"ALTER {kind} {what.name}"
    if fact == "unlogged":
        yield f"{start} SET {'UNLOGGED' if value else 'LOGGED'}"
    elif fact == "options":
        yield from _options(start, value, found)
    elif fact == "replica identity" and value != "index":
        yield f"{start} REPLICA IDENTITY {str(value or 'default').upper()}"
    elif fact == "tablespace":
        yield f"{start} SET TABLESPACE {value or 'pg_default'}"
    elif fact == "partition of" and isinstance(found, str) and value is None:
        yield f"ALTER TABLE {found} DETACH PARTITION {what.name}"
    elif fact == "default" and what.kind == "domain":
        yield f"{start} DROP DEFAULT" if value is None else f"{start} SET DEFAULT {value}"
    elif fact == "not null" and what.kind == "domain":
        yield f"{start} {'SET' if value else 'DROP'} NOT NULL"


def _options(start: str, value: Value | None, found: Value | None) -> Iterator[str]:
    old, new = (v if isinstance(v, tuple) else () for v in (value, found))
    names = {o.partition("=")[0] for o in old}
    if wanted := [o for o in old if o not in new]:
        yield f"{start} SET ({', '.join(wanted)})"
    if gone := [n for o in new if (n := o.partition("=")[0]) not in names]:
        yield f"{start} RESET ({', '.join(gone)})"


def _rights(what: Object, value: Value | None, found: Value | None) -> Iterator[str]:
    old, new = (v if isinstance(v, tuple) else () for v in (value, found))
    for entry in sorted(set(old) ^ set(new)):
        grantee, _, words = entry.partition(": ")
        words, _, _by = words.partition(" by ")
        lacks = words.startswith("no ")
        privilege, _, option = words.removeprefix("no ").partition(" with ")
        gives = (entry in old) != lacks
        on = _securable(what, privilege)
        tail = " WITH GRANT OPTION" if option and gives else ""
        yield f"GRANT {on} TO {role(grantee)}{tail}" if gives else f"REVOKE {on} FROM {role(grantee)}"


def _securable(what: Object, privilege: str) -> str:
    if what.kind == "column":
        table = what.part_of.partition(" ")[2]
        return f"{privilege} ({what.name[len(table) + 1:]}) ON {table}"
    kind = {"view": "TABLE", "materialized view": "TABLE", "foreign table": "TABLE", "server": "FOREIGN SERVER"}
    return f"{privilege} ON {kind.get(what.kind, what.kind.upper())} {what.name}"
