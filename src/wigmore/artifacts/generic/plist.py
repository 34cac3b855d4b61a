"""Any property list, binary or XML: its leaves by path, keyed archives resolved, dates as times."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from wigmore.artifacts.generic.plist_reader import (
    PlistDate,
    PlistError,
    is_archive,
    is_plist,
    leaves,
    read_plist,
    unarchive,
)
from wigmore.model.protocols import EvidenceFile, ParseError, Record, Yield
from wigmore.model.times import Time
from wigmore.registry import Claim, parser

WHOLE = 64  # a list of at most so many leaves is one record
GROUP = 512  # a top-level key with more leaves is split once more
SIZE = 64 * 1024 * 1024


def load_plist(file: EvidenceFile) -> Any:
    """The content of a property-list file, keyed archives resolved; raises ParseError."""
    data = file.read(SIZE)
    try:
        value = read_plist(data)
        return unarchive(value) if is_archive(value) else value
    except PlistError as error:
        cut = data.startswith(b"bplist") and error.offset is not None and error.offset >= len(data) - 32
        raise ParseError(file.path, error.offset, error.message, "truncated" if cut else "damaged") from error


def flat(value: Any, prefix: str = "") -> tuple[dict[str, Any], dict[str, Time]]:
    """Leaves by path, dates apart as times; a date outside the calendar stays in the data as text."""
    data: dict[str, Any] = {}
    times: dict[str, Time] = {}
    for path, leaf in leaves(value, prefix):
        if isinstance(leaf, PlistDate):
            time = leaf.time()
            if time:
                times[path or "value"] = time
            else:
                data[path or "value"] = leaf.text()
        else:
            data[path or "value"] = leaf
    return data, times


def _children(value: Any, prefix: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield f"{prefix}.{key}" if prefix else str(key), item
    else:
        for index, item in enumerate(value):
            yield f"{prefix}[{index}]", item


def _groups(value: Any, prefix: str, level: int) -> Iterator[tuple[str, dict[str, Any], dict[str, Time]]]:
    data, times = flat(value, prefix)
    small = len(data) + len(times) <= (WHOLE if level == 0 else GROUP)
    if small or level == 3 or not isinstance(value, (dict, list)):
        yield prefix, data, times
        return
    del data, times
    for path, item in _children(value, prefix):
        yield from _groups(item, path, level + 1)


def _without_secrets(value: Any) -> Any:
    """A keychain list without the secrets its entries hold; any other value as it is."""
    if not isinstance(value, dict) or not set(value) & {"genp", "inet"}:
        return value
    return {
        key: [{k: "(left out)" if k == "v_Data" else v for k, v in row.items()} if isinstance(row, dict) else row
              for row in rows] if isinstance(rows, list) else rows
        for key, rows in value.items()
    }  # fmt: skip


@parser(
    "generic.plist",
    claims=Claim(look=lambda head, path, size: is_plist(head)),
    reads="any binary or XML property list, recognised by its first bytes",
    means="this property list holds these keys with these values",
    does_not_mean="that a setting was in force or chosen by a person; a date is what its writer stored",
    refs=(
        "https://developer.apple.com/library/archive/documentation/Cocoa/Conceptual/PropertyLists/",
        "https://opensource.apple.com/source/CF/CF-1153.18/CFBinaryPList.c",
    ),
    beside=True,
)
def plist(file: EvidenceFile) -> Iterator[Yield]:
    """One record for a small list; for a large one, a record a top-level key, split further where that is large too."""
    value = _without_secrets(load_plist(file))
    for path, data, times in _groups(value, "", 0):
        if data or times:
            yield {"kind": "key", "key": path}, Record(data, times)
