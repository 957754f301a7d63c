"""Plugins are loaded only when named, named when broken, and called as the design says."""

from __future__ import annotations

import logging
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

import bgce_migrate.hookspecs as hookspecs
from bgce_migrate.access import HOOKS, Delivered, Endpoint, Grant, RouteRequest
from bgce_migrate.domain import Domain, Service, Table
from bgce_migrate.errors import ConfigError, Refused, UsageError
from bgce_migrate.hookspecs import BgceHooks, hookimpl
from bgce_migrate.host import Host, Plugin, Routed, unlisted
from bgce_migrate.migration import Direction, Directives, MigrationId, Mode, Plan, Script, SourceFile, Step
from bgce_migrate.outcome import Measurement, RunReport, StepResult, StepStatus
from bgce_migrate.registry import build

ID = MigrationId("postal", 3, "drop_x")
SCRIPT = Script(SourceFile("x.up.sql", "", ""), "v1:0", Mode.EMPTY, Directives(phase="contract"))
STEP = Step(ID, Direction.UP, SCRIPT)
PLAN = Plan((STEP,), "f" * 16)
RESULT = StepResult(ID, Direction.UP, StepStatus.APPLIED)
POSTAL = Domain(
    "postal",
    Path("postal"),
    tables={"posts": Table("posts"), "keys": Table("keys", {"key": "secret"})},
    functions={"touch": "shared"},
    services=(Service("postal", "postal_user"),),
)
REGISTRY = build([POSTAL])
PRIMARY = Endpoint("main", "primary")
REPLICA = Endpoint("replica1", "replica", ("postal",), 0.5)


def plugin(name: str, text: str, distribution: str | None = "dist 1") -> Plugin:
    """A plugin as a module, from its text."""
    module = ModuleType(name)
    exec(
        f"from bgce_migrate.hookspecs import hookimpl\nfrom bgce_migrate.errors import Refused\n{text}",
        vars(module),
    )
    return Plugin(name, module, distribution)


def install(
    site: Path, package: str, entries: dict[str, str], modules: dict[str, str], version: str = "1.0"
) -> None:
    """Put an installed distribution into a folder of `sys.path`."""
    info = site / f"{package.replace('-', '_')}-{version}.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: {version}\n")
    lines = "".join(f"{name} = {value}\n" for name, value in entries.items())
    (info / "entry_points.txt").write_text(f"[bgce_migrate]\n{lines}")
    for name, text in modules.items():
        (site / f"{name}.py").write_text(text)


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path


