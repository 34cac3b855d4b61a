"""Bundles: whole ones hold, one changed byte is found, and the verifier needs nothing but Python."""

from __future__ import annotations

import ast
import hashlib
import io
import json
import random
import shutil
import subprocess
import sys
import tracemalloc
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from bundle_case import NAME, Forged, build
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from rfc8032 import VECTORS
from typer.testing import CliRunner

from wigmore import verify as verifier
from wigmore.api.bundle import stated, write_bundle
from wigmore.api.run import Result
from wigmore.cli.main import app
from wigmore.evidence.hashing import hash_source
from wigmore.evidence.source import SourceSpec
from wigmore.graph.state import GraphState
from wigmore.graph.views import conclusion
from wigmore.investigation.audit import Audit
from wigmore.investigation.case_file import read_case
from wigmore.ledger import Event, Head, Ledger
from wigmore.model import belief
from wigmore.model.nouns import (
    EDGE_TYPES,
    NEUTRAL,
    Citation,
    Edge,
    EntityLink,
    Hypothesis,
    Phenomenon,
    VerifiedFact,
)

CHECKS = ["seal", "manifest", "chain", "facts", "references", "belief"]


@pytest.fixture(scope="session")
def crafted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("bundle"))


@pytest.fixture(scope="session")
def sealed(crafted: Path, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return bundled(crafted, tmp_path_factory.mktemp("sealed") / "one")


@pytest.fixture
def key(tmp_path: Path) -> Path:
    file = tmp_path / "key.pem"
    private = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
    file.write_bytes(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return file


def bundled(case: Path, target: Path, signer: Ed25519PrivateKey | None = None) -> bytes:
    write_bundle(read_case(case), Audit(), target, signer)
    return target.read_bytes()


def checks(data: bytes, *evidence: object, head: str = "", key: bytes | None = None) -> list[tuple[str, str, str, str]]:
    expect = Head.parse(head) if head else None
    found = verifier.verify(
        io.BytesIO(data),
        evidence=[str(e) for e in evidence],
        expect=(expect.seq, expect.hash) if expect else None,
        key=key,
    )
    return found.rows()


def failed(data: bytes, *evidence: object, head: str = "", key: bytes | None = None) -> set[str]:
    return {code for status, code, _, _ in checks(data, *evidence, head=head, key=key) if status == "FAILED"}


def head_of(data: bytes) -> str:
    return str(Forged(data).manifest["head"])


# -- whole bundles


def test_a_whole_bundle_holds_and_what_was_not_given_is_not_called_ok(sealed: bytes) -> None:
    found = checks(sealed)
    assert [code for status, code, _, _ in found if status == "ok"] == CHECKS
    assert [(status, code) for status, code, _, _ in found if status != "ok"] == [
        ("not checked", "signature"),
        ("not checked", "expected_head"),
        ("not checked", "evidence"),
        ("not checked", "evidence"),
        ("not checked", "audit"),
    ]


def test_every_kind_of_citation_and_merged_facts_are_checked(sealed: bytes) -> None:
    (told,) = [message for _, code, _, message in checks(sealed) if code == "facts"]
    assert ": 1 empty, 8 field, 1 query_result, 1 span; 1 answers" in told  # of the fields two are the merged twin's
    assert any(line[2] == b"phenomenon.merged" for line in Forged(sealed).lines())


def test_two_bundles_of_one_state_are_equal_bytes(crafted: Path, sealed: bytes, tmp_path: Path) -> None:
    assert bundled(crafted, tmp_path / "two") == sealed
    assert Forged(sealed).sealed() == sealed  # and the format is as the tests take it apart


def test_one_copied_file_is_enough_without_site_packages_or_this_program(
    crafted: Path, sealed: bytes, tmp_path: Path
) -> None:
    (tmp_path / "alone").mkdir()
    copy = shutil.copy(verifier.__file__, tmp_path / "alone" / "check.py")
    (tmp_path / "alone" / "b").write_bytes(sealed)
    command = [sys.executable, "-I", "-S", str(copy), "b", "--evidence", str(crafted.parent / "evidence")]
    command += ["--expect-head", head_of(sealed)]
    done = subprocess.run(command, cwd=tmp_path / "alone", capture_output=True, text=True, env={}, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert [line for line in lines if line.startswith("ok evidence ")] and lines[-1].startswith("all that was checked")


def test_the_verifier_imports_the_standard_library_alone() -> None:
    tree = ast.parse(Path(verifier.__file__).read_text(encoding="utf-8"))
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0
            names.add(str(node.module).partition(".")[0])
    assert names and names <= sys.stdlib_module_names


# -- changed bytes


def places(data: bytes) -> list[int]:
    """Ends, seal, every head of a member, and sixty more by lot."""
    heads = [at for at in range(len(data)) if data.startswith((b"member ", b"manifest ", b"seal "), at)]
    return [
        0,
        len(data) - 1,
        len(data) - 70,
        *heads,
        *(at + 7 for at in heads),
        *random.Random(5).sample(range(len(data)), 60),
    ]


def test_one_changed_byte_anywhere_is_found(sealed: bytes) -> None:
    tried = places(sealed)
    assert len(tried) > 70
    for at in tried:
        for bit in (1, 0x20):
            changed = bytearray(sealed)
            changed[at] ^= bit
            assert "seal" in failed(bytes(changed)), f"byte {at}"


def test_a_cut_or_longer_file_is_found(sealed: bytes) -> None:
    for size in (0, 1, 17, 76, 77, 200, len(sealed) // 2, len(sealed) - 1):
        assert "seal" in failed(sealed[:size]), size
    for more in (b"\n", b"x", sealed):
        assert "seal" in failed(sealed + more)


def forged_output(forged: Forged) -> None:
    name = next(n for n, data in forged.members.items() if b'"same"' in data and n != "ledger")
    forged.members[name] = forged.members[name].replace(b'"same"', b'"fame"', 1)


def renamed_output(forged: Forged) -> None:
    forged_output(forged)
    forged.members = {
        n if n == "ledger" else f"output/{hashlib.sha256(d).hexdigest()}": d for n, d in forged.members.items()
    }


def missing_output(forged: Forged) -> None:
    forged.members.popitem()


def changed_fact(forged: Forged) -> None:
    lines = forged.lines()
    line = next(line for line in lines if line[2] == b"phenomenon" and b'"value":"same"' in line[4])
    line[4] = line[4].replace(b'"value":"same"', b'"value":"fame"', 1)
    forged.chain(lines, anew=False)


def dropped_event(forged: Forged) -> None:
    lines = forged.lines()
    del lines[4]
    forged.chain(lines, anew=False)


def cut_tail(forged: Forged) -> None:
    forged.chain(forged.lines()[:-1], anew=True)


def verdict(forged: Forged) -> None:
    forged.manifest["conclusions"][0]["verdict"] = "refuted"


def score(forged: Forged) -> None:
    forged.manifest["conclusions"][1]["log_odds"] += 0.0001


def weights(forged: Forged) -> None:
    forged.manifest["weights"]["supports"] = 1.0


def hidden(forged: Forged) -> None:
    forged.manifest["conclusions"].pop()


def identity_as_a_finding(forged: Forged) -> None:
    forged.manifest["conclusions"].append({**forged.manifest["identities"].pop(), "verdict": "concluded"})


def joined_against_a_review(forged: Forged) -> None:
    forged.manifest["links_in_force"] = [x["id"] for x in links(forged) if x["relation"] == "same_as"]


def parted(forged: Forged) -> None:
    forged.manifest["links_in_force"] = []


def links(forged: Forged) -> list[dict[str, str]]:
    return [json.loads(line[4]) for line in forged.lines() if line[2] == b"entity_link"]


def review_left_out(forged: Forged) -> None:
    forged.chain([line for line in forged.lines() if line[2] != b"review"], anew=True)


def lying_head(forged: Forged) -> None:
    forged.manifest["head"] = "3:" + "0" * 64


def stray_member(forged: Forged) -> None:
    forged.members["notes"] = b"trust me"


def answered(forged: Forged) -> None:
    lines = forged.lines()
    line = next(line for line in lines if line[2] == b"question")
    line[4] = line[4].replace(b'"answer":"no"', b'"answer":"yes"')
    forged.chain(lines, anew=True)


def made_anew(old: bytes, new: bytes, kind: bytes = b"phenomenon") -> Callable[[Forged], None]:
    def change(forged: Forged) -> None:
        lines = forged.lines()
        line = next(line for line in lines if line[2].startswith(kind) and old in line[4])
        line[4] = line[4].replace(old, new, 1)
        forged.chain(lines, anew=True)

    return change


def looked_in_vain(forged: Forged) -> None:
    made_anew(b'"outcome":"found"', b'"outcome":"empty"', b"probe")(forged)
    made_anew(b'"invocations":[]', b'"invocations":["inv-none"]', b"probe")(forged)
    made_anew(b'"status":"empty"', b'"status":"failed"', b"invocation")(forged)


def renumbered(forged: Forged) -> None:
    lines = forged.lines()
    lines[3][0] = b"44"
    forged.chain(lines, anew=False)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (forged_output, "output"),
        (renamed_output, "output"),
        (missing_output, "output"),
        (changed_fact, "chain"),
        (dropped_event, "chain"),
        (renumbered, "chain"),
        (verdict, "belief"),
        (score, "belief"),
        (weights, "weights"),
        (hidden, "belief"),
        (identity_as_a_finding, "belief"),
        (joined_against_a_review, "belief"),
        (parted, "belief"),
        (review_left_out, "belief"),
        (made_anew(b'"standing":true', b'"standing":false', b"hypothesis"), "belief"),
        (made_anew(b'"propositions":["SAME"]', b'"propositions":["SENT"]', b"hypothesis"), "reference"),
        (made_anew(b'"hypothesis_id":"hyp-x"', b'"hypothesis_id":"hyp-y"', b"entity_link"), "reference"),
        (made_anew(b'"hypothesis_id":"hyp-x"', b'"hypothesis_id":"hyp-z"', b"entity_link"), "reference"),
        (made_anew(b'"phenomenon_id":"ph-', b'"phenomenon_id":"hp-', b"entity_link"), "reference"),
        (made_anew(b'"relation":"same_as"', b'"relation":"contacted"', b"entity_link"), "reference"),
        (made_anew(b'"item":"hyp-y"', b'"item":"hyp-z"', b"review"), "reference"),
        (lying_head, "head"),
        (stray_member, "manifest"),
        # even with the whole chain made anew, a fact must stand in its output, at its place, by its call
        (made_anew(b'"value":"same"', b'"value":"fame"'), "fact"),
        (made_anew(b'"record_id":"rec-1"', b'"record_id":"rec-9"'), "fact"),
        (made_anew(b'"line":1', b'"line":7'), "fact"),
        (made_anew(b'"path":"access.log"', b'"path":"other.log"'), "fact"),
        (made_anew(b'"name":"value"', b'"name":"worth"'), "fact"),
        (made_anew(b'"invocation_id":"inv-rows"', b'"invocation_id":"inv-text"'), "fact"),
        (made_anew(b'"invocation_id":"inv-rows"', b'"invocation_id":"inv-gone"'), "fact"),
        (made_anew(b'"agent":"network"', b'"agent":"another"'), "fact"),
        (made_anew(b'"value":1}', b'"value":3}'), "fact"),
        (made_anew(b'"value":1}', b'"value":true}'), "fact"),
        (made_anew(b'"args":{"path":"inv-count"}', b'"args":{"path":"inv-other"}'), "fact"),
        (made_anew(b'"mismatch":""', b'"mismatch":"another hash"', b"source.hashed"), "reference"),
        (made_anew(b'"relation":"seen_in"', b'"relation":"same_as"', b"entity_link"), "reference"),
        (made_anew(b'"output_sha256":"', b'"output_sha256":"0', b"invocation"), "fact"),
        (made_anew(b'"row":1', b'"row":0'), "fact"),
        (made_anew(b'"row":1', b'"row":9'), "fact"),
        (made_anew(b'"value":"nothing found"', b'"value":"all is well"'), "fact"),
        (made_anew(b'"kind":"empty","output', b'"kind":"field","output'), "fact"),
        (made_anew(b"twice", b"thrice"), "fact"),
        (made_anew(b'"n":1.5', b'"n":1.6'), "fact"),
        (made_anew(b'"value":"same"', b'"value":true'), "fact"),
        (answered, "answer"),
        (made_anew(b'"source_id":"src-logs"', b'"source_id":"src-none"'), "reference"),
        # an edge is of its phenomenon's source, an absence weakens at most, a probe came to what its calls came to
        (made_anew(b'"source_id":"src-logs"', b'"source_id":"src-disk"', b"edge"), "reference"),
        (made_anew(b'"edge_type":"weakens"', b'"edge_type":"contradicts"', b"edge"), "reference"),
        (made_anew(b'"phenomena":["ph-', b'"phenomena":[],"was":["ph-', b"probe"), "reference"),
        (looked_in_vain, "reference"),
        # of two names in one object, another reader may take the other
        (made_anew(b'"decision":"reject"', b'"decision":"accept","decision":"reject"', b"review"), "event"),
        (made_anew(b'"prior_prob":0.3', b'"prior_prob":NaN', b"hypothesis"), "event"),
    ],
)
def test_who_knows_the_format_and_seals_again_is_found(
    sealed: bytes, change: Callable[[Forged], None], code: str
) -> None:
    forged = Forged(sealed)
    change(forged)
    data = forged.sealed()
    assert data != sealed
    assert code in failed(data) and "seal" not in failed(data)


@pytest.mark.parametrize("name", [b'"size":', b'"sha256":"'])
def test_a_member_that_is_not_as_listed_is_found(sealed: bytes, name: bytes) -> None:
    at = sealed.index(name, sealed.rindex(b'"members":[')) + len(name)
    changed = sealed[:at] + (b"1" if sealed[at : at + 1] != b"1" else b"2") + sealed[at + 1 : -77]
    data = changed + f"seal sha256 {hashlib.sha256(changed).hexdigest()}\n".encode()
    assert failed(data) == {"manifest"}


@pytest.mark.parametrize(
    "change",
    [
        lambda lines: [line for line in lines if line[2] != b"phenomenon.merged"],
        lambda lines: lines[:-1],
        lambda lines: [lines[0], *lines],
        lambda lines: [[*line[:3], b"2020-01-01T00:00:00Z", line[4]] for line in lines],
    ],
)
def test_a_chain_made_anew_is_found_by_the_expected_head_alone(
    sealed: bytes, change: Callable[[list[list[bytes]]], list[list[bytes]]]
) -> None:
    forged = Forged(sealed)
    forged.chain(change(forged.lines()), anew=True)
    data = forged.sealed()
    assert not failed(data) & {"seal", "chain", "manifest"}  # nothing inside can tell
    assert "expected_head" in failed(data, head=head_of(sealed))
    assert failed(sealed, head=head_of(sealed)) == set()


def consistent(forged: Forged, old: bytes, new: bytes) -> bytes:
    """An output changed, its new SHA-256 put wherever the old one stood, and every hash made anew."""
    name = next(n for n, data in forged.members.items() if n != "ledger" and old in data)
    changed = forged.members[name].replace(old, new)
    sha256 = hashlib.sha256(changed).hexdigest()
    forged.members = {
        n if n != name else f"output/{sha256}": d if n != name else changed for n, d in forged.members.items()
    }
    lines = forged.lines()
    for line in lines:
        line[4] = line[4].replace(name.removeprefix("output/").encode(), sha256.encode())
        if line[2].startswith(b"phenomenon"):
            line[4] = line[4].replace(old, new)
    forged.chain(lines, anew=True)
    return forged.sealed()


def test_a_forgery_that_agrees_with_itself_throughout_is_found_by_head_or_key_alone(sealed: bytes) -> None:
    data = consistent(Forged(sealed), b'"same"', b'"fame"')
    assert failed(data) == set()  # as docs/verify.md says
    assert failed(data, head=head_of(sealed)) == {"expected_head"}


def test_an_output_must_be_of_the_tool_and_outcome_that_the_ledger_has(sealed: bytes) -> None:
    for old, new in (
        (b'"tool":"count_records"', b'"tool":"query_records"'),
        (b'"outcome":"empty"', b'"outcome":"found"'),
    ):
        assert "fact" in failed(consistent(Forged(sealed), old, new))


def test_events_after_the_expected_head_are_not_vouched_for(sealed: bytes) -> None:
    forged = Forged(sealed)
    forged.chain([*forged.lines(), forged.lines()[-1]], anew=True)
    found = [c[:3] for c in checks(forged.sealed(), head=head_of(sealed)) if c[1] == "expected_head"]
    count = len(forged.lines())
    assert found == [
        ("ok", "expected_head", f"event {count - 1}"),
        ("not checked", "expected_head", f"events {count} to {count}"),
    ]


def test_references_to_what_is_not_there_are_found(sealed: bytes) -> None:
    for kind, old, new in (
        (b"edge", b'"hypothesis_id":"hyp-a"', b'"hypothesis_id":"hyp-z"'),
        (b"entity", b"192.0.2.7", b"192.0.2.8"),
        (b"entity_link", b'"first":"ent-', b'"first":"tne-'),
        (b"temporal", b'"second":"ph-', b'"second":"hp-'),
        (b"probe", b'"phenomena":["ph-', b'"phenomena":["hp-'),
        (b"question", b"inv-sheet", b"inv-trash"),
    ):
        forged, lines = Forged(sealed), Forged(sealed).lines()
        line = next(line for line in lines if line[2] == kind)
        line[4] = line[4].replace(old, new)
        forged.chain(lines, anew=True)
        assert "reference" in failed(forged.sealed()), kind


# -- belief is computed twice


def random_graph(choice: random.Random) -> list[Event]:
    """Hypotheses about acts, standing alternatives and identities, with edges, probes, links and reviews by lot."""
    weights = {"supports": choice.choice((1.0, 0.7)), "contradicts": choice.choice((-2.0, -2.0, -500.0))}
    table = {"hypothesis_log_lr": weights, "damping": choice.choice(belief.DAMPINGS)}
    events = [Event("run.started", {"id": "run-001", "config": table})]
    for n in (*range(5), *range(choice.randrange(3))):  # some are said anew, with another frame
        made = Hypothesis(
            f"h{n}",
            f"t{n}",
            "",
            choice.choice((0.1, 0.5, 0.9)),
            frame=choice.choice(("", "f", "f", "f")),
            propositions=choice.choice(((), ("RAN",), ("SAME",))),
            innocent=choice.random() < 0.3,
            decisive=choice.choice(("", "p")),
            standing=choice.random() < 0.3,
        )
        events.append(Event("hypothesis", made.to_dict()))
    for n in range(4):
        rule = choice.choice(("absence:t:p1", "absence:t:p2", "windows.x", "windows.y"))
        fact = VerifiedFact("f", "result", "empty", Citation("empty", "i", "0"), "a", "p", {})
        absent = choice.random() < 0.5
        seen = Phenomenon(f"ph{n}", "s1", "", "c", "t", (fact,), "", "", rule=rule, negative=absent)
        events.append(Event("phenomenon", seen.to_dict()))
    for n in range(choice.randrange(20)):
        edge = Edge(
            f"e{n}",
            f"ph{choice.randrange(5)}",
            f"h{choice.randrange(5)}",
            choice.choice((*EDGE_TYPES, NEUTRAL)),
            proposition=choice.choice(("RAN", "SENT")),
            event_key=choice.choice(("", "", "k")),
            source_id=choice.choice(("s1", "s2")),
            mechanism=choice.choice(("m1", "m2")),
            records=tuple(r for r in ("r1", "r2", "r3") if choice.random() < 0.2),
            model=choice.choice(("", "", "", "a model")),
        )
        events.append(Event("edge", edge.to_dict()))
    for n in range(choice.randrange(10)):
        probe = {"hypothesis_id": f"h{choice.randrange(5)}", "probe": f"p{n % 3}", "source_id": f"s{n}", "reason": ""}
        truth = {"decisive": choice.random() < 0.5, "disconfirming": choice.random() < 0.5}
        truth |= {
            "unless": choice.choice(([], [], ["windows.x"], ["windows.y", "windows.z"])),
            "phenomena": choice.choice(([], ["ph0", "ph1"])),
        }
        events.append(Event("probe", {**probe, **truth, "outcome": choice.choice(("found", "empty", "failed"))}))
    for n in range(4):
        backing = f"h{choice.randrange(6)}"  # of h5 nothing is known
        link = EntityLink(f"l{n}", "a", "b", choice.choice(("same_as", "contacted")), "ph0", backing)
        events.append(Event("entity_link", link.to_dict()))
    for n in range(choice.randrange(4)):
        review = {"item": f"h{choice.randrange(5)}", "decision": choice.choice(("accept", "reject"))}
        events.append(Event("review", {"id": f"r{n}", **review}))
    events.append(Event("hypotheses.closed", {"inconclusive": ["h0", "h1"]}))
    return events


def test_scores_verdicts_and_links_agree_with_the_program_over_many_graphs() -> None:
    choice, seen = random.Random(7), Counter[str]()
    for _ in range(1500):
        events = random_graph(choice)
        config = events[0].body["config"]
        state, graph = GraphState(config["hypothesis_log_lr"], config["damping"]).fold(events), verifier.Graph()
        for number, event in enumerate(events):
            graph.take(number, event.kind, json.dumps(event.body).encode())
        report, manifest = verifier.Report(), json.loads(json.dumps(stated(state)))
        verifier.check_belief(graph, manifest, report)
        assert [c[:2] for c in report.checks] == [("ok", "belief")], report.checks
        seen.update(row["verdict"] for row in manifest["conclusions"])
        seen["identity"] += len(manifest["identities"])
        seen["in force"] += len(manifest["links_in_force"])
        seen["bears on nothing"] += len(state.edges) - sum(len(state.edges_to(h)) for h in state.hypotheses)
        for hypothesis in (h for h in state.hypotheses.values() if not h.of_identity):
            said = conclusion(state, hypothesis)
            aside = [r for r in said.reasons if r.startswith("with what a model judged")]
            seen["a model judged otherwise"] += len(aside)
            grounds = {r for r in said.reasons if r not in (said.untested, *aside) and "probe could" not in r}
            beside = {f"an alternative stands as well: {s['title']}" for s in said.standing if s["stands"]}
            seen["contested by standing ones alone"] += said.verdict == "contested" and grounds == beside
    verdicts = {"concluded", "contested", "not_tested", "refuted", "open"}
    assert seen.keys() == verdicts | {
        "identity",
        "in force",
        "bears on nothing",
        "contested by standing ones alone",
        "a model judged otherwise",
    }
    assert min(seen.values()) > 10, seen


# -- evidence


def copied(crafted: Path, target: Path) -> Path:
    shutil.copytree(crafted.parent / "evidence", target, symlinks=True)
    return target


def told(data: bytes, *evidence: object) -> dict[str, str]:
    return {where: status for status, code, where, _ in checks(data, *evidence) if code == "evidence"}


def test_evidence_is_hashed_as_at_intake_and_what_is_not_given_is_not_checked(
    crafted: Path, sealed: bytes, tmp_path: Path
) -> None:
    copy = copied(crafted, tmp_path / "copy")
    whole = {"src-disk": "ok", "src-logs": "ok"}
    assert told(sealed, copy) == told(sealed, copy / "logs", copy / "disk.001") == whole
    assert told(sealed, copy / "logs") == {**whole, "src-disk": "not checked"}
    (copy / "disk.001").rename(copy / "exhibit")
    assert told(sealed, f"src-disk={copy / 'exhibit'}") == {**whole, "src-logs": "not checked"}
    (copy / "logs").rename(copy / "renamed")
    assert told(sealed, f"src-logs={copy / 'renamed'}") == {**whole, "src-disk": "not checked"}


def flip(file: Path) -> None:
    data = bytearray(file.read_bytes())
    data[-1] ^= 1
    file.write_bytes(data)


@pytest.mark.parametrize(
    ("change", "source"),
    [
        (lambda e: flip(e / "logs" / "access.log"), "src-logs"),
        (lambda e: (e / "logs" / "inner" / "empty").unlink(), "src-logs"),
        (lambda e: (e / "logs" / "new").write_bytes(b""), "src-logs"),
        (lambda e: (e / "logs" / "access.log").rename(e / "logs" / "moved.log"), "src-logs"),
        (lambda e: ((e / "logs/inner/link").unlink(), (e / "logs/inner/link").symlink_to("elsewhere")), "src-logs"),
        (lambda e: flip(e / "disk.001"), "src-disk"),
        (lambda e: flip(e / "disk.002"), "src-disk"),
        (lambda e: (e / "disk.002").unlink(), "src-disk"),
    ],
)
def test_changed_evidence_is_found(
    crafted: Path, sealed: bytes, tmp_path: Path, change: Callable[[Path], object], source: str
) -> None:
    copy = copied(crafted, tmp_path / "copy")
    change(copy)
    other = "src-logs" if source == "src-disk" else "src-disk"
    assert told(sealed, copy) == {source: "FAILED", other: "ok"}


def test_the_hash_over_all_segments_is_computed_too(crafted: Path, sealed: bytes) -> None:
    forged = Forged(sealed)
    made_anew(b'"container_sha256":"', b'"container_sha256":"0', b"source.hashed")(forged)
    assert told(forged.sealed(), crafted.parent / "evidence") == {"src-disk": "FAILED", "src-logs": "ok"}


def test_a_folder_has_the_hash_that_intake_gives_it(tmp_path: Path) -> None:
    names = [b"plain", "ä".encode(), b"\xff\xfe", b"back\\slash", b"\xed\xa0\x80", b"new\nline"]
    for name in names:
        (tmp_path / "f").mkdir(exist_ok=True)
        with open(bytes(tmp_path / "f") + b"/" + name, "wb") as stream:
            stream.write(name)
    (tmp_path / "f" / "to").symlink_to("/some/ä/where")
    want = hash_source(SourceSpec("s", tmp_path / "f", "tree"))
    assert verifier.tree_sha256(tmp_path / "f") == (want["manifest_sha256"], len(names) + 1)


# -- signatures


@pytest.mark.parametrize("name", VECTORS)
def test_the_vectors_of_rfc_8032_hold_and_no_changed_one(name: str) -> None:
    seed, key, text, signed = map(bytes.fromhex, VECTORS[name])
    private = Ed25519PrivateKey.from_private_bytes(
        seed
    )  # another implementation, against a slip in the vectors themselves
    assert (private.public_key().public_bytes_raw(), private.sign(text)) == (key, signed)
    assert verifier.ed25519_holds(key, text, signed)
    assert not verifier.ed25519_holds(key, text + b"\0", signed)
    for at in (0, 31, 32, 62, 63):
        changed = bytearray(signed)
        changed[at] ^= 1
        assert not verifier.ed25519_holds(key, text, bytes(changed))
    later = int.from_bytes(signed[32:], "little") + verifier.ORDER  # the same scalar in other words
    assert not verifier.ed25519_holds(key, text, signed[:32] + later.to_bytes(32, "little"))
    assert not verifier.ed25519_holds(b"\xff" * 32, text, signed)


def test_signatures_of_a_library_hold() -> None:
    for number in range(8):
        private = Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32)
        message = bytes(number)
        assert verifier.ed25519_holds(private.public_key().public_bytes_raw(), message, private.sign(message))


def test_a_signed_bundle_is_checked_against_the_key_given(crafted: Path, sealed: bytes, tmp_path: Path) -> None:
    private = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
    public = private.public_key().public_bytes_raw()
    signed = bundled(crafted, tmp_path / "signed", private)
    assert [(s, m) for s, code, _, m in checks(signed) if code == "signature"] == [
        ("not checked", "signed, key not given: not checked")
    ]
    assert failed(signed, key=public) == set()
    assert "signature" in failed(signed, key=bytes(32))
    assert "signature" in failed(sealed, key=public)  # it was taken off
    forged = Forged(signed)
    forged.chain(forged.lines()[:-1], anew=True)
    assert "signature" in failed(forged.sealed(), key=public) and "seal" not in failed(forged.sealed(), key=public)
    other = Ed25519PrivateKey.from_private_bytes(bytes(32))
    assert "signature" in failed(bundled(crafted, tmp_path / "other", other), key=public)
    assert bundled(crafted, tmp_path / "again", private) == signed


# -- the command lines


def run(*arguments: object) -> int:
    return verifier.main([str(a) for a in arguments])


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0" * 5000,
        random.Random(1).randbytes(20_000),
        b"wigmore-bundle 1\n" + b"\n" * 200,
        b"wigmore-bundle 1\nmember ledger 999999999999999999\n" + b"x" * 200,
        b"wigmore-bundle 1\nmember ledger 0\n\nmanifest 99999999999\n{}" + b"x" * 200,
        b"wigmore-bundle 1\nmember ledger 0\n\nmanifest 100000\n" + b"[" * 100_000 + b"\n" + b"x" * 77,
        b"wigmore-bundle 1\nmanifest 12\n" + b'{"format":1}\n' + b"x" * 77,
        b"wigmore-bundle 1\nmember ledger 2\n\xff\xfe\nmanifest 12\n" + b'{"format":1}\n' + b"x" * 77,
    ],
)
def test_garbage_ends_with_4_and_a_message_and_no_memory(
    data: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "b").write_bytes(data)
    tracemalloc.start()
    assert run(tmp_path / "b") == 4
    assert tracemalloc.get_traced_memory()[1] < 8 << 20
    tracemalloc.stop()
    printed = capsys.readouterr()
    assert "FAILED" in printed.out and not printed.err


