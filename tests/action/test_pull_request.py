"""A pull request: annotations, summary, outputs and the one comment."""

from __future__ import annotations

import json

from tests.action.events import BAD, GOOD, Proposal


def test_a_bad_migration_is_told_everywhere(proposal: Proposal) -> None:
    done = proposal.runner(proposal.pull_request()).use(upload_sarif="true")
    assert not done.succeeded
    assert done.outputs["result"] == "fail" and done.outputs["exit-code"] == "1"
    assert int(done.outputs["errors"]) >= 1
    assert json.loads(done.outputs["changed-files"]) == sorted(BAD)
    assert json.loads(done.outputs["domains-touched"])[0] == "postal"
    assert done.outputs["environment"] == "production"
    errors = done.annotations("error")
    assert any("file=migrations/postal/000002_take.up.sql,line=1" in line for line in errors)
    (comment,) = proposal.github.comments.values()
    assert done.outputs["comment-url"] == comment["html_url"]
    body = comment["body"]
    assert body.startswith("<!-- bgce-migrate ") and "❌" in body
    assert "| <code>postal</code> | 2 | 2 |" in body
    assert "```mermaid" in body and "```sql\nALTER TABLE users ADD COLUMN karma bigint;" in body
    assert "Suggested fixes" in body
    assert body.split("\n", 2)[2] in done.summary
    assert done.handed["actions/upload-artifact"]["name"] == "bgce-migrate"
    assert done.handed["github/codeql-action/upload-sarif"]["sarif_file"] == done.outputs["sarif-path"]
    assert done.steps["Set up Python"] == "skipped"
    assert done.steps["Keep the report"] == done.steps["Hand over to code scanning"] == "success"


def test_the_comment_is_rewritten_and_goes_when_all_is_clean(proposal: Proposal) -> None:
    for number in range(130):
        proposal.github.add(f"looks good {number}", login="person", kind="User")
    proposal.use(proposal.pull_request())
    assert len(proposal.github.comments) == 131
    first = proposal.github.comments[max(proposal.github.comments)]
    proposal.site.git("checkout", "-q", "feature")
    proposal.site.commit("more", {"migrations/postal/000003_more.up.sql": "DROP TABLE users;\n",
                                  "migrations/postal/000003_more.down.sql": "SELECT 1;\n"})  # fmt: skip
    proposal.use(proposal.pull_request())
    assert len(proposal.github.comments) == 131 and "000003" in first["body"]
    assert any("page=2" in path for _, path in proposal.github.requests)

    gone = dict.fromkeys([*BAD, "migrations/postal/000003_more.up.sql", "migrations/postal/000003_more.down.sql"])
    proposal.site.git("checkout", "-q", "feature")
    proposal.site.write({**gone, **GOOD})
    proposal.site.lock()
    proposal.site.commit("good")
    done = proposal.use(proposal.pull_request())
    assert done.succeeded and done.outputs["result"] == "pass", done.log
    assert len(proposal.github.comments) == 130
    assert done.outputs["comment-url"] == ""
    assert "✅" in done.summary


def test_a_fork_gets_summary_and_annotations(proposal: Proposal) -> None:
    proposal.github.may_write = False
    done = proposal.use(proposal.pull_request(fork=True), fail_on="never")
    assert done.succeeded and done.outputs["result"] == "warn"
    assert done.annotations("error") and "postal" in done.summary
    assert "a fork's token may only read" in done.log and not proposal.github.comments


def test_without_token_or_network_nothing_fails(proposal: Proposal) -> None:
    event = proposal.pull_request()
    done = proposal.use(event, fail_on="never", github_token="")
    assert done.succeeded and not proposal.github.requests
    done = proposal.use(event | {"GITHUB_API_URL": "http://127.0.0.1:1"}, fail_on="never", comment="always")
    assert done.succeeded and "no comment was written" in done.log


def test_what_cannot_be_read_is_told_too(proposal: Proposal) -> None:
    proposal.site.write({"bgce.toml": "[project\n"})
    done = proposal.use(proposal.pull_request())
    assert not done.succeeded and done.outputs["exit-code"] == "2" and done.outputs["result"] == "fail"
    assert done.annotations("error") and "bgce.toml" in done.summary
    (comment,) = proposal.github.comments.values()
    assert "bgce" in comment["body"]
