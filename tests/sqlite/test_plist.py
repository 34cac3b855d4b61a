"""Property lists, keyed archives and their bounds."""

from __future__ import annotations

import plistlib
import struct
from datetime import datetime
from pathlib import Path
from plistlib import UID
from typing import Any

import pytest

from wigmore.artifacts.generic.plist import plist
from wigmore.artifacts.generic.plist_reader import (
    PlistError,
    decode_blob,
    is_archive,
    is_plist,
    read_plist,
    simple,
    unarchive,
)
from wigmore.evidence.local import LocalFile
from wigmore.model.protocols import ParseError, Record

VALUE = {"name": "x", "when": datetime(2023, 4, 15, 13, 53, 47), "deep": {"list": [1, 2.5, True], "raw": b"\x00\x01"}}


def records(folder: Path, data: bytes) -> list[tuple[dict[str, Any], Record]]:
    path = folder / "a.plist"
    path.write_bytes(data)
    return [i for i in plist(LocalFile.at(path)) if isinstance(i, tuple)]


@pytest.mark.parametrize("form", [plistlib.FMT_BINARY, plistlib.FMT_XML])
def test_both_forms_give_the_same_leaves(tmp_path: Path, form: plistlib.PlistFormat) -> None:
    [(locator, record)] = records(tmp_path, plistlib.dumps(VALUE, fmt=form))
    assert locator == {"kind": "key", "key": ""}
    assert record.data["deep.list[1]"] == 2.5 and record.data["deep.raw"] == "0001"
    assert record.times["when"]["text"].startswith("2023-04-15T13:53:47") and record.times["when"]["zone"] == "Z"


def test_large_lists_are_split_by_key(tmp_path: Path) -> None:
    value = {"a": {f"k{i}": i for i in range(100)}, "b": [{"n": i} for i in range(1000)]}
    found = records(tmp_path, plistlib.dumps(value, fmt=plistlib.FMT_BINARY))
    keys = [locator["key"] for locator, _ in found]
    assert keys[0] == "a" and keys[1] == "b[0]" and len(keys) == 1001
    assert found[0][1].data["a.k99"] == 99


def archive(*objects: Any, root: int = 1) -> dict[str, Any]:
    return {
        "$archiver": "NSKeyedArchiver",
        "$version": 100000,
        "$top": {"root": UID(root)},
        "$objects": ["$null", *objects],
    }


def test_keyed_archives_are_resolved() -> None:
    classes = {"$classname": "NSDictionary", "$classes": ["NSDictionary", "NSObject"]}
    made = archive(
        {"NS.keys": [UID(2), UID(4)], "NS.objects": [UID(3), UID(6)], "$class": UID(5)}, "when",
        {"NS.time": 703260029.0, "$class": UID(5)}, "list", classes, {"NS.objects": [UID(0), UID(2)], "$class": UID(5)},
    )  # fmt: skip
    data = plistlib.dumps(made, fmt=plistlib.FMT_BINARY)
    assert is_archive(read_plist(data))
    assert simple(unarchive(read_plist(data))) == {"when": "2023-04-15T14:00:29.000000Z", "list": [None, "when"]}
    assert decode_blob(data) == {"when": "2023-04-15T14:00:29.000000Z", "list": [None, "when"]}


def test_an_archive_that_points_at_itself_ends() -> None:
    assert unarchive(archive({"self": UID(1), "lost": UID(99)})) == {
        "self": "(object 1 again)",
        "lost": "(missing object 99)",
    }


def test_a_bomb_of_shared_objects_stops_at_the_bound() -> None:
    value: Any = ["x"]
    for _ in range(40):
        value = [value, value]
    with pytest.raises(PlistError):
        read_plist(plistlib.dumps(value, fmt=plistlib.FMT_BINARY))


@pytest.mark.parametrize("form", ["binary", "9", "0xf"])
def test_an_integer_longer_than_any_that_is_written_is_an_error(form: str) -> None:
    if form == "binary":
        body = (
            b"\xd1\x01\x02" + b"\x1b" + b"\x7f" * 2048 + b"\x51x"
        )  # a dictionary whose key is a number of 2,048 bytes
        offsets = b"".join(at.to_bytes(2, "big") for at in (8, 11, 11 + 2049))
        data = b"bplist00" + body + offsets + bytes(6) + bytes([2, 1]) + struct.pack(">QQQ", 3, 0, 8 + len(body))
    else:
        data = b"<plist><integer>" + form.encode() + form[-1].encode() * 5000 + b"</integer></plist>"
    with pytest.raises(PlistError):
        read_plist(data)
    assert decode_blob(data) is None


def test_deep_nesting_is_refused_not_followed() -> None:
    deep = b"<plist>" + b"<array>" * 5000 + b"</array>" * 5000 + b"</plist>"
    with pytest.raises(PlistError):
        read_plist(deep)


@pytest.mark.parametrize("size", [0, 7, 8, 39, 40, 60, 100])
def test_cut_binary_lists_are_errors(tmp_path: Path, size: int) -> None:
    data = plistlib.dumps(VALUE, fmt=plistlib.FMT_BINARY)
    with pytest.raises(ParseError):
        records(tmp_path, data[:size] if size >= 8 else b"bplist00"[:8])


def test_what_is_not_a_property_list_is_not_claimed() -> None:
    assert not is_plist(b"<?xml version='1.0'?><packages>") and not is_plist(b"") and is_plist(b"bplist00")


def test_the_text_of_a_typed_stream_is_found() -> None:
    head = b"\x04\x0bstreamtyped\x81\xe8\x03\x84\x01@\x84\x84\x84\x12NSAttributedString\x00"
    head += b"\x84\x84\x08NSObject\x00\x85\x92"
    body = b"\x84\x84\x84\x08NSString\x01\x94\x84\x01+"
    assert decode_blob(head + body + b"\x05hello\x86") == "hello"
    assert decode_blob(head + body + b"\x81\x2c\x01" + b"y" * 300 + b"\x86") == "y" * 300
    assert decode_blob(head + body + b"\xff") is None
