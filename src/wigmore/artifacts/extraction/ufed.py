"""Cellebrite reports (report.xml, as in UFDR files): messages, calls, contacts, places and files as the vendor decoded them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from wigmore.artifacts.extraction.ufed_reader import NAMESPACE, Node, Value, nodes
from wigmore.model.protocols import EvidenceFile, Gap, Locator, ParseError, Record, Yield
from wigmore.model.times import Time, iso
from wigmore.registry import Claim, parser

MESSAGES = frozenset(("InstantMessage", "SMS", "MMS", "Email", "Voicemail"))
KINDS = {
    "Call": "ufed.call", "Contact": "ufed.contact", "Chat": "ufed.chat", "Location": "ufed.location",
    "UserAccount": "ufed.account", "DeviceInfoEntry": "ufed.device",
} | dict.fromkeys(MESSAGES, "ufed.message")  # fmt: skip
DIRECTIONS = {
    "incoming": "received", "outgoing": "sent", "inbox": "received", "sent": "sent", "outbox": "sent", "drafts": "draft",
    "draft": "draft", "received": "received", "read": "received", "unread": "received",
}  # fmt: skip
DURATION = re.compile(r"(?:(\d+)\.)?(\d+):(\d\d):(\d\d)(?:\.\d+)?$")
OFFSET = re.compile(r"(?:Z|[+-]\d\d:?\d\d)$")
DEEPEST = 6  # models within models that a record shows


def _time(value: Value) -> Time | None:
    """A time of the report; one whose zone the report does not know stays local."""
    known = value.attributes.get("format", "TimeStampKnown") == "TimeStampKnown"
    written = value.text if OFFSET.search(value.text) else value.attributes.get("formattedTimestamp") or value.text
    if written.startswith("0001-"):
        return None
    if known:
        return iso(written, source="as the report states it")
    return iso(OFFSET.sub("", value.text), source="the report does not state the zone")


def _times(node: Node) -> dict[str, Time]:
    found: dict[str, Time] = {}
    for name, values in node.values.items():
        for value in values:
            kind = value.attributes.get("type", "")
            if (kind in ("TimeStamp", "DateTime") or "formattedTimestamp" in value.attributes) and (
                time := _time(value)
            ):
                found.setdefault(_word(name), time)
    return found


def _word(name: str) -> str:
    """A field's name in small letters, words parted by `_`."""
    return re.sub(r"[^0-9a-z]+", "_", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()).strip("_")


def _plain(node: Node, depth: int = 0) -> dict[str, Any]:
    """What a model holds, as JSON: texts by name, models in it as objects."""
    found: dict[str, Any] = {}
    for name, values in node.values.items():
        texts = [value.text for value in values if value.text]
        if texts and name != "UserMapping":
            found[name] = texts[0] if len(texts) == 1 else texts
    for name, models in node.models.items():
        if depth < DEEPEST:
            found[name or "models"] = [{"type": one.kind} | _plain(one, depth + 1) for one in models]
    return found


def _parties(node: Node, *names: str) -> list[dict[str, Any]]:
    found = []
    for name in names:
        for party in node.models.get(name, ()):
            row = {
                "identifier": party.text("Identifier"),
                "name": party.text("Name"),
                "role": party.text("Role") or name,
            }
            owner = {"owner": True} if party.text("IsPhoneOwner").lower() == "true" else {}
            found.append({key: value for key, value in row.items() if value} | owner)
    return found


def _who(parties: list[dict[str, Any]]) -> list[str]:
    return [
        str(party.get("identifier") or party.get("name")) for party in parties if party.keys() & {"identifier", "name"}
    ]


