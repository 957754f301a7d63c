"""The edges between new migrations with their reasons, and the way back from a guess."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bgce_migrate.errors import Where
from bgce_migrate.migration import Edge
from bgce_migrate.order.dag import Dag
from bgce_migrate.order.values import Candidate


@dataclass(frozen=True, slots=True)
class Link:
    """An edge between two nodes, and why."""

    before: int
    after: int
    reason: str
    where: Where | None = None
    soft: bool = False


class Web:
    """A graph that stays acyclic, in which every edge has at least one reason."""

    def __init__(self, nodes: Sequence[Candidate]) -> None:
        self.nodes = nodes
        self.dag = Dag(len(nodes))
        self.reasons: dict[tuple[int, int], list[Link]] = {}
        self._journal: list[tuple[Link, bool]] = []

    def settle(self, links: Iterable[Link]) -> list[int]:
        """Add certain links in bulk; returns the nodes on or behind cycles ([]: none)."""
        for link in links:
            self._note(link)
        return self.dag.settle(self.reasons)

    def add(self, links: Sequence[Link]) -> bool:
        """Add all of the links, or none of them if they would close a cycle."""
        fresh: list[tuple[int, int]] = []
        for link in links:
            pair = (link.before, link.after)
            known = link.after in self.dag.after[link.before]
            if not self.dag.add(*pair):
                self.dag.remove(fresh)
                return False
            if not known:
                fresh.append(pair)
        new = set(fresh)
        for link in links:
            pair = (link.before, link.after)
            self._journal.append((link, pair in new))
            new.discard(pair)
            self._note(link)
        return True

    def mark(self) -> int:
        """A point to come back to."""
        return len(self._journal)

    def back_to(self, mark: int) -> None:
        """Forget every link added since `mark`."""
        while len(self._journal) > mark:
            link, fresh = self._journal.pop()
            pair = (link.before, link.after)
            links = self.reasons[pair]
            if link in links:
                links.remove(link)
            if not links or fresh:
                self.reasons.pop(pair, None)
            if fresh:
                self.dag.remove([pair])

    def _note(self, link: Link) -> None:
        links = self.reasons.setdefault((link.before, link.after), [])
        for index, other in enumerate(links):
            if other.reason == link.reason:
                if other.soft and not link.soft:
                    links[index] = link
                return
        links.append(link)

    def edge(self, link: Link) -> Edge:
        """A link as a value with ids."""
        return Edge(
            self.nodes[link.before].id, self.nodes[link.after].id, link.reason, link.where, link.soft
        )

    def edges(self) -> tuple[Edge, ...]:
        """All edges, by their nodes."""
        return tuple(self.edge(link) for pair in sorted(self.reasons) for link in self.reasons[pair])
