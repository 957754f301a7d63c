"""The page: what stands where, what is cut, and that nothing of others is obeyed."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from bgce_migrate.migration import Severity
from bgce_migrate.report.comment import Change, Page, Remark, StepLine, render
from bgce_migrate.report.comment_markdown import code, fenced, text

REMARK = Remark(Severity.ERROR, "foreign-change", "postal alters users", "a.up.sql", "ask cortex", "postal", True, 3, 1)
PAGE = Page(
    "bgce-migrate lint", "1 error.", False, None, (REMARK,), (Change("postal", 2, 3, ("posts",), (), ("tags",)),),
    (StepLine("postal/000001_a", "up", 12.4),), ("flowchart LR",), (("a.up.sql", "SELECT 1;\n"),), (("commit", "abc"),),
)  # fmt: skip
LIMIT = 65_536


def test_everything_is_there() -> None:
    body = render(PAGE, LIMIT, head="<!-- x -->")
    assert body.startswith("<!-- x -->\n\n## ❌ bgce-migrate lint")
    assert "| <code>postal</code> | 2 | 3 | <code>posts</code> | – | <code>tags</code> | 🔴 1 |" in body
    for part in ("lint --fix", "```mermaid\nflowchart LR\n```", "```sql\nSELECT 1;\n```", "| 1 | <code>postal/000001&#95;a</code>"):
        assert part in body


def test_ten_thousand_findings_and_two_megabytes_of_sql() -> None:
    page = replace(PAGE, remarks=(REMARK,) * 10_000, sql=(("big.sql", "ä" * 1_000_000), ("small.sql", "SELECT 2;")) * 3)
    for limit in (1 << 20, LIMIT, LIMIT // 2, 500):
        body = render(page, limit, head="<!-- x -->")
        assert len(body.encode()) <= limit and body.startswith("<!-- x -->")
        if limit >= LIMIT // 2:
            assert "and 9800 more" in body and "small" in body and "do not fit here" in body
            assert body.count("<details>") == body.count("</details>")


@given(st.text(max_size=60))
def test_prose_stays_prose(said: str) -> None:
    shown = text(said)
    assert "\n" not in shown
    assert not re.search(r"(?<!\\)[<>|`*\[](?!!--)", shown.replace("<!-- -->", ""))
    assert not re.search(r"[@#]\w", shown) and "://" not in shown


@given(st.text(max_size=60))
def test_names_stay_names(said: str) -> None:
    inner = code(said).removeprefix("<code>").removesuffix("</code>")
    assert not re.search(r"[<>|`*\[\]\n@_]", inner)


@given(st.text(alphabet="`~a\n\r</details>", max_size=80))
def test_a_fence_holds(said: str) -> None:
    lines = fenced(said, "sql").split("\n")
    fence = lines[-1]
    assert lines[0] == f"{fence}sql" and set(fence) == {"`"} and len(fence) >= 3
    assert not any(fence in line for line in lines[1:-1])
