"""A shop that tells a webhook of its runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.cli.program import SHOP, Answer, bgce, write
from tests.notifying import webhook

TOML = (
    '[project]\nname = "shop"\ndomains = ["migrations/cortex", "migrations/postal"]\nplugins = ["bgce_notifications"]\n'
    '[environments.production]\n[environments.staging]\n[notifications]\nurl_env = "SHOP_HOOK"\ntimeout = 1.5\n'
)

#: Runs a command line on the test's database with the webhook's address, or with another one.
Run = Callable[..., Answer]


@pytest.fixture
def hook() -> Iterator[webhook.Hook]:
    with webhook.hook() as made:
        yield made


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    return write(tmp_path / "shop", {**SHOP, "bgce.toml": TOML})


@pytest.fixture
def run(shop: Path, database: str, hook: webhook.Hook) -> Run:
    def call(*words: str, url: str | None = None) -> Answer:
        answer = bgce(*words, cwd=shop, env={"DATABASE_URL": database, "SHOP_HOOK": hook.url if url is None else url})
        told = answer.out + answer.err
        assert webhook.SECRET not in told and "xS3cret" not in told
        return answer

    return call
