"""A statement touches the engine: its history, its locks, its session.

## Why

History, the run's lock and the session's settings are what "exactly once" rests on. A migration that writes them,
frees advisory locks, discards the session or ends backends breaks that for all domains.

## Instead

`bgce-migrate force` and `repair` correct what is recorded, with a row that says why.

server: refuses it, 42501

```sql bad
DELETE FROM bgce_migrate.migration_history;
```

```sql good
DELETE FROM orders.notes WHERE id = 1;
```
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from bgce_migrate.effect import Action, ObjectKind
from bgce_migrate.lint import facts as f
from bgce_migrate.lint.ownership.values import Found, OwnershipRule, Scene
from bgce_migrate.migration import Severity

_FUNCTIONS = re.compile(r"(pg_advisory_unlock\w*|pg_terminate_backend|pg_cancel_backend)\Z")
_SETTINGS = frozenset({"session_replication_role"})
_HINT = "take it out; `bgce-migrate force` and `repair` correct what is recorded"


def check(scene: Scene) -> Iterator[Found]:
    """The engine's schema, session settings and functions."""
    said: set[int] = set()
    for found in _all(scene):
        if found.line not in said:
            said.add(found.line)
            yield found


def _all(scene: Scene) -> Iterator[Found]:
    for touch in scene.touches:
        name = touch.object
        if name.kind is ObjectKind.SCHEMA:
            hit = name.name == scene.world.bookkeeping
        else:
            view = scene.world.is_engine(name.schema, name.name) and name.kind is ObjectKind.RELATION
            hit = name.schema == scene.world.bookkeeping or (view and touch.action is not Action.USE)
        if hit:
            yield Found(f"{touch.noun} belongs to the engine", touch.line, _HINT, name.name, touch.shown)
    for fact in scene.facts:
        if isinstance(fact, f.SetVariable) and fact.name in _SETTINGS:
            yield Found(f"{fact.name} turns keys and triggers off", fact.at.line, _HINT, fact.name)
        elif isinstance(fact, f.Discard):
            message = f"DISCARD {fact.what.upper()} throws away what the run relies on"
            yield Found(message, fact.at.line, _HINT, column=fact.at.column)
        elif isinstance(fact, f.CreateFunction | f.AlterFunction):
            for setting, _ in fact.config:
                if setting.lower() in _SETTINGS:
                    yield Found(f"function {fact.name[1]} turns keys and triggers off", fact.at.line, _HINT, setting)
    for inner in scene.inner:
        if inner.words and inner.words[1] in _SETTINGS:
            yield Found(f"{inner.words[1]} turns keys and triggers off", inner.line, _HINT, inner.words[1])
        elif inner.kind == "DiscardStmt":
            yield Found("DISCARD throws away what the run relies on", inner.line, _HINT, "discard")
    for call in scene.calls:
        if _FUNCTIONS.match(call.name) and call.schema in (None, "pg_catalog"):
            yield Found(f"{call.name}() reaches other sessions or the engine's locks", call.line, _HINT, call.name)
        elif call.name == "set_config" and (call.arguments or ("",))[0] in _SETTINGS:
            yield Found(f"{call.arguments[0]} turns keys and triggers off", call.line, _HINT, "set_config")


RULE = OwnershipRule("engine-internals", "X29", Severity.ERROR, check)
