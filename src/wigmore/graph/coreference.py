"""Which entities may be one, and what their records say for and against it: pure functions over entities.

An identifier that two records share says much where it is one person's (a mobile number, an address), little where several
use it (a fixed line, the mailbox of a role, one that an address book holds under two entries), and nothing where everybody
may bear it. What stands against: unlike full names, two entries of one address book, numbers of which a thing has only one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import combinations

from wigmore.model.identifiers import COMMON, HARDWARE, NOTHING, SHARED, UNIQUE, Known, classify, region_of, tail
from wigmore.model.names import name_words, names_agree
from wigmore.model.nouns import Entity

TEMPLATES = {
    "person": "same_person",
    "device": "same_device",
    "account": "same_account",
    "place": "same_place",
}
MOST = 24  # entities of one type that share a value; one held by more is common, and compares nobody
ONE_ONLY = ("serial", "udid", "sid")  # a thing has one of these: two that differ exclude each other
WORDS = {
    "phone": "the telephone number", "digits": "the last digits of a telephone number", "email": "the address",
    "account": "the account", "handle": "the handle", "imei": "the IMEI", "udid": "the device's identifier",
    "serial": "the serial number", "iccid": "the card's number", "imsi": "the subscriber's number", "mac": "the adapter's "
    "address", "bssid": "the station's address", "sid": "the security identifier", "host": "the host name",
}  # fmt: skip

Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Reason:
    """What one record says of a pair: an edge type, the phenomenon that holds it, and what it is about."""

    edge: str
    phenomenon_id: str
    about: str  # reasons about one thing are one event
    text: str


@dataclass(frozen=True, slots=True)
class Pair:
    """Two entities (ids in order) that may be one, the template of the hypothesis, and every reason."""

    first: str
    second: str
    template: str
    reasons: tuple[Reason, ...]


@dataclass(slots=True)
class _Holder:
    """An entity with its identifiers as they are compared, each with the phenomenon it was read in."""

    entity: Entity
    keys: dict[Key, tuple[Known, str]] = field(default_factory=dict)
    names: tuple[str, ...] = ()
    books: frozenset[str] = frozenset()  # address books that it is an entry of
    origin: str = ""  # the phenomenon that names it first

    def of(self, *kinds: str) -> set[str]:
        return {k.value for k, _ in self.keys.values() if k.kind in kinds}

    def own_numbers(self) -> set[str]:
        return {k.value for k, _ in self.keys.values() if k.kind == "phone" and k.rarity == UNIQUE}

    def tails(self) -> dict[str, str]:
        return {t: at for k, at in self.keys.values() if (t := tail(k))}


def pairs(
    entities: Iterable[Entity], wrote: Collection[frozenset[str]] = (), books: Mapping[str, str] | None = None
) -> Iterator[Pair]:
    """The pairs worth a hypothesis, in order; `wrote` names pairs of entities between which messages passed.

    `books` gives the address book that a phenomenon is of: default each its own, empty for none (a messenger's list has an
    entry for every number, and so several for one person).
    Entities are compared only with those that share a value or a full name with them, so the work grows with the entities,
    not with their square.
    """
    by_type: dict[str, list[Entity]] = defaultdict(list)
    for entity in sorted(entities, key=lambda e: e.id):
        if entity.type in TEMPLATES:
            by_type[entity.type].append(entity)
    everyone = [e for kind in sorted(by_type) for e in by_type[kind]]
    regions = _regions(everyone)
    for kind in sorted(by_type):
        holders = [_holder(e, regions.get(e.source_id, ""), books or {}) for e in by_type[kind]]
        blocks = _blocks(holders)
        shared = _shared_lines(blocks) if kind == "person" else {}
        contested = _contested(blocks) if kind == "person" else set()
        for one, other in _candidates(holders, blocks, contested):
            if kind == "person":
                reasons = _of_people(one, other, shared, contested, blocks, wrote)
            else:
                reasons = _of_things(one, other, kind)
            if reasons:
                yield Pair(one.entity.id, other.entity.id, TEMPLATES[kind], tuple(reasons))


def ties(entities: Iterable[Entity]) -> Iterator[tuple[str, str, str]]:
    """Devices and accounts with the people in whose records their number or address stands: (thing, person, phenomenon).

    A device's own number in a contact's entry says whom the entry's maker reached there, not who held the device.
    """
    known = sorted(entities, key=lambda e: e.id)
    regions = _regions([e for e in known if e.type in TEMPLATES])
    people: dict[str, dict[str, str]] = defaultdict(dict)
    things: list[tuple[str, str]] = []
    for entity in known:
        for identifier in entity.identifiers:
            found = classify(identifier.type, identifier.value, regions.get(entity.source_id, ""))
            if found.rarity != UNIQUE or found.kind not in ("phone", "email", "account"):
                continue
            if entity.type == "person":
                people[found.value].setdefault(entity.id, identifier.phenomenon_id)
            elif entity.type in ("device", "account") and (found.value, entity.id) not in things:
                things.append((found.value, entity.id))
    for value, thing in sorted(things, key=lambda t: (t[1], t[0])):
        if len(people.get(value, ())) <= MOST:
            for person, phenomenon in sorted(people.get(value, {}).items()):
                yield thing, person, phenomenon


def _regions(entities: list[Entity]) -> dict[str, str]:
    """The country of each source's national numbers: of the device's own number, else of most numbers beside them."""
    own: dict[str, list[str]] = defaultdict(list)
    seen: dict[str, list[str]] = defaultdict(list)
    for entity in entities:
        for identifier in entity.identifiers:
            if identifier.type == "phone":
                if entity.type == "device":
                    own[entity.source_id] += [identifier.value] * 3
                seen[entity.source_id].append(identifier.value)
    return {s: region_of(own[s]) or region_of(sorted(set(seen[s]))) for s in sorted(seen)}


def _holder(entity: Entity, region: str, of_book: Mapping[str, str]) -> _Holder:
    made = _Holder(entity, origin=entity.identifiers[0].phenomenon_id if entity.identifiers else "")
    names, books = [entity.name], set()
    for identifier in entity.identifiers:
        if identifier.type == "name":
            names.append(identifier.value)
            if book := of_book.get(identifier.phenomenon_id, identifier.phenomenon_id):
                books.add(book)
            continue
        known = classify(identifier.type, identifier.value, region)
        if known.rarity != NOTHING:
            made.keys.setdefault(known.key, (known, identifier.phenomenon_id))
    made.names = tuple(dict.fromkeys(n for n in names if name_words(n)))
    made.books = frozenset(books)
    return made


def _blocks(holders: list[_Holder]) -> dict[Key, list[_Holder]]:
    """Who holds a value, for values that at least two and not too many hold."""
    out: dict[Key, list[_Holder]] = defaultdict(list)
    for holder in holders:
        for key in holder.keys:
            out[key].append(holder)
        for words in sorted({tuple(sorted(set(name_words(n)))) for n in holder.names}):
            if len(words) > 1:
                out["name", " ".join(words)].append(holder)
        for end in sorted(holder.tails()):
            out["tail", end].append(holder)
    for key in [k for k, who in out.items() if k[0] == "tail" and all(not h.of("digits") for h in who)]:
        del out[key]  # every number of these is known whole
    return {key: out[key] for key in sorted(out) if 1 < len(out[key]) <= MOST}


def relation(one: _Holder, other: _Holder) -> str:
    """How the names of two entities agree: the best of all; `unlike` only where nothing speaks for them."""
    said = {names_agree(a, b) for a in one.names for b in other.names}
    return next((word for word in ("same", "alike", "unlike") if word in said), "")


def _two_entries(one: _Holder, other: _Holder) -> bool:
    """Whether one address book holds both as entries of their own: other names, or each with a number of its own."""
    if not one.books & other.books:
        return False
    mine, theirs = one.own_numbers(), other.own_numbers()
    return relation(one, other) == "unlike" or bool(mine and theirs and not mine & theirs)


def _shared_lines(blocks: dict[Key, list[_Holder]]) -> dict[Key, str]:
    """Values that one address book gives to two people: they are no one's alone."""
    return {
        key: "one address book holds it in two entries"
        for key, who in blocks.items()
        if key[0] not in ("name", "tail") and any(_two_entries(a, b) for a, b in combinations(who, 2))
    }


