"""An up that says IF NOT EXISTS or OR REPLACE throughout claims that it may run twice; whether it may."""

from __future__ import annotations

from bgce_migrate.effect import Action
from bgce_migrate.migration import Script

_CERTAIN = (Action.MAKE, Action.WRITE, Action.RENAME, Action.OPAQUE)


def claims(up: Script) -> bool:
    """Whether every statement that makes, changes or drops something says so."""
    acts = [e for e in up.effects if e.action is not Action.USE]
    careful = {e.statement for e in acts if e.optional or e.action is Action.REPLACE}
    return bool(careful) and not any(e.action in _CERTAIN or e.statement not in careful for e in acts)
