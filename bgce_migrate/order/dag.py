"""An acyclic graph that keeps a topological order while edges are added (Pearce and Kelly)."""

from __future__ import annotations

import heapq
from collections.abc import Collection, Iterable, Sequence


class Dag:
    """Nodes are 0..n-1; a smaller number goes first where no edge says otherwise."""

    __slots__ = ("after", "before", "place", "size")

    def __init__(self, size: int) -> None:
        self.size = size
        self.after: list[set[int]] = [set() for _ in range(size)]
        self.before: list[set[int]] = [set() for _ in range(size)]
        self.place: list[int] = list(range(size))

    def settle(self, edges: Iterable[tuple[int, int]]) -> list[int]:
        """Add many edges at once; returns the nodes that are on or behind cycles ([]: none).

        The graph may only be used further when the answer is [].
        """
        for before, after in edges:
            self.after[before].add(after)
            self.before[after].add(before)
        order = self.sorted()
        for place, node in enumerate(order):
            self.place[node] = place
        if len(order) == self.size:
            return []
        done = set(order)
        return [node for node in range(self.size) if node not in done]

    def sorted(self) -> list[int]:
        """The topological order in which the smallest possible node always goes next."""
        waiting = [len(b) for b in self.before]
        ready = [node for node, count in enumerate(waiting) if not count]
        heapq.heapify(ready)
        order: list[int] = []
        while ready:
            node = heapq.heappop(ready)
            order.append(node)
            for after in self.after[node]:
                waiting[after] -= 1
                if not waiting[after]:
                    heapq.heappush(ready, after)
        return order

    def reaches(self, start: int, goal: int) -> bool:
        """True if a path of edges (or none, for the same node) leads from `start` to `goal`."""
        if start == goal:
            return True
        place, limit = self.place, self.place[goal]
        if place[start] > limit:
            return False
        seen = {start}
        stack = [start]
        while stack:
            for after in self.after[stack.pop()]:
                if after == goal:
                    return True
                if after not in seen and place[after] < limit:
                    seen.add(after)
                    stack.append(after)
        return False

    def reached(self, start: int, goals: Collection[int]) -> set[int]:
        """Those of `goals` to which a path leads from `start`, itself left out."""
        place = self.place
        limit = max((place[goal] for goal in goals), default=-1)
        seen = {start}
        stack = [start]
        while stack:
            for after in self.after[stack.pop()]:
                if after not in seen and place[after] <= limit:
                    seen.add(after)
                    stack.append(after)
        return {goal for goal in goals if goal in seen and goal != start}

    def add(self, before: int, after: int) -> bool:
        """Add an edge; False, and nothing changed, if it would close a cycle."""
        if before == after:
            return False
        if after in self.after[before]:
            return True
        place = self.place
        low, high = place[after], place[before]
        if low < high:
            ahead = self._region(after, self.after, low, high)
            if before in ahead:
                return False
            behind = self._region(before, self.before, low, high)
            self._reorder(behind, ahead)
        self.after[before].add(after)
        self.before[after].add(before)
        return True

    def add_all(self, edges: Sequence[tuple[int, int]]) -> bool:
        """Add all of these edges, or none of them if together they would close a cycle."""
        added: list[tuple[int, int]] = []
        for before, after in edges:
            known = before != after and after in self.after[before]
            if not self.add(before, after):
                self.remove(added)
                return False
            if not known:
                added.append((before, after))
        return True

    def remove(self, edges: Iterable[tuple[int, int]]) -> None:
        """Take edges out again; the order they led to stays valid."""
        for before, after in edges:
            self.after[before].discard(after)
            self.before[after].discard(before)

    def _region(self, start: int, links: list[set[int]], low: int, high: int) -> set[int]:
        place = self.place
        seen = {start}
        stack = [start]
        while stack:
            for node in links[stack.pop()]:
                if node not in seen and low <= place[node] <= high:
                    seen.add(node)
                    stack.append(node)
        return seen

    def _reorder(self, behind: set[int], ahead: set[int]) -> None:
        place = self.place
        nodes = sorted(behind, key=place.__getitem__) + sorted(ahead, key=place.__getitem__)
        for node, free in zip(nodes, sorted(place[node] for node in nodes), strict=True):
            place[node] = free

    def path(self, start: int, goal: int) -> list[int]:
        """A shortest path from `start` to `goal`, both included; [] if there is none."""
        came: dict[int, int] = {start: start}
        layer = [start]
        while layer:
            following: list[int] = []
            for node in layer:
                for after in sorted(self.after[node]):
                    if after == goal:
                        walk = [goal, node]
                        while came[walk[-1]] != walk[-1]:
                            walk.append(came[walk[-1]])
                        return walk[::-1]
                    if after not in came:
                        came[after] = node
                        following.append(after)
            layer = following
        return []


def shortest_cycles(dag: Dag, suspects: Sequence[int]) -> list[list[int]]:
    """One short cycle for every knot of nodes that cannot be ordered, smallest node first.

    Args:
        suspects: nodes on or behind cycles, as `Dag.settle` returns them.
    """
    cycles: list[list[int]] = []
    for knot in _knots(dag, suspects):
        inside = set(knot)
        best: list[int] = []
        for start in knot[:64]:
            found = _cycle_through(dag, start, inside)
            if found and (not best or len(found) < len(best)):
                best = found
            if len(best) == 2:
                break
        if best:
            turn = best.index(min(best))
            cycles.append(best[turn:] + best[:turn])
    return sorted(cycles)


def _cycle_through(dag: Dag, start: int, inside: set[int]) -> list[int]:
    came: dict[int, int] = {start: start}
    layer = [start]
    while layer:
        following: list[int] = []
        for node in layer:
            for after in sorted(dag.after[node] & inside):
                if after == start:
                    walk = [node]
                    while walk[-1] != start:
                        walk.append(came[walk[-1]])
                    return walk[::-1]
                if after not in came:
                    came[after] = node
                    following.append(after)
        layer = following
    return []


def _knots(dag: Dag, suspects: Sequence[int]) -> list[list[int]]:
    """Strongly connected parts with more than one node or a loop (Tarjan, without recursion)."""
    allowed = set(suspects)
    number: dict[int, int] = {}
    low: dict[int, int] = {}
    path: list[int] = []
    on_path: set[int] = set()
    knots: list[list[int]] = []
    for root in suspects:
        if root in number:
            continue
        work = [(root, iter(sorted(dag.after[root] & allowed)))]
        number[root] = low[root] = len(number)
        path.append(root)
        on_path.add(root)
        while work:
            node, following = work[-1]
            step = next(following, None)
            if step is None:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == number[node]:
                    knot = [path.pop()]
                    while knot[-1] != node:
                        knot.append(path.pop())
                    on_path.difference_update(knot)
                    if len(knot) > 1 or node in dag.after[node]:
                        knots.append(sorted(knot))
            elif step not in number:
                number[step] = low[step] = len(number)
                path.append(step)
                on_path.add(step)
                work.append((step, iter(sorted(dag.after[step] & allowed))))
            elif step in on_path:
                low[node] = min(low[node], number[step])
    return knots