def _contested(blocks: dict[Key, list[_Holder]]) -> set[Key]:
    """Values that stand under unlike full names anywhere: handed on, or shared."""
    return {
        key
        for key, who in blocks.items()
        if key[0] not in ("name", "tail") and any(relation(a, b) == "unlike" for a, b in combinations(who, 2))
    }


def _candidates(
    holders: list[_Holder], blocks: dict[Key, list[_Holder]], contested: set[Key]
) -> list[tuple[_Holder, _Holder]]:
    """Pairs to weigh: all named holders of a value; those without a name with the named of their source, else with one."""
    found: dict[tuple[str, str], tuple[_Holder, _Holder]] = {}

    def add(one: _Holder, other: _Holder) -> None:
        first, second = sorted((one, other), key=lambda h: h.entity.id)
        found[first.entity.id, second.entity.id] = (first, second)

    for key, who in blocks.items():
        named = [h for h in who if h.names]
        for one, other in combinations(named, 2):
            add(one, other)
        for holder in (h for h in who if not h.names):
            near = [h for h in named if h.entity.source_id == holder.entity.source_id]
            far = named if key in contested else named[:1]
            for other in near or far or [h for h in who if h is not holder][:1]:
                add(holder, other)
    return [found[key] for key in sorted(found)]


def _of_people(
    one: _Holder,
    other: _Holder,
    shared: dict[Key, str],
    contested: set[Key],
    blocks: dict[Key, list[_Holder]],
    wrote: Collection[frozenset[str]],
) -> list[Reason]:
    names = relation(one, other)
    strong: list[tuple[Known, str, str]] = []
    weak: list[tuple[str, str, str]] = []
    for key in sorted(one.keys.keys() & other.keys.keys()):
        known, mine = one.keys[key]
        theirs = other.keys[key][1]
        if known.rarity == UNIQUE and key not in shared and not _in_doubt(key, one, other, names, contested, blocks):
            if all(known.value != before.value for before, *_ in strong):  # an account named by an address is it
                strong.append((known, mine, theirs))
        else:
            why = known.reason or shared.get(key) or "it stands under unlike names"
            weak.append((f"{WORDS.get(known.kind, known.kind)} {known.value} stands in both, but {why}", mine, theirs))
    tails = sorted(one.tails().keys() & other.tails().keys())
    if not strong and not weak and tails and (one.of("digits") or other.of("digits")):
        weak.append(
            (f"both numbers end in {tails[0]}; the country of one is unknown", one.tails()[tails[0]], other.origin)
        )
    reasons: list[Reason] = []
    for turn, (known, mine, theirs) in enumerate(strong[:2]):  # two records can bear two edges, no more
        where = theirs if turn else mine
        if where not in {r.phenomenon_id for r in reasons}:
            text = f"{WORDS.get(known.kind, known.kind)} {known.value} stands in both"
            if guess := known.reason or other.keys[known.key][0].reason:
                text += f" ({guess})"
            reasons.append(Reason("supports", where, f"{known.kind} {known.value}", text))
    apart = _two_entries(one, other)
    if names in ("same", "alike") and not apart:
        reasons.append(
            Reason("prerequisite_met", one.origin, "name", f"the names are {names}; a name is borne by many")
        )
    if weak:
        reasons.append(Reason("prerequisite_met", weak[0][2], "shared", weak[0][0]))
    if names == "unlike":
        reasons.append(Reason("weakens", other.origin, "names", "full names that have no word for word agreement"))
    if apart:
        reasons.append(Reason("weakens", one.origin, "entries", "one address book holds them as two entries"))
    if frozenset((one.entity.id, other.entity.id)) in wrote:
        reasons.append(Reason("weakens", other.origin, "conversation", "messages passed between the two"))
    return reasons