@pytest.mark.parametrize("text", [b"[]", b"{", b"[" * 5000, b'{"id":[]}', b"\xff", b'{"id":' + b"9" * 5000 + b"}"])
@pytest.mark.parametrize(
    "kind",
    ["source", "invocation", "phenomenon", "phenomenon.merged", "edge", "probe", "question", "entity_link", "review"],
)
def test_events_that_make_no_sense_are_findings(sealed: bytes, kind: str, text: bytes) -> None:
    forged, lines = Forged(sealed), Forged(sealed).lines()
    next(line for line in lines if line[2] == kind.encode())[4] = text
    forged.chain(lines, anew=True)
    assert failed(forged.sealed())


@pytest.mark.parametrize(
    "key_name",
    ["head", "members", "weights", "damping", "conclusions", "identities", "links_in_force", "audit", "format"],
)
@pytest.mark.parametrize("value", [None, 7, "x", [], [{}], {"a": "b"}])
def test_manifests_that_make_no_sense_are_findings(sealed: bytes, key_name: str, value: object) -> None:
    forged = Forged(sealed)
    whole = forged.sealed()
    old = json.dumps(forged.manifest[key_name], sort_keys=True, separators=(",", ":")).encode()
    at = whole.rindex(b'"%s":' % key_name.encode() + old)
    text = whole[whole.index(b"\nmanifest ") :].split(b"\n", 2)
    new = text[2].replace(
        b'"%s":' % key_name.encode() + old, b'"%s":%s' % (key_name.encode(), json.dumps(value).encode())
    )
    body = new[: new.rindex(b"\nseal ")]
    assert at and failed(
        whole[: whole.index(b"\nmanifest ")] + b"\nmanifest %d\n%s\n" % (len(body), body) + whole[-77:]
    )


