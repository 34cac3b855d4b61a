"""HTTP/1 requests and responses of a conversation, with bodies measured, and what they carry.

Sources: RFC 9110, 9112; RFC 7617 (Basic), 7616 (Digest); RFC 7578 (form data).
"""

from __future__ import annotations

import base64
import binascii
import re
import zlib
from collections.abc import Iterator
from functools import partial
from typing import Any
from urllib.parse import parse_qsl, unquote_plus

from wigmore.formats.capture.flows import Stream
from wigmore.formats.capture.found import Found, content_type, measured, text
from wigmore.formats.capture.naming import HTTP
from wigmore.formats.capture.talk import Talk

MOST_MESSAGES = 20_000
MOST_HEADERS = 200
FORM_BYTES = 65536
LARGEST_DECODED = 1 << 28
PIECE = 65536
SECRETS = re.compile(
    r"(?i)^(.*(passw(or)?d?|passwd|pwd|passphrase|secret)|pass|pw|psw|kennwort|senha|contrase.a|motdepasse)$"
)
USERS = re.compile(r"(?i)^(.*(user(_?name|_?id)?|login(_?name)?|e?mail|account|benutzer|usuario)|usr|uid|log|id|name)$")
METHOD = re.compile(rb"[A-Z_-]{3,16} ")


class Message:
    """One request or response: first line, headers, and where its body lies."""

    __slots__ = ("at", "body", "chunked", "end", "first", "headers", "whole")

    def __init__(self, at: int, first: bytes) -> None:
        self.at, self.first = at, first
        self.headers: list[tuple[str, str]] = []
        self.body, self.end = at, at
        self.chunked = False
        self.whole = True

    def get(self, name: str) -> str:
        """The first header of a name (lower case)."""
        return next((v for k, v in self.headers if k == name), "")


def _headers(stream: Stream, message: Message, at: int) -> int:
    for _ in range(MOST_HEADERS):
        line, following = stream.line(at)
        if following == at:
            message.whole = False
            return at
        at = following
        if not line:
            return at
        name, mark, value = line.partition(b":")
        if mark:
            message.headers.append((text(name.strip(), 200).lower(), text(value.strip(), 8000)))
    return at


def _chunks(stream: Stream, at: int) -> Iterator[tuple[int, int]]:
    """(offset, length) of the chunks of a body, then (offset after it, −1); stops short where the stream ends."""
    while True:
        line, following = stream.line(at, 4096)
        try:
            length = int(line.split(b";")[0].strip() or b"x", 16)
        except ValueError:
            return
        if length < 0:
            return
        if length == 0:
            while True:
                line, after = stream.line(following, 4096)
                if not line or after == following:
                    break
                following = after
            yield after, -1
            return
        yield following, min(length, max(0, stream.size - following))
        at = following + length + 2
        if at > stream.size + 2:
            return


def body(stream: Stream, start: int, end: int, chunked: bool, encoding: str) -> Iterator[bytes]:
    """The content of a body, transfer and content encoding undone (gzip, deflate; others are left as they are)."""

    def plain() -> Iterator[bytes]:
        spans = [(a, n) for a, n in _chunks(stream, start) if n >= 0] if chunked else [(start, end - start)]
        for at, length in spans:
            while length > 0:
                piece = stream.read(at, min(PIECE, length))
                if not piece:
                    return
                yield piece
                at, length = at + len(piece), length - len(piece)

    if encoding not in ("gzip", "x-gzip", "deflate"):
        yield from plain()
        return
    decoder, produced = zlib.decompressobj(47 if encoding != "deflate" else 15), 0
    for piece in plain():
        while piece:
            try:
                out = decoder.decompress(piece, PIECE)
            except zlib.error:
                if encoding == "deflate" and not produced:
                    decoder = zlib.decompressobj(-15)  # some servers send deflate without its header
                    encoding = "raw"
                    continue
                return
            produced += len(out)
            if produced > LARGEST_DECODED:
                return
            yield out
            piece = decoder.unconsumed_tail
            if not out and not piece:
                break


