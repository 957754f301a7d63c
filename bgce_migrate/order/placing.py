"""Places new migrations behind the log, with a reason for every edge."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from bgce_migrate.effect import Action
from bgce_migrate.errors import Problem, Refused, Where
from bgce_migrate.migration import Finding, ForeignUse, MigrationId, Severity
from bgce_migrate.order import wording
from bgce_migrate.order.asking import explain, from_outside
from bgce_migrate.order.foreign import Tables, foreign_uses_of
from bgce_migrate.order.layer import Life
from bgce_migrate.order.letting_go import let_go_first
from bgce_migrate.order.names import PARTS, TOP, Key
from bgce_migrate.order.record import Record, Use, record_candidates
from bgce_migrate.order.resolve import resolve
from bgce_migrate.order.unknown import tie_down
from bgce_migrate.order.unordered import unordered_changes
from bgce_migrate.order.values import Candidate, LogEntry, Placement, Rules
from bgce_migrate.order.verify import inspect
from bgce_migrate.order.web import Link, Web
from bgce_migrate.order.work import Work


def place(log: Sequence[LogEntry], new: Sequence[Candidate], rules: Rules) -> Placement:
    """Find the order in which `new` follows `log`.

    The same input in any order of `new` gives the same placement.

    Raises:
        Refused: with every problem found: undeclared dependencies, names that were dropped, ambiguous
            names, unknown `requires` targets, cycles, one version twice.
    """
    _check_unique(log, new)
    record = record_candidates(log, new, rules)
    work = Work(record, rules, Web(record.nodes))
    links = _version_order(record) + _required(work, log)
    tie_down(work)
    resolve(work, links)
    if not work.problems:
        let_go_first(work, log)
    uses = _uses_by_node(record)
    _check_declared(work, uses)
    if work.problems:
        raise _refusal(work.problems)
    order = work.web.dag.sorted()
    placement = Placement(
        tuple(record.nodes[node].id for node in order),
        work.web.edges(),
        tuple(work.web.edge(link) for link in work.dropped),
        _findings(work),
        _foreign(record, uses),
    )
    failures = inspect(record, order) if work.guessed else []
    if not failures:
        return placement
    problems = explain(work, failures)
    if problems:
        raise _refusal(problems)
    return replace(placement, findings=(*placement.findings, *from_outside(work, failures)))


def _refusal(problems: list[Problem]) -> Refused:
    ordered = sorted(dict.fromkeys(problems), key=lambda p: (_where(p.where), p.message))
    if len(ordered) == 1:
        only = ordered[0]
        return Refused(only.message, hint=only.hint, where=only.where, problems=ordered)
    return Refused(f"the new migrations cannot be ordered: {len(ordered)} problems", problems=ordered)


def _where(where: Where | None) -> tuple[str, int]:
    return (where.file, where.line or 0) if where else ("", 0)


def _check_unique(log: Sequence[LogEntry], new: Sequence[Candidate]) -> None:
    settled = {entry.id for entry in log}
    seen: dict[MigrationId, Candidate] = {}
    problems: list[Problem] = []
    for candidate in sorted(new, key=lambda c: (c.id, c.where, c.id.name)):
        where = Where(candidate.where or str(candidate.id))
        hint = "give one of them another version (`bgce-migrate renumber`)"
        if candidate.id in seen:
            first = seen[candidate.id]
            message = f"{candidate.id.short} is there twice: {first.where or first.id} and {where}"
            problems.append(Problem(message, where, hint))
        elif candidate.id in settled:
            message = f"{candidate.id.short} is already in the log, and {where} has the same version"
            problems.append(Problem(message, where, hint))
        seen.setdefault(candidate.id, candidate)
    if problems:
        raise _refusal(problems)


def _version_order(record: Record) -> list[Link]:
    pairs = zip(range(len(record.nodes)), range(1, len(record.nodes)), strict=False)
    return [Link(a, b, wording.VERSION_ORDER) for a, b in pairs if record.domain(a) == record.domain(b)]


def _required(work: Work, log: Sequence[LogEntry]) -> list[Link]:
    """The links of `-- bgce: requires`; a target in the log is already before."""
    nodes = work.record.nodes
    numbers = {candidate.id: node for node, candidate in enumerate(nodes)}
    known: dict[str, set[int]] = {}
    links: list[Link] = []
    for node, candidate in enumerate(nodes):
        for text in candidate.requires:
            if not known:
                for each in (*(entry.id for entry in log), *numbers):
                    known.setdefault(each.domain, set()).add(each.version)
            target = MigrationId.parse(text)
            if target is None or target.version not in known.get(target.domain, ()):
                work.problems.append(_no_target(candidate, text, target, known))
            elif target == candidate.id:
                message = f"{candidate.id} requires itself"
                work.problems.append(Problem(message, _file(candidate), "take the directive out"))
            elif target in numbers:
                reason = f"requires {target.short}"
                links.append(Link(numbers[target], node, reason, _file(candidate)))
    return links


def _file(candidate: Candidate) -> Where:
    return Where(candidate.where or str(candidate.id))


def _no_target(
    candidate: Candidate, text: str, target: MigrationId | None, known: Mapping[str, set[int]]
) -> Problem:
    message = f"{candidate.id} requires {text}, which does not exist"
    if target is None:
        hint = "write a concrete version, such as `-- bgce: requires cortex/000002`"
    elif target.domain not in known:
        hint = f"there is no domain {target.domain}; there are: {', '.join(sorted(known))}"
    else:
        versions = sorted(known[target.domain])
        shown = ", ".join(f"{v:06d}" for v in versions[-5:])
        hint = f"{target.domain} has {len(versions)} migrations, the last ones are: {shown}"
    return Problem(message, _file(candidate), hint)


def _uses_by_node(record: Record) -> dict[int, list[Use]]:
    """The uses of migrations that use other domains' objects, in the order of the files."""
    found: dict[int, list[Use]] = {}
    parts: list[Use] = []
    for key, uses in record.uses.items():
        if key[0] in PARTS:
            parts += uses
            continue
        for use in uses:
            if use.life is not None and use.life.owner != record.domain(use.node):
                found.setdefault(use.node, []).append(use)
    for use in parts:
        if use.node in found:
            found[use.node].append(use)
    for uses in found.values():
        uses.sort(key=lambda use: (use.effect.statement, use.effect.line))
    return found


