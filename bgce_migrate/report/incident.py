"""The incident screen, and what became of a request to a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from bgce_migrate.report.clean import one_line
from bgce_migrate.report.output import Output

if TYPE_CHECKING:
    from bgce_migrate.incident.advice import Advice
    from bgce_migrate.incident.model import Other, Run, Scene, Work

_LONGEST = 110  # characters of a statement


def print_incident(
    out: Output, scene: Scene, advices: Sequence[Advice], pending: Sequence[str] | None, services: Mapping[str, str]
) -> None:
    """One screen.

    Args:
        pending: what is not applied; None where the files are not at hand.
        services: by login, what it is the login of.
    """
    out.document("incident", _document(scene, advices, pending))
    for run in scene.runs:
        _print_run(out, run, services)
    if not scene.runs:
        out.line(f"no run is under way in {scene.database}")
        for other in scene.others:
            _say(out, "in the way", f"{_who(other, services)}, of others that wait: {scene.waiting} in all")
    for unit in scene.units:
        _say(out, "journal", f"{unit.step} statement {unit.number}, {unit.kind}: {'done' if unit.done else 'begun'}")
    for failure in scene.failures:
        # While a run is at it again, that is the past.
        _say(out, "failed before" if scene.runs else "failed", f"{failure.step}: {_short(failure.error)}")
    if pending:
        more = f" and {len(pending) - 6} more" if len(pending) > 6 else ""
        _say(out, "not applied", f"{len(pending)}: {', '.join(pending[:6])}{more}")
    if scene.hidden:
        _say(out, "hidden", f"{scene.login} may not see what others run: GRANT pg_read_all_stats TO {scene.login}")
    for safe, word in ((True, "safe now"), (False, "not safe")):
        group = [a for a in advices if a.safe is safe]
        width = max((len(a.command) for a in group), default=0)
        for number, one in enumerate(group):
            _say(out, word if number == 0 else "", f"{one.command:<{width}}  {one.meaning}")


def _print_run(out: Output, run: Run, services: Mapping[str, str]) -> None:
    who = f" {run.command} of {run.os_user}@{run.host}, begun {_age(run.seconds)} ago" if run.command else ""
    _say(out, f"run {run.short}", f"{who.strip()}{f', deployment {run.deployment}' if run.deployment else ''}{_life(run)}")
    if run.asked is not None and run.asked.what != "resume":
        word = {"pause": "paused" if run.paused else "to pause", "cancel": "to end"}[run.asked.what]
        _say(out, word, f"as {run.asked.by} asked {_age(run.asked.seconds)} ago")
    for work in run.works:
        _print_work(out, work, services)
    if run.done:
        more = f" and {len(run.done) - 6} more" if len(run.done) > 6 else ""
        _say(out, "done", f"{', '.join(run.done[-6:])}{more}")


def _life(run: Run) -> str:
    if not run.leads:
        return "; its leader is gone, this is what is left"
    if run.silent is None:
        return ""
    heard = f"heard of {_age(run.silent)} ago"
    return f"; {heard}: its process is stopped, or its machine is gone" if run.dead else f"; {heard}"


def _print_work(out: Output, work: Work, services: Mapping[str, str]) -> None:
    step = f"{work.step}…" if work.cut else work.step
    place = f" statement {work.number} of {work.of}" if work.number else ""
    kind = ", outside any transaction" if work.journaled else ""
    _say(out, "step", f"{step}{place} (pid {work.pid}, {work.state}, {_age(work.seconds)}{kind})")
    if work.statement:
        _say(out, "", _short(work.statement))
    if work.progress:
        _say(out, "progress", work.progress)
    if work.waiting is not None:
        w = work.waiting
        owner = f" of {w.owner}" if w.owner else ""
        _say(out, "waits for", f"{w.mode} on {w.what}{owner}, {_age(w.seconds)} of this try")
    for number, other in enumerate(work.blockers):
        _say(out, "blocked by" if number == 0 else "", _who(other, services))
        if other.query:
            _say(out, "", _short(other.query))
    if work.queue.length:
        sessions = "1 session waits" if work.queue.length == 1 else f"{work.queue.length} sessions wait"
        _say(out, "queue", f"{sessions} behind it, the longest {_age(work.queue.longest)}")


def _who(other: Other, services: Mapping[str, str]) -> str:
    if other.pid is None:
        return f"the prepared transaction '{one_line(other.application)}' of {other.login}, {_age(other.seconds)} old"
    login = f"{other.login}: {services[other.login]}" if other.login in services else other.login
    age = "" if other.seconds is None else f" for {_age(other.seconds)}"
    run = f", a step of run {other.run[:8]}" if other.run else ""
    return f"pid {other.pid} {one_line(other.application) or 'unnamed'} ({login}), {other.state or 'state hidden'}{age}{run}"


def print_asked(out: Output, command: str, run: Run, done: bool, line: str, pids: Sequence[int] = ()) -> None:
    """What became of `pause`, `resume` or `cancel`."""
    out.document(command, {"run_id": run.id, "done": done, "ended": list(pids)})
    out.line(line)


def _say(out: Output, word: str, text: str) -> None:
    out.line(f"{word:<13} {text}")


def _short(text: str) -> str:
    text = one_line(text)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _age(seconds: float | None) -> str:
    if seconds is None:
        return "?"
    if seconds < 10:
        return f"{max(seconds, 0):.1f} s"
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.0f} h"


def _document(scene: Scene, advices: Sequence[Advice], pending: Sequence[str] | None) -> dict[str, object]:
    from msgspec import to_builtins

    known = to_builtins(scene)
    for value, run in zip(known["runs"], scene.runs, strict=True):
        value |= {"paused": run.paused, "dead": run.dead}
    return {**known, "pending": None if pending is None else list(pending), "advice": to_builtins(list(advices))}