def _messages(stream: Stream, response: bool, methods: list[str]) -> Iterator[Message]:
    at, count = 0, 0
    while at < stream.size and count < MOST_MESSAGES:
        line, following = stream.line(at)
        if not line and following > at:
            at = following
            continue
        if not (line.startswith(b"HTTP/") if response else METHOD.match(line) and HTTP.match(line)):
            place = stream.find(b"HTTP/1." if response else b" HTTP/1.", at + 1, 1 << 22)
            if place < 0:
                return
            if not response:
                window = stream.read(max(at, place - 8192), place - max(at, place - 8192))
                place = max(at, place - 8192) + window.rfind(b"\n") + 1
                if place <= at:
                    at = following
                    continue
            at = place
            count += 1
            continue
        message = Message(at, line)
        count += 1
        message.body = message.end = _headers(stream, message, following)
        _place_body(stream, message, response, methods[count - 1] if response and count <= len(methods) else "")
        at = max(message.end, message.body)
        yield message
        if response and line[9:12] == b"101":
            return


def _place_body(stream: Stream, message: Message, response: bool, method: str) -> None:
    status = message.first[9:12]
    if response and (status[:1] == b"1" or status in (b"204", b"304") or method == "HEAD"):
        return
    length = message.get("content-length")
    if "chunked" in message.get("transfer-encoding").lower():
        message.chunked, message.whole = True, False
        for at, size in _chunks(stream, message.body):
            message.end = at + max(size, 0)
            message.whole = size < 0
        return
    if length.isdigit() and len(length) < 16:
        message.end = min(stream.size, message.body + int(length))
        message.whole = message.end - message.body == int(length)
        return
    if response:
        message.end = stream.size  # until the connection ends (RFC 9112 6.3)


def _form(kind: str, raw: bytes) -> dict[str, str]:
    if "json" in kind:
        pairs = re.findall(rb'"([A-Za-z0-9_.-]{1,80})"\s*:\s*"((?:[^"\\]|\\.){0,2000})"', raw)
        return {text(k): text(v) for k, v in pairs[:100]}
    if "multipart/form-data" in kind:
        out = {}
        for part in re.finditer(
            rb'(?i)content-disposition: form-data; name="([^"]{0,200})"([^\r\n]*)\r\n((?:[^\r\n]+\r\n)*)\r\n(.*?)\r\n--',
            raw,
            re.S,
        ):
            name = re.search(rb'filename="([^"]*)"', part[2])
            out[text(part[1])] = f"file {text(name[1])}" if name else text(part[4], 1000)
            if len(out) >= 100:
                break
        return out
    try:
        return {
            k[:200]: v[:4000]
            for k, v in parse_qsl(text(raw, FORM_BYTES), keep_blank_values=True, max_num_fields=500)[:200]
        }
    except ValueError:
        return {}


def decoded(value: str) -> str:
    """A query with its percent signs undone, twice where needed: filters are evaded by writing them double."""
    out = unquote_plus(value, errors="backslashreplace")
    return unquote_plus(out, errors="backslashreplace") if re.search(r"%[0-9a-fA-F]{2}", out) else out


def _cookies(values: list[str], sent: bool) -> list[str]:
    pieces = [p for v in values for p in (v.split(";") if sent else [v.split(";")[0]])]
    return sorted({p.split("=")[0].strip()[:200] for p in pieces if p.strip()})[:100]


