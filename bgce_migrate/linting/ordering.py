"""Findings of the order: what cannot be placed, and in which order files are replayed all the same."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from msgspec import Struct
from msgspec.structs import replace

from bgce_migrate.errors import Problem, Refused
from bgce_migrate.migration import Finding, MigrationId, Severity
from bgce_migrate.tree import Tree

#: Which rule a problem of placement belongs to, by its words; the first that matches.
_RULES = (
    (re.compile(r"undeclared dependency"), "undeclared-dependency"),
    (re.compile(r"cycle: "), "order-cycle"),
    (re.compile(r"ambiguous: "), "order-ambiguous"),
    (re.compile(r"contradiction: "), "order"),
    (re.compile(r"is there twice|already in the log"), "duplicate-version"),
    (re.compile(r"which does not exist|requires itself"), "unknown-requirement"),
    (re.compile(r"which .* (dropped|renamed to)"), "name-gone"),
)


class Ordered(Struct, frozen=True):
    """The order in which files are replayed, and what was wrong with it.

    Attributes:
        placed: False if the order is only by domain and version, because it could not be found.
    """

    order: tuple[MigrationId, ...]
    findings: tuple[Finding, ...]
    placed: bool = True


def ordered(tree: Tree) -> Ordered:
    """The order over everything, from the lock file on; its problems as findings."""
    from bgce_migrate.settling import placed

    try:
        log, placement = placed(tree, ())
    except Refused as error:
        problems = error.problems or (Problem(error.message, error.where, error.hint),)
        return Ordered(_by_domain(tree), tuple(_finding(tree, p) for p in problems), False)
    # The server refuses it for certain.
    findings = (replace(f, severity=Severity.ERROR) if f.rule == "reference-to-later" else f for f in placement.findings)
    return Ordered((*(entry.id for entry in log), *placement.order), tuple(findings))


def _by_domain(tree: Tree) -> tuple[MigrationId, ...]:
    """The log, then each domain after those it requires: near enough to look at statements."""
    log = [line.id for line in tree.lock.lines if line.id in tree.migrations] if tree.lock is not None else []
    places = {domain.name: place for place, domain in enumerate(tree.project.registry.domains)}
    rest = [i for i in tree.migrations if i not in set(log)]
    return (*log, *sorted(rest, key=lambda i: (places.get(i.domain, len(places)), i.version)))


def _finding(tree: Tree, problem: Problem) -> Finding:
    rule = next((name for pattern, name in _RULES if pattern.search(problem.message)), "order")
    if rule == "order-cycle" and _within_one(problem.message):
        rule = "reference-to-later"
    path = problem.where.file if problem.where else ""
    domain = next((i.domain for i, m in tree.migrations.items() if m.up.path == path), None)
    return Finding(rule, Severity.ERROR, problem.message, problem.where, problem.hint, domain)


def _within_one(message: str) -> bool:
    """Whether a circle stays inside one domain: then a migration uses what a later one makes."""
    domains = {word.partition("/")[0] for word in re.findall(r"[\w-]+/\d+", message)}
    return len(domains) == 1


def superseded(findings: Sequence[Finding], exact: Collection[str]) -> list[Finding]:
    """Leave out what a more exact rule says of the same line.

    Args:
        exact: the rules that say exactly what others say in general.
    """
    said: dict[tuple[str, int], set[Severity]] = {}
    for finding in findings:
        if finding.rule in exact:
            said.setdefault(_place(finding), set()).add(finding.severity)
    kept = []
    for finding in findings:
        severities = said.get(_place(finding), set())
        general = finding.rule in _GENERAL and Severity.ERROR in severities
        if not general and not (finding.rule == "cannot-see-through" and severities):
            kept.append(finding)
    return kept


#: What the order or the reader say in general, where an ownership rule says it exactly.
_GENERAL = frozenset({"undeclared-dependency", "refused-sql", "role-change"})
#: Safety rules that say exactly what the reader refuses in general.
EXACT = frozenset({"concurrently-if-not-exists", "transaction-control", "session-setting", "replication-role"})


def _place(finding: Finding) -> tuple[str, int]:
    return (finding.where.file, finding.where.line or 0) if finding.where else ("", 0)
