"""The SQL switches its role.

## Why

A step runs as its domain's owner. RESET ROLE goes back to the login, which may be a member of every owner: then
no border holds. It works from DO blocks and functions too.

## Instead

Take it out; a migration of the other domain runs as that domain.

server: refuses it, 42501

```sql bad
RESET ROLE;
ALTER TABLE orders.orders ADD COLUMN z integer;
```

```sql good
ALTER TABLE orders.orders ADD COLUMN z integer;
```
"""

from __future__ import annotations

from collections.abc import Iterator

from bgce_migrate.lint import facts as f
from bgce_migrate.lint.ownership.values import Found, OwnershipRule, Scene
from bgce_migrate.migration import Severity

SWITCHES = frozenset({"role", "session_authorization", "is_superuser"})
_HINT = "take it out: each step runs as its domain's owner; what another domain owns needs a migration there"


def check(scene: Scene) -> Iterator[Found]:
    """Every spelling: SET, RESET, set_config, options of functions, settings of roles, pg_settings."""
    said: set[int] = set()
    for found in _all(scene):
        if found.line not in said:
            said.add(found.line)
            yield found


def _all(scene: Scene) -> Iterator[Found]:
    for fact in scene.facts:
        if isinstance(fact, f.SetVariable) and fact.name in SWITCHES | {"all"}:
            if fact.name == "all" and not fact.reset:
                continue
            word = "RESET" if fact.reset else "SET"
            yield Found(f"{word} {_spoken(fact.name)} switches the role of the step", fact.at.line, _HINT, column=fact.at.column)
        elif isinstance(fact, f.CreateFunction | f.AlterFunction):
            for name, _ in fact.config:
                if name.lower() in SWITCHES:
                    message = f"function {fact.name[1]} switches {_spoken(name)} whenever it is called"
                    yield Found(message, fact.at.line, _HINT, name)
        elif isinstance(fact, f.Dml) and fact.table[1] == "pg_settings":
            yield Found("writing pg_settings changes settings, the role too", fact.at.line, _HINT, "pg_settings")
        elif isinstance(fact, f.Discard) and fact.what == "all":
            yield Found("DISCARD ALL resets the role of the step", fact.at.line, _HINT, column=fact.at.column)
    for inner in scene.inner:
        if inner.words and (inner.words[1] in SWITCHES or inner.words[:2] == ("reset", "all")):
            message = f"{inner.words[0].upper()} {_spoken(inner.words[1])} in {_where(inner.inside)} switches the role"
            yield Found(message, inner.line, _HINT, inner.words[0])
        elif inner.kind == "DiscardStmt":
            yield Found(f"DISCARD in {_where(inner.inside)} resets the role", inner.line, _HINT, "discard")
    yield from _called(scene)


def _called(scene: Scene) -> Iterator[Found]:
    for call in scene.calls:
        if call.name != "set_config" or call.schema not in (None, "pg_catalog") or not call.arguments:
            continue
        setting = call.arguments[0]
        if setting is None:
            message = "set_config() of a computed setting may switch the role"
        elif setting.lower() in SWITCHES:
            message = f"set_config('{setting}', ...) switches the role"
        else:
            continue
        where = f" in {_where(call.inside)}" if call.inside else ""
        yield Found(message + where, call.line, _HINT, "set_config")


def _spoken(name: str) -> str:
    return {"session_authorization": "SESSION AUTHORIZATION", "role": "ROLE", "all": "ALL"}.get(name.lower(), name)


def _where(inside: str) -> str:
    return "a DO block" if inside == "DO" else inside


RULE = OwnershipRule("role-switch", "X22", Severity.ERROR, check)
