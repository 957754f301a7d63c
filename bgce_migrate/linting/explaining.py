"""The page of a rule, from whichever source; works offline."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator

from msgspec import Struct

from bgce_migrate.errors import UsageError
from bgce_migrate.lint import allow
from bgce_migrate.lint.ownership import OWNERSHIP_RULES
from bgce_migrate.linting.pages import PAGES


class Page(Struct, frozen=True):
    """One rule's page.

    Attributes:
        code: its row in the catalogue, or "".
        severity: as it comes; bgce.toml may say otherwise.
        source: ownership, safety, declarations or waivers.
    """

    rule: str
    code: str
    severity: str
    source: str
    title: str
    text: str
    fixable: bool = False


_WAIVERS = {
    allow.UNDATED: "A waiver has no date; it silences nothing",
    allow.EXPIRED: "A waiver has ended",
    allow.UNUSED: "A waiver silences nothing here",
    allow.UNKNOWN: "A waiver names a rule that does not exist",
}


def pages() -> Iterator[Page]:
    """Every rule there is, by source."""
    for owned in OWNERSHIP_RULES:
        title, text = _split(_docstring(owned.module))
        yield Page(owned.id, owned.code, owned.severity.value, "ownership", title, text)
    from bgce_migrate.lint.rules import RULES

    for rule in RULES:
        title, text = _split(_docstring(rule.check.__module__))
        yield Page(rule.id, rule.code, rule.severity.value, "safety", title, text, rule.fixable)
    for name, (severity, page) in PAGES.items():
        title, text = _split(page)
        yield Page(name, "", severity, "declarations", title, text)
    for name, title in _WAIVERS.items():
        text = '`-- bgce: allow RULE until 2027-01-31 reason="..."` is the only way to silence a rule.'
        yield Page(name, "", "note" if name == allow.UNUSED else "warning", "waivers", title, text)


def page_of(name: str) -> Page:
    """The page of a rule, by its id or its catalogue id.

    Raises:
        UsageError: there is none; names what may have been meant.
    """
    from bgce_migrate.registry.references import did_you_mean, printable

    known: dict[str, Page] = {}
    for page in pages():
        known[page.rule] = page
    wanted = name.strip()
    found = known.get(wanted.lower()) or next((p for p in known.values() if p.code and p.code == wanted.upper()), None)
    if found is not None:
        return found
    if wanted.lower().startswith("style-"):
        code = wanted[6:].upper()
        return Page(wanted, "", "note", "style", f"sqlfluff's rule {printable(code)}", f"See `sqlfluff rules` for {printable(code)}.")
    hint = did_you_mean(wanted.lower(), known) or "`bgce-migrate explain` lists all rules"
    raise UsageError(f"there is no rule '{printable(wanted[:60])}'", hint=hint)


def title_and_text(rule: str) -> tuple[str, str]:
    """For documents that carry the pages of their rules."""
    try:
        page = page_of(rule)
    except UsageError:
        return rule, ""
    return page.title, page.text


def _docstring(module: str) -> str:
    return inspect.cleandoc(sys.modules[module].__doc__ or "")


def _split(page: str) -> tuple[str, str]:
    title, _, text = page.strip().partition("\n")
    return title.strip(), text.strip()