class TestDiscovery:
    def test_only_what_is_named_is_imported(self, site: Path) -> None:
        body = "from bgce_migrate.hookspecs import hookimpl\n@hookimpl\ndef metrics(measurement): pass\n"
        bomb = "raise RuntimeError('imported')\n"
        install(site, "h5-good", {"h5_good": "h5_good"}, {"h5_good": body})
        install(site, "h5-bomb", {"h5_bomb": "h5_bomb"}, {"h5_bomb": bomb})
        host = Host.discover(["h5_good"])
        assert [str(p) for p in host.plugins] == ["plugin h5_good (h5-good 1.0)"]
        assert "h5_bomb" not in sys.modules
        assert "h5_bomb" in unlisted(["h5_good"])
        assert "h5_good" not in unlisted(["h5_good"])
        assert Host.discover(["h5_good"], blocked=["h5_good"]).plugins == ()
        assert Host.discover(["h5_good", "h5_bomb"], blocked=["h5_bomb"]).plugins == host.plugins

    @pytest.mark.parametrize(
        ("body", "told"),
        [
            ("raise RuntimeError('a\\nb')", "cannot be imported: RuntimeError: a b"),
            ("import sys; sys.exit(0)", "cannot be imported: SystemExit: 0"),
            ("def", "cannot be imported: SyntaxError"),
            ("import not_there_at_all", "cannot be imported: ModuleNotFoundError"),
            ("from bgce_migrate.hookspecs import hookimpl\n@hookimpl\ndef pre_aply(step): pass", "pre_aply"),
            ("from bgce_migrate.hookspecs import hookimpl\n@hookimpl\ndef pre_apply(stepp): pass", "stepp"),
        ],
    )
    def test_a_broken_plugin_is_named_with_its_distribution(
        self, site: Path, monkeypatch: pytest.MonkeyPatch, body: str, told: str
    ) -> None:
        monkeypatch.delitem(sys.modules, "h5_broken", raising=False)
        install(site, "h5-broken", {"h5_broken": "h5_broken"}, {"h5_broken": body})
        with pytest.raises(ConfigError) as caught:
            Host.discover(["h5_broken"])
        assert caught.value.message.startswith("plugin h5_broken (h5-broken 1.0) ")
        assert told in caught.value.message
        assert "--no-plugin h5_broken" in (caught.value.hint or "")
        assert "\n" not in caught.value.message

    def test_all_broken_plugins_at_once(self, site: Path) -> None:
        install(site, "h5-a", {"h5_a1": "h5_none1", "h5_a2": "h5_none2"}, {})
        with pytest.raises(ConfigError) as caught:
            Host.discover(["h5_a2", "h5_a1", "h5_absent"])
        assert [p.message.split()[1] for p in caught.value.problems] == ["h5_a1", "h5_a2", "h5_absent"]

    def test_one_name_from_two_distributions(self, site: Path) -> None:
        install(site, "h5-one", {"h5_twice": "json"}, {})
        install(site, "h5-two", {"h5_twice": "json"}, {})
        with pytest.raises(ConfigError, match=r"h5_twice is delivered twice, by h5-one 1\.0 and h5-two 1\.0"):
            Host.discover(["h5_twice"])

    def test_a_plugin_that_is_not_installed(self, site: Path) -> None:
        with pytest.raises(ConfigError, match="plugin h5_gone is not installed"):
            Host.discover(["h5_gone"])
        assert Host.discover(["h5_gone"], required=False).plugins == ()
        install(site, "h5-spelt", {"h5-spelt": "json"}, {})
        with pytest.raises(ConfigError, match="h5_spelt is not installed; h5-spelt is another one"):
            Host.discover(["h5_spelt"])

    def test_blocking_what_is_not_allowed(self) -> None:
        with pytest.raises(UsageError) as caught:
            Host.discover(["bgce_analytics"], blocked=["bgce_analitics"])
        assert caught.value.hint == "did you mean 'bgce_analytics'?"

    def test_hosts_share_nothing(self) -> None:
        one, two = Host([plugin("a", "@hookimpl\ndef pre_apply(): raise Refused('no')")]), Host()
        two.pre_apply(STEP, PLAN)
        with pytest.raises(Refused):
            one.pre_apply(STEP, PLAN)

    def test_two_plugins_of_one_name(self) -> None:
        with pytest.raises(ConfigError, match="have one name"):
            Host([plugin("a", ""), plugin("a", "")])


def test_calls_come_in_the_order_of_names_unless_a_plugin_asks_otherwise() -> None:
    said: list[str] = []
    body = "@hookimpl\ndef post_apply(): said.append(__name__)"
    plugins = [plugin(name, body) for name in ("c", "a", "b")]
    plugins.append(plugin("z", body.replace("@hookimpl", "@hookimpl(tryfirst=True)")))
    for p in plugins:
        vars(p.implementation)["said"] = said
    Host(plugins).post_apply(RESULT, PLAN)
    assert said == ["z", "a", "b", "c"]


class TestDomain:
    def test_folders(self, tmp_path: Path) -> None:
        (tmp_path / "domain.toml").write_text('name = "x"\n')
        code = f"from pathlib import Path\n@hookimpl\ndef domain(): return Path({str(tmp_path)!r})"
        host = Host(
            [plugin("b", code), plugin("a", code, None), plugin("c", "@hookimpl\ndef metrics(): pass")]
        )
        assert host.delivered() == (Delivered(tmp_path, "a"), Delivered(tmp_path, "b", "dist 1"))

    def test_every_fault_is_told(self, tmp_path: Path) -> None:
        host = Host(
            [
                plugin("a", "@hookimpl\ndef domain(): raise OSError('x')"),
                plugin("b", "@hookimpl\ndef domain(): return 3"),
                plugin("c", f"@hookimpl\ndef domain(): return {str(tmp_path)!r}"),
            ]
        )
        with pytest.raises(ConfigError) as caught:
            host.delivered()
        assert [p.message for p in caught.value.problems] == [
            "plugin a (dist 1) failed in domain: OSError: x",
            "plugin b (dist 1) hands over int, not the path of a folder",
            f"plugin c (dist 1) hands over {tmp_path}, which holds no domain.toml",
        ]


