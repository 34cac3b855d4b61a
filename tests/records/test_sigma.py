"""Sigma rules of the examiner: translated, run, or refused by name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

import wigmore
from record_builders import Made, record
from wigmore.records.indicators import match, scan
from wigmore.records.sigma import load_sigma

RULES = Path(wigmore.__file__).parent / "rules"
SYSMON = {"provider": "Microsoft-Windows-Sysmon", "event_id": 1, "channel": "Microsoft-Windows-Sysmon/Operational"}
SECURITY = {"provider": "Microsoft-Windows-Security-Auditing", "event_id": 4688, "channel": "Security"}


def rule(detection: dict[str, Any], logsource: dict[str, str] | None = None, **more: Any) -> dict[str, Any]:
    return {
        "title": "A rule of the examiner",
        "id": "5af54681-df95-4c26-854f-2565e13cfab0",
        "status": "test",
        "level": "high",
        "tags": ["attack.execution", "attack.t1059.001"],
        "logsource": logsource or {"product": "windows", "category": "process_creation"},
        "detection": {"condition": "selection", **detection},
        **more,
    }


def loaded(tmp_path: Path, *rules: dict[str, Any]) -> Any:
    folder = tmp_path / "sigma"
    folder.mkdir(exist_ok=True)
    (folder / "rules.yml").write_text(yaml.safe_dump_all(rules), encoding="utf-8")
    return load_sigma(folder, [RULES])


def hits(make: Made, tmp_path: Path, detection: dict[str, Any], events: list[dict[str, Any]], **how: Any) -> list[int]:
    """Numbers of the events that a rule's detection matches."""
    rules, unusable = loaded(tmp_path, rule(detection, **how))
    assert not unusable, unusable
    (only,) = rules.values()
    store = make([record({**e, "n": n}) for n, e in enumerate(events)], artifact=only.artifacts[0])
    wide = type(only)(**{**only.__dict__, "group_by": ("n",)})
    return sorted(int(m.group["n"]) for m in match(store, wide, None))


def test_a_process_is_recognised_in_both_logs_under_their_own_field_names(make: Made, tmp_path: Path) -> None:
    detection = {"selection": {"Image|endswith": "\\powershell.exe", "CommandLine|contains|all": ["-enc", " -w"]}}
    events = [
        {**SYSMON, "Image": r"C:\Windows\PowerShell.exe", "CommandLine": "powershell -ENC x -w 1"},
        {**SECURITY, "NewProcessName": r"C:\a\powershell.exe", "CommandLine": "p -w h -enc y"},
        {**SECURITY, "NewProcessName": r"C:\a\powershell.exe", "CommandLine": "p -w h"},
        {**SYSMON, "NewProcessName": r"C:\a\powershell.exe", "CommandLine": "-enc  -w"},
        {**SYSMON, "event_id": 3, "Image": r"C:\a\powershell.exe", "CommandLine": "-enc  -w"},
    ]
    assert hits(make, tmp_path, detection, events) == [0, 1]


SELECTIONS: list[tuple[dict[str, Any], list[str | None], list[int]]] = [
    ({"A": "x*z"}, ["xyz", "XZ", "xza", "axz"], [0, 1]),
    ({"A": "x?z"}, ["xyz", "xz", "xyyz"], [0]),
    ({"A|startswith": "a_b"}, ["a_bc", "axbc"], [0]),
    ({"A|re": "^a[0-9]+$"}, ["a12", "A12", "a1b"], [0]),
    ({"A|re|i": "^a[0-9]+$"}, ["a12", "A12"], [0, 1]),
    ({"A|cidr": "10.128.0.0/9"}, ["10.128.0.1", "10.255.1.1", "10.127.0.1", "110.128.0.1"], [0, 1]),
    ({"A|cidr": "192.168.1.0/24"}, ["192.168.1.77", "192.168.11.7"], [0]),
    ({"A|cidr": "fe80::/16"}, ["fe80::1", "fe81::1"], [0]),
    ({"A": None}, ["", "x", None], [0, 2]),
    ({"A|exists": True}, ["x", None], [0]),
    ({"A": ["x", "y"]}, ["x", "Y", "z"], [0, 1]),
    ({"A": 4624}, ["4624", "46240"], [0]),
    ({"A|gte": 10}, ["9", "10", "100", "x"], [1, 2]),
    ({"A|windash|contains": " -foo"}, ["a -foo", "a /foo", "a foo"], [0, 1]),
    ({"A|base64offset|contains": "http"}, ["aHR0cDovL3g", "eGh0dHA6", "none"], [0, 1]),
    ({"A|cased": "Ab"}, ["Ab", "ab"], [0]),
    ({"A|contains": "100%"}, ["100% x", "1000 x"], [0]),
    ({"A|contains": "\u202e'; DROP"}, ["\u202e'; DROP TABLE", "x"], [0]),
]


