"""Keywords: every encoding at its exact offset, bounded, whatever the list and the bytes are."""

from __future__ import annotations

import base64
import io
import random
import time
from collections import Counter

import pytest
from PIL import Image, ImageDraw, ImageFont

from wigmore.artifacts.lists import search
from wigmore.artifacts.lists.entries import HITS_OF_ENTRY
from wigmore.artifacts.lists.search import base64_core
from wigmore.artifacts.media import recognition
from wigmore.registry import parsers

PAD = b"\x01\x02\x03\x04" * 9


def places(records) -> list[tuple[int, int, str]]:
    return [(loc["offset"], loc["length"], r.data["encoding"]) for loc, r in records if "term" in r.data]


@pytest.mark.parametrize("name", ["lists.keywords", "lists.hashes", "lists.yara", "lists.iocs"])
def test_without_a_list_nothing_is_claimed(name: str) -> None:
    parser = parsers()[name]
    assert parser.beside and parser.lists
    assert not parser.claims(b"PK\x03\x04", "a.zip", 400)


@pytest.mark.parametrize(
    ("term", "encoding"),
    [
        ("ledger", "utf-8"),
        ("ledger", "utf-16-le"),
        ("ledger", "utf-16-be"),
        ("Überweisung", "utf-8"),
        ("Überweisung", "cp1252"),
        ("Überweisung", "utf-16-be"),
        ("договор", "utf-8"),
        ("договор", "utf-16-le"),
        ("договор", "cp1251"),
        ("договор", "cp866"),
    ],
)
@pytest.mark.parametrize("change", [str, str.upper])
def test_a_term_is_found_in_each_encoding_at_its_bytes(apply, listed, term, encoding, change) -> None:
    written = change(term).encode(encoding)
    content = PAD + written + PAD
    records, gaps, note = apply("lists.keywords", content, listed("keywords", "words.txt", f"# words\n{term}\n"))
    assert gaps == [] and "words.txt" in note and "1 entries" in note
    assert places(records) == [(len(PAD), len(written), encoding)]
    (locator, record) = records[0]
    assert content[locator["offset"] :][: locator["length"]] == written
    assert record.data["found"] == change(term) and record.data["line"] == 2
    assert record.data["list"] == "words.txt" and len(record.data["list_sha256"]) == 64


@pytest.mark.parametrize("before", range(6))
@pytest.mark.parametrize("inner", ["utf-8", "utf-16-le"])
def test_a_term_in_base64_is_found_in_each_alignment(apply, listed, before, inner) -> None:
    plain = b"x" * before + "Secret-Plan".encode(inner) + b" of ours"
    content = PAD + b"\n" + base64.b64encode(plain) + b"\n" + PAD
    records, _, _ = apply("lists.keywords", content, listed("keywords", "words.txt", "secret-plan\nSecret-Plan\n"))
    found = [(loc, r) for loc, r in records if r.data["term"] == "Secret-Plan"]
    (locator, record) = found[0]
    core = base64_core("Secret-Plan".encode(inner), before % 3)
    assert content[locator["offset"] :][: locator["length"]] == core
    assert record.data["encoding"] == f"base64 of {inner}" and record.data["found"] == "Secret-Plan"


def test_case_is_kept_where_the_list_asks_for_it(apply, listed) -> None:
    words = listed("keywords", "words.txt", "case:Orion\ncase:/ori[op]n/\n")
    records, _, _ = apply("lists.keywords", b"orion .. Orion .. ORION .. oripn", words)
    assert [(loc["offset"], r.data["term_kind"]) for loc, r in records] == [
        (0, "expression"), (9, "text"), (27, "expression"),
    ]  # fmt: skip


def test_expressions_are_found_in_bytes_and_in_utf16(apply, listed) -> None:
    words = listed("keywords", "words.txt", r"/inv-\d{4}\/[ab]/" + "\n")
    content = b"..INV-2024/a.." + "inv-2025/b".encode("utf-16-le") + b"\x01inv-20/b"
    records, _, _ = apply("lists.keywords", content, words)
    assert places(records) == [(2, 10, "utf-8"), (14, 20, "utf-16-le")]


@pytest.mark.parametrize(
    "line",
    ["/(/", "/a*/", "/(?=a)b/", "/(a)\\1/", "x", "\xff\xfe", "t" * 600, '/a/ } condition: true } rule x { strings: $a = "/'],
)  # fmt: skip
def test_a_line_that_cannot_be_used_is_named_and_the_others_are_used(apply, listed, line) -> None:
    words = listed("keywords", "words.txt", line.encode("latin-1") + b"\nharbour\n")
    records, _, note = apply("lists.keywords", b"...harbour...", words)
    assert [r.data["term"] for _, r in records] == ["harbour"]
    assert "1 entries, 1 could not be used" in note or "condition" in line


