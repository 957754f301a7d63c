"""Other tools, as far as they are installed: dbmate, yoyo, alembic, sqitch."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.clock import Job
from bench.contestants import Contestant, place
from bench.ground import Ground, cache_folder
from bench.workload import File, Workload

_ENV_PY = """\
from alembic import context
from sqlalchemy import create_engine, pool

engine = create_engine(context.config.get_main_option("sqlalchemy.url"), poolclass=pool.NullPool)
with engine.connect() as connection:
    context.configure(connection=connection, transaction_per_migration=True)
    with context.begin_transaction():
        context.run_migrations()
"""


def _program(name: str) -> Path | None:
    """A tool's program: in the cache's own environments, else on the path."""
    kept = cache_folder() / "venv" / "bin" / name
    if kept.exists():
        return kept
    packed = sorted((cache_folder() / "npm" / "node_modules" / "@dbmate").glob(f"*/bin/{name}"))
    if packed:
        return packed[0]
    found = shutil.which(name)
    return Path(found) if found else None


def _numbered(workload: Workload) -> list[tuple[str, File]]:
    """For tools with one sequence for everything: a name that sorts, and the file."""
    return [(f"{n:06d}_{f.domain}_{f.slug}", f) for n, f in enumerate(workload.files, 1)]


@dataclass
class Peer:
    """What peers share: a program that is there or not, a folder, and words that print its version."""

    name: str
    ask: tuple[str, ...] = ("--version",)
    package: str = ""  # on PyPI, for a program that does not say its version
    folder: Path = Path()

    def missing(self) -> str | None:
        """Why it cannot take part, or None."""
        return None if _program(self.name) else "not installed"

    @property
    def program(self) -> str:
        """The path of its program."""
        found = _program(self.name)
        assert found is not None
        return str(found)

    def version(self) -> str:
        """What it says of itself."""
        argv = [self.program, *self.ask]
        python = Path(self.program).with_name("python")
        if self.package and python.exists():
            argv = [
                str(python),
                "-c",
                f"from importlib.metadata import version as v; print(v({self.package!r}))",
            ]
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
        return (done.stdout + done.stderr).strip().partition("\n")[0]


class Dbmate(Peer):
    """A Go program; a transaction a file, its row in it."""

    def write(self, workload: Workload, folder: Path) -> None:
        """One file a migration, both directions in it."""
        self.folder = folder
        folder.mkdir()
        for name, file in _numbered(workload):
            text = f"-- migrate:up\n{file.up}\n-- migrate:down\n{file.down}"
            (folder / f"{name}.sql").write_text(text)

    def ready(self, ground: Ground, database: str) -> Job:
        """Nothing to prepare."""
        url = ground.url(database)
        return Job((self.program, "--url", url, "-d", str(self.folder), "--no-dump-schema", "migrate"))


class Yoyo(Peer):
    """A Python program; a transaction a file, its rows in it."""

    def write(self, workload: Workload, folder: Path) -> None:
        """Pairs of files."""
        self.folder = folder
        folder.mkdir()
        for name, file in _numbered(workload):
            (folder / f"{name}.sql").write_text(file.up)
            (folder / f"{name}.rollback.sql").write_text(file.down)

    def ready(self, ground: Ground, database: str) -> Job:
        """Nothing to prepare."""
        url = f"postgresql+psycopg://{place(ground.url(database))}"
        return Job(
            (self.program, "apply", "--batch", "--no-config-file", "--database", url, str(self.folder))
        )


class Alembic(Peer):
    """A Python program; a chain of Python files, here with a transaction each."""

    def write(self, workload: Workload, folder: Path) -> None:
        """One Python file a migration."""
        self.folder = folder
        (folder / "versions").mkdir(parents=True)
        (folder / "env.py").write_text(_ENV_PY)
        before: str | None = None
        for name, file in _numbered(workload):
            revision = name.partition("_")[0]
            text = (
                f"from alembic import op\n\nrevision = {revision!r}\ndown_revision = {before!r}\n\n\n"
                f"def upgrade():\n    op.execute({file.up!r})\n\n\n"
                f"def downgrade():\n    op.execute({file.down!r})\n"
            )
            (folder / "versions" / f"{name}.py").write_text(text)
            before = revision

    def ready(self, ground: Ground, database: str) -> Job:
        """Its configuration names the database."""
        url = f"postgresql+psycopg://{place(ground.url(database))}".replace("%", "%%")
        config = self.folder / "alembic.ini"
        config.write_text(f"[alembic]\nscript_location = {self.folder}\nsqlalchemy.url = {url}\n")
        return Job((self.program, "-c", str(config), "upgrade", "head"))


class Sqitch(Peer):
    """A Perl program; a psql for every change, its registry on a connection of its own."""

    def write(self, workload: Workload, folder: Path) -> None:
        """A plan, and a script a direction."""
        self.folder = folder
        lines = ["%syntax-version=1.0.0", "%project=bench", ""]
        for kind in ("deploy", "revert"):
            (folder / kind).mkdir(parents=True)
        for name, file in _numbered(workload):
            lines.append(f"{name} 2026-01-01T00:00:00Z Bench <bench@example.org> # {file.slug}")
            (folder / "deploy" / f"{name}.sql").write_text(f"BEGIN;\n{file.up}COMMIT;\n")
            (folder / "revert" / f"{name}.sql").write_text(f"BEGIN;\n{file.down}COMMIT;\n")
        (folder / "sqitch.plan").write_text("\n".join(lines) + "\n")

    def ready(self, ground: Ground, database: str) -> Job:
        """Its configuration names the client program and the user."""
        (self.folder / "sqitch.conf").write_text(
            f"[core]\n  engine = pg\n[engine \"pg\"]\n  client = {ground.psql}\n"
            "[user]\n  name = Bench\n  email = bench@example.org\n"
        )  # fmt: skip
        url = f"db:pg://{place(ground.url(database))}"
        return Job((self.program, "deploy", url), {"TZ": "UTC"}, self.folder)


def all_peers() -> list[Contestant]:
    """Every peer we know how to run, installed or not."""
    return [Dbmate("dbmate"), Yoyo("yoyo", package="yoyo-migrations"), Alembic("alembic"), Sqitch("sqitch")]


def versions(contestants: Sequence[Contestant]) -> dict[str, str]:
    """What the peers that are here say of themselves."""
    return {c.name: c.version() for c in contestants if isinstance(c, Peer) and not c.missing()}


def install() -> None:
    """Install the peers that come from PyPI and npm into the cache; sqitch is a package of the system."""
    cache = cache_folder()
    subprocess.run([sys.executable, "-m", "venv", str(cache / "venv")], check=True)
    packages = ("alembic", "yoyo-migrations", "setuptools", "psycopg[binary]")
    subprocess.run([str(cache / "venv" / "bin" / "pip"), "install", "--quiet", *packages], check=True)
    if shutil.which("npm"):
        argv = [
            "npm",
            "install",
            "--silent",
            "--no-audit",
            "--no-fund",
            "--prefix",
            str(cache / "npm"),
            "dbmate",
        ]
        subprocess.run(argv, check=True)
