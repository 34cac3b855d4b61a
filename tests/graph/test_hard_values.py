"""Values in prose are found as a person reads them, and stand in a fact whole or not at all."""

from __future__ import annotations

import pytest

from wigmore.graph.hard_values import alike, hard_values, stands, ungrounded
from wigmore.model.overclaims import overclaims

FACTS = [
    "C:/Users/bob/a.docx", "Users/bob/Desk top/x.txt", 1826541, "2026-03-01T10:00:00Z", "bob@example.com", "10.0.0.12:445",
    "+41 79 123 45 67", "aa:bb:cc:dd:ee:ff", "S-1-5-21-1-2-3-1001", "https://a.example/x.pdf", "2025:12:31 08:00:00",
]  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        "C:\\Users\\bob\\a.docx", "1826541", "1,826,541 bytes", "2026-03-01", "2026-03-01 10:00", "1 March 2026", "01.03.2026",
        "2025-12-31", "bob@example.com.", "10.0.0.12", "+41 79 123 45 67", "AA-BB-CC-DD-EE-FF", "bob[at]example[.]com",
        "https://a.example/x.pdf", "\uff11\uff18\uff12\uff16\uff15\uff14\uff11", "CVE-2021-44228",
        "TCP/IP, and/or 4,321 at 10:42",
    ],
)  # fmt: skip
def test_what_stands_in_a_fact_may_be_said_in_any_dress(text: str) -> None:
    assert ungrounded(text, FACTS) == []


@pytest.mark.parametrize(
    "text",
    [
        "182654", "826541", "18.26.54.1", "bob@example.co", "ob@example.com", "10.0.0.1", "S-1-5-21-1-2-3", "https://a.example/x",
        "/Users/bob/Des", "2026-03-01T10:00:00+01:00", "3 January 2027", "02.03.2026", "aa:bb:cc:dd:ee:f0",
    ],
)  # fmt: skip
def test_a_part_of_a_value_or_its_digits_in_other_groups_stand_nowhere(text: str) -> None:
    assert ungrounded(text, FACTS)


@pytest.mark.parametrize(
    "text",
    [
        "q@evil\u200b.example", "q\uff20evil.example", "203\u30020\u3002113\u30029", "203[.]0[.]113[.]9",
        "\u0661\u0662\u0663\u0664\u0665",
        "1\u200b2\u200b3\u200b4\u200b5", "12,345", "249 214", "1-2-3-4-5", "id-483920", "12345KB", "port :54321", "fe80::1234",
        "hxxp://evil.example", "Users/eve/Desktop", "Desktop/secret.docx", "on 3 March 2019",
    ],
)  # fmt: skip
def test_a_value_in_disguise_is_found(text: str) -> None:
    assert hard_values(text)
    assert ungrounded(text, FACTS)


@pytest.mark.parametrize("value", ["", " ", ".-/", "\u200b"])
def test_what_has_no_letter_and_no_digit_stands_nowhere(value: str) -> None:
    assert not stands("identifier", value, ["anything", ""])


def test_a_short_identifier_is_no_part_of_a_longer_word() -> None:
    assert not stands("identifier", "bo", ["bob"])
    assert stands("identifier", "bob", ["Users/bob/x"])


@pytest.mark.parametrize(
    "text", ["pr\u043eves", "\uff50roves", "p\u200bro\u200bves", "prove\u0301s", "knowingly\u00ad"]
)
def test_a_claim_in_other_letters_is_a_claim(text: str) -> None:
    assert overclaims(alike(text))
