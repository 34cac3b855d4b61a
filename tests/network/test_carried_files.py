"""Carried files as members of the capture, indicators and tools over captures: through a whole run."""

from __future__ import annotations

import hashlib
from pathlib import Path

import capture_builders as made
import pytest

from wigmore.api.cases import open_case
from wigmore.api.new import new_case
from wigmore.api.run import Options, run
from wigmore.evidence.source import SourceSpec, open_source
from wigmore.evidence.store import Entry

CONTENT = b"MZ" + bytes(58) + b"\x40\0\0\0PE\0\0" + b"payload of a program" * 3000


def capture() -> bytes:
    """A scan, an injection, a download, log-ins refused, names as a channel."""
    frames: list[made.Timed] = []
    at = made.BEGIN
    for port in range(1, 31):
        ends = ((made.CLIENT, 50000 + port), (made.SERVER, port))
        for side, flags in ((0, 2), (1, 20)):
            at += 1_000_000
            frames.append((at, made.ethernet(made.segment(ends[side], ends[1 - side], 1, 2, flags))))
    reply = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(CONTENT) + CONTENT
    exchange = [
        (0, b"GET /item.php?id=1%27+UNION+SELECT+name+FROM+users-- HTTP/1.1\r\nHost: shop.example\r\n\r\n"),
        (1, b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"),
        (0, b"GET /files/setup.exe HTTP/1.1\r\nHost: shop.example\r\n\r\n"),
        (1, reply),
    ]
    frames += made.talk(exchange, 80, begin=at + 10**9)
    for number in range(6):
        lines = [
            (1, b"220 FTP\r\n"),
            (0, b"USER root\r\n"),
            (1, b"331 x\r\n"),
            (0, b"PASS p%d\r\n" % number),
            (1, b"530 no\r\n"),
        ]
        frames += made.talk(lines, 21, (made.CLIENT, 41000 + number), begin=at + (2 + number) * 10**9)
    for number in range(12):
        query = made.udp(
            (made.CLIENT, 5353 + number), (made.SERVER, 53), made.question(f"c.{number}.t.example.org", 16, number)
        )
        frames.append((at + (20 + number) * 10**9, query))
    return made.pcap(frames)


@pytest.fixture(scope="module")
def investigated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("capture")
    (folder / "seen.pcap").write_bytes(capture())
    case = folder / "case"
    new_case(case, [folder / "seen.pcap"])
    assert run(case, Options(jobs=1)).exit_code in (0, 3)
    return case


def test_a_carried_file_is_a_member_with_its_bytes(tmp_path: Path) -> None:
    (tmp_path / "seen.pcap").write_bytes(capture())
    with open_source(SourceSpec("src-a", tmp_path, "tree")) as source:
        store = source.open_store("seen.pcap")
        entries = [e for e in store.entries() if isinstance(e, Entry)]
        program = next(e for e in entries if e.name.endswith("setup.exe"))
        assert hashlib.sha256(store.file(program).read()).digest() == hashlib.sha256(CONTENT).digest()
        assert program.path.startswith("seen.pcap/http/") and program.attributes["host"] == "shop.example"


def test_indicators_name_what_the_capture_shows(investigated: Path) -> None:
    bench = open_case(investigated)
    rules = {p.rule for p in bench.state.phenomena.values()}
    bench.close()
    assert {
        "capture.port_scan",
        "capture.sql_injection",
        "capture.executable_download",
        "capture.login_failures",
        "capture.dns_txt_channel",
        "capture.clear_text_credentials",
    } <= rules
    assert not rules & {
        "capture.arp_spoofing",
        "capture.web_shell",
        "capture.tor",
        "capture.syn_flood",
        "capture.kerberoasting",
    }
