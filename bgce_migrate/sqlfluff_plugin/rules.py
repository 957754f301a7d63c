"""Three rules of sqlfluff, one a source; which of ours it is stands in the message, as `lint` prints it."""

from __future__ import annotations

from collections.abc import Iterator

from sqlfluff.core.parser import BaseSegment
from sqlfluff.core.rules import BaseRule, LintResult, RuleContext
from sqlfluff.core.rules.crawlers import RootOnlyCrawler

from bgce_migrate.migration import Finding
from bgce_migrate.sqlfluff_plugin.single import findings_about


class Rule_BGCE_SAFE(BaseRule):
    """A migration locks for long, rewrites, loses data or breaks running code.

    Explained by ``bgce-migrate explain RULE``; weights and waivers are those of ``bgce-migrate lint``.
    """

    name = "bgce.safety"
    groups = ("all", "bgce")
    crawl_behaviour = RootOnlyCrawler()
    is_fix_compatible = False

    def _eval(self, context: RuleContext) -> list[LintResult]:
        return _said("safety", context)


class Rule_BGCE_OWNS(BaseRule):
    """A migration touches what another domain owns.

    Explained by ``bgce-migrate explain RULE``; weights and waivers are those of ``bgce-migrate lint``.
    """

    name = "bgce.ownership"
    groups = ("all", "bgce")
    crawl_behaviour = RootOnlyCrawler()
    is_fix_compatible = False

    def _eval(self, context: RuleContext) -> list[LintResult]:
        return _said("ownership", context)


class Rule_BGCE_REST(BaseRule):
    """Declarations, order, lock file, git and waivers of a migration are not right.

    Explained by ``bgce-migrate explain RULE``; weights and waivers are those of ``bgce-migrate lint``.
    """

    name = "bgce.project"
    groups = ("all", "bgce")
    crawl_behaviour = RootOnlyCrawler()
    is_fix_compatible = False

    def _eval(self, context: RuleContext) -> list[LintResult]:
        return _said("project", context)


RULES: tuple[type[BaseRule], ...] = (Rule_BGCE_SAFE, Rule_BGCE_OWNS, Rule_BGCE_REST)


def _said(source: str, context: RuleContext) -> list[LintResult]:
    """Only files of a project with a `bgce.toml` are looked at."""
    if context.path is None or context.templated_file is None:
        return []
    found = findings_about(context.path, context.templated_file.source_str)
    return [_result(context.segment, finding) for finding in found.get(source, ())]


def _result(root: BaseSegment, finding: Finding) -> LintResult:
    hint = f"; {finding.hint}" if finding.hint else ""
    description = f"{finding.severity.value}: {finding.message} [{finding.rule}]{hint}"
    return LintResult(anchor=_segment(root, finding), description=description)


def _segment(root: BaseSegment, finding: Finding) -> BaseSegment:
    """The token at a finding's place, or the last one before it."""
    line = finding.where.line if finding.where and finding.where.line else 1
    place = (line, (finding.where.column if finding.where else None) or 1)
    best: BaseSegment = root
    for token, position in _tokens(root):
        if position > place:
            break
        best = token
    return best


def _tokens(root: BaseSegment) -> Iterator[tuple[BaseSegment, tuple[int, int]]]:
    for token in root.raw_segments:
        if token.pos_marker is not None and token.raw:
            yield token, token.pos_marker.source_position()
