"""Mode `login`: each domain's steps run as a login of their own, which alone may be seen, asked and ended so."""

from __future__ import annotations

import os
import signal

import psycopg
import pytest

from bgce_migrate.apply.target import Address
from bgce_migrate.db.statements import MIGRATOR
from tests.cli.program import bgce, environment, zygote
from tests.faults.site import SECRET, Site, only_guarded, until

pytestmark = pytest.mark.postgres(18)


@only_guarded
def test_a_step_of_a_domains_own_login(site: Site) -> None:
    site.domain("shop", tables=["goods"])
    site.write("shop", 1, "CREATE TABLE goods (id int PRIMARY KEY);", "DROP TABLE goods;")
    toml = site.root / "bgce.toml"
    toml.write_text(toml.read_text() + '\n[database]\nmode = "login"\n')
    passwords = {MIGRATOR: SECRET, "shop_migrator": SECRET}
    site.desk().bootstrap(Address(site.admin, mode="login"), passwords=passwords)
    # Roles belong to the server: another test may have made this one before.
    site.query(f"ALTER ROLE shop_migrator PASSWORD '{SECRET}'")
    env = {"DATABASE_URL": site.url, "BGCE_PASSWORD_SHOP": SECRET}
    assert bgce("up", cwd=site.root, env=env).code == 0
    site.write("shop", 2, "ALTER TABLE goods ADD COLUMN extra int;")
    with site.connect() as holder:
        holder.execute("SELECT count(*) FROM goods")
        run = zygote().start(["up", "--lock-timeout", "60s"], site.root, environment(env))
        until(lambda: site.working("ALTER TABLE"))
        (found,) = bgce("incident", "--json", cwd=site.root, env=env).document["runs"]
        (work,) = found["works"]
        assert (work["login"], work["step"], work["statement"]) == (
            "shop_migrator", "shop/000002", "ALTER TABLE goods ADD COLUMN extra int",
        )  # fmt: skip
        assert work["blockers"][0]["query"] == "SELECT count(*) FROM goods"
        # Whose SQL runs may not ask anything of the run that runs it.
        as_domain = psycopg.conninfo.make_conninfo(site.url, user="shop_migrator")
        refused = bgce("cancel", "-d", as_domain, cwd=site.root)
        assert refused.code == 3 and "shop_migrator may not cancel" in refused.err
        assert bgce("pause", cwd=site.root, env=env).code == 0
        assert site.working("ALTER TABLE") is None
        assert bgce("resume", cwd=site.root, env=env).code == 0
        until(lambda: site.working("ALTER TABLE"))
        os.kill(run.pid, signal.SIGSTOP)
        try:
            answer = bgce("cancel", "--force", cwd=site.root, env=env)
            assert answer.code == 0, answer.err
            assert SECRET not in answer.out + answer.err
            until(lambda: site.working("ALTER TABLE") is None)
        finally:
            os.kill(run.pid, signal.SIGKILL)
            run.ended()
        holder.rollback()
    assert bgce("up", cwd=site.root, env=env).code == 0
    assert site.applied() == ["shop/1", "shop/2"] and site.chain_faults() == ()
