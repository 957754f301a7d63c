"""Files and variables -> settings, declarations, migrations as read, and the database to go to."""

from __future__ import annotations

from bgce_migrate.config.database import DatabaseChoice, redact, resolve
from bgce_migrate.config.folders import FolderContents, read_folder, read_migrations, read_what_can_be_read
from bgce_migrate.config.load import find, load, load_domain, plugin_names
from bgce_migrate.config.project import Compat, Database, Environment, Project, Replica, Scratch
from bgce_migrate.config.undeclared import as_found, undeclared

__all__ = [
    "Compat",
    "Database",
    "DatabaseChoice",
    "Environment",
    "FolderContents",
    "Project",
    "Replica",
    "Scratch",
    "as_found",
    "find",
    "load",
    "load_domain",
    "plugin_names",
    "read_folder",
    "read_migrations",
    "read_what_can_be_read",
    "redact",
    "resolve",
    "undeclared",
]
