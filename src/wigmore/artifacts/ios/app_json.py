"""JSON that apps keep in their caches: answers of web services, one record an item; messages with their author."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from wigmore.artifacts.browser.chromium_json import load_json
from wigmore.artifacts.generic.plist_reader import leaves
from wigmore.artifacts.generic.sqlite_queries import settled
from wigmore.model.protocols import EvidenceFile, Record, Yield
from wigmore.model.times import Time, iso
from wigmore.registry import Claim, parser

MARKS = (b'"channel_id"', b'"author"', b'"content"')
FIELDS = 256


def _is_messages(head: bytes, path: str, size: int) -> bool:
    start = head[:64].lstrip()
    return start.startswith(b"[") and start[1:].lstrip().startswith(b"{") and all(mark in head for mark in MARKS)


def _is_cached(head: bytes, path: str, size: int) -> bool:
    low = "/" + path.lower()
    if "/library/caches/" not in low and "/fscacheddata/" not in low:
        return False
    start = head[:64].lstrip()
    return start[:1] in (b"{", b"[") and start[1:].lstrip()[:1] in (b'"', b"{", b"}", b"]") and not _is_messages(head, path, size)


def _time(value: Any) -> Time | None:
    return iso(value) if isinstance(value, str) else None


@parser(
    "ios.discord.messages",
    claims=Claim(look=_is_messages),
    reads="cached answers of Discord's message interface (fsCachedData and similar), recognised by content",
    means="the service delivered these messages to the app: author, channel, server time",
    does_not_mean="that the device's user read or wrote them",
    refs=("https://discord.com/developers/docs/resources/message",),
    artifacts=("ios.discord.message",),
)
def discord_messages(file: EvidenceFile) -> Iterator[Yield]:
    """One record a message."""
    root = load_json(file)
    for index, message in enumerate(root if isinstance(root, list) else ()):
        if not isinstance(message, dict) or "channel_id" not in message:
            continue
        raw = message.get("author")
        author: dict[str, Any] = raw if isinstance(raw, dict) else {}
        times = {
            key: {**time, "owner": "server"}
            for key in ("timestamp", "edited_timestamp")
            if (time := _time(message.get(key))) is not None
        }
        attached = message.get("attachments")
        data = {
            "id": message.get("id"),
            "content": message.get("content"),
            "channel_id": message.get("channel_id"),
            "author": author.get("username"),
            "author_id": author.get("id"),
            "author_global_name": author.get("global_name"),
            "type": message.get("type"),
            "pinned": message.get("pinned"),
            "mentions": [m.get("username") for m in message.get("mentions") or [] if isinstance(m, dict)],
            "attachments": [
                {k: a.get(k) for k in ("filename", "url", "content_type", "size")}
                for a in (attached if isinstance(attached, list) else []) if isinstance(a, dict)
            ],
        }  # fmt: skip
        dated = "timestamp" if "timestamp" in times else None
        yield {"kind": "key", "key": f"[{index}]"}, Record(settled(data), times, dated, artifact="ios.discord.message")


@parser(
    "ios.app_json",
    claims=Claim(look=_is_cached),
    reads="JSON files below Library/Caches of an app",
    means="the app cached this data, as its service delivered it or the app wrote it",
    does_not_mean="that a person saw or entered it",
    refs=("https://www.rfc-editor.org/rfc/rfc8259",),
    artifacts=("ios.app_json",),
)
def app_json(file: EvidenceFile) -> Iterator[Yield]:
    """One record an item of the outermost list, or of the outermost object where that is large."""
    root = load_json(file)
    items: list[tuple[str, Any]]
    if isinstance(root, list):
        items = [(f"[{i}]", item) for i, item in enumerate(root)]
    elif isinstance(root, dict) and sum(1 for _ in zip(leaves(root), range(FIELDS + 1), strict=False)) > FIELDS:
        items = []
        for key, value in root.items():
            listed = isinstance(value, list) and any(isinstance(v, dict) for v in value)
            items.extend([(f"{key}[{i}]", v) for i, v in enumerate(value)] if listed else [(str(key), value)])
    else:
        items = [("", root)]
    for path, item in items:
        data, times = {}, {}
        for name, leaf in leaves(item):
            if len(data) + len(times) >= 4096:
                data["(cut)"] = "more than 4096 values"
                break
            time = _time(leaf)
            if time is not None:
                times[name or "value"] = time
            elif leaf is not None:
                data[name or "value"] = leaf
        if data or times:
            yield {"kind": "key", "key": path}, Record(settled(data), times)
