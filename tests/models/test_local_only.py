"""A case that stays on this machine: what is no loopback address is refused at the start, and nothing leads further."""

from __future__ import annotations

import http.server
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from planted import case_of

from wigmore.api.cases import FAILED, UseError
from wigmore.api.run import Options, run
from wigmore.llm.endpoint import Endpoint, EndpointError, refuse_remote
from wigmore.llm.probe import probe
from wigmore.llm.scripted import Reply, Scripted

REMOTE = [
    "http://10.1.2.3:8080/v1",
    "https://models.example.com/v1",
    "http://0.0.0.0:8080/v1",
    "http://[::]:8080/v1",
    "http://[fe80::1]:8080/v1",
    "http://169.254.169.254/v1",
    "http://127.0.0.1.example.com/v1",
    "http://128.0.0.1/v1",
    "http://2130706433/v1",
    "http://127.1/v1",
    "http://0x7f000001/v1",
    "http://localhost.example.com/v1",
]
NAMES = ["http://loopback.example/v1", "http://localhost.localdomain:8080/v1", "http://ip6-localhost/v1"]


@pytest.fixture
def case(tmp_path: Path) -> Callable[[str], Path]:
    """Make a local_only case whose model answers at an address."""

    def made(base_url: str) -> Path:
        evidence = tmp_path / "evidence"
        evidence.mkdir()
        (evidence / "a.txt").write_text("a")
        return case_of(tmp_path / "case", evidence, f"agent: {{base_url: '{base_url}', model: scripted-1}}\n")

    return made


@pytest.fixture
def elsewhere() -> Iterator[tuple[str, list[str]]]:
    """A server that notes whatever arrives: (its address, the request lines)."""
    lines: list[str] = []

    class Noting(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            lines.append(self.requestline)
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_GET = do_CONNECT = do_POST

        def log_message(self, format: str, *args: object) -> None:
            """Nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Noting) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}", lines
        server.shutdown()
        thread.join()


@pytest.fixture
def resolved(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names looked up; each leads to loopback."""
    asked: list[str] = []

    def look_up(host: object, port: object, *rest: object, **named: object) -> list[object]:
        asked.append(str(host))
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", int(str(port or 0))))]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return asked


@pytest.mark.parametrize("base_url", [*REMOTE, *NAMES])
def test_an_address_that_is_no_loopback_address_is_refused_before_anything_is_read(
    case: Callable[[str], Path], resolved: list[str], base_url: str
) -> None:
    made = case(base_url)
    with pytest.raises(UseError) as refused:
        run(made, Options())
    assert refused.value.code == FAILED and "local_only" in str(refused.value) and base_url in str(refused.value)
    assert resolved == [] and not list((made / "outputs").glob("*/*"))


def test_the_command_ends_with_1_and_says_why(
    case: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from wigmore.cli import main as module

    monkeypatch.setattr(sys, "argv", ["wigmore", "run", str(case("http://10.1.2.3:8080/v1"))])
    with pytest.raises(SystemExit) as ended:
        module.main()
    assert ended.value.code == 1
    said = capsys.readouterr()
    assert "local_only" in said.err and "10.1.2.3" in said.err and "Traceback" not in said.err


@pytest.mark.parametrize("base_url", ["http://user:pw@127.0.0.1/v1", "http://example.com\\@127.0.0.1/v1"])
def test_an_address_with_somebody_before_its_host_is_refused(base_url: str) -> None:
    with pytest.raises(EndpointError):
        refuse_remote(Endpoint(base_url, "m"), local_only=True)


def test_localhost_is_taken_as_the_address_and_never_looked_up(resolved: list[str]) -> None:
    with Scripted(lambda asked: Reply("ready")) as server:
        probe(Endpoint(server.base_url.replace("127.0.0.1", "localhost"), "scripted-1"), local_only=True)
    assert len(server.asked) == 1 and "localhost" not in resolved


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_of_a_local_server_is_not_followed(elsewhere: tuple[str, list[str]], status: int) -> None:
    address, lines = elsewhere

    class Leading(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(status)
            self.send_header("Location", f"{address}/v1/chat/completions")
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_GET = do_POST

        def log_message(self, format: str, *args: object) -> None:
            """Nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Leading) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            with pytest.raises(EndpointError):
                probe(Endpoint(f"http://127.0.0.1:{server.server_address[1]}/v1", "m", retries=0), local_only=True)
        finally:
            server.shutdown()
            thread.join()
    assert lines == []


@pytest.mark.parametrize("name", ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy", "HTTPS_PROXY"])
def test_a_proxy_of_the_environment_is_not_asked(
    elsewhere: tuple[str, list[str]], monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    address, lines = elsewhere
    monkeypatch.setenv(name, address)
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    with Scripted(lambda asked: Reply("ready")) as server:
        probe(Endpoint(server.base_url, "scripted-1"), local_only=True)
    assert len(server.asked) == 1 and lines == []


def test_the_key_goes_to_the_endpoint_alone_and_into_no_message(elsewhere: tuple[str, list[str]]) -> None:
    told = Scripted(lambda asked: Reply(status=400, error=f"bad key {asked.headers['authorization']}"))
    with told as server, pytest.raises(EndpointError) as refused:
        probe(Endpoint(server.base_url, "scripted-1", "k-secret-7391-long"), local_only=True)
    assert "k-secret-7391-long" not in str(refused.value) and "(key)" in str(refused.value)
    assert elsewhere[1] == []
