"""Questions put to a small store of records."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import wigmore
from wigmore.api.ask import ask
from wigmore.api.cases import UseError
from wigmore.model.nouns import Coverage
from wigmore.model.protocols import Record
from wigmore.model.times import iso
from wigmore.records import answer_scope
from wigmore.records.answer import Answerer
from wigmore.records.answer_question import parse
from wigmore.records.answer_readings import Fact, Reading
from wigmore.records.answer_words import TermsError, load_terms, stem
from wigmore.records.rows import RowMaker
from wigmore.records.store import RecordStore

RULES = Path(wigmore.__file__).parent / "rules"
PHONE, DISK, LOG, AUTH = "phone/sms.db", "disk.raw", "logs/access.log", "logs/auth.log"


def _message(number: int, text: str, who: str, when: str) -> tuple[str, str, dict[str, Any], Record]:
    moment = iso(when)
    assert moment is not None
    data = {"_id": number, "body": text, "address": who, "direction": "received" if number % 2 else "sent"}
    return (
        "android.sms",
        PHONE,
        {"kind": "row", "table": "sms", "rowid": number},
        Record(data, {"date": moment}, "date"),
    )


def _file(number: int, path: str, size: int, deleted: bool) -> tuple[str, str, dict[str, Any], Record]:
    data = {"name": path.rsplit("/", 1)[-1], "size": size, "md5": f"{number:032x}", "deleted": deleted, "kind": "file"}
    return "file_listing", path, {"kind": "inode", "inode": str(number)}, Record(data)


def _request(number: int, client: str, target: str) -> tuple[str, str, dict[str, Any], Record]:
    moment = iso(f"2024-05-01T10:00:{number:02d}+02:00")
    assert moment is not None
    data = {
        "client": client,
        "method": "GET",
        "path": target,
        "status": 200 + number,
        "request": f"GET {target} HTTP/1.1",
    }
    return "web.access", LOG, {"kind": "line", "line": number}, Record(data, {"requested_at": moment}, "requested_at")


def _login(number: int, event: str, address: str, port: int) -> tuple[str, str, dict[str, Any], Record]:
    data = {"event": event, "address": address, "port": port, "program": "sshd", "host": "box"}
    return "linux.authlog", AUTH, {"kind": "line", "line": number}, Record(data)


def _account(number: int, path: str, name: str, default: bool) -> tuple[str, str, dict[str, Any], Record]:
    data = {"distribution": name, "guid": f"{{{number:08d}-0000-4000-8000-000000000000}}", "is_default": default}
    return "windows.registry.wsl", path, {"kind": "key", "key": f"Lxss\\{number}"}, Record(data)


def _cached(number: int, state: str) -> tuple[str, str, dict[str, Any], Record]:
    data = {"request_key": f"https://a.example/{number}", "entry_ID": number}
    row = {"kind": "row", "table": "cfurl_cache_response", "rowid": number, "state": state}
    return "ios.url_cache", "app/Cache.db", row, Record(data, state=state)


ROWS = [
    _login(1, "ssh_connection_opened", "10.9.9.9", 4001),
    _login(2, "ssh_login_failed", "10.9.9.7", 4002),
    _login(3, "ssh_login_accepted", "10.9.9.8", 4003),
    *(
        _account(n, path, name, n == 2)
        for path in ("a/NTUSER.DAT", "b/NTUSER.DAT")
        for n, name in ((1, "Arch"), (2, "Mint"))
    ),
    _cached(1, "live"),
    _cached(2, "wal_committed"),
    _cached(2, "wal_superseded"),
    _message(1, "Meet me at the old mill, bring Thom De'Fer", "+4912345", "2024-03-01T09:00:00Z"),
    _message(2, "No.", "+4912345", "2024-03-01T09:05:00Z"),
    _message(3, "Did the parcel arrive?", "+4977777", "2024-03-02T11:30:00.250Z"),
    _file(40, f"{DISK}/p1/docs/_lans.txt", 311, True),
    _file(41, f"{DISK}/p1/docs/notes.txt", 99, False),
    (
        "ios.device",
        "phone/backup/Info.plist",
        {"kind": "key", "key": ""},
        Record({"ProductName": "iPhone OS", "-PhoneNumber": "+4912345", "ICCID": "8949000000000000001"}),
    ),
    *(_request(n, f"10.0.0.{n}", f"/page{n}.php?id={n}") for n in range(1, 9)),
]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[RecordStore]:
    """A store with two databases' worth of records."""
    made = RecordStore(tmp_path)
    for artifact in sorted({r[0] for r in ROWS}):
        lines = [
            RowMaker("src", path, None, artifact).line(n, locator, record)[2]
            for n, (kind, path, locator, record) in enumerate(ROWS)
            if kind == artifact
        ]
        spool = tmp_path / f"{artifact}.jsonl"
        spool.write_bytes(b"".join(lines))
        made.add([made.write_part("src", artifact, [spool])])
    yield made
    made.close()


