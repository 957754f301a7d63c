"""The initial migrations of every domain: files of the house's form, each with the down that undoes it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence

from msgspec import Struct, field

from bgce_migrate.adopt.assigning import Assigned, Hints, tables, target
from bgce_migrate.adopt.ordering import Web, layers
from bgce_migrate.adopt.scope import parts
from bgce_migrate.adopt.units import Key, Unit

_RANKS = {"type": 0, "domain": 1, "sequence": 2, "function": 3, "procedure": 4, "table": 5, "view": 6, "materialized view": 7}
_SECRET = re.compile(r"passw|secret|token|api_?key")
_CONTACT = re.compile(r"e?mail\Z|phone|address\Z")
_DECLARABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}\Z")
_SLUG = re.compile(r"[^a-z0-9]+")


class Pair(Struct, frozen=True):
    """One migration: its label and both texts."""

    slug: str
    up: str
    down: str


class DraftDomain(Struct):
    """A domain as it would be written."""

    name: str
    schema: str
    requires: tuple[str, ...] = ()
    tables: dict[str, dict[str, str]] = field(default_factory=dict)
    functions: dict[str, str] = field(default_factory=dict)
    reads: dict[str, set[str]] = field(default_factory=dict)
    shares: dict[str, dict[str, set[str]]] = field(default_factory=dict)
    migrations: list[Pair] = field(default_factory=list)


class Draft(Struct, frozen=True):
    """All domains in their order, whose each table is and why, and extensions that an administrator installs."""

    domains: tuple[DraftDomain, ...]
    assigned: Mapping[str, Assigned]
    extensions: tuple[str, ...]


def draft(units: Sequence[Unit], hints: Hints, extensions: tuple[str, ...], columns: Mapping[str, tuple[str, ...]]) -> Draft:
    """The migrations that make these units.

    Args:
        columns: the column names of each table.

    Raises:
        Refused: domains would need each other in a circle.
    """
    assigned = tables(units, hints)
    web = Web(units)
    ranks = [d.name for d in hints.registry.domains]
    alone = {u.name: assigned[u.name].domain for u in units if u.kind == "table"}
    needs: dict[str, set[str]] = {d: set() for d in alone.values()} or {hints.default: set()}
    for n, unit in enumerate(web.units):
        if unit.kind == "table":
            needs[alone[unit.name]] |= {alone[web.units[k].name] for k in web.keys[n]} - {alone[unit.name]}
    declared = {
        f"{kind} {d.schema}.{name}": d.name for d in hints.registry.domains for name in d.functions for kind in ("function", "procedure")
    }
    said = {u.identity: declared[u.identity.partition("(")[0]] for u in units if u.identity.partition("(")[0] in declared}
    said |= {u.identity: s for u in units if u.kind != "table" and (s := parts(u.name)[0]) in needs and s != "public"}
    first = layers(needs, ranks)
    homes = web.homes(assigned, said, first, first[0])
    requires = web.requires(homes)
    order = layers(requires, first)
    domains = [_domain(name, web, homes, tuple(d for d in order if d in requires[name]), columns) for name in order]
    _consent({d.name: d for d in domains}, web, homes, assigned)
    return Draft(tuple(domains), assigned, extensions)


def _consent(domains: Mapping[str, DraftDomain], web: Web, homes: Sequence[str], assigned: Mapping[str, Assigned]) -> None:
    """What views show of other domains' tables is declared: as read by the one, as shared by the other."""
    owners = {parts(name): found.domain for name, found in assigned.items()}
    for unit, home in zip(web.units, homes, strict=True):
        for schema, table, column in unit.reads:
            owner = owners.get((schema, table), home)
            if owner == home:
                continue
            domains[home].reads.setdefault(f"{owner}:{table}", set()).add(column)
            classes = domains[owner].tables[table]
            if column in classes:
                if classes[column] == "secret":  # it is shown already, so that it cannot be called so
                    classes[column] = "private"
                domains[owner].shares.setdefault(home, {}).setdefault(table, set()).add(column)


def _domain(name: str, web: Web, homes: Sequence[str], requires: tuple[str, ...], columns: Mapping[str, tuple[str, ...]]) -> DraftDomain:
    own = [n for n, home in enumerate(homes) if home == name]
    schemas = {parts(web.units[n].name)[0] for n in own}
    out = DraftDomain(name, schemas.pop() if len(schemas) == 1 else "public", requires)
    rank = {n: (_RANKS[web.units[n].kind], web.units[n].name) for n in own}
    made = {target(unit) for unit, home in zip(web.units, homes, strict=True) if home in requires}
    late: list[Unit] = []
    for n in web.order(own, rank):
        unit = web.units[n]
        made.add(target(unit))
        inline = [k for k in unit.keys if k.target in made]
        rest = [k for k in unit.keys if k.target not in made]
        out.migrations.append(_pair(unit, inline))
        if rest:
            late.append(_keys(unit, rest))
        if unit.kind == "table":
            out.tables[parts(unit.name)[1]] = _classes(columns.get(unit.name, ()))
        users = {homes[u] for u in range(len(homes)) if n in web.hard[u]} - {name}
        if unit.kind in ("function", "procedure") and users:
            out.functions[parts(unit.name.partition("(")[0])[1]] = "shared"
    out.migrations += [_pair(unit, []) for unit in late]
    _distinct(out.migrations)
    return out


