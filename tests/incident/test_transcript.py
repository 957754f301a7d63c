"""The page about a stuck migration shows what really happens: three commands, word for word.

`TRANSCRIPTS=write pytest tests/incident/test_transcript.py` writes it anew; read the difference before you commit.
"""

from __future__ import annotations

import os
import re
import threading
from pathlib import Path

import psycopg
import pytest

from tests.cli.program import bgce
from tests.faults.site import SECRET, Site, only_guarded, until

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "incident.md"
BLOCK = re.compile(r"(?<=```console\n).*?(?=```)", re.DOTALL)

pytestmark = pytest.mark.postgres(18)


def normal(text: str, names: dict[str, str]) -> str:
    for before, after in names.items():
        text = text.replace(before, after)
    text = re.sub(r"\b\d+(?:\.\d)? s\b", "2.0 s", text)
    return re.sub(r" of \S+@\S+,", " of ci@runner-7,", re.sub(r" as \S+@\S+ asked", " as mira@laptop asked", text))


@only_guarded
def test_a_stuck_migration_is_understood_and_ended_with_three_commands(site: Site) -> None:
    api = '[[services]]\nname = "cortex"\nlogin = "cortex_user"\n'
    site.domain("cortex", tables=["users"])
    toml = site.folder / "cortex" / "domain.toml"
    toml.write_text(toml.read_text() + api)
    site.domain("postal", tables=["posts"], requires=["cortex"])
    site.write("cortex", 1, "CREATE TABLE users (id bigint PRIMARY KEY, email text);", "DROP TABLE users;", "create_users")
    site.write("postal", 1, "CREATE TABLE posts (id bigint PRIMARY KEY);", "DROP TABLE posts;", "create_posts")
    site.bootstrap()
    assert site.run("up").code == 0
    site.write(
        "postal", 2,
        "ALTER TABLE posts ADD COLUMN reviewed_at timestamptz;\n"
        "ALTER TABLE posts ADD COLUMN reviewer_id bigint REFERENCES users (id);\n"
        "SELECT pg_sleep(1.5);",
        "ALTER TABLE posts DROP COLUMN reviewer_id, DROP COLUMN reviewed_at;", "add_reviewer",
    )  # fmt: skip
    site.query("INSERT INTO users VALUES (1, 'a@b')")
    site.query(f"ALTER ROLE cortex_user PASSWORD '{SECRET}'")
    as_service = psycopg.conninfo.make_conninfo(site.url, user="cortex_user")
    lines: list[str] = []

    def say(*words: str) -> None:
        answer = bgce(*words, cwd=site.root, env={"DATABASE_URL": site.url})
        assert answer.code == 0, answer.err
        lines.append(f"$ bgce-migrate {' '.join(words)}\n{answer.err}{answer.out}")

    def write_behind() -> None:
        with psycopg.connect(as_service, autocommit=True, application_name="users-api") as connection:
            connection.execute("UPDATE users SET email = 'c@d' WHERE id = 1")

    with psycopg.connect(as_service, application_name="users-api") as holder:
        holder.execute("UPDATE users SET email = 'b@c' WHERE id = 2")
        run = site.start("up", "--lock-timeout", "60s")
        until(lambda: site.working("ALTER TABLE posts ADD COLUMN reviewer_id"))
        behind = threading.Thread(target=write_behind)
        behind.start()
        until(lambda: site.query("SELECT 1 FROM pg_locks WHERE NOT granted AND mode = 'RowExclusiveLock'"))
        say("incident")
        short = site.value("SELECT left(run_id::text, 8) FROM bgce_migrate.epoch")
        ours = site.working("ALTER TABLE posts ADD COLUMN reviewer_id")
        say("pause")
        behind.join(10)
        assert not behind.is_alive()
        theirs = holder.info.backend_pid
        holder.rollback()
    say("resume", short)
    assert run.wait().code == 0
    text = normal("\n".join(lines), {short: "7f3a8b12", str(theirs): "4711", str(ours): "4723"})
    page = PAGE.read_text(encoding="utf-8")
    if os.environ.get("TRANSCRIPTS") == "write":
        PAGE.write_text(BLOCK.sub(lambda _: text, page), encoding="utf-8")
    assert text == (BLOCK.search(PAGE.read_text(encoding="utf-8")) or [""])[0]
