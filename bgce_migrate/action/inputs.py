"""What `with:` said: one JSON document, checked value by value, all mistakes at once."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

from bgce_migrate.errors import Problem, UsageError

COMMANDS = ("lint", "plan", "up")
FAIL_ON = ("error", "warning", "note", "never")
COMMENT = ("auto", "always", "never")
#: Inputs that only `action.yml` reads: how Python is found and what is kept.
OF_THE_STEPS = frozenset({"python", "plugins", "cache", "upload-report", "upload-sarif", "artifact-name"})
_LONGEST_TIMEOUT = 6 * 3600.0


class Inputs(Struct, frozen=True):
    """The inputs of one use of the Action; what was left out is empty.

    Attributes:
        path: a folder of plain golang-migrate files instead of a project.
        timeout: seconds until a run is asked to stop.
        fail_on: the lightest finding that fails the job, or `never`; empty: what `bgce.toml` says.
    """

    command: str = "lint"
    working_directory: str = "."
    config: str = ""
    path: str = ""
    domain: str = ""
    base_ref: str = ""
    changed_only: bool = True
    fail_on: str = ""
    postgres_version: str = ""
    client_statements: str = ""
    measure: bool = False
    stats: str = ""
    environment: str = ""
    deployment: str = ""
    expect: str = ""
    timeout: float = 600.0
    comment: str = "auto"
    annotations: bool = True
    summary: bool = True
    sarif_file: str = ""
    github_token: str = ""

    @property
    def folder(self) -> Path:
        """Where the commands are called."""
        return Path(self.working_directory)


def read_inputs(text: str | None) -> Inputs:
    """The inputs of the JSON document that the runner's `toJSON(inputs)` makes.

    Raises:
        UsageError: every value that cannot be.
    """
    said = _document(text)
    faults: list[Problem] = []
    values: dict[str, object] = {}
    for name in Inputs.__struct_fields__:
        value = said.pop(name.replace("_", "-"), "")
        # The runner keeps the line feed of a block scalar; a NUL cannot be handed to a program.
        stripped = value.strip()
        if stripped:
            values[name] = _value(name, stripped, faults)
        elif name == "sarif_file":
            values[name] = ""
    for name in sorted(set(said) - OF_THE_STEPS):
        faults.append(Problem(f"there is no input {name!r}"))
    if faults:
        raise UsageError(f"inputs: {faults[0].message}", hint="docs/how-to/github-action.md lists them", problems=faults)
    return Inputs(**values)  # type: ignore[arg-type]


def _document(text: str | None) -> dict[str, str]:
    if not text:
        raise UsageError("the variable INPUTS is not set", hint="this program is started by action.yml")
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, Mapping) or not all(isinstance(value, str) for value in found.values()):
        raise UsageError("the variable INPUTS is not a JSON object of strings", hint="this program is started by action.yml")
    return dict(found)


def _value(name: str, value: str, faults: list[Problem]) -> object:
    said = name.replace("_", "-")
    if "\0" in value or "\n" in value or "\r" in value:
        faults.append(Problem(f"{said} is one line of text"))
    elif name in ("changed_only", "annotations", "summary", "measure"):
        if value not in ("true", "false"):
            faults.append(Problem(f"{said} is true or false, not {value!r}"))
        return value == "true"
    elif name == "timeout":
        return _seconds(said, value, faults)
    for choice, allowed in (("command", COMMANDS), ("fail_on", FAIL_ON), ("comment", COMMENT)):
        if name == choice and value not in allowed:
            faults.append(Problem(f"{said} is one of {', '.join(allowed)}, not {value!r}"))
    return value


def _seconds(said: str, value: str, faults: list[Problem]) -> float:
    try:
        seconds = float(value)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds <= _LONGEST_TIMEOUT:
        faults.append(Problem(f"{said} is a number of seconds up to {_LONGEST_TIMEOUT:.0f}, not {value!r}"))
    return seconds
