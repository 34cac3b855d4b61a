"""Files of mail in transfer form: mbox (also Thunderbird's folders), maildir messages, Apple .emlx.

Sources: RFC 4155 (application/mbox), mbox(5); maildir(5) (flags after `:2,`); Apple Mail's .emlx as its files show it (a
byte count, the message, a property list). Quoted `>From ` lines stay as they are stored.
"""

from __future__ import annotations

import plistlib
import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any, BinaryIO
from xml.parsers.expat import ExpatError

from wigmore.formats.mail import Message, short
from wigmore.formats.mail_mime import MimeReader, read_message
from wigmore.model import times
from wigmore.model.protocols import Gap, ParseError
from wigmore.model.times import Time

BLOCK = 1024 * 1024
AHEAD = 1024
MARK = b"\nFrom "
SEPARATOR = re.compile(
    rb"From ([^\r\n]{0,250}?)[ \t]*(?:\b((?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)\b[^\r\n]{0,60}\d{4}[^\r\n]{0,20}))?\r?$"
)
DATED = re.compile(rb"From [^\r\n]{0,200}?(?:\d\d:\d\d|\b\d{4})[^\r\n]{0,40}\r?$")
OFFSET = re.compile(r"[+-]\d{4}$")
FIELD_LINE = re.compile(rb"[!-9;-~]{1,80}[ \t]*:|>From ")
MAILDIR = {"P": "passed on", "R": "replied", "S": "seen", "T": "trashed", "D": "draft", "F": "flagged"}
MAILDIR_NAME = re.compile(r"(?:^|/)(cur|new|tmp)/[^/]*?(?:[:;!]2,([A-Za-z]*))?$")
EMLX_FLAGS = (
    "read",
    "deleted",
    "answered",
    "encrypted",
    "flagged",
    "recent",
    "draft",
    "initial",
    "forwarded",
    "redirected",
)


def separators(stream: BinaryIO, size: int) -> Iterator[tuple[int, bytes]]:
    """Where the messages of an mbox begin: (offset, the `From ` line), in order."""
    stream.seek(0)
    text, base, at = b"\n", -1, 0  # a line end is imagined before the file, so that its first line is found like others
    while True:
        block = stream.read(BLOCK)
        text += block
        limit = len(text) - AHEAD if block else len(text)  # a mark's own line and the next one are seen whole
        while (found := text.find(MARK, at, max(at, limit))) >= 0:
            line, _, follows = text[found + 1 : found + 1 + AHEAD].partition(b"\n")
            blank = base + found < 0 or text[found - 1 : found] == b"\n" or text[found - 2 : found] == b"\n\r"
            if base + found < 0 or (DATED.match(line) and (blank or FIELD_LINE.match(follows))):
                yield base + found + 1, line.rstrip(b"\r")
            at = found + 1
        if not block:
            return
        drop = max(0, max(at, limit - len(MARK)) - 2)
        text, base, at = text[drop:], base + drop, max(at, limit - len(MARK)) - drop


def envelope(line: bytes) -> tuple[dict[str, Any], dict[str, Time]]:
    """What the separating line says: the envelope's sender, and a time without a zone."""
    match = SEPARATOR.match(line)
    if match is None:
        return {"envelope": short(line.decode("utf-8", "replace"), 300)}, {}
    data: dict[str, Any] = {"envelope_sender": short(match.group(1).decode("utf-8", "replace").strip(), 300)}
    stamp = (match.group(2) or b"").decode("ascii", "replace").strip()
    words = stamp.split()
    zone = next((word for word in words[4:6] if OFFSET.match(word)), "")
    text = " ".join(word for word in words[:6] if (word != zone and not word.isalpha()) or word in words[:2])
    try:
        moment = datetime.strptime(
            f"{text} {zone}".strip(), "%a %b %d %H:%M:%S %Y %z" if zone else "%a %b %d %H:%M:%S %Y"
        )
    except ValueError:
        moment = None
    if moment is not None and zone:
        return data, {"envelope_date": times.aware(moment, stamp, "server", "offset in the separating line")}
    if moment is not None:
        return data, {"envelope_date": times.local(moment, stamp, "server", "no zone in the separating line")}
    if stamp:
        data["envelope_date_text"] = short(stamp, 100)
    return data, {}


