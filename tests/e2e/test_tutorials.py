"""Every tutorial, run as it stands: its files are written, its commands run, and they end as it says."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted((ROOT / "docs" / "tutorials").glob("*.md"))
BLOCK = re.compile(r"^```(sh|sql|toml)(?: (\S+))?\n(.*?)^```", re.MULTILINE | re.DOTALL)
ENDS = re.compile(r"# exits (\d+)$")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_tutorial(page: Path, tmp_path: Path) -> None:
    place = tmp_path / "my shop"
    (place / "bin").mkdir(parents=True)
    program = place / "bin" / "bgce-migrate"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m bgce_migrate "$@"\n')
    program.chmod(0o755)
    path = f"{program.parent}:{os.environ['PATH']}"
    unset = {name for name in os.environ if name.startswith(("PG", "BGCE_")) or name == "DATABASE_URL"}
    env = {k: v for k, v in os.environ.items() if k not in unset} | {"PATH": path, "PYTHONPATH": str(ROOT)}
    commands = 0
    try:
        for kind, name, text in BLOCK.findall(page.read_text(encoding="utf-8")):
            if kind != "sh":
                file = place / name
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(text)
                continue
            for line in text.splitlines():
                wanted = int(found[1]) if (found := ENDS.search(line)) else 0
                done = subprocess.run(line, shell=True, cwd=place, env=env, text=True, capture_output=True, timeout=120)
                assert done.returncode == wanted, f"{line}\n{done.stdout}{done.stderr}"
                commands += 1
    finally:
        subprocess.run("bgce-migrate server stop", shell=True, cwd=place, env=env, check=False, capture_output=True)
    assert commands
