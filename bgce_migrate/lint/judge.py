"""Replays files in order and asks the rules about those that are judged."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from bgce_migrate.lint.catalog import Catalog, apply, apply_all
from bgce_migrate.lint.facts.fact import Fact
from bgce_migrate.lint.facts.tables import ValidateConstraint
from bgce_migrate.lint.facts.values import Place
from bgce_migrate.lint.rule import LintConfig, LintInput, Rule, State, WholeFile
from bgce_migrate.migration import Direction, Finding

_TOP = WholeFile(Place(0, 1, 1, 1, 0, 0))


def judge(files: Sequence[LintInput], config: LintConfig, rules: Iterable[Rule]) -> Iterator[Finding]:
    """All findings, file by file in the order given, within a file by line and column."""
    catalog = Catalog(complete=config.complete)
    new = frozenset(file.migration for file in files if file.is_new)
    state = State(catalog, config, new, _validated(files))
    chosen = [
        r
        for r in rules
        if r.since <= config.target <= r.until and config.severities.get(r.id, "") is not None
    ]
    up, down = _by_fact(chosen), _by_fact([r for r in chosen if r.downs])
    for file in files:
        catalog.begin(file.migration, file.schema)
        if not file.judged:
            if file.direction is Direction.UP:
                apply_all(catalog, file.facts)
            continue
        state.file = file
        found = list(_file(state, down if file.direction is Direction.DOWN else up))
        found.sort(key=lambda f: (f.where.line or 0, f.where.column or 0) if f.where else (0, 0))
        yield from found


def _validated(files: Sequence[LintInput]) -> frozenset[str]:
    return frozenset(
        fact.name for file in files for fact in file.facts if isinstance(fact, ValidateConstraint)
    )


def _by_fact(rules: Sequence[Rule]) -> dict[type[Fact], list[Rule]]:
    table: dict[type[Fact], list[Rule]] = {}
    for rule in rules:
        for kind in rule.facts:
            table.setdefault(kind, []).append(rule)
    return table


def _file(state: State, rules: dict[type[Fact], list[Rule]]) -> Iterator[Finding]:
    replayed = state.file.direction is Direction.UP
    for index, fact in enumerate(state.file.facts):
        state.index = index
        yield from _ask(state, rules, fact)
        if replayed:
            apply(state.catalog, fact)
    state.index = len(state.file.facts)
    yield from _ask(state, rules, _TOP)


def _ask(state: State, rules: dict[type[Fact], list[Rule]], fact: Fact) -> Iterator[Finding]:
    for rule in rules.get(type(fact), ()):
        state.rule = rule
        yield from rule.check(fact, state)
