"""`bgce.toml` and `domain.toml` become a Project, or every mistake is told with file, line and key."""

from __future__ import annotations

from pathlib import Path

import pytest

from bgce_migrate.access import Delivered
from bgce_migrate.config import find, load, load_domain, plugin_names
from bgce_migrate.domain import Read
from bgce_migrate.errors import ConfigError
from tests.unit.config.tree import BGCE, CORTEX, POSTAL, hints, mistakes, repository, write


def test_a_whole_project(tmp_path: Path) -> None:
    bgce = BGCE + (
        'plugins = ["bgce_postal"]\nhistory_view = "public.migration_history"\ntimezone = "Europe/Berlin"\n'
        '[database]\nurl_env = ["DB", "DATABASE_URL"]\nextensions = ["uuid-ossp"]\nmode = "login"\n'
        '[environments.production]\nurl_env = "PROD_URL"\nbranch = "main"\n[environments.staging]\n'
        '[[replica]]\nname = "r1"\nurl_env = "R1_URL"\nservices = ["postal"]\n'
        '[compat]\ngolang_migrate = "{service}_schema_migrations"\n[scratch]\nprovider = "local"\nmajor = 16\n'
    )
    project = load(repository(tmp_path, bgce=bgce))
    assert [(d.name, d.rank, d.declared) for d in project.domains] == [
        ("cortex", 0, True),
        ("postal", 1, True),
    ]
    cortex, postal = project.domains
    assert dict(cortex.tables["users"].columns) == {
        "password_hash": "secret",
        "email": "contact",
        "born": "private",
    }
    assert cortex.tables["users"].sets["profile"] == ("id", "username")
    assert cortex.services[0].writes == ("users", "tenants")
    assert postal.services[0].reads == (
        Read("cortex", "users", None, "profile"),
        Read("cortex", "users", ("email",)),
        Read("cortex", "tenants"),
    )
    assert project.root == tmp_path
    assert project.lock_path == tmp_path / "bgce.lock"
    assert project.plugins == ("bgce_postal",)
    assert project.history_view == "public.migration_history"
    assert project.timezone == "Europe/Berlin"
    assert project.database.url_env == ("DB", "DATABASE_URL")
    assert project.database.mode == "login"
    assert project.database.extensions == ("uuid-ossp",)
    assert project.environments["production"].url_env == ("PROD_URL",)
    assert project.environments["staging"].url_env == ("DB", "DATABASE_URL")
    assert project.replicas[0].services == ("postal",)
    assert project.compat.golang_migrate == "{service}_schema_migrations"
    assert (project.scratch.provider, project.scratch.major) == ("local", 16)
    assert project.declared


def test_the_same_table_in_pyproject(tmp_path: Path) -> None:
    write(tmp_path, {"migrations/cortex/domain.toml": CORTEX, "migrations/postal/domain.toml": POSTAL})
    text = (
        '[project]\nname = "app"\n\n[tool.bgce-migrate.project]\nname = "shop"\ndomains = ["migrations/*"]\n'
    )
    write(tmp_path, {"pyproject.toml": text})
    found = find(tmp_path / "migrations" / "cortex")
    assert found == tmp_path / "pyproject.toml"
    assert load(found).name == "shop"
    write(tmp_path, {"pyproject.toml": text + "plugin = []\n"})
    assert mistakes(found) == ["pyproject.toml:7: project.plugin: unknown key"]


def test_finding_walks_upwards(tmp_path: Path) -> None:
    path = repository(tmp_path)
    deep = tmp_path / "a" / "b" / "c"
    deep.mkdir(parents=True)
    assert find(deep) == path
    write(tmp_path, {"a/pyproject.toml": '[project]\nname = "bgce-migrate"\n'})
    assert find(deep) == path
    write(tmp_path, {"a/b/pyproject.toml": "[tool.bgce-migrate]\n= broken"})
    assert find(deep) == tmp_path / "a" / "b" / "pyproject.toml"


