"""Finds a project and reads its declarations and plugins; its migrations are read elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bgce_migrate import config as settings
from bgce_migrate.config import Project
from bgce_migrate.errors import UsageError
from bgce_migrate.host import Host


def load_project(
    start: Path,
    config: Path | None = None,
    migrations: Path | None = None,
    no_plugins: Sequence[str] = (),
    plugins_required: bool = True,
) -> tuple[Project, Host]:
    """The declarations and plugins; the arguments are those of `Desk.load`.

    Raises:
        ConfigError: every mistake at once.
        UsageError: there is no project here.
    """
    if migrations is not None:
        if not migrations.is_dir():
            raise UsageError(f"{migrations} is not a folder", hint="--migrations takes a folder of migrations")
        project, host = settings.undeclared(migrations), Host()
    else:
        found = config or settings.find(start)
        if found is None:
            raise UsageError(
                f"there is no bgce.toml in {start} or above",
                hint="`bgce-migrate init` makes one; or try a plain folder: --migrations DIR",
            )
        host = Host.discover(settings.plugin_names(found), blocked=no_plugins, required=plugins_required)
        project = settings.load(found, delivered=host.delivered())
        host = _informed(host, project)
    return project, host


def _informed(host: Host, project: Project) -> Host:
    """The shipped webhook knows what `[notifications]` says; arguments of hooks carry no settings."""
    if "bgce_notifications" not in (plugin.name for plugin in host.plugins):
        return host
    from bgce_migrate.notifying.plugin import NAME, Webhook

    return host.with_implementation(NAME, Webhook(project.notices, project.name))
