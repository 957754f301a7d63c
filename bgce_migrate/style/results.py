"""Files -> findings: from the cache, else judged here, in two processes where that is worth it."""

from __future__ import annotations

import os
import signal
from collections.abc import Sequence
from pathlib import Path

from bgce_migrate.migration import Finding, SourceFile
from bgce_migrate.style.kept import Kept
from bgce_migrate.style.keys import Keys
from bgce_migrate.style.verdict import Verdict
from bgce_migrate.style.wording import findings_of

#: From so many characters on a second process is worth its start.
MUCH = 8_000


def results(sources: Sequence[SourceFile], folder: Path | None, jobs: int) -> tuple[Finding, ...]:
    """See `check_style`."""
    kept = Kept(folder)
    naming = Keys()
    keys = [naming.of(source) for source in sources]
    verdicts = {key: found for key in keys if (found := kept.get(key)) is not None}
    cold = [(key, source) for key, source in zip(keys, sources, strict=True) if key not in verdicts]
    if cold:
        fresh = _judged(cold, naming, jobs)
        kept.put(fresh)
        verdicts |= fresh
    return tuple(
        f for key, source in zip(keys, sources, strict=True) if key in verdicts for f in findings_of(source, verdicts[key])
    )


def _judged(cold: Sequence[tuple[str, SourceFile]], naming: Keys, jobs: int) -> dict[str, Verdict]:
    from bgce_migrate.style.bare import load

    load()
    from bgce_migrate.style.judge import judge

    tasks = [(source.path, source.text, naming.configuration(source)) for _, source in cold]
    worth = len(tasks) > 1 and sum(len(text) for _, text, _ in tasks) >= MUCH
    workers = min(jobs, len(tasks), os.cpu_count() or 1)
    if not worth or workers < 2 or not hasattr(os, "fork"):
        return {key: judge(task) for (key, _), task in zip(cold, tasks, strict=True)}
    from multiprocessing import get_context

    # The largest first, so that no process ends long after the other. Forked, so that sqlfluff is loaded once.
    places = sorted(range(len(tasks)), key=lambda place: -len(tasks[place][1]))
    with get_context("fork").Pool(workers, initializer=quiet) as pool:
        said = pool.map(judge, [tasks[place] for place in places], chunksize=1)
    return {cold[place][0]: verdict for place, verdict in zip(places, said, strict=True)}


def quiet() -> None:
    """A process of the pool ends when it is told to, and leaves Ctrl-C to who started it."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
