"""Pairs of entities: what joins two records, what never does, and what keeps them apart."""

from __future__ import annotations

import pytest

from wigmore.graph import coreference
from wigmore.graph.coreference import Pair, pairs, ties
from wigmore.model.belief import LOG_LR, harmonic, prior_log_odds, status
from wigmore.model.canonical import identify
from wigmore.model.names import names_agree
from wigmore.model.nouns import Entity, Identifier

MOBILE, OTHER, THIRD, LINE = "+491713920042", "+491713920043", "+491713920044", "+493023125042"
OFFICE = "office@castell.example.com"


def entity(called: str, source: str, book: str, kind: str = "person", /, **values: str | tuple[str, ...]) -> Entity:
    identifiers = [
        Identifier(what, value, f"ph-{source}-{book}")
        for what, many in values.items()
        for value in ((many,) if isinstance(many, str) else many)
    ]
    name = identify("ent", source, book, called, [(i.type, i.value) for i in identifiers])
    return Entity(name, kind, called, source, tuple(identifiers))


def contact(name: str, source: str, *phones: str, email: str | tuple[str, ...] = ()) -> Entity:
    return entity(name, source, "book", name=name, phone=phones, email=email)


def party(number: str, source: str) -> Entity:
    return entity(number, source, "sms", phone=number)


def belief(pair: Pair) -> str:
    """The status that a pair's reasons give its hypothesis (prior 0.3, damped per type, one edge an event)."""
    kinds: dict[str, set[str]] = {}
    for reason in pair.reasons:
        kinds.setdefault(reason.edge, set()).add(reason.about)
    return status(prior_log_odds(0.3) + sum(LOG_LR[kind] * harmonic(len(about)) for kind, about in kinds.items()))


def only(*entities: Entity) -> Pair:
    found = list(pairs(entities))
    assert len(found) == 1, found
    return found[0]


def test_one_number_or_address_of_a_person_suffices() -> None:
    assert belief(only(contact("Anna Berg", "a", MOBILE), contact("Berg, Anna", "b", MOBILE))) == "supported"
    assert belief(only(contact("Anna Berg", "a", MOBILE), party(MOBILE, "b"))) == "supported"
    mail = "anna@posteo.test"
    assert belief(only(contact("Mum", "a", email=mail), contact("Anna Berg", "b", email=mail.upper()))) == "supported"


def test_one_value_under_two_types_is_one_reason() -> None:
    mail = "anna@posteo.test"
    one, two = (entity("Anna Berg", s, "book", name="Anna Berg", email=mail, **{"account:chat": mail}) for s in "ab")
    assert sum(r.edge == "supports" for r in only(one, two).reasons) == 1


def test_a_name_never_suffices_nor_a_name_with_a_shared_line_and_a_shared_mailbox() -> None:
    assert belief(only(contact("Anna Berg", "a", MOBILE), contact("Anna Berg", "b", OTHER))) == "active"
    one = contact("Anna Berg", "a", MOBILE, LINE, email=OFFICE)
    two = contact("Anna Berg", "b", OTHER, LINE, email=OFFICE)
    pair = only(one, two)
    assert belief(pair) == "active"
    assert {r.edge for r in pair.reasons} == {"prerequisite_met"}


def test_an_address_that_one_book_gives_to_two_people_is_no_ones_alone() -> None:
    club = "club@castell.example.com"  # not known by its name as a mailbox of a role
    one, two = contact("Anna Berg", "a", MOBILE, email=club), contact("Anna Berg", "a", OTHER, email=club)
    three = contact("Anna Berg", "b", THIRD, email=club)
    found = {(p.first, p.second): belief(p) for p in pairs([one, two, three])}
    assert "supported" not in found.values()
    assert found[tuple(sorted((one.id, two.id)))] == "active"  # two entries: weakened, with what they share


def test_namesakes_of_one_book_are_two_people() -> None:
    pair = only(contact("Anna Berg", "a", MOBILE), contact("Anna Berg", "a", OTHER))
    assert [r.edge for r in pair.reasons] == ["weakens"]
    assert belief(pair) == "refuted"


def test_a_number_handed_on_joins_nobody_with_another_full_name() -> None:
    before, after, also = (
        contact("Anna Berg", "a", MOBILE),
        contact("Paul Meier", "b", MOBILE),
        contact("P. Meier", "c", MOBILE),
    )
    nameless, far = party(MOBILE, "b"), party(MOBILE, "d")
    found = {(p.first, p.second): belief(p) for p in pairs([before, after, also, nameless, far])}

    def said(one: Entity, other: Entity) -> str:
        return found.get((min(one.id, other.id), max(one.id, other.id)), "")

    assert "supported" not in (said(before, after), said(before, also))
    assert said(after, also) == "supported"
    assert said(after, nameless) == "supported"  # its own book says whose the number is there
    assert "supported" not in (said(before, far), said(after, far), said(also, far))  # nobody says so here