def _request(stream: Stream, message: Message) -> dict[str, Any]:
    method, _, rest = message.first.partition(b" ")
    uri, _, version = rest.rpartition(b" ")
    if not version.startswith(b"HTTP/"):
        uri, version = rest, b""
    target = text(uri, 16000)
    path, _, query = target.partition("?")
    host = message.get("host")
    out: dict[str, Any] = {
        "method": text(method), "host": host, "uri": target, "path": path, "query": query,
        "query_decoded": decoded(query) if query else "", "path_decoded": decoded(path) if "%" in path else "",
        "url": target if "://" in target else f"http://{host}{target}" if host else "", "version": text(version),
        "user_agent": message.get("user-agent"), "referer": message.get("referer"),
        "request_content_type": message.get("content-type"), "origin": message.get("origin"),
        "forwarded_for": message.get("x-forwarded-for"), "soap_action": message.get("soapaction"),
        "cookie_names": _cookies([v for k, v in message.headers if k == "cookie"], True),
    }  # fmt: skip
    others = {
        k: v[:2000]
        for k, v in message.headers
        if re.search(r"\$\{|\(\)\s*\{|<script|\.\./|['\"]\s*(or|union)\b", v, re.I)
    }
    if others:
        out["odd_headers"] = others
    if message.end > message.body:
        out |= _measure(stream, message, "request", False)
        raw = stream.read(message.body, min(FORM_BYTES, message.end - message.body))
        kind = message.get("content-type").lower()
        if (
            "urlencoded" in kind
            or "multipart" in kind
            or "json" in kind
            or re.match(rb"[\w.%\[\]-]+=[^\r\n]*$", raw[:4096])
        ):
            out["form"] = _form(kind, raw)
        if "form" not in out or "multipart" in kind or "json" in kind or "xml" in kind:
            sample = text(raw, 2000)
            if sample.count("\\x") * 8 < len(sample):
                out["request_body"] = sample
    return out


def _measure(stream: Stream, message: Message, prefix: str, decode: bool = True) -> dict[str, Any]:
    encoding = message.get("content-encoding").lower().strip() if decode else ""
    size, digest, head = measured(body(stream, message.body, message.end, message.chunked, encoding))
    out = {f"{prefix}_body_size": size, f"{prefix}_body_sha256": digest, f"{prefix}_body_type": content_type(head)}
    if not message.whole:
        out[f"{prefix}_body_complete"] = False
    return out


def _file_name(request: dict[str, Any], response: Message) -> str:
    said = re.search(r'filename\*?="?(?:UTF-8\'\')?([^";]+)', response.get("content-disposition"))
    name = said[1] if said else str(request.get("path", "")).rstrip("/").rpartition("/")[2]
    return decoded(name).replace("\\", "/").rpartition("/")[2][:200] or "index"


def _credentials(request: dict[str, Any], message: Message) -> Iterator[dict[str, Any]]:
    for header in ("authorization", "proxy-authorization"):
        scheme, _, value = message.get(header).partition(" ")
        if scheme.lower() == "basic":
            try:
                user, _, password = text(base64.b64decode(value.strip() + "==", validate=False)).partition(":")
            except (binascii.Error, ValueError):
                continue
            yield {"scheme": "HTTP Basic", "user": user, "password": password, "clear_text": True}
        elif scheme.lower() == "digest":
            told = dict(re.findall(r'(\w+)="?([^",]*)', value))
            shown = {k: told.get(k) for k in ("realm", "nonce", "uri", "response") if told.get(k)}
            yield {"scheme": "HTTP Digest", "user": told.get("username", ""), **shown, "clear_text": False}
        elif scheme.lower() in ("ntlm", "negotiate"):
            from wigmore.formats.capture.ntlm import from_base64

            told_ntlm = from_base64(value)
            if told_ntlm.get("ntlm_message") == "authenticate":
                yield {"scheme": "HTTP NTLM", **told_ntlm, "clear_text": False}
        elif scheme.lower() == "bearer":
            yield {"scheme": "HTTP Bearer", "token": value[:2000], "clear_text": True}
    fields: dict[str, str] = dict(request.get("form") or {})
    if request.get("query"):
        fields |= _form("", str(request["query"]).encode())
    secret = next((k for k in fields if SECRETS.match(k) and fields[k]), "")
    if secret:
        user = next((k for k in fields if USERS.match(k) and k != secret and fields[k]), "")
        yield {
            "scheme": "HTTP form", "user": fields.get(user, ""), "password": fields[secret], "user_field": user,
            "password_field": secret, "clear_text": True,
        }  # fmt: skip


