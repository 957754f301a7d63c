"""`measure: true`: what a proposal locks, rewrites and reads stands in the one comment, with who waits."""

from __future__ import annotations

import json

from tests.action.events import FOLDER, Proposal

NEXT = {
    f"{FOLDER}/000002_take.up.sql": (
        "ALTER TABLE posts ADD COLUMN editor bigint;\n"
        "ALTER TABLE posts ADD CONSTRAINT posts_editor FOREIGN KEY (editor) REFERENCES users (id);\n"
    ),
    f"{FOLDER}/000002_take.down.sql": "ALTER TABLE posts DROP COLUMN editor;\n",
    "stats.json": json.dumps({
        "schema": "bgce-migrate/stats/1", "server_version": 180004, "taken_at": "2026-11-01T00:00:00Z",
        "tables": [
            {"schema": "public", "name": "users", "rows": 9_000_000, "bytes": 2_000_000_000, "index_bytes": 200_000_000, "kind": "r"},
            {"schema": "public", "name": "posts", "rows": 90_000_000, "bytes": 10_000_000_000, "index_bytes": 2_000_000_000, "kind": "r"},
        ],
    }),
}  # fmt: skip


def test_the_comment_tells_what_was_measured(proposal: Proposal) -> None:
    proposal.site.git("checkout", "-q", "feature")
    proposal.site.write(NEXT)
    proposal.site.lock()
    proposal.site.commit("key")
    done = proposal.use(proposal.pull_request(), measure="true", stats="stats.json", fail_on="never")
    assert done.succeeded, done.log
    told = [line for line in done.annotations("warning") if "measured-" in line]
    assert any("measured-scan" in line and "line=2" in line and "posts (90,000,000 rows, 10 GB)" in line for line in told)
    assert any("measured-foreign-lock" in line and "users of cortex" in line for line in told)
    (comment,) = proposal.github.comments.values()
    body = comment["body"]
    assert "about 1 min" in body or "about 60 s" in body
    assert "reads and writes of posts" in body and "writes of users" in body and "cortex \\(cortex\\)" in body
    assert int(done.outputs["warnings"]) >= 3


def test_what_cannot_be_measured_is_a_warning(proposal: Proposal) -> None:
    proposal.site.git("checkout", "-q", "feature")
    proposal.site.write(NEXT)
    proposal.site.lock()
    proposal.site.commit("key")
    done = proposal.use(proposal.pull_request(), measure="true", stats="missing.json", fail_on="never")
    assert done.succeeded
    assert any("nothing was measured" in line and "missing.json cannot be read" in line for line in done.annotations("warning"))