def test_duplicates_of_one_book_are_one() -> None:
    pair = only(contact("Anna Berg", "a", MOBILE), contact("Anna Berg", "a", MOBILE, email="anna@posteo.test"))
    assert belief(pair) == "supported"


def test_national_numbers_take_the_country_of_their_book_and_without_one_stay_weak() -> None:
    book = [contact(f"Friend {chr(65 + n)}xx", "a", f"+4917139200{n}") for n in range(10, 14)]
    mine, theirs = contact("Anna Berg", "a", "0171 3920042"), contact("Anna Berg", "b", MOBILE)
    told = [p for p in pairs([*book, mine, theirs]) if {p.first, p.second} == {mine.id, theirs.id}]
    assert belief(told[0]) == "supported"
    alone = only(mine, theirs)
    assert belief(alone) == "active"
    assert any("end in 13920042" in r.text for r in alone.reasons)


def test_messages_between_two_weaken_that_they_are_one() -> None:
    one, two = contact("Anna Berg", "a", MOBILE), contact("Anna Berg", "b", MOBILE)
    found = next(iter(pairs([one, two], {frozenset((one.id, two.id))})))
    assert "weakens" in [r.edge for r in found.reasons]


def device(name: str, source: str, **values: str) -> Entity:
    return entity(name, source, "device", "device", **values)


def test_a_device_is_known_by_its_own_number_and_not_by_its_name_or_a_made_serial() -> None:
    imei, udid = "352099001761481", "00008030-001A2B3C4D5E6F70"
    told = only(device("iPhone", "a", imei=imei), device("Anna's phone", "b", imei="35-209900-176148-1"))
    assert [r.edge for r in told.reasons] == ["direct_evidence"]
    usb = only(device("Apple iPhone", "a", serial=udid.replace("-", "")), device("iPhone", "b", udid=udid))
    assert belief(usb) == "supported"
    assert list(pairs([device("Stick", "a", serial="6&2c24ce2e&0"), device("Disk", "b", serial="6&2c24ce2e&0")])) == []
    moved = only(device("Anna's Nokia", "a", phone=MOBILE), device("Anna's Jolla", "b", phone=MOBILE))
    assert belief(moved) == "active"  # a card moves to another telephone


def test_numbers_of_which_a_thing_has_one_exclude_each_other() -> None:
    pair = only(device("My Phone", "a", serial="F2LXK1ABCD12"), device("My Phone", "b", serial="F2LXK1ABCD13"))
    assert "contradicts" in [r.edge for r in pair.reasons]
    assert belief(pair) == "refuted"


def test_accounts_and_places_join_by_their_own_identifiers() -> None:
    def account(source: str, **values: str) -> Entity:
        return entity("anna", source, "accounts", "account", **values)

    assert (
        belief(only(account("a", account="anna@posteo.test"), account("b", account="Anna@posteo.test"))) == "supported"
    )
    assert belief(only(account("a", account="anna"), account("b", account="anna"))) == "active"
    one = entity("Home", "a", "wifi", "place", bssid="0:1b:63:4:45:e6")
    assert belief(only(one, entity("Other name", "b", "wifi", "place", bssid="00:1B:63:04:45:E6"))) == "supported"
    assert (
        list(pairs([one, entity("Home", "b", "wifi", "place", bssid="00:1B:63:04:45:E7")])) == []
    )  # one word is no name


def test_a_value_that_everybody_holds_compares_nobody() -> None:
    crowd = [contact(f"Given{chr(97 + n // 26)}{chr(97 + n % 26)} Family", f"s{n}", MOBILE) for n in range(200)]
    assert list(pairs(crowd)) == []


def test_the_work_grows_with_the_entities_and_not_with_their_square(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []

    def counted(first: str, second: str) -> str:
        calls.append(first)
        return names_agree(first, second)

    monkeypatch.setattr(coreference, "names_agree", counted)

    def work(count: int) -> int:
        calls.clear()
        crowd = [contact(f"Given{word(n // 2)} Family", f"s{n % 2}", f"+4917600{n // 2:06d}") for n in range(count)]
        assert len(list(pairs(crowd))) == count // 2
        return len(calls)

    assert 0 < work(800) == 2 * work(400)


def word(number: int) -> str:
    return "".join(chr(97 + int(digit)) for digit in str(number))


def test_a_telephones_own_number_ties_it_to_the_people_it_stands_for() -> None:
    phone, owner = device("Anna's phone", "a", phone=MOBILE, imei="352099001761481"), contact("Anna", "b", MOBILE)
    assert [(one, two) for one, two, _ in ties([owner, phone])] == [(phone.id, owner.id)]
    assert list(ties([device("x", "a", phone=LINE), contact("Anna", "b", LINE)])) == []


def test_the_order_of_entities_changes_nothing() -> None:
    crowd = [contact("Anna Berg", s, MOBILE) for s in "abc"] + [party(MOBILE, s) for s in "abcd"]
    assert list(pairs(crowd)) == list(pairs(crowd[::-1]))
