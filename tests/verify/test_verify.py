"""`verify` finds every defective down that was sown, and raises no alarm about correct ones."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bgce_migrate.desk import Desk
from bgce_migrate.fingerprint.wording import tell
from bgce_migrate.servers import status
from bgce_migrate.verify.model import Proof, Verdict
from bgce_migrate.verify.run import verify
from tests.e2e.platform import copy_platform
from tests.verify.cases import CORRECT, DEFECTIVE, Case, write

MAJORS = [18, 16]


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server of an undeclared tree is kept where one stands."""
    monkeypatch.chdir(tmp_path)


def proofs_of(folder: Path, major: int) -> tuple[Proof, ...]:
    desk = Desk.load(folder, migrations=folder)
    return verify(desk.tree, desk.host, major=major)


def told(proof: Proof) -> str:
    lines = [proof.verdict.value, proof.message, *map(tell, proof.differences), *(f"{s};" for s in proof.statements)]
    return "\n".join(lines)


def require(cases: tuple[Case, ...], proofs: tuple[Proof, ...]) -> None:
    assert proofs[0].verdict is Verdict.OK, told(proofs[0])
    wrong = []
    for number, (case, proof) in enumerate(zip(cases, proofs[1:], strict=True), 2):
        parts = [part.replace("%n", str(number)) for part in case.told]
        text = told(proof)
        if proof.verdict.value != case.verdict or not all(part in text for part in parts):
            wrong.append(f"{case.up} / {case.down}: wanted {case.verdict} {parts}, got {text}")
    assert not wrong, "\n\n".join(wrong)


@pytest.mark.parametrize("major", MAJORS)
def test_every_defective_down_is_found(tmp_path: Path, major: int) -> None:
    assert len(DEFECTIVE) >= 40
    proofs = proofs_of(write(tmp_path, DEFECTIVE), major)
    require(DEFECTIVE, proofs)
    assert all(not p.verdict.passes for p in proofs[1:])


@pytest.mark.parametrize("major", MAJORS)
def test_no_alarm_about_correct_downs(tmp_path: Path, major: int) -> None:
    assert len(CORRECT) >= 40
    proofs = proofs_of(write(tmp_path, CORRECT), major)
    require(CORRECT, proofs)
    assert all(p.verdict.passes for p in proofs)


def test_an_up_that_fails_ends_it(tmp_path: Path) -> None:
    for number, up in enumerate(("CREATE TABLE t (i int)", "CREATE TABLE t (i int)", "CREATE TABLE u (i int)"), 1):
        (tmp_path / f"{number}_x.up.sql").write_text(up)
        (tmp_path / f"{number}_x.down.sql").write_text("DROP TABLE " + ("u" if number == 3 else "t"))
    found = [(p.verdict.value, p.message) for p in proofs_of(tmp_path, 18)]
    assert found == [("ok", ""), ("error", 'the up fails: relation "t" already exists'), ("not_reached", "")]


def test_the_command_on_the_shipped_domains(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from bgce_migrate.cli import execute

    project = copy_platform(tmp_path)
    down = next((project / "migrations" / "postal").glob("000001_*.down.sql"))
    down.write_text(down.read_text() + "\nCREATE TABLE left_behind (id bigint);\n")
    monkeypatch.chdir(project)
    assert execute(["verify", "--domain", "postal", "--json"]) == 1
    document = json.loads(capsys.readouterr().out)
    assert document["schema"] == "bgce-migrate/verify/1"
    assert {m["domain"] for m in document["migrations"]} == {"postal"}
    first, *others = document["migrations"]
    assert first["verdict"] == "differs"
    assert [d["text"] for d in first["differences"]] == ["table public.left_behind is new"]
    assert first["statements"] == ["DROP TABLE public.left_behind"]
    assert {m["verdict"] for m in others} == {"ok"} and len(others) >= 4
    assert not any(server.running for server in status(project) if server.name == "scratch")
