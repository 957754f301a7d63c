"""What a person sees, word for word; ids, times and the database's name normalised.

`TRANSCRIPTS=write pytest tests/cli/test_transcripts.py` writes them anew; read the difference before you commit.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from tests.cli.program import SHOP, bgce, write

FOLDER = Path(__file__).parent / "transcripts"
UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
NORMAL = (
    (UUID, "RUN"),
    (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z?", "TIME"),
    (r"\btest_\d+_\d+\b", "DB"),
    (r"(applied|reverted|failed) \d+ ms", r"\1 N ms"),
    (r"  +(applied|reverted|failed) +\d+", r"  \1  N"),
    (r"\d+\.\d s\b", "N s"),
    (r"WAL position [0-9A-F]+/[0-9A-F]+", "WAL position N/N"),
    (r"  [0-9a-f]{8}$", "  RUN"),
    (r"(?<=\S) {2,}", "  "),  # how wide a column is depends on how long a step took
)


class Transcript:
    """Runs commands and keeps what they said: `! ` before lines of standard error."""

    def __init__(self, cwd: Path, database: str) -> None:
        self.cwd = cwd
        self.env = {"DATABASE_URL": database}
        self.lines: list[str] = []

    def __call__(self, line: str) -> None:
        answer = bgce(*line.split(), cwd=self.cwd, env=self.env)
        said = [f"! {text}" for text in answer.err.splitlines()] + answer.out.splitlines()
        self.lines += [f"$ bgce-migrate {line}", *map(normal, said), f"= {answer.code}", ""]

    def check(self, name: str) -> None:
        file, text = FOLDER / f"{name}.txt", "\n".join(self.lines)
        if os.environ.get("TRANSCRIPTS") == "write":
            file.parent.mkdir(exist_ok=True)
            file.write_text(text, encoding="utf-8")
        assert text == file.read_text(encoding="utf-8")


def normal(line: str) -> str:
    for pattern, word in NORMAL:
        line = re.sub(pattern, word, line)
    return line.rstrip()


@pytest.fixture
def say(shop: Path, database: str) -> Transcript:
    return Transcript(shop, database)


def test_every_day(say: Transcript) -> None:
    say("plan --explain")
    say("lock")
    say("lock --check")
    say("up")
    say("up")
    say("status")
    say("version")
    say("version --domain cortex")
    say("history --verify")
    say("plan --check")
    say.check("every_day")


def test_there_and_back(say: Transcript) -> None:
    say("up")
    say("down")
    say("down 1")
    say("down 1 --domain cortex")
    say("down 1 --domain postal")
    say("down --to cortex/1")
    say("goto 2")
    say("goto 2 --domain cortex")
    say("down --all")
    say("down --all")
    say("status --check")
    say.check("there_and_back")


def test_a_step_fails(say: Transcript) -> None:
    bad = "-- posts\nCREATE TABLE posts (\n    id bigint PRIMARY KEY,\n    author bigint REFERENCES users (nope)\n);\n"
    write(say.cwd, {
        "migrations/postal/000001_create_posts.up.sql": bad,
        "migrations/postal/000002_more.up.sql": "ALTER TABLE posts ADD COLUMN title text;\n",
        "migrations/postal/000002_more.down.sql": "ALTER TABLE posts DROP COLUMN title;\n",
    })  # fmt: skip
    say("up")
    say("status")
    write(say.cwd, {"migrations/postal/000001_create_posts.up.sql": bad.replace("nope", "id")})
    say("up")
    say.check("a_step_fails")


def test_bookkeeping_by_hand(say: Transcript) -> None:
    say("force 2")
    say("force 2 --domain cortex")
    say("status")
    say("force 0 --domain cortex")
    say("up --domain postal")
    say("repair")
    say("drop")
    say("drop --name wrong")
    say.check("bookkeeping_by_hand")


def test_data_is_not_lost_unasked(say: Transcript) -> None:
    import psycopg

    say("up")
    with psycopg.connect(say.env["DATABASE_URL"]) as connection:
        connection.execute("INSERT INTO users VALUES (1, 'a@b', 'me')")
    say("down --to cortex/1 --cascade")
    say("down --to cortex/1 --cascade --yes")
    say.check("data_is_not_lost_unasked")


def test_declarations_are_wrong(say: Transcript) -> None:
    write(say.cwd, {
        "migrations/cortex/domain.toml": str(SHOP["migrations/cortex/domain.toml"]).replace("title", "titel"),
        "migrations/postal/domain.toml": 'name = "postal"\nrequires = ["cortx"]\n[tables.users]\n[tables.posts]\n',
    })  # fmt: skip
    say("plan")
    say("up")
    say.check("declarations_are_wrong")


def test_an_undeclared_dependency(say: Transcript) -> None:
    text = str(SHOP["migrations/postal/domain.toml"]).replace('requires = ["cortex"]\n', "")
    write(say.cwd, {"migrations/postal/domain.toml": text})
    say("up")
    say.check("an_undeclared_dependency")


def test_an_edited_file(say: Transcript) -> None:
    say("up")
    write(say.cwd, {"migrations/cortex/000002_add_bio.up.sql": "ALTER TABLE users ADD COLUMN bio varchar(9);\n"})
    say("status")
    say("up")
    say.check("an_edited_file")
