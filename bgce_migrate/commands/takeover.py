"""`bootstrap --take-over`: tables that services made themselves go to the owner roles while programs use them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from bgce_migrate.commands.call import Call

if TYPE_CHECKING:
    from bgce_migrate.apply.takeover import Taken
    from bgce_migrate.apply.taking import Item, TakePlan
    from bgce_migrate.apply.target import Address

_UNITS = {"us": 0.001, "ms": 1, "min": 60_000, "s": 1000, "h": 3_600_000, "d": 86_400_000}


def hand_over(
    call: Call, address: Address, only: Sequence[str], *, print_only: bool, lock_timeout: str, retry_for: float
) -> dict[str, object]:
    """Take over what the declarations name, or print how; returns its part of the document.

    Raises:
        Unavailable: some tables were in use for too long; the others have their new owner.
    """
    from bgce_migrate.apply import takeover, taking
    from bgce_migrate.db.session import connect

    domains = [d for d in call.project.domains if d.declared and (not only or d.name in only)]
    patience = takeover.Patience(milliseconds(lock_timeout), retry_for)
    statements: list[str] = []
    done: Sequence[Taken] = ()
    with connect(address.conninfo, address.schema) as session:
        plan = taking.plan(session, call.project.registry, domains)
    _say(call, plan)
    if print_only:
        statements = list(takeover.script(plan, patience))
        for statement in statements:
            call.out.line(f"{statement};")
    else:
        done = takeover.run(
            lambda: connect(address.conninfo, address.schema), plan, patience, lambda taken: _tell(call, taken)
        )
        call.out.line(f"taken over: {len(done)}" if done else "nothing to take over")
    return {
        "take_over": [_value(item) for item in plan.items],
        "taken_over": len(done),
        "left": [{"object": name, "reason": reason} for name, reason in plan.left],
        "notes": list(plan.notes),
        "take_over_statements": statements,
    }


def milliseconds(duration: str) -> int:
    """A duration as PostgreSQL writes it; 0 counts as the shortest wait, never as an endless one."""
    unit = next((u for u in _UNITS if duration.endswith(u) and duration[: -len(u)].isdigit()), "ms")
    return max(round(int(duration.removesuffix(unit)) * _UNITS[unit]), 1)


def _say(call: Call, plan: TakePlan) -> None:
    for name, reason in plan.left:
        call.out.note(f"left: {name}: {reason}")
    for note in plan.notes:
        call.out.note(f"note: {note}")
    for item in plan.items:
        if item.kept:
            rights = ", ".join(dict.fromkeys(right.privilege for right in item.kept))
            call.out.note(
                f"note: {item.former} keeps {rights} on {item.on.schema}.{item.on.name}, which no declaration gives:"
                " `bgce-migrate grants check` shows it until it is declared or taken away"
            )


def _tell(call: Call, taken: Taken) -> None:
    tries = "" if taken.tries == 1 else f" (after {taken.tries} tries)"
    call.out.line(f"{taken.item}: {taken.item.former} -> {taken.item.owner}{tries}")


def _value(item: Item) -> dict[str, object]:
    return {
        "object": str(item), "from": item.former, "to": item.owner,
        "kept": [{"role": r.grantee, "privilege": r.privilege, "on": f"{r.on.schema}.{r.on.name}"} for r in item.kept],
    }  # fmt: skip