def test_mistakes_of_all_files_come_together(tmp_path: Path) -> None:
    bgce = BGCE + "plugin = []\n" + '[database]\nmode = "root"\nextensions = [1]\n[databse]\n'
    cortex = CORTEX.replace('name = "cortex"', 'nam = "cortex"', 1)
    postal = POSTAL.replace('"cortex:tenants"', '"tenants"').replace("posts", "po-sts")
    ours = mistakes(repository(tmp_path, bgce=bgce, cortex=cortex, postal=postal))
    assert ours == [
        "bgce.toml:4: project.plugin: unknown key",
        "bgce.toml:6: database.mode: 'root' is not role or login",
        "bgce.toml:7: database.extensions[0]: expected a string, got 1",
        "bgce.toml:8: databse: unknown key",
        "migrations/cortex/domain.toml: name: missing",
        "migrations/cortex/domain.toml:1: nam: unknown key",
        "migrations/postal/domain.toml:4: tables.po-sts: 'po-sts' is not an identifier of ASCII letters, "
        "digits and _, at most 63 long",
        "migrations/postal/domain.toml:9: services[0].reads[2]: 'tenants' is not domain:table, "
        "domain:table(column, ...), domain:table.set or domain:*",
    ]
    assert "did you mean 'name'?" in hints(tmp_path / "bgce.toml")
    assert "did you mean 'database'?" in hints(tmp_path / "bgce.toml")


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("pool = true", "services[0].pool: expected a whole number, got True"),
        ('pool = "20"', "services[0].pool: expected a whole number, got '20'"),
        ("pool = 0", "services[0].pool: 0 is not between 1 and 10000"),
        ('writes = ["users"]', "services[0].writes[0]: postal cannot write users, a table of cortex"),
        ('writes = ["post"]', "services[0].writes[0]: postal declares no table post"),
        ('writes = "posts"', "services[0].writes: expected a list, got 'posts'"),
    ],
)
def test_values_of_a_service(tmp_path: Path, line: str, told: str) -> None:
    path = repository(tmp_path, postal=POSTAL + line + "\n")
    assert mistakes(path) == [f"migrations/postal/domain.toml:11: {told}"]


def test_lines_of_values_in_lists_over_several_lines(tmp_path: Path) -> None:
    reads = 'reads = [\n  "cortex:tenants",  # [not a list]\n  "cortex:user",\n  "ctx:users",\n]'
    postal = POSTAL.replace(
        'reads = ["cortex:users.profile", "cortex:users(email)", "cortex:tenants"]', reads
    )
    assert mistakes(repository(tmp_path, postal=postal)) == [
        "migrations/postal/domain.toml:11: services[0].reads[1]: cortex declares no table user",
        "migrations/postal/domain.toml:12: services[0].reads[2]: there is no domain 'ctx'",
    ]


def test_a_file_that_cannot_be_read_brings_no_further_mistakes(tmp_path: Path) -> None:
    ours = mistakes(repository(tmp_path, cortex='name = "cortex\n'))
    assert len(ours) == 1
    assert ours[0].startswith("migrations/cortex/domain.toml:1:")
    assert "not TOML" in ours[0]


def test_a_circle_is_merged_with_the_rest(tmp_path: Path) -> None:
    cortex = CORTEX.replace('name = "cortex"\n', 'name = "cortex"\nrequires = ["postal"]\n', 1)
    ours = mistakes(repository(tmp_path, bgce=BGCE + "x = 1\n", cortex=cortex))
    assert ours == [
        "bgce.toml:4: project.x: unknown key",
        "migrations/cortex/domain.toml:2: requires[0]: the domains require each other in a circle: "
        "cortex -> postal -> cortex",
    ]


@pytest.mark.parametrize(
    ("pattern", "told"),
    [
        ("", "an empty path"),
        ("../other", "'../other' leads out of the folder of this file"),
        ("/etc", "'/etc' is not a path below the folder of this file, with forward slashes"),
        ("a\\\\b", "'a\\b' is not a path below the folder of this file, with forward slashes"),
        ("**/x", "'**/x': ** is not supported, name each level with *"),
        ("migrations/wallet", "folder migrations/wallet does not exist"),
        ("migrations", "folder migrations holds no domain.toml"),
        ("services/*/migrations", "'services/*/migrations' matches no folder with a domain.toml"),
        ("link", "folder link leads out of ."),
        ("a\\u0000b", "'a<U+0000>b' holds a control character"),
    ],
)
def test_patterns_that_name_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pattern: str, told: str
) -> None:
    outside = write(tmp_path / "outside", {"domain.toml": 'name = "far"\n'})
    root = tmp_path / "root"
    path = repository(root, bgce=BGCE.replace('"migrations/*"', f'"migrations/*", "{pattern}"'))
    (root / "link").symlink_to(outside)
    monkeypatch.chdir(root)
    ours = mistakes(path)
    assert ours == [f"bgce.toml:3: project.domains[2]: {told}"]


