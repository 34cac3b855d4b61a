"""Indicators: lists in CSV and STIX, whole tokens only, hashes, names and paths of the file itself."""

from __future__ import annotations

import hashlib
import json

import pytest

from wigmore.artifacts.lists.describe import describe
from wigmore.artifacts.lists.ioc_list import comparisons, read_indicators
from wigmore.artifacts.lists.ioc_values import guessed, indicator, refanged, whole

CSV = """type,value,description
ip-dst,198.51.100[.]7,server A
domain,Bad.Example,server B
url,hxxps://bad[.]example/drop.php,stage
sha256,{digest},dropper
filename,kit.exe,tool
path,C:\\ProgramData\\kit\\run.dll,library
regkey,HKLM\\SOFTWARE\\Kit\\Run,persistence
mutex,Global-Kit-7,lock
email-src,"mal[@]bad.example",sender
"""


def kinds(records) -> list[tuple[str, str]]:
    return sorted((r.data["ioc_type"], r.data["matched"]) for _, r in records)


def test_a_table_of_indicators_is_read_and_found_in_content(apply, listed) -> None:
    table = listed("iocs", "iocs.csv", CSV.format(digest="ab" * 32))
    content = (
        b"GET https://bad.example/drop.php from 198.51.100.7:443; mail mal@bad.example\0"
        + "HKEY_LOCAL_MACHINE\\SOFTWARE\\Kit\\Run".encode("utf-16-le")
        + b"\0\0Global-Kit-7\0c:\\programdata\\KIT\\run.dll"
    )
    records, gaps, note = apply("lists.iocs", content, table)
    assert gaps == [] and "9 entries" in note and "could not" not in note
    met = {r.data["ioc"] for _, r in records}
    assert met == {
        "198.51.100.7", "bad.example", "https://bad.example/drop.php", "C:\\ProgramData\\kit\\run.dll",
        "HKLM\\SOFTWARE\\Kit\\Run", "Global-Kit-7", "mal@bad.example",
    }  # fmt: skip
    for locator, record in records:
        found = content[locator["offset"] : locator["offset"] + locator["length"]]
        assert found.decode(record.data["encoding"]).lower() == record.data["found"].lower()
        assert record.data["list"] == "iocs.csv" and record.data["line"] > 1


def test_hash_name_and_path_of_the_file_are_matched(apply, listed) -> None:
    content = b"nothing of note in here"
    table = listed("iocs", "iocs.csv", CSV.format(digest=hashlib.sha256(content).hexdigest()))
    records, _, _ = apply("lists.iocs", content, table, name="vol/Users/x/KIT.EXE")
    assert kinds(records) == [("filename", "name of the file"), ("sha256", "sha256 of the content")]
    records, _, _ = apply("lists.iocs", b"else", table, name="p2/ProgramData/kit/run.dll")
    assert kinds(records) == [("path", "path of the file")]
    assert apply("lists.iocs", b"else", table, name="p2/Data/kit/run.dll")[0] == []


@pytest.mark.parametrize(
    ("kind", "value", "before", "behind", "expected"),
    [
        ("ip", "10.0.0.1", "src=", ":80", True),
        ("ip", "10.0.0.1", "1", "", False),
        ("ip", "10.0.0.1", "", "2", False),
        ("ip", "10.0.0.1", "5.", "", False),
        ("ip", "10.0.0.1", "", ".", True),
        ("ip", "10.0.0.1", "", ".9", False),
        ("ip", "fe80::1", "", ":2", False),
        ("ip", "fe80::1", "[", "]", True),
        ("domain", "bad.example", "www.", "/x", True),
        ("domain", "bad.example", "not", "", False),
        ("domain", "bad.example", "", ".org", False),
        ("domain", "bad.example", "", ". And", True),
        ("md5", "0" * 32, "", "0", False),
        ("filename", "kit.exe", "my-", "", False),
        ("filename", "kit.exe", "\\", "", True),
        ("filename", "kit.exe", "", ".config", False),
        ("url", "http://a.example/x", "", "y", False),
        ("url", "http://a.example/", "", "y", True),
        ("email", "a@b.example", "xa", "", False),
        ("registry", "Kit\\Run", "SOFTWARE\\", "", True),
        ("registry", "Kit\\Run", "", "Once", False),
    ],
)
def test_a_value_matches_as_a_whole_token_of_its_kind(kind, value, before, behind, expected) -> None:
    assert whole(kind, value, before, behind) is expected


def test_values_made_harmless_are_read_as_they_were() -> None:
    assert refanged("hxxp://a[.]b[dot]example/x") == "http://a.b.example/x"
    assert refanged("hXXps[:]//a.example") == "https://a.example"
    assert refanged("x[at]b(.)example") == "x@b.example"


