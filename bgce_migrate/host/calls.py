"""One typed method a hook, each with the meaning that design gives to answers and exceptions."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Lock
from typing import Any, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from bgce_migrate.access import HOOKS, ROUTING_POLICY, RUN_ENDED, Delivered, Endpoint, Grant, RouteRequest
from bgce_migrate.domain import Domain
from bgce_migrate.errors import BgceError, Problem, Refused
from bgce_migrate.host.discovery import Plugin, discover, fault_text, plugin_error
from bgce_migrate.host.rights import grant_fault
from bgce_migrate.migration import Plan, Step
from bgce_migrate.outcome import Measurement, RunReport, StepResult
from bgce_migrate.registry import Registry

#: The plugins that implement a hook, in calling order, each with a call of its own.
Calls: TypeAlias = "tuple[tuple[Plugin, Callable[..., Any]], ...]"


class Routed(Struct, frozen=True):
    """The answer of `routing`, and the name of the plugin that gave it; None where nobody did."""

    endpoint: Endpoint | None = None
    warnings: tuple[str, ...] = ()
    plugin: str = ""


class Host:
    """The plugins of one command. Nothing is kept outside the instance.

    Plugins are called in the order of their names, one at a time, so that every fault has a name.

    Raises:
        ConfigError: two plugins of one name, an unknown hook or argument in a plugin.
    """

    def __init__(self, plugins: Sequence[Plugin] = ()) -> None:
        self._by_name: dict[str, Plugin] = {}
        self._calls: dict[str, Calls] = dict.fromkeys((*HOOKS, RUN_ENDED), ())
        self._silenced: set[tuple[str, str]] = set()
        self._lock = Lock()
        if plugins:
            # Most projects have none, so most commands start without pluggy.
            from bgce_migrate.host.registering import register

            self._by_name, self._calls = register(plugins)

    @classmethod
    def discover(
        cls,
        allowed: Sequence[str],
        *,
        blocked: Sequence[str] = (),
        builtins: Sequence[Plugin] = (),
        required: bool = True,
    ) -> Host:
        """The host of all allowed entry points and the built-in plugins; see `discovery.discover`."""
        return cls((*discover(allowed, blocked=blocked, required=required), *builtins))

    @property
    def plugins(self) -> tuple[Plugin, ...]:
        """All plugins, by name."""
        return tuple(self._by_name[name] for name in sorted(self._by_name))

    def with_implementation(self, name: str, implementation: object) -> Host:
        """The same plugins, one of them as another object: a shipped one that knows its settings."""
        return Host([replace(p, implementation=implementation) if p.name == name else p for p in self.plugins])

    def answers(self, hook: str) -> bool:
        """Whether any plugin implements a hook."""
        return bool(self._calls[hook])

    def delivered(self) -> tuple[Delivered, ...]:
        """The folders that plugins hand over with `domain`.

        Raises:
            ConfigError: with a problem for every plugin that raises or hands over no such folder.
        """
        out: list[Delivered] = []
        problems: list[Problem] = []
        for plugin, call in self._calls["domain"]:
            try:
                answer = next(iter(call()), None)
            except (Exception, SystemExit) as error:
                problems.append(Problem(f"{plugin} failed in domain: {fault_text(error)}"))
                continue
            if answer is None:
                continue
            if not isinstance(answer, (str, os.PathLike)):
                problems.append(
                    Problem(f"{plugin} hands over {type(answer).__name__}, not the path of a folder")
                )
            elif not (Path(answer) / "domain.toml").is_file():
                problems.append(Problem(f"{plugin} hands over {answer}, which holds no domain.toml"))
            else:
                out.append(Delivered(Path(answer).absolute(), plugin.name, plugin.distribution))
        if problems:
            raise plugin_error(problems)
        return tuple(sorted(out, key=lambda d: d.plugin))

    def pre_apply(self, step: Step, plan: Plan) -> None:
        """Let plugins veto a step.

        Raises:
            Refused: a plugin refused, or raised anything else.
        """
        for plugin, call in self._calls["pre_apply"]:
            try:
                call(step=step, plan=plan)
            except Refused as refusal:
                refusal.hint = refusal.hint or f"{plugin} refused it"
                raise
            except (Exception, SystemExit) as error:
                message = f"{plugin} failed in pre_apply before {step.id}: {fault_text(error)}"
                raise Refused(
                    message, hint=f"repair it, or go on without it: --no-plugin {plugin.name}"
                ) from error

    def post_apply(self, result: StepResult, plan: Plan) -> tuple[str, ...]:
        """Tell plugins how a step ended; what they raise comes back as warnings."""
        warnings: list[str] = []
        for plugin, call in self._calls["post_apply"]:
            try:
                call(result=result, plan=plan, report=None)
            except (Exception, SystemExit) as error:
                warnings.append(f"{plugin} failed in post_apply after {result.id}: {fault_text(error)}")
        return tuple(warnings)

    @property
    def hears_runs(self) -> bool:
        """Whether any plugin wants to know how runs end."""
        return bool(self._calls[RUN_ENDED])

    def run_ended(self, report: RunReport) -> tuple[str, ...]:
        """Tell those plugins how a run ended whose `post_apply` takes its report; what they raise comes back as warnings."""
        warnings: list[str] = []
        for plugin, call in self._calls[RUN_ENDED]:
            try:
                call(result=None, plan=None, report=report)
            except BgceError as error:
                warnings.append(f"{plugin}: {error.message}")
            except (Exception, SystemExit) as error:
                warnings.append(f"{plugin} failed in post_apply at the end of the run: {fault_text(error)}")
        return tuple(warnings)

    def grants(self, domain: Domain, registry: Registry) -> tuple[Grant, ...]:
        """The rights plugins ask for beside those of the declarations, sorted, each once.

        Raises:
            Refused: with a problem for every plugin that raises or asks for what it may not.
        """
        wanted: set[Grant] = set()
        problems: list[Problem] = []
        for plugin, call in self._calls["grant"]:
            try:
                asked = [grant for answer in call(domain=domain, registry=registry) for grant in answer]
            except (Exception, SystemExit) as error:
                problems.append(Problem(f"{plugin} failed in grant for {domain.name}: {fault_text(error)}"))
                continue
            for grant in asked:
                if fault := grant_fault(grant, domain):
                    problems.append(Problem(f"{plugin} may not grant for {domain.name}: {fault}"))
                else:
                    wanted.add(grant)
        if len(problems) == 1:
            raise Refused(problems[0].message, problems=problems)
        if problems:
            raise Refused(f"plugins ask for {len(problems)} grants that are refused", problems=problems)
        return tuple(sorted(wanted))

    def routing(self, request: RouteRequest, endpoints: tuple[Endpoint, ...]) -> Routed:
        """The first plugin's answer; after a fault the built-in policy alone is asked, with a warning."""
        warnings: tuple[str, ...] = ()
        for plugin, call in self._calls["routing"]:
            if warnings and plugin.name != ROUTING_POLICY:
                continue
            try:
                answer = call(request=request, endpoints=endpoints)
            except (Exception, SystemExit) as error:
                warnings = (self._fault(plugin, "routing", f"failed in routing: {fault_text(error)}"),)
                continue
            if answer is None:
                continue
            if answer in endpoints:
                return Routed(answer, warnings, plugin.name)
            warnings = (self._fault(plugin, "routing", "chose what is not one of the endpoints"),)
        return Routed(None, warnings)

    def metrics(self, measurement: Measurement) -> None:
        """Tell every observer; one that raises is logged once and the others still hear it."""
        for plugin, call in self._calls["metrics"]:
            try:
                call(measurement=measurement)
            except (Exception, SystemExit) as error:
                self._fault(plugin, "metrics", f"failed in metrics: {fault_text(error)}")

    def _fault(self, plugin: Plugin, hook: str, said: str) -> str:
        """Log the first fault of a plugin in a hook that is called again and again; the words for a report."""
        with self._lock:
            first = (plugin.name, hook) not in self._silenced
            self._silenced.add((plugin.name, hook))
        if first:
            import logging

            logging.getLogger("bgce_migrate").warning("%s %s", plugin, said)
        return f"{plugin} {said}"