def test_a_glob_over_an_empty_folder_is_a_fresh_repository(tmp_path: Path) -> None:
    write(
        tmp_path,
        {"bgce.toml": '[project]\nname = "x"\ndomains = ["migrations/*"]\n', "migrations/.gitkeep": ""},
    )
    assert load(tmp_path / "bgce.toml").domains == ()
    write(tmp_path, {"migrations/wallet/000001_a.up.sql": "SELECT 1"})
    (told,) = mistakes(tmp_path / "bgce.toml")
    assert told.endswith("migrations/wallet holds migrations but no domain.toml")


def test_globs_are_sorted_and_places_are_ranks(tmp_path: Path) -> None:
    domains = {name: f'name = "{name}"\n' for name in ("zeta", "alpha", "mid")}
    project = load(repository(tmp_path, bgce=BGCE.replace("migrations/cortex", "migrations/zeta"), **domains))
    assert [d.name for d in project.domains] == ["zeta", "alpha", "cortex", "mid", "postal"]
    assert [d.rank for d in project.domains] == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(
    ("raw", "told"),
    [
        (b"#" * 70_000, "the file is larger than 64 KiB"),
        (b'name = "\xff"', "the file is not UTF-8"),
        (b"a." * 20_000 + b"a = 1", "nested deeper than 8"),
        (b"a = " + b"[" * 20_000 + b"]" * 20_000, "nested deeper than 8"),
        (b"a = " + b"{a=" * 12 + b"1" + b"}" * 12, "nested deeper than 8"),
        (b"[" + b"a." * 9 + b"a]", "nested deeper than 8"),
        (b"k" * 64 + b" = 1", "longer than 63 bytes"),
        (b'name = "\x00"', "not TOML"),
    ],
)
def test_limits_of_a_file(tmp_path: Path, raw: bytes, told: str) -> None:
    path = repository(tmp_path)
    write(tmp_path, {"migrations/cortex/domain.toml": raw})
    ours = mistakes(path)
    assert any(told in line for line in ours), ours
    assert all(line.startswith("migrations/cortex/domain.toml") for line in ours)


def test_a_bom_and_crlf_are_fine(tmp_path: Path) -> None:
    path = repository(tmp_path, cortex="\ufeff" + CORTEX.replace("\n", "\r\n"))
    assert len(load(path).domains) == 2


def test_a_declaration_that_is_a_link_out_of_its_folder(tmp_path: Path) -> None:
    path = repository(tmp_path / "root")
    outside = write(tmp_path, {"domain.toml": CORTEX}) / "domain.toml"
    inner = tmp_path / "root" / "migrations" / "cortex" / "domain.toml"
    inner.unlink()
    inner.symlink_to(outside)
    assert mistakes(path) == [
        "migrations/cortex/domain.toml: the file is a link that leads out of its folder"
    ]


