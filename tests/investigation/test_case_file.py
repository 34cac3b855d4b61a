"""case.yaml and config.yaml: scalars stay text, unknown keys are named, secrets stand elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from wigmore.investigation.case_file import CaseFile, CaseFileError, read_case, secret, source_id_for
from wigmore.investigation.config import Config, ConfigError, load_config, read_config

EXAMPLE = """
case: 2026-0417
title: Departing engineer
examiner: {name: A. Rao, organisation: Lab 3}
authority: Order 55/2026, laptop and phone backup
questions:
  - {id: Q1, ask: Were design files copied to removable media?}
sources:
  - id: src-laptop
    path: evidence/laptop.E01
    container_sha256: 9F2C            # optional
    exhibit: AR/1
    acquisition: {kind: physical, tool: Guymager 0.8, by: A. Rao, at: 2026-04-17T09:10Z, device_state: off, errors: none}
    clocks: [{from: 2026-03-01, to: 2026-04-17, zone: Europe/Paris, ahead: PT2M10S, basis: BIOS against NTP at seizure}]
  - {id: src-phone, path: evidence/phone.zip, type: mobile_extraction, platform: ios}
scope: {from: 2026-03-01T00:00:00Z, to: 2026-05-01T00:00:00Z, exclude: ["*/Medical/*"]}
secrets: {src-phone: {backup_password: env:PHONE_PW}, src-laptop: {bitlocker_recovery: file:keys/laptop.txt}}
keywords: lists/keywords.txt
hashsets: {known_bad: lists/bad.sha256, known_good: lists/nsrl.sha1}
yara: rules/yara
sigma: rules/sigma
iocs: lists/iocs.csv
rules: rules/house
local_only: true
"""


def case(folder: Path, text: str) -> CaseFile:
    (folder / "case.yaml").write_text(text, encoding="utf-8")
    return read_case(folder)


def test_the_documented_example_loads_whole(tmp_path: Path) -> None:
    read = case(tmp_path, EXAMPLE)
    assert read.questions == ({"id": "Q1", "ask": "Were design files copied to removable media?"},)
    laptop, phone = read.sources
    assert laptop.acquisition["device_state"] == "off" and laptop.acquisition["at"] == "2026-04-17T09:10Z"
    assert laptop.clocks[0]["from"] == "2026-03-01" and laptop.container_sha256 == "9f2c"
    assert (phone.type, phone.platform, phone.path) == ("mobile_extraction", "ios", tmp_path / "evidence/phone.zip")
    assert (read.scope_from, read.exclude, read.local_only) == ("2026-03-01T00:00:00Z", ("*/Medical/*",), True)
    assert read.rules == ((tmp_path / "rules/house").resolve(),)


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("0417", "0417"),
        ("12:30", "12:30"),
        ("1e3", "1e3"),
        ("no", "no"),
        ("0x1F", "0x1F"),
        ("2026-04-17", "2026-04-17"),
        ("1_000", "1_000"),
    ],
)
def test_scalars_are_the_text_that_was_written(tmp_path: Path, written: str, text: str) -> None:
    read = case(tmp_path, f"case: {written}\nsources:\n  - {{id: s, path: x, exhibit: {written}}}\n")
    assert (read.case, read.sources[0].exhibit) == (text, text)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("case: x\ncolour: red\n", ["colour", "local_only"]),
        ("case: x\nsources:\n  - {path: a, colour: red}\n", ["colour", "exhibit", "sources[0]"]),
        ("case: x\nscope: {excluded: a}\n", ["excluded", "exclude"]),
        ("case: x\nsources:\n  - {id: a}\n", ["sources[0]", "path"]),
        ("case: x\nsources:\n  - {path: a, type: floppy}\n", ["floppy", "disk_image"]),
        ("case: x\nsources:\n  - {id: s, path: a}\n  - {id: s, path: b}\n", ["'s'", "twice"]),
        ("case: x\nquestions:\n  - {id: Q1}\n", ["questions[0]", "ask"]),
        ("title: x\n", ["`case`"]),
        ("- a\n", ["mapping"]),
        ("", ["mapping"]),
        ("case: [\n", ["cannot be read"]),
        ("case: &a [*a]\n", ["cannot be read"]),
        ("case: x\nscope: everything\n", ["`scope`", "mapping"]),
        ("case: x\nsecrets: [a]\n", ["`secrets`", "mapping"]),
        ("case: x\nsources: {a: b}\n", ["`sources`", "list"]),
        ("case: x\nquestions: why\n", ["`questions`", "list"]),
        # what would be lost, or taken for another's, without a word
        ("case: x\nsources: [{path: a}]\nsources: [{path: b}]\n", ["`sources`", "twice"]),
        ("case: x\nquestions: [{id: Q2, ask: who}, {id: Q2, ask: why}]\n", ["questions[1]", "'Q2'", "twice"]),
        ("case: x\nquestions: [{id: std-A01, ask: who}]\n", ["questions[0]", "answer sheet"]),
        ("case: x\nsources: [{path: a, label: PC}, {path: b, label: PC}]\n", ["sources[1]", "'PC'", "twice"]),
    ],
)
def test_a_fault_is_an_error_that_names_place_and_remedy(tmp_path: Path, text: str, named: list[str]) -> None:
    with pytest.raises(CaseFileError) as caught:
        case(tmp_path, text)
    assert all(word in str(caught.value) for word in [*named, "case.yaml"])


def test_sources_of_one_name_get_labels_of_their_own(tmp_path: Path) -> None:
    read = case(tmp_path, "case: x\nsources: [{path: first/C}, {path: second/C}, {path: third/D}]\n")
    labels = [s.label for s in read.sources]
    assert labels == ["C", f"C ({read.sources[1].id})", "D"]


def test_a_key_that_stands_twice_in_a_rule_or_configuration_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_text("strategist: {enabled: false}\nstrategist: {enabled: true}\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="'strategist' stands twice"):
        load_config(file)


def test_one_exclusion_may_be_written_without_a_list(tmp_path: Path) -> None:
    assert case(tmp_path, "case: x\nscope: {exclude: '*/Medical/*'}\n").exclude == ("*/Medical/*",)


def test_no_case_file_names_the_command_that_makes_one(tmp_path: Path) -> None:
    with pytest.raises(CaseFileError, match="wigmore new"):
        read_case(tmp_path)


@pytest.mark.parametrize("written", ["hunter2", "[a]", "{a: b}", "0417"])
def test_a_secret_written_out_is_refused_and_never_repeated(tmp_path: Path, written: str) -> None:
    with pytest.raises(CaseFileError, match="env:NAME or file:PATH") as caught:
        case(tmp_path, f"case: x\nsecrets: {{src-a: {{password: {written}}}}}\n")
    assert "hunter2" not in str(caught.value) and "password" in str(caught.value)


def test_secrets_are_read_from_where_they_stand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PHONE_PW", "from the environment")
    (tmp_path / "key.txt").write_text("from a file\n", encoding="utf-8")
    assert secret("env:PHONE_PW", tmp_path) == "from the environment"
    assert secret("file:key.txt", tmp_path) == "from a file"
    for reference in ("env:NOT_SET_ANYWHERE", "file:none.txt"):
        with pytest.raises(CaseFileError, match=reference):
            secret(reference, tmp_path)


def test_source_ids_come_from_names_and_are_unique() -> None:
    first = source_id_for(Path("/x/Laptop (1).E01"), set())
    assert first == "src-laptop--1--e01"
    assert source_id_for(Path("/y/Laptop (1).E01"), {first}) not in (first, "")


# config.yaml -----------------------------------------------------------------------------------------------------------


def test_the_defaults_are_those_of_the_specification() -> None:
    config = Config()
    assert (config.max_investigation_rounds, config.damping) == (5, "per_type")
    assert (
        config.strategist.enabled,
        config.strategist.max_rounds,
        config.strategist.hard_stop_marginal_yield_zero_rounds,
    ) == (True, 10, 3)
    assert set(vars(config.budgets).values()) == {None}  # a cap left out is unbounded


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"colour": 1}, ["colour", "max_investigation_rounds"]),
        ({"strategist": {"speed": 1}}, ["strategist", "speed", "max_rounds"]),
        ({"budgets": {"tokens": 1}}, ["budgets", "tokens", "tokens_total"]),
        ({"agent": {"url": "x"}}, ["agent", "url", "base_url"]),
        ({"strategist": [1]}, ["strategist", "mapping"]),
        ({"hypothesis_log_lr": {"proves": 9}}, ["proves", "supports"]),
        ({"hypothesis_log_lr": {"supports": "much"}}, ["supports", "number"]),
        ({"hypothesis_log_lr": [1]}, ["hypothesis_log_lr", "mapping"]),
        ({"hypothesis_log_lr": {"supports": -1}}, ["supports", "between 0 and 10"]),
        ({"hypothesis_log_lr": {"contradicts": 2}}, ["contradicts", "between 0 and -10"]),
        ({"hypothesis_log_lr": {"direct_evidence": float("nan")}}, ["direct_evidence", "between 0 and 10"]),
        ({"hypothesis_log_lr": {"direct_evidence": float("inf")}}, ["direct_evidence", "between 0 and 10"]),
        ({"damping": "none"}, ["none", "per_type", "per_source"]),
        ({"hypotheses": [{"description": "x"}]}, ["title"]),
        ({"hypotheses": [{"title": "t", "prior_prob": 1}]}, ["prior_prob", "between 0 and 1"]),
        ({"investigation_areas": [{"description": "x"}]}, ["area"]),
        ({"strategist": {"max_rounds": "ten"}}, ["max_rounds", "whole number", "ten"]),
        ({"strategist": {"enabled": "yes"}}, ["enabled", "true or false"]),
        ({"budgets": {"tool_calls_total": "5000"}}, ["tool_calls_total", "whole number"]),
        ({"budgets": {"wall_clock_minutes_max": -1}}, ["wall_clock_minutes_max", "negative"]),
        ({"max_investigation_rounds": None}, ["max_investigation_rounds"]),
        ({"agent": {"model": 4}}, ["model", "a text"]),
    ],
)
def test_a_fault_of_the_configuration_names_the_key(values: dict[str, Any], named: list[str]) -> None:
    with pytest.raises(ConfigError) as caught:
        read_config(values)
    assert all(word in str(caught.value) for word in named)


def test_a_key_is_archived_as_set_and_never_shown() -> None:
    archived = read_config(
        {"agent": {"base_url": "http://127.0.0.1:9/v1", "api_key": "sk-very-secret", "model": "m"}}
    ).to_dict()
    assert archived["agent"]["api_key"] == "(set)" and "sk-very-secret" not in str(archived)


def test_likelihood_ratios_may_be_overridden() -> None:
    assert read_config({"hypothesis_log_lr": {"supports": 2}}).hypothesis_log_lr == {"supports": 2.0}


@pytest.mark.parametrize("text", ["[", "- a\n"])
def test_a_configuration_that_is_no_mapping_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "config.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError):
        load_config(tmp_path / "config.yaml")


def test_an_empty_configuration_is_the_defaults(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("# nothing\n", encoding="utf-8")
    assert load_config(tmp_path / "config.yaml") == Config() == load_config(None)


def test_the_shipped_example_holds_every_key_and_its_default() -> None:
    example = Path(__file__).resolve().parents[2] / "config.example.yaml"
    if not example.is_file():
        pytest.skip("config.example.yaml is not written yet")
    import yaml

    values = yaml.safe_load(example.read_text(encoding="utf-8"))
    config = read_config(values)
    assert set(values) == set(vars(Config()))
    assert (
        config.budgets.tool_calls_total,
        config.budgets.strategist_rounds_max,
        config.budgets.wall_clock_minutes_max,
    ) == (5000, 10, 480)
    for name in ("agent", "strategist", "budgets"):
        assert set(values[name]) == set(vars(getattr(Config(), name)))
    assert config.strategist == Config().strategist and config.max_investigation_rounds == 5