def _message(node: Node) -> dict[str, Any]:
    sender, receivers = _parties(node, "From"), _parties(node, "To", "Cc", "Bcc")
    both = _parties(node, "Parties")
    sender += [party for party in both if party.get("role") == "From"]
    receivers += [party for party in both if party.get("role") != "From"]
    direction = DIRECTIONS.get(node.text("Folder").lower()) or DIRECTIONS.get(node.text("Type").lower(), "")
    if not direction and any(party.get("owner") for party in (*sender, *receivers)):
        direction = "sent" if any(party.get("owner") for party in sender) else "received"
    data: dict[str, Any] = {
        "text": node.text("Body") or node.text("Snippet"),
        "subject": node.text("Subject"),
        "from": ", ".join(_who(sender)),
        "to": _who(receivers),
        "names": sorted({str(party["name"]) for party in (*sender, *receivers) if "name" in party}),
        "direction": direction,
        "status": node.text("Status"),
        "attachments": [one.text("Filename") or one.text("Title") for one in node.models.get("Attachments", ())]
        + [one.text("Filename") for one in node.models.get("Attachment", ())],
    }
    if node.above is not None:
        data |= {"chat_id": node.above.text("Id"), "chat_name": node.above.text("Name")}
        data["source"] = node.text("Source") or node.above.text("Source")
        data["participants"] = _who(_parties(node.above, "Participants"))
    return data


def _call(node: Node) -> dict[str, Any]:
    parties = _parties(node, "Parties")
    duration = DURATION.match(node.text("Duration"))
    seconds = None
    if duration:
        days, hours, minutes, rest = (int(part or 0) for part in duration.groups())
        seconds = ((days * 24 + hours) * 60 + minutes) * 60 + rest
    others = [party for party in parties if not party.get("owner")]
    return {
        "direction": (node.text("Direction") or node.text("Type")).lower(),
        "number": ", ".join(_who(others or parties)),
        "names": sorted({str(party["name"]) for party in parties if "name" in party}),
        "parties": parties,
        "duration": seconds,
        "duration_clock": node.text("Duration"),
        "status": node.text("Status"),
        "video": node.text("VideoCall").lower() == "true",
    }


def _contact(node: Node) -> dict[str, Any]:
    entries = [(one.kind, one.text("Value"), one.text("Category")) for one in node.models.get("Entries", ())]
    return {
        "name": node.text("Name"),
        "phones": [value for kind, value, _ in entries if kind == "PhoneNumber"],
        "emails": [value for kind, value, _ in entries if kind == "EmailAddress"],
        "entries": [{"type": kind, "category": category, "value": value} for kind, value, category in entries],
        "account": node.text("Account"),
        "group": node.text("Group"),
        "notes": node.texts("Notes"),
    }


def _location(node: Node) -> dict[str, Any]:
    data: dict[str, Any] = {"name": node.text("Name"), "category": node.text("Category"), "type": node.text("Type")}
    for position in node.models.get("Position", ())[:1]:
        for name in ("Latitude", "Longitude", "Elevation"):
            try:
                data[name.lower()] = float(position.text(name))
            except ValueError:
                continue
    return data


SHAPES: dict[str, Callable[[Node], dict[str, Any]]] = {
    "ufed.message": _message, "ufed.call": _call, "ufed.contact": _contact, "ufed.location": _location,
}  # fmt: skip


def _model(node: Node) -> Record:
    artifact = KINDS.get(node.kind, "ufed.item")
    data: dict[str, Any] = {"model": node.kind, "source": node.text("Source")}
    data |= SHAPES[artifact](node) if artifact in SHAPES else {}
    if artifact == "ufed.chat":
        data |= {"chat_id": node.text("Id"), "participants": _parties(node, "Participants"), "messages": node.apart}
    data["fields"] = _plain(node)
    marks = {
        "deleted_state": "deleted_state",
        "decoding_confidence": "decoding_confidence",
        "extractionId": "extraction",
    }
    data |= {name: node.attributes.get(key, "") for key, name in marks.items()} | {
        "model_id": node.attributes.get("id", "")
    }
    state = "live"
    if node.attributes.get("iscarved", "").lower() == "true":
        state = "carved"
    elif node.attributes.get("deleted_state", node.attributes.get("deleted", "")).lower() in ("deleted", "trash"):
        state = "unallocated"
    times = _times(node)
    dated = next((name for name in ("time_stamp", "start_time", "date") if name in times), next(iter(times), None))
    kept = {name: value for name, value in data.items() if value not in ("", [], None, {})}
    return Record(kept, times, dated, state=state, artifact=artifact)


