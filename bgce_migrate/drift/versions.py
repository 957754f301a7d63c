"""golang-migrate's version rows that somebody else has written, as drift."""

from __future__ import annotations

from bgce_migrate.apply.compat.agreeing import Why, disagreements
from bgce_migrate.apply.compat.rows import Tables
from bgce_migrate.apply.target import Target
from bgce_migrate.db import golang_migrate
from bgce_migrate.drift.model import Drift
from bgce_migrate.tree import Tree


def of_version_rows(tree: Tree, target: Target) -> list[Drift]:
    """Rows that say another version than history. Files that came below a row are no drift: `up` runs them."""
    tables = Tables.of(tree)
    return [
        Drift(
            "version row",
            golang_migrate.shown(found.place),
            found.domain,
            found.text,
            back=tuple(golang_migrate.write(found.place, found.wanted)) if found.why is not Why.UNREADABLE else (),
            advice="where golang-migrate has run beside us: bgce-migrate adopt, or force",
        )
        for found in (disagreements(target, tables) if tables.places else ())
        if found.why not in (Why.LATE, Why.UNMADE)
    ]