@pytest.fixture
def answerer(store: RecordStore) -> Answerer:
    """An answerer without coverage rows."""
    return Answerer(store, [], [RULES])


def test_a_quoted_message_is_answered_with_its_number_and_time_and_cited(
    answerer: Answerer, store: RecordStore
) -> None:
    said = answerer.answer("Who sent the text 'Did the parcel arrive?' and when?", PHONE)
    assert said["status"] == "answered"
    best = said["answers"][0]
    assert "address: +4977777" in best["value"]
    assert "date: 2024-03-02T11:30:00.250Z" in best["value"]
    cited = store.by_id([best["record_id"]])[best["record_id"]]
    assert json.loads(cited["data"])["body"] == "Did the parcel arrive?"
    assert said["citations"][0] == {
        "record_id": best["record_id"],
        "path": PHONE,
        "locator": {"kind": "row", "table": "sms", "rowid": 3},
    }


def test_every_value_given_stands_in_the_cited_record(answerer: Answerer, store: RecordStore) -> None:
    for question in (
        "Which client requested /page3.php?id=3 and with which status?",
        "What is the size of notes.txt?",
        "When was the message 'No.' sent?",
    ):
        for given in answerer.answer(question)["answers"]:
            held = json.dumps(store.by_id([given["record_id"]])[given["record_id"]])
            for part in given["value"].split("; "):
                assert part.split(": ", 1)[1].removesuffix(" (zone unknown)") in held, part


def test_the_same_answer_comes_from_the_index_as_from_the_whole_scope(
    answerer: Answerer, monkeypatch: pytest.MonkeyPatch
) -> None:
    question = "Which client requested '/page5.php?id=5' and with which status?"
    whole = answerer.answer(question)
    monkeypatch.setattr(answer_scope, "SMALL", 0)
    searched = answerer.answer(question)
    assert whole["answers"][0]["value"] == searched["answers"][0]["value"]
    assert "client: 10.0.0.5" in whole["answers"][0]["value"] and "status: 205" in whole["answers"][0]["value"]


def test_a_time_with_an_offset_finds_the_record_of_that_instant(answerer: Answerer) -> None:
    for when in ("2024-05-01T08:00:04+00:00", "2024-05-01T10:00:04+02:00", "2024-05-01 09:00:04+01:00"):
        assert "10.0.0.4" in answerer.answer(f"Which client made the request at {when}?", LOG)["answers"][0]["value"]


def test_a_deleted_fat_file_is_found_without_its_first_letter(answerer: Answerer) -> None:
    said = answerer.answer(r"How large is the deleted file \docs\plans.txt?", DISK)
    assert said["status"] == "answered" and "size: 311" in said["answers"][0]["value"]
    assert answerer.answer(r"How large is the file \docs\zotes.txt?", DISK)["status"] == "unanswered"


def test_what_no_record_holds_is_unanswered_and_names_what_was_looked_at(answerer: Answerer) -> None:
    said = answerer.answer("Who sent the message 'The dog barks at midnight'?", PHONE)
    assert (said["status"], said["answers"], said["citations"]) == ("unanswered", [], [])
    assert "not of the world" in said["answer"]
    assert {"artifact": "android.sms", "path": PHONE, "records": 3} in said["looked_at"]
    assert answerer.answer("Which Bitcoin wallet paid for the hotel?", LOG)["status"] == "unanswered"


