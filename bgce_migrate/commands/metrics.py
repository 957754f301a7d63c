"""`metrics render|serve|alerts|dashboard`: how migrations stand, for Prometheus and Grafana."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bgce_migrate.commands.call import Call
from bgce_migrate.commands.options import command, option
from bgce_migrate.errors import UsageError

if TYPE_CHECKING:
    from bgce_migrate.apply.target import Address, Target
    from bgce_migrate.metrics.alerts import Thresholds
    from bgce_migrate.metrics.sample import Sample

_EXTRAS = ("drift", "grants", "lint")
_extra = option("--with", "extras", type=click.Choice(_EXTRAS), multiple=True, scope="metrics",
                help="Also what drift, grants check and lint find (repeatable).")  # fmt: skip


@click.group("metrics", context_settings={"help_option_names": ["-h", "--help"]})
def metrics() -> None:
    """How migrations stand, from the history: as text, over HTTP; and the alerts and dashboard that go with it."""


@command("render")
@option("--textfile", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", scope="metrics",
        help="Write it there instead, for node_exporter's textfile collector.")
@option("--push", metavar="URL", scope="metrics", help="Send it to a push gateway instead.")
@_extra
def render(call: Call, textfile: Path | None, push: str | None, extras: tuple[str, ...]) -> int:
    """Print the metrics in Prometheus' text format."""
    from bgce_migrate.exporting import outlets
    from bgce_migrate.exporting.exposition import require, text

    require()
    if push is not None:
        call.out.secrets.add_conninfo(push)
    found = _samples(call, call.address(), extras)
    if textfile is not None:
        outlets.write_file(textfile, found)
    if push is not None:
        outlets.push(push, found)
    page = text(found)
    call.out.document("metrics", {"text": page})
    if textfile is None and push is None:
        call.out.line(page.removesuffix("\n"))
    return 0


@command("serve")
@option("--listen", default="127.0.0.1:9188", metavar="HOST:PORT", scope="metrics", help="Where to answer (127.0.0.1:9188).")
@_extra
def serve(call: Call, listen: str, extras: tuple[str, ...]) -> int:
    """Answer GET /metrics with what the database says at that moment; only reads."""
    from bgce_migrate.exporting.serving import serve as listening

    host, _, port = listen.rpartition(":")
    if not host or not port.isdigit() or int(port) > 65535:
        raise UsageError(f"'{listen}' is not HOST:PORT", hint="for example --listen 127.0.0.1:9188")
    address = call.address()
    server = listening(host.strip("[]"), int(port), lambda: _samples(call, address, extras), call.out.note)
    call.out.note(f"metrics of {len(call.project.domains)} domains at http://{listen}/metrics")
    try:
        server.serve_forever()
    finally:
        server.server_close()
    return 0


@command("alerts")
def alerts(call: Call) -> int:
    """Print alert rules for Prometheus, with the thresholds of bgce.toml."""
    from bgce_migrate.metrics.alerts import rules_file

    page = rules_file(_thresholds(call))
    call.out.document("metrics-alerts", {"text": page})
    call.out.line(page.removesuffix("\n"))
    return 0


@command("dashboard")
def dashboard(call: Call) -> int:
    """Print a dashboard for Grafana, to be imported there."""
    from bgce_migrate.metrics.dashboard import dashboard as drawn

    call.out.document("metrics-dashboard", {"text": drawn()})
    call.out.line(drawn().removesuffix("\n"))
    return 0


def _thresholds(call: Call) -> Thresholds:
    """Of the project; without one those that come along."""
    from bgce_migrate import config
    from bgce_migrate.metrics.alerts import Thresholds

    if call.options["config"] is None and config.find(call.folder) is None:
        return Thresholds()
    return call.declarations.project.alerts


def _samples(call: Call, address: Address, extras: tuple[str, ...]) -> list[Sample]:
    from bgce_migrate.exporting.reading import samples

    with call.desk.open(address, check=False) as target:
        found = [*samples(target, call.desk.tree)]
        if "drift" in extras and target.state.meta is not None:
            found += _drift(call, target)
    if "grants" in extras:
        found.append(_grants(call, address))
    if "lint" in extras:
        found += _lint(call)
    return found


def _drift(call: Call, target: Target) -> list[Sample]:
    from collections import Counter

    from bgce_migrate.drift.find import find
    from bgce_migrate.metrics import table
    from bgce_migrate.metrics.sample import Sample

    counts = Counter(d.domain for d in find(call.desk.tree, call.desk.host, target).drifts)
    domains = {d.name for d in call.project.domains} | counts.keys()
    return [Sample(table.DRIFT, {"service": name}, float(counts[name])) for name in sorted(domains)]


def _grants(call: Call, address: Address) -> Sample:
    from bgce_migrate import rights
    from bgce_migrate.metrics import table
    from bgce_migrate.metrics.sample import Sample

    with rights.opened(address, changing=False) as target:
        scope = rights.scope_of(call.desk.project, call.desk.host, target)
        changes = rights.compare(scope, target).difference.changes
    return Sample(table.GRANTS_DRIFT, {}, float(len(changes)))


def _lint(call: Call) -> list[Sample]:
    from collections import Counter

    from bgce_migrate.finding import Severity
    from bgce_migrate.linting import Loaded, Request, lint
    from bgce_migrate.metrics import table
    from bgce_migrate.metrics.sample import Sample

    request = Request(style=False, environment=os.environ)
    counts = Counter(f.severity for f in lint(Loaded(call.project, call.desk.tree), request).findings)
    return [Sample(table.LINT_FINDINGS, {"severity": s.value}, float(counts[s])) for s in Severity]


for _subcommand in (render, serve, alerts, dashboard):
    metrics.add_command(_subcommand)
