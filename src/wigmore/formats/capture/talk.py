"""A conversation as dissectors see it: both streams, the endpoints, and a way to say what was found where."""

from __future__ import annotations

from typing import Any

from wigmore.formats.capture.flows import Content, Conversation, Stream
from wigmore.formats.capture.found import Found, Pieces


class Talk:
    """One conversation with its streams opened. `host` is the name one side gave the other, as far as one was seen."""

    def __init__(self, conversation: Conversation, content: Content) -> None:
        self.conversation = conversation
        for side in conversation.sides:
            side.finish()
        self.client = Stream(conversation.sides[0], content)
        self.server = Stream(conversation.sides[1], content)
        self.kind = conversation.kind
        self.protocol = "Unknown"
        self.confidence = ""
        self.service = ""
        self.host = ""
        self.facts: dict[str, Any] = {}  # what else the conversation's own record says

    @property
    def ends(self) -> dict[str, Any]:
        """The endpoints as fields of a record."""
        talk = self.conversation
        return {
            "client_address": talk.client[0],
            "client_port": talk.client[1],
            "server_address": talk.server[0],
            "server_port": talk.server[1],
        }

    def found(self, kind: str, stream: Stream, at: int, data: dict[str, Any], content: Pieces | None = None) -> Found:
        """An observation at an offset of a stream, with the endpoints; fields without a value are left out."""
        number, time, offset = stream.place(at)
        whole = {**self.ends, "conversation": self.conversation.number, **data}
        return Found(
            kind, number, time, offset, {k: v for k, v in whole.items() if v not in (None, "", [], {})}, content
        )
