"""What style has to say, looked for in a process of its own where that leaves a processor free."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from bgce_migrate.beside import beside, can_fork
from bgce_migrate.linting.kept import Request, read_findings, write_findings
from bgce_migrate.linting.reading import MANY, judged_files
from bgce_migrate.linting.selection import Chosen
from bgce_migrate.migration import Finding, MigrationId
from bgce_migrate.tree import Tree


@contextmanager
def style_beside(
    tree: Tree, request: Request, chosen: Chosen, judged: frozenset[MigrationId], *, wanted: bool
) -> Iterator[Callable[[], Sequence[Finding]]]:
    """The findings of sqlfluff about judged and chosen files, while the rest is read and judged.

    Args:
        wanted: whether sqlfluff is asked at all.
    """

    def style() -> Sequence[Finding]:
        from bgce_migrate.style import check_style

        files = [s for _, s, _ in judged_files(tree, judged) if chosen.files is None or s.path in chosen.files]
        return check_style(files, tree.project.root)

    if not wanted:
        yield tuple
    elif len(judged) > MANY or request.jobs < 2 or not can_fork():
        yield style
    else:
        with beside(lambda pipe: write_findings(pipe, style())) as answer:
            yield lambda: found if (found := read_findings(answer())) is not None else style()
