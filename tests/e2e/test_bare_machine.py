"""`make migrate-up` where nothing is installed: a clone with a space in its path, as this user and as an ordinary one."""

from __future__ import annotations

import os
import pwd
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

ROOT = Path(__file__).parents[2]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not (ROOT / ".git").exists(), reason="this is no git checkout"),
]


def ordinary_user() -> pwd.struct_passwd | None:
    """Somebody who is not root, and may run programs."""
    found = [user for user in pwd.getpwall() if user.pw_uid >= 1000 and user.pw_uid != 65534]
    return found[0] if found else None


@pytest.fixture(params=["this user", "an ordinary user"])
def who(request: pytest.FixtureRequest) -> list[str]:
    """What a command begins with."""
    if request.param == "this user":
        return []
    user = ordinary_user()
    if os.geteuid() != 0 or user is None or shutil.which("setpriv") is None:
        pytest.skip("only root can become another user, with setpriv")
    return ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]


@pytest.fixture
def place(who: list[str]) -> Iterator[Path]:
    """A folder of that user's own with a clone, where the server's user may walk through."""
    folder = Path(tempfile.mkdtemp(prefix="bgce bare ", dir="/tmp"))
    folder.chmod(0o755)
    subprocess.run(["git", "clone", "-q", str(ROOT), str(folder / "a clone")], check=True)
    user = ordinary_user()
    if who and user is not None:
        for path in (folder, *folder.rglob("*")):
            os.chown(path, user.pw_uid, user.pw_gid, follow_symlinks=False)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def test_two_commands(who: list[str], place: Path) -> None:
    env = {**os.environ, "HOME": str(place)}
    env.pop("VIRTUAL_ENV", None)

    def run(*words: str, cwd: Path) -> str:
        done = subprocess.run([*who, *words], cwd=cwd, env=env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    clone = place / "a clone"
    try:
        said = run("make", "migrate-up", cwd=clone)
        url = re.search(r"postgresql://\S+", said)
        assert url is not None, said
        with psycopg.connect(url[0]) as connection:
            row = connection.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone()
        assert row == (48,)
        started = time.monotonic()
        assert "nothing to do" in run("make", "migrate-up", cwd=clone)
        assert time.monotonic() - started < 20
    finally:
        run("make", "server-stop", cwd=clone)