def _in_doubt(
    key: Key, one: _Holder, other: _Holder, names: str, contested: set[Key], blocks: dict[Key, list[_Holder]]
) -> bool:
    """Whether a value that is one person's in general is in doubt for this pair: unlike names, or it has two owners.

    A party without a name belongs to the entry of its own source, if that source knows the value under one name.
    """
    if key not in contested or names in ("same", "alike"):
        return names == "unlike"
    source = one.entity.source_id
    near = [h for h in blocks.get(key, ()) if h.names and h.entity.source_id == source]
    agree = all(relation(a, b) != "unlike" for a, b in combinations(near, 2))
    return names == "unlike" or source != other.entity.source_id or not agree


def _of_things(one: _Holder, other: _Holder, kind: str) -> list[Reason]:
    strong: list[tuple[Known, str, str, str]] = []
    weak: list[tuple[str, str, str]] = []
    for key in sorted(one.keys.keys() & other.keys.keys()):
        known, mine = one.keys[key]
        theirs = other.keys[key][1]
        own = kind != "device" or known.kind in HARDWARE  # a card or a number is no part of the device
        text = f"{WORDS.get(known.kind, known.kind)} {known.value} stands in both"
        if known.rarity == UNIQUE and own:
            if all(known.value != before.value for before, *_ in strong):
                strong.append((known, mine, theirs, text))
        elif known.rarity in (SHARED, COMMON) or not own:
            weak.append((mine, theirs, text + (f", but {known.reason}" if known.reason else "")))
    reasons: list[Reason] = []
    edge = "direct_evidence" if kind == "device" else "supports"
    for turn, (known, mine, theirs, text) in enumerate(strong[:2]):
        where = theirs if turn else mine
        if where not in {r.phenomenon_id for r in reasons}:
            reasons.append(Reason(edge, where, f"{known.kind} {known.value}", text))
    if weak:
        reasons.append(Reason("prerequisite_met", weak[0][1], "shared", weak[0][2]))
    elif relation(one, other) in ("same", "alike"):  # beside a shared name of its own the name says nothing more
        reasons.append(Reason("prerequisite_met", one.origin, "name", "the same name, which many may bear"))
    if not reasons:
        return []
    for what in ONE_ONLY:
        mine_, theirs_ = one.of(what), other.of(what)
        if mine_ and theirs_ and not mine_ & theirs_:
            text = f"{WORDS[what]} of each is another, and a thing has one: {min(mine_)}, {min(theirs_)}"
            reasons.append(Reason("contradicts", other.origin, what, text))
    return reasons
