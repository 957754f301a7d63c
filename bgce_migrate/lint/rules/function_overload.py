"""CREATE OR REPLACE FUNCTION makes a second function.

## Why

With other argument types nothing is replaced: a second function stands beside the first, calls may become ambiguous
(42725), and it has none of the first one's grants.

## Instead

Another name; or DROP FUNCTION and CREATE FUNCTION with the grants, in one transaction.

effect: error 42725

```sql setup
CREATE FUNCTION price(n integer) RETURNS integer LANGUAGE sql AS 'SELECT n * 2';
```

```sql bad
CREATE OR REPLACE FUNCTION price(n integer, rate integer DEFAULT 2) RETURNS integer LANGUAGE sql AS 'SELECT n * rate';
SELECT price(1);
```

```sql good
CREATE FUNCTION price_with_rate(n integer, rate integer) RETURNS integer LANGUAGE sql AS 'SELECT n * rate';
SELECT price(1);
```
"""

from __future__ import annotations

from collections.abc import Iterator

from bgce_migrate.lint.facts import CreateFunction
from bgce_migrate.lint.rule import WARNING, Rule, State
from bgce_migrate.migration import Finding


def check(fact: CreateFunction, state: State) -> Iterator[Finding]:
    known = state.catalog.function(fact.name)
    if fact.replace and known and all(found.arguments != fact.arguments for found in known):
        old = ", ".join(known[0].arguments)
        yield state.finding(
            fact,
            f"{fact.name[1]}({old}) stays: other arguments make a second function beside it, without its grants",
            "give it another name, or drop the old one in this file and grant again",
            subject=fact.name[1],
        )


RULE = Rule("function-overload", "G10", WARNING, (CreateFunction,), check)
