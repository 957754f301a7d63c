"""What a person types for a domain or a version, as what it means in this project."""

from __future__ import annotations

from collections.abc import Mapping

from bgce_migrate.config import Project
from bgce_migrate.errors import UsageError
from bgce_migrate.migration import MigrationId


def require_domain(project: Project, name: str | None) -> None:
    """Refuse the name of a domain that is not there; None is none."""
    if name is not None and name not in project.registry:
        known = ", ".join(d.name for d in project.domains)
        raise UsageError(f"there is no domain {name}", hint=f"the domains are: {known}")


def one_domain(project: Project, name: str | None, words: str) -> str:
    """The domain that is meant: the one named, or the only one.

    Args:
        words: what was typed, for the message.

    Raises:
        UsageError: none is named and there are several.
    """
    require_domain(project, name)
    if name is not None:
        return name
    domains = [d.name for d in project.domains]
    if len(domains) != 1:
        raise UsageError(
            f"'{words}' names a version, and there are {len(domains)} domains: {', '.join(domains)}",
            hint="say which with --domain NAME",
        )
    return domains[0]


def parse_id(project: Project, text: str) -> MigrationId:
    """`domain/000003`, `domain/3`, `domain/000003_slug`, or `3` where there is one domain."""
    domain, _, version = text.rpartition("/")
    digits = version.split("_", 1)[0]
    if not digits.isdigit():
        raise UsageError(f"'{text}' is not of the form domain/version", hint="for example cortex/000003")
    return MigrationId(one_domain(project, domain or None, text), int(digits))


def replicas(project: Project, environment: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """Name and address of each declared replica whose variable is set here; the others cannot be asked."""
    found = ((replica.name, environment.get(replica.url_env, "")) for replica in project.replicas)
    return tuple((name, address) for name, address in found if address.strip())


def passwords(project: Project, environment: Mapping[str, str]) -> dict[str, str]:
    """Passwords of the domains' own logins, from BGCE_PASSWORD_<DOMAIN>, by login."""
    names = {d.migrator: f"BGCE_PASSWORD_{d.name.upper()}" for d in project.domains}
    return {login: environment[name] for login, name in names.items() if name in environment}
