"""Containers, layers and conversations: every form of capture says the same, and damage costs no more than its place."""

from __future__ import annotations

import random
import struct
from pathlib import Path

import capture_builders as made
import pytest
from capture_builders import Read

from wigmore.artifacts.network.capture import capture
from wigmore.evidence.local import LocalFile
from wigmore.formats.capture.containers import known
from wigmore.model.protocols import Gap, ParseError

HELLO = [
    (0, b"GET /a HTTP/1.1\r\nHost: example.org\r\n\r\n"),
    (1, b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"),
]


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("form", ["pcap", "nano", "modified", "pcapng"])
def test_each_form_of_capture_gives_the_same_packets(read: Read, order: str, form: str) -> None:
    frames = made.talk(HELLO, 80)
    raw = {
        "pcap": lambda: made.pcap(frames, order),
        "nano": lambda: made.pcap(frames, order, nano=True),
        "modified": lambda: made.pcap(frames, order, modified=True),
        "pcapng": lambda: made.pcapng(frames, order, comment=b"seen at the door"),
    }[form]()
    assert known(raw[:8192])
    records, gaps = read(raw)
    assert gaps == []
    whole = records["capture"][0]
    assert whole.data["packets"] == len(frames) and whole.data["application_protocols"] == {"HTTP": 1}
    assert whole.times["first_packet_at"]["text"].startswith("2023-11-14T22:13:20.000000")
    assert whole.times["first_packet_at"]["owner"] == "collector"
    if form == "pcapng":
        assert whole.data["comments"] == [{"text": "seen at the door", "packet": 1}]
        assert whole.data["interfaces"][0]["name"] == "eth7" and whole.data["dropped"] == 3
    talk = records["conversation"][0].data
    assert (talk["outcome"], talk["packets_up"], talk["packets_down"]) == ("closed", 5, 3)
    assert records["http"][0].data["status"] == 200


def test_our_reading_of_a_capture_is_that_of_another_library(tmp_path: Path) -> None:
    import dpkt

    frames = made.talk(HELLO, 80)
    path = tmp_path / "a.pcap"
    path.write_bytes(made.pcap(frames))
    with path.open("rb") as stream:
        theirs = [(round(t * 1e6), bytes(b)) for t, b in dpkt.pcap.Reader(stream)]
    assert theirs == [(t // 1000, b) for t, b in frames]
    segment = dpkt.ethernet.Ethernet(frames[3][1]).data.data
    assert bytes(segment.data) == HELLO[0][1]


def test_segments_out_of_order_and_repeated_make_the_same_stream(read: Read) -> None:
    body = bytes(range(256)) * 40
    lines = [HELLO[0], (1, b"HTTP/1.1 200 OK\r\nContent-Length: 10240\r\n\r\n" + body)]
    frames = made.talk(lines, 80, piece=512)
    plain, _ = read(made.pcap(frames))
    shuffled = frames[:4] + random.Random(3).sample(frames[4:-3], len(frames) - 7) + frames[5:9] + frames[-3:]
    mixed, _ = read(made.pcap(shuffled))
    assert mixed["file"][0].data["sha256"] == plain["file"][0].data["sha256"]
    assert mixed["file"][0].data["complete"] is True


def test_a_missing_segment_is_a_hole_that_is_said(read: Read) -> None:
    lines = [HELLO[0], (1, b"HTTP/1.1 200 OK\r\nContent-Length: 4000\r\n\r\n" + b"x" * 4000)]
    frames = made.talk(lines, 80, piece=500)
    records, _ = read(made.pcap(frames[:7] + frames[8:]))
    assert records["file"][0].data["complete"] is False and records["file"][0].data["size"] == 4000
    assert records["conversation"][0].data["missing_bytes"] == 500


@pytest.mark.parametrize(
    ("flags", "outcome"),
    [
        ([(0, 2)], "no answer"),
        ([(0, 2), (1, 20)], "refused"),
        ([(0, 2), (1, 18), (0, 4)], "half open (reset by the client)"),
    ],
)
def test_how_a_connection_went_is_told_by_its_flags(read: Read, flags: list[tuple[int, int]], outcome: str) -> None:
    ends = ((made.CLIENT, 4000), (made.SERVER, 22))
    frames = [made.ethernet(made.segment(ends[s], ends[1 - s], 10 + n, 11, f)) for n, (s, f) in enumerate(flags)]
    records, _ = read(made.pcap(frames))
    assert records["conversation"][0].data["outcome"] == outcome


def test_fragments_of_a_datagram_are_joined(read: Read) -> None:
    payload = made.question("a-name-that-is-long-enough-for-fragments.example.org")
    whole = struct.pack(">HHHH", 5000, 53, 8 + len(payload), 0) + payload
    first = made.ip(made.CLIENT, made.SERVER, 17, whole[:32], fragment=0x2000)
    second = made.ip(made.CLIENT, made.SERVER, 17, whole[32:], fragment=4)
    records, _ = read(made.pcap([made.ethernet(second), made.ethernet(first)]))
    assert records["dns"][0].data["name"] == "a-name-that-is-long-enough-for-fragments.example.org"


def test_a_packet_in_a_tag_and_a_tunnel_is_found(read: Read) -> None:
    inner = made.udp((made.CLIENT, 5000), (made.SERVER, 53), made.question("inside.example.org"))[14:]
    gre = made.ip("203.0.113.1", "203.0.113.2", 47, struct.pack(">HH", 0, 0x0800) + inner)
    tagged = made.ethernet(struct.pack(">HH", 42, 0x0800) + gre, 0x8100)
    records, _ = read(made.pcap([tagged]))
    assert records["dns"][0].data["name"] == "inside.example.org"
    assert "eth:vlan:ip:gre:ip:udp" in [r.data["layers"] for r in records["protocol"]]


def test_a_damaged_header_costs_its_packet_and_no_more(read: Read) -> None:
    frames = [
        made.udp((made.CLIENT, 5000 + n), (made.SERVER, 53), made.question(f"host{n}.example.org", number=n))
        for n in range(20)
    ]
    raw = bytearray(made.pcap(frames))
    at = 24 + 5 * (16 + len(frames[0])) + 8
    raw[at : at + 8] = b"\xff" * 8
    records, gaps = read(bytes(raw))
    assert len(gaps) == 1 and "impossible header" in gaps[0].message
    assert len(records["dns"]) >= 18 and records["dns"][-1].data["name"] == "host19.example.org"


def test_a_cut_capture_says_so(read: Read) -> None:
    raw = made.pcap(made.talk(HELLO, 80))
    records, gaps = read(raw[:-20])
    assert [g.reason for g in gaps] == ["truncated"] and records["http"]


def test_what_is_no_capture_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"\xd4\xc3\xb2\xa1 short")
    with pytest.raises(ParseError):
        list(capture(LocalFile.at(path)))
    assert not known(b"\xd4\xc3\xb2\xa1" + bytes(20))


@pytest.mark.parametrize("seed", range(5))
def test_damage_never_ends_the_reading(read: Read, seed: int) -> None:
    draw = random.Random(seed)
    raw = bytearray((made.pcap if seed % 2 else made.pcapng)(made.talk(HELLO * 20, 80)))
    for _ in range(40):
        raw[draw.randrange(60, len(raw))] = draw.randrange(256)
    records, gaps = read(bytes(raw[: len(raw) - draw.randrange(200)]))
    assert records["capture"][0].data["packets"] > 0
    assert all(isinstance(g, Gap) for g in gaps)


def test_real_captures_are_read_whole(shared_evidence: Path) -> None:
    folder = shared_evidence / "pcap"
    if not folder.is_dir():
        pytest.skip("no captures among the shared evidence")
    for path in sorted(folder.rglob("*.pcap")):
        items = list(capture(LocalFile.at(path, path=path.name)))
        assert not [i for i in items if isinstance(i, Gap)], path.name
        again = list(capture(LocalFile.at(path, path=path.name)))
        assert items == again, path.name