@pytest.mark.parametrize("selection, values, wanted", SELECTIONS, ids=[str(s[0])[:40] for s in SELECTIONS])
def test_each_kind_of_value_means_what_the_specification_says(
    make: Made, tmp_path: Path, selection: dict[str, Any], values: list[str | None], wanted: list[int]
) -> None:
    events = [{**SYSMON, **({} if v is None else {"A": v})} for v in values]
    assert hits(make, tmp_path, {"selection": selection}, events) == wanted


def test_conditions_nest_and_exclude(make: Made, tmp_path: Path) -> None:
    detection = {
        "sel_a": {"A": "1"},
        "sel_b": {"B": "1"},
        "filter": {"C|contains": "ok"},
        "condition": "1 of sel_* and not filter",
    }
    events = [{**SYSMON, "A": "1"}, {**SYSMON, "B": "1", "C": "is OK"}, {**SYSMON, "B": "1", "C": "no"}, {**SYSMON}]
    assert hits(make, tmp_path, detection, events) == [0, 2]


def test_a_keyword_is_looked_for_in_the_whole_record(make: Made, tmp_path: Path) -> None:
    events = [{"message": r"say C:\evil.exe"}, {"request": "a quiet thing"}, {"a": "b"}]
    source = {"product": "linux", "service": "auth"}
    detection = {"selection": [r"C:\evil", "quiet*ing"]}
    assert hits(make, tmp_path, detection, events, logsource=source) == [0, 1]


def test_a_rule_becomes_an_indicator_with_its_technique_level_and_innocent_reading(tmp_path: Path) -> None:
    rules, _ = loaded(
        tmp_path, rule({"selection": {"Image|endswith": "x.exe"}}, falsepositives=["Backup jobs", "Unknown"])
    )
    (made,) = rules.values()
    assert made.id == "sigma.5af54681-df95-4c26-854f-2565e13cfab0"
    assert made.attack == ("T1059.001",) and made.significance == 7
    assert "Backup jobs" in made.caveat and "Unknown" not in made.caveat
    assert "examiner supplied" in made.interpretation and not made.bears_on


REFUSED: list[tuple[Any, str]] = [
    (rule({"selection": {"A|re": "(?<=x)y"}}), "pySigma refuses"),
    (rule({"selection": {"A": "1"}}, {"product": "okta", "service": "okta"}), "log source"),
    (rule({"selection": {"A": "%placeholder%"}, "condition": "nothing"}), "pySigma refuses"),
    ({"title": "c", "correlation": {"type": "event_count"}}, "correlation"),
    ({"title": "x", "name": "y"}, "no Sigma rule"),
    (["a list"], "no Sigma rule"),
    ({"title": 7, "detection": "text", "logsource": 3}, "rule"),
]


@pytest.mark.parametrize("bad, said", REFUSED, ids=[r[1] for r in REFUSED])
def test_a_rule_that_cannot_be_used_is_named_and_the_others_run(tmp_path: Path, bad: Any, said: str) -> None:
    rules, unusable = loaded(tmp_path, bad, rule({"selection": {"A": "1"}}))
    assert len(rules) == 1
    (one,) = unusable
    assert one.file == "rules.yml" and said in one.reason


@pytest.mark.parametrize(
    "content", [b"\xff\xfe\x00", b"a: [", b"a: &a [*a]", b"x" * (2 << 20), b"!!python/object/apply:os.system [id]"]
)
def test_a_file_that_is_no_rules_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "bad.yml").write_bytes(content)
    rules, unusable = load_sigma(tmp_path, [RULES])
    assert rules == {} and all(u.file == "bad.yml" and u.reason for u in unusable)


def test_every_source_of_the_table_compiles(make: Made, tmp_path: Path) -> None:
    table = yaml.safe_load((RULES / "sigma_sources.yaml").read_text(encoding="utf-8"))
    many = []
    for number, entry in enumerate(table):
        source = {k: entry[k] for k in ("product", "category", "service") if k in entry}
        many.append({**rule({"selection": {"A": "1"}}, source), "id": f"00000000-0000-4000-8000-{number:012d}"})
    rules, unusable = loaded(tmp_path, *many)
    assert len(rules) == len(table) and not unusable
    store = make([record({**SYSMON, "A": "1"})], artifact="windows.eventlog")
    assert scan(store, rules.values(), None)
