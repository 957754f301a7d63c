"""What the new migrations do to each name, recorded while each domain's own chain is replayed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct, field
from msgspec.structs import replace

from bgce_migrate.effect import Action, Effect
from bgce_migrate.order.layer import Death, Life
from bgce_migrate.order.model import Model
from bgce_migrate.order.names import COLUMN, FUNCTION, KEY, LENIENT, PARTS, RELATION, TOP, TRIGGER, Key, spell
from bgce_migrate.order.values import Candidate, LogEntry, Rules

#: What a migration needs a name to be before it runs.
ANY, LIVE, DEAD = "any", "live", "dead"
#: The server finds another name for one of these when it chose the name itself and it is taken.
NUMBERED = frozenset({"index", "sequence"})


class Use:
    """One use of one name by a new migration. `life` is what it means; None while that is open."""

    __slots__ = ("effect", "key", "life", "node")

    def __init__(self, node: int, key: Key, effect: Effect, life: Life | None) -> None:
        self.node = node
        self.key = key
        self.effect = effect
        self.life = life

    @property
    def binding(self) -> bool:
        """True if the statement fails when the name does not live."""
        return not self.effect.soft and not self.effect.optional


class Write(Struct, eq=False):
    """All that one migration does to whether one name lives.

    Attributes:
        pre: what must hold before: ANY, LIVE or DEAD.
        lives: whether the name lives afterwards.
        ends: it ends a life that began before this migration.
        drops: it ends it by DROP (not by a rename).
        content: it says what the object is, so that it matters which of two comes last.
        plain: by CREATE that needs a free name.
        life: the life it leaves behind.
    """

    node: int
    pre: str
    lives: bool
    effect: Effect
    ends: bool = False
    drops: bool = False
    content: bool = False
    plain: bool = False
    here: bool = False
    life: Life | None = None


class Loose(Struct, frozen=True):
    """A name that lives neither in the log nor in its own domain's chain at that point."""

    node: int
    effect: Effect
    keys: list[Key]
    death: Death | None
    certain: bool


class Record(Struct):
    """Everything the new migrations do, by name. Nodes are numbered by rank, domain and version."""

    nodes: list[Candidate]
    base: Model
    models: dict[str, Model] = field(default_factory=dict)
    uses: dict[Key, list[Use]] = field(default_factory=dict)
    writes: dict[Key, dict[int, Write]] = field(default_factory=dict)
    loose: list[Loose] = field(default_factory=list)
    opaque: list[tuple[int, Effect]] = field(default_factory=list)
    over: list[tuple[int, Effect, Life]] = field(default_factory=list)

    def domain(self, node: int) -> str:
        """The domain of a node."""
        return self.nodes[node].id.domain


