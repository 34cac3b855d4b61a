"""Internet messages in their transfer form: the tree of parts by offsets, content decoded on demand.

Sources: RFC 5322, RFC 2045 and 2046 (MIME), RFC 2183 (Content-Disposition), POSIX uuencode. A message inside a message
(message/rfc822) is an attachment: it is opened as a file of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any, BinaryIO

from wigmore.formats.mail import BODY_BYTES, Attachment, Chunks, MailReader, Message, plain_name, put_body, short
from wigmore.formats.mail_encodings import LINE, base64_chunks, quoted_chunks, uu_chunks, window
from wigmore.formats.mail_headers import Headers, date, decoded, first, header_data, parameters, parse_headers, raw_text
from wigmore.model.canonical import sha256
from wigmore.model.protocols import Gap, ParseError

HEADER_BYTES = 1024 * 1024
PARTS = 5_000
NESTED = 40
UU_BEGIN = re.compile(rb"begin (?:[0-7]{3,4}) ([^\r\n]{1,250})\r?\n?$")
UU_LINE = re.compile(rb"[\x20-\x60]{1,100}\r?\n?$")
ENDINGS = {
    "text/plain": ".txt", "text/html": ".html", "message/rfc822": ".eml", "text/calendar": ".ics", "image/jpeg": ".jpg",
    "image/png": ".png", "image/gif": ".gif", "application/pdf": ".pdf", "application/ms-tnef": ".dat",
    "message/delivery-status": ".txt", "text/rfc822-headers": ".txt", "text/x-vcard": ".vcf", "text/vcard": ".vcf",
}  # fmt: skip


@dataclass
class Part:
    """One part: its header fields, where its content lies, and the parts inside."""

    headers: Headers
    start: int
    end: int = 0
    type: str = "text/plain"
    parameters: dict[str, str] = field(default_factory=dict)
    parts: list[Part] = field(default_factory=list)

    @property
    def encoding(self) -> str:
        """The transfer encoding, lower case."""
        return raw_text(first(self.headers, "content-transfer-encoding")).split(";")[0].strip().lower()[:40]

    def leaves(self) -> Iterator[Part]:
        """The parts that hold content, in order."""
        todo = [self]
        while todo:
            one = todo.pop()
            if one.parts or one.type.startswith("multipart/"):
                todo.extend(reversed(one.parts))
            else:
                yield one


class Lines:
    """The lines of a window of a stream with their offsets; a very long line comes in pieces."""

    def __init__(self, stream: BinaryIO, start: int, end: int) -> None:
        stream.seek(start)
        self.stream, self.at, self.end = stream, start, end
        self.fresh = True  # the next piece begins a line
        self._held: tuple[int, bytes, bool] | None = None

    def next(self) -> tuple[int, bytes, bool] | None:
        """(offset, bytes, whether it begins a line), None at the end."""
        if self._held is not None:
            held, self._held = self._held, None
            return held
        if self.at >= self.end:
            return None
        line = self.stream.readline(min(LINE, self.end - self.at))
        if not line:
            self.at = self.end
            return None
        found = self.at, line, self.fresh
        self.at += len(line)
        self.fresh = line.endswith(b"\n")
        return found

    def back(self, item: tuple[int, bytes, bool]) -> None:
        """Give the last item again."""
        self._held = item


class Walker:
    """Finds the parts of one message."""

    def __init__(self, stream: BinaryIO, start: int, end: int) -> None:
        self.lines = Lines(stream, start, end)
        self.start, self.end = start, end
        self.count = 0
        self.problems: list[tuple[str, int]] = []

    def walk(self) -> Part:
        """The message as a tree of parts."""
        return self._part([], "text/plain", 0)[0]

    def _headers(self, boundaries: list[bytes]) -> tuple[Headers, int]:
        block: list[bytes] = []
        size = 0
        start = self.lines.at
        while (item := self.lines.next()) is not None:
            at, line, fresh = item
            if fresh and line.strip(b"\r\n") == b"":
                return self._parsed(block), at + len(line)
            if fresh and self._closes(line, boundaries) is not None:
                self.lines.back(item)
                return self._parsed(block), at
            if fresh and not size and line[:5] in (b"From ", b">From"):
                start = at + len(line)  # the separator of a mailbox
                continue
            size += len(line)
            if size <= HEADER_BYTES:
                block.append(line)
            elif size - len(line) <= HEADER_BYTES:
                self.problems.append((f"the header is longer than {HEADER_BYTES} bytes; its rest is not read", start))
        return self._parsed(block), self.end

    def _parsed(self, block: list[bytes]) -> Headers:
        return parse_headers(b"".join(block))[0]

    @staticmethod
    def _closes(line: bytes, boundaries: list[bytes]) -> tuple[int, bool] | None:
        """Which of the open boundaries (their index) a line is, and whether the closing one."""
        if line[:2] != b"--":
            return None
        text = line[2:].rstrip()
        for number in range(len(boundaries) - 1, -1, -1):
            if text == boundaries[number]:
                return number, False
            if text == boundaries[number] + b"--":
                return number, True
        return None

    def _part(self, boundaries: list[bytes], default: str, depth: int) -> tuple[Part, tuple[int, bool] | None]:
        self.count += 1
        headers, start = self._headers(boundaries)
        kind, given = parameters(first(headers, "content-type"))
        part = Part(headers, start, start, kind if re.fullmatch(r"[^\s/]+/[^\s/]+", kind) else default, given)
        boundary = given.get("boundary", "").encode("utf-8", "replace").rstrip()
        if part.type.startswith("multipart/") and boundary and depth < NESTED:
            return self._inside(part, [*boundaries, boundary], depth, boundaries)
        end, closed = self._content(start, boundaries)
        part.end = end
        return part, closed

    def _content(self, start: int, boundaries: list[bytes]) -> tuple[int, tuple[int, bool] | None]:
        """The end of content that begins at `start`: before the line end that goes with the boundary."""
        if not boundaries:
            self.lines.at = self.end
            return self.end, None
        ending = 0
        while (item := self.lines.next()) is not None:
            at, line, fresh = item
            if fresh and line[:2] == b"--" and (closed := self._closes(line, boundaries)) is not None:
                return max(start, at - ending), closed
            ending = 2 if line.endswith(b"\r\n") else 1 if line.endswith(b"\n") else 0
        return self.end, None

    def _inside(
        self, part: Part, boundaries: list[bytes], depth: int, outer: list[bytes]
    ) -> tuple[Part, tuple[int, bool] | None]:
        own = len(boundaries) - 1
        part.end, closed = self._content(part.start, boundaries)
        default = "message/rfc822" if part.type == "multipart/digest" else "text/plain"
        while closed is not None and closed == (own, False):
            if self.count >= PARTS:
                self.problems.append((f"more than {PARTS} parts; the rest is not read", self.lines.at))
                self.lines.at = self.end
                return part, None
            child, closed = self._part(boundaries, default, depth + 1)
            part.parts.append(child)
            part.end = child.end
        if closed is None:
            self.problems.append(("the message ends before the closing boundary of a multipart", part.end))
            return part, None
        if closed[0] != own:
            return part, closed  # an outer boundary came first
        if not outer:
            self.lines.at = self.end
            return part, None
        _, closed = self._content(self.lines.at, outer)  # the epilogue
        return part, closed


def content(part: Part, stream: BinaryIO, path: str) -> Chunks:
    """What decodes a part's content, anew with each call."""

    def chunks() -> Iterator[bytes]:
        raw, how = window(stream, part.start, part.end), part.encoding
        if how == "base64":
            return base64_chunks(raw, path)
        if how == "quoted-printable":
            return quoted_chunks(raw)
        if how in ("x-uuencode", "uuencode", "x-uue", "uue"):
            return uu_chunks(raw, path)
        return raw

    return chunks


