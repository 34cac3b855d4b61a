"""Protocols of text lines: FTP, SMTP, POP3, IMAP, IRC, Telnet: commands, answers, names, passwords, carried files.

Sources: RFC 959, 2428 (FTP), 5321, 4954 (SMTP), 1939 (POP3), 9051 (IMAP), 2812 (IRC), 854, 1408 (Telnet).
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from functools import partial
from typing import Any

from wigmore.formats.capture.flows import Stream
from wigmore.formats.capture.found import Found, content_type, measured, text
from wigmore.formats.capture.http import PIECE
from wigmore.formats.capture.talk import Talk

MOST_LINES = 20_000
Line = tuple[int, int, int, str]  # packet, side, offset, text


def merged(talk: Talk, most: int = MOST_LINES) -> Iterator[Line]:
    """The lines of both sides in the order of their packets; within one packet number the client's come first."""

    def of(stream: Stream, side: int) -> Iterator[Line]:
        at = 0
        for _ in range(most):
            if at >= stream.size:
                return
            line, following = stream.line(at, 8192)
            yield stream.place(at)[0], side, at, text(line, 4000)
            at = max(following, at + 1)

    import heapq

    yield from heapq.merge(of(talk.client, 0), of(talk.server, 1), key=lambda one: one[:2])


def _unbase64(value: str) -> str:
    try:
        return text(base64.b64decode(value.strip() + "==", validate=False))
    except (binascii.Error, ValueError):
        return value


def span(stream: Stream, at: int, end: int) -> Iterator[bytes]:
    """The bytes of a part of a stream in pieces."""
    while at < end:
        piece = stream.read(at, min(PIECE, end - at))
        if not piece:
            return
        yield piece
        at += len(piece)


class Pending:
    """Commands waiting for an answer: an answer of several lines belongs to one command."""

    def __init__(self, talk: Talk, protocol: str) -> None:
        self.talk, self.protocol = talk, protocol
        self.waiting: list[dict[str, Any]] = []
        self.places: list[int] = []

    def command(self, at: int, name: str, argument: str) -> None:
        """Note a command."""
        self.waiting.append({"protocol": self.protocol, "command": name, "argument": argument})
        self.places.append(at)

    def answered(self, code: str, message: str) -> Iterator[Found]:
        """The command an answer belongs to, as an observation."""
        if self.waiting:
            data, at = self.waiting.pop(0), self.places.pop(0)
            yield self.talk.found("command", self.talk.client, at, data | {"code": code, "answer": message})

    def rest(self) -> Iterator[Found]:
        """Commands that were never answered."""
        for data, at in zip(self.waiting, self.places, strict=True):
            yield self.talk.found("command", self.talk.client, at, data)
        self.waiting, self.places = [], []


def ftp(talk: Talk, expected: dict[tuple[str, int], dict[str, Any]]) -> Iterator[Found]:
    """Commands of an FTP control connection; data connections it announces are noted in `expected` by endpoint."""
    pending, user, password, at_user = Pending(talk, "FTP"), "", "", 0
    coming: dict[str, Any] = {}
    banner, tried = "", False
    for _, side, at, line in merged(talk):
        if side == 0:
            name, _, argument = line.strip().partition(" ")
            name = name.upper()
            if not re.fullmatch(r"[A-Z]{3,4}|\xff.*", name):
                continue
            pending.command(at, name, argument)
            if name == "USER":
                user, at_user = argument, at
            elif name == "PASS":
                password, tried = argument, True
            elif name in ("PORT", "EPRT"):
                place = _port(argument) if name == "PORT" else _eprt(argument)
                if place:
                    coming = expected[place] = {"control": talk.conversation.number}
            elif name in ("RETR", "STOR", "STOU", "APPE", "LIST", "NLST", "MLSD"):
                coming |= {"command": name, "name": argument}
            continue
        code, rest = line[:3], line[4:]
        if not (code.isdigit() and line[3:4] == " "):
            if not banner and line[:4] == "220-":
                banner = rest
            continue
        if code == "220" and not pending.waiting:
            banner = banner or rest
            yield talk.found("banner", talk.server, at, {"protocol": "FTP", "banner": banner})
            talk.facts["banner"] = banner
            continue
        if code in ("227", "229"):
            place = _port(rest) if code == "227" else None
            extended = re.search(r"\(\|\|\|(\d{1,5})\|\)", rest)
            if extended:
                place = (talk.conversation.server[0], int(extended[1]))
            if place:
                coming = expected[place] = {"control": talk.conversation.number}
                expected.setdefault((talk.conversation.server[0], place[1]), coming)
        if tried and code in ("230", "530", "430", "332"):
            tried = False
            yield talk.found(
                "credential", talk.client, at_user,
                {"protocol": "FTP", "scheme": "FTP", "user": user, "password": password, "clear_text": True,
                 "result": "accepted" if code == "230" else "refused", "code": code},
            )  # fmt: skip
        if code[0] == "1":
            continue  # a preliminary answer: another follows
        yield from pending.answered(code, rest)
    if tried:
        yield talk.found(
            "credential", talk.client, at_user,
            {"protocol": "FTP", "scheme": "FTP", "user": user, "password": password, "clear_text": True, "result": "not seen"},
        )  # fmt: skip
    yield from pending.rest()


