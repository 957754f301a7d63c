"""Plugins -> the calls of each hook, by way of pluggy."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pluggy

from bgce_migrate.access import GROUP, HOOKS, RUN_ENDED
from bgce_migrate.errors import Problem
from bgce_migrate.hookspecs import BgceHooks
from bgce_migrate.host.discovery import Plugin, fault_text, plugin_error

#: Asked for every query of a program.
_HOT = frozenset({"routing"})


def register(
    plugins: Sequence[Plugin],
) -> tuple[dict[str, Plugin], dict[str, tuple[tuple[Plugin, Callable[..., Any]], ...]]]:
    """The plugins by name, and for each hook those that implement it, in calling order, each with a call of its own.

    Raises:
        ConfigError: two plugins of one name, an unknown hook or argument in a plugin.
    """
    manager = pluggy.PluginManager(GROUP)
    manager.add_hookspecs(BgceHooks)
    by_name: dict[str, Plugin] = {}
    problems: list[Problem] = []
    # Pluggy calls the last one registered first.
    for plugin in sorted(plugins, key=lambda p: p.name, reverse=True):
        if plugin.name in by_name:
            problems.append(Problem(f"{plugin} and {by_name[plugin.name]} have one name"))
        elif problem := _register(manager, plugin):
            problems.append(problem)
        else:
            by_name[plugin.name] = plugin
    if problems:
        raise plugin_error(problems[::-1])
    calls = {hook: _ordered(manager, hook, by_name) for hook in HOOKS}
    # One hook with two moments: whoever takes the report of a run hears of the run, whoever does not of each step.
    whole = {i.plugin_name for i in manager.hook.post_apply.get_hookimpls() if "report" in i.argnames}
    for name, wanted in ((RUN_ENDED, True), ("post_apply", False)):
        calls[name] = tuple(c for c in _ordered(manager, "post_apply", by_name) if (c[0].name in whole) is wanted)
    return by_name, calls


def _register(manager: pluggy.PluginManager, plugin: Plugin) -> Problem | None:
    hint = f"repair or uninstall it, or go on without it: --no-plugin {plugin.name}"
    try:
        manager.register(plugin.implementation, plugin.name)
        manager.check_pending()
    except (pluggy.PluginValidationError, ValueError) as error:
        if manager.has_plugin(plugin.name):
            manager.unregister(name=plugin.name)
        return Problem(f"{plugin} does not fit the hooks: {fault_text(error)}", hint=hint)
    return None


def _ordered(
    manager: pluggy.PluginManager, hook: str, by_name: dict[str, Plugin]
) -> tuple[tuple[Plugin, Callable[..., Any]], ...]:
    caller: pluggy.HookCaller = getattr(manager.hook, hook)
    impls = caller.get_hookimpls()
    names = dict.fromkeys(impl.plugin_name for impl in reversed(impls))
    if hook in _HOT and len(names) == len(impls) and not any(i.wrapper or i.hookwrapper for i in impls):
        return tuple((by_name[impl.plugin_name], _direct(impl)) for impl in reversed(impls))
    return tuple(
        (
            by_name[name],
            manager.subset_hook_caller(hook, [p.implementation for p in by_name.values() if p.name != name]),
        )
        for name in names
    )


def _direct(impl: pluggy.HookImpl) -> Callable[..., Any]:
    """What pluggy would call, with the arguments it takes: its own call costs more than a decision about servers."""
    function, names = impl.function, impl.argnames
    return lambda **arguments: function(*[arguments[name] for name in names])
