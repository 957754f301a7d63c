"""The part of GitHub's expression language that `action.yml` uses; anything else is an error."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_TOKEN = re.compile(r"\s*(?:(?P<text>'(?:[^']|'')*')|(?P<op>==|!=|&&|\|\||!|\(|\))|(?P<name>[a-z][A-Za-z0-9_.-]*))")
_PART = re.compile(r"\$\{\{(.*?)\}\}", re.DOTALL)
CONTEXTS = ("inputs", "steps", "runner", "github")


class Unsupported(Exception):
    """Syntax that nobody has tested here."""


@dataclass(slots=True)
class Evaluator:
    """Evaluates against contexts; `succeeded` is the job's state before the step."""

    contexts: Mapping[str, Any]
    succeeded: bool = True

    def fill(self, template: str) -> str:
        """A value with `${{ }}` in it."""
        filled = _PART.sub(lambda found: _text(self.value(found[1])), template)
        if "${{" in _PART.sub("", template):
            raise Unsupported(template)
        return filled

    def condition(self, template: str | None) -> bool:
        """An `if:`; without a status function it wants success."""
        if template is None:
            return self.succeeded
        found = _PART.fullmatch(template.strip())
        if found is None:
            raise Unsupported(f"if: {template}")
        value = bool(self.value(found[1]))
        return value if "always()" in found[1] else value and self.succeeded

    def value(self, expression: str) -> Any:
        """One expression."""
        parser = _Parser(self, _tokens(expression))
        value = parser.either()
        if parser.rest:
            raise Unsupported(expression)
        return value

    def look_up(self, name: str) -> Any:
        """A value of a context; what is not there is empty."""
        first, *parts = name.split(".")
        if first not in CONTEXTS or not parts or (first == "steps" and (len(parts) != 3 or parts[1] != "outputs")):
            raise Unsupported(name)
        value: Any = self.contexts[first]
        for part in parts:
            if first == "inputs" and part not in value:
                raise Unsupported(f"{name}: there is no such input")
            value = value.get(part, "") if isinstance(value, Mapping) else ""
        return value


def _tokens(expression: str) -> list[str]:
    found, place, text = [], 0, expression.strip()
    while place < len(text):
        match = _TOKEN.match(text, place)
        if match is None:
            raise Unsupported(expression)
        found.append(match[0].strip())
        place = match.end()
    return found


@dataclass(slots=True)
class _Parser:
    evaluator: Evaluator
    rest: list[str]

    def either(self) -> Any:
        value = self.both()
        while self._next("||"):
            other = self.both()
            value = value or other
        return value

    def both(self) -> Any:
        value = self.compared()
        while self._next("&&"):
            other = self.compared()
            value = value and other
        return value

    def compared(self) -> Any:
        value = self.one()
        for operator in ("==", "!="):
            if self._next(operator):
                other = self.one()
                if not isinstance(value, str) or not isinstance(other, str):
                    raise Unsupported("only strings are compared")
                # GitHub ignores case when it compares strings.
                return (value.lower() == other.lower()) is (operator == "==")
        return value

    def one(self) -> Any:
        if not self.rest:
            raise Unsupported("an expression that ends too early")
        token = self.rest.pop(0)
        if token.startswith("'"):
            return token[1:-1].replace("''", "'")
        if token == "always" and self._next("(") and self._next(")"):
            return True
        if token == "toJSON" and self._next("("):
            name = self.rest.pop(0)
            if name not in CONTEXTS or not self._next(")"):
                raise Unsupported("toJSON takes a context")
            return json.dumps(self.evaluator.contexts[name], indent=2)
        if not re.match(r"[a-z]", token) or "." not in token:
            raise Unsupported(token)
        return self.evaluator.look_up(token)

    def _next(self, token: str) -> bool:
        if self.rest and self.rest[0] == token:
            self.rest.pop(0)
            return True
        return False


def _text(value: Any) -> str:
    return "true" if value is True else "false" if value is False else str(value)
