"""Small repositories for the tests of configuration."""

from __future__ import annotations

from pathlib import Path

import pytest

from bgce_migrate.config import load
from bgce_migrate.errors import ConfigError

BGCE = '[project]\nname = "shop"\ndomains = ["migrations/cortex", "migrations/*"]\n'
CORTEX = """\
name = "cortex"
functions = { touch = "shared", internal = "private" }
shares = { postal = ["users(email)"] }

[tables.users]
columns = { password_hash = "secret", email = "contact", born = "private" }
sets = { profile = ["id", "username"] }

[tables.tenants]

[[services]]
name = "cortex"
login = "cortex_user"
"""
POSTAL = """\
name = "postal"
requires = ["cortex"]

[tables.posts]

[[services]]
name = "postal"
login = "postal_user"
reads = ["cortex:users.profile", "cortex:users(email)", "cortex:tenants"]
calls = ["cortex:touch"]
"""


def write(root: Path, files: dict[str, str | bytes]) -> Path:
    """Write files below `root`; gives `root`."""
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return root


def repository(root: Path, *, bgce: str = BGCE, **domains: str) -> Path:
    """A repository with cortex and postal, or other texts for them; gives its `bgce.toml`."""
    texts = {"cortex": CORTEX, "postal": POSTAL} | domains
    write(root, {f"migrations/{name}/domain.toml": text for name, text in texts.items() if text})
    write(root, {"bgce.toml": bgce})
    return root / "bgce.toml"


def mistakes(path: Path) -> list[str]:
    """Every mistake of a project as `file:line: message`, with paths from the project's root."""
    with pytest.raises(ConfigError) as caught:
        load(path)
    assert caught.value.exit_code == 2
    prefix = f"{path.parent.as_posix()}/"
    return [str(p).replace(prefix, "") for p in caught.value.problems]


def hints(path: Path) -> list[str]:
    """The hints beside them."""
    with pytest.raises(ConfigError) as caught:
        load(path)
    return [p.hint or "" for p in caught.value.problems]