def _keys(unit: Unit, keys: Sequence[Key]) -> Unit:
    """Foreign keys that close a circle: after both tables."""
    table = target(unit)
    ups = [s for k in keys for s in (f"ALTER TABLE {table} ADD CONSTRAINT {k.name} {k.definition}", *k.after)]
    downs = [f"ALTER TABLE {table} DROP CONSTRAINT {k.name}" for k in keys]
    return Unit("keys", unit.name, ups[0], after=ups[1:], drop=downs)


def _pair(unit: Unit, inline: Sequence[Key]) -> Pair:
    # One that is not valid yet can only be added so.
    later = [k for k in inline if k.definition.endswith("NOT VALID")]
    lines = [f"CONSTRAINT {k.name} {k.definition}" for k in inline if k not in later]
    after = [f"ALTER TABLE {target(unit)} ADD CONSTRAINT {k.name} {k.definition}" for k in later]
    after += [s for k in inline for s in k.after]
    statements = [*unit.statements(lines), *after]
    bare = _SLUG.sub("_", parts(unit.name.partition("(")[0])[1].lower()).strip("_") or "object"
    kind = unit.kind.replace(" ", "_")
    slug = f"add_{bare}_keys" if kind == "keys" else f"create_{bare}_{kind}"
    return Pair(slug[:100].strip("_"), _text(statements), _text(list(reversed(unit.drop))))


def _text(statements: Sequence[str]) -> str:
    """Statements as a file: what is long stands apart."""
    out = ""
    for number, statement in enumerate(statements):
        gap = "\n" if number and ("\n" in statement or "\n" in statements[number - 1] or statement[:9] != statements[number - 1][:9]) else ""
        out += f"{gap}{statement};\n"
    return out


def _classes(columns: Sequence[str]) -> dict[str, str]:
    """Columns whose name says that they are not for everybody; a person looks at them again."""
    out = {}
    for column in columns:
        if _SECRET.search(column.lower()):
            out[column] = "secret"
        elif _CONTACT.search(column.lower()):
            out[column] = "contact"
    return out


def _distinct(migrations: list[Pair]) -> None:
    """Overloaded functions have one name: number their labels."""
    seen: dict[str, int] = {}
    for n, pair in enumerate(migrations):
        seen[pair.slug] = seen.get(pair.slug, 0) + 1
        if seen[pair.slug] > 1:
            migrations[n] = Pair(f"{pair.slug}_{seen[pair.slug]}", pair.up, pair.down)


def declaration(domain: DraftDomain) -> str:
    """`domain.toml`."""
    lines = [f"name = {json.dumps(domain.name)}", f"title = {json.dumps(domain.name.replace('_', ' ').capitalize())}"]
    lines += [f"requires = {json.dumps(list(domain.requires))}", f"schema = {json.dumps(domain.schema)}"]
    if domain.functions:
        shared = {n: w for n, w in sorted(domain.functions.items()) if _DECLARABLE.match(n)}
        lines.append("functions = { " + ", ".join(f"{n} = {json.dumps(w)}" for n, w in shared.items()) + " }")
    if domain.shares:
        lines += ["", "[shares]"]
        lines += [f"{to} = {json.dumps(_listed(tables))}" for to, tables in sorted(domain.shares.items())]
    strange = [table for table in domain.tables if not _DECLARABLE.match(table)]
    if strange:
        lines += ["", "# Names that no declaration can have; their rights are not managed:", *(f"#   {json.dumps(table)}" for table in strange)]
    for table, every in sorted(domain.tables.items()):
        classes = {c: w for c, w in every.items() if _DECLARABLE.match(c)}
        if table in strange:
            continue
        if classes:
            lines += ["", f"[tables.{table}.columns]", *(f"{c} = {json.dumps(w)}" for c, w in classes.items())]
        else:
            lines += ["", f"[tables.{table}]"]
    login = f"{domain.name}_user"
    lines += ["", "# The program that logs in: look at its name and at what it reads.", "[[services]]"]
    lines += [f"name = {json.dumps(domain.name)}", f"login = {json.dumps(login)}", f"reads = {json.dumps(_listed(domain.reads))}"]
    return "\n".join(lines) + "\n"


def _listed(columns: Mapping[str, set[str]]) -> list[str]:
    """`table(column, column)` of each."""
    return [f"{table}({', '.join(sorted(names))})" for table, names in sorted(columns.items())]

