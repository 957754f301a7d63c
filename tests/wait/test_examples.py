"""The files of examples/start-up: read as their programs read them, and their commands run as processes."""

from __future__ import annotations

import configparser
import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cli.program import COMMAND, REPOSITORY, bgce, environment, start, write
from tests.e2e.platform import Guarded, bootstrap, service

EXAMPLES = REPOSITORY / "examples" / "start-up"
MANIFESTS = ["kubernetes/migrate.yaml", "kubernetes/service.yaml", "argo-cd-presync.yaml", "helm/templates/migrate.yaml"]
IMAGE = "registry.example.org/migrations:1.4.0"
UP, WAIT = ["up", "--no-input"], ["wait", "cortex>=000004"]

pytestmark = pytest.mark.postgres(18)


@pytest.fixture
def guarded(tmp_path: Path, database: str) -> Guarded:
    """A domain with four versions, and a database that is ready for it."""
    files = {f"migrations/cortex/{n:06}_t{n}.{way}.sql": text for n in range(1, 5)
             for way, text in (("up", f"CREATE TABLE t{n} (id bigint);\n"), ("down", f"DROP TABLE t{n};\n"))}  # fmt: skip
    tables = "".join(f"[tables.t{n}]\n" for n in range(1, 5))
    declared = f'name = "cortex"\ntitle = "Core"\n{tables}[[services]]\nname = "cortex"\nlogin = "cortex_user"\n'
    toml = '[project]\nname = "shop"\ndomains = ["migrations/cortex"]\n'
    project = write(tmp_path / "p", {"bgce.toml": toml, "migrations/cortex/domain.toml": declared, **files})
    return bootstrap(project, database)


def read(name: str) -> dict[str, Any]:
    """A manifest; of Helm's templates, the values filled in."""
    text = (EXAMPLES / name).read_text(encoding="utf-8")
    if name.startswith("helm/"):
        known = {"Values": yaml.safe_load((EXAMPLES / "helm/values.yaml").read_text("utf-8")), "Release": {"Name": "cortex"}}
        text = re.sub(r"\{\{ \.([\w.]+) \}\}", lambda found: str(value(known, found[1])), text)
    found = yaml.safe_load(text)
    assert isinstance(found, dict)
    return found


def value(values: Any, path: str) -> Any:
    for word in path.split("."):
        values = values[word]
    return values


def pod(manifest: Mapping[str, Any]) -> dict[str, Any]:
    return manifest["spec"]["template"]["spec"]


def of_ours(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """The container with our image."""
    (found,) = (c for c in [*pod(manifest).get("initContainers", ()), *pod(manifest)["containers"]] if c["image"] == IMAGE)
    return found


@pytest.mark.parametrize("name", MANIFESTS)
def test_a_manifest_asks_for_no_more_than_the_image_needs(name: str) -> None:
    manifest = read(name)
    kinds = {"Job": "batch/v1", "Deployment": "apps/v1"}
    assert manifest["apiVersion"] == kinds[manifest["kind"]]
    ours, spec = of_ours(manifest), pod(manifest)
    security = {**spec.get("securityContext", {}), **ours["securityContext"]}
    assert security["runAsNonRoot"] and security["readOnlyRootFilesystem"] and not security["allowPrivilegeEscalation"]
    assert security["capabilities"] == {"drop": ["ALL"]}
    assert "command" not in ours, "the image's entry point is the program"
    assert ours["envFrom"][0]["secretRef"]["name"] and "://" not in str(manifest), "an address is a secret"
    assert all(isinstance(word, str) for word in ours["args"])
    if manifest["kind"] == "Job":
        assert ours["args"][:2] == UP and spec["restartPolicy"] == "Never"
        # Longer than a statement of the step under way may run after SIGTERM.
        assert spec["terminationGracePeriodSeconds"] >= 60
    else:
        assert ours["args"][:2] == WAIT and ours in spec["initContainers"]
        assert manifest["spec"]["selector"]["matchLabels"] == manifest["spec"]["template"]["metadata"]["labels"]


def test_the_page_shows_what_is_in_the_files() -> None:
    page = (REPOSITORY / "docs" / "how-to" / "wait.md").read_text(encoding="utf-8")
    files = [path for path in EXAMPLES.rglob("*") if path.is_file()]
    lines = {line.strip() for path in files for line in path.read_text(encoding="utf-8").splitlines()}
    for kind, block in re.findall(r"```(yaml|ini|make)\n(.*?)```", page, re.DOTALL):
        assert {line.strip() for line in block.splitlines()} <= lines, kind
    linked = set(re.findall(r"\(\.\./\.\./(examples/start-up/[^)]+)\)", page))
    told = {path.relative_to(REPOSITORY).as_posix() for path in files if path.name not in ("Chart.yaml", "values.yaml")}
    assert linked == {name for name in told if not name.endswith(".go")}


def test_hooks_come_before_what_they_are_for() -> None:
    argo = read("argo-cd-presync.yaml")["metadata"]
    assert argo["annotations"]["argocd.argoproj.io/hook"] == "PreSync" and "generateName" in argo
    helm = read("helm/templates/migrate.yaml")
    assert helm["metadata"]["annotations"]["helm.sh/hook"] == "pre-install,pre-upgrade"
    assert helm["spec"]["activeDeadlineSeconds"] > float(of_ours(helm)["args"][-1])
    policy = read("kubernetes/migrate.yaml")["spec"]["podFailurePolicy"]["rules"][0]["onExitCodes"]
    page = (REPOSITORY / "docs/reference/exit-codes.md").read_text(encoding="utf-8")
    assert policy["values"] == [2, 3, 5, 6] and all(f"| {code} |" in page for code in policy["values"])


@pytest.mark.parametrize("name", [name for name in MANIFESTS if name != "kubernetes/service.yaml"])
def test_a_job_migrates_and_the_pods_go_on(name: str, guarded: Guarded) -> None:
    waits, migrates = of_ours(read("kubernetes/service.yaml"))["args"], of_ours(read(name))["args"]
    env = {"DATABASE_URL": service(guarded, "cortex_user")}
    pods = [start(*waits, cwd=guarded.project, env=env) for _ in range(3)]
    for each in pods:
        assert each.stderr is not None and each.stderr.readline().startswith("waiting for cortex/000004")
    done = bgce(*migrates, cwd=guarded.project, env={"DATABASE_URL": guarded.url})
    assert done.code == 0, done.err
    for each in pods:
        out, err = each.communicate(timeout=30)
        assert each.returncode == 0 and out.startswith("ready after"), err
    # Two Jobs at once, or the same again: nothing to do, and no error.
    assert "nothing to do" in bgce(*migrates, cwd=guarded.project, env={"DATABASE_URL": guarded.url}).out


def test_compose_starts_what_it_says_in_that_order(guarded: Guarded) -> None:
    """Each service as a process, once what it depends on has ended well; compose itself is not needed for that."""
    services = yaml.safe_load((EXAMPLES / "compose.yaml").read_text(encoding="utf-8"))["services"]
    urls = {"MIGRATOR_URL": guarded.url, "CORTEX_URL": service(guarded, "cortex_user")}
    running: dict[str, subprocess.Popen[str]] = {}
    ended: list[str] = []
    stop = time.monotonic() + 60
    while len(ended) < len(services) and time.monotonic() < stop:
        for name in (name for name in services if name not in running):
            needs = services[name].get("depends_on", {})
            assert all(need["condition"] == "service_completed_successfully" for need in needs.values())
            if set(needs) <= set(ended):
                url = urls[re.findall(r"\$\{(\w+)", services[name]["environment"]["DATABASE_URL"])[0]]
                words = services[name].get("command", ["status"])  # the service itself: something that looks
                running[name] = start(*words, cwd=guarded.project, env={"DATABASE_URL": url})
        for name, process in running.items():
            if name not in ended and process.poll() is not None:
                if name != "cortex":
                    assert process.returncode == 0, process.communicate()[1]
                ended.append(name)
        time.sleep(0.02)
    assert ended[-1] == "cortex" and set(ended) == set(services)


def test_compose_is_what_compose_reads() -> None:
    checked = pytest.importorskip("check_jsonschema", reason="check-jsonschema is not installed")
    assert checked is not None
    words = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(EXAMPLES / "compose.yaml")]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if "invalid choice" in done.stderr.lower() or "is not one of" in done.stderr:
        pytest.skip("this check-jsonschema has no schema of compose")
    assert done.returncode == 0, done.stdout + done.stderr


