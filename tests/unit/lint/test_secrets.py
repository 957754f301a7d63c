"""Secrets in stored SQL are found by their form, wherever they stand, and are never repeated."""

from __future__ import annotations

import pytest

from bgce_migrate.report.lint_text import print_terminal
from bgce_migrate.report.output import Output
from tests.unit.lint.pages import lint, rules_of

HASH = "$2b$12$" + "KIXQ7hT1u" * 5 + "abcdefgh"
SECRETS = [
    "ghp_" + "aB3" * 12,
    "github_pat_" + "1A2b" * 8,
    "AKIA" + "IOSFODNN7EXAMPLE",
    "-----BEGIN RSA PRIVATE KEY-----",
    "glpat-" + "x1Y2z3" * 4,
    "xoxb-123456789012-abcdefghij",
    "sk_live_" + "4eC39HqLyjWDarjt",
    "AIza" + "Sy" + "A1b2C3d4" * 4 + "x",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N",
    "SCRAM-SHA-256$4096:c2FsdHNhbHQ=$abc:def",
    HASH,
    "postgres://app:hunter2@db.example/archive",
]
HARMLESS = [
    "https://example.org/a:b/c@d",
    "postgres://app:${PASSWORD}@db/archive",
    "postgres://app:<password>@db/archive",
    "postgres://app:***@db/archive",
    "postgres://app@db:5432/archive",
    "a ghp_ prefix",
    "price: $25",
    "eyJ is how it begins",
]


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("sql", ["SELECT 1;\nINSERT INTO t (a) VALUES ('{}');", "SELECT 1;\n-- {}\nSELECT 2;"])
def test_secrets_by_their_form(secret: str, sql: str) -> None:
    found = [f for f in lint(sql.format(secret)) if f.rule == "secret-in-sql"]
    assert [f.where.line for f in found if f.where] == [2]
    assert all(secret not in f"{f.message}{f.hint}{f.subject}" for f in found)


@pytest.mark.parametrize("text", HARMLESS)
def test_what_only_looks_like_one(text: str) -> None:
    assert "secret-in-sql" not in rules_of(lint(f"INSERT INTO t (a) VALUES ('{text}');"))


def test_the_line_is_not_printed(capsys: pytest.CaptureFixture[str]) -> None:
    sql = "ALTER ROLE reader PASSWORD 'hunter2';\nINSERT INTO t VALUES ('postgres://app:hunter3@db/x');\n"
    findings = lint(sql)
    assert len({f.where.line for f in findings if f.rule == "secret-in-sql" and f.where}) == 2
    files = {f.where.file for f in findings if f.where}
    print_terminal(Output(), findings, dict.fromkeys(files, sql), summary="")
    printed = capsys.readouterr().out
    assert "secret-in-sql" in printed and "hunter" not in printed