class Recorder:
    """The `Watch` over one domain's chain."""

    def __init__(self, record: Record, model: Model, domain: str) -> None:
        self.record = record
        self.model = model
        self.domain = domain
        self.node = 0
        self.touched: set[Key] = set()
        #: The table that the migration made last: its columns come with it.
        self._table: tuple[str, str] | None = None
        #: The columns, keys and triggers that the migration made.
        self._parts: list[Key] = []
        #: What the migration has renamed: the first name of each by its present one; None until the new name is told.
        self._first: dict[Key | None, Key] = {}

    def begin(self, node: int) -> None:
        """Start the migration of this node."""
        self.node = node
        self.touched = set()
        self._table = None
        self._parts = []
        self._first = {}

    def used(self, life: Life, effect: Effect) -> None:
        """A use is kept; whether it constrains anything is decided later."""
        self._use(life, effect)
        if not effect.soft and not effect.optional:
            self.touched.add(life.key)

    def _use(self, life: Life, effect: Effect) -> None:
        self.record.uses.setdefault(life.key, []).append(Use(self.node, life.key, effect, life))

    def _write(self, key: Key) -> Write | None:
        return self.record.writes.get(key, {}).get(self.node)

    def _start(self, key: Key, write: Write) -> Write:
        self.record.writes.setdefault(key, {})[self.node] = write
        return write

    def made(self, life: Life, effect: Effect, over: Life | None) -> None:
        """A name begins: it must have been free, unless it may be there already."""
        kind, again = life.key[0], effect.action is Action.REPLACE
        if effect.action is Action.RENAME and kind not in PARTS and None in self._first:
            self._first[life.key] = self._first.pop(None)
        if kind == COLUMN and over is None and not again and life.key[1:3] == self._table:
            self._column(life, effect)
            return
        if kind == KEY:
            self._key_columns(life.key, effect)
        if over is not None and life.relation_kind not in NUMBERED:
            self.record.over.append((self.node, effect, over))
        # A column that comes with its table finds no leftovers; one that is added must be new.
        to_table = kind in (COLUMN, TRIGGER) and not self._makes_table(life.key)
        lenient = again or (kind in LENIENT and not to_table)
        write = self._write(life.key)
        if write is None:
            pre = LIVE if life.key in self.touched else ANY if lenient else DEAD
            write = self._start(life.key, Write(self.node, pre, True, effect))
        if kind in PARTS:
            self._parts.append(life.key)
        write.lives, write.life, write.here = True, life, True
        named = life.relation_kind not in NUMBERED
        write.plain = write.plain or (named and not again)
        write.content = write.content or (named and not effect.optional)
        if kind == RELATION and named:
            self._table = life.key[1:3]

    def _column(self, life: Life, effect: Effect) -> None:
        """A column that comes with its table finds no leftovers."""
        key = life.key
        pre = LIVE if key in self.touched else ANY
        write = Write(self.node, pre, True, effect, content=not effect.optional, plain=True, here=True, life=life)
        writes = self.record.writes.setdefault(key, {})
        known = writes.setdefault(self.node, write)
        self._parts.append(key)
        if known is not write:
            # The same file dropped the column of the table that was there before.
            known.lives, known.life, known.here, known.plain = True, life, True, True
            known.content = known.content or write.content

    def _makes_table(self, key: Key) -> bool:
        table = self._write((RELATION, key[1], key[2], ""))
        return table is not None and table.here

    def _key_columns(self, key: Key, effect: Effect) -> None:
        """A key uses its columns, which may come from elsewhere."""
        mine = self.record.nodes[self.node].id
        for column in key[3].split(","):
            name: Key = (COLUMN, key[1], key[2], column)
            use = replace(effect, action=Action.USE, object=spell(name), detail="unique key")
            life = self.model.get(name)
            if life is None:
                self.record.loose.append(Loose(self.node, use, [name], None, False))
            elif life.maker != mine:
                self._use(life, use)

    def changed(self, life: Life, effect: Effect) -> None:
        """A live object is replaced."""
        kind = life.key[0]
        foreign = life.owner != self.domain and kind not in TOP and kind not in PARTS
        if foreign and not (kind == FUNCTION and effect.action is Action.MAKE):
            self._use(life, effect)
        if effect.action is Action.DROP:
            return
        write = self._write(life.key)
        if write is None:
            pre = LIVE if life.key in self.touched else ANY
            write = self._start(life.key, Write(self.node, pre, True, effect))
        write.lives, write.life = True, life
        write.content = write.content or not effect.optional

    def ended(self, life: Life, effect: Effect, cascaded: bool) -> None:
        """A name ends: it must have lived, unless IF EXISTS was said."""
        key = life.key
        if life.owner != self.domain and not cascaded:
            self._use(life, effect)
        write = self._write(key)
        if write is None:
            loose = effect.optional or cascaded or key[0] in LENIENT
            pre = ANY if loose and key not in self.touched else LIVE
            write = self._start(key, Write(self.node, pre, False, effect))
        if not write.here:
            write.ends = True
            write.drops = effect.action is Action.DROP
        elif key[0] == RELATION:
            self._forget_parts(key)
        self._follow_renames(key, effect)
        write.lives, write.life, write.content, write.plain = False, None, False, False

    def _follow_renames(self, key: Key, effect: Effect) -> None:
        """What is renamed and then dropped under its new name has been dropped under its old one."""
        if key[0] in PARTS:
            return
        first = self._first.pop(key, key)
        if effect.action is Action.RENAME:
            self._first[None] = first
        elif first != key and (write := self._write(first)) is not None:
            write.drops = True

    def _forget_parts(self, table: Key) -> None:
        """A table that the same migration made ends, and what it made of it with it."""
        mine = self.record.nodes[self.node].id
        for key in self._parts:
            writes = self.record.writes.get(key, {})
            if key[1:3] != table[1:3] or self.node not in writes:
                continue
            if writes[self.node].ends:
                writes[self.node].lives, writes[self.node].life = False, None
                continue
            del writes[self.node]
            if not writes:
                del self.record.writes[key]
            uses = self.record.uses.get(key, [])
            uses[:] = [u for u in uses if u.node != self.node or u.life is None or u.life.maker != mine]

    def missing(self, effect: Effect, keys: list[Key], death: Death | None) -> None:
        """A name that is not there; another domain may make it."""
        if effect.action in (Action.DROP, Action.RENAME):
            keys = [key for key in keys if self._write(key) is None]
            if not keys:
                return
        elif not effect.soft and not effect.optional:
            self.touched.update(keys)
        certain = death is not None and self.model.certain(death)
        self.record.loose.append(Loose(self.node, effect, keys, death, certain))

    def opaque(self, effect: Effect) -> None:
        """Kept for the finding."""
        self.record.opaque.append((self.node, effect))


def record_candidates(log: Sequence[LogEntry], new: Sequence[Candidate], rules: Rules) -> Record:
    """Replay the log, then each domain's new migrations over it, and record what they do."""
    base = Model()
    for entry in log:
        base.apply(entry.id, entry.effects)
    last = len(rules.ranks)
    ranks: Mapping[str, int] = rules.ranks

    def place(candidate: Candidate) -> tuple[int, str, int]:
        domain = candidate.id.domain
        return (ranks.get(domain, last), domain, candidate.id.version)

    record = Record(sorted(new, key=place), base)
    watch: Recorder | None = None
    for node, candidate in enumerate(record.nodes):
        domain = candidate.id.domain
        if watch is None or watch.domain != domain:
            model = record.models[domain] = Model(base)
            watch = Recorder(record, model, domain)
        watch.begin(node)
        watch.model.apply(candidate.id, candidate.effects, watch)
    return record
