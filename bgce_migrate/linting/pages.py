"""The pages of rules that no single statement breaks: declarations, versions, lock file, order, git, reading."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

_HEADING = re.compile(r"^# (?P<rule>[a-z-]+) (?P<severity>error|warning|note)\n\n", re.MULTILINE)


def _read() -> Iterator[tuple[str, tuple[str, str]]]:
    text = Path(__file__).with_suffix(".md").read_text(encoding="utf-8")
    headings = list(_HEADING.finditer(text))
    for place, heading in enumerate(headings):
        end = headings[place + 1].start() if place + 1 < len(headings) else len(text)
        yield heading["rule"], (heading["severity"], text[heading.end() : end].strip())


#: Rule id to severity and page.
PAGES: Mapping[str, tuple[str, str]] = MappingProxyType(dict(_read()))