def _check_declared(work: Work, uses: Mapping[int, list[Use]]) -> None:
    """Uses of domains that are not required: a problem, or a warning where the use binds late."""
    requires = work.rules.requires
    said: set[tuple[int, Key, bool]] = set()
    missing: dict[str, set[str]] = {}
    found: list[tuple[Use, Life]] = []
    for node in sorted(uses):
        domain = work.record.domain(node)
        allowed = requires.get(domain)
        if allowed is None:
            continue
        for use in uses[node]:
            life = use.life
            if life is None or use.key[0] in PARTS or life.owner == domain or life.owner in allowed:
                continue
            if requires.get(life.owner) is None or (node, life.key, use.effect.soft) in said:
                continue
            if use.key[0] in TOP and use.effect.action is Action.REPLACE:
                continue
            said.add((node, life.key, use.effect.soft))
            missing.setdefault(domain, set(allowed)).add(life.owner)
            found.append((use, life))
    for use, life in found:
        user = work.record.nodes[use.node]
        names = sorted(missing[user.id.domain])
        problem = wording.undeclared(life.key, user, use.effect, life.owner, life.maker, names)
        if use.effect.soft:
            rule = wording.finding(
                "undeclared-dependency", Severity.WARNING, user, use.effect, problem.message, problem.hint
            )
            work.findings.append((use.node, rule))
        else:
            work.problems.append(problem)


def _findings(work: Work) -> tuple[Finding, ...]:
    nodes = work.record.nodes
    for node, effect in work.record.opaque:
        message = f"{nodes[node].id}: {effect.detail or 'SQL'} cannot be seen through"
        hint = "if it needs another domain's objects, write `-- bgce: requires <domain>/<version>`"
        found = wording.finding("cannot-see-through", Severity.WARNING, nodes[node], effect, message, hint)
        work.findings.append((node, found))
    work.findings += unordered_changes(work)
    for node, effect, life in work.record.over:
        writes = work.record.writes.get(life.key, {})
        if not any(w.ends and work.record.domain(n) != nodes[node].id.domain for n, w in writes.items()):
            message = f"{nodes[node].id} {wording.phrase(life.key, effect)}, which {life.maker} made already"
            found = wording.finding("name-exists", Severity.WARNING, nodes[node], effect, message)
            work.findings.append((node, found))
    ordered = sorted(work.findings, key=lambda f: (f[0], _where(f[1].where), f[1].rule, f[1].message))
    return tuple(dict.fromkeys(found for _, found in ordered))


def _foreign(record: Record, uses: Mapping[int, list[Use]]) -> dict[MigrationId, tuple[ForeignUse, ...]]:
    def tables(domain: str) -> Tables:
        return record.models.get(domain, record.base)

    result: dict[MigrationId, tuple[ForeignUse, ...]] = {}
    for node in sorted(uses):
        listed = [(use.key, use.effect, use.life) for use in uses[node]]
        found = foreign_uses_of(record.domain(node), listed, tables)
        if found:
            result[record.nodes[node].id] = found
    return result