def _file(node: Node) -> Record:
    items = {
        name: values[0].text if len(values) == 1 else [value.text for value in values]
        for name, values in node.values.items()
    }
    local = str(items.get("Local Path", "")).replace("\\", "/")
    data: dict[str, Any] = {
        "original_path": node.attributes.get("path", ""),
        "name": node.attributes.get("name", ""),
        "file_system": node.attributes.get("fs", ""),
        "local_path": local,
        "md5": str(items.get("MD5", "")).lower(),
        "sha256": str(items.get("SHA256", "")).lower(),
        "tags": items.get("Tags", ""),
        "deleted": node.attributes.get("deleted", ""),
        "extraction": node.attributes.get("extractionId", ""),
        "items": {name: value for name, value in items.items() if name not in ("Local Path", "MD5", "SHA256", "Tags")},
    }
    size = node.attributes.get("size", "")
    if size.isdigit() and len(size) < 20:
        data["size"] = int(size)
    times = _times(node)
    kept = {name: value for name, value in data.items() if value not in ("", [], None, {})}
    state = "unallocated" if str(data["deleted"]).lower() in ("deleted", "trash") else "live"
    dated = next((name for name in ("modify_time", "creation_time") if name in times), next(iter(times), None))
    return Record(kept, times, dated, state=state, artifact="ufed.file")


def _about(node: Node) -> Record:
    """The report itself, its extractions, the case's fields, the device's, the images it stands on."""
    section = node.attributes.get("section", "") if node.element == "metadata" else node.element
    items = {
        name: values[0].text if len(values) == 1 else [value.text for value in values]
        for name, values in node.values.items()
    }
    data: dict[str, Any] = {
        "section": section or node.element,
        **{f"@{k}": v for k, v in node.attributes.items() if k != "section"},
    }
    artifact = "ufed.device" if node.element == "metadata" else "ufed.report"
    return Record(data | {name: value for name, value in items.items() if value}, artifact=artifact)


def _look(head: bytes, path: str, size: int) -> bool:
    return head.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"<" and NAMESPACE.encode() in head[:4096]


@parser(
    "ufed.report",
    claims=Claim(look=_look),
    artifacts=(
        "ufed.report", "ufed.device", "ufed.message", "ufed.chat", "ufed.call", "ufed.contact", "ufed.location",
        "ufed.account", "ufed.file", "ufed.item",
    ),
    reads="report.xml of Cellebrite Physical Analyzer and Reader (namespace report/2.0), by itself or within a UFDR file",
    means="the vendor's program decoded this item from the extraction and wrote it so; a file's record gives the path it "
    "had on the device beside the one in the container",
    does_not_mean="that the item stands so in the device's own store (the report is a reading of it, and may be a "
    "selection); that what is missing was not on the device; that an item marked deleted was deleted by a person; the "
    "zone of times that the report leaves without one",
    refs=(
        "SEilers/UFEDLib (models of the namespace http://pa.cellebrite.com/report/2.0)",
        "alephdata/ingest-file, Cellebrite support",
        "DFIRScience/UFDR2DIR (files and their original paths)",
    ),
    limit_seconds=1800.0,
)  # fmt: skip
def ufed(file: EvidenceFile) -> Iterator[Yield]:
    """One record a model, a file, a section; messages of a chat one by one, each with its chat."""
    try:
        for node in nodes(file):
            if isinstance(node, Gap):
                yield node
                continue
            locator: Locator = {"kind": "offset", "offset": node.offset, "length": node.length, "number": node.number}
            yield (
                locator,
                (_model(node) if node.element == "model" else _file(node) if node.element == "file" else _about(node)),
            )
    except ParseError as error:
        yield Gap(f"the report breaks off: {error.message}", error.offset, error.reason)
