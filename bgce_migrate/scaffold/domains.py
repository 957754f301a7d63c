"""`new domain`: a declaration and the first pair of files, or an installable package around them."""

from __future__ import annotations

import os
from pathlib import Path

from bgce_migrate.config.domain_file import DECLARATION
from bgce_migrate.config.globs import holds_migrations
from bgce_migrate.config.paths import shown
from bgce_migrate.config.project import Project
from bgce_migrate.domain import name_fault
from bgce_migrate.errors import UsageError
from bgce_migrate.registry.references import printable
from bgce_migrate.scaffold.bgce_toml import listed, with_domain
from bgce_migrate.scaffold.files import render, write_new


def new_domain(project: Project, name: str, *, plugin: bool = False) -> tuple[Path, ...]:
    """Write a new domain; its folder is entered in `bgce.toml` if no pattern there covers it.

    Args:
        name: of the domain, its folder and its service.
        plugin: write an installable Python package `plugins/bgce_NAME` that carries the domain, instead
            of the plain folder `migrations/NAME`.

    Returns:
        the files written; last `bgce.toml`, if it was changed.

    Raises:
        UsageError: a bad or taken name, a file that exists, or no `bgce.toml`.
        ConfigError: a file cannot be written.
    """
    if project.file is None:
        raise UsageError("a domain needs a bgce.toml", hint="bgce-migrate init")
    if fault := name_fault(name):
        raise UsageError(
            printable(fault), hint="a domain is named like the service that writes it, e.g. wallet"
        )
    _free(project, name)
    values = {"name": name, "title": name.replace("_", " ").capitalize(), "table": f"{name}_items"}
    if plugin:
        package = project.root / "plugins" / f"bgce_{name}"
        folder = package / "src" / f"bgce_{name}" / "migrations"
        contents = _package(package, name, values)
    else:
        folder, contents = project.root / "migrations" / name, {}
    has_files = holds_migrations(folder)
    declaration = "domain_bare.toml.tmpl" if has_files else "domain.toml.tmpl"
    contents[folder / DECLARATION] = render(declaration, values)
    if not has_files:
        for direction in ("up", "down"):
            file = folder / f"000001_create_{values['table']}_table.{direction}.sql"
            contents[file] = render(f"first.{direction}.sql.tmpl", values)
    pattern = folder.relative_to(project.root).as_posix()
    text = None if listed(project, pattern) else with_domain(project, pattern)
    written = write_new(contents)
    if text is not None:
        _replace(project.file, text)
        written = (*written, project.file)
    return written


def _free(project: Project, name: str) -> None:
    """No domain, service, login or table of another may have the new domain's names."""
    registry = project.registry
    if name in registry:
        raise UsageError(f"domain {name} exists already, in {shown(registry[name].folder)}")
    if name in registry.services:
        raise UsageError(f"service {name} of {registry.domain_of(name).name} has this name")
    roles = {role: d.name for d in project.domains for role in (d.owner, d.migrator)}
    roles |= {s.login: d.name for d in project.domains for s in d.services}
    for role in (f"{name}_user", f"{name}_owner", f"{name}_migrator"):
        if role in roles:
            raise UsageError(f"role {role} belongs to {roles[role]} already", hint="choose another name")
    if owner := registry.owner_of(f"{name}_items", "public"):
        raise UsageError(f"table {name}_items belongs to {owner} already", hint="choose another name")


def _package(package: Path, name: str, values: dict[str, str]) -> dict[Path, str]:
    return {
        package / "pyproject.toml": render("plugin_pyproject.toml.tmpl", values),
        package / "README.md": render("plugin_readme.md.tmpl", values),
        package / "src" / f"bgce_{name}" / "__init__.py": render("plugin_init.py.tmpl", values),
        package / "src" / f"bgce_{name}" / "py.typed": "",
        package / "tests" / f"test_bgce_{name}.py": render("plugin_test.py.tmpl", values),
    }


def _replace(path: Path, text: str) -> None:
    """Put a changed file in the place of the old one at once, with its permissions."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        draft.write_bytes(text.encode())
        draft.chmod(path.stat().st_mode & 0o7777)
        os.replace(draft, path)
    finally:
        draft.unlink(missing_ok=True)
