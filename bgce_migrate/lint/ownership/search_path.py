"""The search path is turned to another domain, or away from one's own.

## Why

Names without a schema then mean, or make, something of another domain, and nothing on the line shows it.

## Instead

Write the schema in front of the name. A path of one's own schema is harmless; so is the empty one.

server: refuses it, 3F000

```sql bad
SET search_path = billing;
CREATE TABLE extra (id bigint PRIMARY KEY);
```

```sql good
SET LOCAL search_path = orders, pg_temp;
CREATE TABLE extra (id bigint PRIMARY KEY);
```
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from bgce_migrate.lint import facts as f
from bgce_migrate.lint.ownership.values import Found, OwnershipRule, Scene
from bgce_migrate.migration import Severity

_HARMLESS = frozenset({"", "pg_catalog", "pg_temp", "public", "$user"})


def check(scene: Scene) -> Iterator[Found]:
    """SET, set_config and ALTER ROLE or DATABASE, at the top and in bodies."""
    said: set[int] = set()
    for line, values, word in _paths(scene):
        strange = [s for s in values if s not in _HARMLESS and s != scene.domain.schema]
        if not strange or line in said:
            continue
        said.add(line)
        owner = next((o for s in strange if (o := scene.world.schema_owner(s)) is not None), None)
        whose = f", the schema of {scene.world.who(owner)}" if owner is not None else ""
        yield Found(
            f"the search path leads to {', '.join(strange)}{whose}",
            line,
            f"write the schema in front of the names; the path of {scene.domain.name} is {scene.domain.schema}",
            word,
            ", ".join(strange),
        )


def _paths(scene: Scene) -> Iterator[tuple[int, list[str], str]]:
    for fact in scene.facts:
        if isinstance(fact, f.SetVariable) and fact.name == "search_path" and not fact.reset:
            yield fact.at.line, _entries(fact.values), "search_path"
        elif isinstance(fact, f.CreateFunction | f.AlterFunction):
            for name, values in fact.config:
                # A function of the domain may look where it has declared that it reads.
                if name.lower() == "search_path":
                    required = {scene.world.domains[r].schema for r in scene.domain.requires if r in scene.world.domains}
                    yield fact.at.line, [e for e in _entries(values) if e not in required], "search_path"
    for inner in scene.inner:
        if inner.words[:2] == ("set", "search_path"):
            yield inner.line, _entries(inner.words[2:]), "search_path"
    for call in scene.calls:
        arguments = call.arguments
        if call.name == "set_config" and len(arguments) > 1 and (arguments[0] or "").lower() == "search_path":
            yield call.line, _entries((arguments[1],)) if arguments[1] is not None else ["what is computed"], "set_config"


def _entries(values: Iterable[str]) -> list[str]:
    return [entry.strip().strip('"') for value in values for entry in value.split(",")]


RULE = OwnershipRule("search-path", "X23", Severity.ERROR, check)
