"""The sums of `pgbouncer check`, the limits of roles, and what programs set, as text and as documents."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from bgce_migrate.pools.model import share

if TYPE_CHECKING:
    from bgce_migrate.apply.pooling import Fence
    from bgce_migrate.pools.budget import Budget
    from bgce_migrate.pools.drivers import Advice


def budget_lines(budget: Budget) -> list[str]:
    """The verdict on one server, with both sides spelled out."""
    wanted, left = budget.sums()
    verdict = (
        f"{budget.over} too many" if budget.over > 0 else "all of it" if budget.over == 0 else f"{-budget.over} to spare"
    )
    return [
        f"{budget.server}: pools may hold {budget.wanted} connections of {budget.allowed}: {verdict}",
        f"  {wanted}",
        f"  {left}",
    ]


def budget_value(budget: Budget) -> dict[str, object]:
    """The same as a document."""
    wanted, left = budget.sums()
    return {
        "server": budget.server,
        "max_connections": budget.limits.max_connections,
        "superuser_reserved_connections": budget.limits.superuser_reserved,
        "reserved_connections": budget.limits.reserved,
        "reserve": dict(budget.reserve),
        "headroom": budget.headroom,
        "processes": budget.processes,
        "pools": [
            {"service": p.service, "login": p.login, "pool": p.size, "per_process": share(p, budget.processes)}
            for p in budget.pools
        ],
        "lookups": budget.lookups,
        "free": budget.free,
        "allowed": budget.allowed,
        "wanted": budget.wanted,
        "over": max(budget.over, 0),
        "passed": budget.over <= 0,
        "sums": [f"{wanted}", f"{left}"],
    }


def fence_line(fence: Fence) -> str:
    """One login's limit and why it is this one."""
    why = f"its pool of {fence.pool}" if fence.limit <= fence.pool else f"it was seen with {fence.seen} sessions"
    if fence.seen > fence.pool:
        why = f"it was seen with {fence.seen} sessions, its pool is {fence.pool}"
    was = "" if fence.before == fence.limit else f" (was {'none' if fence.before < 0 else fence.before})"
    return f"{fence.login}: CONNECTION LIMIT {fence.limit}{was}: {why}"


def fence_value(fence: Fence) -> dict[str, object]:
    """The same as a document; `before` is null where there was no limit."""
    return {
        "login": fence.login, "limit": fence.limit, "before": None if fence.before < 0 else fence.before,
        "seen": fence.seen, "pool": fence.pool,
    }  # fmt: skip


def advice_lines(advice: Sequence[Advice]) -> list[str]:
    """By driver."""
    return [f"{one.driver}: {line}" for one in advice for line in one.lines]


def advice_value(advice: Sequence[Advice]) -> dict[str, object]:
    """The same as a document."""
    return {one.driver: list(one.lines) for one in advice}
