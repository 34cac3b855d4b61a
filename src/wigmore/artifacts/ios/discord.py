"""Discord messages in the cached answers of its web service, recognised by content."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from wigmore.artifacts.browser.chromium_json import load_json
from wigmore.artifacts.generic.sqlite_queries import settled
from wigmore.model.protocols import EvidenceFile, Record, Yield
from wigmore.model.times import Time, iso
from wigmore.registry import Claim, parser

MARKS = (b'"channel_id"', b'"author"', b'"content"')


def _is_messages(head: bytes, path: str, size: int) -> bool:
    start = head[:64].lstrip()
    return start.startswith(b"[") and start[1:].lstrip().startswith(b"{") and all(mark in head for mark in MARKS)


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
