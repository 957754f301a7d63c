"""`-- bgce: allow RULE until DATE reason="..."`: what it silences, and what is wrong with it."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from typing import Protocol

from bgce_migrate.errors import Where
from bgce_migrate.migration import Directives, Finding, MigrationId, Severity

UNDATED, EXPIRED, UNUSED, UNKNOWN = "allow-undated", "allow-expired", "allow-unused", "allow-unknown"
RULES = (UNDATED, EXPIRED, UNUSED, UNKNOWN)


class Waiving(Protocol):
    """A file whose directives count; `LintInput` is one."""

    @property
    def path(self) -> str: ...

    @property
    def text(self) -> str: ...

    @property
    def judged(self) -> bool: ...

    @property
    def directives(self) -> Directives: ...

    @property
    def migration(self) -> MigrationId: ...


def waive(
    findings: Iterable[Finding], files: Sequence[Waiving], today: str, known: Collection[str]
) -> tuple[Finding, ...]:
    """Leave out what the files allow, and add what is wrong with their waivers.

    Args:
        findings: of any source; those of a file are silenced by that file's directives.
        today: ISO date; a waiver holds on its last day.
        known: all rule ids there are; waivers for others are findings.
    """
    waivers = {file.path: file for file in files if file.judged and file.directives.allow}
    used: set[tuple[str, str]] = set()
    kept: list[Finding] = []
    for finding in findings:
        file = waivers.get(finding.where.file) if finding.where else None
        if file is not None and _allows(file.directives, finding.rule, today):
            used.add((file.path, finding.rule))
        else:
            kept.append(finding)
        if file is not None and any(rule == finding.rule for rule, _, _ in file.directives.allow):
            used.add((file.path, finding.rule))
    for file in waivers.values():
        kept.extend(_faults(file, used, today, known))
    return tuple(kept)


def _allows(directives: Directives, rule: str, today: str) -> bool:
    return any(
        name == rule and until >= today and reason for name, until, reason in directives.allow if until
    )


def _faults(
    file: Waiving, used: set[tuple[str, str]], today: str, known: Collection[str]
) -> Iterable[Finding]:
    for rule, until, _ in file.directives.allow:
        where = Where(file.path, _line(file.text, rule), 1)
        domain = file.migration.domain

        def say(name: str, message: str, hint: str, severity: Severity = Severity.WARNING) -> Finding:
            return Finding(name, severity, message, where, hint, domain, subject=rule)  # noqa: B023

        if rule not in known:
            yield say(UNKNOWN, f"`allow {rule}`: there is no such rule", "`bgce-migrate explain` lists them")
        elif not until:
            hint = f'write `-- bgce: allow {rule} until 2027-01-31 reason="..."`'
            yield say(
                UNDATED, f"`allow {rule}` has no date, so it would hold for ever; it silences nothing", hint
            )
        elif until < today:
            hint = "mend the statement in a new migration, or give a new date and reason"
            yield say(EXPIRED, f"`allow {rule}` ended on {until}", hint)
        elif (file.path, rule) not in used:
            yield say(UNUSED, f"`allow {rule}` silences nothing here", "delete the line", Severity.NOTE)


def _line(text: str, rule: str) -> int:
    found = re.search(
        rf"^[ \t]*--[ \t]*bgce:[ \t]*allow[ \t]+{re.escape(rule)}\b", text, re.MULTILINE | re.IGNORECASE
    )
    return text.count("\n", 0, found.start()) + 1 if found else 1
