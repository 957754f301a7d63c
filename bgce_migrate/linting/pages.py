"""The pages of rules that no single statement breaks: declarations, versions, lock file, order, git, reading."""

from __future__ import annotations

from types import MappingProxyType

_PAGES: dict[str, tuple[str, str]] = {
    "declaration": ("error", """\
bgce.toml or a domain.toml is wrong

why: Everything else is read from the declarations; with a mistake in them nothing can be judged.

instead: Correct the key at the place that is named; docs/reference/configuration.md lists all keys.
"""),
    "duplicate-version": ("error", """\
Two migrations of one domain have the same version

why: Identity is domain and version; with two of them nobody knows which one was applied.

instead: `bgce-migrate renumber DOMAIN` gives the newer one the next free version.
"""),
    "missing-version": ("error", """\
A down file has no up file of its version

why: What is undone was never done; most often a file was renamed alone, or forgotten in a commit.

instead: Add the up file, or remove the down file.
"""),
    "version-gap": ("note", """\
Versions are left out before a new migration

why: Mostly nothing: a migration was given up. Sometimes a file was forgotten in the commit.

instead: Look whether a file is missing; `bgce-migrate renumber DOMAIN` closes the gap.
"""),
    "unreadable-file": ("error", """\
A migration file cannot be read

why: It is no text in UTF-8, too large, a link out of its folder, or wrongly named; other domains are judged all the
same.

instead: Correct the file that is named.
"""),
    "syntax": ("error", """\
The file is not SQL that PostgreSQL's grammar accepts

why: The server would refuse it.

instead: Correct it at the place that is named. For syntax newer than the grammar of this version say
`-- bgce: opaque reason="..."`: the file is then sent as it is.
"""),
    "refused-sql": ("error", """\
The file holds something that is refused before it runs

why: Transaction control in the middle, switches of role or session, psql's own commands and COPY from the client
break what the engine promises: one transaction, one role, one history.

instead: The hint names it for each case.
"""),
    "no-down": ("error", """\
A migration has no down file

why: It cannot be undone by anybody but a person, in a hurry.

instead: Write the down, or say `-- bgce: irreversible reason="..."` at the top of the up file.
"""),
    "mixed-transaction": ("warning", """\
Statements that can run in a transaction stand beside one that cannot

why: The file then runs statement by statement, and a failure in the middle leaves half of it.

instead: Give the statement that cannot a file of its own.
"""),
    "role-change": ("note", """\
The file changes roles, which history cannot undo

why: Roles outlive the database.

instead: Let `bgce-migrate bootstrap` make roles from the declarations.
"""),
    "open-transaction": ("note", """\
BEGIN without COMMIT

why: The file runs as one transaction anyway.

instead: Take BEGIN out.
"""),
    "not-locked": ("note", """\
A migration is not in bgce.lock yet

why: `up` refuses what the lock file does not vouch for, because its place in the order is not recorded.

instead: `bgce-migrate lock`, and commit bgce.lock with the migration.
"""),
    "lock-edited": ("error", """\
A locked migration was edited

why: Databases where it was applied keep the old text; new ones would get the new text: two schemas under one number.
Comments, white space and letter case are free.

instead: Put the old text back and write a new migration for the change.
"""),
    "lock-removed": ("error", """\
A locked migration is gone

why: New databases cannot be built as the old ones were.

instead: Put the file back from version control. Undo it with a new migration.
"""),
    "lock-renumbered": ("error", """\
A locked migration has another number

why: Databases where it was applied would run it again under the new one.

instead: Give it back its version.
"""),
    "lock-unreadable": ("error", """\
bgce.lock cannot be read

why: A merge conflict or a hand left something that is no line of it.

instead: Take the line from version control, or delete it and run `bgce-migrate lock`.
"""),
    "undeclared-dependency": ("error", """\
A migration uses an object of a domain that its own does not require

why: The order of fresh installations, and grants, follow from `requires`.

instead: Write the domain into `requires` of domain.toml.
"""),
    "order-cycle": ("error", """\
A circle: no order can satisfy all migrations (X33)

why: Each waits for the other; a fresh installation is impossible.

instead: Move one of the statements, mostly a foreign key, into a migration of its own.
"""),
    "later-reference": ("error", """\
A migration uses what a later one of the same domain makes

why: Versions of one domain run in their order; the object is not there yet.

instead: Exchange the two, or move the statement into a later migration.
"""),
    "order-ambiguous": ("error", """\
Two new migrations make or use one name, and nothing says which comes first

why: The order would depend on chance.

instead: `-- bgce: requires domain/version` at the top of the one that comes second.
"""),
    "order": ("error", """\
The order cannot be found

why: See the message.

instead: See the hint.
"""),
    "name-gone": ("error", """\
A migration uses a name that was dropped or renamed before

why: At its place in the order the object is not there any more.

instead: Use what replaced it.
"""),
    "unknown-requirement": ("error", """\
`requires` names a migration that does not exist

why: Nothing can be placed behind it.

instead: Write domain and version of one that exists.
"""),
    "unordered-change": ("warning", """\
Two domains change one object, and only their places in bgce.toml say who comes first

why: Another place, another result.

instead: `-- bgce: requires` in the one that comes second.
"""),
    "name-exists": ("warning", """\
A migration makes what is there already

why: Without IF NOT EXISTS it fails; with it, what is there may look different.

instead: Drop or rename the old one first, or use another name.
"""),
    "cannot-see-through": ("warning", """\
SQL that cannot be seen through

why: A computed text, or a language we cannot read: what it needs is not in the order.

instead: `-- bgce: requires domain/version` for what it needs.
"""),
    "undeclared-table": ("warning", """\
A table has no owner

why: Nobody gets rights on it, and nobody answers for it.

instead: `[tables.NAME]` in the domain.toml of the domain that makes it.
"""),
    "foreign-table": ("error", """\
A migration makes a table that another domain declares

why: It is in the wrong folder, or two domains believe that the table is theirs.

instead: Move the migration into the folder of the owner, or the declaration into this domain.
"""),
    "two-owners": ("error", """\
Two domains declare one table

why: A table has one owner: one role, one team.

instead: Keep one declaration; the other domain says `reads`.
"""),
    "git-edited": ("error", """\
A migration that is on the target branch was edited

why: It may be applied somewhere already; there the old text stands.

instead: Restore it, and write a new migration for the change.
"""),
    "git-deleted": ("error", """\
A migration that is on the target branch was deleted

why: New databases cannot be built as the old ones were.

instead: Restore it; undo it with a new migration.
"""),
    "git-renamed": ("error", """\
A migration that is on the target branch was renamed

why: Where it was applied it would run again, or look missing.

instead: Give it back its name.
"""),
    "git-same-number": ("error", """\
Two branches took the same number

why: Identity is domain and version.

instead: `bgce-migrate renumber` gives the one that is not on the target branch the next free version.
"""),
    "git-lock-moved": ("error", """\
Lines of bgce.lock that are on the target branch were moved or removed

why: The recorded order is what fresh databases replay.

instead: Restore bgce.lock from the target branch and run `bgce-migrate lock`.
"""),
    "git-no-base": ("note", """\
Git could not be asked what is on the target branch

why: A shallow clone, a detached head, no commit yet, or no repository: then bgce.lock says what is settled.

instead: `git fetch`, or `--base REF`.
"""),
}  # fmt: skip

#: Rule id to severity and page.
PAGES = MappingProxyType(_PAGES)
