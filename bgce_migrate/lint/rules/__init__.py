"""All rules of the linter, in the order of the catalogue of hazards."""

from __future__ import annotations

from bgce_migrate.lint.rule import Rule
from bgce_migrate.lint.rules import (
    add_column_check,
    add_column_domain,
    add_column_not_null,
    add_column_reference,
    add_column_reference_default,
    add_column_serial,
    add_column_stored_generated,
    add_column_unique,
    add_column_volatile_default,
    column_type_rewrite,
)

RULES: tuple[Rule, ...] = (
    add_column_volatile_default.RULE,
    add_column_serial.RULE,
    add_column_stored_generated.RULE,
    add_column_not_null.RULE,
    add_column_check.RULE,
    add_column_reference_default.RULE,
    add_column_reference.RULE,
    add_column_unique.RULE,
    add_column_domain.RULE,
    column_type_rewrite.RULE,
)
