"""The functions of a migration that run with their owner's rights."""

from __future__ import annotations

from collections.abc import Iterator

from bgce_migrate.lint import facts as f
from bgce_migrate.lint.ownership.values import Scene


def definers(scene: Scene) -> Iterator[tuple[f.Ref, int, tuple[str, ...] | None, bool]]:
    """Name, line, pinned search path (None: not pinned), and whether it is made here.

    A later ALTER FUNCTION ... SET search_path of the same file counts.
    """
    pinned: dict[str, tuple[str, ...]] = {}
    for fact in scene.facts:
        if isinstance(fact, f.CreateFunction | f.AlterFunction):
            for name, values in fact.config:
                if name.lower() == "search_path":
                    pinned[fact.name[1]] = tuple(e.strip().strip('"') for v in values for e in v.split(","))
    for fact in scene.facts:
        if isinstance(fact, f.CreateFunction) and fact.security_definer:
            yield fact.name, fact.at.line, pinned.get(fact.name[1]), True
        elif isinstance(fact, f.AlterFunction) and fact.security_definer:
            yield fact.name, fact.at.line, pinned.get(fact.name[1]), False
