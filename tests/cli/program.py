"""The program as users start it: a process of its own, in a folder of its own."""

from __future__ import annotations

import atexit
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.zygote import Zygote

REPOSITORY = Path(__file__).resolve().parents[2]
COMMAND = (sys.executable, "-m", "bgce_migrate")


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, Any]:
        """Standard output, which must be one JSON document."""
        found = json.loads(self.out)
        assert isinstance(found, dict)
        return found


def environment(more: Mapping[str, str] | None = None) -> dict[str, str]:
    """The test's own environment with our package in reach."""
    return {**os.environ, "PYTHONPATH": str(REPOSITORY), "PYTHONUNBUFFERED": "1", **(more or {})}


def bgce(
    *arguments: str | Path, cwd: Path, env: Mapping[str, str] | None = None, answers: str = "", timeout: float = 60
) -> Answer:
    """Run one command line to its end; `answers` is its standard input, no terminal.

    The process is forked from a loaded one. Where `env` tells Python itself something, Python is started.
    """
    words = list(map(str, arguments))
    if any(name.startswith(("PYTHON", "LC_", "LANG")) for name in env or ()):
        answer = _started(words, cwd, env, answers, timeout)
    else:
        answer = _forked(words, cwd, env, answers, timeout)
    assert "Traceback (most recent call last)" not in answer.out + answer.err, answer.err
    return answer


def _started(words: list[str], cwd: Path, env: Mapping[str, str] | None, answers: str, timeout: float) -> Answer:
    done = subprocess.run(
        [*COMMAND, *words], cwd=cwd, env=environment(env), input=answers,
        capture_output=True, text=True, encoding="utf-8", errors="surrogateescape", timeout=timeout, check=False,
    )  # fmt: skip
    return Answer(done.returncode, done.stdout, done.stderr)


def _forked(words: list[str], cwd: Path, env: Mapping[str, str] | None, answers: str, timeout: float) -> Answer:
    process = zygote().start(words, cwd, environment(env), answers)
    code = process.ended(timeout)
    out, err = (path.read_bytes().decode("utf-8", "surrogateescape") for path in (process.out, process.err))
    return Answer(code, out, err)


@cache
def zygote() -> Zygote:
    """One for all tests of this process."""
    folder = TemporaryDirectory(prefix="bgce-zygote-")
    made = Zygote(Path(folder.name))
    atexit.register(folder.cleanup)
    atexit.register(made.close)
    return made


def start(*arguments: str | Path, cwd: Path, env: Mapping[str, str] | None = None) -> subprocess.Popen[str]:
    """Start one command line; the caller sends it signals and reads its end."""
    return subprocess.Popen(
        [*COMMAND, *map(str, arguments)], cwd=cwd, env=environment(env), stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def write(root: Path, files: Mapping[str, str | bytes]) -> Path:
    """Write files below `root`, whatever their folders."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return root


SHOP: dict[str, str | bytes] = {
    "bgce.toml": '[project]\nname = "shop"\ndomains = ["migrations/cortex", "migrations/postal"]\n',
    "migrations/cortex/domain.toml": (
        'name = "cortex"\ntitle = "Core"\n[tables.users]\n[[services]]\nname = "cortex"\nlogin = "cortex_user"\n'
    ),
    "migrations/cortex/000001_create_users.up.sql": "CREATE TABLE users (id bigint PRIMARY KEY, email text);\n",
    "migrations/cortex/000001_create_users.down.sql": "DROP TABLE users;\n",
    "migrations/cortex/000002_add_bio.up.sql": "ALTER TABLE users ADD COLUMN bio text;\n",
    "migrations/cortex/000002_add_bio.down.sql": "ALTER TABLE users DROP COLUMN bio;\n",
    "migrations/postal/domain.toml": (
        'name = "postal"\nrequires = ["cortex"]\n[tables.posts]\n'
        '[[services]]\nname = "postal"\nlogin = "postal_user"\n'
    ),
    "migrations/postal/000001_create_posts.up.sql": (
        "CREATE TABLE posts (\n    id bigint PRIMARY KEY,\n    author bigint REFERENCES users (id)\n);\n"
    ),
    "migrations/postal/000001_create_posts.down.sql": "DROP TABLE posts;\n",
}

PLAIN: dict[str, str | bytes] = {
    "1_users.up.sql": "CREATE TABLE users (id bigint);\n",
    "1_users.down.sql": "DROP TABLE users;\n",
    "2_bio.up.sql": "ALTER TABLE users ADD COLUMN bio text;\n",
    "2_bio.down.sql": "ALTER TABLE users DROP COLUMN bio;\n",
    "3_posts.up.sql": "CREATE TABLE posts (id bigint);\n",
    "3_posts.down.sql": "DROP TABLE posts;\n",
}