def beginning(chunks: Chunks, limit: int = BODY_BYTES) -> tuple[bytes, int, str]:
    """The first bytes, the whole length and what was wrong."""
    kept, size, held = [], 0, 0
    try:
        for chunk in chunks():
            size += len(chunk)
            if held < limit:
                kept.append(chunk[: limit - held])
                held += len(kept[-1])
    except ParseError as error:
        return b"".join(kept), size, error.message
    return b"".join(kept), size, ""


def embedded_uu(part: Part, stream: BinaryIO, path: str) -> list[Attachment]:
    """Files that stand uuencoded inside a plain text body."""
    found: list[Attachment] = []
    if part.encoding not in ("", "7bit", "8bit", "binary"):
        return found
    lines = Lines(stream, part.start, part.end)
    while (item := lines.next()) is not None and len(found) < 200:
        at, line, fresh = item
        match = UU_BEGIN.match(line) if fresh and line[:6] == b"begin " else None
        if match is None:
            continue
        end = 0
        while (item := lines.next()) is not None:
            if item[1].rstrip() == b"end":
                end = item[0] + len(item[1])
                break
            if not UU_LINE.match(item[1]):
                break
        if end:
            name = raw_text(match.group(1)).strip()
            chunks = partial(_uu_window, stream, at, end, path)
            data = {"encoding": "uuencode", "disposition": "in the text"}
            found.append(Attachment(plain_name(name, "file.bin"), "application/octet-stream", chunks, data))
            stream.seek(lines.at)
    return found


def _uu_window(stream: BinaryIO, start: int, end: int, path: str) -> Iterator[bytes]:
    return uu_chunks(window(stream, start, end), path)


def part_name(part: Part, number: int, outer: dict[str, str]) -> tuple[str, str]:
    """A part's name as written (empty where it has none) and as a member's name."""
    written = outer.get("filename") or part.parameters.get("name") or ""
    if not written and part.type == "message/rfc822":
        return "", f"message-{number:02}.eml"
    return written, plain_name(written, f"part-{number:02}{ENDINGS.get(part.type, '.bin')}")


