"""Who owns what and who reads whom, from the declarations: as a text tree, Mermaid, DOT and a document."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

from bgce_migrate.report.clean import one_line

if TYPE_CHECKING:
    from bgce_migrate.domain import Domain, Service
    from bgce_migrate.registry import Registry

#: More names than these are counted, so that a label stays short.
_NAMES = 3


class Reading(Struct, frozen=True):
    """What a service reads of one domain, as it is declared: `users(id, email)`, `users.profile`, `posts` or `*`."""

    service: str
    domain: str
    owner: str
    what: tuple[str, ...]


class Calling(Struct, frozen=True):
    """Functions of another domain that a service calls."""

    service: str
    domain: str
    owner: str
    functions: tuple[str, ...]


class Owners(Struct, frozen=True):
    """Domains by rank, and the lines between them; reads inside a domain are among `readings`, too."""

    domains: tuple[Domain, ...]
    readings: tuple[Reading, ...]
    callings: tuple[Calling, ...]

    @staticmethod
    def of(registry: Registry) -> Owners:
        """Everything that the declarations say."""
        readings, callings = [], []
        domains = tuple(sorted(registry.domains, key=lambda d: d.rank))
        for domain in domains:
            for service in domain.services:
                reads = _by_owner((r.domain, _read(r.table, r.columns, r.set_name)) for r in service.reads)
                readings += [Reading(service.name, domain.name, owner, what) for owner, what in reads]
                calls = _by_owner((c.partition(":")[0].strip(), c.partition(":")[2].strip()) for c in service.calls)
                callings += [Calling(service.name, domain.name, owner, what) for owner, what in calls]
        return Owners(domains, tuple(readings), tuple(callings))


def _by_owner(pairs: Iterable[tuple[str, str]]) -> list[tuple[str, tuple[str, ...]]]:
    found: dict[str, list[str]] = {}
    for owner, what in pairs:
        found.setdefault(owner, []).append(what)
    return [(owner, tuple(what)) for owner, what in found.items()]


def _read(table: str, columns: Sequence[str] | None, set_name: str | None) -> str:
    if set_name is not None:
        return f"{table}.{set_name}"
    return table if columns is None else f"{table}({', '.join(columns)})"


def tree(owners: Owners) -> list[str]:
    """Each domain with its team and role, below it its tables, who writes them and who reads them."""
    lines: list[str] = []
    for domain in owners.domains:
        team = f", team {one_line(domain.team)}" if domain.team else ""
        title = f" ({one_line(domain.title)})" if domain.title else ""
        lines.append(f"{domain.name}{title}: owner {domain.owner}{team}")
        below = [f"owns {', '.join(domain.tables) or 'no tables'}"]
        for service in domain.services:
            below.append(f"{service.name} ({service.login}) writes {_tables(service, domain)}")
        below += [f"read by {r.service}: {', '.join(r.what)}" for r in owners.readings if r.owner == domain.name]
        below += [f"called by {c.service}: {', '.join(c.functions)}" for c in owners.callings if c.owner == domain.name]
        lines += [f"{'└─' if n == len(below) else '├─'} {text}" for n, text in enumerate(below, 1)]
    return lines


def _tables(service: Service, domain: Domain) -> str:
    if not service.writes:
        return "nothing"
    return "all of it" if set(service.writes) == set(domain.tables) else ", ".join(service.writes)


def mermaid(owners: Owners) -> list[str]:
    """A flowchart: a box a domain with its services, arrows from the owner to who reads there."""
    numbers = {domain.name: f"d{n}" for n, domain in enumerate(owners.domains)}
    nodes = _nodes(owners)
    lines = ["flowchart LR"]
    for domain in owners.domains:
        lines.append(f"  subgraph {numbers[domain.name]}[{_quoted(_heading(domain))}]")
        lines.append(f"    {numbers[domain.name]}_t[({_quoted(_some(tuple(domain.tables)) or 'no tables')})]")
        lines += [f"    {nodes[s.name]}([{_quoted(s.name)}])" for s in domain.services]
        lines.append("  end")
    for domain in owners.domains:
        lines += [
            f"  {nodes[s.name]} ==>|writes| {numbers[domain.name]}_t" for s in domain.services if s.writes
        ]
    lines += [
        f"  {numbers[r.owner]}_t -->|{_quoted(_some(r.what))}| {nodes[r.service]}" for r in owners.readings
    ]
    lines += [
        f"  {nodes[c.service]} -.->|{_quoted('calls ' + _some(c.functions))}| {numbers[c.owner]}_t" for c in owners.callings
    ]
    return lines


def dot(owners: Owners) -> list[str]:
    """The same for Graphviz."""
    lines = ["digraph ownership {", "  rankdir=LR;"]
    for number, domain in enumerate(owners.domains):
        lines.append(f"  subgraph cluster_{number} {{")
        lines.append(f"    label={_string(_heading(domain))};")
        label = _string(_some(tuple(domain.tables)) or "no tables")
        lines.append(f"    {_string('domain ' + domain.name)} [shape=cylinder, label={label}];")
        lines += [f"    {_string(s.name)} [shape=box, style=rounded];" for s in domain.services]
        lines.append("  }")
    for domain in owners.domains:
        lines += [
            f"  {_string(s.name)} -> {_string('domain ' + domain.name)} [style=bold, label=\"writes\"];"
            for s in domain.services if s.writes
        ]  # fmt: skip
    lines += [
        f"  {_string('domain ' + r.owner)} -> {_string(r.service)} [label={_string(_some(r.what))}];" for r in owners.readings
    ]
    lines += [
        f"  {_string(c.service)} -> {_string('domain ' + c.owner)} [style=dashed, label={_string('calls ' + _some(c.functions))}];"
        for c in owners.callings
    ]
    return [*lines, "}"]


def ownership_value(owners: Owners) -> dict[str, object]:
    """The document."""
    return {
        "domains": [
            {
                "name": d.name, "title": d.title, "team": d.team, "owner": d.owner, "tables": list(d.tables),
                "services": [
                    {"name": s.name, "login": s.login, "writes": list(s.writes), "pool": s.pool} for s in d.services
                ],
            }
            for d in owners.domains
        ],
        "reads": [
            {"service": r.service, "domain": r.domain, "owner": r.owner, "reads": list(r.what)} for r in owners.readings
        ],
        "calls": [
            {"service": c.service, "domain": c.domain, "owner": c.owner, "functions": list(c.functions)}
            for c in owners.callings
        ],
    }  # fmt: skip


def _nodes(owners: Owners) -> dict[str, str]:
    """Numbers, not names: Mermaid reads words such as `end` as its own."""
    services = [s.name for d in owners.domains for s in d.services]
    return {name: f"s{n}" for n, name in enumerate(services)}


def _heading(domain: Domain) -> str:
    return f"{domain.name} / {domain.team}" if domain.team else domain.name


def _some(names: Sequence[str]) -> str:
    shown = ", ".join(names[:_NAMES])
    return f"{shown} and {len(names) - _NAMES} more" if len(names) > _NAMES else shown


def _quoted(text: str) -> str:
    escaped = one_line(text).replace("&", "&amp;").replace('"', "#quot;").replace("<", "&lt;").replace(">", "&gt;")
    return f'"{escaped}"'


def _string(text: str) -> str:
    return json.dumps(one_line(text), ensure_ascii=False)
