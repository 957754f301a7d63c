"""The six hooks a plugin may implement, as one typed Protocol, and the markers to do it with."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import pluggy

from bgce_migrate.access import GROUP

if TYPE_CHECKING:
    from bgce_migrate.access import Endpoint, Grant, RouteRequest
    from bgce_migrate.domain import Domain
    from bgce_migrate.migration import Plan, Step
    from bgce_migrate.outcome import Measurement, RunReport, StepResult
    from bgce_migrate.registry import Registry

hookspec = pluggy.HookspecMarker(GROUP)
hookimpl = pluggy.HookimplMarker(GROUP)


class BgceHooks(Protocol):
    """What the engine asks plugins.

    A plugin is any object with functions marked `@hookimpl`: a module, or an instance of a class. An
    implementation may leave out arguments it does not need. Arguments are frozen values; no plugin ever
    gets the plugin manager or a connection.
    """

    @hookspec
    def domain(self) -> Path:
        """Hand over the folder of a `domain.toml`.

        Called once, at load. If it raises, the load is refused and the plugin named. A plugin without it
        adds behaviour only.

        Example:
            ```python
            from pathlib import Path

            from bgce_migrate.hookspecs import hookimpl


            @hookimpl
            def domain():
                return Path(__file__).parent / "migrations"
            ```
        """
        ...

    @hookspec
    def pre_apply(self, step: Step, plan: Plan) -> None:
        """Look at a step before it runs, and stop it by raising `Refused`.

        Called before each step, in the order of the plan. After a refusal nothing of the step has run and
        no later step runs. Any other exception does the same and is reported as the plugin's fault.

        Example:
            ```python
            from bgce_migrate.errors import Refused
            from bgce_migrate.hookspecs import hookimpl


            @hookimpl
            def pre_apply(step):
                if step.script.directives.phase == "contract":
                    raise Refused(f"{step.id} contracts the schema", hint="run it in the weekly window")
            ```
        """
        ...

    @hookspec
    def post_apply(self, result: StepResult, plan: Plan, report: RunReport) -> None:
        """Hear how a step ended, after its commit; or, with `report` among the arguments, how a run ended.

        An implementation that takes `report` is called once a run, when it is over, whether it went well, failed or
        was stopped, and its lock is given back; `result` and `plan` are None then. One without it is called after each
        step. It cannot undo anything: what it raises becomes a warning in the report.

        Example:
            ```python
            from bgce_migrate.hookspecs import hookimpl

            seen = []


            @hookimpl
            def post_apply(result, plan):
                seen.append(f"{result.id} {result.status.value}, one of {len(plan.steps)}")
            ```
        """
        ...

    @hookspec
    def grant(self, domain: Domain, registry: Registry) -> Iterable[Grant]:
        """Ask for rights beside those that the declarations give.

        Called for each domain when grants are computed. Only tables and functions the domain declares,
        never a column of class `secret`, and writing rights only for the domain's own services. Anything
        else, and any exception, is refused before a right is changed.

        Example:
            ```python
            from bgce_migrate.access import Grant
            from bgce_migrate.hookspecs import hookimpl


            @hookimpl
            def grant(domain):
                if domain.name == "postal":
                    yield Grant("reporting", "SELECT", "posts", columns=("id", "status"))
            ```
        """
        ...

    @hookspec(firstresult=True)
    def routing(self, request: RouteRequest, endpoints: tuple[Endpoint, ...]) -> Endpoint | None:
        """Choose the server for a request, or return None to leave it to the next.

        The first answer wins; plugins are asked in the order of their names. It must be one of
        `endpoints`. If it raises or answers something else, the built-in policy chooses, with a warning; it is a
        plugin of this hook, asked last: the least busy replica, else the primary.

        Example:
            ```python
            from bgce_migrate.hookspecs import hookimpl


            @hookimpl
            def routing(request, endpoints):
                if request.service == "analytics" and request.intent == "read":
                    return next((e for e in endpoints if e.role == "replica" and e.reachable), None)
                return None
            ```
        """
        ...

    @hookspec
    def metrics(self, measurement: Measurement) -> None:
        """Observe a measurement.

        Each plugin is called on its own: one that raises is logged once, the others still hear everything.

        Example:
            ```python
            from bgce_migrate.hookspecs import hookimpl

            total = {}


            @hookimpl
            def metrics(measurement):
                total[measurement.name] = total.get(measurement.name, 0.0) + measurement.value
            ```
        """
        ...

