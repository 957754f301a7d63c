"""Uses with more than one possible meaning, and soft ones: what the rest decides, then what is likely."""

from __future__ import annotations

from bgce_migrate.errors import Problem
from bgce_migrate.migration import Severity
from bgce_migrate.order import wording
from bgce_migrate.order.names import COLUMN, EXTENSION, show
from bgce_migrate.order.timeline import Interval
from bgce_migrate.order.web import Link
from bgce_migrate.order.work import Choice, Work

_ROUNDS = 50
_RESTARTS = 20
#: What these make stands in the way of a plain DROP, so they rather follow a rebuild.
_PINNING = frozenset({"foreign key", "view", "materialized view"})
_EXTENSIONS_TRIED = 8


def decide(work: Work) -> None:
    """Find the meaning of every open use; problems for those that stay open."""
    left = _forced(work, work.choices)
    guess = _open_ones(work, left)
    mark = work.web.mark()
    _evidence(work)
    for _ in range(_RESTARTS):
        stuck = _guess_all(work, guess)
        if stuck is None:
            return
        work.web.back_to(mark)
        guess.remove(stuck)
        guess.insert(0, stuck)
    for choice in guess:
        picked = _pick(work, choice, _possible(work, choice))
        if picked is None or not _take(work, choice, picked):
            work.problems.append(_undecided(work, choice))


def _possible(work: Work, choice: Choice) -> list[Interval]:
    return [option for option in choice.options if work.possible(choice.use, option)]


def _take(work: Work, choice: Choice, option: Interval) -> bool:
    if not work.web.add(work.around(choice.use, option)):
        return False
    choice.use.life = option.life
    return True


def _forced(work: Work, choices: list[Choice]) -> list[Choice]:
    """Settle what has one possible meaning, until nothing more follows; none possible is a cycle."""
    left = choices
    for _ in range(_ROUNDS):
        waiting: list[Choice] = []
        for choice in left:
            options = _possible(work, choice)
            if not options:
                work.problems.append(_impossible(work, choice))
            elif len(options) > 1 or choice.any_maker or not _take(work, choice, options[0]):
                waiting.append(choice)
        if len(waiting) == len(left):
            break
        left = waiting
    return left


def _open_ones(work: Work, left: list[Choice]) -> list[Choice]:
    """Those that may be guessed; the others are problems."""
    kept: list[Choice] = []
    for choice in left:
        options = _possible(work, choice)
        if options and _pick(work, choice, options) is None:
            work.problems.append(_undecided(work, choice))
        else:
            kept.append(choice)
    return kept


def _evidence(work: Work) -> None:
    """A query of a column that only one new migration makes tells on which side it belongs."""
    for choice in work.soft:
        if choice.use.key[0] == COLUMN and len(choice.options) == 1 and choice.options[0].start is not None:
            work.web.add(work.around(choice.use, choice.options[0], soft=True)[:1])


def _guess_all(work: Work, choices: list[Choice]) -> Choice | None:
    """Take the likely meaning of each; returns the first for which none is left."""
    for choice in choices:
        options = _possible(work, choice)
        picked = _pick(work, choice, options)
        ordered = [o for o in [picked, *options] if o is not None]
        if not any(_take(work, choice, option) for option in ordered):
            return choice
    return None


def _pick(work: Work, choice: Choice, options: list[Interval]) -> Interval | None:
    """The likely meaning; None if a person must say it (or nothing is possible)."""
    if not options:
        return None
    use = choice.use
    reaches = work.web.dag.reaches
    reached = [o for o in options if o.start is not None and reaches(o.start.node, use.node)]
    if reached:
        return reached[-1]
    if choice.any_maker:
        return _any_of(work, choice, options)
    if options[0].start is None:
        end = options[0].end
        rebuilt = end is not None and end.drops and use.effect.detail in _PINNING and not use.effect.soft
        return options[-1] if rebuilt and len(options) > 1 else options[0]
    if len(options) == 1 or choice.lenient or not use.binding:
        return options[0]
    return None


def _any_of(work: Work, choice: Choice, options: list[Interval]) -> Interval | None:
    if not choice.lenient and choice.use.binding and choice.plain_makers() > 1:
        return None
    declared = work.rules.requires.get(work.record.domain(choice.use.node)) or frozenset()
    domains = [work.record.domain(o.start.node) for o in options if o.start is not None]
    plain = next((o for o in options if o.start is not None and o.start.content), None)
    known = next((o for o, d in zip(options, domains, strict=True) if d in declared), None)
    return plain or known or options[0]


def _undecided(work: Work, choice: Choice) -> Problem:
    nodes, use = work.record.nodes, choice.use
    makers = [o.start.node for o in choice.options if o.start is not None]
    if len(makers) > 1:
        first, second = nodes[makers[0]].id, nodes[makers[1]].id
        return wording.which(use.key, nodes[use.node], use.effect, first, second)
    other = next(o.end.node for o in choice.options if o.end is not None) if not makers else makers[0]
    return wording.before_or_after(use.key, nodes[use.node], use.effect, nodes[other])


def _impossible(work: Work, choice: Choice) -> Problem:
    """Every meaning of the use contradicts certain edges: a cycle through it."""
    dag, use = work.web.dag, choice.use
    for option in choice.options:
        for link in work.around(use, option):
            walk = dag.path(link.after, link.before)
            if walk:
                return cycle_over(work, walk, link)
    return _undecided(work, choice)


def cycle_over(work: Work, walk: list[int], closing: Link) -> Problem:
    """The problem of a cycle that one more link would close."""

    def why(before: int, after: int) -> Link | None:
        if (before, after) == (closing.before, closing.after):
            return closing
        links = work.web.reasons.get((before, after))
        return links[0] if links else None

    return wording.cycle(work.record.nodes, walk, why)


def follow_soft(work: Work) -> None:
    """Follow uses that bind late where that closes no cycle; say where it does."""
    for choice in sorted(work.soft, key=lambda c: c.use.node):
        use = choice.use
        options = _possible(work, choice)
        option = _pick(work, choice, options) or choice.options[0]
        use.life = use.life or option.life
        for link in work.around(use, option, soft=True):
            if not work.web.add([link]):
                _give_up(work, choice, link)
    _extensions(work)


def _give_up(work: Work, choice: Choice, link: Link) -> None:
    work.dropped.append(link)
    use = choice.use
    user = work.record.nodes[use.node]
    other = work.record.nodes[link.before if link.after == use.node else link.after]
    message = (
        f"{user.id} {wording.phrase(use.key, use.effect)}; {other.id} would have to come"
        f" {'before' if link.after == use.node else 'after'} it, but that closes a cycle; it is not followed,"
        " because the name is looked up only when it runs"
    )
    found = wording.finding("soft-order", Severity.NOTE, user, use.effect, message)
    work.findings.append((use.node, found))


def _extensions(work: Work) -> None:
    """A function or type from outside may come from an extension that a new migration makes."""
    record = work.record
    makers = [
        (min(writes), key)
        for key, writes in record.writes.items()
        if key[0] == EXTENSION and record.base.get(key) is None
    ]
    for node, key, effect in work.outside:
        for maker, extension in sorted(makers)[:_EXTENSIONS_TRIED]:
            if record.domain(maker) != record.domain(node):
                reason = f"{wording.phrase(key, effect)}, which may come from extension {show(extension)}"
                where = wording.place(record.nodes[node], effect)
                work.web.add([Link(maker, node, reason, where, soft=True)])
