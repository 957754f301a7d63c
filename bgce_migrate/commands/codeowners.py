"""`codeowners`: who reviews the migrations of each domain, generated from the declarations."""

from __future__ import annotations

from pathlib import Path

from bgce_migrate.commands.call import Call
from bgce_migrate.commands.options import command, option
from bgce_migrate.errors import ConfigError, UsageError


@command("codeowners")
@option("--check", is_flag=True, scope="codeowners", help="Write nothing; exit 1 if the file would change.")
def codeowners(call: Call, check: bool) -> int:
    """Write the domains' lines of CODEOWNERS; other lines of the file stay. Needs no database."""
    from bgce_migrate.report import codeowners as made

    project = call.declarations.project
    settings = project.code_owners
    owned = made.ownership(_repository(project.root), project.domains, settings)
    if project.domains and not owned.lines and all("nobody says" in reason for _, reason in owned.without):
        raise ConfigError(
            "bgce.toml does not say who the teams of the domains are",
            hint='[codeowners] owner = "@organisation/{team}", or [codeowners.teams] with a line for each',
        )
    file = project.root / settings.file
    before = _read(file)
    after = made.placed(before, owned)
    changes = made.differences(before, after)
    if changes and not check:
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(after, encoding="utf-8", newline="\n")
        except OSError as error:
            raise UsageError(f"{settings.file} cannot be written: {error.strerror}") from None
    call.out.document("codeowners", {
        "file": settings.file, "changed": bool(changes), "written": bool(changes and not check),
        "lines": [{"pattern": pattern, "owners": owners.split()} for pattern, owners in owned.lines],
        "without": [{"domain": domain, "reason": reason} for domain, reason in owned.without],
        "changes": changes,
    })  # fmt: skip
    for domain, reason in owned.without:
        call.out.note(f"note: {domain} has no line: {reason}")
    for change in changes:
        call.out.line(change)
    if not changes:
        call.out.line(f"{settings.file} says what the declarations say")
        return 0
    if check:
        call.out.note(f"{settings.file} does not say what the declarations say; hint: bgce-migrate codeowners")
    return 1 if check else 0


def _repository(root: Path) -> Path:
    """Patterns begin at the repository's folder, which may be above that of `bgce.toml`."""
    return next((folder for folder in (root, *root.parents) if (folder / ".git").exists()), root)


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{file.name} cannot be read: {error}") from None
