"""The sentences of placement: reasons of edges, problems and findings."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from bgce_migrate.effect import Action, Effect
from bgce_migrate.errors import Problem, Where
from bgce_migrate.migration import Finding, MigrationId, Severity
from bgce_migrate.order.layer import Death, Life
from bgce_migrate.order.names import Key, show
from bgce_migrate.order.record import Write
from bgce_migrate.order.values import Candidate
from bgce_migrate.order.web import Link

VERSION_ORDER = "version order"
_VERBS = {
    Action.MAKE: "makes",
    Action.REPLACE: "makes",
    Action.ALTER: "alters",
    Action.RENAME: "renames",
    Action.DROP: "drops",
    Action.USE: "uses",
    Action.WRITE: "writes",
}


def place(candidate: Candidate, effect: Effect) -> Where:
    """File and line of an effect."""
    return Where(candidate.where or str(candidate.id), effect.line)


def phrase(key: Key, effect: Effect) -> str:
    """What an effect does with a name: `uses users (foreign key)`."""
    how = f" ({effect.detail})" if effect.detail else ""
    return f"{_VERBS.get(effect.action, 'uses')} {show(key)}{how}"


def needs_old(key: Key, effect: Effect, end: Write) -> str:
    """Why a user comes before the one that ends what it uses."""
    verb = "drops" if end.drops else "changes" if end.lives else "renames or drops"
    return f"{phrase(key, effect)} before the other {verb} it"


def follows(key: Key, first: Write, second: Write) -> str:
    """Why one writer of a name comes before another."""
    done = "made" if first.lives else "dropped or renamed"
    then = "made" if second.lives and not second.ends else "made anew" if second.lives else "dropped"
    return f"{show(key)} is {done} before it is {then}"


def cycle(nodes: Sequence[Candidate], walk: Sequence[int], why: Callable[[int, int], Link | None]) -> Problem:
    """A circle with every reason; steps that only follow one domain's version order are joined."""

    def reason(before: int, after: int) -> str:
        link = why(before, after)
        if link is None or link.reason == VERSION_ORDER:
            return VERSION_ORDER
        return f"{link.reason}, {link.where}" if link.where else link.reason

    legs = [(walk[i - 1], node, reason(walk[i - 1], node)) for i, node in enumerate(walk)]
    entries = [i for i, leg in enumerate(legs) if leg[2] != VERSION_ORDER]
    first = min(entries, key=lambda i: walk[i], default=0)
    legs = legs[first + 1 :] + legs[: first + 1]
    text = f"{nodes[walk[first]].id}"
    for i, (_, after, because) in enumerate(legs):
        joined = because == VERSION_ORDER and i + 1 < len(legs) and legs[i + 1][2] == VERSION_ORDER
        if not joined:
            text += f" -> {nodes[after].id} ({because})"
    links = [why(walk[i - 1], node) for i, node in enumerate(walk)]
    where = next((link.where for link in links if link and link.where), None)
    return Problem(
        f"cycle: {text}",
        where,
        "each arrow means `before`; move one of the statements into a migration of its own",
    )


def both(key: Key, nodes: Sequence[Candidate], first: Write, second: Write) -> Problem:
    """Two new migrations make or end one name, and nothing says which comes first."""
    one, other = nodes[first.node], nodes[second.node]
    if first.lives and second.lives:
        what = f"{one.id} and {other.id} both make {show(key)}"
    else:
        what = f"{one.id} {_does(first)} {show(key)} and {other.id} {_does(second)} it"
    return Problem(
        f"ambiguous: {what}, and nothing says which comes first",
        place(other, second.effect),
        f"write `-- bgce: requires {one.id.short}` at the top of {other.where or other.id.short}"
        " (or the other way round)",
    )


def _does(write: Write) -> str:
    if write.lives:
        return "makes"
    return "drops" if write.drops or not write.ends else "renames"


def which(key: Key, user: Candidate, effect: Effect, first: MigrationId, second: MigrationId) -> Problem:
    """A use that may mean what either of two new migrations makes."""
    return Problem(
        f"ambiguous: {user.id} {phrase(key, effect)}, which {first} and {second} both make",
        place(user, effect),
        f"write `-- bgce: requires {first.short}` or `-- bgce: requires {second.short}` at the top of"
        f" {user.where or user.id.short}",
    )


def before_or_after(key: Key, user: Candidate, effect: Effect, other: Candidate, write: Write) -> Problem:
    """A use whose side of another's `write` cannot be found."""
    does = "makes it anew" if write.lives and write.ends else f"{_does(write)} it"
    return Problem(
        f"ambiguous: {user.id} {phrase(key, effect)}, and {other.id} {does}; nothing says which comes first",
        place(user, effect),
        f"write `-- bgce: requires {other.id.short}` at the top of {user.where or user.id.short}"
        " (or the other way round)",
    )


def contradiction(
    key: Key, user: Candidate, effect: Effect, life: Life | None, death: Death | None
) -> Problem:
    """A statement that fails in every order that `requires` and version order leave."""
    does = phrase(key, effect)
    if life is not None and effect.action is Action.RENAME:
        does = f"renames {effect.object} to {show(key)}"
    if life is not None:
        why = f"while that of {life.maker} still lives"
    elif death is not None:
        why = f"which {death.by} has {'renamed' if death.to else 'dropped'} by then"
    else:
        why = "which nobody has made by then"
    return Problem(
        f"contradiction: {user.id} {does}, {why}, and everything about {show(key)} is in order already",
        place(user, effect),
        "take a `-- bgce: requires` out, or change one of the statements",
    )


def no_order(key: Key, writers: Sequence[Candidate]) -> Problem:
    """No order of a name's writers was found, although nothing is left to ask."""
    listed = ", ".join(str(writer.id) for writer in writers)
    return Problem(
        f"contradiction: no order of {listed} gives each the {show(key)} that it needs",
        _whole(writers[0]) if writers else None,
        "take a `-- bgce: requires` out, or move one of the statements into a migration of its own",
    )


def _whole(candidate: Candidate) -> Where:
    return Where(candidate.where or str(candidate.id))


def gone(key: Key, user: Candidate, effect: Effect, death: Death) -> Problem:
    """A use of a name that was dropped or renamed."""
    if death.to is not None:
        return Problem(
            f"{user.id} {phrase(key, effect)}, which {death.by} renamed to {show(death.to)}",
            place(user, effect),
            f"use the new name {show(death.to)}",
        )
    return Problem(
        f"{user.id} {phrase(key, effect)}, which {death.by} dropped",
        place(user, effect),
        "use what replaced it, or make it again first",
    )


def undeclared(
    key: Key, user: Candidate, effect: Effect, owner: str, maker: MigrationId, missing: Sequence[str]
) -> Problem:
    """A use of an object of a domain that the user's domain does not require."""
    listed = ", ".join(f'"{name}"' for name in missing)
    return Problem(
        f"undeclared dependency: {user.id} {phrase(key, effect)}, which belongs to domain {owner}"
        f" (made by {maker.short}), but domain {user.id.domain} does not require {owner}",
        place(user, effect),
        f"write `requires = [{listed}]` in the domain.toml of {user.id.domain}",
    )


def finding(
    rule: str, severity: Severity, user: Candidate, effect: Effect, message: str, hint: str | None = None
) -> Finding:
    """A finding about one effect of a new migration."""
    return Finding(rule, severity, message, place(user, effect), hint, user.id.domain)
