"""Against a database: only what it lacks, its sizes, who waits and how long; and nothing but looking."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict

from bgce_migrate.measure.weights import duration, volume
from tests.cli.program import bgce
from tests.e2e.scene import PASSWORD, as_role
from tests.measure.scene import enlarge, measured, shop_with_rows, step
from tests.servers import as_superuser

#: What a session that only looks may say.
LOOKS = re.compile(r"\s*(--[^\n]*\n\s*)*(SELECT|WITH|SHOW|BEGIN|COMMIT|ROLLBACK|SET LOCAL)\b", re.IGNORECASE)


def test_who_waits_for_what_and_how_long(tmp_path: Path, database: str, server_root: Path) -> None:
    project = shop_with_rows(tmp_path, database)
    name = str(conninfo_to_dict(database)["dbname"])
    with psycopg.connect(as_superuser(database), autocommit=True) as connection:
        for statement in (
            f"CREATE ROLE looker LOGIN PASSWORD '{PASSWORD}'",
            "ALTER ROLE looker SET log_statement = 'all'",
            f"GRANT CONNECT ON DATABASE {name} TO looker",
            "GRANT USAGE ON SCHEMA bgce_migrate TO looker",
            "GRANT SELECT ON ALL TABLES IN SCHEMA bgce_migrate TO looker",
        ):
            connection.execute(statement.encode())
        major = connection.info.server_version // 10000
    looker = as_role(database, "looker")
    log = next(p for p in server_root.rglob("log") if p.is_file() and str(major) in p.parent.name)
    begun = log.stat().st_size

    found = measured("-d", looker, cwd=project)
    assert found["server"].startswith(f"{major}.") and name in found["sizes"]
    assert [s["id"][:13] for s in found["steps"]] == ["cortex/000003", "postal/000002", "stats/000002_"]
    widen = step(found, "cortex/000003")
    (rewrite,) = widen["statements"][0]["work"]
    assert (rewrite["kind"], rewrite["table"], rewrite["domain"]) == ("rewrite", "users", "cortex")
    assert rewrite["rows"] == 20000 and 4_000_000 < rewrite["bytes"] < 9_000_000 and 0.1 < rewrite["estimated_seconds"] < 1
    assert [w["kind"] for w in widen["statements"][1]["work"]] == ["scan"] and widen["statements"][1]["tag"] == "DO"
    (block,) = widen["blocks"]
    assert (block["mode"], block["stops"], block["line"]) == ("ACCESS EXCLUSIVE", "reads and writes", 1)
    assert block["services"] == [{"service": "cortex", "domain": "cortex"}, {"service": "counter", "domain": "stats"}]
    (own, theirs) = sorted(step(found, "postal/000002")["blocks"], key=lambda b: b["table"])
    assert (own["table"], own["stops"]) == ("posts", "reads and writes")
    assert (theirs["table"], theirs["domain"], theirs["stops"]) == ("users", "cortex", "writes")
    assert theirs["services"] == [{"service": "cortex", "domain": "cortex"}]
    assert step(found, "stats/000002")["blocks"] == [], "a table that is new is in nobody's way"
    rules = {f["rule"]: f for f in found["findings"]}
    assert set(rules) == {"measured-rewrite", "measured-scan", "measured-foreign-lock"}
    assert all(f["severity"] == "note" for f in found["findings"]), "all of it takes less than a second"
    assert rules["measured-foreign-lock"]["domains"] == ["cortex"] and rules["measured-foreign-lock"]["domain"] == "postal"
    assert rules["measured-rewrite"]["domains"] == ["cortex", "stats"] and rules["measured-rewrite"]["line"] == 1

    dry = bgce("up", "--dry-run", "--json", "-d", looker, cwd=project, timeout=120).document["measured"]
    assert timeless(dry) == timeless(found)
    assert bgce("stats", "export", "-d", looker, cwd=project).code == 0
    said = re.findall(r"LOG:  (?:statement|execute [^:]*): (.*(?:\n\t.*)*)", log.read_bytes()[begun:].decode(errors="replace"))
    assert len(said) > 10 and [text for text in said if not LOOKS.match(text)] == []
    with psycopg.connect(database) as connection:
        assert connection.execute("SELECT count(*) FROM bgce_migrate.migration_history").fetchone() == (4,)


def timeless(found: dict[str, Any]) -> list[dict[str, Any]]:
    """Its steps without the times of scratch."""
    return [
        {**s, "statements": [{k: v for k, v in x.items() if k != "duration_ms"} for x in s["statements"]]} for s in found["steps"]
    ]


def test_sizes_from_a_file(tmp_path: Path, database: str) -> None:
    project = shop_with_rows(tmp_path, database)
    file = project / "stats.json"
    assert bgce("stats", "export", "--output", file, "-d", database, cwd=project).out.strip() == "stats.json"
    document = json.loads(file.read_text())
    assert document["schema"] == "bgce-migrate/stats/1" and document["server_version"] // 10000 in (16, 18)
    assert {t["name"]: t["rows"] for t in document["tables"]} == {"users": 20000, "posts": 0, "counts": 0}
    assert "xxxx" not in file.read_text()
    enlarge(file, "users", 400_000_000, 90_000_000_000)
    words = ("--stats", file, "--domain", "cortex")
    text = bgce("plan", "--measure", *words, cwd=project, timeout=120)
    assert text.code == 0, text.err
    assert (
        "000003_widen.up.sql:1:1: warning: cortex/000003: ALTER TABLE writes every row of users (400,000,000 rows, 90 GB) anew; nobody can"
        " read or write it for about 60 min (estimate): cortex, counter (stats) wait [measured-rewrite]"
    ) in text.out
    page = bgce("plan", "--measure", "--format", "markdown", *words, cwd=project, timeout=120).out
    assert "| <code>users</code> | <code>cortex</code> | ACCESS EXCLUSIVE | reads and writes | about 60 min |" in page
    wrong = bgce("plan", "--measure", "--stats", project / "bgce.toml", cwd=project)
    assert wrong.code == 2 and "is not a file of statistics" in wrong.err


def test_words_for_sizes_and_times() -> None:
    assert [duration(s) for s in (0.2, 3.21, 45, 600, 20_000)] == [
        "less than a second", "about 3.2 s", "about 45 s", "about 10 min", "about 5.6 h",
    ]  # fmt: skip
    assert [volume(b) for b in (12, 4_096, 5_200_000, 90_000_000_000, 3e12)] == ["12 bytes", "4.1 kB", "5.2 MB", "90 GB", "3 TB"]
