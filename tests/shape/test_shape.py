"""The shape of the tree: sizes, where SQL may stand, named queries, licences, promises of the documentation."""

from __future__ import annotations

import ast
import re
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]
ENGINE = ROOT / "bgce_migrate"
SOURCES = sorted([*ENGINE.rglob("*.py"), *(ROOT / "plugins").rglob("*.py")])


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))
def test_files_and_functions_stay_small(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count("\n") <= 310, "split it by subject"
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            assert lines <= 70, f"{node.name} has {lines} lines"


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))
def test_every_module_says_what_it_is(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    if tree.body:
        assert ast.get_docstring(tree), "a module begins with one sentence"
    assert path.stem not in {"utils", "common", "helpers", "base", "manager", "misc"}


def _named_queries() -> dict[str, set[str]]:
    names = {}
    for file in (ENGINE / "db" / "sql").glob("*.sql"):
        names[file.stem] = set(re.findall(r"^-- name: (\w+)$", file.read_text(encoding="utf-8"), re.MULTILINE))
    return names


def test_every_named_query_is_used_and_every_used_one_exists() -> None:
    used = set()
    for path in ENGINE.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        used |= set(re.findall(r'\b(?:ask|query)\(\s*"(\w+)",\s*"(\w+)"', text))
        if path.name == "audit.py":
            used |= {("locks", name) for name in re.findall(r'_ask\(\s*"(\w+)"', text)}
        used |= {("history", name) for name in re.findall(r'names = \(([^)]*)\)', text) for name in re.findall(r'"(\w+)"', name)}
    existing = {(file, name) for file, names in _named_queries().items() for name in names if file != "bookkeeping"}
    assert used & existing == existing, f"never used: {sorted(existing - used)}"
    assert not {u for u in used if u[0] in _named_queries()} - existing


def test_no_gpl_package_in_the_dependency_tree() -> None:
    seen: set[str] = set()
    todo = ["bgce-migrate"]
    while todo:
        name = re.sub(r"[-_.]+", "-", todo.pop()).lower()
        if name in seen:
            continue
        seen.add(name)
        try:
            found = metadata.metadata(name)
        except metadata.PackageNotFoundError:
            continue
        text = " ".join([found.get("License-Expression") or "", found.get("License") or "", *(found.get_all("Classifier") or ())])
        text = text.split("\n\n")[0]
        assert not re.search(r"(?<!L)GPL-|(?<!Lesser )General Public License", text.replace("LGPL", "L").replace("Lesser General Public License", "")), name
        for line in metadata.requires(name) or ():
            requirement = Requirement(line)
            if requirement.marker is None or requirement.marker.evaluate({"extra": "all"}):
                todo.append(requirement.name)
    assert {"psycopg", "pluggy", "postgast", "click"} <= seen


def test_exit_codes_are_documented() -> None:
    from bgce_migrate import errors

    page = (ROOT / "docs" / "reference" / "exit-codes.md").read_text(encoding="utf-8")
    codes = {c.exit_code for c in vars(errors).values() if isinstance(c, type) and issubclass(c, errors.BgceError)}
    for code in codes | {0, 1}:
        assert re.search(rf"\|\s*{code}\s*\|", page), f"exit code {code} is not in docs/reference/exit-codes.md"


def test_sql_stands_in_its_place() -> None:
    """Statements are in db/sql and db/statements.py; elsewhere only single words a transaction is framed with."""
    allowed = {"db", "sqlfile", "sqlparse", "servers", "scaffold", "order", "lint", "linting", "style", "sqlfluff_plugin"}
    pattern = re.compile(r'"\s*(?:SELECT\s+\w+.*\bFROM\b|INSERT INTO|UPDATE \w+ SET|DELETE FROM|CREATE TABLE)', re.IGNORECASE)
    offenders = []
    for path in ENGINE.rglob("*.py"):
        if path.relative_to(ENGINE).parts[0] in allowed:
            continue
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if pattern.search(line) and not line.lstrip().startswith(("#", "hint", '"""')):
                offenders.append(f"{path.relative_to(ROOT)}:{number}: {line.strip()}")
    assert not offenders
