"""Everything that `look` says of a tree, put together."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from msgspec.structs import replace

from bgce_migrate.errors import Where
from bgce_migrate.finding import Finding, Severity
from bgce_migrate.linting.explaining import title_and_text
from bgce_migrate.looking.advice import advise
from bgce_migrate.looking.edits import history
from bgce_migrate.looking.model import Hazard, Look, Proofs
from bgce_migrate.looking.proving import prove
from bgce_migrate.looking.reading import read, relative
from bgce_migrate.looking.replayed import folders, replayed, stretches
from bgce_migrate.migration import MigrationId
from bgce_migrate.tree import Tree
from bgce_migrate.verify.model import Proof

#: What keeps a file from being taken as it is.
_PROBLEMS = frozenset({
    "syntax", "refused-sql", "unreadable-file", "duplicate-version", "missing-version", "folder",
    "down-without-up", "unread-file", "nested-folder", "linked-folder", "unreadable-folder",
})  # fmt: skip
#: Told in a part of its own, of no interest where nothing is declared, or done by the engine itself.
_ELSEWHERE = frozenset({
    "undeclared", "no-down", "declaration-not-read", "transaction-control", "order-ambiguous", "order-cycle", "order",
    "reference-to-later", "unknown-requirement", "name-gone", "undeclared-dependency", "name-exists", "version-gap",
})  # fmt: skip
_RANKS = {Severity.ERROR: 0, Severity.WARNING: 1, Severity.NOTE: 2}


def look(
    directory: Path,
    *,
    verify: bool = True,
    told: Callable[[Proof], None] = lambda _: None,
    found: Callable[[int, int], None] = lambda _domains, _migrations: None,
) -> Look:
    """Look at any tree of golang-migrate style folders; nothing in it is changed.

    Args:
        directory: the tree; nothing has to be declared.
        verify: prove the downs on a throw-away server.
        told: is called after each proof.
        found: is called with the numbers of domains and migrations before the first proof.

    Raises:
        ConfigError: there is no such folder, or it cannot be read.
    """
    known = read(directory)
    tree = known.tree
    seen = replayed(tree)
    found(len(tree.project.domains), len(tree.migrations))
    proofs = prove(tree, seen, told) if verify and tree.migrations else Proofs(skipped=not verify)
    findings = tuple(_from(f, tree) for f in known.findings)
    page = Look(
        place=str(directory),
        folders=folders(tree, seen),
        aside=known.aside,
        problems=_problems(findings),
        order=stretches(tree, seen.order) if not seen.unordered else (),
        unordered=seen.unordered,
        references=seen.references,
        claims=seen.claims,
        proofs=proofs,
        hazards=_hazards(findings, tree),
        notes=sum(f.severity is Severity.NOTE and f.rule not in _ELSEWHERE | _PROBLEMS for f in findings),
        git=history(tree),
    )
    return replace(page, advice=advise(page))


def _from(finding: Finding, tree: Tree) -> Finding:
    """Its place as it is said from the tree."""
    where = finding.where
    if where is None:
        return finding
    return replace(finding, where=Where(relative(where.file, tree.project.root), where.line, where.column))


def _problems(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    found = [f for f in findings if f.rule in _PROBLEMS]
    return tuple(sorted(found, key=lambda f: (_RANKS[f.severity], str(f.where))))


def _hazards(findings: Iterable[Finding], tree: Tree) -> tuple[Hazard, ...]:
    """By rule, the worst first; notes are counted only."""
    ages = {relative(s.path, tree.project.root): i for i, m in tree.migrations.items() for s in (m.up, m.down) if s}
    groups: dict[str, list[Finding]] = {}
    for finding in findings:
        if finding.rule not in _ELSEWHERE | _PROBLEMS and finding.severity is not Severity.NOTE:
            groups.setdefault(finding.rule, []).append(finding)
    hazards = [
        Hazard(
            rule, min((f.severity for f in group), key=_RANKS.__getitem__), len(group), title_and_text(rule)[0],
            max(group, key=lambda f: _age(f, ages)),
        )
        for rule, group in groups.items()
    ]  # fmt: skip
    return tuple(sorted(hazards, key=lambda h: (_RANKS[h.severity], -h.count, h.rule)))


def _age(finding: Finding, ages: dict[str, MigrationId]) -> tuple[int, int, str]:
    """Larger for newer migrations; of two, the worse finding."""
    migration = ages.get(finding.where.file) if finding.where is not None else None
    return (-_RANKS[finding.severity], migration.version if migration is not None else -1, finding.message)
