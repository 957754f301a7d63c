"""Circles among the names that declarations require."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping


def circles(requires: Mapping[str, Iterable[str]]) -> list[tuple[str, ...]]:
    """One shortest circle for each knot of names that require each other, first name repeated at the end.

    A name that requires only itself is not counted; unknown names are left out.
    """
    graph = {name: [r for r in needed if r in requires and r != name] for name, needed in requires.items()}
    left = _knotted(graph)
    out: list[tuple[str, ...]] = []
    done: set[str] = set()
    for name in sorted(left):
        if name in done:
            continue
        path = _back_to(name, graph)
        if path is None:
            continue
        out.append(path)
        done |= _reachable(name, graph) & {n for n in left if name in _reachable(n, graph)}
    return out


def _knotted(graph: Mapping[str, list[str]]) -> set[str]:
    """Names left when all that require nothing have been taken away, again and again."""
    users: dict[str, list[str]] = {}
    open_needs = {name: len(set(needed)) for name, needed in graph.items()}
    for name, needed in graph.items():
        for required in set(needed):
            users.setdefault(required, []).append(name)
    ready = deque(name for name, count in open_needs.items() if not count)
    left = set(graph)
    while ready:
        name = ready.popleft()
        left.discard(name)
        for user in users.get(name, ()):
            open_needs[user] -= 1
            if not open_needs[user]:
                ready.append(user)
    return left


def _reachable(start: str, graph: Mapping[str, list[str]]) -> set[str]:
    seen: set[str] = set()
    queue = deque(graph[start])
    while queue:
        name = queue.popleft()
        if name not in seen:
            seen.add(name)
            queue.extend(graph[name])
    return seen


def _back_to(start: str, graph: Mapping[str, list[str]]) -> tuple[str, ...] | None:
    """The shortest way from `start` back to itself, or None."""
    came_from: dict[str, str] = {}
    queue = deque([start])
    while queue:
        name = queue.popleft()
        for required in sorted(graph[name]):
            if required == start:
                path = [name]
                while path[-1] != start:
                    path.append(came_from[path[-1]])
                return (*reversed(path), start)
            if required not in came_from:
                came_from[required] = name
                queue.append(required)
    return None
