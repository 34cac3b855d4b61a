"""Files of Windows that hold memory: hiberfil.sys, pagefile.sys, swapfile.sys (and win386.swp): header and features."""

from __future__ import annotations

import re
import struct
from collections import Counter
from collections.abc import Iterator
from typing import Any

from wigmore.artifacts.generic.features_patterns import features
from wigmore.model.protocols import EvidenceFile, Gap, Record, Yield
from wigmore.model.times import Time, filetime
from wigmore.registry import Claim, parser

PIECE = 4 * 1024 * 1024
LONGEST_RUN = 4096  # letters of one string that are looked at
MOST_HITS = 20_000
OFTEN = 3  # occurrences of one value that get a record of their own
MOST_DISTINCT = 500  # values of one kind in the summary
MOST_COUNTED = 500_000  # different values that are counted at all
AROUND = 40
PAGE = 4096
# bare digits (telephones, social security numbers, dates of birth) are too often chance in memory
KINDS = frozenset(("email", "url", "onion", "bitcoin", "iban", "card", "ipv4"))
# strings that could hold one of those: a mark of it must stand within
_NARROW = re.compile(rb"[\x20-\x7e]{8,4096}")
_WIDE = re.compile(rb"(?:[\x20-\x7e]\0){8,4096}")
_LIKELY = re.compile(
    rb"@|://|\.onion|\d\.\d{1,3}\.\d|[A-Z]{2}\d{2}[A-Z0-9]{11}|\d[ -]?\d{3,}[ -]?\d{4}|bc1|[13][1-9A-HJ-NP-Za-km-z]{25}"
)
SIGNATURES = {
    b"hibr": "hibernated, not resumed", b"HIBR": "hibernated, not resumed", b"wake": "resumed", b"WAKE": "resumed",
    b"RSTR": "being restored", b"link": "linked to another file", b"LINK": "linked to another file",
}  # fmt: skip
XPRESS = (b"\x81\x81xpress", b"\x81\x81XPRESS")


def _header(head: bytes) -> tuple[dict[str, Any], dict[str, Time]]:
    """What the header of a hibernation file says: state, page size, length, when it was written.

    PO_MEMORY_IMAGE: signature, image type or version, checksum, length; page size and system time stand at places that
    differ by version, so the time is taken from the known places where a sensible one stands.
    """
    mark = head[:4]
    if mark not in SIGNATURES:
        blank = not head.strip(b"\0")
        return {"kind": "header", "state": "zeroed: resumed, or never written" if blank else "unknown signature"}, {}
    kind, checksum, length = struct.unpack_from("<III", head, 4)
    data: dict[str, Any] = {
        "kind": "header",
        "signature": mark.decode("ascii"),
        "state": SIGNATURES[mark],
        "version_or_type": kind,
        "checksum": f"{checksum:#010x}",
        "header_length": length,
    }
    times: dict[str, Time] = {}
    for size_at, time_at in ((0x14, 0x20), (0x18, 0x20), (0x18, 0x28), (0x1C, 0x28), (0x20, 0x28)):
        size = struct.unpack_from("<I", head, size_at)[0]
        stamp = struct.unpack_from("<Q", head, time_at)[0]
        if size == PAGE and 0x01BF_0000_0000_0000 < stamp < 0x0200_0000_0000_0000 and (moment := filetime(stamp)):
            data["page_size"] = size
            times["hibernated_at"] = moment
            break
    return data, times


def _strings(window: bytes, base: int, border: int, free_from: list[int]) -> Iterator[tuple[int, int, str]]:
    """Place, bytes a letter, and text of the strings that begin before the border of a window and may hold a feature.

    `free_from` holds where the search for each width goes on; it is moved on, so that no string is seen twice.
    """
    for width, pattern in ((1, _NARROW), (2, _WIDE)):
        for match in pattern.finditer(window, max(0, free_from[width - 1] - base)):
            if match.start() >= border:
                break
            free_from[width - 1] = base + match.end()
            text = match[0][::width]
            if _LIKELY.search(text):
                yield base + match.start(), width, text.decode("ascii")


