"""Which migrations are to be proven: ids and ranges as they are typed."""

from __future__ import annotations

from collections.abc import Sequence

from bgce_migrate.errors import UsageError
from bgce_migrate.migration import MigrationId
from bgce_migrate.naming import one_domain, parse_id, require_domain
from bgce_migrate.tree import Tree

_BETWEEN = ".."


def chosen(tree: Tree, words: Sequence[str]) -> frozenset[MigrationId]:
    """`cortex/000003`, `cortex/000003..000007` (either end may be left out), `cortex` for all of a domain.

    Raises:
        UsageError: a word that means no migration here.
    """
    found: set[MigrationId] = set()
    for word in words:
        ids = _meant(tree, word)
        if not ids:
            raise UsageError(f"'{word}' names no migration here", hint="bgce-migrate verify without words proves all")
        found |= ids
    return frozenset(found)


def _meant(tree: Tree, word: str) -> set[MigrationId]:
    if _BETWEEN in word:
        return _between(tree, word)
    if "/" not in word and not word[:1].isdigit():
        require_domain(tree.project, word)
        return {i for i in tree.migrations if i.domain == word}
    wanted = parse_id(tree.project, word)
    require_domain(tree.project, wanted.domain)
    return {i for i in tree.migrations if i == wanted}


def _between(tree: Tree, word: str) -> set[MigrationId]:
    """Both ends included; the second has the first's domain where it says none."""
    first, _, last = word.partition(_BETWEEN)
    domain, _, version = first.rpartition("/")
    name = one_domain(tree.project, domain or last.rpartition("/")[0] or None, word)
    low = parse_id(tree.project, f"{name}/{version}").version if version else 0
    high = parse_id(tree.project, last if "/" in last else f"{name}/{last}") if last else None
    if high is not None and high.domain != name:
        raise UsageError(f"'{word}' leads from one domain into another", hint="give each domain a range of its own")
    return {
        i for i in tree.migrations if i.domain == name and low <= i.version and (high is None or i.version <= high.version)
    }
