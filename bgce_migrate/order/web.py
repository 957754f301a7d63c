"""The edges between new migrations with their reasons, and the way back from a guess."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec import Struct

from bgce_migrate.errors import Where
from bgce_migrate.migration import Edge
from bgce_migrate.order.dag import Dag
from bgce_migrate.order.values import Candidate


class Link(Struct, frozen=True):
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
        # Per entry the pair, and its reasons before; None: the edge itself is new.
        self._journal: list[tuple[tuple[int, int], list[Link] | None]] = []

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
        for pair in fresh:
            self._journal.append((pair, None))
        for link in links:
            self._journal.append(((link.before, link.after), self._note(link)))
        return True

    def mark(self) -> int:
        """A point to come back to."""
        return len(self._journal)

    def back_to(self, mark: int) -> None:
        """Forget every link added since `mark`."""
        while len(self._journal) > mark:
            pair, before = self._journal.pop()
            if before is None:
                self.dag.remove([pair])
            elif before:
                self.reasons[pair] = before
            else:
                del self.reasons[pair]

    def _note(self, link: Link) -> list[Link]:
        """Keep the reason; returns the reasons there were before."""
        pair = (link.before, link.after)
        before = self.reasons.get(pair, [])
        others = [other for other in before if other.reason != link.reason]
        same = next((other for other in before if other.reason == link.reason), None)
        if same is None or (same.soft and not link.soft):
            self.reasons[pair] = [*others, link]
        return before

    def edge(self, link: Link) -> Edge:
        """A link as a value with ids."""
        return Edge(self.nodes[link.before].id, self.nodes[link.after].id, link.reason, link.where, link.soft)

    def edges(self) -> tuple[Edge, ...]:
        """All edges, by their nodes."""
        return tuple(self.edge(link) for pair in sorted(self.reasons) for link in self.reasons[pair])
