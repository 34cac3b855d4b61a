"""Mail files as stores: what messages carry, under `message-0001/` in a mailbox and by its own name in a single message.

A body that is too long for its record is a member too (`body.txt`, `body.html`). Nested messages (message/rfc822) are
members that are mail files again; embedded Outlook items have no file form: their attachments lie under `embedded-01/`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, BinaryIO

from wigmore.evidence.archive_member import ArchiveStore, place
from wigmore.evidence.store import Entry, Limits
from wigmore.formats.mail import Attachment, MailReader, Message
from wigmore.formats.mail_kinds import open_mail
from wigmore.model.protocols import EvidenceFile, Gap, ParseError

NAMES = {
    "mbox": "mailbox (mbox)", "eml": "e-mail", "emlx": "e-mail (Apple Mail)", "msg": "Outlook message", "tnef": "TNEF",
    "pst": "Outlook data file", "dbx": "Outlook Express folder",
}  # fmt: skip


class MailStore(ArchiveStore):
    """The attachments in one mail file."""

    def __init__(self, file: EvidenceFile, prefix: str, limits: Limits, kind: str) -> None:
        super().__init__(file, prefix, limits)
        self.format = NAMES[kind]
        self.code = kind
        self._reader: MailReader | None = None
        self._total_listed = 0
        self._last: tuple[dict[str, Any], Message] | None = None
        if kind in ("pst", "msg"):
            _ = self.reader  # what cannot be opened is said of the container
        self.describe(description=NAMES[kind])

    @property
    def reader(self) -> MailReader:
        """The file's reader, opened once."""
        if self._reader is None:
            self._reader = open_mail(self.archive, self.code)
        return self._reader

    def hollow(self) -> bool:
        """Whether this is a single message that carries nothing: such a file is no container."""
        if self.code not in ("eml", "emlx"):
            return False
        return not any(isinstance(one, Message) and one.attachments for one in self.reader.messages())

    def entries(self) -> Iterator[Entry | Gap]:
        """Every attachment, in the order of messages; Gap for messages that could not be read."""
        try:
            yield from self._entries()
        except ParseError as error:
            yield Gap(f"{self.archive.path}: {error.message}", error.offset, error.reason)

    def _entries(self) -> Iterator[Entry | Gap]:
        count = 0
        for message in self.reader.messages():
            if isinstance(message, Gap):
                yield message
                continue
            taken: dict[str, int] = {}
            for number, one in enumerate(message.attachments):
                if count >= self.limits.max_members:
                    yield Gap(f"{self.archive.path}: more than {count} attachments", None, "too_large")
                    return
                found = self._entry(message, number, one, taken)
                count += 1
                yield found
                if self._total_listed > self.limits.max_total_bytes:
                    yield Gap(
                        f"{self.archive.path}: holds more than {self.limits.max_total_bytes} bytes", None, "too_large"
                    )
                    return

    def _entry(self, message: Message, number: int, one: Attachment, taken: dict[str, int]) -> Entry:
        name = one.name
        low = name.casefold()
        taken[low] = taken.get(low, 0) + 1
        if taken[low] > 1:
            stem, dot, extension = name.rpartition(".")
            name = f"{stem} ({taken[low]}){dot}{extension}" if dot and stem else f"{name} ({taken[low]})"
        relative = f"{message.label}/{name}" if message.label else name
        where = place(relative.encode("utf-8", "surrogatepass"), self.limits)
        size, problem = 0, ""
        try:
            for chunk in one.chunks():
                size += len(chunk)
                if size > self.limits.max_member_bytes:
                    problem = f"more than {self.limits.max_member_bytes} bytes"
                    break
        except ParseError as error:
            problem = error.message
        self._total_listed += size
        attributes: dict[str, Any] = {**where.attributes(), "type_in_mail": one.type, **one.data}
        for key in ("message_id", "subject"):
            if message.data.get(key):
                attributes[key] = message.data[key][:500]
        if one.text:
            attributes["body"] = True
        if problem:
            attributes["complete"] = False
        live = message.state == "live"
        return Entry(
            self.join(where.path), where.name, size=size, inode=None, path_raw=where.raw, attributes=attributes,
            times=one.times, ref={"message": message.ref, "attachment": number}, allocated=live,
            recovery=None if live else "partial" if problem else "intact",
            caveat=f"content before: {problem}" if problem else "",
        )  # fmt: skip

    def open_entry(self, entry: Entry) -> BinaryIO:
        """The attachment's content, decoded."""
        ref = entry.ref
        if "message" not in ref:
            found = self.find(entry.path)
            if found is None or "message" not in found.ref:
                raise ParseError(entry.path, None, "no such attachment", "damaged")
            entry, ref = found, found.ref
        if self._last is None or self._last[0] != ref["message"]:
            self._last = ref["message"], self.reader.find(ref["message"])
        message = self._last[1]
        if ref["attachment"] >= len(message.attachments):
            raise ParseError(entry.path, None, "the message has no such attachment", "damaged")
        one = message.attachments[ref["attachment"]]

        def chunks() -> Iterator[bytes]:
            size = 0
            try:
                for chunk in one.chunks():
                    size += len(chunk)
                    yield chunk
            except ParseError:
                if entry.attributes.get("complete", True) or size < entry.size:
                    raise  # else the listing said already that the content is not whole

        return self.spooled(entry, max(1, self.archive.size), chunks)

    def close(self) -> None:
        """Give the reader and the handle back."""
        if self._reader is not None:
            self._reader.close()
            self._reader = self._last = None
        super().close()
