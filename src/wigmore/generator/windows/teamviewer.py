"""Logs that programs for remote control keep of their sessions.

Source: TeamViewer, "Log files: Connections_incoming.txt" (tab-separated; times research reads as UTC).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta


def teamviewer_incoming(sessions: Iterable[tuple[datetime, timedelta, str, str, str]]) -> bytes:
    """Connections_incoming.txt of (begin, length, partner's number, partner's name, local account) sessions."""
    lines = []
    for number, (begun, length, partner, name, account) in enumerate(sessions, 1):
        stamps = "\t".join(f"{moment:%d-%m-%Y %H:%M:%S}" for moment in (begun, begun + length))
        connection = f"{{{number:08x}-0b1c-4a2d-9e3f-{int(partner):012x}}}"
        lines.append(f"{partner}\t{name}\t{stamps}\t{account}\tRemoteControl\t{connection}")
    return ("\r\n".join(lines) + "\r\n").encode()