def _port(value: str) -> tuple[str, int] | None:
    found = re.search(r"(\d{1,3}),(\d{1,3}),(\d{1,3}),(\d{1,3}),(\d{1,3}),(\d{1,3})", value)
    return (".".join(found.groups()[:4]), int(found[5]) * 256 + int(found[6])) if found else None


def _eprt(value: str) -> tuple[str, int] | None:
    found = re.match(r"\|[12]\|([^|]+)\|(\d{1,5})\|", value)
    return (found[1], int(found[2])) if found else None


def ftp_data(talk: Talk, announced: dict[str, Any]) -> Iterator[Found]:
    """The file or list that an announced data connection carried."""
    command = str(announced.get("command", ""))
    stream = talk.client if talk.client.size > talk.server.size else talk.server
    if not stream.size:
        return
    listing = command in ("LIST", "NLST", "MLSD")
    content = partial(span, stream, 0, stream.size)
    size, digest, head = measured(content())
    data: dict[str, Any] = {
        "protocol": "FTP", "command": command, "name": "directory list" if listing else str(announced.get("name",
        "")).replace("\\", "/").rpartition("/")[2],
        "path_named": announced.get("name"), "size": size, "sha256": digest, "type": content_type(head),
        "direction": "to the server" if command in ("STOR", "STOU", "APPE") else "to the client",
        "complete": not stream.side.holes, "control_conversation": announced.get("control"),
    }  # fmt: skip
    if listing:
        data["text"] = text(stream.read(0, 8192), 8192)
    yield talk.found("file", stream, 0, data, content)


def smtp(talk: Talk) -> Iterator[Found]:
    """Commands, credentials and messages of an SMTP connection."""
    pending = Pending(talk, "SMTP")
    sender, recipients, login = "", list[str](), list[str]()
    mode, begin, hello = "", 0, ""
    for _, side, at, line in merged(talk):
        if side == 1:
            if line[3:4] == "-" or not line[:3].isdigit():
                if line[:4] == "220-" and not talk.host:
                    _greeted(talk, line[4:])
                continue
            code, rest = line[:3], line[4:]
            if code == "220" and not pending.waiting and "banner" not in talk.facts:
                _greeted(talk, rest)
                yield talk.found("banner", talk.server, at, {"protocol": "SMTP", "banner": rest, "host": talk.host})
                continue
            if code == "354":
                mode, begin = "data", 0
            elif code == "220" and pending.waiting and pending.waiting[0]["command"] == "STARTTLS":
                mode = "tls"
            if code == "334":
                continue
            if mode == "login" and code in ("235", "535", "534", "538"):
                yield from _login(talk, login, code)
                mode = ""
            yield from pending.answered(code, rest)
            continue
        if mode == "tls":
            break
        if mode == "data":
            begin = begin or at + 1
            if line == ".":
                yield from _mail(
                    talk,
                    "SMTP",
                    talk.client,
                    begin - 1,
                    at,
                    {"sender": sender, "recipients": recipients, "helo": hello},
                )
                mode, recipients = "", []
            continue
        if mode == "login":
            login.append(line)
            continue
        name, _, argument = line.partition(" ")
        name = name.upper()
        if name in ("MAIL", "RCPT"):
            who = re.search(r"<([^>]*)>", argument)
            if name == "MAIL":
                sender, recipients = who[1] if who else argument, []
            elif len(recipients) < 500:
                recipients.append(who[1] if who else argument)
        elif name in ("EHLO", "HELO"):
            hello = argument
        elif name == "AUTH":
            mode, login = "login", [argument]
        if re.fullmatch(r"[A-Z]{4,10}", name):
            pending.command(at, name, argument)
    if mode == "data" and begin:
        yield from _mail(
            talk,
            "SMTP",
            talk.client,
            begin - 1,
            talk.client.size,
            {"sender": sender, "recipients": recipients, "helo": hello, "complete": False},
        )
    if mode == "login":
        yield from _login(talk, login, "")
    yield from pending.rest()


