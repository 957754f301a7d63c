"""The page of `look`: for a terminal and as Markdown."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

from bgce_migrate.fingerprint.wording import tell
from bgce_migrate.report import comment_markdown as markdown
from bgce_migrate.report.clean import one_line
from bgce_migrate.report.lint_text import inert
from bgce_migrate.report.output import Output
from bgce_migrate.report.table import Column

if TYPE_CHECKING:
    from bgce_migrate.looking.model import Claim, Look, Reference
    from bgce_migrate.verify.model import Verdict

#: More rows than these are counted, unless everything is asked for.
_ROWS = 12
#: A cell is no place for a function's body.
_LONGEST = 120


class Section(Struct, frozen=True):
    """One part of the page: sentences, then rows under headings.

    Attributes:
        code: which columns are names or places, by number.
        more: how many rows were left out.
    """

    title: str
    lines: tuple[str, ...] = ()
    heads: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    code: frozenset[int] = frozenset()
    more: int = 0


def print_page(out: Output, look: Look) -> None:
    """For people at a terminal; what to do first stands last, where the eye is."""
    colour = out.result_is_terminal and not os.environ.get("NO_COLOR")
    for section in [*sections(look, everything=out.verbose), _first(look)]:
        title = one_line(section.title)
        out.painted(f"\033[1m{title}\033[0m" if colour else title)
        for line in section.lines:
            out.line(f"  {one_line(line)}" if section.heads or not line.startswith("  ") else line)
        if section.rows:
            columns = [Column(head, right=head == "#") for head in section.heads]
            out.table(columns, [tuple(inert(cell) for cell in row) for row in section.rows])
        if section.more:
            out.line(f"  and {section.more} more (-v)")
        out.line()


def print_markdown(out: Output, look: Look) -> None:
    """For a pull request, a wiki or a mail."""
    first = _first(look)
    top, *rest = sections(look, everything=out.verbose)
    out.line(f"# {markdown.text(top.title)}")
    for section in (first, *rest):
        out.line()
        out.line(f"## {markdown.text(section.title)}")
        out.line()
        if section is first:
            for number, advice in enumerate(look.advice, 1):
                command = f": {markdown.code(advice.command)}" if advice.command else ""
                out.line(f"{number}. {markdown.text(advice.text)}{command}")
            continue
        for line in section.lines:
            out.line(f"- {markdown.text(line)}")
        if section.rows:
            if section.lines:
                out.line()
            out.line(markdown.table([markdown.text(h) for h in section.heads], [_cells(section, r) for r in section.rows]))
        if section.more:
            out.line()
            out.line(f"and {section.more} more")


def _cells(section: Section, row: Sequence[str]) -> list[str]:
    return [markdown.code(cell) if n in section.code else markdown.text(cell) for n, cell in enumerate(row)]


def sections(look: Look, *, everything: bool) -> list[Section]:
    """What there is to say; parts without anything are left out."""
    most = 1_000_000 if everything else _ROWS
    made = [_summary(look)]
    for part in (_domains, _problems, _order, _references, _claims, _downs, _hazards, _edits):
        for section in part(look):
            rows = section.rows[:most]
            made.append(Section(section.title, section.lines, section.heads, rows, section.code, len(section.rows) - len(rows)))
    return made


def _summary(look: Look) -> Section:
    tables = sum(folder.tables for folder in look.folders)
    words = (_count(len(look.folders), "domain"), _count(look.migrations, "migration"), _count(tables, "table"))
    return Section(f"{look.place}: {', '.join(words)}")


def _domains(look: Look) -> Iterator[Section]:
    if look.folders:
        rows = tuple(
            (
                f.name, _count(f.migrations, "migration"), _count(f.tables, "table"),
                f"{f.without_down} without down" if f.without_down else "every down is there", f.folder,
            )
            for f in look.folders
        )  # fmt: skip
        heads = ("domain", "migrations", "makes", "downs", "folder")
        yield Section("Domains", (), heads, rows, frozenset({0, 4}))
    else:
        yield Section("Domains", ("there are none: migrations are named NNNNNN_slug.up.sql and NNNNNN_slug.down.sql",))
    if look.aside:
        yield Section("Left aside", (), ("folder", "because"), tuple((a.folder, a.reason) for a in look.aside), frozenset({0}))


def _problems(look: Look) -> Iterator[Section]:
    if look.problems:
        rows = tuple((p.severity.value, _near(look, str(p.where or "")), p.message) for p in look.problems)
        yield Section("Files that cannot be taken as they are", (), ("severity", "place", "what"), rows, frozenset({1}))


def _order(look: Look) -> Iterator[Section]:
    if look.unordered:
        said = f"there is no order over all domains: {_count(len(look.unordered), 'contradiction')}"
        told = tuple((p.message,) for p in look.unordered)
        yield Section("Order", (said, "each domain by itself is in order of its versions"), ("contradiction",), told)
    elif len(look.folders) > 1:
        rows = tuple((str(n), s.domain, _span(s.first.short, s.last.short, s.count)) for n, s in enumerate(look.order, 1))
        said = "derived from the SQL: what uses an object comes after what makes it"
        yield Section("Order", (said,), ("#", "domain", "migrations"), rows, frozenset({1}))


def _span(first: str, last: str, count: int) -> str:
    return first if count == 1 else f"{first} to {last.partition('/')[2]} ({count})"


def _references(look: Look) -> Iterator[Section]:
    if look.references:
        rows = tuple(_reference(r) for r in look.references)
        heads = ("domain", "uses of", "objects", "in")
        yield Section("What domains use of each other", (), heads, rows, frozenset({0, 1}))
    elif len(look.folders) > 1 and not look.unordered:
        yield Section("What domains use of each other", ("nothing: each stands by itself",))


def _reference(reference: Reference) -> tuple[str, ...]:
    objects = [f"{name} ({', '.join(hows)})" for name, hows in reference.objects.items()]
    shown = ", ".join(objects[:5]) + (f" and {len(objects) - 5} more" if len(objects) > 5 else "")
    return (reference.user, reference.owner, shown, _count(len(reference.migrations), "migration"))


def _claims(look: Look) -> Iterator[Section]:
    if look.claims:
        rows = tuple((f"{c.kind} {c.name}", _who(c)) for c in look.claims)
        yield Section("Objects that several domains make or change", (), ("object", "who"), rows, frozenset({0}))


def _who(claim: Claim) -> str:
    return "; ".join(
        f"{domain} {', '.join(f'{verb} it in {migration}' for verb, migration in done)}"
        for domain, done in claim.domains.items()
    )


def _downs(look: Look) -> Iterator[Section]:
    from bgce_migrate.verify.model import Verdict

    proofs = look.proofs
    if proofs.skipped:
        yield Section("Downs", ("not proven: --no-verify",))
        return
    if not proofs.proofs and not proofs.unproven:
        return
    counts = Counter(p.verdict for p in proofs.proofs)
    said = [(sum(counts[v] for v in verdicts), words) for verdicts, words in _said(Verdict)]
    lines = [f"of {len(proofs.proofs)}: " + ", ".join(f"{n} {words}" for n, words in said if n)] if proofs.proofs else []
    lines += [f"{name} not proven: {p.message}" for name, p in sorted(proofs.unproven.items())]
    quiet = (Verdict.OK, Verdict.ORDER, Verdict.IRREVERSIBLE, Verdict.MISSING, Verdict.NOT_REACHED)
    rows = []
    for proof in reversed(proofs.proofs):
        if proof.verdict not in quiet:
            told = _short(proof.message or tell(next(d for d in proof.differences if not d.is_order)))
            left = sum(not d.is_order for d in proof.differences) - 1
            rows.append((proof.verdict.value, str(proof.id), told + (f" (and {left} more)" if left > 0 else "")))
    yield Section("Downs", tuple(lines), ("verdict", "migration", "what"), tuple(rows), frozenset({1}))


def _said(verdicts: type[Verdict]) -> tuple[tuple[tuple[Verdict, ...], str], ...]:
    v = verdicts
    return (
        ((v.OK, v.ORDER), "undo their up"),
        ((v.DIFFERS, v.REUP_DIFFERS), "do not"),
        ((v.ERROR, v.REUP_ERROR), "fail"),
        ((v.MISSING,), "are missing"),
        ((v.IRREVERSIBLE,), "are declared irreversible"),
        ((v.NOT_REACHED,), "could not be reached, because an up before them fails"),
    )


def _hazards(look: Look) -> Iterator[Section]:
    if look.hazards:
        rows = tuple(
            (h.severity.value, str(h.count), h.rule, h.title.rstrip("."), _near(look, str(h.newest.where or ""))) for h in look.hazards
        )
        notes = (f"beside {_count(look.notes, 'note')}",) if look.notes else ()
        heads = ("severity", "times", "rule", "what", "newest")
        yield Section("Hazards on a database with rows and programs", notes, heads, rows, frozenset({2, 4}))


def _edits(look: Look) -> Iterator[Section]:
    git = look.git
    title = "Edited after they were committed"
    if git.unknown:
        yield Section(title, (f"not known: {git.unknown}",))
        return
    lines = []
    if git.edited or git.untouched:
        aside = f"; in {git.untouched} more only comments, layout, BEGIN and COMMIT" if git.untouched else ""
        lines.append(f"{_count(len(git.edited), 'file')} whose SQL changed{aside}")
    if git.removed:
        names = ", ".join(_near(look, path) for path in git.removed[:3]) + (" ..." if len(git.removed) > 3 else "")
        lines.append(f"{_count(len(git.removed), 'file')} committed once and gone: {names}")
    rows = tuple((_near(look, e.path), e.first, e.last, ", ".join(e.commits[:4])) for e in git.edited)
    if lines:
        yield Section(title, tuple(lines), ("file", "committed", "edited", "in"), rows, frozenset({0, 3}))


def _first(look: Look) -> Section:
    lines = []
    for number, advice in enumerate(look.advice, 1):
        lines.append(f"{number}. {advice.text}")
        if advice.command:
            lines.append(f"     {one_line(advice.command)}")
    return Section("What to do first", tuple(lines))


def _near(look: Look, path: str) -> str:
    """A path without the folder that all have in common."""
    return path.removeprefix(f"{look.folders[0].folder}/") if len(look.folders) == 1 else path


def _short(text: str) -> str:
    line = one_line(text)
    return line if len(line) <= _LONGEST else line[: _LONGEST - 1] + "…"


def _count(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"
