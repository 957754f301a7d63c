"""One list of findings from declarations, order, git, ownership, safety and style."""

from __future__ import annotations

from bgce_migrate.linting.kept import Request, Result, get, in_order, key_of, put
from bgce_migrate.linting.loading import Loaded, load
from bgce_migrate.linting.selection import Git, chosen, judged_of, look_at_git, wants_style
from bgce_migrate.linting.store import Store

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
        from bgce_migrate.linting.compose import Run

        result = Run(tree, request, found, chosen(tree, request), judged, style=style).result(store)
        put(store, key, result)
    return result
