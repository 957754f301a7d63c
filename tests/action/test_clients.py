"""A pull request that breaks what a service sends is told in annotations and in the one comment."""

from __future__ import annotations

from tests.action.events import FOLDER, Proposal


def test_a_broken_statement_is_told_like_every_finding(proposal: Proposal) -> None:
    proposal.site.git("checkout", "-q", "feature")
    proposal.site.write({
        f"{FOLDER}/000002_take.up.sql": "ALTER TABLE posts RENAME COLUMN author TO writer;\n",
        f"{FOLDER}/000002_take.down.sql": "ALTER TABLE posts RENAME COLUMN writer TO author;\n",
        "clients/postal.sql": "-- service: postal\nSELECT id FROM posts;\nUPDATE posts SET author = $1 WHERE id = $2;\n",
    })  # fmt: skip
    proposal.site.lock()
    proposal.site.commit("rename")
    done = proposal.use(proposal.pull_request(), client_statements="clients/postal.sql")
    assert not done.succeeded and done.outputs["result"] == "fail"
    (told,) = [line for line in done.annotations("error") if "client-statement" in line]
    assert "000002_take.up.sql" in told and "column public.posts.author" in told
    (comment,) = proposal.github.comments.values()
    assert "client\\-statement" in comment["body"] or "client-statement" in comment["body"].replace("&#45;", "-")
    assert "clients/postal.sql" in comment["body"].replace("&#46;", ".") and "breaks a statement of postal" in comment["body"]
