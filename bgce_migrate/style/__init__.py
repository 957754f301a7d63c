"""Style: sqlfluff on single files, from a cache where nothing changed; never a reason to refuse valid SQL."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bgce_migrate.migration import Finding, SourceFile

__all__ = ["available", "check_style"]


def available() -> bool:
    """Whether sqlfluff is installed; it is not imported."""
    from importlib.util import find_spec

    return find_spec("sqlfluff") is not None


def check_style(
    sources: Sequence[SourceFile], root: Path, *, jobs: int = 2, cache: bool = True
) -> tuple[Finding, ...]:
    """What sqlfluff says about files, as rules `style-<CODE>`, in the order of the files.

    A file that sqlfluff cannot read and PostgreSQL's grammar can is a note `style-not-checked`; one that neither
    can is left to the rules that tell of syntax. Configured by `.sqlfluff` and its like, over our own defaults.

    Args:
        sources: files as read; their paths say which configuration holds.
        root: the project's folder; the cache is in its `.bgce/cache/style`.
        jobs: processes; a second one is started where it is worth it.
    """
    if not sources:
        return ()
    if not available():
        from bgce_migrate.style.wording import not_installed

        return (not_installed(),)
    from bgce_migrate.style.results import results

    folder = root / ".bgce" / "cache" / "style" if cache else None
    return results(sources, folder, jobs)