class TestApply:
    def test_a_refusal_stops_the_later_plugins(self) -> None:
        later: list[str] = []
        late = plugin("b", "@hookimpl\ndef pre_apply(): later.append(1)")
        vars(late.implementation)["later"] = later
        host = Host([plugin("a", "@hookimpl\ndef pre_apply(step): raise Refused(f'not {step.id}')"), late])
        with pytest.raises(Refused, match="not postal/000003_drop_x") as caught:
            host.pre_apply(STEP, PLAN)
        assert caught.value.hint == "plugin a (dist 1) refused it"
        assert later == []

    def test_any_other_exception_refuses_too(self) -> None:
        host = Host([plugin("a", "@hookimpl\ndef pre_apply(): {}['x']")])
        with pytest.raises(
            Refused, match=r"plugin a \(dist 1\) failed in pre_apply before postal/000003_drop_x: KeyError"
        ):
            host.pre_apply(STEP, PLAN)

    def test_what_post_apply_raises_is_a_warning(self) -> None:
        fail = "@hookimpl\ndef post_apply(): raise {}('x')"
        host = Host([plugin("a", fail.format("ValueError")), plugin("b", fail.format("SystemExit"))])
        assert host.post_apply(RESULT, PLAN) == (
            "plugin a (dist 1) failed in post_apply after postal/000003_drop_x: ValueError: x",
            "plugin b (dist 1) failed in post_apply after postal/000003_drop_x: SystemExit: x",
        )

    def test_an_interrupt_is_not_swallowed(self) -> None:
        host = Host([plugin("a", "@hookimpl\ndef post_apply(): raise KeyboardInterrupt")])
        with pytest.raises(KeyboardInterrupt):
            host.post_apply(RESULT, PLAN)


class TestGrant:
    def asked(self, *grants: object) -> tuple[Grant, ...]:
        source = plugin("a", "@hookimpl\ndef grant(domain): return answer")
        vars(source.implementation)["answer"] = grants
        return Host([source]).grants(POSTAL, REGISTRY)

    def test_own_objects(self) -> None:
        wanted = (
            Grant("postal_user", "TRUNCATE", "posts"),
            Grant("reporting", "SELECT", "keys", columns=("id",)),
            Grant("reporting", "SELECT", "posts"),
            Grant("worker", "EXECUTE", "touch", "function"),
        )
        assert self.asked(*wanted[::-1], wanted[0]) == tuple(sorted(wanted))
        assert Host().grants(POSTAL, REGISTRY) == ()

    @pytest.mark.parametrize(
        ("grant", "told"),
        [
            (Grant("r", "SELECT", "users"), "postal declares no table users"),
            (Grant("r", "SELECT", "keys"), "keys has the secret column key: name the columns"),
            (Grant("r", "SELECT", "keys", columns=("id", "key")), "column keys.key is secret"),
            (Grant("r", "INSERT", "posts"), "r is no login of postal, INSERT on posts is for those alone"),
            (Grant("public", "SELECT", "posts"), "grantee 'public' is reserved"),
            (Grant('r"; DROP', "SELECT", "posts"), "grantee 'r\"; DROP' is not a role name"),
            (Grant("r", "EXECUTE", "posts"), "there is no privilege EXECUTE on a table"),
            (Grant("r", "ALL", "posts"), "there is no privilege ALL on a table"),  # type: ignore[arg-type]
            (Grant("r", "EXECUTE", "posts", "function"), "postal declares no function posts"),
            (Grant("r", "SELECT", "posts", columns=("a) TO x; --",)), "is not an identifier"),
            (Grant("postal_user", "DELETE", "posts", columns=("a",)), "DELETE is a right on whole tables"),
            ("SELECT", "str is not a Grant"),
        ],
    )
    def test_everything_else_is_refused(self, grant: object, told: str) -> None:
        with pytest.raises(Refused) as caught:
            self.asked(Grant("reporting", "SELECT", "posts"), grant)
        assert told in caught.value.message
        assert caught.value.message.startswith("plugin a (dist 1) may not grant for postal: ")

    def test_a_hook_that_raises_half_way(self) -> None:
        with pytest.raises(Refused, match="failed in grant for postal: ZeroDivisionError"):
            Host([plugin("a", "@hookimpl\ndef grant(domain):\n    yield 1 / 0")]).grants(POSTAL, REGISTRY)


