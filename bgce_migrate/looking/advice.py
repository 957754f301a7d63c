"""What to do first: at most a handful of things, the most dangerous one before the others."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from bgce_migrate.finding import Finding, Severity
from bgce_migrate.looking.model import Advice, Look
from bgce_migrate.verify.model import Verdict

#: A down with one of these leaves the database in another state than it was in.
_BROKEN = frozenset({Verdict.ERROR, Verdict.DIFFERS, Verdict.REUP_ERROR, Verdict.REUP_DIFFERS})
#: More than these nobody does first.
_MOST = 6


def advise(look: Look) -> tuple[Advice, ...]:
    """In the order in which a person would do it."""
    return tuple(_all(look))[:_MOST]


def _all(look: Look) -> Iterator[Advice]:
    place = shlex.quote(look.place)
    refused = [problem for problem in look.problems if problem.severity is Severity.ERROR]
    if refused:
        yield Advice(
            f"mend what cannot be taken as it is ({_count(len(refused), 'place')}), first: {_place(refused[0])}{refused[0].message}",
            f"bgce-migrate lint --migrations {place} --all",
        )
    yield from _undone(look, place)
    twice = [claim for claim in look.claims if len(claim.makers) > 1]
    if twice:
        names = _some([claim.name for claim in twice])
        yield Advice(f"decide who owns {names}: several folders make {'it' if len(twice) == 1 else 'them'}")
    elif look.claims:
        claim = look.claims[0]
        yield Advice(f"let only its owner change {claim.name}: {', '.join(claim.domains)} all do")
    if look.unordered and not twice:
        yield Advice(f"settle the order: {look.unordered[0].message}", f"bgce-migrate plan --migrations {place}")
    worst = [hazard for hazard in look.hazards if hazard.severity is Severity.ERROR]
    if worst:
        at = f" (last in {worst[0].newest.where})" if worst[0].newest.where else ""
        yield Advice(
            f"have hazards found before they are merged; {_count(len(worst), 'kind')} would stop a merge, most often "
            f"{worst[0].rule}{at}",
            f"bgce-migrate explain {worst[0].rule}",
        )
    if look.git.edited:
        yield Advice(
            "have edits of committed files refused: databases that applied the old text differ from new ones",
            "bgce-migrate hook install",
        )
    yield from _onwards(look, place)


def _undone(look: Look, place: str) -> Iterator[Advice]:
    proofs = look.proofs.proofs
    broken_up = next((p for p in proofs if p.verdict is Verdict.ERROR and p.message.startswith("the up fails")), None)
    if broken_up is not None:
        yield Advice(f"make an empty database reach the end: {broken_up.id}: {broken_up.message}")
    broken = [p for p in proofs if p.verdict in _BROKEN and p is not broken_up]
    if broken:
        yield Advice(
            f"mend {_count(len(broken), 'down')} before the night {'it is' if len(broken) == 1 else 'they are'} "
            f"needed, the newest one first: {broken[-1].id}",
            f"bgce-migrate verify --migrations {place}",
        )
    without = sum(folder.without_down for folder in look.folders)
    if without:
        yield Advice(f"write {_count(without, 'missing down')}, or say in the file why there can be none")


def _onwards(look: Look, place: str) -> Iterator[Advice]:
    if not look.folders:
        return
    if look.proofs.skipped:
        yield Advice("prove the downs on a throw-away server", f"bgce-migrate look {place}")
    if len(look.folders) > 1:
        yield Advice("say what each folder owns and reads, so that the server can hold them to it", "bgce-migrate init")
    yield Advice("try all of it on a server of its own", f"bgce-migrate up --migrations {place} --embedded")


def _place(finding: Finding) -> str:
    return f"{finding.where}: " if finding.where is not None else ""


def _count(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"


def _some(names: list[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