@parser(
    "windows.memory_file",
    claims=Claim(paths=("hiberfil.sys", "pagefile.sys", "swapfile.sys", "win386.swp", "hiberfil.*", "pagefile.*")),
    artifacts=("windows.memory_file", "windows.memory_file.feature"),
    reads="hiberfil.sys, pagefile.sys, swapfile.sys and win386.swp: header, and addresses in what is not compressed",
    means="Bytes that were in memory at some time hold a value of this form at this place; the header says its own state.",
    does_not_mean=(
        "Which program or account held it, when, or that it was used: pages keep what pages, programs and pictures of web "
        "sites brought, for months. Compressed pages (most of a hibernation file, and part of a page file of Windows 10) are "
        "not looked into, so silence says nothing."
    ),
    refs=(
        "https://github.com/volatilityfoundation/volatility/wiki/Hiber-Address-Space",
        "Sylve, Marziale, Richard: Modern Windows hibernation file analysis (Digital Investigation, 2016)",
    ),
    limit_seconds=3600.0,
)
def memory_file(file: EvidenceFile) -> Iterator[Yield]:
    """The header as one record, then features with their offsets (at most 3 of one value, 20,000 in all), then a summary.

    Kinds: e-mail, URL, onion, IPv4, Bitcoin, IBAN and card numbers that pass their checks, in ASCII and UTF-16 strings.
    """
    name = file.path.rpartition("/")[2].lower()
    counts: Counter[tuple[str, str]] = Counter()
    given, cut, blocks, blank = 0, False, 0, 0
    with file.open() as stream:
        head = stream.read(PAGE).ljust(64, b"\0")
        if name.startswith("hiberfil"):
            data, times = _header(head)
            place = {"kind": "offset", "offset": 0, "length": min(PAGE, file.size)}
            yield place, Record(data, times, "hibernated_at" if times else None)
        stream.seek(0)
        base, carried, free_from = 0, b"", [0, 0]
        while True:
            fresh = stream.read(PIECE)
            window = carried + fresh
            start = base - len(carried)
            base += len(fresh)
            if fresh and fresh.count(0) == len(fresh):
                blank += len(fresh)
            blocks += sum(fresh.count(mark) for mark in XPRESS)
            border = len(window) if not fresh else max(0, len(window) - 2 * LONGEST_RUN)
            for at, width, text in _strings(window, start, border, free_from):
                for feature in features(text):
                    if feature.kind not in KINDS:
                        continue
                    key = (feature.kind, feature.value)
                    if key not in counts and len(counts) >= MOST_COUNTED:
                        cut = True
                        continue
                    counts[key] += 1
                    if counts[key] > OFTEN:
                        continue
                    if given >= MOST_HITS:
                        cut = True
                        continue
                    given += 1
                    begin, end = feature.start, feature.end
                    found = {
                        "feature": feature.kind,
                        "value": feature.value,
                        "checked": feature.checked,
                        "context": text[max(0, begin - AROUND) : end + AROUND],
                        "encoding": "ascii" if width == 1 else "utf-16-le",
                    }
                    yield (
                        {"kind": "offset", "offset": at + begin * width, "length": (end - begin) * width},
                        Record(found, artifact="windows.memory_file.feature"),
                    )
            if not fresh:
                break
            carried = window[border:]
    summary: dict[str, Any] = {
        "kind": "summary",
        "bytes_read": base,
        "bytes_of_blank_pieces": blank,
        "compressed_blocks": blocks,
        "hits": sum(counts.values()),
        "distinct": len(counts),
    }
    for kind in sorted({kind for kind, _ in counts}):
        ranked = sorted(((-n, value) for (other, value), n in counts.items() if other == kind))
        summary[kind] = [value for _, value in ranked[:MOST_DISTINCT]]
        summary[f"{kind}_distinct"] = len(ranked)
    yield {"kind": "offset", "offset": 0, "length": file.size, "part": "summary"}, Record(summary)
    if cut:
        yield Gap(f"more than {MOST_HITS} hits; the rest are only counted in the summary", None, "too_large")
