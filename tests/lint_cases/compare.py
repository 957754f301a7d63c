"""`python -m tests.lint_cases.compare`: the table of docs/reference/lint.md, with squawk and sqlfluff where installed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from bgce_migrate.migration import Severity
from tests.lint_cases.evaluation import Evaluation, evaluations, findings, verdict

#: Said of nearly every statement, so that they tell nothing here.
EVERYWHERE = frozenset({"require-lock-timeout", "require-statement-timeout", "prefer-robust-stmts"})


def squawk(case: Evaluation, folder: Path) -> str:
    """The names of its rules that speak."""
    program = os.environ.get("SQUAWK") or shutil.which("squawk")
    if program is None:
        return "not run"
    file = folder / "case.sql"
    file.write_text(case.sql, encoding="utf-8")
    done = subprocess.run(
        [program, "--pg-version", str(case.target), "--reporter", "json", str(file)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    try:
        found = json.loads(done.stdout or "[]")
    except ValueError:
        return "cannot read it"
    return ", ".join(dict.fromkeys(i["rule_name"] for i in found if i["rule_name"] not in EVERYWHERE)) or "-"


def sqlfluff(case: Evaluation, folder: Path) -> str:
    """Its codes about PostgreSQL (style is not compared), and whether it can read the file."""
    program = os.environ.get("SQLFLUFF") or shutil.which("sqlfluff")
    if program is None:
        return "not run"
    file = folder / "case.sql"
    file.write_text(case.sql + "\n", encoding="utf-8")
    done = subprocess.run(
        [program, "lint", "--dialect", "postgres", "--rules", "PG01,PG02", "--format", "json", str(file)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    try:
        found = [v["code"] for item in json.loads(done.stdout) for v in item["violations"]]
    except ValueError:
        return "not run"
    return "cannot read it" if "PRS" in found else ", ".join(dict.fromkeys(found)) or "-"


def main() -> None:
    """Print the table."""
    print("| # | SQL | verdict | bgce-migrate | squawk | sqlfluff |\n|---|---|---|---|---|---|")
    for case in evaluations():
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            found = findings(case, folder / "project")
            rules = [f.rule for f in found if f.severity is not Severity.NOTE]
            ours = ", ".join(dict.fromkeys(rules)) or "-"
            mark = "" if verdict(found) == case.verdict else " (wrong)"
            sql = case.sql.replace("|", "\\|")
            cells = (case.number, f"`{sql}`", case.verdict, ours + mark, squawk(case, folder), sqlfluff(case, folder))
            print(f"| {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