class TestRouting:
    REQUEST = RouteRequest("postal")

    def routed(self, *bodies: str) -> Routed:
        plugins = [
            plugin(f"p{i}", f"@hookimpl\ndef routing(request, endpoints):\n    {body}")
            for i, body in enumerate(bodies)
        ]
        return Host(plugins).routing(self.REQUEST, (PRIMARY, REPLICA))

    def test_the_first_answer_wins(self) -> None:
        assert self.routed("return None", "return endpoints[1]", "return endpoints[0]") == Routed(REPLICA, plugin="p1")
        assert self.routed("return None") == Routed()
        assert self.routed() == Routed()

    def test_a_fault_leaves_the_default_with_a_warning(self) -> None:
        raised = self.routed("raise OSError('x')", "return endpoints[1]")
        assert raised == Routed(None, ("plugin p0 (dist 1) failed in routing: OSError: x",))
        assert self.routed("return 'replica1'").warnings == (
            "plugin p0 (dist 1) chose what is not one of the endpoints",
        )


def test_a_raising_observer_is_logged_once_and_the_others_hear_everything(
    caplog: pytest.LogCaptureFixture,
) -> None:
    heard: list[float] = []
    good = plugin("b", "@hookimpl\ndef metrics(measurement): heard.append(measurement.value)")
    vars(good.implementation)["heard"] = heard
    bad = "@hookimpl\ndef metrics(): raise OSError('full')"
    host = Host([plugin("a", bad), good, plugin("c", bad)])
    with caplog.at_level(logging.WARNING, "bgce_migrate"):
        for value in (1.0, 2.0, 3.0):
            host.metrics(Measurement("step_duration_seconds", value))
    assert heard == [1.0, 2.0, 3.0]
    assert [r.getMessage() for r in caplog.records] == [
        "plugin a (dist 1) failed in metrics: OSError: full",
        "plugin c (dist 1) failed in metrics: OSError: full",
    ]


def call_every_hook(host: Host, folder: Path) -> dict[str, object]:
    """Call each hook once with real values; gives the answers."""
    (folder / "migrations").mkdir(exist_ok=True)
    (folder / "migrations" / "domain.toml").write_text('name = "wallet"\n')
    answers: dict[str, object] = {"domain": host.delivered()}
    try:
        host.pre_apply(STEP, PLAN)
    except Refused as refused:
        answers["pre_apply"] = refused
    answers["post_apply"] = host.post_apply(RESULT, PLAN) + host.run_ended(RunReport("r", "done", command="up"))
    answers["grant"] = host.grants(POSTAL, REGISTRY)
    answers["routing"] = host.routing(RouteRequest("analytics"), (PRIMARY, REPLICA))
    host.metrics(Measurement("steps", 2.0))
    return answers


def check_example(hook: str, text: str, folder: Path) -> None:
    """An example implements its hook, fits the specification and answers as its text says."""
    module = ModuleType("example")
    module.__file__ = str(folder / "__init__.py")
    exec(text, vars(module))
    answers = call_every_hook(Host([Plugin("example", module)]), folder)
    if hook == "domain":
        assert answers["domain"] == (Delivered(folder / "migrations", "example"),)
    elif hook == "pre_apply":
        assert "contracts the schema" in str(answers["pre_apply"])
    elif hook == "post_apply":
        assert vars(module)["seen"] == ["up: done" if "report" in text else "postal/000003_drop_x applied, one of 1"]
    elif hook == "grant":
        assert answers["grant"] == (Grant("reporting", "SELECT", "posts", columns=("id", "status")),)
    elif hook == "routing":
        assert answers["routing"] == Routed(REPLICA, plugin="example")
    else:
        assert vars(module)["total"] == {"steps": 2.0}


FENCE = re.compile(r"^( *)```python\n(.*?)^\1```", re.DOTALL | re.MULTILINE)


def blocks(text: str) -> list[str]:
    """The Python blocks of a text, without their indentation."""
    return [re.sub(f"^{m[1]}", "", m[2], flags=re.MULTILINE) for m in FENCE.finditer(text)]


def test_hooks_lists_the_protocol() -> None:
    assert (
        tuple(name for name in vars(BgceHooks) if hasattr(vars(BgceHooks)[name], "bgce_migrate_spec"))
        == HOOKS
    )
    assert hookspecs.hookimpl is hookimpl


@pytest.mark.parametrize("hook", HOOKS)
def test_the_example_in_the_docstring_runs(hook: str, tmp_path: Path) -> None:
    (example,) = blocks(getattr(BgceHooks, hook).__doc__)
    check_example(hook, example, tmp_path)


@pytest.mark.parametrize("hook", HOOKS)
def test_the_example_in_the_documentation_runs(hook: str, tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "reference" / "hooks.md").read_text("utf-8")
    section = page.split(f"## {hook}\n", 1)[1].split("\n## ", 1)[0]
    examples = blocks(section)
    assert examples
    for example in examples:
        check_example(hook, example, tmp_path)
