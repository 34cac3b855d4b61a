"""SMB 1 and SMB 2/3 in clear: dialects, sessions, shares, files, and the calls that pipes carry.

Sources: MS-CIFS, MS-SMB (version 1), MS-SMB2 (versions 2 and 3), RFC 1002 (session messages).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from functools import partial
from typing import Any

from wigmore.formats.capture import ntlm, rpc
from wigmore.formats.capture.flows import Stream
from wigmore.formats.capture.found import Found, content_type, text
from wigmore.formats.capture.talk import Talk

COMMANDS2 = {0: "negotiate", 1: "session setup", 2: "logoff", 3: "tree connect", 4: "tree disconnect", 5: "create", 6: "close",
             7: "flush", 8: "read", 9: "write", 10: "lock", 11: "ioctl", 14: "query directory", 16: "query info",
             17: "set info"}  # fmt: skip
COMMANDS1 = {0x04: "close", 0x06: "delete", 0x07: "rename", 0x25: "transaction", 0x2B: "echo", 0x2D: "open", 0x2E: "read",
    0x2F: "write",
             0x32: "transaction 2", 0x33: "transaction 2 secondary", 0x72: "negotiate", 0x73: "session setup",
             0x74: "logoff", 0x75: "tree connect", 0xA0: "nt transaction",
             0xA1: "nt transaction secondary", 0xA2: "create"}  # fmt: skip
DIALECTS = {
    0x0202: "SMB 2.0.2",
    0x0210: "SMB 2.1",
    0x0300: "SMB 3.0",
    0x0302: "SMB 3.0.2",
    0x0311: "SMB 3.1.1",
    0x02FF: "SMB 2.?",
}
STATUS = {0: "success", 0xC0000016: "more processing required", 0xC000006D: "logon failure", 0xC0000022: "access denied",
          0xC0000034: "object name not found", 0xC000003A: "object path not found", 0xC00000CC: "bad network name",
          0xC0000064: "no such user", 0xC000006A: "wrong password", 0xC0000234: "account locked out",
          0xC0000035: "object name collision",
          0xC0000072: "account disabled", 0xC0000205: "insufficient server resources", 0xC000000D: "invalid parameter",
          0xC0000002: "not implemented", 0xC00000BB: "not supported", 0x103: "pending", 0x80000005: "buffer overflow",
          0x80000006: "no more files"}  # fmt: skip
DISPOSITIONS = {0: "supersede", 1: "open", 2: "create", 3: "open or create", 4: "overwrite", 5: "overwrite or create"}
MOST = 50_000
LARGEST = 1 << 24
PIPES = frozenset(
    "srvsvc svcctl samr lsarpc netlogon atsvc epmapper spoolss winreg wkssvc eventlog browser efsrpc netdfs drsuapi lsass "
    "ntsvcs".split()
)


class Opened:
    """A file or pipe that was opened: its name, and what of its content went over the wire."""

    def __init__(self, name: str, at: int) -> None:
        self.name, self.at = name, at
        self.read: dict[int, tuple[int, int]] = {}  # offset in the file → (offset in the stream, bytes)
        self.written: dict[int, tuple[int, int]] = {}
        self.size: int | None = None


def _frames(stream: Stream) -> Iterator[tuple[int, bytes, int]]:
    at = 0
    for _ in range(MOST):
        head = stream.read(at, 4)
        if len(head) < 4:
            return
        length = int.from_bytes(head[1:4], "big")
        if head[0] == 0 and length:
            mark = stream.read(at + 4, 4)
            if mark[1:] == b"SMB" and mark[:1] in b"\xff\xfe\xfd\xfc":
                yield at + 4, stream.read(at + 4, min(length, 1 << 17)), length
            elif length > LARGEST or stream.side.holes:
                place = min(
                    (p for p in (stream.find(m, at + 1, LARGEST) for m in (b"\xfeSMB", b"\xffSMB")) if p > 0),
                    default=-1,
                )
                if place < 0:
                    return
                at = max(place - 4, at + 1)
                continue
        elif head[0] not in (0, 0x81, 0x82, 0x83, 0x84, 0x85):
            place = min(
                (p for p in (stream.find(m, at + 1, LARGEST) for m in (b"\xfeSMB", b"\xffSMB")) if p > 0), default=-1
            )
            if place < 4:
                return
            at = max(place - 4, at + 1)
            continue
        at += 4 + length


def _wide(raw: bytes) -> str:
    return raw.decode("utf-16-le", "replace").split("\0")[0][:1000]


class Session:
    """What is known of one SMB connection while its messages go by, requests and answers in the order of packets."""

    def __init__(self, talk: Talk) -> None:
        self.talk = talk
        self.trees: dict[int, str] = {}
        self.files: dict[bytes, Opened] = {}
        self.asked: dict[int, dict[str, Any]] = {}
        self.closed: list[Opened] = []
        self.user: dict[str, Any] = {}
        self.pipes = rpc.Calls(talk)
        self.version = ""
        self.counts: dict[str, int] = {}

    def smb(self, side: int, at: int, data: dict[str, Any]) -> Found:
        """An observation about the session."""
        stream = self.talk.server if side else self.talk.client
        known: dict[str, Any] = {k: v for k, v in self.user.items() if k != "challenge"}
        return self.talk.found("smb", stream, at, {"protocol": self.version, **known, **data})

    # -- version 2 and 3

    def two(self, side: int, at: int, raw: bytes) -> Iterator[Found]:
        """One message, with those compounded behind it."""
        for _ in range(64):
            if raw[:4] != b"\xfeSMB" or len(raw) < 68:
                return
            following = int.from_bytes(raw[20:24], "little")
            yield from self._two(side, at, raw[: following or len(raw)])
            if not following or following >= len(raw):
                return
            raw, at = raw[following:], at + following

    def _two(self, side: int, at: int, raw: bytes) -> Iterator[Found]:
        self.version = "SMBv23"
        status = int.from_bytes(raw[8:12], "little")
        command = int.from_bytes(raw[12:14], "little")
        flags = int.from_bytes(raw[16:20], "little")
        number = int.from_bytes(raw[24:32], "little")
        tree = int.from_bytes(raw[36:40], "little")
        body, name = raw[64:], COMMANDS2.get(command, f"command {command}")
        answer = bool(flags & 1)
        self.counts[name] = self.counts.get(name, 0) + (not answer)
        if not answer:
            if len(self.asked) > 5000:
                self.asked.pop(next(iter(self.asked)))
            asked: dict[str, Any] = {"at": at, "name": name}
            self.asked[number] = asked
            if command == 1:
                asked |= ntlm.read(body)
            elif command == 3:
                start = int.from_bytes(body[4:6], "little") - 64
                asked["tree"] = _wide(body[start : start + int.from_bytes(body[6:8], "little")])
            elif command == 5 and len(body) >= 56:
                start = int.from_bytes(body[44:46], "little") - 64
                asked["file"] = _wide(body[start : start + int.from_bytes(body[46:48], "little")])
                asked["disposition"] = DISPOSITIONS.get(int.from_bytes(body[36:40], "little"), "")
                asked["options"] = int.from_bytes(body[40:44], "little")
                asked["access"] = f"{int.from_bytes(body[24:28], 'little'):#010x}"
            elif command == 8:
                asked["file_id"], asked["offset"] = body[16:32], int.from_bytes(body[8:16], "little")
            elif command == 9 and len(body) >= 48:
                yield from self._write(at, body, body[16:32])
            elif command == 11 and len(body) >= 56:
                asked["file_id"] = body[8:24]
                start, length = int.from_bytes(body[24:28], "little") - 64, int.from_bytes(body[28:32], "little")
                if int.from_bytes(body[4:8], "little") == 0x0011C017:  # FSCTL_PIPE_TRANSCEIVE
                    yield from self._pipe(0, at, body[8:24], body[start : start + length])
            elif command == 17 and body[2:4] in (b"\1\x0d", b"\1\x0a"):
                opened = self.files.get(body[16:32])
                start = int.from_bytes(body[8:10], "little") - 64
                if body[3] == 0x0A:
                    length = int.from_bytes(body[start + 16 : start + 20], "little")
                    yield self.smb(
                        0,
                        at,
                        {
                            "command": "rename",
                            "file": opened.name if opened else "",
                            "new_name": _wide(body[start + 20 : start + 20 + length]),
                        },
                    )
                elif body[start : start + 1] == b"\1":
                    yield self.smb(0, at, {"command": "delete", "file": opened.name if opened else ""})
            return
        asked = self.asked.pop(number, {}) if status != 0x103 else self.asked.get(number, {})
        said = STATUS.get(status, f"{status:#010x}")
        if command == 0 and len(body) >= 64:
            dialect = int.from_bytes(body[4:6], "little")
            self.talk.facts["dialect"] = DIALECTS.get(dialect, f"{dialect:#06x}")
            yield self.smb(
                1,
                at,
                {
                    "command": name,
                    "dialect": self.talk.facts["dialect"],
                    "server_guid": body[8:24].hex(),
                    "signing_required": bool(body[2] & 2),
                },
            )
        elif command == 1:
            yield from self._session(asked, status, said, at, ntlm.read(body))
        elif command == 3:
            if not status and asked.get("tree"):
                self.trees[tree] = str(asked["tree"])
            yield self.smb(
                0,
                asked.get("at", at),
                {"command": name, "tree": asked.get("tree"), "status": said, "answered_ok": status == 0},
            )
        elif command == 5 and asked:
            yield from self._created(asked, status, said, tree, body[64:80])
        elif command == 8 and status in (0, 0x80000005):
            file_id = asked.get("file_id", b"")
            opened = self.files.get(file_id)
            start, length = body[2] - 64, int.from_bytes(body[4:8], "little")
            if opened is not None and 0 <= start <= 64:
                if _is_pipe(opened.name):
                    yield from self._pipe(1, at, file_id, body[start : start + length])
                elif len(opened.read) < MOST:
                    opened.read[int(asked["offset"])] = (at + 64 + start, length)
        elif command == 11 and status in (0, 0x80000005) and len(body) >= 48:
            start, length = int.from_bytes(body[32:36], "little") - 64, int.from_bytes(body[36:40], "little")
            yield from self._pipe(1, at, asked.get("file_id", b""), body[start : start + length])

    def _write(self, at: int, body: bytes, file_id: bytes) -> Iterator[Found]:
        start, length = int.from_bytes(body[2:4], "little") - 64, int.from_bytes(body[4:8], "little")
        opened = self.files.get(file_id)
        if opened is None or not 0 <= start <= 256:
            return
        if _is_pipe(opened.name):
            yield from self._pipe(0, at, file_id, body[start : start + length])
        elif len(opened.written) < MOST:
            opened.written[int.from_bytes(body[8:16], "little")] = (at + 64 + start, length)

    def _pipe(self, side: int, at: int, file_id: bytes, raw: bytes) -> Iterator[Found]:
        opened = self.files.get(file_id)
        stream = self.talk.server if side else self.talk.client
        yield from self.pipes.take(side, stream, at, raw, file_id, opened.name if opened else "")

    def _session(self, asked: dict[str, Any], status: int, said: str, at: int, told: dict[str, Any]) -> Iterator[Found]:
        if told.get("ntlm_message") == "challenge":
            self.user["challenge"] = told.get("server_challenge")
            yield self.smb(1, at, {"command": "session setup", "status": said, **told})
            return
        if asked.get("ntlm_message") == "authenticate":
            shown = {k: v for k, v in asked.items() if k not in ("at", "name")}
            if status == 0:
                self.user |= {k: asked.get(k) for k in ("user", "domain", "workstation")}
            yield self.smb(
                0, asked["at"], {"command": "session setup", "status": said, "answered_ok": status == 0, **shown}
            )
            yield self.talk.found(
                "credential", self.talk.client, asked["at"],
                {"protocol": "SMB", "scheme": "NTLM", **shown, "server_challenge": self.user.get("challenge"),
                "clear_text": False,
                 "result": "accepted" if status == 0 else "refused", "status": said},
            )  # fmt: skip
        elif status not in (0xC0000016,):
            yield self.smb(1, at, {"command": "session setup", "status": said, "answered_ok": status == 0})

    def _created(self, asked: dict[str, Any], status: int, said: str, tree: int, file_id: bytes) -> Iterator[Found]:
        name = str(asked.get("file", ""))
        data = {"command": "create", "file": name, "tree": self.trees.get(tree), "status": said, "answered_ok": status == 0,
                "disposition": asked.get("disposition"), "access": asked.get("access"), "pipe": _is_pipe(name) or None,
                "delete_on_close": bool(int(asked.get("options") or 0) & 0x1000) or None}  # fmt: skip
        yield self.smb(0, int(asked["at"]), data)
        if status == 0 and len(self.files) < MOST:
            known = self.files.get(file_id)
            if known is not None:
                self.closed.append(known)
            share = self.trees.get(tree, "")
            self.files[file_id] = Opened(
                name if _is_pipe(name) or not share else f"{share}\\{name}".rstrip("\\"), int(asked["at"])
            )

    # -- version 1

    def one(self, side: int, at: int, raw: bytes) -> Iterator[Found]:
        """One message."""
        if len(raw) < 35:
            return
        self.version = self.version or "SMBv1"
        command, status = raw[4], int.from_bytes(raw[5:9], "little")
        wide = bool(int.from_bytes(raw[10:12], "little") & 0x8000)
        answer = bool(raw[9] & 0x80)
        tree, number = int.from_bytes(raw[24:26], "little"), int.from_bytes(raw[30:32], "little")
        words = raw[33 : 33 + raw[32] * 2]
        place = 33 + raw[32] * 2 + 2
        name = COMMANDS1.get(command, f"command {command:#04x}")
        self.counts[name] = self.counts.get(name, 0) + (not answer)
        said = STATUS.get(status, f"{status:#010x}")
        key = number << 8 | command
        if not answer:
            asked: dict[str, Any] = {"at": at, "name": name}
            if len(self.asked) > 5000:
                self.asked.pop(next(iter(self.asked)))
            self.asked[key] = asked
            if command == 0x72:
                asked["dialects"] = [text(d.rstrip(b"\0")) for d in raw[place:].split(b"\2") if d][:20]
            elif command == 0x73:
                asked |= ntlm.read(raw[place:]) or _old_session(words, raw, place, wide)
            elif command == 0x75 and len(words) >= 8:
                start = place + int.from_bytes(words[6:8], "little")
                start += (start & 1) if wide else 0
                asked["tree"] = _text(raw[start:], wide)
            elif command == 0xA2 and len(words) >= 48:
                start = place + (place & 1 if wide else 0)
                asked["file"] = _text(raw[start : start + 2048], wide)
                asked["disposition"] = DISPOSITIONS.get(int.from_bytes(words[35:39], "little"), "")
            elif command in (0x06, 0x2D):
                asked["file"] = _text(raw[place + 1 + (place + 1 & 1 if wide else 0) :], wide)
            elif command == 0x2E and len(words) >= 10:
                asked["file_id"], asked["offset"] = words[4:6], int.from_bytes(words[6:10], "little")
            elif command == 0x2F and len(words) >= 24:
                yield from self._write1(at, raw, words)
            elif command in (0x32, 0x33, 0xA0, 0xA1):
                yield from self._transaction(command, at, raw, words)
            elif command == 0x25 and len(words) >= 28:
                start, length = int.from_bytes(words[24:26], "little"), int.from_bytes(words[22:24], "little")
                asked["file_id"] = words[30:32]
                yield from self._pipe(0, at, words[30:32], raw[start : start + length])
            return
        asked = self.asked.pop(key, {})
        if command == 0x72:
            chosen = int.from_bytes(words[:2], "little") if words else 0xFFFF
            offered = asked.get("dialects", [])
            yield self.smb(
                1,
                at,
                {
                    "command": name,
                    "dialects_offered": offered,
                    "dialect": offered[chosen] if chosen < len(offered) else "none",
                    "status": said,
                },
            )
        elif command == 0x73:
            yield from self._session(
                asked | ({"ntlm_message": "authenticate"} if "user" in asked else {}),
                status,
                said,
                at,
                ntlm.read(raw[place:]),
            )
            native = [
                text_of
                for text_of in _strings(
                    raw[place + (int.from_bytes(words[6:8], "little") if len(words) >= 8 else 0) :], wide
                )
                if text_of
            ]
            if native and "native_os" not in self.talk.facts:
                self.talk.facts["native_os"] = native[0]
        elif command == 0x75:
            if status == 0 and asked.get("tree"):
                self.trees[tree] = str(asked["tree"])
            yield self.smb(
                0,
                asked.get("at", at),
                {"command": name, "tree": asked.get("tree"), "status": said, "answered_ok": status == 0},
            )
        elif command in (0xA2, 0x2D) and asked:
            yield from self._created(asked, status, said, tree, words[5:7] if command == 0xA2 else words[4:6])
        elif command == 0x06:
            yield self.smb(0, asked.get("at", at), {"command": "delete", "file": asked.get("file"), "status": said})
        elif command == 0x2E and status == 0 and len(words) >= 14:
            start, length = int.from_bytes(words[12:14], "little"), int.from_bytes(words[10:12], "little")
            opened = self.files.get(asked.get("file_id", b""))
            if opened is not None:
                if _is_pipe(opened.name):
                    yield from self._pipe(1, at, asked["file_id"], raw[start : start + length])
                elif len(opened.read) < MOST:
                    opened.read[int(asked["offset"])] = (at + start, length)
        elif command == 0x25 and len(words) >= 16:
            start, length = int.from_bytes(words[14:16], "little"), int.from_bytes(words[12:14], "little")
            if status == 0xC0000205:
                yield self.smb(
                    1,
                    at,
                    {
                        "command": name,
                        "status": said,
                        "exploit_sign": "transaction answered as by a server without the update of MS17-010",
                    },
                )
            yield from self._pipe(1, at, asked.get("file_id", b""), raw[start : start + length])
        elif command == 0x32 and status == 0xC0000002 and asked.get("subcommand") == 0x0E:
            multiplex = number
            if multiplex in (0x51, 0x52):
                yield self.smb(
                    1, at, {"command": name, "status": said, "exploit_sign": "answer of a DoublePulsar backdoor"}
                )

    def _write1(self, at: int, raw: bytes, words: bytes) -> Iterator[Found]:
        start, length = int.from_bytes(words[22:24], "little"), int.from_bytes(words[20:22], "little")
        opened = self.files.get(words[4:6])
        if opened is None:
            return
        if _is_pipe(opened.name):
            yield from self._pipe(0, at, words[4:6], raw[start : start + length])
        elif len(opened.written) < MOST:
            opened.written[int.from_bytes(words[6:10], "little")] = (at + start, length)

    def _transaction(self, command: int, at: int, raw: bytes, words: bytes) -> Iterator[Found]:
        asked = self.asked[int.from_bytes(raw[30:32], "little") << 8 | command]
        if command == 0x32 and len(words) >= 30:
            asked["subcommand"] = int.from_bytes(words[28:30], "little")
            if asked["subcommand"] == 0x0E:  # SESSION_SETUP, which no client of a known system sends
                yield self.smb(
                    0,
                    at,
                    {
                        "command": "transaction 2",
                        "subcommand": "session setup",
                        "exploit_sign": "TRANS2_SESSION_SETUP as DoublePulsar uses it",
                    },
                )
        if command == 0xA0 and len(words) >= 19 and int.from_bytes(words[7:11], "little") > 0x10000:
            total = int.from_bytes(words[7:11], "little")
            yield self.smb(
                0,
                at,
                {
                    "command": "nt transaction",
                    "total_data": total,
                    "exploit_sign": "oversized NT transaction as of MS17-010 (EternalBlue)",
                },
            )

    def end(self) -> Iterator[Found]:
        """The files whose content went by."""
        for opened in [*self.closed, *self.files.values()]:
            for direction, pieces, stream in (
                ("to the client", opened.read, self.talk.server),
                ("to the server", opened.written, self.talk.client),
            ):
                if pieces and not _is_pipe(opened.name):
                    yield _carried(self.talk, self.version, opened, direction, pieces, stream)
        yield from self.pipes.end()
        if self.counts:
            self.talk.facts["commands"] = {k: v for k, v in sorted(self.counts.items()) if v}


def _is_pipe(name: str) -> bool:
    return name.lower().strip("\\").rpartition("\\")[2] in PIPES and name.count("\\") <= 1


def _text(raw: bytes, wide: bool) -> str:
    return _wide(raw) if wide else text(raw.split(b"\0")[0], 1000)


def _strings(raw: bytes, wide: bool) -> list[str]:
    if not wide:
        return [text(p, 200) for p in raw.split(b"\0")[:4]]
    for shift in (0, 1):
        found = raw[shift:].decode("utf-16-le", "replace").split("\0")[:4]
        if found and found[0].isascii() and found[0].isprintable():
            return [f[:200] for f in found]
    return []


def _old_session(words: bytes, raw: bytes, place: int, wide: bool) -> dict[str, Any]:
    if len(words) != 26:
        return {}
    ansi, unicode_length = int.from_bytes(words[14:16], "little"), int.from_bytes(words[16:18], "little")
    start = place + ansi + unicode_length
    if wide:
        start += start & 1
        names = raw[start:].decode("utf-16-le", "replace").split("\0")
    else:
        names = [text(p, 300) for p in raw[start:].split(b"\0")]
    names += ["", "", "", ""]
    return {"user": names[0][:300], "domain": names[1][:300], "native_os": names[2][:300], "native_lm": names[3][:300],
            "nt_response": raw[place + ansi : place + ansi + unicode_length].hex()[:200]}  # fmt: skip


def content(stream: Stream, pieces: dict[int, tuple[int, int]]) -> Iterator[bytes]:
    """The bytes of a carried file in order; what was not seen between is zeros."""
    at = 0
    for offset in sorted(pieces):
        place, length = pieces[offset]
        if offset > at:
            if offset - at > LARGEST:
                return
            yield bytes(offset - at)
            at = offset
        skip = at - offset
        if skip < length:
            yield stream.read(place + skip, length - skip)
            at = offset + length


def _carried(
    talk: Talk, protocol: str, opened: Opened, direction: str, pieces: dict[int, tuple[int, int]], stream: Stream
) -> Found:
    digest, size, head, missing, at = hashlib.sha256(), 0, b"", 0, 0
    for offset in sorted(pieces):
        missing += max(0, offset - at)
        at = max(at, offset + pieces[offset][1])
    for piece in content(stream, pieces):
        digest.update(piece)
        size += len(piece)
        head = head or piece[:4096]
    data = {"protocol": protocol or "SMB", "name": opened.name.replace("\\", "/").rpartition("/")[2] or "file",
    "path_named": opened.name,
            "direction": direction, "size": size, "sha256": digest.hexdigest(), "type": content_type(head),
            "complete": not missing and not stream.side.holes}  # fmt: skip
    return talk.found("file", stream, pieces[min(pieces)][0], data, partial(content, stream, pieces))


def session(talk: Talk) -> Iterator[Found]:
    """What an SMB connection in clear holds, in the order of its packets."""
    import heapq

    known = Session(talk)

    def of(stream: Stream, side: int) -> Iterator[tuple[int, int, int, bytes]]:
        for at, raw, _ in _frames(stream):
            yield stream.place(at)[0], side, at, raw

    for _, side, at, raw in heapq.merge(of(talk.client, 0), of(talk.server, 1), key=lambda m: m[:3]):
        if raw[:1] == b"\xfe":
            yield from known.two(side, at, raw)
        elif raw[:1] == b"\xff":
            yield from known.one(side, at, raw)
        elif raw[:1] == b"\xfd":
            known.version = "SMBv23"
            talk.facts["encrypted"] = True
    yield from known.end()
