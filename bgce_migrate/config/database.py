"""Which database a command goes to: flag, `url_env`, libpq's variables, the embedded server."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal

from msgspec import Struct

from bgce_migrate.config.conninfo import accept, redact
from bgce_migrate.config.dotenv import read_dotenv
from bgce_migrate.config.project import Project
from bgce_migrate.errors import UsageError
from bgce_migrate.registry.references import did_you_mean, printable

__all__ = ["DatabaseChoice", "redact", "resolve"]

#: Variables that name a database; a user or a password alone does not.
NAMING = ("PGSERVICE", "PGHOST", "PGHOSTADDR", "PGPORT", "PGDATABASE")
#: Variables of libpq that are errors when set and empty.
LIBPQ = (*NAMING, "PGUSER", "PGPASSWORD")
FLAG = "--database-url"


class DatabaseChoice(Struct, frozen=True):
    """Where a command goes.

    Attributes:
        kind: "url" (a connection string was given), "libpq" (libpq's variables decide) or "embedded".
        conninfo: for libpq; empty with "libpq" and "embedded".
        source: what named it: the flag, a variable (with `.env` if from there), or "".
        notes: lines to say first: the embedded server is used, parameters were left out.
    """

    kind: Literal["url", "libpq", "embedded"]
    conninfo: str = ""
    source: str = ""
    notes: tuple[str, ...] = ()

    @property
    def shown(self) -> str:
        """The target without any secret."""
        if self.kind == "url":
            return redact(self.conninfo)
        return "the embedded server" if self.kind == "embedded" else f"named by {self.source}"


def resolve(
    project: Project,
    *,
    flag: str | None,
    environment: Mapping[str, str],
    env_name: str | None = None,
    terminal: bool = False,
    embedded: bool = False,
) -> DatabaseChoice:
    """Choose the database; starts nothing and connects to nothing.

    Args:
        flag: the value of `--database-url`, None if not given.
        environment: the process's environment variables.
        env_name: an environment of `bgce.toml`; its variables replace `[database] url_env`.
        terminal: a person sees the output.
        embedded: `--embedded` was said.

    Raises:
        UsageError: a variable or flag that is set and empty, a malformed URL, an unknown environment, two
            choices at once, or nothing named and no terminal.
        ConfigError: `.env` cannot be read.
    """
    names = _names(project, env_name)
    if flag is not None:
        if embedded:
            raise UsageError(f"{FLAG} and --embedded name two databases", hint="leave one out")
        if not flag.strip():
            raise UsageError(f"{FLAG} is given and empty", hint=_empty_hint())
        return _given(flag, FLAG)
    given = _variable(project, names, environment)
    libpq = _libpq(environment) if given is None and env_name is None else None
    if embedded:
        return DatabaseChoice("embedded", source="--embedded", notes=("using the embedded server",))
    if given is not None:
        return _given(*given)
    if env_name is not None:
        raise UsageError(
            f"environment {env_name} has no database: {' or '.join(names) or 'url_env'} is not set",
            hint=f"set {names[0]}" if names else f"give [environments.{env_name}] a url_env",
        )
    if libpq is not None:
        return DatabaseChoice("libpq", source=libpq)
    if terminal:
        said = (
            f"no database is named ({', '.join((*names, 'PGHOST'))} are not set): using the embedded server"
        )
        return DatabaseChoice("embedded", notes=(said,))
    raise UsageError(
        "no database is named, and there is no terminal to ask",
        hint=f"set {names[0] if names else 'PGHOST'}, give {FLAG}, or say --embedded",
    )


def _names(project: Project, env_name: str | None) -> tuple[str, ...]:
    if env_name is None:
        return project.database.url_env
    if env_name not in project.environments:
        known = ", ".join(sorted(project.environments)) or "none"
        hint = did_you_mean(env_name, project.environments) or f"declared environments: {known}"
        raise UsageError(f"there is no environment '{printable(env_name)}'", hint=hint)
    return project.environments[env_name].url_env


def _variable(
    project: Project, names: Iterable[str], environment: Mapping[str, str]
) -> tuple[str, str] | None:
    """The first variable that is set, with its name; the process's own win over `.env`."""
    file = read_dotenv(project.root, set(names)) if project.file is not None else {}
    for name in names:
        for values, source in ((environment, name), (file, f"{name} in .env")):
            if name in values:
                if not values[name].strip():
                    raise UsageError(f"{source} is set and empty", hint=_empty_hint())
                return values[name], source
    return None


def _libpq(environment: Mapping[str, str]) -> str | None:
    for name in LIBPQ:
        if name in environment and not environment[name].strip():
            raise UsageError(f"{name} is set and empty", hint=_empty_hint())
    return next((name for name in NAMING if name in environment), None)


def _empty_hint() -> str:
    return "a missing secret arrives as an empty string; set it, or remove the variable"


def _given(conninfo: str, source: str) -> DatabaseChoice:
    text, notes = accept(conninfo, source)
    return DatabaseChoice("url", text, source, notes)
