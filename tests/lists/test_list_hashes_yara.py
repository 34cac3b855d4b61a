"""Hash sets in each form, and YARA rules with faults beside those without."""

from __future__ import annotations

import hashlib

import pytest

from wigmore.artifacts.lists import yara as module
from wigmore.artifacts.lists.describe import describe
from wigmore.artifacts.lists.hash_list import Drawers

BODY = b"MZ made for a test " * 20
MD5, SHA1, SHA256 = (hashlib.new(n, BODY).hexdigest() for n in ("md5", "sha1", "sha256"))


@pytest.mark.parametrize(
    ("line", "algorithm", "label"),
    [
        (MD5, "md5", ""),
        (SHA256.upper(), "sha256", ""),
        (f"{SHA1}  tools/kit.exe", "sha1", "tools/kit.exe"),
        (f"{SHA256} *kit.exe", "sha256", "kit.exe"),
        (f"SHA256 (kit.exe) = {SHA256}", "sha256", "kit.exe"),
        (f'"SHA-1","MD5","CRC32","FileName","FileSize"\n"{SHA1}","{MD5}","00000000","kit.exe",380', "sha1", "kit.exe"),
        (f"md5,name\n{MD5},Kit A", "md5", "Kit A"),
        (f"Kit B;{SHA256}", "sha256", "Kit B"),
    ],
)
def test_a_known_bad_file_is_named_in_each_form_of_list(apply, listed, line, algorithm, label) -> None:
    records, gaps, note = apply("lists.hashes", BODY, listed("known_bad", "bad.txt", f"# bad\n{line}\n{'0' * 64}\n"))
    assert gaps == [] and "2 entries" in note and "could not" not in note
    (record,) = [r for _, r in records]
    assert record.artifact == "lists.known_bad" and record.data["known"] == "bad"
    assert (record.data["algorithm"], record.data.get("label", "")) == (algorithm, label)
    assert record.data["sha256"] == SHA256 and record.data["line"] >= 2


def test_a_known_good_file_is_one_record(apply, listed) -> None:
    good = listed("known_good", "good.txt", "\n".join([MD5, SHA1, SHA256, "nonsense", "f" * 40]))
    records, _, note = apply("lists.hashes", BODY, good)
    assert [(r.artifact, r.data["known"], r.data["algorithm"]) for _, r in records] == [
        ("lists.known", "good", "sha256")
    ]
    assert "4 entries, 1 could not be used" in note
    assert apply("lists.hashes", BODY + b"!", good)[0] == []


@pytest.mark.parametrize("line", [b"a\rb,c", b"\0,\0", b'"open', b"\xff" * 90, b"," * 70_000])
def test_a_damaged_line_of_a_hash_set_is_named_and_the_others_are_used(listed, line) -> None:
    read = describe(listed("known_bad", "bad.txt", SHA256.encode() + b"\n" + line + b"\n" + MD5.encode()))
    assert read.entries == 2 and read.unusable[0].startswith("line 2")


def test_drawers_hold_just_what_was_put_in() -> None:
    drawers = Drawers(20)
    digests = [hashlib.sha1(bytes([n % 256, n // 256])).digest() for n in range(2000)]
    for digest in digests[::2]:
        drawers.add(digest)
        drawers.add(digest)
    drawers.shut()
    assert all((digest in drawers) == (n % 2 == 0) for n, digest in enumerate(digests))


GOOD = """
rule Marked : test kit { meta: author = "lab" level = 3 strings: $a = "marker-17" wide ascii $b = { 4D 5A ?? 6D }
condition: $a and $b and filename == "kit.exe" }
"""


def test_a_yara_hit_tells_rule_tags_meta_and_places(apply, listed) -> None:
    content = BODY + b"marker-17" + "marker-17".encode("utf-16-le")
    records, gaps, note = apply("lists.yara", content, listed("yara", "rules/kit.yar", GOOD), name="a/kit.exe")
    assert gaps == [] and "rules/kit.yar" in note
    ((locator, record),) = records
    data = record.data
    assert (data["rule"], data["namespace"], data["tags"]) == ("Marked", "rules/kit.yar", ["test", "kit"])
    assert data["meta"] == {"author": "lab", "level": 3} and data["string_matches"] == 22
    for shown in data["strings"]:
        found = content[shown["offset"] : shown["offset"] + shown["length"]]
        assert found == (shown["text"].encode() if "text" in shown else bytes.fromhex(shown["hex"]))
    assert locator["offset"] == 0 and locator["rule"] == "Marked"
    assert apply("lists.yara", content, listed("yara", "rules/kit.yar", GOOD), name="a/other.exe")[0] == []


@pytest.mark.parametrize(
    "broken",
    [
        "rule unfinished { condition: ",
        'include "/etc/passwd"\n',
        "no rule at all",
        "",
        "rule wrong { condition: nothing_such }",
        'rule bad_pattern { strings: $a = /(/ condition: $a }',
        b"\xff\xfe\x00\x01",
    ],
)  # fmt: skip
def test_a_broken_rule_file_is_named_and_the_others_are_used(apply, listed, broken) -> None:
    good, bad = (
        listed("yara", "good.yar", "rule Fine { condition: uint16(0) == 0x5A4D }"),
        listed("yara", "bad.yar", broken),
    )
    records, gaps, note = apply("lists.yara", BODY, bad, good)
    assert gaps == [] and [r.data["rule"] for _, r in records] == ["Fine"]
    assert "good.yar" in note and "bad.yar" in note and "could not be used" in note
    read = describe(bad)
    assert read.entries == 0 and read.unusable
    assert describe(good).entries == 1 and not describe(good).unusable


def test_a_bad_rule_does_not_take_its_file_with_it(apply, listed) -> None:
    source = (
        "rule Wrong { condition: nothing_such }\nrule Fine { condition: filesize > 3 }\nrule Same { condition: true }"
    )
    both = listed("yara", "a.yar", source), listed("yara", "b.yar", "rule Same { condition: true }")
    records, _, _ = apply("lists.yara", BODY, *both)
    assert [(r.data["namespace"], r.data["rule"]) for _, r in records] == [
        ("a.yar", "Fine"), ("a.yar", "Same"), ("b.yar", "Same"),
    ]  # fmt: skip
    assert len(describe(both[0]).unusable) == 1 and "nothing_such" in describe(both[0]).unusable[0]


def test_strings_that_match_everywhere_are_bounded(apply, listed) -> None:
    rules = listed("yara", "a.yar", 'rule Many { strings: $a = "M" $b = "a" condition: all of them }')
    ((_, record),), _, _ = apply("lists.yara", b"Ma" * 50_000, rules)
    assert record.data["string_matches"] == 2 * module.MATCHES and record.data["string_matches_at_least"] is True
    assert len(record.data["strings"]) == 2 * module.SHOWN_OF_PATTERN
