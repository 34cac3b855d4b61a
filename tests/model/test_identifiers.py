"""Identifiers in their one form: what is compared, how rare it is, and what carries nothing."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wigmore.model.identifiers import COMMON, NOTHING, SHARED, UNIQUE, classify, luhn, region_of, tail
from wigmore.model.names import name_words, names_agree

MOBILE = "+491713920042"


@pytest.mark.parametrize(
    ("what", "value", "region", "kind", "canonical", "rarity"),
    [
        ("phone", "+49 (171) 392-0042", "", "phone", MOBILE, UNIQUE),
        ("phone", "0049 171 3920042", "", "phone", MOBILE, UNIQUE),
        ("phone", "0171/392 00 42", "DE", "phone", MOBILE, UNIQUE),
        ("phone", "491713920042@s.whatsapp.net", "", "phone", MOBILE, UNIQUE),
        ("phone", "0171 3920042 (+491713920042)", "", "phone", MOBILE, UNIQUE),
        ("phone", "+49 30 23125042", "", "phone", "+493023125042", SHARED),
        ("phone", "+49 800 1234567", "", "phone", "+498001234567", COMMON),
        ("phone", "0171 3920042", "", "digits", "1713920042", COMMON),  # no country is invented
        ("phone", "22000", "", "phone", "22000", NOTHING),
        ("phone", "AMAZON", "", "handle", "amazon", COMMON),
        ("phone", "120363021234567890@g.us", "", "group", "120363021234567890@g.us", NOTHING),
        ("phone", "Anna.Berg@Example.COM", "", "email", "anna.berg@example.com", UNIQUE),
        ("email", "a.b.c+lists@gmail.com", "", "email", "a.b.c+lists@gmail.com", UNIQUE),  # no tricks of one provider
        ("email", "Office@Castell.example.com", "", "email", "office@castell.example.com", SHARED),
        ("email", "no-reply+77@shop.example.com", "", "email", "no-reply+77@shop.example.com", SHARED),
        ("account", "anna@example.com", "", "account", "anna@example.com", UNIQUE),
        ("account", "anna", "", "account", "anna", COMMON),
        ("account:telegram", "777000123", "", "account", "telegram:777000123", UNIQUE),
        ("handle:Twitter", "@Anna", "", "handle", "twitter:anna", SHARED),
        ("imei", "35-209900-176148-1", "", "imei", "35209900176148", UNIQUE),
        ("imei", "352099001761481", "", "imei", "35209900176148", UNIQUE),
        ("imei", "3520990017614823", "", "imei", "35209900176148", UNIQUE),  # with software version
        ("imei", "352099001761482", "", "imei", "352099001761482", NOTHING),  # wrong check digit
        ("imei", "004999010640000", "", "imei", "00499901064000", NOTHING),
        ("imei", "000000000000000", "", "imei", "000000000000000", NOTHING),
        ("iccid", "8949 0200 0012 3456 7892", "", "iccid", "8949020000123456789", UNIQUE),
        ("iccid", "89490200001234567892F", "", "iccid", "8949020000123456789", UNIQUE),
        ("iccid", "89490200001234567893", "", "iccid", "89490200001234567893", NOTHING),
        ("imsi", "262011234567890", "", "imsi", "262011234567890", UNIQUE),
        ("udid", "00008030-001A2B3C4D5E6F70", "", "udid", "00008030001A2B3C4D5E6F70", UNIQUE),
        ("serial", "00008030001A2B3C4D5E6F70", "", "udid", "00008030001A2B3C4D5E6F70", UNIQUE),  # as Windows lists it
        ("serial", "4C530001230807117263&0", "", "serial", "4C530001230807117263", UNIQUE),
        ("serial", "6&2c24ce2e&0", "", "serial", "6&2C24CE2E&0", NOTHING),
        ("serial", "0123456789ABCDEF", "", "serial", "0123456789abcdef", NOTHING),
        ("serial", "unknown", "", "serial", "unknown", NOTHING),
        ("mac", "00-1B-63-84-45-E6", "", "mac", "00:1b:63:84:45:e6", SHARED),
        ("mac", "0:1b:63:4:45:e6", "", "mac", "00:1b:63:04:45:e6", SHARED),
        ("mac", "DA:A1:19:00:00:01", "", "mac", "da:a1:19:00:00:01", NOTHING),  # local bit
        ("mac", "02:00:00:00:00:00", "", "mac", "02:00:00:00:00:00", NOTHING),
        ("bssid", "76:a7:41:e7:7c:9d", "", "bssid", "76:a7:41:e7:7c:9d", UNIQUE),
        ("sid", "S-1-5-21-1-2-3-1001", "", "sid", "S-1-5-21-1-2-3-1001", UNIQUE),
        ("sid", "S-1-5-18", "", "sid", "S-1-5-18", NOTHING),
        ("name", "Berg, Anna", "", "name", "anna berg", COMMON),
        ("host", "DESKTOP-1", "", "host", "desktop-1", COMMON),
        ("ip", "192.0.2.1", "", "ip", "192.0.2.1", NOTHING),
    ],
)
def test_an_identifier_has_one_form_and_a_rarity(
    what: str, value: str, region: str, kind: str, canonical: str, rarity: str
) -> None:
    known = classify(what, value, region)
    assert (known.kind, known.value, known.rarity) == (kind, canonical, rarity)
    assert rarity == UNIQUE or known.reason


@given(st.integers(0, 99), st.sampled_from(("", " ", "-", "/", ".")), st.sampled_from(("+49", "0049", "0")))
def test_notation_does_not_matter_to_a_number(end: int, gap: str, prefix: str) -> None:
    shown = f"{prefix}{gap}171{gap}392{gap}00{end:02d}"
    assert classify("phone", shown, "DE").value == f"+491713920{end:03d}"


@given(
    st.text(max_size=60), st.sampled_from(("phone", "email", "imei", "iccid", "serial", "mac", "sid", "name", "udid"))
)
def test_no_text_breaks_it_and_the_form_is_stable(text: str, what: str) -> None:
    known = classify(what, text)
    assert known == classify(what, text)
    assert known.rarity in (UNIQUE, SHARED, COMMON, NOTHING)


@given(st.text("0123456789", min_size=14, max_size=14))
def test_a_check_digit_catches_every_single_error(body: str) -> None:
    whole = next(body + str(d) for d in range(10) if luhn(body + str(d)))
    for place in range(len(whole)):
        wrong = whole[:place] + str((int(whole[place]) + 1) % 10) + whole[place + 1 :]
        assert not luhn(wrong)


def test_a_country_comes_from_four_fifths_of_a_book_and_never_from_two_numbers() -> None:
    germans = [f"+49 171 39200{n}" for n in range(10, 14)]
    assert region_of(germans) == "DE"
    assert region_of(germans[:2]) == ""
    assert region_of([*germans[:3], "+33612345678", "+33612345679"]) == ""
    assert region_of(["491713920010@s.whatsapp.net", "0171 3920011 (+491713920011)", "+491713920012"]) == "DE"
    assert region_of(["0171 3920010"] * 5) == ""


def test_a_national_number_of_unknown_country_meets_its_whole_form_by_its_end_only() -> None:
    assert tail(classify("phone", "0171 3920042")) == tail(classify("phone", MOBILE)) == "13920042"
    assert tail(classify("phone", "22000")) == ""


@pytest.mark.parametrize(
    ("first", "second", "said"),
    [
        ("Anna Berg", "Berg, Anna", "same"),
        ("Dr. Anna Berg", "ANNA BERG", "same"),
        ("Zoë Müller", "Muller Zoe", "same"),
        ("A. Berg", "Anna Berg", "alike"),
        ("Alex Berg", "Alexander Berg", "alike"),
        ("Anna", "Anna Berg", "alike"),
        ("Anna Maria Berg", "Anna Berg", "alike"),
        ("Anna Berg", "Anna Meier", "unlike"),
        ("Anna Berg", "Peter Berg", "unlike"),
        ("A. Berg", "Peter Berg", "unlike"),
        ("Mum", "Anna Berg", ""),
        ("+491713920042", "Anna Berg", ""),
        ("anna@example.com", "Anna Berg", ""),
    ],
)
def test_names_agree_in_any_order_and_a_pet_name_says_nothing(first: str, second: str, said: str) -> None:
    assert names_agree(first, second) == names_agree(second, first) == said


@given(st.lists(st.sampled_from(("Anna", "Berta", "Cora", "Dietz", "Ehlers")), min_size=2, max_size=4, unique=True))
def test_the_order_of_words_is_no_matter(words: list[str]) -> None:
    shuffled = random.Random(len(words)).sample(words, len(words))
    assert names_agree(" ".join(words), " ".join(shuffled)) == "same"
    assert sorted(name_words(" ".join(words))) == sorted(name_words(" ".join(shuffled)))
