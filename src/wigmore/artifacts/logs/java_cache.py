"""Java Web Start cache index files (.idx), versions 602 to 605: URL, server's answer and times of a fetched applet."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from email.utils import parsedate_to_datetime

from wigmore.model.canonical import shown
from wigmore.model.protocols import EvidenceFile, Gap, ParseError, Record, Yield
from wigmore.model.times import Time, aware, posix
from wigmore.registry import Claim, parser

VERSIONS = (602, 603, 604, 605)
SHORTEST = 64  # bytes of a header, its first text not counted
LARGEST = 4 * 1024 * 1024
MOST_HEADERS = 200


def _look(head: bytes, path: str, size: int) -> bool:
    return len(head) >= SHORTEST and head[0] < 2 and head[1] < 2 and struct.unpack_from(">I", head, 2)[0] in VERSIONS


class _Reader:
    def __init__(self, path: str, raw: bytes, position: int) -> None:
        self.path, self.raw, self.position = path, raw, position

    def number(self, size: int) -> int:
        if self.position + size > len(self.raw):
            raise ParseError(self.path, self.position, "ends inside a field", "truncated")
        value = int.from_bytes(self.raw[self.position : self.position + size], "big")
        self.position += size
        return value

    def text(self) -> str:
        length = self.number(2)
        if self.position + length > len(self.raw):
            raise ParseError(self.path, self.position, f"a text of {length} bytes goes past the end", "truncated")
        value = self.raw[self.position : self.position + length]
        self.position += length
        return shown(value)


def _http_date(text: str) -> Time | None:
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return aware(moment, text, "server", "HTTP dates are GMT") if moment.tzinfo else None


@parser(
    "java.cache",
    claims=Claim(look=_look),
    reads="*.idx of the Java deployment cache (Sun/Oracle Java 6 to 8)",
    means="Java fetched this resource from this URL for this user and kept it; the server's headers say when it "
    "answered",
    does_not_mean="that the program ran or that a person meant it; server times are the server's clock",
    refs=(
        "M. Woan / B. Baskin, Java IDX file format (public research)",
        "OpenJDK, deploy cache: CacheEntry versions 602 to 605",
    ),
)
def java_cache(file: EvidenceFile) -> Iterator[Yield]:
    """One record a file: URL, address, version, HTTP headers, times."""
    raw = file.read(LARGEST)
    if len(raw) < SHORTEST:
        raise ParseError(file.path, len(raw), f"the file is cut within its first {SHORTEST} bytes", "truncated")
    version = struct.unpack_from(">I", raw, 2)[0]
    if version == 602:
        length, modified, expires = struct.unpack_from(">IQQ", raw, 9)
        position = 29
    else:
        length, modified, expires = struct.unpack_from(">IQQ", raw, 7)
        position = 128
    reader = _Reader(file.path, raw, position)
    data: dict[str, object] = {
        "format_version": version,
        "busy": bool(raw[0]),
        "incomplete": bool(raw[1]),
        "content_length": length,
    }
    first = reader.text()
    if "://" in first:
        data["url"] = first
    else:
        data["resource_version"] = first
        data["url"] = reader.text()
    data["address"] = reader.text()
    headers: dict[str, str] = {}
    trouble: ParseError | None = None
    try:
        count = reader.number(4)
        for _ in range(min(count, MOST_HEADERS)):
            name = reader.text()
            headers[name if name != "<null>" else "status_line"] = reader.text()
    except ParseError as error:
        trouble = error
    data["headers"] = headers
    if not data["address"] and "deploy_resource_codebase_ip" in headers:
        data["address"] = headers["deploy_resource_codebase_ip"]
    times = {
        "answered_at": _http_date(headers.get("date", "")),
        "last_modified_at": posix(modified, "server", "ms") if modified < 1 << 62 else None,
        "expires_at": posix(expires, "server", "ms") if expires < 1 << 62 else None,
    }
    kept = {name: time for name, time in times.items() if time}
    yield (
        {"kind": "offset", "offset": 0, "length": reader.position},
        Record({name: value for name, value in data.items() if value != ""}, kept, next(iter(kept), None)),
    )
    if trouble:
        yield Gap(trouble.message, trouble.offset, trouble.reason)
