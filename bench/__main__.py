"""`python -m bench`: measure, print, and exit 1 if a requirement is not met."""

from __future__ import annotations

import argparse
import compileall
import sys
import tempfile
from pathlib import Path

import bgce_migrate
from bench import (
    drift,
    grants,
    hook,
    idle,
    lint,
    mixed,
    peers,
    planning,
    race,
    routing,
    tables,
    travel,
    verdict,
    verify,
    wait,
    workload,
)
from bench.clock import BenchError
from bench.contestants import Contestant, Ours, Project
from bench.ground import running

PARTS = ("race", "idle", "travel", "grants", "drift", "planning", "lint", "verify", "routing", "wait")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__, allow_abbrev=False)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}; all without")
    parser.add_argument("--rounds", type=int, default=5, help="rounds of the race (5)")
    parser.add_argument("--no-peers", action="store_true", help="race the floor only")
    parser.add_argument("--install", action="store_true", help="install the peers of PyPI and npm first")
    parser.add_argument("--json", action="store_true", help="print a JSON document")
    said = parser.parse_args()
    if unknown := set(said.parts) - set(PARTS):
        parser.error(f"there is no part {', '.join(sorted(unknown))}; the parts are {', '.join(PARTS)}")
    if said.rounds < 1:
        parser.error("--rounds takes a number from 1 on")
    return said


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _measure(said: argparse.Namespace, folder: Path) -> tables.Results:
    results, parts = tables.Results(), said.parts or PARTS
    # An installed package is compiled; a checkout is from its first use on.
    compileall.compile_dir(Path(bgce_migrate.__file__).parent, quiet=2)
    work = workload.make()
    with running() as ground:
        results.server = ground.server.version
        if "race" in parts:
            project = Project()
            ours: list[Contestant] = [Ours(project, 1), Ours(project, 2), Ours(project)]
            others = [] if said.no_peers else peers.all_peers()
            results.versions = peers.versions(others)
            results.race = race.hold(ground, work, [*ours, *others], folder, rounds=said.rounds, say=_say)
            results.requirements += verdict.of_race(results.race)
        if "idle" in parts:
            _say("commands with nothing to do")
            results.idle = idle.measure(ground, work, folder, rounds=3 * said.rounds)
            results.requirements += verdict.of_idle(results.idle)
        if "travel" in parts:
            _say("round trips")
            results.travel = travel.measure(ground, folder, rounds=3)
            results.requirements += verdict.of_travel(results.travel)
        if "grants" in parts:
            _say("grants")
            results.grants = grants.measure(ground, folder, rounds=3)
            results.requirements += verdict.of_grants(results.grants)
        if "drift" in parts:
            _say("drift")
            results.drift = drift.measure(ground, folder, rounds=3)
            results.requirements += verdict.of_drift(results.drift)
        if "wait" in parts:
            _say("waiters")
            results.waiting = wait.measure(ground, folder, rounds=3)
            results.requirements += verdict.of_waiting(results.waiting)
    if "lint" in parts:
        _say("lint")
        results.lint = lint.measure(folder, rounds=said.rounds, say=_say)
        results.requirements += verdict.of_lint(results.lint)
        results.hook = hook.measure(folder, rounds=said.rounds, say=_say)
        results.requirements += verdict.of_hook(results.hook)
    if "verify" in parts:
        _say("verify")
        results.verify = verify.measure(folder, rounds=3)
        results.requirements += verdict.of_verify(results.verify)
    if "routing" in parts:
        _say("routing")
        results.routing = routing.measure()
        results.requirements += verdict.of_routing(results.routing)
        _say("a mixed load on two replicas")
        results.mixed = mixed.measure()
        results.requirements += verdict.of_mixed(results.mixed)
    if "planning" in parts:
        _say("planning")
        results.planning = planning.measure(folder, rounds=3)
        results.requirements += verdict.of_planning(results.planning)
    return results


def main() -> int:
    """The exit code: 0 all met, 1 a requirement not met, 2 usage, 4 something could not be measured."""
    said = _arguments()
    if said.install:
        peers.install()
    try:
        with tempfile.TemporaryDirectory(prefix="bgce-bench-") as folder:
            results = _measure(said, Path(folder))
    except BenchError as error:
        _say(f"error: {error}")
        return 4
    print(tables.document(results) if said.json else tables.text(results))
    return 0 if all(requirement.met for requirement in results.requirements) else 1


sys.exit(main())