def _greeted(talk: Talk, line: str) -> None:
    talk.facts["banner"] = line
    talk.host = talk.host or (line.split(" ")[0] if "." in line.split(" ")[0] else "")


def _login(talk: Talk, lines: list[str], code: str) -> Iterator[Found]:
    scheme, _, first = lines[0].partition(" ")
    rest = [first, *lines[1:]] if first else lines[1:]
    data: dict[str, Any] = {"protocol": "SMTP", "scheme": f"AUTH {scheme.upper()}", "clear_text": True}
    if scheme.upper() == "PLAIN" and rest:
        parts = [text(p) for p in base64_bytes(rest[0]).split(b"\0")]
        data |= {"user": parts[1] if len(parts) > 1 else "", "password": parts[2] if len(parts) > 2 else ""}
    elif scheme.upper() == "LOGIN" and rest:
        data |= {"user": _unbase64(rest[0]), "password": _unbase64(rest[1]) if len(rest) > 1 else ""}
    else:
        data |= {"clear_text": False, "response": _unbase64(rest[-1]) if rest else ""}
        from wigmore.formats.capture.ntlm import from_base64

        for one in rest:
            data |= from_base64(one)
    data["result"] = {"": "not seen", "235": "accepted"}.get(code, "refused")
    yield talk.found("credential", talk.client, 0, data)


def base64_bytes(value: str) -> bytes:
    """The bytes of a text in Base64; nothing where it is none."""
    try:
        return base64.b64decode(value.strip() + "==", validate=False)
    except (binascii.Error, ValueError):
        return b""


def _mail(talk: Talk, protocol: str, stream: Stream, begin: int, end: int, told: dict[str, Any]) -> Iterator[Found]:
    head = stream.read(begin, min(32768, end - begin)).replace(b"\r\n", b"\n")
    headers = re.sub(rb"\n[ \t]+", b" ", head.partition(b"\n\n")[0])
    named = {}
    for name in ("from", "to", "cc", "subject", "date", "message-id", "x-mailer", "user-agent", "x-originating-ip"):
        found = re.search(rb"(?im)^" + name.encode() + rb":[ \t]*(.*)$", headers)
        if found:
            named[name.replace("-", "_")] = _words(text(found[1].strip()))
    attachments = [
        text(m) for m in re.findall(rb'(?i)(?:file)?name="?([^"\r\n;]+)', stream.read(begin, min(1 << 20, end - begin)))
    ]
    content = partial(span, stream, begin, end)
    size, digest, _ = measured(content())
    named["attachments"] = sorted(set(attachments))[:50]  # type: ignore[assignment]
    yield talk.found("mail", stream, begin, {"protocol": protocol, **told, **named, "size": size, "sha256": digest})
    said = {"protocol": protocol, "name": "message.eml", "size": size, "sha256": digest, "type": "e-mail",
    "subject": named.get("subject"),
            "direction": "to the server" if stream is talk.client else "to the client",
            "complete": not stream.side.holes}  # fmt: skip
    yield talk.found("file", stream, begin, said, content)


def _words(value: str) -> str:
    from email.errors import HeaderParseError
    from email.header import decode_header, make_header

    try:
        return str(make_header(decode_header(value)))
    except (LookupError, ValueError, HeaderParseError):
        return value


