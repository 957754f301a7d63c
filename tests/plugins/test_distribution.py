"""The second distribution: a wheel of the eleven plugins that carries their declarations and SQL."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest
import tomli

from tests.plugins.shipped_domains import ROOT, domain_names

PLUGINS = ROOT / "plugins"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder into which the built wheel is installed, not editable and without the engine."""
    wheels, target = tmp_path_factory.mktemp("wheels"), tmp_path_factory.mktemp("installed")
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    with_hatchling = ["--no-build-isolation"] if importlib.util.find_spec("hatchling") else []
    subprocess.run([*pip, "wheel", *with_hatchling, "--no-deps", str(PLUGINS), "-w", str(wheels)], check=True)
    (wheel,) = wheels.glob("bgce_archive_domains-*.whl")
    subprocess.run([*pip, "install", "--no-deps", "--target", str(target), str(wheel)], check=True)
    return target


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below `folder`, by its path in there."""
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def ask(place: Path, domain: str) -> Path:
    """The folder that `bgce_<domain>` of `place` hands over, asked from outside the checkout."""
    path = os.pathsep.join([str(place), str(ROOT), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, "-c", f"import bgce_{domain} as plugin; print(plugin.domain())"],
        capture_output=True,
        text=True,
        check=True,
        cwd="/",
        env={**os.environ, "PYTHONPATH": path},
    )
    return Path(done.stdout.strip())


def test_the_wheel_carries_every_file_of_every_domain(installed: Path) -> None:
    for domain in domain_names():
        assert contents(installed / f"bgce_{domain}" / "migrations") == contents(ROOT / "migrations" / domain)


def test_an_entry_point_a_domain_and_bgce_toml_allows_them_all(installed: Path) -> None:
    (distribution,) = importlib.metadata.distributions(path=[str(installed)])
    assert distribution.metadata["Name"] == "bgce-archive-domains"
    offered = {
        point.name: point.value for point in distribution.entry_points if point.group == "bgce_migrate"
    }
    assert offered == {f"bgce_{domain}": f"bgce_{domain}" for domain in domain_names()}
    project = tomli.loads((ROOT / "bgce.toml").read_text(encoding="utf-8"))["project"]
    assert sorted(offered) == sorted(project["plugins"])


@pytest.mark.parametrize("domain", domain_names())
def test_an_installed_plugin_hands_over_its_packaged_folder(installed: Path, domain: str) -> None:
    assert ask(installed, domain) == (installed / f"bgce_{domain}" / "migrations").resolve()


@pytest.mark.parametrize("domain", domain_names())
def test_in_a_checkout_a_plugin_hands_over_the_one_source(domain: str) -> None:
    assert ask(PLUGINS, domain) == ROOT / "migrations" / domain


def test_the_source_distribution_builds_the_same_wheel(installed: Path, tmp_path: Path) -> None:
    pytest.importorskip("hatchling", reason="building a source distribution needs hatchling here")
    build = [sys.executable, "-m", "hatchling", "build", "-t"]
    subprocess.run([*build, "sdist", "-d", str(tmp_path)], check=True, cwd=PLUGINS, capture_output=True)
    (archive,) = tmp_path.glob("*.tar.gz")
    subprocess.run(["tar", "xzf", str(archive), "-C", str(tmp_path)], check=True)
    source = tmp_path / archive.name.removesuffix(".tar.gz")
    subprocess.run([*build, "wheel", "-d", str(tmp_path)], check=True, cwd=source, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    target = tmp_path / "unpacked"
    subprocess.run([sys.executable, "-m", "zipfile", "-e", str(wheel), str(target)], check=True)
    for domain in domain_names():
        assert contents(target / f"bgce_{domain}" / "migrations") == contents(ROOT / "migrations" / domain)
