"""Outlook .msg files: an OLE compound file with one stream a property.

Sources: MS-OXMSG 2.1 to 2.4 (storages, property streams, fixed and variable length values), MS-CFB through olefile.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from functools import partial
from typing import Any, BinaryIO

from wigmore.formats.mail import ATTACHMENTS, CHUNK, DEPTH, PARTIES, Attachment, MailReader, Message, plain_name, short
from wigmore.formats.mail_mapi import FIXED_SIZES, WANTED, Properties, attachment_data, item_data, item_kind
from wigmore.model.protocols import EvidenceFile, Gap, ParseError

LARGEST = 64 * 1024 * 1024  # bytes of a property that is held; attachments are streamed
STREAM = "__substg1.0_"
Path = tuple[str, ...]


class MsgReader(MailReader):
    """The message of a .msg file, and the messages that it carries."""

    form = "msg"
    single = True

    def __init__(self, file: EvidenceFile) -> None:
        super().__init__(file)
        import olefile

        self._stream: BinaryIO = file.open()
        try:
            self._ole: Any = olefile.OleFileIO(self._stream)
            self._names = self._ole.listdir(streams=True, storages=True)
        except (OSError, ValueError, IndexError, struct.error, TypeError, OverflowError, RecursionError) as error:
            self._stream.close()
            raise ParseError(file.path, 0, f"the compound file is damaged: {error}"[:300], "damaged") from error
        self._children: dict[Path, list[str]] = {}
        for name in self._names:
            self._children.setdefault(tuple(name[:-1]), []).append(name[-1])
        self.problems: list[Gap] = []
        if "__properties_version1.0" not in self._children.get((), []):
            self.close()
            raise ParseError(file.path, 0, "a compound file without a message's properties", "damaged")

    def close(self) -> None:
        """Give the handle back."""
        self._ole.close()
        self._stream.close()

    def messages(self) -> Iterator[Message | Gap]:
        """The message, then those inside it."""
        yield from self._message((), "", 0)

    def _bytes(self, path: Path, limit: int = LARGEST) -> bytes:
        try:
            with self._ole.openstream(list(path)) as stream:
                raw: bytes = stream.read(limit)
                return raw
        except (OSError, ValueError, IndexError, struct.error, TypeError, OverflowError) as error:
            if len(self.problems) < 100:
                self.problems.append(Gap(f"the stream {'/'.join(path)} cannot be read: {error}"[:300], None))
            return b""

    def _properties(self, path: Path, header: int) -> Properties:
        out = Properties()
        fixed = self._bytes((*path, "__properties_version1.0"))
        for at in range(header, len(fixed) - 15, 16):
            tag, _, value = struct.unpack_from("<II8s", fixed, at)
            kind = tag & 0xFFFF
            if kind in FIXED_SIZES and kind != 0x48:
                out.values[tag >> 16] = kind, value[: FIXED_SIZES[kind]]
        for name in self._children.get(path, []):
            if name.startswith(STREAM) and len(name) == len(STREAM) + 8:
                try:
                    tag = int(name[len(STREAM) :], 16)
                except ValueError:
                    continue
                name_of, kind = tag >> 16, tag & 0xFFFF
                # attachments' content (3701) is read when it is asked for
                if (kind in (0x1E, 0x1F) and name_of >= 0x8000) or (
                    name_of in WANTED and kind in (0x1E, 0x1F, 0x102, 0x48)
                ):
                    out.values[name_of] = kind, self._bytes((*path, name))
        return out.settle()

    def _message(self, path: Path, label: str, depth: int) -> Iterator[Message | Gap]:
        self.problems = []
        properties = self._properties(path, 24 if path else 32)
        known = self._children.get(path, [])
        recipients = []
        for name in sorted(n for n in known if n.startswith("__recip_version1.0_"))[:PARTIES]:
            one = self._properties((*path, name), 8)
            one.codepage = properties.codepage
            recipients.append(one)
        data, stamps, dated, extra = item_data(properties, recipients)
        attachments: list[Attachment] = []
        inside: list[tuple[Path, str]] = []
        for number, name in enumerate(sorted(n for n in known if n.startswith("__attach_version1.0_"))[:ATTACHMENTS]):
            where = (*path, name)
            one = self._properties(where, 8)
            one.codepage = properties.codepage
            streams = self._children.get(where, [])
            written, kind, fields, dates = attachment_data(one)
            plain = plain_name(written, f"attachment-{number + 1:02}.bin")
            if f"{STREAM}3701000D" in streams and "__properties_version1.0" in self._children.get(
                (*where, f"{STREAM}3701000D"), []
            ):
                inside.append(((*where, f"{STREAM}3701000D"), f"embedded-{number + 1:02}"))
                data.setdefault("embedded_messages", []).append(written or plain)
                continue
            if written and written != plain:
                fields["name_in_mail"] = short(written, 500)
            if f"{STREAM}37010102" in streams:
                attachments.append(
                    Attachment(plain, kind, partial(self._content, (*where, f"{STREAM}37010102")), fields, dates)
                )
            elif f"{STREAM}3701000D" in streams:
                data.setdefault("ole_objects", []).append(written or plain)
            else:
                data.setdefault("attachments_not_inside", []).append({"name": written or plain, **fields})
        locator = {"kind": "stream", "stream": "/".join((*path, "__properties_version1.0"))}
        yield Message(
            locator, data, stamps, dated, [*attachments, *extra], {"storage": "/".join(path)}, label,
            item_kind(data.get("message_class", "IPM.Note")), gaps=self.problems,
        )  # fmt: skip
        for where, name in inside:
            if depth >= DEPTH:
                yield Gap(f"messages are nested deeper than {DEPTH}", None, "depth")
                return
            yield from self._message(where, f"{label}/{name}" if label else name, depth + 1)

    def _content(self, path: Path) -> Iterator[bytes]:
        try:
            with self._ole.openstream(list(path)) as stream:
                while piece := stream.read(CHUNK):
                    yield piece
        except (OSError, ValueError, IndexError, struct.error, TypeError, OverflowError) as error:
            raise ParseError(
                self.file.path, None, f"the attachment cannot be read: {error}"[:300], "damaged"
            ) from error
