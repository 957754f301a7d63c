"""What `plan --measure` and `up --dry-run` share: which steps, on which server, with which sizes."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bgce_migrate.commands.call import Call
from bgce_migrate.commands.options import F, option

if TYPE_CHECKING:
    from bgce_migrate.apply.target import Target
    from bgce_migrate.measure.model import Measurement
    from bgce_migrate.measure.sizes import Sizes
    from bgce_migrate.migration import MigrationId
    from bgce_migrate.planning import PlanView

FORMATS = ("terminal", "markdown")


def measuring_options(function: F) -> F:
    """What says how to measure."""
    for wrap in reversed(_OPTIONS):
        function = wrap(function)
    return function


_OPTIONS = (
    option("--stats", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", scope="plan",
           help="With --measure: sizes of tables, as `stats export` writes them."),
    option("--changed", is_flag=True, scope="plan",
           help="With --measure: only what the target branch does not have."),
    option("--base", metavar="REF", scope="plan", help="With --changed: the branch or commit to compare with."),
    option("--format", "form", type=click.Choice(FORMATS), default="terminal", scope="plan",
           help="With --measure: how to say it (terminal)."),
    option("--provider", type=click.Choice(["embedded", "local"]), scope="plan",
           help="With --measure: where the throw-away server comes from (by what the SQL needs)."),
    option("--pg", "major", type=click.IntRange(14, 99), metavar="MAJOR", scope="plan",
           help="With --measure: PostgreSQL's major (the target's, else the newest)."),
)  # fmt: skip


def sizes_of(target: Target | None, file: Path | None) -> Sizes | None:
    """Sizes from a file, else from the target."""
    from bgce_migrate.measure import sizes

    if file is not None:
        return sizes.load(file)
    return sizes.read_sizes(target.control, f"the statistics of {target.facts.database}") if target is not None else None


def known_sizes(call: Call, file: Path | None) -> Sizes | None:
    """Sizes from a file, else from a database where one is named."""
    if file is not None or not call.names_database:
        return sizes_of(None, file)
    with call.target(check=False) as target:
        return sizes_of(target, None)


def measured(
    call: Call,
    view: PlanView,
    applied: tuple[MigrationId, ...] | None,
    sizes: Sizes | None,
    said: dict[str, Any],
) -> Measurement:
    """Measure the steps of a plan, telling each as it is done.

    Args:
        applied: what the target has, in order; None without one.
        said: the values of `measuring_options`, and `domain`.
    """
    from bgce_migrate.measure.run import Wanted, measure
    from bgce_migrate.report.measure import print_step

    desk = call.desk
    steps = tuple(s.id for s in view.plan.steps)
    if applied is not None:
        wanted = Wanted(steps, applied, apart=True)
    elif said["changed"]:
        new = _changed(call, said["base"])
        wanted = Wanted(tuple(i for i in steps if i in new), apart=True)
    else:
        wanted = Wanted(tuple(i for i in steps if said["domain"] in (None, i.domain)))
    major = said["major"] or _major(said["provider"], sizes)
    if not wanted.steps:
        from bgce_migrate.measure.model import Measurement

        return Measurement(())
    # As Markdown, the whole page comes at the end.
    told = partial(print_step, call.out) if said["form"] == "terminal" else lambda _: None
    return measure(desk.tree, desk.host, wanted, sizes, provider=said["provider"], major=major, told=told)


def dry_run(call: Call, limit: int | None, to: MigrationId | None, said: dict[str, Any]) -> int:
    """`up --dry-run`: the plan for the target, measured on scratch."""
    from bgce_migrate.report.listings import print_plan
    from bgce_migrate.report.measure import value

    with call.target() as target:
        view = call.desk.plan(
            target.state, domain=said["domain"], limit=limit, to=to, allow_unlocked=said["allow_unlocked"]
        )
        applied, sizes = tuple(target.state.applied), sizes_of(target, None)
    how = {"domain": said["domain"], "changed": False, "provider": None, "major": None, "form": "terminal"}
    found = measured(call, view, applied, sizes, how)
    if call.out.json:
        print_plan(call.out, view, explain=False, more={"measured": value(found)})
    return show(call, found, "terminal")


def show(call: Call, found: Measurement, form: str) -> int:
    """The end of the result, and the exit code: 1 where a step does not run."""
    from bgce_migrate.report.measure import markdown, print_summary

    if form == "markdown":
        call.out.line(markdown(found))
    elif found.steps or found.findings:
        print_summary(call.out, found)
    else:
        call.out.line("nothing to measure")
    return 1 if any(h.finding.rule == "measured-failure" for h in found.findings) else 0


def _changed(call: Call, base: str | None) -> frozenset[MigrationId]:
    from bgce_migrate.linting.selection import judged_of, look_at_git

    tree = call.desk.tree
    return judged_of(tree, look_at_git(tree, base, os.environ), everything=False)


def _major(provider: str | None, sizes: Sizes | None) -> int | None:
    """The target's, where a server of it can be had."""
    from bgce_migrate.servers.choose import LOCAL_PROVIDERS
    from bgce_migrate.servers.programs import available

    wanted = sizes.server_version // 10000 if sizes is not None else 0
    found = {p.major for name in ([provider] if provider else LOCAL_PROVIDERS) for p in available(name)}
    return wanted if wanted in found else None
