"""The pages of rules that no single statement breaks: declarations, versions, lock file, order, git, reading."""

from __future__ import annotations

from types import MappingProxyType

_PAGES: dict[str, tuple[str, str]] = {
    "declaration": ("error", """\
bgce.toml or a domain.toml is wrong.

## Why

Everything else is read from the declarations; with a mistake in them nothing can be judged.

## Instead

Correct the key at the place that is named; docs/reference/configuration.md lists all keys.
"""),
    "duplicate-version": ("error", """\
Two migrations of one domain have the same version.

## Why

Identity is domain and version; with two of them nobody knows which one was applied.

## Instead

`bgce-migrate renumber DOMAIN` gives the newer one the next free version.
"""),
    "missing-version": ("error", """\
A down file has no up file of its version.

## Why

What is undone was never done; most often a file was renamed alone, or forgotten in a commit.

## Instead

Add the up file, or remove the down file.
"""),
    "version-gap": ("note", """\
Versions are left out before a new migration.

## Why

Mostly nothing: a migration was given up. Sometimes a file was forgotten in the commit.

## Instead

Look whether a file is missing; `bgce-migrate renumber DOMAIN` closes the gap.
"""),
    "unreadable-file": ("error", """\
A migration file cannot be read.

## Why

It is no text in UTF-8, too large, a link out of its folder, or wrongly named; other domains are judged all the
same.

## Instead

Correct the file that is named.
"""),
    "syntax": ("error", """\
The file is not SQL that PostgreSQL's grammar accepts.

## Why

The server would refuse it.

## Instead

Correct it at the place that is named. For syntax newer than the grammar of this version say
`-- bgce: opaque reason="..."`: the file is then sent as it is.
"""),
    "refused-sql": ("error", """\
The file holds something that is refused before it runs.

## Why

Transaction control in the middle, switches of role or session, psql's own commands and COPY from the client
break what the engine promises: one transaction, one role, one history.

## Instead

The hint names it for each case.
"""),
    "no-down": ("error", """\
A migration has no down file.

## Why

It cannot be undone by anybody but a person, in a hurry.

## Instead

Write the down, or say `-- bgce: irreversible reason="..."` at the top of the up file.
"""),
    "mixed-transaction": ("warning", """\
Statements that can run in a transaction stand beside one that cannot.

## Why

The file then runs statement by statement, and a failure in the middle leaves half of it.

## Instead

Give the statement that cannot a file of its own.
"""),
    "role-change": ("note", """\
The file changes roles, which history cannot undo.

## Why

Roles outlive the database.

## Instead

Let `bgce-migrate bootstrap` make roles from the declarations.
"""),
    "open-transaction": ("note", """\
BEGIN without COMMIT.

## Why

The file runs as one transaction anyway.

## Instead

Take BEGIN out.
"""),
    "not-locked": ("note", """\
A migration is not in bgce.lock yet.

## Why

`up` refuses what the lock file does not vouch for, because its place in the order is not recorded.

## Instead

`bgce-migrate lock`, and commit bgce.lock with the migration.
"""),
    "lock-edited": ("error", """\
A locked migration was edited.

## Why

Databases where it was applied keep the old text; new ones would get the new text: two schemas under one number.
Comments, white space and letter case are free.

## Instead

Put the old text back and write a new migration for the change.
"""),
    "lock-removed": ("error", """\
A locked migration is gone.

## Why

New databases cannot be built as the old ones were.

## Instead

Put the file back from version control. Undo it with a new migration.
"""),
    "lock-renumbered": ("error", """\
A locked migration has another number.

## Why

Databases where it was applied would run it again under the new one.

## Instead

Give it back its version.
"""),
    "lock-unreadable": ("error", """\
bgce.lock cannot be read.

## Why

A merge conflict or a hand left something that is no line of it.

## Instead

Take the line from version control, or delete it and run `bgce-migrate lock`.
"""),
    "undeclared-dependency": ("error", """\
A migration uses an object of a domain that its own does not require.

## Why

The order of fresh installations, and grants, follow from `requires`.

## Instead

Write the domain into `requires` of domain.toml.
"""),
    "order-cycle": ("error", """\
A circle: no order can satisfy all migrations (X33).

## Why

Each waits for the other; a fresh installation is impossible.

## Instead

Move one of the statements, mostly a foreign key, into a migration of its own.
"""),
    "reference-to-later": ("error", """\
A migration uses what a later one of the same domain makes.

## Why

Versions of one domain run in their order; the object is not there yet.

## Instead

Exchange the two, or move the statement into a later migration.
"""),
    "order-ambiguous": ("error", """\
Two new migrations make or use one name, and nothing says which comes first.

## Why

The order would depend on chance.

## Instead

`-- bgce: requires domain/version` at the top of the one that comes second.
"""),
    "dropped-name": ("warning", """\
A migration may use a name that was dropped or renamed before.

## Why

At its place in the order the object may not be there any more.

## Instead

Use what replaced it.
"""),
    "unknown-name": ("note", """\
A migration uses a table that no migration makes.

## Why

It is made elsewhere, or misspelt; a fresh database does not have it.

## Instead

Correct the name, or make the table in a migration.
"""),
    "soft-order": ("note", """\
A use that binds late was given up, because it closed a circle.

## Why

The body of a function names an object that is made later; it matters only when the function is called before.

## Instead

Nothing, or make the function later.
"""),
    "declaration-not-read": ("note", """\
A declaration was left aside.

## Why

With `--migrations` folders are read as they are, without their domain.toml.

## Instead

Lint the project itself to have ownership rules.
"""),
    "down-without-up": ("note", """\
A down file without an up file was left aside.

## Why

Plain folders may hold anything.

## Instead

Add the up file, or remove the down file.
"""),
    "nested-folder": ("note", """\
A folder inside a folder of migrations was left aside.

## Why

Migrations of one domain lie in one folder.

## Instead

Move them up, or declare the inner folder as a domain.
"""),
    "linked-folder": ("note", """\
A link to a folder was left aside.

## Why

The folder it leads to is read where it is.

## Instead

Nothing.
"""),
    "unread-file": ("note", """\
A SQL file that is not named like a migration was left aside.

## Why

Perhaps its name is misspelt, and it never runs.

## Instead

NNNNNN_slug.up.sql and NNNNNN_slug.down.sql.
"""),
    "unreadable-folder": ("note", """\
A folder cannot be read.

## Why

Its migrations are not in the order.

## Instead

Correct its rights.
"""),
    "undeclared": ("note", """\
Ownership rules are off.

## Why

Nothing is declared, so nothing is owned.

## Instead

`bgce-migrate init` makes a project of plain folders.
"""),
    "order": ("error", """\
The order cannot be found.

## Why

See the message.

## Instead

See the hint.
"""),
    "name-gone": ("error", """\
A migration uses a name that was dropped or renamed before.

## Why

At its place in the order the object is not there any more.

## Instead

Use what replaced it.
"""),
    "unknown-requirement": ("error", """\
`requires` names a migration that does not exist.

## Why

Nothing can be placed behind it.

## Instead

Write domain and version of one that exists.
"""),
    "unordered-change": ("warning", """\
Two domains change one object, and only their places in bgce.toml say who comes first.

## Why

Another place, another result.

## Instead

`-- bgce: requires` in the one that comes second.
"""),
    "name-exists": ("warning", """\
A migration makes what is there already.

## Why

Without IF NOT EXISTS it fails; with it, what is there may look different.

## Instead

Drop or rename the old one first, or use another name.
"""),
    "cannot-see-through": ("warning", """\
SQL that cannot be seen through.

## Why

A computed text, or a language we cannot read: what it needs is not in the order.

## Instead

`-- bgce: requires domain/version` for what it needs.
"""),
    "undeclared-table": ("warning", """\
A table has no owner.

## Why

Nobody gets rights on it, and nobody answers for it.

## Instead

`[tables.NAME]` in the domain.toml of the domain that makes it.
"""),
    "foreign-table": ("error", """\
A migration makes a table that another domain declares.

## Why

It is in the wrong folder, or two domains believe that the table is theirs.

## Instead

Move the migration into the folder of the owner, or the declaration into this domain.
"""),
    "two-owners": ("error", """\
Two domains declare one table.

## Why

A table has one owner: one role, one team.

## Instead

Keep one declaration; the other domain says `reads`.
"""),
    "git-edited": ("error", """\
A migration that is on the target branch was edited.

## Why

It may be applied somewhere already; there the old text stands.

## Instead

Restore it, and write a new migration for the change.
"""),
    "git-deleted": ("error", """\
A migration that is on the target branch was deleted.

## Why

New databases cannot be built as the old ones were.

## Instead

Restore it; undo it with a new migration.
"""),
    "git-renamed": ("error", """\
A migration that is on the target branch was renamed.

## Why

Where it was applied it would run again, or look missing.

## Instead

Give it back its name.
"""),
    "git-same-number": ("error", """\
Two branches took the same number.

## Why

Identity is domain and version.

## Instead

`bgce-migrate renumber` gives the one that is not on the target branch the next free version.
"""),
    "git-lock-moved": ("error", """\
Lines of bgce.lock that are on the target branch were moved or removed.

## Why

The recorded order is what fresh databases replay.

## Instead

Restore bgce.lock from the target branch and run `bgce-migrate lock`.
"""),
    "git-no-base": ("note", """\
Git could not be asked what is on the target branch.

## Why

A shallow clone, a detached head, no commit yet, or no repository: then bgce.lock says what is settled.

## Instead

`git fetch`, or `--base REF`.
"""),
}  # fmt: skip

#: Rule id to severity and page.
PAGES = MappingProxyType(_PAGES)