def attachment_of(part: Part, number: int, stream: BinaryIO, path: str) -> Attachment:
    """A part as an attachment."""
    disposition, outer = parameters(first(part.headers, "content-disposition"), "content-disposition")
    written, name = part_name(part, number, outer)
    data: dict[str, Any] = {"encoding": part.encoding or "7bit"}
    if disposition:
        data["disposition"] = short(disposition, 100)
    if written and written != name:
        data["name_in_mail"] = short(written, 500)
    if content_id := raw_text(first(part.headers, "content-id")).strip().strip("<>"):
        data["content_id"] = short(content_id, 300)
    if text := raw_text(first(part.headers, "content-description")).strip():
        data["description"] = short(decoded(text), 300)
    if outer.get("size", "").isdigit():
        data["stated_size"] = int(outer["size"][:15])
    stamps = {}
    for key, name_of in (("creation-date", "created"), ("modification-date", "modified"), ("read-date", "accessed")):
        if key in outer and (time := date(outer[key], "author")):
            stamps[name_of] = time
    return Attachment(name, part.type, content(part, stream, path), data, stamps)


def read_message(stream: BinaryIO, start: int, end: int, path: str) -> Message:
    """The message between two offsets of a stream."""
    walker = Walker(stream, start, end)
    root = walker.walk()
    data, stamps, dated = header_data(root.headers)
    data["content_type"] = root.type
    attachments: list[Attachment] = []
    gaps = [Gap(message, at, "truncated") for message, at in walker.problems]
    if root.type == "multipart/encrypted" or root.type in ("application/pkcs7-mime", "application/x-pkcs7-mime"):
        data["encrypted_or_signed"] = root.parameters.get("smime-type") or root.parameters.get("protocol") or root.type
    bodies: dict[str, Part] = {}
    for number, part in enumerate(root.leaves()):
        disposition = parameters(first(part.headers, "content-disposition"), "content-disposition")
        named = disposition[1].get("filename") or part.parameters.get("name")
        if (
            part.type in ("text/plain", "text/html")
            and disposition[0] != "attachment"
            and part.type not in bodies
            and not named
        ):
            bodies[part.type] = part
            continue
        if part.start == part.end and not named:
            continue
        attachments.append(attachment_of(part, number, stream, path))
    _bodies(bodies, data, attachments, stream, path)
    sizes = {"message_size": end - start, "header_fields": len(root.headers)}
    return Message(
        {"kind": "offset", "offset": start, "length": end - start}, {**data, **sizes}, stamps, dated, attachments,
        {"offset": start, "length": end - start}, gaps=gaps,
    )  # fmt: skip


def _bodies(
    bodies: dict[str, Part], data: dict[str, Any], attachments: list[Attachment], stream: BinaryIO, path: str
) -> None:
    """The body that a record holds: the plain one, else the HTML one; the other's hash and links beside it."""
    plain, page = bodies.get("text/plain"), bodies.get("text/html")
    if plain is not None:
        raw, size, _ = beginning(content(plain, stream, path))
        if not raw.strip() and page is not None:
            plain = None
        else:
            _body(plain, raw, size, data, attachments, stream, path)
            attachments.extend(embedded_uu(plain, stream, path))
    if page is not None:
        raw, size, _ = beginning(content(page, stream, path))
        if plain is None:
            _body(page, raw, size, data, attachments, stream, path)
        else:
            extra: dict[str, Any] = {}
            put_body(extra, raw, size, page.parameters.get("charset"), "text/html")
            data.update(html_size=size, html_sha256=Attachment("", "", content(page, stream, path)).measured()[1])
            if "links" in extra:
                data["links"] = extra["links"]


def _body(
    part: Part, raw: bytes, size: int, data: dict[str, Any], attachments: list[Attachment], stream: BinaryIO, path: str
) -> None:
    chunks = content(part, stream, path)
    cut = put_body(data, raw, size, part.parameters.get("charset"), part.type)
    whole = size <= len(raw)
    data.update(body_size=size, body_sha256=sha256(raw) if whole else Attachment("", "", chunks).measured()[1])
    if cut:
        attachments.append(Attachment(f"body{ENDINGS[part.type]}", part.type, chunks, {}, {}, text=True))


class MimeReader(MailReader):
    """A file that is one message in transfer form (.eml, a maildir's message), or an Apple .emlx."""

    form = "eml"
    single = True

    def __init__(self, file: Any) -> None:
        super().__init__(file)
        self._stream: BinaryIO | None = None

    @property
    def stream(self) -> BinaryIO:
        """The file's bytes, opened once."""
        if self._stream is None:
            self._stream = self.file.open()
        return self._stream

    def messages(self) -> Iterator[Message | Gap]:
        """The one message."""
        yield read_message(self.stream, 0, self.file.size, self.file.path)

    def close(self) -> None:
        """Give the handle back."""
        if self._stream is not None:
            self._stream.close()
            self._stream = None