def pop3(talk: Talk) -> Iterator[Found]:
    """Commands, credentials and messages of a POP3 connection."""
    pending, user = Pending(talk, "POP3"), ""
    at_login, password, body = 0, "", -1
    for _, side, at, line in merged(talk):
        if side == 0:
            name, _, argument = line.partition(" ")
            name = name.upper()
            if not re.fullmatch(r"[A-Z]{3,6}", name):
                continue
            pending.command(at, name, argument)
            if name == "USER":
                user, at_login = argument, at
            elif name == "PASS":
                password = argument
            elif name == "APOP":
                user, at_login = argument.partition(" ")[0], at
            continue
        if body >= 0:
            if line == ".":
                yield from _mail(talk, "POP3", talk.server, body, at, {})
                body = -1
            continue
        if line[:3] not in ("+OK", "-ER"):
            continue
        if "banner" not in talk.facts and not pending.waiting:
            talk.facts["banner"] = line[4:]
            yield talk.found("banner", talk.server, at, {"protocol": "POP3", "banner": line[4:]})
            continue
        command = pending.waiting[0]["command"] if pending.waiting else ""
        if command in ("PASS", "APOP"):
            yield talk.found(
                "credential", talk.client, at_login,
                {"protocol": "POP3", "scheme": command, "user": user, "password": password, "clear_text": command == "PASS",
                 "result": "accepted" if line[:3] == "+OK" else "refused"},
            )  # fmt: skip
        elif command in ("RETR", "TOP") and line[:3] == "+OK":
            body = talk.server.line(at)[1]
        yield from pending.answered(line[:4].strip(), line[4:])
    yield from pending.rest()


def imap(talk: Talk) -> Iterator[Found]:
    """Commands and credentials of an IMAP connection."""
    waiting: dict[str, tuple[int, str, str]] = {}
    for _, side, at, line in merged(talk):
        tag, _, rest = line.partition(" ")
        if side == 0:
            name, _, argument = rest.partition(" ")
            if (
                re.fullmatch(r"[A-Za-z0-9.]{1,12}", tag)
                and re.fullmatch(r"[A-Za-z]{3,14}", name)
                and len(waiting) < 1000
            ):
                waiting[tag] = (at, name.upper(), argument)
            continue
        if "banner" not in talk.facts and tag == "*":
            talk.facts["banner"] = rest
            yield talk.found("banner", talk.server, at, {"protocol": "IMAP", "banner": rest})
            continue
        if tag not in waiting:
            continue
        place, name, argument = waiting.pop(tag)
        code = rest.partition(" ")[0]
        yield talk.found(
            "command",
            talk.client,
            place,
            {"protocol": "IMAP", "command": name, "argument": argument, "code": code, "answer": rest[len(code) + 1 :]},
        )
        if name == "LOGIN":
            words = [quoted or plain for quoted, plain in re.findall(r'"((?:[^"\\]|\\.)*)"|(\S+)', argument)] + ["", ""]
            yield talk.found(
                "credential", talk.client, place,
                {"protocol": "IMAP", "scheme": "LOGIN", "user": words[0], "password": words[1], "clear_text": True,
                 "result": "accepted" if code.upper() == "OK" else "refused"},
            )  # fmt: skip
    for place, name, argument in waiting.values():
        yield talk.found("command", talk.client, place, {"protocol": "IMAP", "command": name, "argument": argument})


