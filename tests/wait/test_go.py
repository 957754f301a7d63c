"""The start-up of a service in Go: the page's code, compiled and run against a real server."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from tests.cli.program import PLAIN, REPOSITORY, bgce, write

SOURCES = REPOSITORY / "examples" / "start-up" / "go"
PAGE = REPOSITORY / "docs" / "how-to" / "start-up-in-go.md"
#: Where Debian's golang-github-lib-pq-dev puts the driver.
GOPATH = Path("/usr/share/gocode")

needs_go = pytest.mark.skipif(shutil.which("go") is None, reason="go is not installed (golang-go)")


def code(text: str) -> str:
    """Without what comes before the first function or comment, and without blanks around."""
    return text[text.index("// WaitForTables") :].strip() if "// WaitForTables" in text else text.strip()


def test_the_page_shows_the_files() -> None:
    function, call, shell = re.findall(r"```go\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert function.strip() == code((SOURCES / "ready.go").read_text(encoding="utf-8"))
    main = re.sub(r"^\t", "", (SOURCES / "main.go").read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert call.strip() in main
    assert shell.startswith('exec.Command("bgce-migrate", "up", "--no-input")')


def go(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "GOPATH": str(GOPATH), "GO111MODULE": "off", "GOCACHE": str(folder / "cache"), "GOFLAGS": ""}
    return subprocess.run(["go", *words], cwd=folder, env=env, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Path(shutil.copytree(SOURCES, tmp_path_factory.mktemp("go") / "cortex"))


@needs_go
def test_the_standard_library_is_enough(folder: Path) -> None:
    """All but the driver, which is the service's own choice."""
    bare = Path(shutil.copytree(SOURCES, folder / "bare"))
    main = bare / "main.go"
    main.write_text(re.sub(r"\n\t_ .*\n", "", main.read_text(encoding="utf-8")), encoding="utf-8")
    for words in (["build", "-o", os.devnull], ["vet"]):
        done = go(folder, *words, "bare/main.go", "bare/ready.go")
        assert done.returncode == 0, done.stderr
    if shutil.which("gofmt"):
        assert subprocess.run(["gofmt", "-l", SOURCES], capture_output=True, text=True, check=True).stdout == ""


@needs_go
@pytest.mark.skipif(not (GOPATH / "src/github.com/lib/pq").is_dir(), reason="no driver (golang-github-lib-pq-dev)")
@pytest.mark.postgres(18)
def test_a_service_starts_when_its_tables_are_there(folder: Path, tmp_path: Path, database: str) -> None:
    built = go(folder, "build", "-o", "cortex", "main.go", "ready.go")
    assert built.returncode == 0, built.stderr
    tree = write(tmp_path / "cortex", {**PLAIN, "4_x.up.sql": "CREATE TABLE x (id int);\n", "4_x.down.sql": "DROP TABLE x;\n"})
    env = {**os.environ, "DATABASE_URL": database}
    service = subprocess.Popen([folder / "cortex"], env=env, stderr=subprocess.PIPE, text=True)
    assert bgce("up", "3", "--migrations", tree, "-d", database, cwd=tree).code == 0
    time.sleep(0.5)
    assert service.poll() is None, "version 3 is not 4"
    assert bgce("up", "--migrations", tree, "-d", database, cwd=tree).code == 0
    assert service.wait(timeout=30) == 0
    assert service.stderr is not None and "serving" in service.stderr.read()
