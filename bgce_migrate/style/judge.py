"""sqlfluff on one file. The only module here that imports from it; `bare.load` comes before."""

from __future__ import annotations

import logging
import os
from functools import lru_cache
from pathlib import Path
from typing import Any

import sqlfluff
from sqlfluff.core import FluffConfig, Linter
from sqlfluff.core.config import clear_config_caches, load_config_up_to_path
from sqlfluff.core.errors import SQLFluffUserError
from sqlfluff.core.helpers.dict import nested_combine

from bgce_migrate.style.verdict import Remark, Verdict

#: Ours, below whatever a `.sqlfluff` says. LT02 takes continued lines of DDL for wrong
#: indentation, LT09 wants a line for each of two columns.
DEFAULTS: dict[str, Any] = {
    "core": {
        "dialect": "postgres",
        "templater": "raw",
        "rules": "layout,capitalisation,aliasing",
        "exclude_rules": "LT02,LT09",
        "max_line_length": 120,
        "use_rust_parser": "auto",
        "large_file_skip_byte_limit": 100_000,
    }
}
#: Errors that say that a file could not be read.
_UNREAD = ("PRS", "LXR", "TMP")
#: They say with less knowledge what rules of ours say with more.
_OURS = ("PG01", "PG02")
_FAILED = "Unexpected exception: "
_PREFIX = "BGCE_"


def judge(task: tuple[str, str, str]) -> Verdict:
    """The verdict on a file.

    Args:
        task: path, text, and a digest of the configuration files that hold for the path.
    """
    path, text, digest = task
    absolute = os.path.abspath(path)
    try:
        linter = _linter(os.path.dirname(absolute), digest)
        limit = int(linter.config.get("large_file_skip_byte_limit") or 0)
        if 0 < limit < len(text.encode("utf-8", "surrogatepass")):
            return Verdict(fault=f"larger than {limit} bytes (large_file_skip_byte_limit in .sqlfluff)")
        if _is_excluded(absolute):
            return Verdict()
        return _verdict(linter.lint_string(text, fname=absolute))
    except SQLFluffUserError as error:
        return Verdict(fault=f"sqlfluff's configuration: {error}")
    # Whatever a rule or a templater of somebody does, style is never a reason to stop.
    except Exception as error:
        return Verdict(fault=f"sqlfluff {sqlfluff.__version__} failed with {type(error).__name__}")


@lru_cache(maxsize=64)
def _linter(folder: str, digest: str) -> Linter:
    """Made once a folder, and anew when its configuration changes."""
    # It logs tracebacks of rules that fail; that one did is said in the verdict.
    logging.getLogger("sqlfluff").setLevel(logging.CRITICAL + 1)
    clear_config_caches()
    said = load_config_up_to_path(os.path.join(folder, "any.sql"))
    configs: Any = nested_combine(DEFAULTS, said)
    core = configs["core"]
    # PostgreSQL's own: whoever writes for another database does not migrate with this.
    core["dialect"] = "postgres"
    excluded = [part.strip() for part in str(core.get("exclude_rules") or "").split(",")]
    core["exclude_rules"] = ",".join(dict.fromkeys([*filter(None, excluded), *_OURS, *_bridged()]))
    return Linter(config=FluffConfig(configs=configs))


@lru_cache(maxsize=1)
def _bridged() -> tuple[str, ...]:
    """Our own rules, where they are installed as a plugin of sqlfluff: lint says them itself."""
    linter = Linter(config=FluffConfig(overrides={"dialect": "postgres"}))
    return tuple(rule.code for rule in linter.rule_tuples() if rule.code.startswith(_PREFIX))


def _is_excluded(path: str) -> bool:
    """Whether a `.sqlfluffignore` leaves the file out, also when it is named."""
    from sqlfluff.core.linter.discovery import paths_from_path

    if not Path(path).is_file():
        return False
    return not paths_from_path(path, target_file_exts=[".sql"])


def _verdict(linted: Any) -> Verdict:
    remarks: list[Remark] = []
    for violation in linted.get_violations():
        code = violation.rule_code()
        if code in _UNREAD:
            fault = f"sqlfluff {sqlfluff.__version__} cannot read this line, PostgreSQL can"
            return Verdict(fault=fault, line=violation.line_no)
        message = " ".join(violation.desc().split())
        if message.startswith(_FAILED):
            return Verdict(fault=f"sqlfluff {sqlfluff.__version__} failed in its rule {code}", line=violation.line_no)
        name = getattr(getattr(violation, "rule", None), "name", "") or code
        remarks.append(Remark(code, name, violation.line_no, violation.line_pos, message, bool(violation.warning)))
    return Verdict(tuple(remarks))
