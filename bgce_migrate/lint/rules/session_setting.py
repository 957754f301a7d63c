"""SET changes the session, not only this migration.

## Why

The setting stays after the transaction and changes what the next statement on that connection does.

## Instead

SET LOCAL.

effect: none

```sql bad
SET work_mem = '64MB';
CREATE TABLE notes (id bigint PRIMARY KEY);
```

```sql good
SET LOCAL work_mem = '64MB';
CREATE TABLE notes (id bigint PRIMARY KEY);
```
"""

from __future__ import annotations

from collections.abc import Iterator

from bgce_migrate.lint.facts import SetVariable
from bgce_migrate.lint.fixes import replace_words
from bgce_migrate.lint.rule import WARNING, Rule, State
from bgce_migrate.migration import Finding

_ELSEWHERE = frozenset(
    {"role", "session_authorization", "search_path", "constraints", "session_replication_role", "all"}
)


def check(fact: SetVariable, state: State) -> Iterator[Finding]:
    if fact.local or fact.reset or fact.name in _ELSEWHERE or fact.name.startswith("transaction"):
        return
    if not state.file.transactional:
        return
    yield state.finding(
        fact,
        f"SET {fact.name} outlives this migration",
        f"SET LOCAL {fact.name}",
        subject=fact.name,
        fix=()
        if fact.called
        else replace_words(
            state.file.text, fact, r"\ASET (?:SESSION )?|(?<!\w)SET (?:SESSION )?", "SET LOCAL "
        ),
    )


RULE = Rule("session-setting", "H13", WARNING, (SetVariable,), check, fixable=True)
