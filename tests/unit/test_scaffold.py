"""`init`, `new domain` and `new migration` write what loads, and nothing over what is there."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import datetime, timezone
from pathlib import Path

import pytest

from bgce_migrate.config import Project, load, load_domain, read_migrations, undeclared
from bgce_migrate.errors import ConfigError, UsageError
from bgce_migrate.migration import Direction
from bgce_migrate.scaffold import init, new_domain, new_migration
from bgce_migrate.sqlfile import read_script

ROOT = Path(__file__).parents[2]
NOW = datetime(2026, 3, 4, 5, 6, 7, 890_000, tzinfo=timezone.utc)


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    folder = tmp_path / "my shop"
    folder.mkdir()
    init(folder)
    return folder


def project(repo: Path) -> Project:
    return load(repo / "bgce.toml")


def relative(repo: Path, paths: tuple[Path, ...]) -> list[str]:
    return [p.relative_to(repo).as_posix() for p in paths]


class TestInit:
    def test_an_empty_folder_becomes_a_project(self, tmp_path: Path) -> None:
        written = init(tmp_path)
        assert relative(tmp_path, written) == [
            "bgce.toml",
            "migrations/.gitkeep",
            ".gitattributes",
            ".gitignore",
        ]
        assert load(tmp_path / "bgce.toml").domains == ()
        assert (tmp_path / ".gitattributes").read_text() == "bgce.lock merge=union\n"
        assert (tmp_path / ".gitignore").read_text() == ".bgce/\n"
        assert init(tmp_path) == ()

    def test_a_name_from_any_folder(self, repo: Path) -> None:
        assert project(repo).name == "my-shop"

    def test_what_is_there_stays(self, tmp_path: Path) -> None:
        (tmp_path / "bgce.toml").write_text("# mine\n")
        (tmp_path / "migrations").mkdir()
        (tmp_path / ".gitignore").write_bytes(b"*.log\r\nx")
        (tmp_path / ".gitattributes").write_text("bgce.lock merge=union\n")
        assert relative(tmp_path, init(tmp_path)) == [".gitignore"]
        assert (tmp_path / "bgce.toml").read_text() == "# mine\n"
        assert (tmp_path / ".gitignore").read_bytes() == b"*.log\r\nx\r\n.bgce/\r\n"

    def test_settings_in_pyproject_are_enough(self, tmp_path: Path) -> None:
        (tmp_path / "pyproject.toml").write_text('[tool.bgce-migrate.project]\nname = "x"\n')
        assert "bgce.toml" not in relative(tmp_path, init(tmp_path))

    def test_links_are_not_written_through(self, tmp_path: Path) -> None:
        (tmp_path / "away").write_text("")
        (tmp_path / ".gitignore").symlink_to("away")
        with pytest.raises(ConfigError, match="is a link"):
            init(tmp_path)
        assert (tmp_path / "away").read_text() == ""

    def test_no_such_folder(self, tmp_path: Path) -> None:
        with pytest.raises(UsageError, match="there is no folder"):
            init(tmp_path / "gone")


class TestNewDomain:
    def test_a_declaration_and_a_pair_and_nothing_in_python(self, repo: Path) -> None:
        written = new_domain(project(repo), "wallet")
        assert relative(repo, written) == [
            "migrations/wallet/domain.toml",
            "migrations/wallet/000001_create_wallet_items_table.up.sql",
            "migrations/wallet/000001_create_wallet_items_table.down.sql",
        ]
        (domain,) = project(repo).domains
        assert (domain.name, domain.title, domain.services[0].login) == ("wallet", "Wallet", "wallet_user")
        (migration,) = read_migrations(domain)
        assert migration.down is not None
        up = read_script(migration.up, declared=True, direction=Direction.UP)
        down = read_script(migration.down, declared=True, direction=Direction.DOWN)
        assert [s.kind for s in (*up.statements, *down.statements)] == ["CreateStmt", "DropStmt"]

    @pytest.mark.parametrize("name", ["order", "table", "select", "a" * 51])
    def test_names_that_sql_reserves_are_fine(self, repo: Path, name: str) -> None:
        new_domain(project(repo), name)
        (migration,) = read_migrations(project(repo).domains[0])
        assert read_script(migration.up, declared=True, direction=Direction.UP).statements

    @pytest.mark.parametrize(
        "name", ["", "Wallet", "my-service", "../x", "public", "pg_x", "a" * 52, "w\n", "\u0430"]
    )
    def test_names_that_cannot_be(self, repo: Path, name: str) -> None:
        with pytest.raises(UsageError) as caught:
            new_domain(project(repo), name)
        assert caught.value.message.isprintable()
        assert os.listdir(repo / "migrations") == [".gitkeep"]

    def test_a_name_that_is_taken(self, repo: Path) -> None:
        new_domain(project(repo), "wallet")
        with pytest.raises(UsageError, match=r"domain wallet exists already, in .*migrations/wallet"):
            new_domain(project(repo), "wallet")
        service = '[[services]]\nname = "purse"\nlogin = "coins_owner"\n'
        with open(repo / "migrations" / "wallet" / "domain.toml", "a") as file:
            file.write(service)
        with pytest.raises(UsageError, match="service purse of wallet has this name"):
            new_domain(project(repo), "purse")
        with pytest.raises(UsageError, match="role coins_owner belongs to wallet already"):
            new_domain(project(repo), "coins")

    def test_files_that_exist_stop_everything(self, repo: Path) -> None:
        loaded = project(repo)
        folder = repo / "migrations" / "wallet"
        folder.mkdir()
        (folder / "000001_create_wallet_items_table.down.sql").write_text("mine")
        with pytest.raises(UsageError, match="exists already"):
            new_domain(loaded, "wallet")
        assert os.listdir(folder) == ["000001_create_wallet_items_table.down.sql"]

    def test_a_folder_with_migrations_gets_a_declaration_only(self, repo: Path) -> None:
        empty = project(repo)
        folder = repo / "migrations" / "wallet"
        folder.mkdir()
        (folder / "1_x.up.sql").write_text("SELECT 1;")
        assert relative(repo, new_domain(empty, "wallet")) == ["migrations/wallet/domain.toml"]
        assert project(repo).domains[0].name == "wallet"

    @pytest.mark.parametrize(
        ("before", "after"),
        [
            ("domains = []", 'domains = ["migrations/wallet"]'),
            ("domains = [ ] # none", 'domains = ["migrations/wallet"] # none'),
            ("", 'domains = ["migrations/wallet"]'),
            ('domains = ["migrations/a"]', 'domains = ["migrations/a", "migrations/wallet"]'),
            (
                'domains = [\n  "migrations/a",  # first\n]',
                'domains = [\n  "migrations/a",\n  "migrations/wallet",  # first\n]',
            ),
        ],
    )
    def test_a_listed_project_gets_one_entry_more(self, repo: Path, before: str, after: str) -> None:
        (repo / "migrations" / "a").mkdir()
        (repo / "migrations" / "a" / "domain.toml").write_text('name = "a"\n')
        head, tail = '# top\n[project]\nname = "x" # my\n', "\n[database]\nextensions = [] # none\n"
        (repo / "bgce.toml").write_text(f"{head}{before}{tail}")
        written = new_domain(project(repo), "wallet")
        assert written[-1] == repo / "bgce.toml"
        text = (repo / "bgce.toml").read_text()
        assert after in text
        assert "# top" in text
        assert tail in text
        assert project(repo).domains[-1].name == "wallet"

    def test_an_undeclared_tree_has_no_place_for_it(self, tmp_path: Path) -> None:
        (tmp_path / "1_x.up.sql").write_text("SELECT 1;")
        with pytest.raises(UsageError, match=r"a domain needs a bgce\.toml"):
            new_domain(undeclared(tmp_path), "wallet")

    def test_a_plugin_is_an_installable_package_whose_tests_pass(self, repo: Path) -> None:
        written = new_domain(project(repo), "wallet", plugin=True)
        package = repo / "plugins" / "bgce_wallet"
        assert {p for p in written if p != repo / "bgce.toml"} == {
            p for p in package.rglob("*") if p.is_file()
        }
        assert [d.name for d in project(repo).domains] == ["wallet"]
        assert load_domain(package / "src" / "bgce_wallet" / "migrations").name == "wallet"
        run = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
            cwd=package,
            env={**os.environ, "PYTHONPATH": str(ROOT), "PYTEST_ADDOPTS": ""},
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert run.returncode == 0, run.stdout + run.stderr
        assert "2 passed" in run.stdout


class TestNewMigration:
    def made(self, repo: Path, *numbers: str, slug: str = "add_x") -> str:
        folder = repo / "migrations" / "wallet"
        folder.mkdir()
        (folder / "domain.toml").write_text('name = "wallet"\n')
        for number in numbers:
            (folder / f"{number}_x.up.sql").write_text("SELECT 1;")
        up, down = new_migration(project(repo), "wallet", slug, now=NOW)
        assert up.is_file()
        assert down.name == up.name.replace(".up.", ".down.")
        assert read_migrations(project(repo).domains[0])[-1].id.name == slug
        return up.name.partition("_")[0]

    @pytest.mark.parametrize(
        ("numbers", "following"),
        [
            ((), "000001"),
            (("000001", "000002"), "000003"),
            (("1", "2"), "3"),
            (("9",), "10"),
            (("01", "0002"), "0003"),
            (("999999",), "1000000"),
            (("20240101120000",), "20260304050607"),
            (("20290101120000",), "20290101120001"),
            (("1700000000",), "1772600767"),
            (("1700000000123",), "1772600767890"),
            (("2026030401",), "2026030402"),
            (("20261399999999",), "20261400000000"),
        ],
    )
    def test_numbers_follow_the_folder(self, repo: Path, numbers: tuple[str, ...], following: str) -> None:
        assert self.made(repo, *numbers) == following

    @pytest.mark.parametrize(
        ("slug", "hint"),
        [
            ("Create Users", "say create_users"),
            ("a-b", "say a_b"),
            ("../../etc/x", "say etc_x"),
            ("", "say what it does, e.g. create_users_table"),
            ("x" * 101, f"say {'x' * 100}"),
            ("a\nb", "say a_b"),
            ("\u0430", "say what it does, e.g. create_users_table"),
            ("a_", "say a"),
        ],
    )
    def test_slugs(self, repo: Path, slug: str, hint: str) -> None:
        new_domain(project(repo), "wallet")
        with pytest.raises(UsageError) as caught:
            new_migration(project(repo), "wallet", slug)
        assert caught.value.hint == hint
        assert caught.value.message.isprintable()

    def test_an_unknown_domain(self, repo: Path) -> None:
        new_domain(project(repo), "wallet")
        with pytest.raises(UsageError, match="there is no domain 'walet'") as caught:
            new_migration(project(repo), "walet", "x")
        assert caught.value.hint == "did you mean 'wallet'?"

    def test_no_number_left(self, repo: Path) -> None:
        with pytest.raises(UsageError, match="there is no number after"):
            self.made(repo, str(2**63 - 1))

    def test_in_an_undeclared_tree(self, tmp_path: Path) -> None:
        (tmp_path / "my-service").mkdir()
        (tmp_path / "my-service" / "7_x.up.sql").write_text("SELECT 1;")
        up, _ = new_migration(undeclared(tmp_path), "my-service", "y")
        assert up == tmp_path / "my-service" / "8_y.up.sql"
