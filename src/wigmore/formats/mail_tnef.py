"""TNEF (winmail.dat): attributes of a message and its attachments, with MAPI properties inside.

Sources: MS-OXTNEF 2.1 (stream of attributes), 2.1.3.2 and 2.1.3.3 (message and attachment attributes), 2.1.3.4
(encapsulated properties).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from datetime import datetime
from functools import partial
from typing import BinaryIO

from wigmore.formats.mail import ATTACHMENTS, DEPTH, Attachment, MailReader, Message, plain_name, short
from wigmore.formats.mail_encodings import window
from wigmore.formats.mail_mapi import FIXED_SIZES, Properties, attachment_data, item_data, item_kind
from wigmore.formats.mail_rtf import codepage
from wigmore.model import times
from wigmore.model.protocols import EvidenceFile, Gap, ParseError
from wigmore.model.times import Time

SUBJECT, BODY, MESSAGE_ID, CLASS = 0x18004, 0x2800C, 0x18009, 0x78008
SENT, RECEIVED, MODIFIED = 0x38005, 0x38006, 0x38020
PROPERTIES, RECIPIENTS, CODEPAGE = 0x69003, 0x69004, 0x69007
RENDER, DATA, TITLE, CREATED, CHANGED, ATTACHMENT = 0x69002, 0x6800F, 0x18010, 0x38012, 0x38013, 0x69005
HELD = 16 * 1024 * 1024  # bytes of an attribute that is held


class TnefReader(MailReader):
    """The message of a TNEF stream with its attachments, then messages inside."""

    form = "tnef"
    single = True

    def __init__(self, file: EvidenceFile) -> None:
        super().__init__(file)
        self.stream: BinaryIO = file.open()

    def close(self) -> None:
        """Give the handle back."""
        self.stream.close()

    def messages(self) -> Iterator[Message | Gap]:
        """The message, then those inside it."""
        yield from self._stream(0, self.file.size, "", 0)

    def _attributes(self, start: int, end: int, gaps: list[Gap]) -> Iterator[tuple[int, int, int]]:
        """(id with type, offset, length) of each attribute."""
        at = start + 6
        while at < end:
            self.stream.seek(at)
            head = self.stream.read(9)
            if len(head) < 9 or at + 9 > end:
                if end - at > 3:
                    gaps.append(Gap("the stream ends inside an attribute", at, "truncated"))
                return
            level, name, length = struct.unpack("<BII", head)
            if level not in (1, 2):
                gaps.append(Gap(f"an attribute of level {level}: the rest is not read", at))
                return
            if at + 9 + length > end:
                gaps.append(Gap("the stream ends inside an attribute", at, "truncated"))
                yield name, at + 9, end - at - 9
                return
            yield name, at + 9, length
            at += 9 + length + 2

    def _raw(self, at: int, length: int) -> bytes:
        self.stream.seek(at)
        return self.stream.read(min(length, HELD))

    def _stream(self, start: int, end: int, label: str, depth: int) -> Iterator[Message | Gap]:
        self.stream.seek(start)
        if self.stream.read(4) != b"\x78\x9f\x3e\x22":
            raise ParseError(self.file.path, start, "no TNEF signature", "damaged")
        gaps: list[Gap] = []
        properties, recipients = Properties(), list[Properties]()
        own: dict[str, Time] = {}
        inside: list[tuple[int, int, str]] = []
        parts: list[tuple[Properties, dict[str, Time], tuple[int, int] | None, bytes]] = []
        for name, at, length in self._attributes(start, end, gaps):
            if name == CODEPAGE and length >= 4:
                properties.codepage = codepage(int.from_bytes(self._raw(at, 4), "little")) or properties.codepage
            elif name in (SUBJECT, BODY, MESSAGE_ID, CLASS):
                tag = {SUBJECT: 0x37, BODY: 0x1000, MESSAGE_ID: 0, CLASS: 0x1A}[name]
                if tag:
                    properties.values.setdefault(tag, (0x1E, self._raw(at, length)))
            elif name in (SENT, RECEIVED, MODIFIED):
                key = {SENT: "sent", RECEIVED: "received", MODIFIED: "changed"}[name]
                if time := _date(self._raw(at, 14)):
                    own[key] = time
            elif name == PROPERTIES:
                found, _ = self._properties(at, at + length, gaps)
                properties.values.update(found.values)
            elif name == RECIPIENTS and length >= 4:
                count, place = int.from_bytes(self._raw(at, 4), "little"), at + 4
                while count > 0 and place < at + length and len(recipients) < 500:
                    one, place = self._properties(place, at + length, gaps)
                    recipients.append(one)
                    count -= 1
            elif name == RENDER:
                if len(parts) >= ATTACHMENTS:
                    gaps.append(Gap(f"more than {ATTACHMENTS} attachments", at, "too_large"))
                    break
                parts.append((Properties(), {}, None, b""))
            elif parts:
                one, dates, place_of, title = parts[-1]
                if name == DATA:
                    place_of = at, length
                elif name == TITLE:
                    title = self._raw(at, min(length, 1000)).rstrip(b"\0")
                elif name in (CREATED, CHANGED) and (time := _date(self._raw(at, 14))):
                    dates["created" if name == CREATED else "modified"] = time
                elif name == ATTACHMENT:
                    one, _ = self._properties(at, at + length, gaps)
                    if 0x3701 in one.places:
                        place_of = one.places[0x3701]
                parts[-1] = one, dates, place_of, title
        properties.settle()
        data, stamps, dated, extra = item_data(properties, recipients)
        stamps = {**own, **stamps}
        dated = dated or next(iter(own), None)
        attachments: list[Attachment] = []
        for number, (one, dates, place_of, title) in enumerate(parts):
            one.codepage = properties.codepage
            written, kind, fields, more = attachment_data(one)
            written = written or title.decode(properties.codepage, "replace")
            plain = plain_name(written, f"attachment-{number + 1:02}.bin")
            if place_of is None:
                data.setdefault("attachments_not_inside", []).append({"name": written, **fields})
                continue
            at, length = place_of
            if self._raw(at, 20)[16:20] == b"\x78\x9f\x3e\x22":  # an embedded message follows its interface id
                inside.append((at + 16, at + length, f"embedded-{number + 1:02}"))
                data.setdefault("embedded_messages", []).append(written or plain)
                continue
            if written != plain and written:
                fields["name_in_mail"] = short(written, 500)
            attachments.append(
                Attachment(plain, kind, partial(self._window, at, at + length), fields, {**dates, **more})
            )
        ref = {"offset": start, "length": end - start}
        yield Message(
            {"kind": "offset", **ref}, data, stamps, dated, [*attachments, *extra], ref, label,
            item_kind(data.get("message_class", "IPM.Note").replace("IPM.Microsoft Mail.", "IPM.")), gaps=gaps,
        )  # fmt: skip
        for begin, stop, below in inside:
            if depth >= DEPTH:
                yield Gap(f"messages are nested deeper than {DEPTH}", begin, "depth")
                return
            yield from self._stream(begin, stop, f"{label}/{below}" if label else below, depth + 1)

    def _window(self, start: int, end: int) -> Iterator[bytes]:
        return window(self.stream, start, end)

    def _properties(self, at: int, end: int, gaps: list[Gap]) -> tuple[Properties, int]:
        """A list of encapsulated properties that begins at `at`, and where it ends (MS-OXTNEF 2.1.3.4)."""
        out = Properties()
        count = int.from_bytes(self._raw(at, 4), "little")
        at += 4
        for _ in range(min(count, 5_000)):
            head = self._raw(at, 4)
            if len(head) < 4 or at + 4 > end:
                gaps.append(Gap("a list of properties ends early", at, "truncated"))
                return out, end
            kind, tag = struct.unpack("<HH", head)
            at += 4
            if tag >= 0x8000:  # a named one: GUID, then an id or a name
                head = self._raw(at, 24)
                if len(head) < 24:
                    return out, end
                length = int.from_bytes(head[20:24], "little")
                at += 24 if head[16:20] == b"\0\0\0\0" else 24 + (length + 3 & ~3)
            several, kind = bool(kind & 0x1000), kind & 0xFFF
            if kind in FIXED_SIZES:
                size = max(4, FIXED_SIZES[kind])
                values = int.from_bytes(self._raw(at, 4), "little") if several else 1
                at += 4 if several else 0
                if not several:
                    out.values[tag] = kind, self._raw(at, size)
                at += size * values
                continue
            values = int.from_bytes(self._raw(at, 4), "little")
            at += 4
            for _ in range(min(values, 10_000)):
                length = int.from_bytes(self._raw(at, 4), "little")
                if at + 4 + length > end:
                    gaps.append(Gap("a property reaches past its list", at, "truncated"))
                    return out, end
                if tag == 0x3701:
                    out.places[tag] = at + 4, length
                elif not several:
                    out.values[tag] = kind, self._raw(at + 4, length)
                at += 4 + (length + 3 & ~3)
        return out, at


def _date(raw: bytes) -> Time | None:
    """A DTR structure (MS-OXTNEF 2.1.3.3.2): local time of the writer, no zone."""
    if len(raw) < 12:
        return None
    try:
        return times.local(
            datetime(*struct.unpack_from("<6H", raw)), raw[:14].hex(), "author", "TNEF dates have no zone"
        )
    except ValueError:
        return None
