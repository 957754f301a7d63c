"""Chooses the provider for scratch work: by flag, by `bgce.toml`, else by what the SQL needs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from bgce_migrate.errors import UsageError
from bgce_migrate.servers.programs import available

#: In the order they are tried; docker joins only where an image is configured.
LOCAL_PROVIDERS = ("embedded", "local")
#: Where nothing can be looked up before a container runs.
UNKNOWN_EXTENSIONS = ("docker", "url")


@dataclass(frozen=True, slots=True)
class Choice:
    """The provider for scratch work. `major` is None where the image or URL decides; `reason` is for the report."""

    provider: str
    major: int | None
    reason: str


def choose(
    *,
    flag: str | None = None,
    configured: str | None = None,
    major: int | None = None,
    extensions: Iterable[str] = (),
    image: str | None = None,
) -> Choice:
    """The provider that can replay the migrations.

    Args:
        flag: what the command line says; a word that is said is never overruled.
        configured: what `bgce.toml` says.
        major: the version that is wanted, e.g. the target's; None for the newest.
        extensions: every extension that the SQL creates.
        image: the image of provider `docker`, when one is configured.

    Raises:
        UsageError: the named provider lacks something, or none has everything; all lacks are told.
    """
    needed = sorted(set(extensions) - {"plpgsql"})
    for said, source in ((flag, "asked for"), (configured, "set in bgce.toml")):
        if said in UNKNOWN_EXTENSIONS:
            return Choice(str(said), None, source)
        if said:
            found, lack = _fitting(said, major, needed)
            if found is None:
                raise UsageError(f"the provider {said} ({source}) {lack}", hint=_hint(image))
            return Choice(said, found, source)
    lacks: list[str] = []
    for provider in LOCAL_PROVIDERS:
        found, lack = _fitting(provider, major, needed)
        if found is not None:
            because = f"because {'; '.join(lacks)}" if lacks else "the first that has everything"
            return Choice(provider, found, because)
        lacks.append(f"{provider} {lack}")
    if image:
        return Choice("docker", None, f"because {'; '.join(lacks)}")
    raise UsageError(f"no server for scratch work fits: {'; '.join(lacks)}", hint=_hint(image))


def _fitting(provider: str, major: int | None, needed: list[str]) -> tuple[int | None, str]:
    """The newest fitting major of a provider, or None and what it lacks."""
    found = [programs for programs in available(provider) if major in (None, programs.major)]
    if not found:
        return None, f"has no PostgreSQL {major}" if major else "has no server programs here"
    lacks = []
    for programs in found:
        missing = [name for name in needed if not programs.has_extension(name)]
        if not missing:
            return programs.major, ""
        lacks.append(f"{programs.major}: {', '.join(missing)}")
    return None, f"lacks extensions ({'; '.join(lacks)})"


def _hint(image: str | None) -> str:
    if image:
        return "use the provider docker, whose image is set"
    return (
        "install the server with its contrib modules (Debian: postgresql, postgresql-contrib), "
        "or use the provider docker with an image that has them, or url"
    )