def test_a_hostile_expression_is_bounded(apply, listed, monkeypatch) -> None:
    monkeypatch.setattr(search, "SECONDS", 1)
    words = listed("keywords", "words.txt", "/(a+)+$/\n/(.*a){20}b/\n")
    started = time.monotonic()
    _, gaps, _ = apply("lists.keywords", b"a" * 3_000_000 + b"!", words)
    assert time.monotonic() - started < 20
    assert [g.reason for g in gaps] == ["timeout"]


def test_hits_past_the_bound_are_counted(apply, listed) -> None:
    words = listed("keywords", "words.txt", "again\nonce\n")
    records, gaps, _ = apply("lists.keywords", b"again " * 300 + b"once", words)
    hits = Counter(r.data["term"] for _, r in records if "term" in r.data)
    assert hits == {"again": HITS_OF_ENTRY, "once": 1}
    (count,) = [r.data for _, r in records if r.artifact == "lists.keyword_count"]
    assert count["terms"] == {"again": 300, "once": 1} and count["recorded"] == HITS_OF_ENTRY + 1
    assert gaps[0].reason == "too_large"


def test_hits_across_windows_are_found_once_each(apply, listed, monkeypatch) -> None:
    monkeypatch.setattr(search, "WINDOW", 16384)
    content = bytearray(b"." * 100_000)
    spots = [0, 12_280, 12_288, 16_380, 32_765, 50_000, 99_994]
    for spot in spots:
        content[spot : spot + 6] = b"harbor"
    records, gaps, _ = apply("lists.keywords", bytes(content), listed("keywords", "words.txt", "harbor\n/h.rbor/\n"))
    assert gaps == []
    for kind in ("text", "expression"):
        assert [loc["offset"] for loc, r in records if r.data["term_kind"] == kind] == spots


def test_random_bytes_and_random_lists_do_no_harm(apply, listed) -> None:
    draw = random.Random(7)
    for number in range(8):
        words = listed("keywords", f"w{number}.txt", draw.randbytes(400) + b"\nharbour\n")
        records, _, _ = apply("lists.keywords", draw.randbytes(5000) + b"harbour" + draw.randbytes(50), words)
        assert (5000, 7, "utf-8") in places(records)


@pytest.mark.parametrize("before", [b"\x07", b"\x07\x05", b"\x07\0", b"\x07\x05\0"])
def test_utf16_between_zeros_is_read_in_the_order_that_is_meant(apply, listed, before) -> None:
    words = listed("keywords", "words.txt", "ledger\n")
    inner = "the ledger is closed".encode("utf-16-le")
    records, _, _ = apply("lists.keywords", before + inner + b"\0\0\x09", words)
    assert places(records) == [(len(before) + 8, 12, "utf-16-le")]
    big = "the ledger is closed".encode("utf-16-be")
    records, _, _ = apply("lists.keywords", b"\x07\x05" + big + b"\x09", words)
    assert places(records) == [(2 + 8, 12, "utf-16-be")]


def test_a_term_is_found_in_the_text_that_is_read_in_a_picture(apply, listed) -> None:
    try:
        recognition.engine()
    except recognition.NotInstalled as error:
        pytest.skip(str(error))
    picture = Image.new("RGB", (640, 200), "white")
    for number, line in enumerate(("nothing to see", "bring the LEDGER to dock 7")):
        font = ImageFont.load_default(36)
        ImageDraw.Draw(picture).text((20, 20 + 80 * number), line, font=font, fill="black")
    out = io.BytesIO()
    picture.save(out, "PNG")
    words = listed("keywords", "words.txt", "ledger\nabsent\n")
    records, gaps, note = apply("lists.keywords_read", out.getvalue(), words)
    assert gaps == [] and note.endswith("2 entries; the text read in the picture")
    ((locator, record),) = records
    assert (locator["kind"], locator["line"], locator["entry"], locator["byte"]) == ("region", 2, 1, 10)
    assert record.artifact == "lists.keyword_hit" and record.data["found"] == "LEDGER"
    assert record.data["context"] == "bring the LEDGER to dock 7" and record.data["confidence"] > 0.5
    assert not parsers()["lists.keywords_read"].claims(b"no picture", "a.png", 4000)
