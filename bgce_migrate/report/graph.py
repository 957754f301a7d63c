"""Domains and migrations with what they need of each other: a text tree, Mermaid, DOT and a document."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

from bgce_migrate.report.clean import one_line
from bgce_migrate.report.values import migration_value

if TYPE_CHECKING:
    from bgce_migrate.domain import Domain
    from bgce_migrate.migration import MigrationId
    from bgce_migrate.planning import PlanView

#: More names than these are counted, so that a line stays one.
_NAMES = 4


class Link(Struct, frozen=True):
    """`user` needs `needed`; `objects` are the names it uses there."""

    user: str
    needed: str
    objects: tuple[str, ...]


class Graph(Struct, frozen=True):
    """What there is to draw. `steps` are in the order in which they run, each with what it waits for."""

    domains: tuple[Domain, ...]
    steps: tuple[tuple[MigrationId, tuple[MigrationId, ...]], ...]
    links: tuple[Link, ...]

    @staticmethod
    def of(domains: Sequence[Domain], view: PlanView) -> Graph:
        """From a plan of everything."""
        used: dict[tuple[str, str], dict[str, None]] = {}
        for step in view.plan.steps:
            for other in step.waits_for:
                if other.domain != step.id.domain:
                    used.setdefault((step.id.domain, other.domain), {})
            for use in view.foreign.get(step.id, ()):
                names = used.setdefault((step.id.domain, use.owner), {})
                # A key's columns say nothing that the name of its table does not.
                if use.object.part is None:
                    names[str(use.object)] = None
        return Graph(
            tuple(domains),
            tuple((s.id, tuple(sorted(s.waits_for))) for s in view.plan.steps),
            tuple(Link(a, b, tuple(sorted(names))) for (a, b), names in sorted(used.items())),
        )

    def migrations_of(self, domain: str) -> list[tuple[MigrationId, tuple[MigrationId, ...]]]:
        """A domain's steps, by version."""
        return sorted((s for s in self.steps if s[0].domain == domain), key=lambda s: s[0])


def tree(graph: Graph, *, migrations: bool) -> list[str]:
    """Each domain, below it what it needs; with `migrations` each of them too."""
    lines: list[str] = []
    for domain in graph.domains:
        own = graph.migrations_of(domain.name)
        title = f" ({domain.title})" if domain.title else ""
        lines.append(f"{domain.name}{title}: {len(own)} migration{'' if len(own) == 1 else 's'}")
        below = [f"needs {link.needed}: {_some(link.objects)}" for link in graph.links if link.user == domain.name]
        if migrations:
            for migration, waits in own:
                below.append(f"{migration.version:06d}_{migration.name}" + (f" after {_ids(waits)}" if waits else ""))
        lines += [f"{'└─' if n == len(below) else '├─'} {text}" for n, text in enumerate(below, 1)]
    return lines


def mermaid(graph: Graph, *, migrations: bool) -> list[str]:
    """A Mermaid flowchart; arrows go from what is needed to who needs it, as migrations run."""
    lines = ["flowchart LR"]
    for number, domain in enumerate(graph.domains):
        if not migrations:
            lines.append(f"  {_node(graph, domain.name)}[{_quoted(domain.name)}]")
            continue
        lines.append(f"  subgraph d{number}[{_quoted(domain.name)}]")
        lines += [f"    {_step(graph, m)}[{_quoted(f'{m.version:06d}_{m.name}')}]" for m, _ in graph.migrations_of(domain.name)]
        lines.append("  end")
    if migrations:
        lines += [f"  {_step(graph, a)} --> {_step(graph, b)}" for a, b in _step_pairs(graph)]
    else:
        lines += [
            f"  {_node(graph, link.needed)} -->|{_quoted(_some(link.objects))}| {_node(graph, link.user)}"
            for link in graph.links
        ]
    return lines


def dot(graph: Graph, *, migrations: bool) -> list[str]:
    """The same for Graphviz."""
    lines = ["digraph domains {", "  rankdir=LR;", "  node [shape=box];"]
    for number, domain in enumerate(graph.domains):
        if not migrations:
            lines.append(f"  {_string(domain.name)};")
            continue
        lines.append(f"  subgraph cluster_{number} {{")
        lines.append(f"    label={_string(domain.name)};")
        lines += [f"    {_string(str(m))};" for m, _ in graph.migrations_of(domain.name)]
        lines.append("  }")
    if migrations:
        lines += [f"  {_string(str(a))} -> {_string(str(b))};" for a, b in _step_pairs(graph)]
    else:
        lines += [
            f"  {_string(link.needed)} -> {_string(link.user)} [label={_string(_some(link.objects))}];"
            for link in graph.links
        ]
    return [*lines, "}"]


def graph_value(graph: Graph) -> dict[str, object]:
    """The document."""
    return {
        "domains": [
            {"name": d.name, "title": d.title, "rank": d.rank, "requires": list(d.requires), "declared": d.declared}
            for d in graph.domains
        ],
        "needs": [{"domain": link.user, "needs": link.needed, "objects": list(link.objects)} for link in graph.links],
        "migrations": [{**migration_value(m), "after": [str(i) for i in waits]} for m, waits in graph.steps],
    }


def _step_pairs(graph: Graph) -> Iterable[tuple[MigrationId, MigrationId]]:
    known: Mapping[MigrationId, MigrationId] = {m: m for m, _ in graph.steps}
    for domain in graph.domains:
        own = [m for m, _ in graph.migrations_of(domain.name)]
        yield from zip(own, own[1:], strict=False)
    for migration, waits in graph.steps:
        yield from ((known.get(other, other), migration) for other in waits if other.domain != migration.domain)


def _some(names: Sequence[str]) -> str:
    shown = ", ".join(names[:_NAMES]) or "order only"
    return f"{shown} and {len(names) - _NAMES} more" if len(names) > _NAMES else shown


def _ids(migrations: Iterable[MigrationId]) -> str:
    return ", ".join(m.short for m in migrations)


def _node(graph: Graph, domain: str) -> str:
    """Numbers, not names: Mermaid reads words such as `end` as its own."""
    names = [d.name for d in graph.domains]
    return f"d{names.index(domain)}" if domain in names else "d_"


def _step(graph: Graph, migration: MigrationId) -> str:
    return f"{_node(graph, migration.domain)}_{migration.version}"


def _quoted(text: str) -> str:
    escaped = one_line(text).replace("&", "&amp;").replace('"', "#quot;").replace("<", "&lt;").replace(">", "&gt;")
    return f'"{escaped}"'


def _string(text: str) -> str:
    return json.dumps(one_line(text), ensure_ascii=False)
