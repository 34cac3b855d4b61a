"""What all mail parsers share: a reader's messages as records."""

from __future__ import annotations

from collections.abc import Iterator

from wigmore.formats.mail import ATTACHMENTS, describe
from wigmore.formats.mail_kinds import open_mail
from wigmore.model.protocols import EvidenceFile, Gap, Record, Yield

ARTIFACTS = ("mail.message", "mail.mailbox", "mail.folder", "mail.contact", "mail.appointment", "mail.item")
KEPT_GAPS = 200


def mail_records(file: EvidenceFile, kind: str) -> Iterator[Yield]:
    """One record a message, folder or other item, and one about a mailbox with what was counted."""
    reader = open_mail(file, kind)
    counts: dict[str, int] = {}
    attachments = gaps = 0
    try:
        for message in reader.messages():
            if isinstance(message, Gap):
                gaps += 1
                if gaps <= KEPT_GAPS:
                    yield message
                continue
            yield from message.gaps
            counts[message.kind] = counts.get(message.kind, 0) + 1
            if message.state == "unallocated":
                counts["unallocated"] = counts.get("unallocated", 0) + 1
            data = message.data
            if len(message.attachments) > ATTACHMENTS:
                yield Gap(f"{len(message.attachments)} attachments, {ATTACHMENTS} are listed", None, "too_large")
            rows = describe(message.attachments)
            if rows:
                data["attachments"] = rows
                data["attachment_names"] = [row["name"] for row in rows]
                data["attachment_count"] = len(rows)
                attachments += len(rows)
            if message.label:
                data["member"] = message.label
            yield (
                message.locator,
                Record(data, message.times, message.time_field, message.state, artifact=f"mail.{message.kind}"),
            )
        if not reader.single:
            said = {"format": reader.form, "messages": counts.pop("message", 0), "attachments": attachments}
            said |= {f"{name}s": number for name, number in sorted(counts.items())} | reader.summary()
            yield {"kind": "offset", "offset": 0, "length": file.size}, Record(said, artifact="mail.mailbox")
    finally:
        reader.close()