def test_an_identifier_that_no_record_has_is_not_answered_with_its_neighbours(answerer: Answerer) -> None:
    assert answerer.answer("What is the IMEI of the iPhone?")["status"] == "unanswered"
    found = answerer.answer("What is the ICCID of the iPhone?")
    assert found["status"] == "answered" and "8949000000000000001" in found["answer"]


def test_an_unread_part_turns_no_into_cannot_say(store: RecordStore) -> None:
    failed = Coverage("src", PHONE, "android.sms", "android.sms", "failed", 0, "page 7 is damaged", complete=False)
    said = Answerer(store, [failed], [RULES]).answer("Who sent the message 'The dog barks at midnight'?", PHONE)
    assert said["answer"].startswith("cannot say") and "page 7 is damaged" in said["answer"]
    assert any(looked.get("outcome") == "failed" for looked in said["looked_at"])


@pytest.mark.parametrize(
    "question",
    ["Who did it?", "Is the suspect guilty?", "Did the user intend to leak the plans?", "Why did he delete the files?"],
)
def test_guilt_and_motive_are_refused(answerer: Answerer, question: str) -> None:
    said = answerer.answer(question)
    assert said["status"] == "refused" and not said["answers"]


def test_a_quoted_word_of_guilt_is_no_question_of_guilt(answerer: Answerer) -> None:
    assert answerer.answer("When was the message 'Who did it?' sent?", PHONE)["status"] == "unanswered"


def test_records_are_counted_by_a_stated_query(answerer: Answerer) -> None:
    said = answerer.answer("How many text messages are there, and how many were sent?", PHONE)
    assert said["answers"][0]["value"].startswith("3 records of android.sms (3 live)")
    assert "1 of them with direction: sent" in said["answers"][0]["value"]
    assert {c["record_id"] for c in said["citations"]} >= {a["record_id"] for a in said["answers"]}


def test_a_count_says_which_field_holds_what_is_asked_for_under_another_word(answerer: Answerer) -> None:
    said = answerer.answer("How many text messages are there, and how many are outgoing?", PHONE)
    assert "1 of them with direction: sent" in said["answers"][0]["value"]


def test_rows_that_a_later_write_replaced_are_counted_once(answerer: Answerer) -> None:
    said = answerer.answer("How many entries does the URL cache have?", "app/Cache.db")
    assert said["answers"][0]["count"] == 2
    assert said["answers"][0]["value"].startswith(
        "2 records of ios.url_cache (1 live, 1 wal_committed), and 1 earlier state"
    )


def test_the_same_answer_in_another_file_is_cited_too(answerer: Answerer) -> None:
    said = answerer.answer("Which GUID has the WSL distribution 'Mint'?")
    assert [a["path"] for a in said["answers"]] == ["a/NTUSER.DAT"]
    assert [c["path"] for c in said["citations"]] == ["a/NTUSER.DAT", "b/NTUSER.DAT"]
    assert "the same stands in 1 more record" in said["answer"]


def test_a_field_that_says_no_to_the_question_comes_later(answerer: Answerer) -> None:
    said = answerer.answer("What is the default WSL distribution?", "a/NTUSER.DAT")
    assert "Mint" in said["answers"][0]["value"]


def test_a_failure_is_only_what_says_that_it_failed(answerer: Answerer) -> None:
    for word in ("failed", "unsuccessful"):
        said = answerer.answer(f"From which address and port came the {word} SSH login?", AUTH)
        assert "10.9.9.7" in said["answers"][0]["value"], word
    assert "10.9.9.8" in answerer.answer("Which address made the successful SSH login?", AUTH)["answers"][0]["value"]


def test_a_password_tried_need_not_stand_in_a_record() -> None:
    terms = load_terms((RULES,))
    for text in ("Is 'hunter2' the right password of the volume?", "Is the volume unlocked by 'hunter2'?"):
        assert not any(a.required for a in parse(text, terms).anchors), text
    assert any(a.required for a in parse("Who opened 'plan.docx'?", terms).anchors)


def test_answers_keep_to_five_and_a_thousand_characters(answerer: Answerer) -> None:
    said = answerer.answer("Which pages were requested from the web server?", LOG)
    assert said["status"] == "answered"
    assert len(said["answers"]) <= 5 and sum(len(a["value"]) for a in said["answers"]) <= 1000


