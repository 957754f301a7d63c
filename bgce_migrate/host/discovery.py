"""Installed entry points -> the plugins that the allow-list names; nothing else is imported."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

from bgce_migrate.access import GROUP
from bgce_migrate.errors import ConfigError, Problem, UsageError
from bgce_migrate.registry.references import did_you_mean, printable

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint


#: Plugins that come with the engine: by name on the same road as others, and loaded only where they are named.
SHIPPED = {
    "bgce_metrics": "bgce_migrate.exporting.plugin:plugin",
    "bgce_notifications": "bgce_migrate.notifying.plugin:plugin",
    "bgce_otel": "bgce_migrate.exporting.tracing:plugin",
    "bgce_sticky": "bgce_migrate.routing.sticky:plugin",
}


class Plugin(Struct, frozen=True):
    """An object with hook implementations.

    Attributes:
        name: the entry point's name, or the built-in's.
        implementation: a module or an instance.
        distribution: `name version` of the installed package, or None.
    """

    name: str
    implementation: object
    distribution: str | None = None

    def __str__(self) -> str:
        return f"plugin {self.name}" + (f" ({self.distribution})" if self.distribution else "")


def discover(
    allowed: Sequence[str], *, blocked: Sequence[str] = (), required: bool = True
) -> tuple[Plugin, ...]:
    """Load the entry points of group `bgce_migrate` that are allowed and not blocked, sorted by name.

    Args:
        allowed: `plugins` of `bgce.toml`.
        blocked: names given with `--no-plugin`.
        required: False where declarations alone will do (lint in an isolated environment): plugins that
            are not installed are then left out.

    Raises:
        ConfigError: with a problem for every plugin that is missing, delivered twice or broken at import.
        UsageError: a blocked name that is not allowed in the first place.
    """
    for name in blocked:
        if name not in allowed:
            hint = did_you_mean(name, allowed) or "plugins of bgce.toml lists what may be loaded"
            raise UsageError(f"--no-plugin {printable(name)}: there is no such plugin", hint=hint)
    wanted = sorted(set(allowed) - set(blocked))
    if not wanted:
        return ()
    installed = _installed()
    plugins: list[Plugin] = []
    problems: list[Problem] = []
    for name in wanted:
        found = installed.get(name, []) + _shipped(name)
        if len(found) == 1:
            loaded = _load(found[0])
            plugins.append(loaded) if isinstance(loaded, Plugin) else problems.append(loaded)
        elif found:
            names = " and ".join(sorted(_distribution(e) or "an unknown package" for e in found))
            hint = "uninstall one of them"
            problems.append(Problem(f"plugin {name} is delivered twice, by {names}", hint=hint))
        elif required:
            problems.append(_missing(name, installed))
    if problems:
        raise plugin_error(problems)
    return tuple(plugins)


def unlisted(allowed: Iterable[str]) -> tuple[str, ...]:
    """Installed plugins that the allow-list does not name: listed, never loaded. For `doctor`."""
    left = set(_installed()) - set(allowed)
    return tuple(sorted(printable(name) for name in left))


def plugin_error(problems: Sequence[Problem]) -> ConfigError:
    """One error for all plugins that cannot be used."""
    if len(problems) == 1:
        return ConfigError(problems[0].message, hint=problems[0].hint, problems=problems)
    return ConfigError(f"{len(problems)} plugins cannot be used", problems=problems)


def _installed() -> dict[str, list[EntryPoint]]:
    """Entry points by name; one package found on two paths counts once."""
    from importlib.metadata import entry_points

    out: dict[str, list[EntryPoint]] = {}
    for entry in entry_points(group=GROUP):
        known = out.setdefault(entry.name, [])
        if not any((e.value, _distribution(e)) == (entry.value, _distribution(entry)) for e in known):
            known.append(entry)
    return out


def _shipped(name: str) -> list[EntryPoint]:
    from importlib.metadata import EntryPoint

    return [EntryPoint(name, SHIPPED[name], GROUP)] if name in SHIPPED else []


def _distribution(entry: EntryPoint) -> str | None:
    dist = getattr(entry, "dist", None)
    return f"{dist.name} {dist.version}" if dist is not None else None


def _load(entry: EntryPoint) -> Plugin | Problem:
    try:
        return Plugin(entry.name, entry.load(), _distribution(entry))
    # A plugin's import may do anything, even end the process: its name must be said.
    except (Exception, SystemExit) as error:
        shown = Plugin(entry.name, None, _distribution(entry))
        hint = f"repair or uninstall it, or go on without it: --no-plugin {entry.name}"
        return Problem(f"{shown} cannot be imported: {fault_text(error)}", hint=hint)


def _missing(name: str, installed: Iterable[str]) -> Problem:
    alike = [other for other in installed if _normal(other) == _normal(name)]
    message = f"plugin {name} is not installed"
    if alike:
        return Problem(
            f"{message}; {printable(alike[0])} is another one", hint="correct plugins of bgce.toml"
        )
    hint = f"install its package, or go on without it: --no-plugin {name}"
    return Problem(message, hint=hint)


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def fault_text(error: BaseException) -> str:
    """An exception of a plugin in one line."""
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
