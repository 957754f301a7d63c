"""Where the platform's domains are: inside the installed wheel, or in the repository's `migrations/`."""

from __future__ import annotations

from pathlib import Path

from bgce_migrate.errors import ConfigError

__all__ = ["folder_of"]


def folder_of(domain: str) -> Path:
    """The folder that holds `domain.toml` and the SQL of one of the platform's domains.

    A wheel carries it as `bgce_<domain>/migrations`; a checkout has no such folder, and its one
    source is `migrations/<domain>` at the root.

    Raises:
        ConfigError: neither place holds a `domain.toml`; names both.
    """
    site = Path(__file__).resolve().parent.parent
    packaged = site / f"bgce_{domain}" / "migrations"
    checkout = site.parent / "migrations" / domain
    for folder in (packaged, checkout):
        if (folder / "domain.toml").is_file():
            return folder
    raise ConfigError(
        f"the plugin 'bgce_{domain}' finds no domain.toml for '{domain}': neither in {packaged} nor in {checkout}",
        hint="install bgce-archive-domains again, or restore migrations/ of the checkout",
    )