def irc(talk: Talk) -> Iterator[Found]:
    """Messages of an IRC connection."""
    password = ""
    for _, side, at, line in merged(talk):
        found = re.match(r"(?::(\S+) )?([A-Za-z]{3,12}|\d{3})(?: (.*))?$", line.strip())
        if not found:
            continue
        prefix, command, rest = found[1] or "", found[2].upper(), found[3] or ""
        if command in ("PING", "PONG"):
            continue
        before, _, message = rest.partition(" :") if not rest.startswith(":") else ("", "", rest[1:])
        stream = talk.server if side else talk.client
        data = {"protocol": "IRC", "command": command, "argument": before, "answer": message, "by": prefix,
                "from": "server" if side else "client"}  # fmt: skip
        if command in ("JOIN", "PRIVMSG", "NOTICE", "TOPIC", "PART"):
            data["channel"] = (before or message).split(" ")[0]
        yield talk.found("command", stream, at, data)
        if command == "PASS" and not side:
            password = rest
        if command == "NICK" and not side:
            talk.facts.setdefault("nick", rest.lstrip(":"))
        if command == "USER" and not side and password:
            yield talk.found(
                "credential", stream, at,
                {"protocol": "IRC", "scheme": "PASS", "user": talk.facts.get("nick", rest.split(" ")[0]),
                "password": password, "clear_text": True},
            )  # fmt: skip


OPTIONS = {
    1: "echo",
    3: "suppress go ahead",
    24: "terminal type",
    31: "window size",
    32: "terminal speed",
    39: "environment",
}


def _telnet_text(raw: bytes) -> tuple[bytes, dict[str, str]]:
    """The typed or shown bytes without negotiation, and what sub-negotiations tell."""
    out, told, at = bytearray(), dict[str, str](), 0
    while at < len(raw):
        if raw[at] != 255:
            out.append(raw[at])
            at += 1
        elif raw[at + 1 : at + 2] == b"\xfa":
            end = raw.find(b"\xff\xf0", at)
            if end < 0:
                break
            option, data = raw[at + 2], raw[at + 4 : end]
            if option in (24, 32, 39) and raw[at + 3] == 0 and data:
                told[OPTIONS[option].replace(" ", "_")] = text(
                    data.replace(b"\0", b" ").replace(b"\1", b"="), 500
                ).strip()
            at = end + 2
        elif raw[at + 1 : at + 2] == b"\xff":
            out.append(255)
            at += 2
        else:
            at += 3 if raw[at + 1 : at + 2] in (b"\xfb", b"\xfc", b"\xfd", b"\xfe") else 2
    return bytes(out), told


def _typed(raw: bytes) -> str:
    """A line as typed, deletions done."""
    out: list[str] = []
    for char in raw.decode("latin-1"):
        if char in "\x08\x7f":
            if out:
                out.pop()
        elif char not in "\0\r":
            out.append(char)
    return text("".join(out).encode("utf-8"), 2000)


def telnet(talk: Talk) -> Iterator[Found]:
    """What was typed and shown in a Telnet session: lines, and what followed the prompts for name and password."""
    sent, told = _telnet_text(talk.client.read(0, 1 << 20))
    shown, _ = _telnet_text(talk.server.read(0, 1 << 20))
    lines = [_typed(x) for x in re.split(rb"\r\n|\r\0|\r|\n", sent)]
    banner = text(shown[:2000].strip(), 2000)
    yield talk.found("banner", talk.server, 0, {"protocol": "Telnet", "banner": banner, **told})
    talk.facts["banner"] = banner[:200]
    typed = [x for x in lines if x]
    prompts = [m[1].lower() for m in re.finditer(rb"(?i)(login|user ?name|password|passwd)\s*:", shown)]
    user = password = ""
    attempts, index = [], 0
    for prompt in prompts:
        if index >= len(typed):
            break
        if prompt[:4] in (b"logi", b"user"):
            user, index = typed[index], index + 1
        else:
            password, index = typed[index], index + 1
            attempts.append((user, password))
    refused = len(re.findall(rb"(?i)(login incorrect|login failed|authentication failed|access denied)", shown))
    for number, (name, secret) in enumerate(attempts):
        yield talk.found(
            "credential", talk.client, 0,
            {"protocol": "Telnet", "scheme": "Telnet login", "user": name, "password": secret, "clear_text": True,
            "attempt": number + 1,
             "result": "refused" if number < refused else "accepted or not seen"},
        )  # fmt: skip
    if user and not attempts:
        yield talk.found(
            "credential",
            talk.client,
            0,
            {"protocol": "Telnet", "scheme": "Telnet login", "user": user, "clear_text": True},
        )
    for number, line in enumerate(typed[index : index + 2000]):
        yield talk.found("command", talk.client, 0, {"protocol": "Telnet", "command": line, "line": number + 1})
