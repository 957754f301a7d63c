"""A rule's page: the docstring of its module, taken apart; and the reference of all rules."""

from __future__ import annotations

import inspect
import re
from collections.abc import Sequence

from msgspec import Struct

from bgce_migrate.lint.rule import Rule

_FENCE = re.compile(r"^```sql (setup|bad|good)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_SECTION = re.compile(r"^## (\w+)\n\n(.*?)\n\n", re.MULTILINE | re.DOTALL)
_MAJORS = (18, 16)


class Page(Struct, frozen=True):
    """What a rule's page says.

    Attributes:
        title: one sentence.
        why: what happens.
        instead: what to write.
        effect: what the bad example does on a server and the good ones do not: "rewrite", "index rebuild",
            "scan under LOCK", "lock LOCK on NAME", "drops NAME", "error SQLSTATE"; "none" for rules of design.
        servers: the majors on which the examples run.
        setup: what is there before, migration by migration.
        bad: migrations that are reported, each for itself.
        good: migrations that are not, one after the other.
    """

    title: str
    why: str
    instead: str
    effect: str
    servers: tuple[int, ...]
    setup: tuple[str, ...]
    bad: tuple[str, ...]
    good: tuple[str, ...]


def page_of(rule: Rule) -> Page:
    """The page of a rule."""
    module = inspect.getmodule(rule.check)
    text = inspect.cleandoc((module.__doc__ if module else None) or "") + "\n\n"
    found: dict[str, list[str]] = {"setup": [], "bad": [], "good": []}
    for kind, sql in _FENCE.findall(text):
        found[kind].append(sql)
    sections = dict(_SECTION.findall(text))
    said = dict(re.findall(r"^(effect|servers): (.+)$", text, re.MULTILINE))
    majors = tuple(int(part) for part in said["servers"].split(",")) if "servers" in said else _MAJORS
    return Page(
        text.split("\n", 1)[0],
        sections.get("Why", ""),
        sections.get("Instead", ""),
        said.get("effect", ""),
        majors,
        tuple(found["setup"]),
        tuple(found["bad"]),
        tuple(found["good"]),
    )


def reference(rules: Sequence[Rule]) -> str:
    """`docs/reference/rules.md`."""
    lines = [
        "# Rules of `lint`",
        "",
        "Made from the rules' own pages; the examples run on PostgreSQL servers in the tests, which check the stated"
        " effect. `bgce-migrate explain RULE` shows one page.",
        "",
        "| rule | severity | what it finds | fix |",
        "|---|---|---|---|",
    ]
    lines += [
        f"| [`{r.id}`](#{r.id}) | {r.severity.value} | {page_of(r).title} | {'yes' if r.fixable else ''} |"
        for r in rules
    ]
    for rule in rules:
        lines += ["", *_chapter(rule, page_of(rule))]
    return "\n".join(lines) + "\n"


def _chapter(rule: Rule, page: Page) -> list[str]:
    facts = [rule.severity.value]
    if rule.code:
        facts.append(f"hazard {rule.code}")
    if rule.since:
        facts.append(f"target {rule.since} and later")
    if rule.until < 99:
        facts.append(f"target {rule.until} and earlier")
    if rule.fixable:
        facts.append("`lint --fix`")
    if page.effect not in ("", "none"):
        facts.append(f"measured: {page.effect}")
    lines = [
        f"## {rule.id}",
        "",
        page.title,
        "",
        " · ".join(facts),
        "",
        page.why,
        "",
        f"**Instead:** {page.instead}",
    ]
    for label, blocks in (("Given", page.setup), ("Bad", page.bad), ("Good", page.good)):
        for number, sql in enumerate(blocks, 1):
            count = f" ({number} of {len(blocks)})" if len(blocks) > 1 else ""
            lines += ["", f"{label}{count}:", "", "```sql", sql.rstrip("\n"), "```"]
    return lines
