"""Network captures as containers: the files that HTTP, FTP, mail and SMB carried in clear are the members.

Nothing is unpacked beside the evidence: a member knows which parts of which stream it is, and reads them from the capture.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from wigmore.evidence.archive_member import ArchiveStore, place
from wigmore.evidence.store import Entry, Limits
from wigmore.formats.capture.analysis import Analysis
from wigmore.formats.capture.flows import Content
from wigmore.formats.capture.found import Found, Pieces
from wigmore.model.protocols import EvidenceFile, Gap, ParseError
from wigmore.model.times import posix

CARRIERS = frozenset(("HTTP", "FTP_CONTROL", "FTP_DATA", "SMTP", "POP3", "SMBv1", "SMBv23", "NetBIOS"))
SAID = ("protocol", "direction", "url", "host", "path_named", "content_type", "complete", "client_address",
    "server_address", "conversation")  # fmt: skip


class CaptureStore(ArchiveStore):
    """The carried files of one capture, in the order of conversations. Listing reads the capture once."""

    format = "network capture"

    def __init__(self, file: EvidenceFile, prefix: str, limits: Limits) -> None:
        super().__init__(file, prefix, limits)
        self._members: list[tuple[Entry, Pieces]] | None = None
        self._said: list[Gap] = []
        self._content: Content | None = None

    def _listed(self) -> list[tuple[Entry, Pieces]]:
        if self._members is None:
            self._content = Content(self.handle)
            self._members = []
            analysis = Analysis(self.archive, self._content, CARRIERS)
            for found in analysis.observations():
                if isinstance(found, Gap) or found.kind != "file" or found.content is None:
                    continue  # the parser of captures says what could not be read
                if len(self._members) >= self.limits.max_members:
                    self._said.append(
                        Gap(f"{self.archive.path}: more than {len(self._members)} carried files", None, "too_large")
                    )
                    break
                self._members.append((self._entry(len(self._members), found), found.content))
        return self._members

    def _entry(self, number: int, found: Found) -> Entry:
        data = found.data
        name = str(data.get("name") or "file").replace("/", "_")[:200]
        folder = str(data.get("protocol", "")).lower()
        where = place(b"", self.limits, text=f"{folder}/{number + 1:05d}_{name}")
        attributes = {**where.attributes(), **{k: data[k] for k in SAID if k in data}, "packet": found.number}
        time = posix(found.time // 1000, owner="collector", unit="us", source="capture times are POSIX times")
        return Entry(
            self.join(where.path), where.name, size=int(data["size"]), inode=str(number), path_raw=where.raw,
            attributes=attributes,
            times={"carried": time} if time else {}, caveat="" if data.get("complete", True) else "parts were not captured",
            ref={"member": number},
        )  # fmt: skip

    def entries(self) -> Iterator[Entry | Gap]:
        """Every carried file."""
        for entry, _ in self._listed():
            yield entry
        yield from self._said

    def open_entry(self, entry: Entry) -> BinaryIO:
        """The file's content, put together from its stream and decoded as the protocol says."""
        members, number = self._listed(), int(entry.inode or -1)
        if not 0 <= number < len(members):
            raise ParseError(entry.path, None, "no such member", "damaged")
        return self.spooled(entry, self.archive.size, members[number][1])

    def close(self) -> None:
        """Give the capture and the spill back."""
        if self._content is not None:
            self._content.close()
        self._content = self._members = None
        super().close()
