"""Outlook Express folders (.dbx): a tree of message infos, each pointing to a chain of 512-byte segments.

Source: A. Schloh's description of the format with his oedbx library (header fields 0xC4 and 0xE4, index nodes, info objects,
segments). Not documented by Microsoft.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from typing import Any

from wigmore.formats.mail import MailReader, Message, short
from wigmore.formats.mail_mime import read_message
from wigmore.model import times
from wigmore.model.protocols import EvidenceFile, Gap, ParseError

ROOT, COUNT = 0xE4, 0xC4
MESSAGES = 1_000_000
LARGEST = 256 * 1024 * 1024
NODE = 24
TEXTS = {0x0B: "server", 0x1A: "account", 0x1B: "account_key"}
# index of an info value: its FILETIME
STAMPS = {0x02: "saved_at", 0x12: "received_at"}
FLAGS = {0x80: "read", 0x20000: "flagged", 0x80000: "replied", 0x100000: "forwarded"}


class DbxReader(MailReader):
    """The messages of one folder, in the order of its index."""

    form = "dbx"

    def __init__(self, file: EvidenceFile) -> None:
        super().__init__(file)
        self.stream = file.open()
        self._stated = 0
        self._read = 0

    def close(self) -> None:
        """Give the handle back."""
        self.stream.close()

    def summary(self) -> dict[str, Any]:
        """How many messages the header states."""
        return {"stated_messages": self._stated}

    def _at(self, offset: int, length: int) -> bytes:
        if not 0 <= offset < self.file.size:
            return b""
        self.stream.seek(offset)
        return self.stream.read(length)

    def messages(self) -> Iterator[Message | Gap]:
        """Every message that the index names."""
        head = self._at(0, 0x100)
        if len(head) < 0xE8:
            raise ParseError(self.file.path, 0, "the header is cut off", "truncated")
        self._stated = int.from_bytes(head[COUNT : COUNT + 4], "little")
        number = 0
        for info in self._infos(int.from_bytes(head[ROOT : ROOT + 4], "little")):
            if isinstance(info, Gap):
                yield info
                continue
            number += 1
            if number > MESSAGES:
                yield Gap(f"more than {MESSAGES} messages", info, "too_large")
                return
            yield self._message(info, number)
        if number != self._stated:
            yield Gap(f"{self._stated} messages are stated, {number} were found", COUNT)

    def _infos(self, root: int) -> Iterator[int | Gap]:
        """Offsets of the info objects, children before the entry they stand with."""
        seen: set[int] = set()
        todo: list[tuple[int, bool]] = [(root, True)]
        while todo:
            offset, node = todo.pop()
            if not node:
                yield offset
                continue
            if not offset:
                continue
            head = self._at(offset, NODE)
            if offset in seen or len(head) < NODE or int.from_bytes(head[:4], "little") != offset:
                yield Gap("a node of the index is damaged or met twice", offset)
                continue
            seen.add(offset)
            count = head[0x11]
            entries = self._at(offset + NODE, 12 * count)
            order: list[tuple[int, bool]] = [(int.from_bytes(head[8:12], "little"), True)]
            for value, child, _ in struct.iter_unpack("<3I", entries[: len(entries) // 12 * 12]):
                order += [(value, False), (child, True)]
            todo.extend(reversed(order))

    def _message(self, at: int, number: int) -> Message:
        gaps: list[Gap] = []
        values = self._info(at, gaps)
        raw = self._segments(values.get(0x04, (0, b""))[0], gaps)
        message = read_message(io.BytesIO(raw), 0, len(raw), self.file.path)
        message.gaps.extend(gaps)
        for key, name in TEXTS.items():
            if key in values and values[key][1]:
                message.data[name] = short(values[key][1].split(b"\0")[0].decode("cp1252", "replace"), 300)
        for key, name in STAMPS.items():
            if key in values and (time := times.filetime(int.from_bytes(values[key][1][:8], "little"))):
                message.times[name] = time
        if 0x01 in values:
            message.data["flags"] = [text for bit, text in FLAGS.items() if values[0x01][0] & bit]
        message.data["number"] = number
        message.time_field = message.time_field or next((n for n in STAMPS.values() if n in message.times), None)
        message.locator = {"kind": "offset", "number": number, "offset": at}
        message.ref = {"info": at, "number": number}
        message.label = f"message-{number:04}"
        return message

    def _info(self, at: int, gaps: list[Gap]) -> dict[int, tuple[int, bytes]]:
        """The values of an info object: (as a number, the bytes from there)."""
        head = self._at(at, 12)
        if len(head) < 12 or int.from_bytes(head[:4], "little") != at:
            gaps.append(Gap("a message's info object is damaged", at))
            return {}
        length, count = int.from_bytes(head[4:8], "little"), head[10]
        body = self._at(at + 12, min(length, 1024 * 1024))
        area = body[4 * count :]
        out: dict[int, tuple[int, bytes]] = {}
        for place in range(0, min(4 * count, len(body) - 3), 4):
            name, value = body[place], int.from_bytes(body[place + 1 : place + 4], "little")
            if name & 0x80:
                out[name & 0x7F] = value, b""
            else:
                found = area[value : value + 1024]
                out[name] = int.from_bytes(found[:4], "little"), found
        return out

    def _segments(self, at: int, gaps: list[Gap]) -> bytes:
        pieces: list[bytes] = []
        seen: set[int] = set()
        size = 0
        if not at:
            gaps.append(Gap("a message without content: its header alone was fetched", None, "not_in_acquisition"))
        while at:
            head = self._at(at, 16)
            if at in seen or len(head) < 16 or int.from_bytes(head[:4], "little") != at:
                gaps.append(Gap("a message's content is cut off: the next segment is damaged", at))
                break
            seen.add(at)
            if self._read > 4 * self.file.size + LARGEST:
                gaps.append(Gap("messages share content many times over: no more of it is read", at, "too_large"))
                break
            used = int.from_bytes(head[8:10], "little")
            pieces.append(self._at(at + 16, used))
            size += used
            self._read += used
            if size > LARGEST:
                gaps.append(Gap(f"a message of more than {LARGEST} bytes is not read in full", at, "too_large"))
                break
            at = int.from_bytes(head[12:16], "little")
        return b"".join(pieces)

    def find(self, ref: dict[str, Any]) -> Message:
        """The message of that info object."""
        return self._message(int(ref["info"]), int(ref["number"]))
