"""The measured values as text and as a JSON document."""

from __future__ import annotations

import json
import platform
import sys
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field

from bench.clock import Sample
from bench.drift import Drifting
from bench.grants import Granting
from bench.idle import BARE, Idle
from bench.lint import Linting
from bench.mixed import Mixed
from bench.planning import Planning
from bench.race import Race
from bench.routing import Routing
from bench.travel import DELAY, FEW, MANY, Travel
from bench.verdict import MEGABYTE, Requirement
from bench.verify import Verifying
from bench.wait import WAITERS, Waiting


@dataclass
class Results:
    """Everything that was measured; None where a part was left out."""

    server: str = ""
    versions: dict[str, str] = field(default_factory=dict)
    race: Race | None = None
    idle: Idle | None = None
    travel: Travel | None = None
    planning: Planning | None = None
    lint: Linting | None = None
    grants: Granting | None = None
    drift: Drifting | None = None
    verify: Verifying | None = None
    routing: Routing | None = None
    mixed: dict[str, Mixed] = field(default_factory=dict)
    waiting: Waiting | None = None
    hook: tuple[Sample, ...] = ()
    requirements: list[Requirement] = field(default_factory=list)


def text(results: Results) -> str:
    """Tables, then every requirement with its value."""
    lines = [f"Python {platform.python_version()}, PostgreSQL {results.server}, {platform.machine()}"]
    lines += [f"  {name}: {version}" for name, version in results.versions.items()]
    if results.race:
        lines += ["", f"480 migrations, 12 domains, {results.race.tables} tables (seconds)"]
        lines += _table(results.race.samples.values(), results.race.floor, "floor")
        lines += [f"  {name:28} {why.splitlines()[0]}" for name, why in results.race.absent.items()]
        lines += [
            f"  {name:28} ended with another catalog: {how}" for name, how in results.race.wrong.items()
        ]
    if results.idle:
        lines += ["", "commands with nothing to do (seconds)"]
        lines += _table(results.idle.samples.values(), results.idle.samples[BARE], "bare")
    if results.travel:
        t = results.travel
        lines += ["", f"{DELAY * 1000:.0f} ms a round trip, {FEW} and {MANY} migrations"]
        lines.append(
            f"  {t.a_step:.2f} round trips a step, {t.constant:.1f} a run beside its steps (counted)"
        )
        lines.append(
            f"  {t.slope * 1000:.1f} ms a step, of which the delay makes {t.waited:.2f} round trips (by the clock)"
        )
    if results.grants:
        lines += ["", "grants, whole processes (seconds)"]
        lines += _table((s for samples in results.grants.samples.values() for s in samples), None, "")
    if results.drift:
        d = results.drift
        lines += ["", f"drift of {d.tables} tables, whole processes (seconds)", *_table((d.first, d.kept, d.clients), None, "")]
        lines.append(f"  {d.a_statement:.3f} ms to prepare a statement")
    if results.waiting:
        lines += ["", f"{WAITERS} waiters (milliseconds after the commit)", *_waiting(results.waiting)]
    if results.verify:
        v = results.verify
        lines += ["", "verify, whole processes (seconds)"]
        lines += _table((v.shipped, v.shipped_one, v.folder, v.folder_one), None, "")
    if results.planning:
        p = results.planning
        lines += ["", f"planning {p.migrations} migrations without a database (seconds)"]
        lines += _table((p.cold, p.locked), None, "")
        lines.append(f"  peak memory {p.peak / MEGABYTE:.0f} MB")
    if results.lint:
        found = results.lint
        lines += ["", f"lint of {found.files} files, {found.bytes / 1e6:.1f} MB (seconds)"]
        lines += _table(found.samples, found.squawk, "squawk")
    if results.hook:
        lines += ["", "the shipped domains (seconds)", *_table(results.hook, None, "")]
    if results.mixed:
        lines += ["", "a mixed load, 10 % writes, tokens kept 1 s", f"  {'':28}{'reads':>8}{'primary':>8}{'stale':>8}{'a second':>10}"]
        for name, m in results.mixed.items():
            lines.append(f"  {name:28}{m.reads:>8}{m.primary:>8}{m.stale:>8}{m.reads / m.seconds:>10.0f}")
    lines += ["", "requirements", *(f"  {requirement}" for requirement in results.requirements)]
    return "\n".join(lines)


