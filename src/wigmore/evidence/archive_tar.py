"""tar archives: v7, ustar, pax and GNU (long names, sparse files, base-256 numbers), read without trust.

Sources: IEEE Std 1003.1 pax (ustar and pax interchange formats), GNU tar manual (old GNU, sparse formats 0.0-1.0),
FreeBSD tar(5).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, BinaryIO

from wigmore.evidence.archive_member import ArchiveStore, Window, place, target
from wigmore.evidence.filetype import tar_checksum
from wigmore.evidence.store import Entry, buffered, part
from wigmore.model import times
from wigmore.model.protocols import Gap, ParseError
from wigmore.model.times import Time

BLOCK = 512
HEADER_LIMIT = 1024 * 1024  # bytes of one extended header: names and times, not content
SEGMENTS = 100_000
KINDS = {
    b"0": "file", b"\0": "file", b"7": "file", b"S": "file", b"1": "link", b"2": "link", b"3": "device", b"4": "device",
    b"5": "directory", b"6": "other",
}  # fmt: skip
Segments = list[tuple[int | None, int]]


def number(field: bytes) -> int | None:
    """A numeric field: octal digits or GNU base-256; None where it is neither."""
    if field and field[0] in (0x80, 0xFF):
        value = int.from_bytes(field, "big", signed=False)
        return value - (1 << (8 * len(field))) if field[0] == 0xFF else value - (0x80 << (8 * (len(field) - 1)))
    text = field.split(b"\0", 1)[0].strip(b" ")
    if not text:
        return 0
    return int(text, 8) if not text.strip(b"01234567") else None


def pax(data: bytes) -> dict[str, bytes]:
    """The records of a pax extended header: `length key=value\\n`; what does not parse ends them."""
    found: dict[str, bytes] = {}
    at = 0
    sparse: list[bytes] = []
    while at < len(data):
        space = data.find(b" ", at, at + 20)
        if space < 0 or not data[at:space].isdigit():
            break
        end = at + int(data[at:space])
        key, equals, value = data[space + 1 : end - 1].partition(b"=")
        if not equals or end <= space or end > len(data):
            break
        name = key.decode("utf-8", "backslashreplace")
        if name in ("GNU.sparse.offset", "GNU.sparse.numbytes"):  # format 0.0 repeats them in order
            sparse.append(value)
        else:
            found[name] = value
        at = end
    if sparse:
        found.setdefault("GNU.sparse.map", b",".join(sparse))
    return found


class TarStore(ArchiveStore):
    """The members of a tar archive, in order; a damaged header is skipped to the next whose checksum holds."""

    format = "tar"

    def entries(self) -> Iterator[Entry | Gap]:
        """Every member; Gap where headers are damaged or the archive ends early."""
        at, count, good = 0, 0, False
        extra: dict[str, bytes] = {}
        common: dict[str, bytes] = {}
        while at < self.archive.size:
            head = self.bytes_at(at, BLOCK)
            if len(head) < BLOCK:
                yield Gap(f"{self.archive.path}: the archive ends inside a header", at, "truncated")
                return
            if not head.strip(b"\0"):
                more, at = self._after_zeros(at)
                if not more:
                    return
                continue
            size = number(head[124:136])
            if not tar_checksum(head) or size is None or size < 0:
                reason = "a damaged header" if good else "no tar header"
                found = self._resync(at + BLOCK)
                yield Gap(
                    f"{self.archive.path}: {reason} at {at}" + ("" if found is None else f", going on at {found}"), at
                )
                if found is None:
                    return
                at, extra = found, {}
                continue
            good = True
            kind = head[156:157]
            body = at + BLOCK
            if kind in b"xgXLK":
                if size > HEADER_LIMIT:
                    yield Gap(f"{self.archive.path}: extended header of {size} bytes left out", at, "too_large")
                else:
                    self._extend(kind, self.bytes_at(body, size), extra, common)
                at = body + -(-size // BLOCK) * BLOCK
                continue
            merged = {**common, **extra}
            extra = {}
            entry, at, caveat = self._entry(head, body, size, merged, count)
            count += 1
            if count > self.limits.max_members:
                yield Gap(f"{self.archive.path}: more than {self.limits.max_members} members", at, "too_large")
                return
            if entry is not None:
                yield entry
            if caveat:
                yield Gap(f"{self.archive.path}: {caveat}", body, "truncated")
        if good and extra:
            yield Gap(f"{self.archive.path}: the archive ends after an extended header", at, "truncated")

    def _after_zeros(self, at: int) -> tuple[bool, int]:
        """Past zero blocks: appended archives may follow the end mark; (whether a header follows, where)."""
        while at < self.archive.size:
            piece = self.bytes_at(at, 64 * 1024)
            if not piece:
                break
            rest = piece.lstrip(b"\0")
            if rest:
                at += (len(piece) - len(rest)) // BLOCK * BLOCK
                return tar_checksum(self.bytes_at(at, BLOCK)), at
            at += len(piece)
        return False, at

    def _resync(self, at: int) -> int | None:
        """The next block with a header whose checksum holds."""
        while at < self.archive.size:
            piece = self.bytes_at(at, 256 * BLOCK)
            if not piece:
                return None
            for offset in range(0, len(piece) - BLOCK + 1, BLOCK):
                # the magic spares most checksums; v7 archives have none and end at the damage
                if piece[offset + 257 : offset + 262] == b"ustar" and tar_checksum(piece[offset : offset + BLOCK]):
                    return at + offset
            at += max(BLOCK, len(piece) // BLOCK * BLOCK)
        return None

    @staticmethod
    def _extend(kind: bytes, data: bytes, extra: dict[str, bytes], common: dict[str, bytes]) -> None:
        if kind == b"L":
            extra["path"] = data.split(b"\0", 1)[0]
        elif kind == b"K":
            extra["linkpath"] = data.split(b"\0", 1)[0]
        else:
            (common if kind == b"g" else extra).update(pax(data))

    def _entry(
        self, head: bytes, body: int, size: int, extra: dict[str, bytes], count: int
    ) -> tuple[Entry | None, int, str]:
        """The member, the offset of the next header, and what is wrong with it."""
        name = head[:100].split(b"\0", 1)[0]
        if head[257:263] == b"ustar\0" and (prefix := head[345:500].split(b"\0", 1)[0]):
            name = prefix + b"/" + name
        name = extra.get("GNU.sparse.name") or extra.get("path") or name
        stated = extra.get("size", b"")
        if stated:
            if not stated.isdigit() or len(stated) > 20:
                written = stated[:40].decode("ascii", "backslashreplace")
                return None, self.archive.size, f"a member states its size as {written!r}"
            size = int(stated)
        code = head[156:157]
        kind = KINDS.get(code, "file")
        if kind == "file" and name.endswith(b"/") and code == b"\0":
            kind = "directory"  # v7 has no type for folders
        stored = size if kind == "file" or code not in KINDS else 0
        following = body + -(-stored // BLOCK) * BLOCK
        where = place(name, self.limits)
        attributes = {**where.attributes(), **self._attributes(head, extra, code)}
        segments, problem, following = self._sparse(head, extra, body, stored, following)
        if segments is not None:
            attributes["sparse"] = True
        link = None
        if kind == "link":
            link = target(extra.get("linkpath") or head[157:257].split(b"\0", 1)[0])
            attributes["link"] = "hard" if code == b"1" else "symbolic"
        if kind == "file" and following > self.archive.size + BLOCK - 1 and body + stored > self.archive.size:
            problem = (
                problem or f"{where.path}: {stored} bytes declared, the archive ends after {self.archive.size - body}"
            )
            attributes["complete"] = False
        shown_size = self.declared(stored if segments is None else sum(length for _, length in segments), attributes)
        ref: dict[str, Any] = {
            "offset": body,
            "length": shown_size if segments is None else stored,
            "header": body - BLOCK,
        }
        if segments is not None:
            ref["segments"] = segments
        entry = Entry(
            self.join(where.path), where.name, kind, shown_size if kind == "file" else 0, str(count), link_target=link,
            path_raw=where.raw, attributes=attributes, times=self._times(head, extra), ref=ref,
        )  # fmt: skip
        return entry, following, problem

    @staticmethod
    def _attributes(head: bytes, extra: dict[str, bytes], code: bytes) -> dict[str, Any]:
        mode, uid, gid = number(head[100:108]), number(head[108:116]), number(head[116:124])
        found: dict[str, Any] = {"mode": None if mode is None else f"{mode & 0o7777:04o}", "uid": uid, "gid": gid}
        if head[257:262] == b"ustar":
            for field, raw in (("user", head[265:297]), ("group", head[297:329])):
                found[field] = part(raw.split(b"\0", 1)[0])[0]
        for field, key in (
            ("user", "uname"),
            ("group", "gname"),
            ("uid", "uid"),
            ("gid", "gid"),
            ("comment", "comment"),
        ):
            value = extra.get(key)
            if value:
                found[field] = (
                    int(value) if value.isdigit() and len(value) < 20 and field.endswith("id") else part(value)[0]
                )
        for key, value in extra.items():
            if key.startswith(("SCHILY.", "LIBARCHIVE.", "APPLE.")) and len(value) <= 1024:
                found[key] = part(value.replace(b"/", b"\0"))[0].replace("\\x00", "/")
        if code not in KINDS:
            found["type"] = part(code)[0]
        return {name: value for name, value in found.items() if value not in (None, "")}

    @staticmethod
    def _times(head: bytes, extra: dict[str, bytes]) -> dict[str, Time]:
        found: dict[str, Time] = {}
        seconds = number(head[136:148])
        modified = times.posix(seconds, owner="collector") if seconds and abs(seconds) < 1 << 40 else None
        if modified:
            found["modified"] = modified
        for field, key in (
            ("modified", "mtime"), ("accessed", "atime"), ("changed", "ctime"), ("created", "LIBARCHIVE.creationtime"),
        ):  # fmt: skip
            whole, dot, fraction = extra.get(key, b"").partition(b".")
            digits = whole.removeprefix(b"-")
            if not digits.isdigit() or len(digits) > 12 or (dot and not fraction.isdigit()):
                continue
            nano = int(fraction[:9].ljust(9, b"0")) if fraction else 0
            total = int(whole) * 10**9 + (nano if not whole.startswith(b"-") else -nano)
            time = (
                times.posix(total, owner="collector", unit="ns")
                if fraction
                else times.posix(int(whole), owner="collector")
            )
            if time:
                found[field] = time
        return found

    def _sparse(
        self, head: bytes, extra: dict[str, bytes], body: int, stored: int, following: int
    ) -> tuple[Segments | None, str, int]:
        """The segments of a sparse member (offset or None, bytes), what is wrong, and the next header's offset."""
        numbers: list[int] = []
        real: int | None = None
        if head[156:157] == b"S":
            real = number(head[483:495])
            block, at = head[386:482], 0
            more = head[482]
            while True:
                for at in range(0, len(block) - 23, 24):
                    offset, length = number(block[at : at + 12]), number(block[at + 12 : at + 24])
                    if offset is None or length is None or not block[at : at + 12].strip(b"\0"):
                        break
                    numbers += [offset, length]
                if not more or len(numbers) > 2 * SEGMENTS:
                    break
                header = self.bytes_at(body, BLOCK)
                if len(header) < BLOCK:
                    return None, "a sparse map is cut off", following
                block, more = header[:504], header[504]
                body += BLOCK
            following = body + -(-stored // BLOCK) * BLOCK
        elif extra.get("GNU.sparse.major") == b"1":
            listed, used = self._listed(body, stored)
            numbers = listed
            body, stored = body + used, max(0, stored - used)
            real = int(extra["GNU.sparse.realsize"]) if extra.get("GNU.sparse.realsize", b"").isdigit() else None
        elif "GNU.sparse.map" in extra:
            fields = extra["GNU.sparse.map"].split(b",")
            numbers = [int(field) for field in fields if field.isdigit() and len(field) < 20]
            size = extra.get("GNU.sparse.size", extra.get("GNU.sparse.realsize", b""))
            real = int(size) if size.isdigit() and len(size) < 20 else None
        else:
            return None, "", following
        if real is None or real < 0 or len(numbers) % 2 or len(numbers) > 2 * SEGMENTS:
            return None, "a sparse map is damaged", following
        segments: Segments = []
        at = 0
        for offset, length in zip(numbers[::2], numbers[1::2], strict=True):
            if offset < at or length < 0 or offset + length > real or length > stored:
                return None, "a sparse map is damaged", following
            if offset > at:
                segments.append((None, offset - at))
            if length:
                segments.append((body, length))
            body, stored, at = body + length, stored - length, offset + length
        if real > at:
            segments.append((None, real - at))
        return segments, "", following

    def _listed(self, body: int, stored: int) -> tuple[list[int], int]:
        """The map of sparse format 1.0: decimal numbers, one a line, in whole blocks before the content."""
        text = self.bytes_at(body, min(stored, 64 * BLOCK))
        end = text.find(b"\n")
        if end < 1 or not text[:end].isdigit() or end > 8 or int(text[:end]) > SEGMENTS:
            return [0], 0
        wanted = 2 * int(text[:end]) + 1
        text = self.bytes_at(body, min(stored, wanted * 20 + BLOCK))
        lines = text.split(b"\n", wanted)[:wanted]
        if len(lines) < wanted or not all(line.isdigit() and len(line) < 20 for line in lines):
            return [0], 0
        used = sum(len(line) + 1 for line in lines)
        return [int(line) for line in lines[1:]], -(-used // BLOCK) * BLOCK

    def open_entry(self, entry: Entry) -> BinaryIO:
        """A window on the archive's bytes."""
        if entry.kind != "file":
            raise ParseError(entry.path, None, f"a {entry.kind} has no content to read", "unsupported")
        self.refuse(entry)
        if "segments" in entry.ref:
            self.allowance(entry, int(entry.ref["length"]))(entry.size)  # holes cost nothing here, reading them does
        segments = entry.ref.get("segments") or [(entry.ref["offset"], entry.ref["length"])]
        return buffered(Window(entry.path, self.handle, [(start, length) for start, length in segments], self))
