"""Downs judged by nothing but psql and `pg_dump -s`, to hold beside what `verify` says of a public project's folder.

    python -m bench.independent FOLDER [verify.json]

Needs psql, pg_dump and a server that the PG* variables lead to, whose login may create databases. Prints a line a migration
on which the two differ, and how many agree. FOLDER may also be given as BGCE_PUBLIC_FOLDER.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

DATABASE, COPY = "bgce_independent", "bgce_independent_copy"
#: Verdicts that a dump cannot tell apart.
_SAME = {"irreversible": "missing"}


def _run(*argv: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(argv, capture_output=True, text=True)


def _file(path: Path, database: str) -> bool:
    """Whether a file runs, as golang-migrate sends it: one transaction unless it says otherwise itself."""
    return _run("psql", "-qX", "-v", "ON_ERROR_STOP=1", "-d", database, "-c", path.read_text(encoding="utf-8-sig")).returncode == 0


def _dump(database: str) -> list[str]:
    done = _run("pg_dump", "-s", "-d", database)
    assert done.returncode == 0, done.stderr
    # psql's own marks are random; comments and blank lines say nothing.
    return [line for line in done.stdout.splitlines() if line and not line.startswith(("--", "\\"))]


def _unordered(lines: list[str]) -> list[str]:
    """Without the order of columns; the labels of an enum stay in theirs."""
    text = "\n".join(lines)
    text = re.sub(r"AS ENUM \((.*?)\n\);", lambda m: "AS ENUM (" + " ".join(m[1].split()) + ");", text, flags=re.DOTALL)
    return sorted(line.rstrip(",") for line in text.splitlines())


def _admin(statement: str) -> None:
    done = _run("psql", "-qX", "-d", "postgres", "-c", statement)
    assert done.returncode == 0, done.stderr


def _copied() -> None:
    _admin(f"DROP DATABASE IF EXISTS {COPY}")
    _admin(f"CREATE DATABASE {COPY} TEMPLATE {DATABASE}")


def _empty(path: Path) -> bool:
    """Nothing but comments and white space."""
    text = path.read_text(encoding="utf-8-sig")
    return not [line for line in text.splitlines() if line.strip() and not line.strip().startswith("--")]


def judge(up: Path, before: list[str]) -> tuple[str, list[str]]:
    """The verdict on one migration, which is applied in the end, and the dump after it."""
    down = up.with_name(up.name.replace(".up.sql", ".down.sql"))
    if not down.is_file() or _empty(down):
        return ("missing" if _file(up, DATABASE) else "up fails"), _dump(DATABASE)
    if not _file(up, DATABASE):
        return "up fails", before
    after = _dump(DATABASE)
    _copied()
    if not _file(down, COPY):
        return "error", after
    undone = _dump(COPY)
    if _unordered(undone) != _unordered(before):
        return "differs", after
    if not _file(up, COPY):
        return "reup_error", after
    again = _dump(COPY)
    if _unordered(again) != _unordered(after):
        return "reup_differs", after
    return ("ok" if undone == before and again == after else "order"), after


def main() -> int:
    """0 where every verdict is the same."""
    words = [*sys.argv[1:], os.environ.get("BGCE_PUBLIC_FOLDER", "")]
    folder = Path(words[0])
    ours = {}
    if len(sys.argv) > 2:
        document = json.loads(Path(sys.argv[2]).read_text())
        ours = {m["version"]: _SAME.get(m["verdict"], m["verdict"]) for m in document["migrations"]}
    _admin(f"DROP DATABASE IF EXISTS {DATABASE}")
    _admin(f"CREATE DATABASE {DATABASE}")
    last, counts, differ = _dump(DATABASE), Counter[str](), 0
    for up in sorted(folder.glob("*.up.sql"), key=lambda p: int(p.name.split("_")[0])):
        verdict, last = judge(up, last)
        counts[verdict] += 1
        version = int(up.name.split("_")[0])
        if ours and ours.get(version) != verdict:
            differ += 1
            print(f"{up.name}: verify says {ours.get(version)}, the dumps {verdict}", flush=True)
    print(dict(counts), f"{differ} differ" if ours else "", flush=True)
    for name in (COPY, DATABASE):
        _admin(f"DROP DATABASE IF EXISTS {name}")
    return 1 if differ else 0


if __name__ == "__main__":
    sys.exit(main())
