"""What may be done now, and what had better not be: from the scene alone."""

from __future__ import annotations

from msgspec import Struct

from bgce_migrate.incident.model import Other, Run, Scene, Work

PROGRAM = "bgce-migrate"


class Advice(Struct, frozen=True):
    """A command and what it brings about.

    Attributes:
        safe: nothing that is done is lost by it, or what is lost is said and will be done again.
    """

    command: str
    meaning: str
    safe: bool = True


def advice(scene: Scene) -> tuple[Advice, ...]:
    """The safe ones first, the likeliest of them on top."""
    out = _without_run(scene) if scene.run is None else _of_run(scene.run)
    return tuple(sorted(out, key=lambda a: not a.safe))


def _of_run(run: Run) -> list[Advice]:
    pause = Advice(f"{PROGRAM} pause {run.short}", "gives the queue back, nothing that is recorded is lost")
    cancel = Advice(f"{PROGRAM} cancel {run.short}", "rolls the step back and ends the run; `up` goes on there")
    resume = Advice(f"{PROGRAM} resume {run.short}", "begins the step again that was given up")
    force = Advice(f"{PROGRAM} cancel {run.short} --force", "ends its sessions; the server rolls the step back")
    if any(w.journaled and w.busy for w in run.works):
        pause = Advice(pause.command, "lets this statement end, then waits")
        cancel = Advice(cancel.command, "throws away what this statement has done and removes what it leaves")
    if run.dead:
        # Nobody would hear the others.
        return [force, *_enders(run)]
    if run.asked is not None and run.asked.what == "cancel":
        return [Advice(f"{PROGRAM} incident", "it was asked to end; look again"), force]
    if run.asked is not None and run.asked.what == "pause":
        return [resume, cancel]
    return [pause, cancel, *_enders(run)]


def _enders(run: Run) -> list[Advice]:
    """How to end those who are in the way, and what it costs them."""
    found: dict[str, Advice] = {}
    for work in run.works:
        for other in work.blockers:
            if other.run is None:
                one = _end(other, work)
                found[one.command] = one
    return list(found.values())


def _end(other: Other, work: Work) -> Advice:
    if other.pid is None:
        name = other.application.replace("'", "''")
        return Advice(f"ROLLBACK PREPARED '{name}'", f"undoes what {other.login} has prepared; ask first", safe=False)
    age = "" if other.seconds is None else f" {other.seconds:.0f} s of"
    who = other.application or other.login
    return Advice(f"SELECT pg_terminate_backend({other.pid})", f"rolls back{age} {who}'s work", safe=False)


def _without_run(scene: Scene) -> list[Advice]:
    if scene.units:
        steps = ", ".join(dict.fromkeys(u.step for u in scene.units))
        return [Advice(f"{PROGRAM} up", f"goes on in {steps} where it stopped")]
    if scene.failures:
        steps = ", ".join(f.step for f in scene.failures)
        return [Advice(f"{PROGRAM} up", f"tries {steps} again; nothing of it stands")]
    return [Advice(f"{PROGRAM} status", "lists what is applied and what is not")] if scene.recorded else []