def exchanges(talk: Talk) -> Iterator[Found]:
    """Requests with their responses in order, credentials and carried files."""
    requests = list(_messages(talk.client, False, []))
    told = [_request(talk.client, m) for m in requests]
    methods = [str(r["method"]) for r in told]
    responses = [m for m in _messages(talk.server, True, methods) if m.first[9:10] != b"1" or m.first[9:12] == b"101"]
    for index in range(max(len(requests), len(responses))):
        request = told[index] if index < len(told) else {}
        reply = responses[index] if index < len(responses) else None
        if request.get("host") and not talk.host:
            talk.host = str(request["host"])
        data = {"protocol": "HTTP", **request}
        size = 0
        if reply is not None:
            status, _, reason = reply.first[9:].partition(b" ")
            data |= {
                "status": int(status) if status.isdigit() and len(status) < 5 else None, "reason": text(reason, 200),
                "server": reply.get("server"), "content_type": reply.get("content-type"), "location": reply.get("location"),
                "powered_by": reply.get("x-powered-by"), "authenticate": reply.get("www-authenticate"),
                "set_cookie_names": _cookies([v for k, v in reply.headers if k == "set-cookie"], False),
                "content_disposition": reply.get("content-disposition"),
            }  # fmt: skip
            if reply.end > reply.body:
                data |= _measure(talk.server, reply, "response")
                size = int(data["response_body_size"])
            _, answered, _ = talk.server.place(reply.at)
            data["answered_after_ms"] = (
                max(0, (answered - talk.client.place(requests[index].at)[1]) // 1_000_000)
                if index < len(requests)
                else None
            )
        where, at = (
            (talk.client, requests[index].at) if index < len(requests) else (talk.server, reply.at if reply else 0)
        )
        yield talk.found("http", where, at, data)
        if index < len(requests):
            for one in _credentials(request, requests[index]):
                answer = {"status": data.get("status"), "url": data.get("url")}
                yield talk.found("credential", where, at, {"protocol": "HTTP", **one, **answer})
        if reply is not None and size:
            encoding = reply.get("content-encoding").lower().strip()
            content = partial(body, talk.server, reply.body, reply.end, reply.chunked, encoding)
            said = {
                "protocol": "HTTP", "name": _file_name(request, reply), "direction": "to the client", "size": size,
                "sha256": data["response_body_sha256"], "type": data["response_body_type"], "url": data.get("url"),
                "content_type": data.get("content_type"), "complete": reply.whole and not talk.server.side.holes,
                "host": data.get("host"), "status": data.get("status"), "user_agent": data.get("user_agent"),
            }  # fmt: skip
            yield talk.found("file", talk.server, reply.body, said, content)
        if request.get("request_body_size") and request.get("method") in ("POST", "PUT", "PATCH", "BITS_POST"):
            yield from _uploads(talk, requests[index], request)


def _uploads(talk: Talk, message: Message, request: dict[str, Any]) -> Iterator[Found]:
    kind = message.get("content-type")
    common = {"protocol": "HTTP", "direction": "to the server", "url": request.get("url"), "host": request.get("host"),
              "content_type": kind, "complete": message.whole and not talk.client.side.holes}  # fmt: skip
    boundary = re.search(r'boundary="?([^";]+)', kind)
    if "multipart/form-data" in kind.lower() and boundary and not message.chunked:
        mark = b"--" + boundary[1].encode("latin-1", "replace")[:200]
        at = message.body
        for _ in range(200):
            start = talk.client.find(mark, at, message.end - at)
            if start < 0:
                return
            part = Message(start, b"")
            _, following = talk.client.line(start)
            part.body = _headers(talk.client, part, following)
            end = talk.client.find(b"\r\n" + mark, part.body, message.end - part.body)
            name = re.search(r'filename="([^"]*)"', part.get("content-disposition"))
            if name and end > part.body:
                yield _upload(
                    talk,
                    part.body,
                    end,
                    False,
                    common | {"name": name[1] or "upload", "content_type": part.get("content-type")},
                )
            if end < 0:
                return
            at = end + 2
        return
    if "urlencoded" in kind.lower():
        return
    name_of = str(request.get("path", "")).rstrip("/").rpartition("/")[2][:200] or "upload"
    yield _upload(talk, message.body, message.end, message.chunked, common | {"name": decoded(name_of)})


def _upload(talk: Talk, start: int, end: int, chunked: bool, data: dict[str, Any]) -> Found:
    content = partial(body, talk.client, start, end, chunked, "")
    size, digest, head = measured(content())
    return talk.found(
        "file", talk.client, start, data | {"size": size, "sha256": digest, "type": content_type(head)}, content
    )