def _table(samples: Iterable[Sample], against: Sample | None, called: str) -> list[str]:
    over = f"{'over ' + called:>12}" if against else ""
    lines = [f"  {'':28}{'min':>8}{'median':>8}{'max':>8}{'cpu':>8}{'rounds':>8}{over}"]
    for s in samples:
        cpu = min(timing.cpu for timing in s.timings)
        ratio = f"{s.ratio(against):>12.2f}" if against else ""
        lines.append(
            f"  {s.name:28}{min(s.walls):>8.2f}{s.median:>8.2f}{max(s.walls):>8.2f}{cpu:>8.2f}"
            f"{len(s.timings):>8}{ratio}"
        )
    return lines


def _waiting(waiting: Waiting) -> list[str]:
    lines = [f"  {'':28}{'p50':>8}{'p95':>8}{'last':>8}{'rounds':>8}"]
    for name, rounds in waiting.rounds.items():
        p50, p95, last = (waiting.best(name).part(share) for share in (0.5, 0.95, 1))
        lines.append(f"  {name:28}{p50:>8.0f}{p95:>8.0f}{last:>8.0f}{len(rounds):>8}")
    return lines


def document(results: Results) -> str:
    """The same for machines."""
    out: dict[str, object] = {
        "schema": "bgce-migrate/bench/1",
        "python": sys.version.split()[0],
        "postgresql": results.server,
        "versions": results.versions,
    }
    if results.race:
        out["race"] = _samples(results.race.samples.values(), results.race.floor)
        out["absent"] = results.race.absent
    if results.idle:
        out["idle"] = _samples(results.idle.samples.values(), results.idle.samples[BARE])
    if results.travel:
        t = results.travel
        out["travel"] = {
            "round_trips_a_step": t.a_step,
            "round_trips_a_run": t.constant,
            "round_trips_a_step_by_the_clock": t.waited,
            "seconds_a_step": t.slope,
        }
    if results.grants:
        out["grants"] = _samples((s for samples in results.grants.samples.values() for s in samples), None)
    if results.drift:
        d = results.drift
        out["drift"] = {**_samples((d.first, d.kept, d.clients), None), "tables": d.tables, "ms_a_statement": d.a_statement}
    if results.verify:
        v = results.verify
        out["verify"] = {**_samples((v.shipped, v.shipped_one, v.folder, v.folder_one), None), "migrations": v.large}
    if results.waiting:
        delays = {name: [list(d.values) for d in rounds] for name, rounds in results.waiting.rounds.items()}
        out["wait"] = {"milliseconds": delays, "errors": results.waiting.errors}
    if results.routing:
        mixed = {name: {**asdict(m), "reads_per_second": m.reads / m.seconds} for name, m in results.mixed.items()}
        out["routing"] = {"microseconds": results.routing.decisions, "mixed": mixed}
    if results.planning:
        p = results.planning
        out["planning"] = {**_samples((p.cold, p.locked), None), "peak_bytes": p.peak}
    if results.hook:
        out["hook"] = _samples(results.hook, None)
    if results.lint:
        out["lint"] = {**_samples(results.lint.samples, results.lint.squawk), "files": results.lint.files}
    out["requirements"] = [
        {"text": r.text, "measured": r.measured, "limit": r.limit, "unit": r.unit.strip(), "met": r.met}
        for r in results.requirements
    ]
    return json.dumps(out, indent=2)


def _samples(samples: Iterable[Sample], against: Sample | None) -> dict[str, object]:
    return {
        s.name: {"seconds": s.walls, "median": s.median, "ratio": s.ratio(against) if against else None}
        for s in samples
    }
