"""Names that live neither in the log nor in a migration's own chain: who makes them, or what to say."""

from __future__ import annotations

from bgce_migrate.effect import Action
from bgce_migrate.migration import Severity
from bgce_migrate.order import wording
from bgce_migrate.order.names import FUNCTION, PARTS, RELATION, TYPE, Key, show
from bgce_migrate.order.record import ANY, LIVE, Loose, Use, Write
from bgce_migrate.order.work import Work

_ENDS = (Action.DROP, Action.RENAME)


def tie_down(work: Work) -> None:
    """Give every loose name the key under which another domain's new migration makes it."""
    record = work.record
    needed: set[tuple[int, Key]] = set()
    for loose in record.loose:
        domain = record.domain(loose.node)
        key = _made_elsewhere(work, loose.keys, domain)
        if key is None:
            _lost(work, loose, loose.keys[0])
            continue
        use = Use(loose.node, key, loose.effect, None)
        record.uses.setdefault(key, []).append(use)
        if loose.effect.action in _ENDS:
            _end(work, loose, key, optional=use.effect.optional and (loose.node, key) not in needed)
        if use.binding:
            needed.add((loose.node, key))


def _made_elsewhere(work: Work, keys: list[Key], domain: str) -> Key | None:
    record = work.record
    for key in keys:
        for write in record.writes.get(key, {}).values():
            if write.lives and record.domain(write.node) != domain:
                return key
    return None


def _end(work: Work, loose: Loose, key: Key, optional: bool) -> None:
    """A drop or rename of what another domain makes is a write of that name.

    Args:
        optional: whether it runs where the name does not live; what the migration needs first decides.
    """
    writes = work.record.writes[key]
    effect = loose.effect
    pre = ANY if optional else LIVE
    write = writes.get(loose.node)
    if write is None:
        write = writes[loose.node] = Write(loose.node, pre, False, effect)
    write.pre, write.ends, write.drops = pre, True, effect.action is Action.DROP


def _lost(work: Work, loose: Loose, key: Key) -> None:
    """Nobody else makes it: say what is known about it."""
    effect = loose.effect
    user = work.record.nodes[loose.node]
    if key[0] in PARTS:
        work.record.uses.setdefault(key, []).append(Use(loose.node, key, effect, None))
        return
    if effect.optional:
        return
    if loose.death is not None:
        problem = wording.gone(key, user, effect, loose.death)
        if loose.certain and not effect.soft:
            work.problems.append(problem)
        else:
            work.findings.append(
                (
                    loose.node,
                    wording.finding(
                        "dropped-name", Severity.WARNING, user, effect, problem.message, problem.hint
                    ),
                )
            )
        return
    if effect.soft:
        return
    later = [
        w.node
        for k in loose.keys
        for w in work.record.writes.get(k, {}).values()
        if w.lives and work.record.domain(w.node) == user.id.domain and w.node > loose.node
    ]
    if later:
        maker = work.record.nodes[min(later)].id
        message = f"{user.id} {wording.phrase(key, effect)}, which only {maker} makes"
        found = wording.finding("reference-to-later", Severity.WARNING, user, effect, message)
        work.findings.append((loose.node, found))
    elif key[0] in (FUNCTION, TYPE):
        work.outside.append((loose.node, key, effect))
    elif key[0] == RELATION:
        message = f"{user.id} {wording.phrase(key, effect)}, and no migration makes {show(key)}"
        found = wording.finding("unknown-name", Severity.NOTE, user, effect, message)
        work.findings.append((loose.node, found))
