"""Tools brought to a host: each rule on the record it is for, and not on its near miss; what flags of the shim cache carry."""

from __future__ import annotations

import importlib.resources
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from record_builders import Made, record, store_maker
from wigmore.graph.semantics import Semantics
from wigmore.model.protocols import Record
from wigmore.model.times import iso
from wigmore.records.indicators import match
from wigmore.records.rules import load_indicators

RULES = Path(str(importlib.resources.files("wigmore") / "rules"))
INDICATORS = load_indicators([RULES])
SYSMON = "Microsoft-Windows-Sysmon"
SEVEN = "Windows 7 or Server 2008 R2"


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Made]:
    yield from store_maker(tmp_path)


Row = tuple[str, Record]


def line(text: str, minute: int = 0) -> Row:
    data = {"event_id": 1, "provider": SYSMON, "computer": "PC", "CommandLine": text, "Image": text.split()[0]}
    return "windows.eventlog", record(data, f"2026-03-01T10:{minute:02d}:00Z")


def entry(path: str, minute: int, **more: Any) -> Row:
    data = {"path": path, "position": minute, "insert_flag": True, "layout": SEVEN, "is_current": True, **more}
    time = iso(f"2026-03-01T10:{minute:02d}:00Z")
    assert time is not None
    return "windows.registry.shimcache", Record(data, {"file_modified": time}, "file_modified")


def typed(url: str) -> Row:
    data = {"url": url, "stored": f"url1: {url}", "typed_in": "Internet Explorer"}
    return "windows.registry.typed_url", record(data)


CASES: list[tuple[str, list[Row], list[Row]]] = [
    ("cmd.client_name_given", [line('curl.exe -s -A "Browser/1.0" host.test')], [line("curl.exe -s -o a host.test")]),
    (
        "cmd.names_asked",
        [line(f"nslookup  name{n}.test", n) for n in range(3)],
        [line("nslookup  name0.test", n) for n in range(3)],
    ),
    (
        "cmd.event_written",
        [line('eventcreate /L System /T Success /ID 100 /D "A service was installed: X"')],
        [line('eventcreate /L Application /T Success /ID 100 /D "Backup finished"')],
    ),
    (
        "cmd.script_into_web_root",
        [line(r"C:\h\7z.exe e -px a.7z -oC:\inetpub\wwwroot toolset\b.jsp")],
        [line(r"notepad.exe C:\inetpub\wwwroot\index.aspx")],
    ),
    (
        "cmd.unpacked_with_password",
        [line(r"C:\h\7z.exe e -psecret a.7z -oC:\TMP tool.exe")],
        [line(r"C:\h\7z.exe e a.7z -oC:\TMP tool.exe")],
    ),
    (
        "shimcache.file_renewed",
        [entry(r"C:\Windows\TEMP\a.exe", n) for n in range(4)],
        [entry(r"C:\Windows\TEMP\a.exe", n, is_current=False) for n in range(4)]
        + [entry(rf"C:\Windows\TEMP\b{n}.exe", n) for n in range(4)],
    ),
    (
        "shimcache.remote_execution",
        [entry(r"C:\Windows\PSEXESVC.EXE", 1)],
        [entry(r"C:\Tools\psexec.exe", 1)],
    ),
    (
        "browser.typed_address_with_port",
        [typed("http://198.51.100.7:53/")],
        [typed("http://192.168.1.1:5000/"), typed("http://198.51.100.7:8080/"), typed("http://host.test:53/")],
    ),
]


@pytest.mark.parametrize(("rule", "hits", "misses"), CASES, ids=[c[0] for c in CASES])
def test_each_rule_matches_its_record_and_not_the_near_miss(
    make: Made, rule: str, hits: list[Row], misses: list[Row]
) -> None:
    for source, rows, expected in (("hits", hits, 1), ("misses", misses, 0)):
        store = make([r for _, r in rows], source=source, artifact=rows[0][0])
        assert len(match(store, INDICATORS[rule], source)) == expected, rows


def test_a_flag_of_the_shim_cache_supports_a_start_on_windows_7_only() -> None:
    table = Semantics.load([RULES])
    for layout, flag, given in (
        (SEVEN, True, "supports"),
        (SEVEN, False, "prerequisite_met"),
        ("Windows 10", True, "prerequisite_met"),
    ):
        cited = {"layout": layout, "insert_flag": flag}
        capped = table.cap("direct_evidence", "windows.registry.shimcache", "RAN", "live", cited)
        assert capped.edge_type == given
    assert table.cap("direct_evidence", "windows.registry.shimcache", "RAN").edge_type == "prerequisite_met"
