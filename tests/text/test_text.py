"""Searching, previewing, features and unclaimed text files."""

from __future__ import annotations

import io
import re

import pytest

import wigmore.artifacts.generic.features
import wigmore.artifacts.generic.text  # noqa: F401  # registers the parsers
from wigmore.artifacts.generic import strings_reader
from wigmore.artifacts.generic.features_patterns import base58check, bech32, card, features, iban, luhn, social_security
from wigmore.artifacts.generic.strings_reader import find_strings, preview_hex, preview_text


def test_a_text_is_found_in_both_encodings_with_byte_offsets() -> None:
    content = b"\0\1Secret\2" + "xSECRET".encode("utf-16-le") + b"\xff"
    hits = list(find_strings(io.BytesIO(content), "secret"))
    assert [(hit.offset, hit.encoding, hit.text) for hit in hits] == [
        (2, "utf-8", "Secret"),
        (11, "utf-16-le", "SECRET"),
    ]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le"])
@pytest.mark.parametrize("shift", range(-9, 3))
def test_hits_across_chunk_borders_are_found_once(monkeypatch: pytest.MonkeyPatch, encoding: str, shift: int) -> None:
    monkeypatch.setattr(strings_reader, "CHUNK", 1000)
    monkeypatch.setattr(strings_reader, "LONGEST_MATCH", 100)
    at = 2000 + shift
    content = b"." * at + "needle".encode(encoding) + b"." * 1500
    for pattern in ("needle", re.compile("ne+dle")):
        assert [hit.offset for hit in find_strings(io.BytesIO(content), pattern, (encoding,))] == [at]


def test_a_pattern_goes_on_behind_its_last_hit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(strings_reader, "CHUNK", 64)
    monkeypatch.setattr(strings_reader, "LONGEST_MATCH", 16)
    content = b"abcd" * 50
    assert [hit.offset for hit in find_strings(io.BytesIO(content), re.compile(rb"abcd"))] == list(range(0, 200, 4))
    assert [hit.offset for hit in find_strings(io.BytesIO(content), b"abcd", start=2, stop=20)] == [4, 8, 12, 16]


def test_the_number_of_hits_is_bounded() -> None:
    assert len(list(find_strings(io.BytesIO(b"a" * 1000), "a", ("utf-8",), limit=7))) == 7


def test_case_folding_does_not_confuse_other_letters_of_utf_16() -> None:
    content = "\u6141".encode("utf-16-le")  # its bytes are 41 61
    assert list(find_strings(io.BytesIO(content), "\u4161", ("utf-16-le",))) == []


def test_previews_show_place_bytes_and_letters() -> None:
    stream = io.BytesIO(bytes(range(40)) + b"Hello\x1b[0m")
    assert preview_hex(stream, 38, 8) == ["00000026  26 27 48 65 6c 6c 6f 1b                           |&'Hello.|"]
    assert preview_text(stream, 40, 9) == "Hello\\x1b[0m"
    assert preview_text(io.BytesIO("häh".encode("utf-16-le")), 0, 6) == "häh"


def test_checks_refuse_what_only_looks_right() -> None:
    assert luhn("378282246310005") and not luhn("378282246310006")
    assert card("3782-822463-10005") == "378282246310005" and card("0000000000000000") is None
    assert base58check("1AGNa15ZQXAZUgFiqJ2i7Z2DPU2J6hW62i") and not base58check("1AGNa15ZQXAZUgFiqJ2i7Z2DPU2J6hW62X")
    assert bech32("bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4") and not bech32(
        "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5"
    )
    assert bech32("bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0")
    assert iban("DE89370400440532013000") and not iban("DE88370400440532013000")
    assert social_security("123-45-6789") and not social_security("666-45-6789") and not social_security("123-00-6789")


def test_features_are_found_by_form_and_check() -> None:
    text = "Mail eve@example.org from 203.0.113.9 (version 1.2.3.4), see https://example.org/a?b. DOB: Jan 1, 2014"
    found = {(feature.kind, feature.value) for feature in features(text)}
    assert found == {
        ("email", "eve@example.org"), ("ipv4", "203.0.113.9"), ("url", "https://example.org/a?b"), ("birth_date",
            "Jan 1, 2014"),
    }  # fmt: skip


def test_feature_records_have_byte_offsets_and_a_summary(make, read) -> None:
    content = "ä eve@example.org\nä eve@example.org\n".encode()
    records, _ = read(make(content, "x"), "generic.features")
    locator, record = records[1]
    assert content[locator["offset"] : locator["offset"] + locator["length"]] == b"eve@example.org"
    assert record.data["value"] == "eve@example.org"
    assert records[-1][1].artifact == "generic.features_summary"
    assert records[-1][1].data["email"] == ["eve@example.org"] and records[-1][1].data["hits"] == 2


def test_a_value_across_two_pieces_of_a_long_line_is_found_whole(make, read) -> None:
    for before in range(16_384 - 300, 16_384 + 30, 7):
        records, _ = read(make(" " * before + "eve@example.org" + " " * 20_000, "x"), "generic.features")
        assert [r.data["value"] for _, r in records[:-1]].count("eve@example.org") in (1, 2)
        assert records[0][0]["offset"] == before


def test_a_table_with_a_header_gives_rows_with_names_and_times(make, read) -> None:
    content = 'Name,When,Note\na,2020-01-02T03:04:05Z,"two\nlines"\nb,,short\nc\n'
    records, gaps = read(make(content, "x"), "generic.text")
    assert [record.artifact for _, record in records] == ["generic.table"] * 3
    assert records[0][1].data["Note"] == "two\nlines" and records[0][1].times["When"]["text"] == "2020-01-02T03:04:05Z"
    assert records[0][0]["line"] == 2 and records[1][0]["line"] == 4
    assert len(gaps) == 1


def test_ini_xml_and_json_become_fields(make, read) -> None:
    records, _ = read(make("[net]\nssid=Cafe\npsk = x\n[b]\nc=d\n", "x"), "generic.text")
    assert records[0][1].data == {"section": "net", "ssid": "Cafe", "psk": "x"}
    records, _ = read(make('<?xml version="1.0"?><a><b id="7"><name>Eve</name></b></a>', "x"), "generic.text")
    assert records[0][1].data == {"element": "a/b", "id": "7", "name": "Eve"}
    records, _ = read(make('{"a": {"b": 1}, "created_at": "2020-01-02T03:04:05Z"}', "x"), "generic.text")
    assert records[0][1].data["a.b"] == 1 and records[0][1].time_field == "created_at"


def test_xml_that_declares_entities_is_read_as_lines(make, read) -> None:
    records, _ = read(make('<!DOCTYPE a [<!ENTITY b "c">]>\n<a>&b;</a>\n', "x"), "generic.text")
    assert {record.artifact for _, record in records} == {""} and len(records) == 2


def test_plain_lines_keep_place_pairs_and_a_leading_time(make, read) -> None:
    records, _ = read(make("hello\n\n2020-01-02 03:04:05 user=eve host=box\n", "x"), "generic.text")
    assert [locator["line"] for locator, _ in records] == [1, 3]
    data = records[1][1]
    assert data.data["user"] == "eve" and data.times["line_time"]["zone"] == "local-unknown"


def test_binary_files_are_no_text(make) -> None:
    from wigmore.registry import _found

    content = bytes(range(256)) * 20
    assert not _found["parser"]["generic.text"].claims(content, "x", len(content))
    assert not _found["parser"]["generic.features"].claims(content, "x", len(content))
