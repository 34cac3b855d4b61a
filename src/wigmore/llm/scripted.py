"""A server on loopback that answers chat completions from a script: model agents are tried without a model.

It answers POST …/chat/completions, GET …/models and GET …/models/NAME under any base path, as OpenAI's API does
(models: https://developers.openai.com/api/reference/cli/resources/models/methods/list); `scripted_wire` has the words.

    with Scripted([Reply(calls=(("search", {"words": "invoice"}),)), Reply("Nothing more to ask.")]) as server:
        run_my_agent(server.base_url)
    assert server.asked[1].tool_results

`python -m wigmore.llm.scripted FILE` serves the replies of a JSON lines file, the fields of one Reply a line.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import socket
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self
from urllib.parse import unquote

from wigmore.llm.scripted_wire import Asked, Reply, as_json, body_of

__all__ = ["Asked", "Reply", "Scripted", "main", "read_replies"]

LARGEST_REQUEST = 64 * 1024 * 1024  # bytes of a body


class Scripted:
    """The server, up between `with` and its end: `base_url` is what a client is given, `asked` what arrived so far.

    `script` is called with each completion asked for, several at once where the client asks so; or it yields the
    replies in their order, after the last of which every request is answered 500. Without `key` any key will do.
    """

    def __init__(
        self,
        script: Callable[[Asked], Reply] | Iterable[Reply],
        key: str = "",
        models: Sequence[str] = ("scripted-1",),
        port: int = 0,
    ) -> None:
        self.script, self.key, self.models, self.port = script, key, models, port
        self.asked: list[Asked] = []
        self.base_url = ""
        self._replies: Iterator[Reply] = iter(()) if callable(script) else iter(script)
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        self._server = _Server(("127.0.0.1", self.port), _Handler)
        self._server.scripted = self
        self.base_url = f"http://127.0.0.1:{self._server.server_address[1]}/v1"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def answer(self, method: str, asked: Asked, refusal: Reply | None = None) -> tuple[Reply, list[bytes]]:
        """The reply to one request and the pieces of its body; the request is noted, refused or not."""
        with self._lock:
            self.asked.append(asked)
            number = len(self.asked)
        try:
            reply = refusal or self._reply(method, asked)
            return reply, body_of(reply, asked, number)
        except Exception as error:  # noqa: BLE001  # the boundary of the script: its fault reaches who tries the client
            reply = Reply(status=500, error=f"the script failed: {type(error).__name__}: {error}")
            return reply, body_of(reply, asked, number)

    def _reply(self, method: str, asked: Asked) -> Reply:
        path = asked.path.partition("?")[0]
        if self.key and asked.headers.get("authorization") != f"Bearer {self.key}":
            return Reply(status=401, error="incorrect API key provided")
        if method == "GET" and path.endswith("/models"):
            return Reply(raw=as_json({"object": "list", "data": [_model(name) for name in self.models]}))
        if method == "GET" and "/models/" in path:
            name = unquote(path.partition("/models/")[2])
            return Reply(raw=as_json(_model(name))) if name in self.models else _unknown(name)
        if method != "POST" or not path.endswith("/chat/completions"):
            return Reply(status=404, error=f"invalid URL ({method} {path})")
        if not asked.body:
            return Reply(status=400, error="the body of the request could not be read as a JSON object")
        if asked.model not in self.models:
            return _unknown(asked.model)
        if callable(self.script):
            return self.script(asked)
        with self._lock:
            return next(self._replies, None) or Reply(status=500, error="the script has ended")


class _Server(ThreadingHTTPServer):
    """Knows its open connections, so that none outlives it."""

    request_queue_size = 128
    scripted: Scripted

    def __init__(self, *arguments: Any) -> None:
        self.open: dict[threading.Thread, socket.socket] = {}
        self.closing = threading.Event()
        super().__init__(*arguments)

    def process_request(self, request: Any, client_address: Any) -> None:
        thread = threading.Thread(target=self.process_request_thread, args=(request, client_address), daemon=True)
        self.open[thread] = request
        thread.start()

    def shutdown_request(self, request: Any) -> None:
        super().shutdown_request(request)
        self.open.pop(threading.current_thread(), None)

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exception(), ConnectionError):  # a client may leave in the middle of an answer
            super().handle_error(request, client_address)

    def server_close(self) -> None:
        self.closing.set()
        for thread, connection in list(self.open.items()):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            thread.join(5)  # a script that never returns holds its own thread only
        super().server_close()


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # else the body waits for the client to acknowledge the head

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: what arrived is in `asked`."""

    def do_GET(self) -> None:
        self._exchange()

    def do_POST(self) -> None:
        self._exchange()

    def _exchange(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        refusal: Reply | None = None
        body: dict[str, Any] = {}
        try:
            length = int(headers.get("content-length", "0"))
            if length < 0 or "transfer-encoding" in headers:
                raise ValueError("the length of the body is not given")
            if length > LARGEST_REQUEST:
                refusal = Reply(status=413, error=f"the body of a request has at most {LARGEST_REQUEST} bytes")
                self.close_connection = True
            else:
                value = json.loads(self.rfile.read(length) or b"{}")
                body = value if isinstance(value, dict) else {}
        except (ValueError, RecursionError):
            self.close_connection = True  # what is left of the body would be read as the next request
        asked = Asked(self.path, headers, body)
        reply, pieces = self.server.scripted.answer(self.command, asked, refusal)
        if self.server.closing.wait(reply.delay):
            self.close_connection = True
            return
        self._send(reply, pieces, asked.stream and reply.status < 400)
        while refusal and self.rfile.read(65536):
            pass  # a client that is still sending would miss the answer if we closed now

    def _send(self, reply: Reply, pieces: list[bytes], stream: bool) -> None:
        size = sum(map(len, pieces))
        left = size if reply.cut is None else min(reply.cut, size)
        if left < size:
            self.close_connection = True
        self.send_response(reply.status)
        self.send_header("Content-Type", "text/event-stream" if stream else "application/json")
        self.send_header(*(("Transfer-Encoding", "chunked") if stream else ("Content-Length", str(size))))
        if reply.retry_after is not None:
            self.send_header("Retry-After", f"{reply.retry_after:g}")
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        for piece in pieces:
            part = piece[:left]
            left -= len(part)
            if part:
                self.wfile.write(b"%x\r\n%s\r\n" % (len(part), part) if stream else part)
        if stream and (reply.cut is None or reply.cut >= size):
            self.wfile.write(b"0\r\n\r\n")


def _model(name: str) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": 0, "owned_by": "wigmore"}


def _unknown(model: str) -> Reply:
    return Reply(status=404, error=f"the model `{model}` does not exist", code="model_not_found")


def read_replies(file: Path) -> list[Reply]:
    """The replies of a JSON lines file, the fields of one Reply a line; raises ValueError with the line at fault."""
    replies = []
    for number, line in enumerate(file.read_text(encoding="utf-8").split("\n"), 1):
        try:
            fields = json.loads(line) if line.strip() else None
            if fields is not None:
                fields["calls"] = tuple((name, given) for name, given in fields.get("calls", ()))
                fields["raw"] = fields["raw"].encode() if "raw" in fields else None
                replies.append(Reply(**fields))
        except (AttributeError, TypeError, ValueError) as error:
            raise ValueError(f"{file}, line {number}: {error}") from error
    return replies


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve the replies of a file until interrupted."""
    parser = argparse.ArgumentParser(prog="python -m wigmore.llm.scripted", description=main.__doc__)
    parser.add_argument("file", type=Path, help="JSON lines, the fields of one reply a line")
    parser.add_argument("--port", type=int, default=0, help="a free one if not given")
    given = parser.parse_args(arguments)
    try:
        replies = read_replies(given.file)
    except (OSError, ValueError) as error:
        parser.error(str(error))
    with contextlib.suppress(KeyboardInterrupt), Scripted(replies, port=given.port) as server:
        sys.stdout.write(server.base_url + "\n")
        sys.stdout.flush()
        threading.Event().wait()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
