"""The check: every statement prepared before the new steps and after them; what breaks is followed step by step."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import psycopg
from msgspec import Struct

from bgce_migrate.apply.owned import search_path
from bgce_migrate.clients.model import Answer, Checked, Judged, Sent, Verdict
from bgce_migrate.clients.reading import words
from bgce_migrate.clients.required import lacking, required
from bgce_migrate.db import catalog_reader, preparing
from bgce_migrate.db.session import Session
from bgce_migrate.db.wire import Failed
from bgce_migrate.domain import Domain
from bgce_migrate.errors import Refused
from bgce_migrate.fingerprint.compare import compare
from bgce_migrate.fingerprint.model import Catalog
from bgce_migrate.migration import MigrationId
from bgce_migrate.scratch.replay import Replay, replay
from bgce_migrate.scratch.steps import committed
from bgce_migrate.tree import Tree

if TYPE_CHECKING:
    from bgce_migrate.host import Host


class _View(Struct):
    """How one state of the database answers."""

    answers: list[Answer]
    catalog: Catalog


def check(
    tree: Tree,
    host: Host,
    sent: Sequence[Sent],
    new: Iterable[MigrationId],
    *,
    left_out: tuple[tuple[str, int], ...] = (),
    provider: str | None = None,
    major: int | None = None,
) -> Checked:
    """Prepare statements on a throw-away server before and after steps. None of them is run.

    Args:
        new: the steps; all others are applied before.
        left_out: what the caller has left out already.
        provider, major: of the scratch server.

    Raises:
        Refused: a step does not run.
        BgceError: there is no order, or no server.
    """
    with replay(tree, host, provider=provider, major=major) as ready:
        return _Check(tree, ready, sent, frozenset(new)).run(left_out)


class _Check:
    """One check on one scratch database."""

    def __init__(self, tree: Tree, ready: Replay, sent: Sequence[Sent], new: frozenset[MigrationId]) -> None:
        self.ready = ready
        self.sent = sent
        ids = [o.step.id for o in ready.steps]
        self.old = [i for i in ids if i not in new]
        self.new = [i for i in ids if i in new]
        self.domains: Mapping[str, Domain] = {s.name: d for d in tree.project.domains for s in d.services} | {
            d.name: d for d in tree.project.domains
        }
        self.prepared, self.seconds = 0, 0.0

    def run(self, left_out: tuple[tuple[str, int], ...]) -> Checked:
        everything = range(len(self.sent))
        with self.ready.context.access.lead() as session:
            self._apply(session, self.old)
            before = self._look(session, everything)
        judged = [self._plain(n, before) for n in everything]
        if self.new:
            # Nobody may be connected while it is copied.
            with self.ready.place.clone() as copy:
                with self.ready.context.access.lead() as session:
                    self._apply(session, self.new)
                    after = self._look(session, everything)
                judged = [self._judge(n, before, after) for n in everything]
                lost = [n for n in everything if judged[n].verdict in (Verdict.BREAKS, Verdict.CHANGES)]
                if lost:
                    with self.ready.on(copy).access.lead() as session:
                        self._follow(session, lost, before, judged)
        return Checked(tuple(judged), tuple(self.new), left_out, self.prepared, self.seconds)

    def _apply(self, session: Session, ids: Iterable[MigrationId]) -> None:
        wanted = frozenset(ids)
        for owned in self.ready.steps:
            if owned.step.id in wanted:
                try:
                    committed(self.ready.context, session, owned, owned.step.script, owned.grants)
                except (Failed, psycopg.Error) as failed:
                    error = failed.error if isinstance(failed, Failed) else failed
                    raise Refused(
                        f"{owned.step.id} does not run: {error.diag.message_primary or error}",
                        hint="bgce-migrate verify tells more; mend it first",
                    ) from None

    def _look(self, session: Session, numbers: Iterable[int]) -> _View:
        """How this state answers the statements of these numbers; the others count as working."""
        numbers = list(numbers)
        answers = [Answer()] * len(self.sent)
        started = time.perf_counter()
        by_path: dict[str, list[int]] = {}
        for n in numbers:
            by_path.setdefault(search_path(self.domains.get(self.sent[n].service)), []).append(n)
        described: dict[int, preparing.Described] = {}
        for path, group in by_path.items():
            session.execute("SELECT set_config('search_path', $1, false)", path)
            described |= dict(zip(group, preparing.describe(session, [self.sent[n].text for n in group]), strict=True))
        names = preparing.type_names(session, {t for d in described.values() for t in (*d.parameters, *(t for _, t in d.columns))})
        for n, found in described.items():
            answers[n] = _answer(found, names)
        self.prepared += len(numbers)
        self.seconds += time.perf_counter() - started
        session.execute("SELECT set_config('search_path', $1, false)", "public")
        catalog = catalog_reader.read(session, without=[self.ready.context.access.schema])
        needs = required(catalog)
        for n in numbers:
            if answers[n].works and (missing := lacking(self.sent[n], self._schema(n), needs)):
                column = min(missing)
                text = f"null value in column {column} violates not-null constraint: the statement gives it no value"
                answers[n] = Answer(text, "23502")
        return _View(answers, catalog)

    def _schema(self, n: int) -> str:
        domain = self.domains.get(self.sent[n].service)
        return domain.schema if domain is not None else "public"

    def _plain(self, n: int, view: _View) -> Judged:
        """Nothing is new."""
        answer = view.answers[n]
        verdict = Verdict.WORKS if answer.works else Verdict.FAILED_BEFORE
        return Judged(self.sent[n], verdict, answer.error, answer.sqlstate)

    def _judge(self, n: int, before: _View, after: _View) -> Judged:
        was, now = before.answers[n], after.answers[n]
        if not now.works:
            verdict = Verdict.BREAKS if was.works or not self.old else Verdict.FAILED_BEFORE
            return Judged(self.sent[n], verdict, now.error, now.sqlstate)
        if was.works and (changed := _changed(was, now)):
            return Judged(self.sent[n], Verdict.CHANGES, changed)
        return Judged(self.sent[n], Verdict.WORKS)

    def _follow(self, session: Session, lost: list[int], before: _View, judged: list[Judged]) -> None:
        """Step by step on the copy: the last step after which a statement was other than before it is to blame."""
        last = before
        for id in self.new:
            self._apply(session, [id])
            now = self._look(session, lost)
            differences = compare(last.catalog, now.catalog, ordered=False)
            for n in lost:
                was, is_now, found = last.answers[n], now.answers[n], judged[n]
                moved = was.works and (not is_now.works if found.verdict is Verdict.BREAKS else bool(_changed(was, is_now)))
                if moved:
                    names = [d.what.identity for d in differences]
                    judged[n] = Judged(found.sent, found.verdict, found.message, found.sqlstate, _object(found, names), id)
            last = now


def _answer(found: preparing.Described, names: Mapping[int, str]) -> Answer:
    if found.error is not None:
        diag = found.error.diag
        message = diag.message_primary or str(found.error)
        return Answer(message, found.error.sqlstate or "", int(diag.statement_position or 0))
    return Answer(
        parameters=tuple(names.get(t, "") for t in found.parameters),
        columns=tuple((name, names.get(t, "")) for name, t in found.columns),
    )


def _changed(was: Answer, now: Answer) -> str:
    """What a program would notice that reads rows and binds parameters; a column that came is none of it."""
    if not now.works:
        return ""
    told = []
    types = dict(now.columns)
    for name, type_ in was.columns:
        if name not in types:
            told.append(f"it gives no column {name} any more")
        elif types[name] != type_:
            told.append(f"column {name} is {types[name]}, was {type_}")
    for number, (old, new) in enumerate(zip(was.parameters, now.parameters, strict=False), 1):
        if old != new:
            told.append(f"parameter ${number} is {new}, was {old}")
    return "; ".join(told)


def _object(found: Judged, changed: Sequence[str]) -> str:
    """Of the objects that the step changed, the one that the message names; a column before its table."""
    said = set(words(found.message.replace(".", " "))) | set(found.message.replace('"', " ").replace(".", " ").split())
    told = set(words(found.sent.text))
    best, weight = "", 0
    for identity in changed:
        parts = identity.partition("(")[0].replace('"', "").replace(".", " ").split()
        name, above = parts[-1], parts[-2] if len(parts) > 2 else ""
        score = 4 * (name in said) + 2 * (name in told) + (above in told) + (identity.startswith("column ") and name in said)
        if score > weight and (name in said or name in told):
            best, weight = identity, score
    return best
