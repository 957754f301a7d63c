"""Real migration tools, where they are installed: each makes the small shop of `scene.FILES` in a database."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from psycopg.conninfo import conninfo_to_dict

from tests.adopt.scene import FILES

#: The same two tables for tools that write no SQL of their own.
MODELS = """
import sqlalchemy as sa
metadata = sa.MetaData()
sa.Table("people", metadata, sa.Column("id", sa.BigInteger, primary_key=True), sa.Column("email", sa.String(80), nullable=False, unique=True))
sa.Table("orders", metadata, sa.Column("id", sa.BigInteger, primary_key=True),
         sa.Column("person_id", sa.ForeignKey("people.id"), nullable=False, index=True),
         sa.Column("state", sa.Enum("open", "paid", name="order_state"), server_default="open"),
         sa.Column("total", sa.Numeric(10, 2), nullable=False, server_default="0"), sa.Column("note", sa.Text, comment="said"))
"""
DJANGO = """
from django.conf import settings
import django, sys
settings.configure(INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth"], USE_TZ=True,
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    DATABASES={"default": dict(ENGINE="django.db.backends.postgresql", NAME=%(dbname)r, HOST=%(host)r, PORT=%(port)r,
                               USER=%(user)r, PASSWORD=%(password)r)})
django.setup()
from django.core.management import call_command
call_command("migrate", verbosity=0)
"""


def need(program: str) -> str:
    """A program's path, or a skip that says what is missing."""
    found = shutil.which(program)
    if found is None:
        pytest.skip(f"{program} is not installed")
    return found


def python_with(module: str, *programs: str) -> str:
    """An interpreter that has a module: this one, or the one beside a program of its package."""
    beside = [str(Path(found).with_name("python")) for p in programs if (found := shutil.which(p))]
    for interpreter in (sys.executable, *beside):
        if subprocess.run([interpreter, "-c", f"import {module}"], capture_output=True, check=False).returncode == 0:
            return interpreter
    pytest.skip(f"no Python here has {module}")


def _run(folder: Path, *words: str, **variables: str) -> None:
    done = subprocess.run(
        words, cwd=folder, env={**os.environ, "HOME": str(folder), **variables}, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, f"{words[0]}: {done.stdout}{done.stderr}"


def _dbmate(folder: Path, url: str) -> None:
    program = need("dbmate")
    (folder / "db").mkdir()
    for name, (up, down) in FILES.items():
        (folder / "db" / f"{name}.sql").write_text(f"-- migrate:up\n{up}\n-- migrate:down\n{down}\n")
    _run(folder, program, "--url", url, "-d", "db", "--no-dump-schema", "up")


def _golang_migrate(folder: Path, url: str) -> None:
    program = need("migrate")
    for name, (up, down) in FILES.items():
        (folder / f"{name}.up.sql").write_text(up)
        (folder / f"{name}.down.sql").write_text(down)
    _run(folder, program, "-path", str(folder), "-database", url, "up")


def _goose(folder: Path, url: str) -> None:
    program = need("goose")
    for name, (up, down) in FILES.items():
        (folder / f"{name}.sql").write_text(f"-- +goose Up\n{up}\n-- +goose Down\n{down}\n")
    _run(folder, program, "-dir", str(folder), "postgres", url, "up")


def _yoyo(folder: Path, url: str) -> None:
    program = need("yoyo")
    for name, (up, _) in FILES.items():
        number, _, slug = name.partition("_")
        (folder / f"{number}.{slug.replace('_', '-')}.sql").write_text(up)
    plain = re.sub(r"\?.*", "", url).replace("postgresql://", "postgresql+psycopg://")
    _run(folder, program, "apply", "--batch", "--no-config-file", "--database", plain, str(folder))


def _sqitch(folder: Path, url: str) -> None:
    program = need("sqitch")
    need("psql")
    p = conninfo_to_dict(url)
    (folder / "sqitch.conf").write_text("[core]\n engine = pg\n[user]\n name = Me\n email = me@example.org\n")
    _run(folder, program, "init", "shop")
    for name, (up, down) in FILES.items():
        slug = name.partition("_")[2]
        _run(folder, program, "add", slug, "-n", slug)
        (folder / "deploy" / f"{slug}.sql").write_text(up)
        (folder / "revert" / f"{slug}.sql").write_text(down)
        (folder / "verify" / f"{slug}.sql").write_text("SELECT 1;")
    target = f"db:pg://{p['user']}@{p['host']}:{p['port']}/{p['dbname']}"
    _run(folder, program, "deploy", "--no-verify", target, PGPASSWORD=str(p["password"]))


def _alembic(folder: Path, url: str) -> None:
    python = python_with("alembic", "alembic")
    _run(folder, python, "-m", "alembic", "init", "versions_of")
    plain = url.replace("postgresql://", "postgresql+psycopg://")
    ini = folder / "alembic.ini"
    ini.write_text(re.sub(r"sqlalchemy.url = .*", lambda _: "sqlalchemy.url = " + plain.replace("%", "%%"), ini.read_text()))
    (folder / "models.py").write_text(MODELS)
    env = folder / "versions_of" / "env.py"
    env.write_text(env.read_text().replace("target_metadata = None", "import sys; sys.path.insert(0, '.'); from models import metadata as target_metadata"))
    _run(folder, python, "-m", "alembic", "revision", "--autogenerate", "-m", "all")
    _run(folder, python, "-m", "alembic", "upgrade", "head")


def _create_all(folder: Path, url: str) -> None:
    python = python_with("sqlalchemy", "alembic")
    (folder / "models.py").write_text(MODELS)
    plain = url.replace("postgresql://", "postgresql+psycopg://")
    _run(folder, python, "-c", f"from models import *; metadata.create_all(sa.create_engine({plain!r}))")


def _django(folder: Path, url: str) -> None:
    python = python_with("django", "django-admin")
    _run(folder, python, "-c", DJANGO % conninfo_to_dict(url))


#: Tools whose files are SQL: the same files are our migrations.
WITH_FILES: dict[str, Callable[[Path, str], None]] = {
    "dbmate": _dbmate, "golang-migrate": _golang_migrate, "goose": _goose, "yoyo": _yoyo, "sqitch": _sqitch,
}  # fmt: skip
#: Tools that make tables from programs: our migrations are generated.
WITHOUT_FILES: dict[str, Callable[[Path, str], None]] = {"alembic": _alembic, "sqlalchemy": _create_all, "django": _django}