class TestDelivered:
    def test_a_domain_from_a_plugin_comes_last(self, tmp_path: Path) -> None:
        path = repository(tmp_path / "root")
        package = write(tmp_path / "site", {"domain.toml": 'name = "audit"\nrequires = ["cortex"]\n'})
        project = load(path, delivered=[Delivered(package, "bgce_audit", "bgce-audit 1.0")])
        last = project.domains[-1]
        assert (last.name, last.rank, last.distribution) == ("audit", 2, "bgce-audit 1.0")

    def test_equal_bytes_from_two_places_are_one(self, tmp_path: Path) -> None:
        path = repository(tmp_path / "root")
        files = {"domain.toml": CORTEX, "000001_a.up.sql": "SELECT 1;\n"}
        write(tmp_path / "root" / "migrations" / "cortex", files)
        package = write(tmp_path / "site", {**files, "__pycache__/x.pyc": "x"})
        project = load(path, delivered=[Delivered(package, "bgce_cortex", "bgce-cortex 1.0")])
        cortex = project.domains[0]
        assert cortex.folder == tmp_path / "root" / "migrations" / "cortex"
        assert cortex.distribution is None

    @pytest.mark.parametrize(
        "files",
        [
            {"domain.toml": CORTEX + "\n"},
            {"domain.toml": CORTEX, "000001_a.up.sql": "SELECT 1;\n"},
        ],
    )
    def test_other_bytes_are_an_error_that_names_both(self, tmp_path: Path, files: dict[str, str]) -> None:
        path = repository(tmp_path / "root")
        package = write(tmp_path / "site", dict(files))
        with pytest.raises(ConfigError) as caught:
            load(path, delivered=[Delivered(package, "bgce_cortex", "bgce-cortex 1.0")])
        message = str(caught.value)
        assert "migrations/cortex" in message
        assert str(package) in message
        assert "bgce-cortex 1.0" in message
        assert "--no-plugin bgce_cortex" in (caught.value.hint or "")

    def test_the_same_folder_is_no_second_place(self, tmp_path: Path) -> None:
        path = repository(tmp_path)
        folder = tmp_path / "migrations" / "cortex"
        assert len(load(path, delivered=[Delivered(folder, "bgce_cortex")]).domains) == 2

    def test_its_mistakes_are_told_too(self, tmp_path: Path) -> None:
        path = repository(tmp_path / "root")
        package = write(tmp_path / "site", {"domain.toml": 'name = "audit"\nrequires = ["cortx"]\n'})
        with pytest.raises(ConfigError, match=r"requires\[0\]: there is no domain 'cortx'"):
            load(path, delivered=[Delivered(package, "bgce_audit")])


def test_plugin_names_come_before_everything_else(tmp_path: Path) -> None:
    path = repository(tmp_path, bgce=BGCE + 'plugins = ["b", "a"]\nmistake = 1\n')
    assert plugin_names(path) == ("b", "a")


def test_one_domain_on_its_own(tmp_path: Path) -> None:
    write(tmp_path, {"domain.toml": POSTAL})
    assert load_domain(tmp_path).requires == ("cortex",)
    write(tmp_path, {"domain.toml": POSTAL.replace('"posts"', "posts") + 'writes = ["x"]\n'})
    with pytest.raises(ConfigError, match="postal declares no table x"):
        load_domain(tmp_path)


HOSTILE = [
    'a"b',
    "a;drop table x",
    "a--b",
    "a/*b",
    "a\nb",
    "$$",
    "a.b",
    "a b",
    "\u0430bc",
    "a\u202eb",
    "a\x00b",
    "1a",
    "",
    "a" * 52,
    "Abc",
    "ａｂｃ",
]


@pytest.mark.parametrize("name", [*HOSTILE, "public", "none", "current_user", "pg_x", "bgce"])
def test_hostile_names_of_domains_and_services(tmp_path: Path, name: str) -> None:
    escaped = "".join(f"\\u{ord(c):04X}" for c in name)
    path = repository(tmp_path, postal=POSTAL.replace('name = "postal"', f'name = "{escaped}"'))
    ours = mistakes(path)
    postals = [line for line in ours if line.startswith("migrations/postal")]
    assert {"name", "services[0].name"} <= {line.partition(": ")[2].partition(":")[0] for line in postals}
    assert all(line.isascii() and line.isprintable() for line in ours)


@pytest.mark.parametrize(
    "name", [*(n for n in HOSTILE if n != "a" * 52), "a" * 64, "pg_monitor", "bgce_migrator", "cortex_owner"]
)
def test_hostile_logins(tmp_path: Path, name: str) -> None:
    escaped = "".join(f"\\u{ord(c):04X}" for c in name)
    path = repository(tmp_path, postal=POSTAL.replace("postal_user", escaped))
    ours = mistakes(path)
    assert all("services[0].login" in line for line in ours)
    assert all(line.isascii() and line.isprintable() for line in ours)