def test_wrong_usage_ends_with_2(
    crafted: Path, sealed: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "b").write_bytes(sealed)
    assert run(tmp_path / "none") == run(tmp_path) == 2
    assert run(tmp_path / "b", "--evidence", tmp_path / "none") == 2
    assert run(tmp_path / "b", "--evidence", tmp_path) == 2  # it is none of the sources, and holds none
    assert run(tmp_path / "b", "--expect-head", "7") == run(tmp_path / "b", "--public-key", "abc") == 2
    assert "Traceback" not in capsys.readouterr().err


def test_json_and_quiet(sealed: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "b").write_bytes(sealed)
    assert run(tmp_path / "b", "--json") == 0
    values = json.loads(capsys.readouterr().out)
    assert (values["ok"], values["failed"], values["not_checked"]) == (True, 0, 5)
    assert {"status", "code", "where", "message"} == set(values["checks"][0])
    assert run(tmp_path / "b", "-q") == 0 and capsys.readouterr().out == ""
    (tmp_path / "b").write_bytes(sealed[:-1])
    assert run(tmp_path / "b", "-q") == 4 and capsys.readouterr().out.startswith("FAILED seal ")


def test_evidence_text_cannot_reach_the_terminal(
    sealed: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    forged = Forged(sealed)
    forged.manifest["conclusions"][2]["title"] = "other"
    (tmp_path / "b").write_bytes(forged.sealed())
    assert run(tmp_path / "b") == 4
    printed = capsys.readouterr().out
    assert "\x1b" in NAME and "\x1b" not in printed and "\u202e" not in printed
    assert "Besuch" in printed


def test_the_command_writes_and_signs_a_bundle_and_ends_as_the_audit(
    finished: tuple[Path, Result], key: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    case, target = finished[0] / "case", tmp_path / "b"
    command = ["audit", str(case), "--bundle", str(target), "--sign", str(key), "-t", "json", "--jobs", "1"]
    done = CliRunner().invoke(app, command)
    values = json.loads(done.stdout)
    assert done.exit_code == 0 and values["overall"] == "approve"
    assert values["bundle"]["head"] == finished[1].head and values["bundle"]["bytes"] == target.stat().st_size
    sources = finished[0] / "sample" / "evidence"
    given = [f"--evidence={s.id}={s.path}" for s in read_case(case).sources]
    public = values["bundle"]["public_key"]
    assert sources.is_dir() and run(target, "--expect-head", finished[1].head, "--public-key", public, *given) == 0
    assert "not checked evidence" not in capsys.readouterr().out
    pem = tmp_path / "public.pem"
    private = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
    pem.write_bytes(private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    assert run(target, "--public-key", pem) == 0
    facts = next(c for c in checks(target.read_bytes()) if c[1] == "facts")
    counted = facts[3].split(": ")[1].split(";")[0].replace(",", "")
    assert sum(int(n) for n in counted.split()[::2]) == values["citations_checked"]


def test_the_bundle_of_a_case_with_findings_is_written_and_tells(small: Path, tmp_path: Path) -> None:
    evidence = next(s.path for s in read_case(small).sources if s.path.is_dir())
    flip(next(p for p in sorted(evidence.rglob("*.log")) if p.stat().st_size))
    with Ledger.open_readonly(small) as ledger:
        cited = next(ledger.events("phenomenon")).body["verified_facts"][0]["citation"]["output_sha256"]
    flip(small / "outputs" / cited[:2] / f"{cited[2:]}.zst")
    done = CliRunner().invoke(app, ["audit", str(small), "--bundle", str(tmp_path / "b"), "--jobs", "1"])
    assert done.exit_code == 4
    data = (tmp_path / "b").read_bytes()
    assert Forged(data).manifest["audit"]["overall"] == "block"
    assert ("FAILED", "output", f"output/{cited}") in [c[:3] for c in checks(data)]
    assert "FAILED" in told(data, evidence).values()


def test_a_bundle_never_takes_the_place_of_a_file_or_goes_into_case_or_evidence(crafted: Path, tmp_path: Path) -> None:
    (tmp_path / "there").write_text("x", encoding="utf-8")
    for target in (tmp_path / "there", crafted / "b", crafted.parent / "evidence" / "logs" / "b"):
        done = CliRunner().invoke(app, ["audit", str(crafted), "--bundle", str(target)])
        assert type(done.exception).__name__ == "UseError", target
    assert (tmp_path / "there").read_text(encoding="utf-8") == "x"


@pytest.mark.parametrize("text", [b"", b"no key", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"])
def test_a_key_that_is_none_is_refused_before_anything_is_written(crafted: Path, tmp_path: Path, text: bytes) -> None:
    (tmp_path / "key").write_bytes(text)
    command = ["audit", str(crafted), "--bundle", str(tmp_path / "b"), "--sign", str(tmp_path / "key")]
    assert type(CliRunner().invoke(app, command).exception).__name__ == "UseError"
    assert type(CliRunner().invoke(app, ["audit", str(crafted), "--sign", "x"]).exception).__name__ == "UseError"
    assert not (tmp_path / "b").exists()