@pytest.mark.parametrize(
    ("value", "kind"),
    [("0" * 32, "md5"), ("::1", "ip"), ("http://a.example", "url"), ("a@b.example", "email"), ("HKCU\\Software\\X", "registry"),
     ("C:\\x\\y.txt", "path"), ("kit.exe", "filename"), ("bad.example", "domain"), ("three words here", "")],
)  # fmt: skip
def test_the_kind_of_a_bare_value_is_told(value, kind) -> None:
    assert guessed(value) == kind


def test_what_cannot_be_used_is_named_with_its_reason(listed) -> None:
    table = listed(
        "iocs",
        "iocs.csv",
        "type,value\nip,999.1.1.1\nasn,AS64500\nsha1,abc\nmutex,\ndomain,fine.example\nip,10.0.0.0/8\n",
    )
    read = describe(table)
    assert read.entries == 1 and len(read.unusable) == 5
    assert "line 3: indicators of kind 'asn' are not looked for" in read.unusable


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("[ipv4-addr:value = '198.51.100.7']", [("ipv4-addr:value", "198.51.100.7")]),
        ("[file:hashes.'SHA-256' = 'aa' OR file:hashes.MD5 = 'bb']",
         [("file:hashes.'SHA-256'", "aa"), ("file:hashes.MD5", "bb")]),
        ("[domain-name:value = 'a.example'] OR [url:value = 'http://a.example/']",
         [("domain-name:value", "a.example"), ("url:value", "http://a.example/")]),
        ("[domain-name:value IN ('a.example', 'b.example')]",
         [("domain-name:value", "a.example"), ("domain-name:value", "b.example")]),
        (r"[windows-registry-key:key = 'HKLM\\Software\\Kit']", [("windows-registry-key:key", "HKLM\\Software\\Kit")]),
    ],
)  # fmt: skip
def test_simple_patterns_are_read(pattern, expected) -> None:
    assert comparisons(pattern) == expected


@pytest.mark.parametrize(
    "pattern",
    ["[a:b = 'c' AND d:e = 'f']", "[a:b LIKE 'c%']", "[a:b != 'c']", "[a:b = 'c'] FOLLOWEDBY [d:e = 'f']", "", "[a:b = 'c'",
     "[NOT a:b = 'c']", "[a:b = 5]", "[a:b = 'c'] WITHIN 5 SECONDS", "[" * 5000],
)  # fmt: skip
def test_other_patterns_are_refused(pattern) -> None:
    with pytest.raises(ValueError, match="pattern"):
        comparisons(pattern)


def test_a_stix_bundle_is_read_and_what_needs_more_is_named(apply, listed) -> None:
    def one(name: str, pattern: str, **more: object) -> dict[str, object]:
        return {
            "type": "indicator",
            "id": f"indicator--{name}",
            "name": name,
            "pattern": pattern,
            "pattern_type": "stix",
            **more,
        }

    bundle = {
        "type": "bundle",
        "objects": [
            {"type": "malware", "name": "x"},
            one("A", "[ipv4-addr:value = '198.51.100.7']"),
            one("B", "[file:name = 'kit.exe' AND file:size = 3]"),
            one("C", "rule x { condition: true }", pattern_type="yara"),
            one("D", "[process:name = 'x.exe']"),
            one("E", "[mutex:name = 'Global-Kit-7']", revoked=True),
        ],
    }
    stix = listed("iocs", "b.json", json.dumps(bundle))
    records, _, note = apply("lists.iocs", b"to 198.51.100.7 kit.exe Global-Kit-7", stix)
    assert [(r.data["ioc"], r.data["label"]) for _, r in records] == [("198.51.100.7", "A")]
    assert "1 entries, 4 could not be used" in note


@pytest.mark.parametrize(
    "content", [b"{", b"[" * 100_000, b"\xff\xfe\0", b'{"objects": 5}', b"", b'"a,b\n' * 50, b"\0" * 500]
)
def test_damaged_lists_are_said_and_do_no_harm(listed, content) -> None:
    for name in ("x.json", "x.csv"):
        read = read_indicators((listed("iocs", name, content),)).readings[0]
        assert read.entries == 0
        assert read.unusable or not content.strip(b"\0 ")


def test_an_indicator_that_means_nothing_by_itself_is_refused(listed) -> None:
    file = listed("iocs", "a.csv", "")
    for kind, value in (
        ("filename", "a"),
        ("registry", "HKLM\\Run"),
        ("text", "ab"),
        ("ip", "x"),
        ("", "no kind at all"),
    ):
        with pytest.raises(ValueError, match=r"."):
            indicator(file, 1, kind, value)
