"""Outlook data files (.pst, .ost, .pab) through libpff: folders, items, recipients, attachments, orphan items.

Sources: MS-PST (node and block database, properties, tables); libpff, documentation/Personal Folder File format. Orphan
items are items that no folder lists: deleted ones whose node is still there, or what damage left. libpff's recovery of
freed blocks is not part of its Python module.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from typing import Any, BinaryIO

from wigmore.formats.mail import ATTACHMENTS, CHUNK, DEPTH, PARTIES, Attachment, MailReader, Message, plain_name, short
from wigmore.formats.mail_mapi import WANTED, Properties, attachment_data, item_data, item_kind
from wigmore.model.protocols import EvidenceFile, Gap, ParseError

ERRORS = (OSError, ValueError, OverflowError, MemoryError, TypeError, SystemError)
FOLDERS = 20_000
FOLDER_DEPTH = 60
ITEMS = 5_000_000
# MS-PST 2.2.2.6: dwCryptMethod
ENCRYPTIONS = {
    0: "none",
    1: "compressible (a fixed substitution, no key)",
    2: "high (a fixed cipher, no key)",
    16: "Windows Information Protection",
}


class PstReader(MailReader):
    """Folders and items in the order of the tree, orphan items after them."""

    form = "pst"

    def __init__(self, file: EvidenceFile) -> None:
        super().__init__(file)
        import pypff

        self._stream: BinaryIO = file.open()
        self._pst: Any = pypff.file()
        try:
            self._pst.open_file_object(self._stream)
        except ERRORS as error:
            self._stream.close()
            raise ParseError(file.path, 0, f"the Outlook file cannot be opened: {_said(error)}", "damaged") from error
        self._number = 0
        self._folders = 0

    def close(self) -> None:
        """Give the handle back."""
        with suppress(OSError):  # a file that was never read in full may refuse; the handle below is ours
            self._pst.close()
        self._stream.close()

    def summary(self) -> dict[str, Any]:
        """Kind of file, encryption, the store's name and whether it has a password."""
        out: dict[str, Any] = {}
        try:
            method = int(self._pst.get_encryption_type())
            out["encryption"] = ENCRYPTIONS.get(method, str(method))
            store = self._pst.get_message_store()
            if store is not None:
                found = self._properties(store, set())
                if name := found.text(0x3001):
                    out["name"] = short(name, 300)
                if found.number(0x67FF):
                    out["password_set"] = True
        except ERRORS as error:
            out["store_unread"] = _said(error)
        return out

    def _properties(self, item: Any, unread: set[str]) -> Properties:
        out = Properties()
        for number in range(min(int(item.number_of_record_sets), 1)):
            entries = item.get_record_set(number)
            for place in range(int(entries.number_of_entries)):
                try:
                    entry = entries.get_entry(place)
                    tag, kind = entry.entry_type, entry.value_type
                    if tag is None or (tag not in WANTED and (tag < 0x8000 or kind not in (0x1E, 0x1F))):
                        continue
                    raw = entry.data
                except ERRORS as error:
                    unread.add(_said(error))
                    continue
                if raw is not None and tag not in out.values:
                    out.values[tag] = kind, bytes(raw)
        return out.settle()

    def messages(self) -> Iterator[Message | Gap]:
        """Every folder and item, then orphans."""
        self._number = self._folders = 0
        try:
            root = self._pst.get_root_folder()
        except ERRORS as error:
            yield Gap(f"the root folder cannot be read: {_said(error)}", None)
            root = None
        if root is not None:
            yield from self._folder(root, "", [])
        try:
            orphans = int(self._pst.get_number_of_orphan_items())
        except ERRORS as error:
            yield Gap(f"orphan items cannot be looked for: {_said(error)}", None)
            orphans = 0
        for number in range(min(orphans, ITEMS)):
            yield from self._listed(self._pst.get_orphan_item, number, {"orphan": number}, "", "unallocated")

    def _folder(self, folder: Any, path: str, way: list[int]) -> Iterator[Message | Gap]:
        self._folders += 1
        if self._folders > FOLDERS or len(way) > FOLDER_DEPTH:
            yield Gap(f"more folders, or deeper ones, than are read: {path}", None, "depth")
            return
        try:
            items, folders = int(folder.number_of_sub_messages), int(folder.number_of_sub_folders)
            identifier = int(folder.identifier)
        except ERRORS as error:
            yield Gap(f"the folder {path or '/'} cannot be read: {_said(error)}", None)
            return
        if way:
            unread: set[str] = set()
            try:
                found = self._properties(folder, unread)
            except ERRORS as error:
                found = Properties()
                unread.add(_said(error))
            data: dict[str, Any] = {"folder": path, "items": items, "folders": folders}
            if kind := found.text(0x3613):
                data["folder_class"] = short(kind, 100)
            stamps = {
                name: time for tag, name in ((0x3007, "created"), (0x3008, "modified")) if (time := found.time(tag))
            }
            locator = {"kind": "item", "identifier": identifier}
            yield Message(
                locator, data, stamps, "created" if "created" in stamps else None, [], {"folder": way}, kind="folder"
            )
        for number in range(min(items, ITEMS)):
            yield from self._listed(folder.get_sub_message, number, {"way": way, "item": number}, path, "live")
        for number in range(min(folders, FOLDERS)):
            try:
                below = folder.get_sub_folder(number)
                name = short(str(below.name or f"folder {below.identifier}"), 300).replace("/", "_")
            except ERRORS as error:
                yield Gap(f"folder {number} in {path or '/'} cannot be read: {_said(error)}", None)
                continue
            yield from self._folder(below, f"{path}/{name}" if path else name, [*way, number])

    def _listed(self, get: Any, number: int, ref: dict[str, Any], path: str, state: str) -> Iterator[Message | Gap]:
        self._number += 1
        label = f"message-{self._number:04}"
        try:
            item = get(number)
        except ERRORS as error:
            yield Gap(f"item {number} in {path or 'the orphans'} cannot be read: {_said(error)}", None)
            return
        yield from self._item(item, {**ref, "number": self._number}, path, label, state, 0)

    def _item(
        self, item: Any, ref: dict[str, Any], path: str, label: str, state: str, depth: int
    ) -> Iterator[Message | Gap]:
        unread: set[str] = set()
        inside: list[tuple[Any, list[int], str]] = []
        try:
            properties = self._properties(item, unread)
            identifier = int(item.identifier)
            recipients = self._recipients(item, properties, unread)
        except ERRORS as error:
            yield Gap(f"an item in {path or 'the orphans'} cannot be read: {_said(error)}", None)
            return
        data, stamps, dated, extra = item_data(properties, recipients)
        attachments = self._attachments(item, properties, data, unread, inside, ref.get("attached", []))
        data |= {"folder": path} if path else {}
        data["number"] = ref["number"]
        gaps = [Gap(f"item {identifier} in {path or 'the orphans'}: {text}", None) for text in sorted(unread)[:5]]
        locator: dict[str, Any] = {"kind": "item", "identifier": identifier}
        if "attached" in ref:
            locator["attached"] = [ref["number"], *ref["attached"]]
        yield Message(
            locator, data, stamps, dated, [*attachments, *extra], ref, label,
            item_kind(data.get("message_class", "IPM.Note" if data.get("from") else "")), state, gaps,
        )  # fmt: skip
        for below, way, name in inside:
            if depth >= DEPTH:
                yield Gap(f"messages are nested deeper than {DEPTH}", None, "depth")
                return
            yield from self._item(below, {**ref, "attached": way}, path, f"{label}/{name}", state, depth + 1)

    def _recipients(self, item: Any, properties: Properties, unread: set[str]) -> list[Properties]:
        out: list[Properties] = []
        table = getattr(item, "recipients", None)  # items of other kinds have none
        if table is None:
            return out
        for number in range(min(int(table.number_of_record_sets), PARTIES)):
            one = Properties(codepage=properties.codepage)
            try:
                entries = table.get_record_set(number)
                for place in range(int(entries.number_of_entries)):
                    entry = entries.get_entry(place)
                    if entry.entry_type in WANTED and entry.data is not None:
                        one.values[entry.entry_type] = entry.value_type, bytes(entry.data)
            except ERRORS as error:
                unread.add(f"a recipient: {_said(error)}")
            out.append(one)
        return out

    def _attachments(
        self, item: Any, properties: Properties, data: dict[str, Any], unread: set[str],
        inside: list[tuple[Any, list[int], str]], above: list[int],
    ) -> list[Attachment]:  # fmt: skip
        out: list[Attachment] = []
        try:
            count = int(getattr(item, "number_of_attachments", 0))
        except ERRORS as error:
            unread.add(f"attachments: {_said(error)}")
            return out
        for number in range(min(count, ATTACHMENTS)):
            try:
                one = item.get_attachment(number)
                found = self._properties(one, unread)
                found.codepage = properties.codepage
                written, kind, fields, dates = attachment_data(found)
                plain = plain_name(written, f"attachment-{number + 1:02}.bin")
                if int(one.number_of_sub_items):
                    inside.append((one.get_sub_item(0), [*above, number], f"embedded-{number + 1:02}"))
                    data.setdefault("embedded_messages", []).append(written or plain)
                    continue
            except ERRORS as error:
                unread.add(f"attachment {number + 1}: {_said(error)}")
                continue
            if written and written != plain:
                fields["name_in_mail"] = short(written, 500)
            try:
                size = int(one.get_size())
            except ERRORS as error:
                data.setdefault("attachments_not_inside", []).append({"name": written or plain, **fields})
                if found.number(0x3705) in (None, 1):
                    unread.add(f"attachment {number + 1}: {_said(error)}")
                continue
            out.append(Attachment(plain, kind, partial(self._content, one, size), fields, dates))
        return out

    def _content(self, attachment: Any, size: int) -> Iterator[bytes]:
        try:
            attachment.seek_offset(0, 0)
            left = size
            while left > 0:
                piece = bytes(attachment.read_buffer(min(CHUNK, left)))
                if not piece:
                    break
                left -= len(piece)
                yield piece
        except ERRORS as error:
            raise ParseError(
                self.file.path, None, f"the attachment cannot be read: {_said(error)}", "damaged"
            ) from error

    def find(self, ref: dict[str, Any]) -> Message:
        """The item at that place in the tree."""
        try:
            if "orphan" in ref:
                item = self._pst.get_orphan_item(ref["orphan"])
            else:
                folder = self._pst.get_root_folder()
                for number in ref.get("way", []):
                    folder = folder.get_sub_folder(number)
                item = folder.get_sub_message(ref["item"])
            for number in ref.get("attached", []):
                item = item.get_attachment(number).get_sub_item(0)
        except ERRORS as error:
            raise ParseError(self.file.path, None, f"the item cannot be found: {_said(error)}", "damaged") from error
        found = next(self._item(item, ref, "", "", "live", DEPTH))
        if isinstance(found, Gap):
            raise ParseError(self.file.path, None, found.message, found.reason)
        return found


def _said(error: BaseException) -> str:
    """A library's error: what failed at the top and what lay at the bottom, without names of functions."""
    parts = [re.sub(r"^\w+: ", "", one.strip(" .")) for one in str(error).split("\n")[0].split(". ")]
    told = list(dict.fromkeys(one for one in (parts[0], parts[1] if len(parts) > 1 else "") if one))
    return "; ".join(told)[:250] or type(error).__name__