class MboxReader(MimeReader):
    """The messages of an mbox."""

    form = "mbox"
    single = False

    def messages(self) -> Iterator[Message | Gap]:
        """Every message, in order."""
        number = 0
        previous: tuple[int, bytes] | None = None
        with self.file.open() as scan:
            for found in separators(scan, self.file.size):
                if previous is not None:
                    number += 1
                    yield self._message(number, previous[0], found[0], previous[1])
                previous = found
        if previous is not None:
            yield self._message(number + 1, previous[0], self.file.size, previous[1])

    def _message(self, number: int, start: int, end: int, line: bytes) -> Message:
        self.stream.seek(max(start, end - 2))
        tail = self.stream.read(min(2, end - start))
        body_end = end - (2 if tail == b"\r\n" else 1 if tail[-1:] == b"\n" else 0) if end < self.file.size else end
        self.stream.seek(start)
        begin = start + len(self.stream.readline(min(64 * 1024, end - start)))
        message = read_message(self.stream, begin, max(begin, body_end), self.file.path)
        data, stamps = envelope(line)
        message.data = {**data, **message.data, "number": number}
        message.times.update(stamps)
        message.time_field = message.time_field or next(iter(stamps), None)
        message.label = f"message-{number:04}"
        message.locator = {"kind": "offset", "number": number, "offset": start, "length": end - start}
        message.ref = {"offset": start, "length": end - start, "number": number}
        return message

    def find(self, ref: dict[str, Any]) -> Message:
        """The message at that place."""
        start, length = int(ref["offset"]), int(ref["length"])
        self.stream.seek(start)
        line = self.stream.readline(1000).rstrip(b"\r\n")
        if not line.startswith(b"From "):
            raise ParseError(self.file.path, start, "no message begins here", "damaged")
        return self._message(int(ref["number"]), start, start + length, line)


class EmlReader(MimeReader):
    """One message a file, with the flags that a maildir has in its names."""

    def messages(self) -> Iterator[Message | Gap]:
        """The one message."""
        start = self._start()
        message = read_message(self.stream, start, self.file.size, self.file.path)
        match = MAILDIR_NAME.search(self.file.path)
        if match:
            message.data["maildir"] = match.group(1)
            if match.group(2):
                message.data["flags"] = [MAILDIR.get(letter, letter) for letter in match.group(2)]
        yield message

    def _start(self) -> int:
        self.stream.seek(0)
        head = self.stream.read(4096)
        text = head.removeprefix(b"\xef\xbb\xbf")
        return len(head) - len(text.lstrip(b"\r\n \t")) if text.lstrip(b"\r\n \t") else 0


class EmlxReader(MimeReader):
    """One message of Apple Mail with its property list."""

    form = "emlx"

    def messages(self) -> Iterator[Message | Gap]:
        """The one message."""
        self.stream.seek(0)
        line = self.stream.readline(64)
        count = int(line.strip()) if line.strip().isdigit() else 0
        start, end = len(line), len(line) + count
        gaps = []
        if end > self.file.size:
            gaps.append(Gap(f"{count} bytes are stated, {self.file.size - start} are there", 0, "truncated"))
            end = self.file.size
        message = read_message(self.stream, start, end, self.file.path)
        message.gaps.extend(gaps)
        if end < self.file.size:
            self.stream.seek(end)
            self._properties(self.stream.read(1024 * 1024), end, message)
        yield message

    @staticmethod
    def _properties(raw: bytes, at: int, message: Message) -> None:
        try:
            found = plistlib.loads(raw.strip(), fmt=plistlib.FMT_XML)
        except (
            ValueError,
            ExpatError,
            plistlib.InvalidFileException,
            TypeError,
            AttributeError,
            LookupError,
        ) as error:
            message.gaps.append(Gap(f"the property list after the message is damaged: {error}"[:200], at))
            return
        if not isinstance(found, dict):
            return
        flags = found.get("flags")
        if isinstance(flags, int):
            message.data["apple_flags"] = flags
            message.data["flags"] = [name for bit, name in enumerate(EMLX_FLAGS) if flags >> bit & 1]
        for key, name in (
            ("remote-id", "remote_id"),
            ("original-mailbox", "original_mailbox"),
            ("conversation-id", "conversation_id"),
        ):
            if isinstance(found.get(key), str | int):
                message.data[name] = short(str(found[key]), 500)
        for key, name in (
            ("date-received", "received_at"),
            ("date-last-viewed", "last_viewed"),
            ("date-sent", "sent_at"),
        ):
            value = found.get(key)
            if isinstance(value, int | float) and abs(value) < 2**40 and (time := times.posix(int(value), "host")):
                message.times[name] = time
        message.time_field = message.time_field or next(
            (n for n in ("sent_at", "received_at") if n in message.times), None
        )