def test_a_path_that_has_no_records_is_unanswered(answerer: Answerer) -> None:
    said = answerer.answer("When was it created?", "no/such/file")
    assert said["status"] == "unanswered" and said["looked_at"]


def test_an_attack_is_answered_from_readings_only(store: RecordStore) -> None:
    question = "Which attack does this log show?"
    assert Answerer(store, [], [RULES]).answer(question, LOG)["status"] == "unanswered"
    cited = next(
        r for r in store.query("SELECT record_id, path FROM records WHERE artifact = 'web.access' ORDER BY ordinal")
    )
    fact = Fact(cited["record_id"], cited["path"], {"kind": "line", "line": 1}, "path", "/page1.php?id=1")
    reading = Reading(
        "phe-1", "Requests for an injected parameter", "web attack", "a request, not its success", 0.5, (fact,)
    )
    assert Answerer(store, [], [RULES], [reading]).answer(question, LOG)["status"] == "unanswered"  # no technique
    named = replace(reading, words="web attack T1190")
    said = Answerer(store, [], [RULES], [named]).answer(question, LOG)
    assert said["status"] == "answered" and said["answers"][0]["value"].startswith("a rule reads: Requests")
    assert said["citations"][0]["record_id"] == cited["record_id"]


def test_questions_are_taken_apart() -> None:
    terms = load_terms((RULES,))
    asked = parse(
        "When was 'Thom De'Fer' at http://a.example/x?y=1 from 10.1.2.3:80, PID 4711, SHA-256, at "
        "2024-01-02T03:04:05.600+01:00 in HKEY_CURRENT_USER\\Software\\Run?",
        terms,
    )
    kinds = {a.kind: a for a in asked.anchors}
    assert kinds["quote"].text == "Thom De'Fer" and kinds["url"].text == "http://a.example/x?y=1"
    assert kinds["ip"].text == "10.1.2.3:80" and "pid" in kinds["number"].context
    assert kinds["time"].moment is not None and kinds["time"].moment.utc == "2024-01-02T02:04:05"
    assert kinds["path"].low == "hkcu\\software\\run"
    assert "time" in asked.shapes and asked.kind == "value"


def test_endings_fall_away_but_short_words_stay() -> None:
    assert stem("visited") == stem("visits") == stem("visit")
    assert stem("running") == stem("run") and stem("addresses") == stem("address") and stem("ip") == "ip"


def test_a_table_of_terms_that_is_wrong_is_refused(tmp_path: Path) -> None:
    (tmp_path / "ask_terms.yaml").write_text("terms: [{say: [when], shape: colour}]", encoding="utf-8")
    with pytest.raises(TermsError, match="unknown shape"):
        load_terms((tmp_path,))
    with pytest.raises(TermsError, match="no ask_terms"):
        load_terms((tmp_path / "none",))


def test_hostile_questions_end_well(answerer: Answerer) -> None:
    injected = "'; DROP TABLE records; --"
    for question in (
        "'" * 3000,
        "?",
        "\x00\x01",
        "(" * 500,
        "9" * 5000,
        injected,
        "when " * 900,
        "\u202e\ud83d",
        "/" * 2000,
    ):
        assert answerer.answer(question)["status"] in ("answered", "unanswered", "refused")


def test_a_sheet_needs_its_question_column_and_keeps_its_order(tmp_path: Path, case: Path) -> None:
    sheet = tmp_path / "sheet.csv"
    sheet.write_text("id,text\n1,x\n", encoding="utf-8")
    with pytest.raises(UseError, match="question"):
        list(ask(case, "", file=sheet))
    sheet.write_text(
        "id,question,path\nb,Who did it?,zzz\na,When was the last logon?,\nc,How many files are there?,aaa\n",
        encoding="utf-8",
    )
    answers = list(ask(case, "", file=sheet))
    assert [a["id"] for a in answers] == ["b", "a", "c"]
    for answer in answers:
        assert set(answer) >= {
            "case",
            "id",
            "question",
            "status",
            "answer",
            "answers",
            "citations",
            "looked_at",
            "model",
        }
        assert answer["model"] == "offline"
    assert answers == list(ask(case, "", file=sheet))