def unit(name: str) -> configparser.SectionProxy:
    parser = configparser.ConfigParser(interpolation=None, strict=True)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read(EXAMPLES / name, encoding="utf-8")
    assert parser["Install"]["WantedBy"] == "multi-user.target"
    return parser["Service"]


def test_systemd_starts_the_service_after_its_tables(guarded: Guarded) -> None:
    waits, migrates = unit("cortex.service"), unit("bgce-migrate.service")
    before, up = shlex.split(waits["ExecStartPre"]), shlex.split(migrates["ExecStart"])
    assert before[0] == up[0] == "/usr/bin/bgce-migrate" and migrates["Type"] == "oneshot"
    assert int(waits["TimeoutStartSec"]) > int(before[-1]), "else systemd ends the wait before it says what is missing"
    waiting = start(*before[1:], cwd=Path("/"), env={"DATABASE_URL": service(guarded, "cortex_user")})
    assert bgce(*up[1:], cwd=guarded.project, env={"DATABASE_URL": guarded.url}).code == 0
    assert waiting.wait(timeout=30) == 0
    if shutil.which("systemd-analyze"):
        words = ["systemd-analyze", "verify", *(str(EXAMPLES / n) for n in ("cortex.service", "bgce-migrate.service"))]
        said = subprocess.run(words, capture_output=True, text=True, check=False).stderr
        # Neither program is installed here.
        assert [line for line in said.splitlines() if ".service" in line and "is not executable" not in line] == []


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
def test_make_runs_the_service_when_its_tables_are_there(guarded: Guarded, tmp_path: Path) -> None:
    shutil.copy(EXAMPLES / "Makefile", guarded.project)
    write(guarded.project, {"cortex": "#!/bin/sh\necho running > started\n"})
    (guarded.project / "cortex").chmod(0o755)
    program = tmp_path / "bgce-migrate"
    program.write_text(f'#!/bin/sh\nexec {shlex.join(COMMAND)} "$@"\n')
    program.chmod(0o755)

    def make(target: str, url: str) -> subprocess.Popen[str]:
        env = {**environment({"DATABASE_URL": url}), "PATH": f"{tmp_path}:{os.environ['PATH']}"}
        return subprocess.Popen(["make", target], cwd=guarded.project, env=env, stderr=subprocess.PIPE, text=True)

    running = make("run", service(guarded, "cortex_user"))
    assert running.stderr is not None and running.stderr.readline().startswith("waiting for cortex/000004")
    assert not (guarded.project / "started").exists()
    assert make("migrate", guarded.url).wait(timeout=60) == 0
    assert running.wait(timeout=30) == 0 and (guarded.project / "started").exists()
