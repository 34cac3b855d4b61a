"""Which kind of mail file some first bytes are, and its reader."""

from __future__ import annotations

import re

from wigmore.formats.mail import MailReader
from wigmore.formats.mail_headers import parse_headers
from wigmore.model.protocols import EvidenceFile, ParseError

KINDS = frozenset(("mbox", "eml", "emlx", "msg", "tnef", "pst", "dbx"))
HEAD = 4096  # bytes that decide; callers have at least as many where the file does
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
PST = b"!BDN"
TNEF = b"\x78\x9f\x3e\x22"
DBX = b"\xcf\xad\x12\xfe"
FOLDER_DBX = b"\xcf\xad\x12\xfe\xc5\xfd\x74\x6f"  # a folder's messages; other class ids are lists of folders
MSG_MARKS = tuple(
    name.encode("utf-16-le") for name in ("__substg1.0_", "__properties_version1.0", "__nameid_version1.0")
)
STRONG = frozenset(
    "from received return-path message-id delivered-to mime-version x-mozilla-status envelope-to x-apparently-to".split()
)
KNOWN = STRONG | frozenset(
    "to cc bcc subject date reply-to sender content-type x-mailer user-agent in-reply-to references dkim-signature "
    "x-originating-ip authentication-results arc-seal x-received resent-from newsgroups x-account-key x-gmail-labels".split()
)
OTHERS = frozenset("snapshot-content-location".split())  # saved web pages have the form too
MBOX = re.compile(rb"From [^\r\n]{0,200}?(?:\d\d:\d\d|\b\d{4})[^\r\n]{0,40}\r?\n")
EMLX = re.compile(rb"\d{1,10} *\r?\n")


def looks_like_message(head: bytes, path: str = "") -> bool:
    """Whether the first bytes are the header of a message: fields only, two known ones, one that only mail has."""
    text = head[:HEAD].removeprefix(b"\xef\xbb\xbf")
    named = path.lower().endswith((".eml", ".mht.eml"))
    if named:
        text = text.lstrip(b"\r\n \t")
    if not re.match(rb"[!-9;-~]{1,80}[ \t]*:", text):
        return False
    end = min((at for at in (text.find(b"\n\n"), text.find(b"\n\r\n")) if at >= 0), default=-1)
    block = text[:end] if end >= 0 else text[: text.rfind(b"\n") + 1]
    if b"\0" in block:
        return False
    fields, strange = parse_headers(block)
    names = {name for name, _ in fields}
    if names & OTHERS or (names & {"from"} and any(n == "from" and b"<Saved by " in v for n, v in fields)):
        return False
    if named:
        return bool(names & KNOWN) and strange <= len(fields)
    return len(names & KNOWN) >= 2 and bool(names & STRONG) and strange == 0


def mail_kind(head: bytes, path: str) -> str | None:
    """mbox, eml, emlx, msg, pst, tnef or dbx; None for what is no mail file. By content; a name only helps."""
    if head[:4] == PST:
        return "pst"
    if head[:8] == OLE:
        low = path.lower()
        return "msg" if low.endswith((".msg", ".oft")) or any(mark in head[: 2 * HEAD] for mark in MSG_MARKS) else None
    if head[:4] == TNEF:
        return "tnef"
    if head[:8] == FOLDER_DBX:
        return "dbx"
    if head[:5] == b"From " and MBOX.match(head[:512]):
        return "mbox"
    match = EMLX.match(head[:16])
    if match:
        return "emlx" if looks_like_message(head[match.end() :]) else None
    return "eml" if looks_like_message(head, path) else None


def open_mail(file: EvidenceFile, kind: str) -> MailReader:
    """The reader of a mail file of that kind; ParseError where it cannot be opened."""
    if kind == "mbox":
        from wigmore.formats.mail_boxes import MboxReader

        return MboxReader(file)
    if kind == "eml":
        from wigmore.formats.mail_boxes import EmlReader

        return EmlReader(file)
    if kind == "emlx":
        from wigmore.formats.mail_boxes import EmlxReader

        return EmlxReader(file)
    if kind == "msg":
        from wigmore.formats.mail_msg import MsgReader

        return MsgReader(file)
    if kind == "tnef":
        from wigmore.formats.mail_tnef import TnefReader

        return TnefReader(file)
    if kind == "pst":
        from wigmore.formats.mail_pst import PstReader

        return PstReader(file)
    if kind == "dbx":
        from wigmore.formats.mail_dbx import DbxReader

        return DbxReader(file)
    raise ParseError(file.path, 0, f"mail of the kind {kind} is not read", "unsupported")
