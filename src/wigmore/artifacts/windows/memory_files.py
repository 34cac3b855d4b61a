"""Files of Windows that hold memory: hiberfil.sys, pagefile.sys, swapfile.sys (and win386.swp): header and features."""

from __future__ import annotations

import re
import struct
from collections import Counter
from collections.abc import Iterator
from typing import Any

from wigmore.artifacts.generic.features_patterns import features
from wigmore.artifacts.windows.xpress import HEAD, MOST_PAGES, PAGE, Broken, blocks, decompress
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
OVERLAP = MOST_PAGES * PAGE + HEAD  # a block, or a string, that begins before the border of a window is whole in it
MOST_PLAIN = 256 * 1024 * 1024  # bytes unpacked: plain Python gives a few megabytes a second
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


class _Found:
    """Features that were met, counted by value; the first few of each become records."""

    def __init__(self) -> None:
        self.counts: Counter[tuple[str, str]] = Counter()
        self.given, self.cut = 0, False

    def records(
        self, text: str, width: int, place: dict[str, Any], at: int | None, inner: int = 0
    ) -> Iterator[tuple[dict[str, Any], Record]]:
        """Records of the features of a string: at a place of the file (`at`), or at `inner` within an unpacked block."""
        for feature in features(text):
            key = (feature.kind, feature.value)
            if feature.kind not in KINDS:
                continue
            if key not in self.counts and len(self.counts) >= MOST_COUNTED:
                self.cut = True
                continue
            self.counts[key] += 1
            if self.counts[key] > OFTEN:
                continue
            if self.given >= MOST_HITS:
                self.cut = True
                continue
            self.given += 1
            begin, end = feature.start, feature.end
            data: dict[str, Any] = {
                "feature": feature.kind,
                "value": feature.value,
                "checked": feature.checked,
                "context": text[max(0, begin - AROUND) : end + AROUND],
                "encoding": "ascii" if width == 1 else "utf-16-le",
            }
            if at is not None:
                locator = {**place, "offset": at + begin * width, "length": (end - begin) * width}
            else:
                data["compressed"] = True
                locator = {**place, "in_block": inner + begin * width, "value": feature.value}
            yield locator, Record(data, artifact="windows.memory_file.feature")

    def summary(self) -> dict[str, Any]:
        """Counts, and the distinct values of each kind, the most frequent first."""
        told: dict[str, Any] = {"hits": sum(self.counts.values()), "distinct": len(self.counts)}
        for kind in sorted({kind for kind, _ in self.counts}):
            ranked = sorted((-n, value) for (other, value), n in self.counts.items() if other == kind)
            told[kind] = [value for _, value in ranked[:MOST_DISTINCT]]
            told[f"{kind}_distinct"] = len(ranked)
        return told


@parser(
    "windows.memory_file",
    claims=Claim(paths=("*hiberfil.sys", "*pagefile.sys", "*swapfile.sys", "win386.swp")),
    artifacts=("windows.memory_file", "windows.memory_file.feature"),
    reads="hiberfil.sys, pagefile.sys, swapfile.sys and win386.swp: header, and addresses in what is not compressed",
    means="Bytes that were in memory at some time hold a value of this form at this place; the header says its own state.",
    does_not_mean=(
        "Which program or account held it, when, or that it was used: pages keep what pages, programs and pictures of web "
        "sites brought, for months. Pages that Windows 8 and later compress (hibernation and part of the page file) are not "
        "looked into, of earlier hibernation files a part, so silence says nothing."
    ),
    refs=(
        "https://github.com/volatilityfoundation/volatility/wiki/Hiber-Address-Space",
        "Sylve, Marziale, Richard: Modern Windows hibernation file analysis (Digital Investigation, 2016)",
    ),
    limit_seconds=3600.0,
)
def memory_file(file: EvidenceFile) -> Iterator[Yield]:
    """The header as one record, then features with their offsets (at most 3 of one value, 20,000 in all), then a summary.

    Kinds: e-mail, URL, onion, IPv4, Bitcoin, IBAN and card numbers that pass their checks, in ASCII and UTF-16 strings. Of
    a hibernation file the first 256 MiB of what its Xpress blocks hold are looked into too: `offset` is the block's then,
    `in_block` the place in its plain bytes.
    """
    hibernation = file.path.lower().endswith("hiberfil.sys")
    found = _Found()
    blank = blocks_met = plain = broken = 0
    with file.open() as stream:
        head = stream.read(PAGE).ljust(64, b"\0")
        if hibernation:
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
            border = len(window) if not fresh else max(0, len(window) - OVERLAP)
            for at, width, text in _strings(window, start, border, free_from):
                yield from found.records(text, width, {"kind": "offset", "offset": at}, at)
            for at, length, pages in blocks(window) if hibernation else ():
                if at >= border:
                    break
                blocks_met += 1
                if plain >= MOST_PLAIN:
                    continue
                try:
                    content = decompress(window[at + HEAD : at + HEAD + length], pages * PAGE)
                except Broken:
                    broken += 1
                    continue
                plain += len(content)
                for inner, width, text in _strings(content, 0, len(content), [0, 0]):
                    block = {"kind": "offset", "offset": start + at, "length": HEAD + length}
                    yield from found.records(text, width, block, None, inner)
            if not fresh:
                break
            carried = window[border:]
    summary: dict[str, Any] = {
        "kind": "summary",
        "bytes_read": base,
        "bytes_of_blank_pieces": blank,
        "compressed_blocks": blocks_met,
        "decompressed_bytes": plain,
        **found.summary(),
    }
    yield {"kind": "offset", "offset": 0, "length": file.size, "part": "summary"}, Record(summary)
    if found.cut:
        yield Gap(f"more than {MOST_HITS} hits; the rest are only counted in the summary", None, "too_large")
    if plain >= MOST_PLAIN:
        yield Gap(f"compressed blocks past {MOST_PLAIN} plain bytes are not looked into", None, "too_large")
    if broken:
        yield Gap(f"{broken} compressed blocks could not be unpacked")
