"""A password, key or token in a migration.

## Why

Files, history and logs keep it for ever, readable for everybody who can read one of them.

## Instead

Passwords are set by an administrator; `bgce-migrate grants password` sends only a verifier. What a program needs it
gets from its own settings, and what stood in a file once is changed at its source.

effect: none

```sql bad
CREATE ROLE lint_reader PASSWORD 'hunter2';
```

```sql bad
CREATE TABLE settings (name text PRIMARY KEY, value text);
INSERT INTO settings (name, value) VALUES ('feed', 'https://reader:tr0ub4dor@feeds.example/all');
```

```sql good
CREATE ROLE lint_reader;
```
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from bgce_migrate.lint.facts import Role, Secret
from bgce_migrate.lint.facts.values import Place
from bgce_migrate.lint.rule import ERROR, Rule, State, WholeFile
from bgce_migrate.lint.wording import listed
from bgce_migrate.migration import Finding

_HINT = "leave it out; `bgce-migrate grants password` sets it without writing it down"
#: What gives a secret away, what it looks like, and what it is called: forms that nothing else has.
_FORMS = (
    ("PRIVATE KEY-----", r"-----BEGIN [A-Z ]*PRIVATE KEY-----", "a private key"),
    ("AKIA", r"\bAKIA[0-9A-Z]{16}\b", "an access key of AWS"),
    ("gh", r"\bgh[pousr]_[A-Za-z0-9]{36,}", "a token of GitHub"),
    ("github_pat_", r"\bgithub_pat_\w{22,}", "a token of GitHub"),
    ("glpat-", r"\bglpat-[\w-]{20,}", "a token of GitLab"),
    ("xox", r"\bxox[abprs]-[0-9A-Za-z-]{10,}", "a token of Slack"),
    ("k_live_", r"\b[rs]k_live_[0-9A-Za-z]{16,}", "a key of Stripe"),
    ("AIza", r"\bAIza[\w-]{35}", "a key of Google"),
    ("eyJ", r"\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10,}", "a signed token"),
    ("SCRAM-SHA-256$", r"SCRAM-SHA-256\$\d+:[\w+/=]+\$", "a password's verifier"),
    ("$2", r"\$2[aby]\$\d\d\$[./0-9A-Za-z]{53}", "a password's hash"),
    ("://", r"\b[a-z][a-z0-9+.-]*://[^\s:/@'\"]*:(?![<*$%{])[^\s:/@'\"]+@[\w.-]", "an address with a password"),
)


def check(fact: Role | Secret | WholeFile, state: State) -> Iterator[Finding]:
    if isinstance(fact, WholeFile):
        yield from _literals(state)
    elif fact.password:
        what = fact.kind if isinstance(fact, Secret) else "role"
        name = fact.name if isinstance(fact, Secret) else listed(fact.names)
        message = f"the password of {what} {name} stands in the file, and will stand in history and logs"
        yield state.finding(fact, message, _HINT, subject=name)


def _literals(state: State) -> Iterator[Finding]:
    """Secrets anywhere in the text: comments are kept in history, too. None is repeated in its message."""
    text = state.file.text
    for mark, pattern, what in _FORMS:
        if mark not in text:
            continue
        for found in re.finditer(pattern, text):
            before = text[: found.start()]
            line, column = before.count("\n") + 1, found.start() - before.rfind("\n")
            place = WholeFile(Place(0, line, column, column + 1, found.start(), 0))
            message = f"{what} stands in the file, and will stand in history and logs"
            hint = "leave it out, and change it at its source: who has read the file knows it"
            yield state.finding(place, message, hint, subject=what)


RULE = Rule(
    "secret-in-sql",
    "",
    ERROR,
    (
        Role,
        Secret,
        WholeFile,
    ),
    check,
)
