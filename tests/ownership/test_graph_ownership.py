"""`graph --ownership`: who owns, writes, reads and calls, as text, Mermaid, DOT and JSON."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.cli.program import bgce, write
from tests.ownership.shipped import shipped

FILES: dict[str, str | bytes] = {
    "bgce.toml": '[project]\nname = "shop"\ndomains = ["d/end", "d/postal"]\n',
    "d/end/domain.toml": (
        'name = "end"\ntitle = "The <End> \\"x\\""\nteam = "core"\nfunctions = { raise = "shared" }\n'
        '[tables.users]\ncolumns = { hash = "secret" }\nsets = { profile = ["id", "name"] }\n[tables.rooms]\n'
        '[[services]]\nname = "graph"\nlogin = "graph_user"\nreads = ["postal:*"]\n'
    ),
    "d/postal/domain.toml": (
        'name = "postal"\nrequires = ["end"]\n[tables.posts]\n[tables.drafts]\n[[services]]\nname = "postal"\npool = 7\n'
        'writes = ["posts"]\nreads = ["end:users(id, name)", "end:users.profile", "postal:drafts"]\ncalls = ["end:raise"]\n'
    ),
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write(tmp_path, FILES)


def test_text(folder: Path) -> None:
    assert bgce("graph", "--ownership", cwd=folder).out.splitlines() == [
        'end (The <End> "x"): owner end_owner, team core',
        "├─ owns users, rooms",
        "├─ graph (graph_user) writes all of it",
        "├─ read by postal: users(id, name), users.profile",
        "└─ called by postal: raise",
        "postal: owner postal_owner",
        "├─ owns posts, drafts",
        "├─ postal (postal_user) writes posts",
        "├─ read by graph: *",
        "└─ read by postal: drafts",
    ]


def test_document(folder: Path) -> None:
    document = bgce("graph", "--ownership", "--json", cwd=folder).document
    assert document["schema"] == "bgce-migrate/graph-ownership/1"
    assert document["domains"][1] == {
        "name": "postal", "title": "", "team": "", "owner": "postal_owner", "tables": ["posts", "drafts"],
        "services": [{"name": "postal", "login": "postal_user", "writes": ["posts"], "pool": 7}],
    }  # fmt: skip
    assert document["reads"] == [
        {"service": "graph", "domain": "end", "owner": "postal", "reads": ["*"]},
        {"service": "postal", "domain": "postal", "owner": "end", "reads": ["users(id, name)", "users.profile"]},
        {"service": "postal", "domain": "postal", "owner": "postal", "reads": ["drafts"]},
    ]
    assert document["calls"] == [{"service": "postal", "domain": "postal", "owner": "end", "functions": ["raise"]}]


def test_mermaid(folder: Path) -> None:
    lines = bgce("graph", "--ownership", "--format", "mermaid", cwd=folder).out.splitlines()
    assert lines[:5] == [
        "flowchart LR", '  subgraph d0["end / core"]', '    d0_t[("users, rooms")]', '    s0(["graph"])', "  end",
    ]  # fmt: skip
    assert lines[9:] == [
        "  s0 ==>|writes| d0_t", "  s1 ==>|writes| d1_t", '  d1_t -->|"*"| s0',
        '  d0_t -->|"users(id, name), users.profile"| s1', '  d1_t -->|"drafts"| s1', '  s1 -.->|"calls raise"| d0_t',
    ]  # fmt: skip


def test_dot(folder: Path) -> None:
    text = bgce("graph", "--ownership", "--format", "dot", cwd=folder).out
    assert '"domain postal" -> "graph" [label="*"];' in text
    assert text.count("{") == text.count("}")
    if shutil.which("dot"):
        subprocess.run(["dot", "-Tsvg"], input=text, text=True, check=True, capture_output=True)


def test_the_platform(tmp_path: Path) -> None:
    platform = shipped(tmp_path)
    document = bgce("graph", "--ownership", "--json", cwd=platform).document
    assert len(document["domains"]) == 11
    assert sum(len(d["services"]) for d in document["domains"]) == 13
    assert sum(len(d["tables"]) for d in document["domains"]) == 48
    readers = {r["service"] for r in document["reads"] if r["owner"] == "cortex"}
    assert len(readers) == 12
    lines = bgce("graph", "--ownership", "--format", "mermaid", cwd=platform).out.splitlines()
    arrows = [line for line in lines if re.match(r"  d\d+_t -->", line)]
    assert len(arrows) == len(document["reads"])


def test_two_subjects_at_once_are_refused(folder: Path) -> None:
    assert bgce("graph", "--ownership", "--migrations-too", cwd=folder).code == 2
