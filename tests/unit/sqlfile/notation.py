"""Short spelling of effects for tables of cases: `~use column public.t.c =foreign key`."""

from __future__ import annotations

from bgce_migrate.effect import Effect, Name, ObjectKind
from bgce_migrate.migration import Direction, Script
from bgce_migrate.sqlfile import read_script, read_source


def script(sql: str, *, declared: bool = True, schema: str = "public", up: bool = True) -> Script:
    """The script of an SQL text."""
    source = read_source("m/000001_x.up.sql", sql.encode())
    direction = Direction.UP if up else Direction.DOWN
    return read_script(source, declared=declared, direction=direction, schema=schema)


def spell_name(name: Name) -> str:
    """`kind schema.name.part`; a name without schema has none."""
    text = ".".join(p for p in (name.schema, name.name, name.part) if p)
    if name.kind is ObjectKind.KEY:
        text = f"{'.'.join(p for p in (name.schema, name.name) if p)}({name.part})"
    return f"{name.kind.value} {text}"


def spell(effect: Effect) -> str:
    """One effect: `~` soft, `?` optional, `!` cascade, `> ` new name."""
    marks = ("~" if effect.soft else "") + ("?" if effect.optional else "") + ("!" if effect.cascade else "")
    to = f" > {spell_name(effect.to).partition(' ')[2]}" if effect.to else ""
    return f"{marks}{effect.action.value} {spell_name(effect.object)}{to}"


def effects(sql: str, *, declared: bool = True, schema: str = "public") -> list[str]:
    """All effects of an SQL text, spelled, in order."""
    return [spell(effect) for effect in script(sql, declared=declared, schema=schema).effects]
