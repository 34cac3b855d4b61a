"""A mail message as its formats have it in common: fields, times, attachments whose bytes are read on demand."""

from __future__ import annotations

import hashlib
import html
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from wigmore.model.canonical import clean
from wigmore.model.protocols import EvidenceFile, Gap, Locator, ParseError
from wigmore.model.times import Time

BODY = 65_536  # characters of a body that a record holds; the rest is a member of the container
BODY_BYTES = 1024 * 1024  # bytes of a body that are decoded to get there
FIELD = 4_096  # characters of one header field
PARTIES = 500  # recipients of a message that a record names
ATTACHMENTS = 1_000  # attachments of a message that are looked at
DEPTH = 12  # messages inside messages
CHUNK = 256 * 1024
LONGEST_NAME = 160

Chunks = Callable[[], Iterator[bytes]]


@dataclass
class Attachment:
    """Something a message carries: what it is called there, and its bytes, decoded anew with each call of `chunks`.

    `text` marks the whole of a body that a record could not hold; `problem` says what a decoder had to leave out.
    """

    name: str
    type: str
    chunks: Chunks
    data: dict[str, Any] = field(default_factory=dict)
    times: dict[str, Time] = field(default_factory=dict)
    text: bool = False

    def measured(self) -> tuple[int, str, str]:
        """Bytes, SHA-256 and what was wrong with them (empty: nothing), from front to back."""
        size, digest = 0, hashlib.sha256()
        try:
            for chunk in self.chunks():
                size += len(chunk)
                digest.update(chunk)
        except ParseError as error:
            return size, digest.hexdigest(), error.message
        return size, digest.hexdigest(), ""


@dataclass
class Message:
    """One message (or other item) of a mail file. `ref` is the reader's way back to it, `label` its folder of members."""

    locator: Locator
    data: dict[str, Any]
    times: dict[str, Time]
    time_field: str | None
    attachments: list[Attachment]
    ref: dict[str, Any]
    label: str = ""
    kind: str = "message"
    state: str = "live"
    gaps: list[Gap] = field(default_factory=list)


class MailReader:
    """The messages of one mail file, in the order of the file; subclasses give `messages` and `find`."""

    form = "mail"
    single = False  # one message a file

    def __init__(self, file: EvidenceFile) -> None:
        self.file = file

    def messages(self) -> Iterator[Message | Gap]:
        """Every message, those inside others after them; Gap for what could not be read."""
        raise ParseError(self.file.path, 0, "mail of this kind is not read", "unsupported")

    def find(self, ref: dict[str, Any]) -> Message:
        """The message that has this `ref`; ParseError where there is none."""
        for message in self.messages():
            if isinstance(message, Message) and message.ref == ref:
                return message
        raise ParseError(self.file.path, None, "no such message", "damaged")

    def summary(self) -> dict[str, Any]:
        """What the file says of itself."""
        return {}

    def close(self) -> None:
        """Give handles back."""


def short(text: str, limit: int = FIELD) -> str:
    """A text as a record holds it: no lone surrogates or NULs, cut at `limit` characters and marked so."""
    text = clean(text.replace("\0", "\\x00"))
    return text if len(text) <= limit else text[:limit] + "…"


BREAKS = re.compile(r"<(?:br|/p|/div|/tr|/li|/h[1-6]|/title|hr|/table|/blockquote)\b[^<>]{0,200}>", re.IGNORECASE)
TAGS = re.compile(r"<[/!?a-zA-Z][^<>]*>")
BLANKS = re.compile(r"[ \t\xa0\f\v\r]+")
LINES = re.compile(r" ?\n(?: ?\n)+ ?")
TARGETS = re.compile(r"""\b(?:href|action|src)\s*=\s*["']?\s*(https?://[^\s"'<>]{1,2000})""", re.IGNORECASE)
LINKS = 50


def html_text(source: str) -> str:
    """What an HTML body shows as text: without tags, scripts, styles and comments (no layout, no pictures)."""
    for start, end in (("<script", "</script"), ("<style", "</style"), ("<!--", "-->")):
        low, kept, at = source.lower(), [], 0
        while (found := low.find(start, at)) >= 0:
            kept.append(source[at:found])
            closing = low.find(end, found + len(start))
            at = len(source) if closing < 0 else closing + (len(end) if end == "-->" else 0)
            if closing < 0:
                break
        source = "".join([*kept, source[at:]])
    text = html.unescape(TAGS.sub("", BREAKS.sub("\n", source.replace("\r\n", "\n"))))
    return LINES.sub("\n\n", BLANKS.sub(" ", text)).strip()


def links(source: str) -> list[str]:
    """The web addresses that an HTML body leads to or loads, in order, each once."""
    return list(dict.fromkeys(short(html.unescape(m.group(1)), 500) for m in TARGETS.finditer(source)))[:LINKS]


def decode(raw: bytes, charset: str | None) -> tuple[str, str]:
    """Bytes as text and the character set that fitted: the stated one, else UTF-8, else Windows-1252."""
    for name in (charset, "utf-8", "cp1252"):
        if not name:
            continue
        try:
            return raw.decode(name), name.lower()
        except (LookupError, UnicodeError, ValueError):
            continue
    return raw.decode("latin-1"), "latin-1"


def safe_charset(name: str | None) -> str | None:
    """A character set by its name, if it is one of text (never one of Python's transforms such as `zlib`)."""
    import codecs

    try:
        known = codecs.lookup((name or "")[:40]) if name else None
    except (LookupError, ValueError, UnicodeError):
        return None
    if (
        known is None
        or not getattr(known, "_is_text_encoding", True)
        or known.name in ("idna", "punycode", "undefined")
    ):
        return None
    return known.name


def put_body(data: dict[str, Any], raw: bytes, whole: int, charset: str | None, kind: str) -> bool:
    """Put a body's text into a record; True where it was cut. `whole` is its length in bytes, `raw` its beginning."""
    text, used = decode(raw, safe_charset(charset))
    if kind == "text/html":
        if found := links(text):
            data["links"] = found
        text = html_text(text)
    text = text.replace("\r\n", "\n").replace("\0", "")
    cut = len(text) > BODY or whole > len(raw)
    data.update(body=clean(text[:BODY]), body_type=kind, body_charset=used)
    if cut:
        data["body_cut"] = True
    return cut


def describe(attachments: list[Attachment]) -> list[dict[str, Any]]:
    """The attachments as a record lists them, hashed; bodies that were cut are left out."""
    rows: list[dict[str, Any]] = []
    for one in attachments[:ATTACHMENTS]:
        if one.text:
            continue
        size, digest, problem = one.measured()
        row: dict[str, Any] = {"name": one.name, "type": one.type, "size": size, "sha256": digest, **one.data}
        row |= {name: time["text"] for name, time in one.times.items()}
        if problem:
            row["incomplete"] = problem
        rows.append(row)
    return rows


def plain_name(name: str, fallback: str) -> str:
    """An attachment's name as a member's name: one part, no controls, not too long (its extension is kept)."""
    text = "".join(c if c >= " " and c != "\x7f" else "_" for c in clean(name)).strip(" .") if name else ""
    text = text.replace("/", "_").replace("\\", "_")
    if not text:
        return fallback
    if len(text.encode("utf-8")) > LONGEST_NAME:
        stem, dot, extension = text.rpartition(".")
        extension = dot + extension if dot and len(extension) <= 12 else ""
        kept = (stem if extension else text).encode("utf-8")[: LONGEST_NAME - len(extension.encode("utf-8"))]
        text = kept.decode("utf-8", "ignore") + extension
    return text
