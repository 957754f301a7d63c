"""One list of findings from declarations, order, git, ownership, safety and style."""

from __future__ import annotations

from bgce_migrate.linting.kept import Request, Result, get, in_order, key_of, put
from bgce_migrate.linting.loading import Loaded, load
from bgce_migrate.linting.selection import Git, chosen, judged_of, look_at_git, wants_style
from bgce_migrate.linting.store import Store
from bgce_migrate.migration import Finding, MigrationId
from bgce_migrate.tree import Tree

__all__ = ["Loaded", "Request", "Result", "lint", "load"]


def lint(loaded: Loaded, request: Request) -> Result:
    """All findings about a loaded project.

    Raises:
        UsageError: a file or base that was named does not exist.
    """
    tree = loaded.tree
    if tree is None:
        return Result(in_order(loaded.findings))
    git = look_at_git(tree, request.base, request.environment) if request.use_git else Git()
    judged = judged_of(tree, git, everything=request.everything)
    found = (*loaded.findings, *git.findings(tree))
    style = wants_style(tree, request, judged)
    store = Store(tree.project.root / ".bgce" / "cache" / "facts" if request.cache else None)
    key = key_of(tree, request, judged, found, style)
    result = get(store, key, tree, len(judged))
    if result is None:
        result = _judge(tree, request, found, judged, store, style=style)
        put(store, key, result)
    return result


def _judge(
    tree: Tree, request: Request, found: tuple[Finding, ...], judged: frozenset[MigrationId], store: Store, *, style: bool
) -> Result:
    """Read, replay and judge; what judges is loaded while another process reads already."""
    from bgce_migrate.linting.reading import analyses, tasks_of
    from bgce_migrate.linting.styling import style_beside

    shown = chosen(tree, request)
    # First of all: loading sqlfluff takes as long as all the rest for a few files.
    with (
        style_beside(tree, request, shown, judged, wanted=style) as styled,
        analyses(tasks_of(tree, judged), store, jobs=request.jobs, meanwhile=_load_judges) as readings,
    ):
        from bgce_migrate.linting.compose import Run

        return Run(tree, request, found, shown, judged, readings).result(styled)


def _load_judges() -> None:
    import bgce_migrate.lint.rules
    import bgce_migrate.linting.compose
    import bgce_migrate.settling  # noqa: F401
