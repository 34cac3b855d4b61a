"""Check a sealed bundle of a case with nothing but Python: `python -m wigmore.verify BUNDLE`, or this file copied alone.

`wigmore audit CASE --bundle FILE` writes the bundle. This program was written apart from the one that wrote it: it imports
the standard library only, and has every rule that it checks in its own words. It runs no parser: `wigmore audit` does that.

A bundle is one file, and each of its bytes lies before the seal or in it:

    wigmore-bundle 1\n
    member NAME SIZE\n  SIZE bytes  \n          (the ledger, then each cited output under its SHA-256)
    manifest SIZE\n  SIZE bytes of JSON  \n     (names, sizes and hashes of the members; the ledger's head; what was concluded)
    signature ed25519 PUBLIC SIGNATURE\n        (only where signed; hexadecimal)
    seal sha256 HASH\n                          (SHA-256 of all bytes before this line)

The member `ledger` has one line an event: number, hash (hexadecimal), kind, time of recording, body; a space between.

Exit codes: 0 every check that was made holds, 2 wrong usage, 4 something does not hold.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import math
import os
import re
import stat
import struct
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

MAGIC = b"wigmore-bundle 1\n"
SEAL = re.compile(rb"seal sha256 ([0-9a-f]{64})\n")
SEAL_SIZE = 12 + 64 + 1
SIGNATURE = re.compile(rb"signature ed25519 ([0-9a-f]{64}) ([0-9a-f]{128})\n")
SIGNED = b"wigmore-bundle 1 signature\n"  # what is signed begins with this, so that the key's other signatures are none of ours
HEX = re.compile(r"[0-9a-f]{64}")
PIECE = 1 << 20
LONGEST = 1 << 25  # bytes of a text that is read as JSON: what a forged file can make us unfold
SHOWN = 100  # failures of one code that are listed one by one
FOR = ("direct_evidence", "supports", "consequence_observed", "prerequisite_met")
Edges = dict[str, list[dict[str, Any]]]  # of each hypothesis
MALFORMED = (KeyError, TypeError, ValueError, AttributeError, IndexError, ArithmeticError, RecursionError)


class Broken(Exception):
    """The file is no bundle from here on: place and message."""


class Usage(Exception):
    """The command line cannot be followed; the message says why."""


class Report:
    """The checks in order, as (status, code, where, message); status is `ok`, `FAILED` or `not checked`."""

    def __init__(self) -> None:
        self.checks: list[tuple[str, str, str, str]] = []
        self.failures: Counter[str] = Counter()

    def note(self, status: str, code: str, where: str, message: str) -> None:
        """Take in a check that was made, or was not."""
        self.checks.append((status, code, where, message))

    def fail(self, code: str, where: str, message: str) -> None:
        """Take in something that does not hold."""
        self.failures[code] += 1
        if self.failures[code] <= SHOWN:
            self.note("FAILED", code, where, message)

    def close(self, code: str, where: str, message: str, failed_before: int) -> None:
        """`ok` where nothing failed since the failures were counted as `failed_before`."""
        if self.failures.total() == failed_before:
            self.note("ok", code, where, message)

    def rows(self) -> list[tuple[str, str, str, str]]:
        """The checks, and how many failures were not listed."""
        more = [(c, n - SHOWN) for c, n in sorted(self.failures.items()) if n > SHOWN]
        return self.checks + [("FAILED", code, "bundle", f"and {n} more") for code, n in more]


def canonical(value: Any) -> bytes:
    """The one text of a JSON value by which two are compared, and lists of files are hashed: sorted keys, ASCII, no spaces."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False).encode("ascii")


def same(one: Any, other: Any) -> bool:
    """Whether two JSON values are the same (in Python alone, 1 and True would be)."""
    return canonical(one) == canonical(other)


def once(members: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object of which each name stands once: of two, readers differ on which one holds (RFC 8259, section 4)."""
    made = dict(members)
    if len(made) != len(members):
        twice = next(name for name, count in Counter(name for name, _ in members).items() if count > 1)
        raise ValueError(f"the name {twice!r} stands twice in one object")
    return made


def no_number(name: str) -> None:
    """Refuse what Python reads as a number and JSON does not know."""
    raise ValueError(f"{name} is no number of JSON")


def parse(text: bytes) -> dict[str, Any]:
    """A JSON object; ValueError for anything else."""
    if len(text) > LONGEST:
        raise ValueError(f"a text of {len(text)} bytes is longer than this program reads")
    value = json.loads(text, object_pairs_hook=once, parse_constant=no_number)
    if not isinstance(value, dict):
        raise ValueError("it is no JSON object")
    return value


# -- the file: seal, members, manifest, signature


class Bundle:
    """The parts of a bundle by their places; sizes are held against the file's own before anything is read."""

    def __init__(self, stream: BinaryIO) -> None:
        if not stream.seekable():
            raise Broken("bundle", "it cannot be read twice: give a file")
        self.stream = stream
        self.end = stream.seek(0, os.SEEK_END) - SEAL_SIZE  # where the seal begins
        self.members: dict[str, tuple[int, int]] = {}  # offset and size
        self.manifest: dict[str, Any] = {}
        self.signature: tuple[bytes, bytes] | None = None
        self.signed_end = self.end

    def split(self) -> None:
        """Find the parts; raises Broken where the format is not kept."""
        self.stream.seek(0)
        if self.stream.read(len(MAGIC)) != MAGIC:
            raise Broken("byte 0", "this is no bundle of wigmore, or of a version that this program does not know")
        while not self.manifest:
            place = self.stream.tell()
            head = self.stream.readline(200)
            found = re.fullmatch(rb"(?:member ([0-9a-z/]{1,100})|manifest) (0|[1-9][0-9]{0,17})\n", head)
            if not found:
                raise Broken(f"byte {place}", "neither a member nor the manifest begins here")
            offset, size = self.stream.tell(), int(found[2])
            if offset + size + 1 > self.end:
                raise Broken(f"byte {place}", f"{size} bytes are said to follow, the file has fewer: it was cut")
            if found[1] is None:
                self.manifest = self._manifest(offset, size)
            else:
                name = found[1].decode()
                if name in self.members:
                    raise Broken(f"byte {place}", f"the member {name} stands twice")
                self.members[name] = offset, size
                self.stream.seek(offset + size)
            if self.stream.read(1) != b"\n":
                raise Broken(f"byte {offset + size}", "the line does not end where it should")
        rest = self.end - self.stream.tell()
        if rest:
            self.signed_end = self.stream.tell()
            found = SIGNATURE.fullmatch(self.stream.read(min(rest, 300)))
            if not found:
                raise Broken(f"byte {self.signed_end}", "what stands before the seal is no signature")
            self.signature = bytes.fromhex(found[1].decode()), bytes.fromhex(found[2].decode())

    def _manifest(self, offset: int, size: int) -> dict[str, Any]:
        if size > LONGEST:
            raise Broken(f"byte {offset}", f"a manifest of {size} bytes is longer than this program reads")
        try:
            found = parse(self.stream.read(size))
        except MALFORMED as error:
            raise Broken(f"byte {offset}", f"the manifest cannot be read: {error}") from error
        if not same(found.get("format"), 1):
            raise Broken(f"byte {offset}", "the manifest is of a version that this program does not know")
        return found

    def read(self, name: str, start: int, end: int) -> bytes:
        """Some bytes of a member; ValueError for a place outside of it."""
        offset, size = self.members[name]
        if not 0 <= start < end <= size or end - start > LONGEST:
            raise ValueError(f"the output has {size} bytes, not {start} to {end}")
        self.stream.seek(offset + start)
        return self.stream.read(end - start)

    def lines(self, name: str) -> Iterator[bytes]:
        """The lines of a member with their ends; never more in memory than one line."""
        offset, left = self.members[name]
        while left:
            self.stream.seek(offset)
            line = self.stream.readline(left)
            if not line:
                raise Broken(name, "the file became shorter while it was read")
            offset, left = offset + len(line), left - len(line)
            yield line

    def digest(self, start: int, end: int) -> Any:
        """SHA-256 over a stretch of the file, in pieces."""
        found = hashlib.sha256()
        self.stream.seek(start)
        while start < end and (piece := self.stream.read(min(PIECE, end - start))):
            found.update(piece)
            start += len(piece)
        return found


def check_seal(bundle: Bundle, report: Report) -> None:
    """Every byte before the seal is what it was when the bundle was sealed, and the seal ends the file."""
    if bundle.end < len(MAGIC):
        report.fail("seal", "bundle", "the file is too short to be a bundle: it is cut, or something else")
        return
    bundle.stream.seek(bundle.end)
    found = SEAL.fullmatch(bundle.stream.read(SEAL_SIZE + 1))
    if not found:
        report.fail("seal", f"byte {bundle.end}", "the file does not end in a seal: it was cut or changed")
    elif bundle.digest(0, bundle.end).hexdigest().encode() != found[1]:
        report.fail("seal", "bundle", "the bytes of the file do not give the hash of its seal: some were changed")
    else:
        report.note("ok", "seal", "bundle", f"{bundle.end} bytes give the sealed SHA-256 {found[1].decode()}")


def check_signature(bundle: Bundle, report: Report, key: bytes | None) -> None:
    """Who holds the key signed these very bytes; without the key from elsewhere a signature says nothing."""
    if bundle.signature is None:
        if key:
            report.fail("signature", "bundle", "a key was given, but the bundle is not signed")
        else:
            report.note("not checked", "signature", "bundle", "not signed")
        return
    public, signature = bundle.signature
    message = SIGNED + bundle.digest(0, bundle.signed_end).digest()
    if key is None:
        report.note("not checked", "signature", public.hex(), "signed, key not given: not checked")
    elif public != key:
        report.fail("signature", public.hex(), f"it was signed with another key than {key.hex()}")
    elif not ed25519_holds(key, message, signature):
        report.fail("signature", public.hex(), "the signature is not that of these bytes")
    else:
        report.note("ok", "signature", public.hex(), "signed with the given key (Ed25519)")


def check_members(bundle: Bundle, report: Report) -> None:
    """The manifest's list against the members: the same names in the same order, each of that size and SHA-256."""
    before = report.failures.total()
    listed = [(str(m["name"]), m["size"], m["sha256"]) for m in bundle.manifest["members"]]
    if [name for name, _, _ in listed] != list(bundle.members):
        report.fail("manifest", "manifest", "the members listed are not those of the file")
    if "ledger" not in bundle.members:
        raise Broken("bundle", "the member `ledger` is missing")
    for name, size, sha256 in listed:
        offset, real = bundle.members.get(name, (0, 0))
        found = bundle.digest(offset, offset + real).hexdigest()
        if not same([size, sha256], [real, found]):
            report.fail("manifest", name, "size or SHA-256 differ from those listed")
        if name.startswith("output/") and name != f"output/{found}":
            report.fail("output", name, "the output's bytes do not give the SHA-256 that names it")
        elif name != "ledger" and not name.startswith("output/"):
            report.fail("manifest", name, "a member of an unknown kind")
    report.close("manifest", "manifest", f"{len(listed)} members have the listed sizes and SHA-256", before)


# -- the ledger: the chain, and the graph that its events make


def check_chain(bundle: Bundle, report: Report, expect: tuple[int, str] | None) -> Graph:
    """Each event's hash covers the hash before it, so that no event can be changed, left out or put in unseen.

    hash = SHA-256( hash before (32 bytes, zeros at first) || number as 8 bytes || lengths of kind, time and body as 4 bytes
    each || kind || time || body ), all numbers unsigned and big-endian, over the bytes as they are stored.
    """
    graph, before, number, computed = Graph(), report.failures.total(), 0, bytes(32)
    previous, met = computed, expect == (0, computed.hex())
    for number, line in enumerate(bundle.lines("ledger"), 1):
        parts = line[:-1].split(b" ", 4)
        where = f"event {number}"
        if not line.endswith(b"\n") or len(parts) != 5 or not re.fullmatch(rb"[0-9a-f]{64}", parts[1]):
            report.fail("chain", where, "the line is no event: the rest of the ledger is not read")
            return graph
        seq, stated, kind, at, body = parts
        where += f" ({kind.decode('ascii', 'replace')})"
        framed = struct.pack(">QIII", number, len(kind), len(at), len(body)) + kind + at + body
        computed = hashlib.sha256(previous + framed).digest()
        if seq != str(number).encode():
            report.fail("chain", where, "the number is not the next one: events were left out or put in")
        elif computed.hex().encode() != stated:
            report.fail("chain", where, "its bytes and the hash before do not give its hash: it was changed")
        previous = bytes.fromhex(stated.decode())
        if expect and expect[0] == number:
            met = expect[1] == stated.decode()
        try:
            graph.take(number, kind.decode(), body)
        except MALFORMED as error:
            report.fail("event", where, f"its content cannot be read: {type(error).__name__}: {error}")
    head = f"{number}:{previous.hex()}"
    if bundle.manifest["head"] != head:
        report.fail(
            "head", "manifest", f"the manifest states the head {bundle.manifest['head']}, the chain ends in {head}"
        )
    report.close("chain", f"events 1 to {number}", f"each hash follows from the one before; the head is {head}", before)
    if expect is None:
        told = "no --expect-head given: a chain made anew from its first event would look the same"
        report.note("not checked", "expected_head", "ledger", told)
    elif met:
        report.note("ok", "expected_head", f"event {expect[0]}", "the chain holds the expected head")
        if expect[0] < number:
            told = "recorded after the expected head, which does not vouch for them: ask for a later one"
            report.note("not checked", "expected_head", f"events {expect[0] + 1} to {number}", told)
    else:
        told = "has another hash there" if expect[0] <= number else f"ends at event {number}"
        report.fail("expected_head", f"event {expect[0]}", f"the chain {told}: it was cut or made anew")
    return graph


class Graph:
    """What the events say in the end: each is taken in by its kind, in order; the others say nothing that is checked here."""

    def __init__(self) -> None:
        self.sources: dict[str, dict[str, Any]] = {}
        self.hashed: dict[str, dict[str, Any]] = {}
        self.invocations: dict[str, dict[str, Any]] = {}
        self.phenomena: dict[str, dict[str, Any]] = {}
        self.facts: dict[str, dict[str, tuple[dict[str, Any], dict[str, Any]]]] = {}  # with the phenomenon they came in
        self.hypotheses: dict[str, dict[str, Any]] = {}
        self.edges: dict[str, dict[str, Any]] = {}
        self.entities: list[dict[str, Any]] = []
        self.links: dict[str, dict[str, Any]] = {}
        self.temporal: list[dict[str, Any]] = []
        self.probes: dict[tuple[str, str, str], dict[str, Any]] = {}
        self.questions: dict[str, dict[str, Any]] = {}
        self.reviews: list[dict[str, Any]] = []
        self.inconclusive: set[str] = set()
        self.config: dict[str, Any] = {}

    def take(self, number: int, kind: str, text: bytes) -> None:
        """Take in one event."""
        kept = {"source": self.sources, "invocation": self.invocations, "hypothesis": self.hypotheses}
        kept["entity_link"] = self.links
        if kind in kept:
            body = parse(text)
            kept[kind][body["id"]] = body
        elif kind == "source.hashed":
            body = parse(text)
            self.hashed[body["id"]] = body
        elif kind == "phenomenon":
            body = parse(text)
            self.phenomena[body["id"]] = body
            self.facts[body["id"]] = {f["id"]: (f, body) for f in body["verified_facts"]}
        elif kind == "phenomenon.merged":  # its facts join those of the one that it repeats, unless it has them
            body = parse(text)
            made = body["phenomenon"]
            for fact in made["verified_facts"]:
                self.facts[body["into"]].setdefault(fact["id"], (fact, made))
        elif kind == "edge":
            body = parse(text)
            self.edges.setdefault(body["id"], body)
        elif kind in ("entity", "temporal", "review"):
            {"entity": self.entities, "temporal": self.temporal, "review": self.reviews}[kind].append(parse(text))
        elif kind == "probe":
            body = parse(text)
            self.probes[body["hypothesis_id"], body["probe"], body["source_id"]] = body
        elif kind == "question":
            body = parse(text)
            self.questions[body["id"]] = {**self.questions.get(body["id"], {}), **body}
        elif kind == "hypotheses.closed":
            self.inconclusive = set(parse(text)["inconclusive"])
        elif kind == "run.started":
            self.config = parse(text).get("config") or {}


# -- the facts: each value stands where its citation says


def field_of(row: dict[str, Any], name: str) -> Any:
    """A field of a printed row: `times.NAME` is the text of a time; else the record's data, whole name or step by step."""
    if name.startswith("times."):
        time = (row.get("times") or {}).get(name[len("times.") :])
        return time["text"] if isinstance(time, dict) else None
    data = row.get("data")
    if isinstance(data, dict):
        if name in data:
            return data[name]
        value: Any = data
        for step in name.split("."):
            value = value.get(step) if isinstance(value, dict) else None
        if value is not None:
            return value
    return None if name in ("data", "times", "locator") else row.get(name)


def wrong_call(graph: Graph, fact: dict[str, Any], made: dict[str, Any]) -> str:
    """Why the call that a fact cites cannot carry it; nothing where it can."""
    cited = fact["citation"]
    call = graph.invocations.get(cited["invocation_id"])
    if call is None:
        return f"the cited call {cited['invocation_id']} is not in the ledger"
    if call["output_sha256"] != cited["output_sha256"]:
        return f"the ledger has another output for {call['id']} than the fact cites"
    if (call["agent"], call["source_id"]) != (made["agent"], made["source_id"]):
        return f"{call['id']} was made by {call['agent']} on {call['source_id']}, not by the fact's own agent on its source"
    return ""


def not_there(graph: Graph, bundle: Bundle, output: Output, fact: dict[str, Any]) -> str:
    """Why a fact's value does not stand at the cited place of an output; nothing where it does."""
    cited, value = fact["citation"], fact["value"]
    call = graph.invocations[cited["invocation_id"]]
    if (output.header["tool"], output.header["outcome"]) != (call["tool"], call["status"]):
        return "the output's first line names another tool or outcome than the ledger"
    if cited["kind"] == "span":  # the bytes themselves: the value's text, or its JSON with or without quotation marks
        found = bundle.read(output.name, cited["start"], cited["end"])
        forms = {canonical(value), canonical(value).strip(b'"')} | (
            {value.encode()} if isinstance(value, str) else set()
        )
        return "" if found in forms else "the cited bytes are not the value"
    if cited["kind"] == "empty":
        nothing = call["status"] == "empty" and output.count == 0 and value == "nothing found"
        return "" if nothing else "the cited call did not end `empty`, or printed rows"
    if cited["kind"] == "query_result":
        place = fact["locator"]
        row = output.numbered.get(place["row"])
        if place["tool"] != call["tool"] or not same(place["args"], call["args"]):
            return "the fact names other arguments than the call has"
    elif cited["kind"] == "field":
        row = output.recorded.get(cited["record_id"])
        if row is not None:  # the place of the bytes that the fact names is the record's own
            stored = [fact["artifact"], fact["path"], fact["locator"], fact["state"]]
            read = [row.get("artifact", ""), row.get("path", ""), row.get("locator") or {}, row.get("state") or "live"]
            if not same(stored, read):
                return "artifact, path, locator or state are not those of the cited record"
    else:
        return f"an unknown kind of citation: {cited['kind']}"
    if row is None:
        return "the cited record or row is not in the output"
    if fact["name"] != cited["field"]:
        return "the fact bears another name than the field that it cites"
    read = field_of(row, cited["field"])
    if read is None or read == "" or not same(read, value):
        return f"the cited field holds {shortened(read)}, the fact says {shortened(value)}"
    return ""


class Output:
    """One printed output: its header, how many rows, and those rows that facts cite."""

    def __init__(self, bundle: Bundle, name: str, records: set[str], numbers: set[int]) -> None:
        self.name, self.count = name, 0
        self.recorded: dict[str, dict[str, Any]] = {}
        self.numbered: dict[int, dict[str, Any]] = {}
        self.answers: dict[str, dict[str, Any]] = {}
        lines = bundle.lines(name)
        self.header = parse(next(lines, b""))
        for line in lines:
            if line == b"\n":
                continue
            row = parse(line)
            if row.get("record_id") in records:
                self.recorded.setdefault(row["record_id"], row)  # the first one of that id is the cited one
            if self.count in numbers:
                self.numbered[self.count] = row
            if self.header["tool"] == "answer_sheet":
                self.answers[row["id"]] = row
            self.count += 1


def check_facts(graph: Graph, bundle: Bundle, report: Report) -> None:
    """Each fact of the graph: its call is in the ledger with that output, and the value stands there at the cited place."""
    before, kinds = report.failures.total(), Counter[str]()
    cited: dict[str, list[tuple[str, dict[str, Any]]]] = defaultdict(list)
    for name, facts in graph.facts.items():
        for fact, made in facts.values():
            where = f"{name} {shortened(fact.get('name'))}"
            try:
                if problem := wrong_call(graph, fact, made):
                    report.fail("fact", where, problem)
                else:
                    cited[fact["citation"]["output_sha256"]].append((where, fact))
            except MALFORMED as error:
                report.fail("fact", where, f"it is malformed: {type(error).__name__}: {error}")
    asked: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for question in graph.questions.values():
        if question.get("invocation_id") in graph.invocations:
            sha256 = graph.invocations[question["invocation_id"]]["output_sha256"]
            asked[sha256].append(question)
            cited.setdefault(sha256, [])
    for sha256, facts_there in cited.items():
        if (name := f"output/{sha256}") not in bundle.members:
            said = [shortened(m["reason"]) for m in bundle.manifest["missing"] if m["sha256"] == sha256]
            told = f"the bundle lacks an output that {len(facts_there)} facts cite"
            report.fail("output", name, f"{told}; who wrote it said: {said[0]}" if said else told)
            continue
        try:
            citations = [f["citation"] for _, f in facts_there]
            numbers = {f["locator"]["row"] for _, f in facts_there if f["citation"]["kind"] == "query_result"}
            output = Output(bundle, name, {c.get("record_id") for c in citations if c["kind"] == "field"}, numbers)
        except MALFORMED as error:
            report.fail("output", name, f"it cannot be read as rows: {type(error).__name__}: {error}")
            continue
        for where, fact in facts_there:
            kinds[fact["citation"]["kind"]] += 1
            try:
                problem = not_there(graph, bundle, output, fact)
            except MALFORMED as error:
                problem = f"it is malformed: {type(error).__name__}: {error}"
            if problem:
                report.fail("fact", where, problem)
        for question in asked[
            sha256
        ]:  # the answer sheet's row, word for word; the ledger adds what was asked and by which call
            answer = output.answers.get(question["id"].removeprefix("std-"), {"answer": None})
            if not all(same(value, question.get(key)) for key, value in answer.items() if key != "id"):
                report.fail("answer", question["id"], "the answer is not the one in the output that it cites")
    answers = sum(map(len, asked.values()))
    told = ", ".join(f"{n} {kind}" for kind, n in sorted(kinds.items())) or "none"
    told += f"; {answers} answers of the answer sheet stand in theirs"
    report.close(
        "facts", f"{len(cited)} outputs", f"each value stands in its output at the cited place: {told}", before
    )


# -- the graph: ends of edges, and the arithmetic of belief


def normal(value: Any) -> str:
    """A value as identifiers are compared: no case, no separators of paths and numbers."""
    return re.sub(r"[\s().\\/:_+-]+", "", str(value).casefold())


def leaves(value: Any) -> Iterator[Any]:
    """All scalars in a JSON value."""
    if isinstance(value, (dict, list)):
        for item in value.values() if isinstance(value, dict) else value:
            yield from leaves(item)
    elif value is not None:
        yield value


def unbacked(graph: Graph, link: dict[str, Any]) -> str:
    """Why a link between entities stands on nothing; nothing where it is backed.

    Every link is seen in a phenomenon but `same_as`, which rests on the hypothesis that these two are one.
    """
    if link["relation"] != "same_as":
        return "" if link.get("phenomenon_id") else "it names no phenomenon that shows it"
    if not link.get("hypothesis_id"):
        return "it says that two are one without a hypothesis that backs it"
    backing = graph.hypotheses.get(link["hypothesis_id"])
    if backing is None:
        return ""  # a name that is not in the ledger is told elsewhere
    about = backing.get("subject") == f"{link['first']} {link['second']}" and not backing.get("innocent")
    return "" if about and of_identity(backing) else "its hypothesis does not say that these two are one"


def read_in(facts: Iterable[dict[str, Any]]) -> set[str]:
    """The records that facts were read in."""
    return {fact["citation"]["record_id"] for fact in facts if fact["citation"].get("record_id")}


def overdrawn(graph: Graph, edge: dict[str, Any]) -> str:
    """Why an edge says more than its phenomenon can, or hides which records it rests on; nothing where it does not."""
    made = graph.phenomena.get(edge["phenomenon_id"])
    if made is None or edge["hypothesis_id"] not in graph.hypotheses:
        return ""  # told elsewhere
    if edge.get("source_id") != made["source_id"]:
        return "its source is not that of its phenomenon"
    all_cited = read_in(fact for fact, _ in graph.facts[edge["phenomenon_id"]].values())
    if not of_identity(graph.hypotheses[edge["hypothesis_id"]]) and not (
        read_in(made["verified_facts"]) <= set(edge["records"]) <= all_cited
    ):
        return "the records that it names are not those that its phenomenon cites"
    absent = made.get("negative") and edge["edge_type"] not in ("weakens", NEUTRAL)
    return f"the absence of a record carries at most `weakens`, not {shortened(edge['edge_type'])}" if absent else ""


def untrue(graph: Graph, probe: dict[str, Any]) -> str:
    """Why a probe cannot have come to what is said of it; nothing where it can."""
    statuses = {graph.invocations[n]["status"] for n in probe.get("invocations", ()) if n in graph.invocations}
    if probe["outcome"] == "empty" and "failed" in statuses:
        return "it is said to have looked in vain, but a call that it cites failed"
    if probe["outcome"] == "found" and not probe.get("phenomena"):
        return "it is said to have found something, but names no phenomenon"
    return ""


def check_ends(graph: Graph, report: Report) -> None:
    """What edges, entities, links, probes and reviews name exists and carries them; identifiers stand in the facts cited."""
    before, entities = report.failures.total(), {e["id"] for e in graph.entities}
    wanted: list[tuple[str, Any, Any]] = []  # who names it, the name, where it must be
    hashed = {name for name, body in graph.hashed.items() if not body.get("mismatch")}  # nothing else is admitted
    for name, made in graph.phenomena.items():
        wanted += [(name, made["source_id"], graph.sources), (name, made["source_id"], hashed)]
    for name, edge in graph.edges.items():
        wanted += [(name, edge["phenomenon_id"], graph.phenomena), (name, edge["hypothesis_id"], graph.hypotheses)]
        if problem := overdrawn(graph, edge):
            report.fail("reference", name, problem)
    for time in graph.temporal:
        wanted += [(time["id"], time[end], graph.phenomena) for end in ("first", "second")]
    for name, link in graph.links.items():
        wanted += [(name, link[end], entities) for end in ("first", "second")]
        for key, known in (("phenomenon_id", graph.phenomena), ("hypothesis_id", graph.hypotheses)):
            wanted += [(name, link[key], known)] if link.get(key) else []
        if problem := unbacked(graph, link):
            report.fail("reference", name, problem)
    facts = {fact for held in graph.facts.values() for fact in held}
    items = {*graph.hypotheses, *graph.phenomena, *facts}
    for review in graph.reviews:
        wanted.append((review["id"], review["item"], items))
        wanted += [(review["id"], name, facts) for name in review.get("cites", ())]
    for probe in graph.probes.values():
        wanted.append((probe["id"], probe["hypothesis_id"], graph.hypotheses))
        wanted += [(probe["id"], name, graph.invocations) for name in probe.get("invocations", ())]
        wanted += [(probe["id"], name, graph.phenomena) for name in probe.get("phenomena", ())]
        if problem := untrue(graph, probe):
            report.fail("reference", probe["id"], problem)
    for name, question in graph.questions.items():
        wanted += [(name, question["invocation_id"], graph.invocations)] if question.get("invocation_id") else []
    for entity in graph.entities:
        for identifier in entity["identifiers"]:
            wanted.append((entity["id"], identifier["phenomenon_id"], graph.phenomena))
            said = [fact["value"] for fact, _ in graph.facts.get(identifier["phenomenon_id"], {}).values()]
            if not any(normal(identifier["value"]) in normal(leaf) for leaf in leaves(said)):
                report.fail("reference", entity["id"], "an identifier stands in none of the facts that it cites")
    for who, name, known in wanted:
        if name not in known:
            report.fail("reference", who, f"it names {shortened(name)}, which is not in the ledger")
    report.close(
        "references", "graph", f"{len(wanted)} names in edges, entities, links, probes and reviews exist", before
    )


# base-10 logarithms of the likelihood ratios, unless the run's configuration has others
WEIGHTS = {
    "direct_evidence": 2.0,
    "supports": 1.0,
    "consequence_observed": 1.0,
    "prerequisite_met": 0.5,
    "weakens": -0.5,
    "contradicts": -2.0,
}
STRENGTH = ["direct_evidence", "contradicts", "supports", "consequence_observed", "prerequisite_met", "weakens"]
NEUTRAL = "consistent_with"  # an edge without weight


def log_odds(prior: float, edges: Iterable[dict[str, Any]], weights: dict[str, float], damping: str) -> float:
    """log10 of the prior's odds, plus weight × (1 + 1/2 + … + 1/n) for the n edges of a type (and source, `per_source`).

    Of edges that share an event or a phenomenon only the strongest for and the strongest against count, and none all whose
    records stronger ones have told of: several traces of one event are one observation.
    """
    weighing = [e for e in edges if e["edge_type"] != NEUTRAL]
    weighing.sort(
        key=lambda e: (
            STRENGTH.index(e["edge_type"]),
            e["event_key"] or e["id"],
            e["phenomenon_id"],
            e["id"],
            e["source_id"],
        )
    )
    groups: Counter[tuple[str, str]] = Counter()
    heard: dict[bool, set[str]] = {True: set(), False: set()}
    for edge in weighing:
        before = heard[edge["edge_type"] in ("weakens", "contradicts")]
        event, records = edge["event_key"] or edge["phenomenon_id"], set(edge["records"])
        if event not in before and not (records and records <= before):
            before |= {event, *records}
            groups[edge["edge_type"], edge["source_id"] if damping == "per_source" else ""] += 1
    terms = [round(weights[t] * math.fsum(1 / k for k in range(1, n + 1)), 4) for (t, _), n in sorted(groups.items())]
    return round(math.fsum([round(math.log10(prior / (1 - prior)), 4), *terms]), 4)


def probability(odds: float) -> float:
    """The probability of log10 odds."""
    return 1 / (1 + 10 ** -max(min(odds, 300.0), -300.0))


def status_of(odds: float) -> str:
    """`supported` from a probability of 0.8, `refuted` to 0.2, else `active`."""
    score = probability(odds)
    return "supported" if score >= 0.8 - 1e-9 else "refuted" if score <= 0.2 + 1e-9 else "active"


def of_identity(hypothesis: dict[str, Any]) -> bool:
    """Whether a hypothesis says that two entities are one (or its rival, that they are two): no finding about an act."""
    return "SAME" in (hypothesis.get("propositions") or ())


def weighing(graph: Graph, *, judged: bool = True) -> Iterator[dict[str, Any]]:
    """The edges that bear on their hypotheses; not `judged`: of those that rules laid, as if a model had judged nothing.

    An absence does while its probe, put last, still comes to it, and while no other source holds what the probe asked for; it,
    and what weakens, does only while no observation of a rule that its probe names (`unless`) speaks for the hypothesis.
    """
    found = {(h, probe) for (h, probe, _), p in graph.probes.items() if p["outcome"] == "found"}
    unless: dict[tuple[str, str], list[list[str]]] = defaultdict(list)
    for (h, probe, _), p in graph.probes.items():
        for what in (probe, *p.get("phenomena", ())):
            unless[h, what].append(p.get("unless", []))
    ways: dict[str, set[str]] = defaultdict(set)
    laid = [edge for edge in graph.edges.values() if judged or not edge.get("model")]
    for edge in laid:
        if edge["edge_type"] in FOR and edge["phenomenon_id"] in graph.phenomena:
            ways[edge["hypothesis_id"]].add(graph.phenomena[edge["phenomenon_id"]]["rule"])
    for edge in laid:
        seen, name = graph.phenomena.get(edge["phenomenon_id"]) or {}, edge["hypothesis_id"]
        about = edge["phenomenon_id"] if edge["edge_type"] == "weakens" else ""
        if seen.get("negative"):
            about = seen["rule"].rpartition(":")[2]  # absence:TEMPLATE:PROBE
            said = graph.probes.get((name, about, seen["source_id"]), {"outcome": "empty"})
            if (name, about) in found or said["outcome"] != "empty":
                continue
        named = unless.get((name, about), [])
        if not named or not all(ways[name].intersection(rules) for rules in named):
            yield edge


def rests(edges: Iterable[dict[str, Any]]) -> bool:
    """Whether edges hold direct evidence, or support from two mechanisms."""
    ways = {e["mechanism"] for e in edges if e["edge_type"] in ("supports", "consequence_observed")}
    return len(ways) > 1 or any(e["edge_type"] == "direct_evidence" for e in edges)


def rivals_stand(graph: Graph, name: str, edges: Edges, odds: dict[str, float]) -> bool:
    """Whether an alternative stands beside a supported hypothesis about an act, from a score of 0.8 (rounded to 4 digits).

    Alternatives are those of the same frame and subject. Those that the case holds against every hypothesis (`standing`)
    count where they rest on more than prerequisites, in sources of this hypothesis' own edges; against an innocent
    alternative they do not count.
    """
    own, sources = graph.hypotheses[name], {e["source_id"] for e in edges[name]}
    for other, rival in graph.hypotheses.items():
        if other == name or round(probability(odds[other]), 4) < 0.8:
            continue
        if rival.get("standing"):
            near = [e for e in edges[other] if e["source_id"] in sources]
            if not own.get("innocent") and rests(near):
                return True
        elif own.get("frame") and (rival.get("frame"), rival.get("subject")) == (own["frame"], own.get("subject")):
            return True
    return False


def competes(graph: Graph, name: str) -> bool:
    """Whether another hypothesis of the same frame and subject, other than those held against every one, competes with it."""
    own = graph.hypotheses[name]
    return bool(own.get("frame")) and any(
        other != name
        and not rival.get("standing")
        and (rival.get("frame"), rival.get("subject")) == (own["frame"], own.get("subject"))
        for other, rival in graph.hypotheses.items()
    )


def verdict(graph: Graph, name: str, edges: Edges, odds: dict[str, float]) -> str:
    """What may be said of a hypothesis about an act: concluded | contested | not_tested | refuted | open."""
    own, status = graph.hypotheses[name], status_of(odds[name])
    contradicted = any(e["edge_type"] == "contradicts" for e in edges[name])
    if status != "supported":
        direct = any(e["edge_type"] == "direct_evidence" for e in edges[name])
        return "refuted" if status == "refuted" and contradicted and not direct else "open"
    act = (own.get("propositions") or [""])[0]
    if contradicted or not rests([e for e in edges[name] if not act or e["proposition"] == act]):
        return "contested"  # a contradiction, or neither direct evidence of the act itself nor two mechanisms
    if rivals_stand(graph, name, edges, odds) or not competes(graph, name):
        return "contested"
    made = [p for (h, _, _), p in graph.probes.items() if h == name and p["outcome"] in ("found", "empty")]
    tested = any(p["disconfirming"] for p in made) and (not own.get("decisive") or any(p["decisive"] for p in made))
    return "concluded" if tested else "not_tested"


def in_force(graph: Graph, odds: dict[str, float]) -> list[str]:
    """The `same_as` links that join now: their hypothesis is supported, and its last review does not reject it."""
    last = {review["item"]: review["decision"] for review in graph.reviews}
    links = [(n, x["hypothesis_id"]) for n, x in graph.links.items() if x["relation"] == "same_as"]
    return sorted(n for n, h in links if h in odds and status_of(odds[h]) == "supported" and last.get(h) != "reject")


def check_belief(graph: Graph, manifest: dict[str, Any], report: Report) -> None:
    """The stated score, status and verdict of each hypothesis follow from the edges, the prior and the weights.

    Hypotheses of identity stand apart (`identities`), without a verdict; the links in force follow from them.
    """
    before = report.failures.total()
    weights, damping = manifest["weights"], manifest["damping"]
    recorded = {**WEIGHTS, **(graph.config.get("hypothesis_log_lr") or {})}
    if not same([recorded, graph.config.get("damping", "per_type")], [weights, damping]):
        report.fail("weights", "manifest", "weights or damping are not those that the last run recorded in the ledger")
    beliefs: list[tuple[Edges, dict[str, float]]] = []
    for judged in (True, False):  # verdicts rest on what rules laid
        edges: Edges = defaultdict(list)
        for edge in weighing(graph, judged=judged):
            edges[edge["hypothesis_id"]].append(edge)
        beliefs.append(
            (edges, {n: log_odds(h["prior_prob"], edges[n], weights, damping) for n, h in graph.hypotheses.items()})
        )
    odds = beliefs[0][1]
    for key in ("conclusions", "identities"):
        about = {n for n, h in graph.hypotheses.items() if of_identity(h) == (key == "identities")}
        stated = {row["hypothesis_id"]: row for row in manifest[key]}
        if stated.keys() != about or len(stated) != len(manifest[key]):
            report.fail("belief", "manifest", f"the {key} stated are not about the hypotheses of the ledger")
        for name in sorted(stated.keys() & about):
            status = status_of(odds[name])
            found = {
                "hypothesis_id": name,
                "title": graph.hypotheses[name]["title"],
                "prior_prob": graph.hypotheses[name]["prior_prob"],
                "log_odds": odds[name],
                "confidence": round(probability(odds[name]), 4),
                "status": "inconclusive" if status == "active" and name in graph.inconclusive else status,
            }
            if key == "conclusions":
                found["verdict"] = verdict(graph, name, *beliefs[1])
            for field in sorted(found.keys() | stated[name].keys()):
                if not same(found.get(field), stated[name].get(field)):
                    said, computed = shortened(stated[name].get(field)), shortened(found.get(field))
                    report.fail("belief", name, f"{field} is stated as {said}, the ledger gives {computed}")
    if not same(manifest["links_in_force"], joined := in_force(graph, odds)):
        report.fail("belief", "manifest", f"the ledger gives {len(joined)} links in force, other ones are stated")
    told = f"scores and verdicts of {len(odds)} hypotheses and {len(joined)} links in force follow from {len(graph.edges)} edges"
    report.close("belief", "manifest", told, before)


# -- the evidence itself, where it is at hand


def file_sha256(path: str | bytes | Path) -> tuple[str, int]:
    """SHA-256 and size of a file."""
    found, size = hashlib.sha256(), 0
    with open(path, "rb") as stream:
        while piece := stream.read(PIECE):
            found.update(piece)
            size += len(piece)
    return found.hexdigest(), size


def name_of(raw: bytes) -> str:
    r"""A file name's bytes as text: what is no UTF-8 is written `\xNN`, a lone surrogate `\uNNNN`."""
    try:
        text = raw.decode("utf-8", "surrogatepass").encode("utf-8", "backslashreplace").decode("utf-8")
    except UnicodeDecodeError:
        text = raw.decode("utf-8", "backslashreplace")
    return text.replace("/", "\\x2f").replace("\0", "\\x00")


def tree_sha256(folder: Path) -> tuple[str, int]:
    """The hash of a folder: SHA-256 over the JSON of the sorted rows [path, size, SHA-256]; links by their target."""
    rows: list[list[Any]] = []
    pending: list[tuple[bytes, str]] = [(os.fsencode(folder), "")]
    while pending:
        place, prefix = pending.pop()
        with os.scandir(place) as found:
            for entry in found:
                path, mode = prefix + name_of(entry.name), entry.stat(follow_symlinks=False).st_mode
                if stat.S_ISDIR(mode):
                    pending.append((entry.path, path + "/"))
                elif stat.S_ISLNK(mode):
                    target = name_of(os.readlink(entry.path).replace(b"/", b"\0")).replace("\\x00", "/")
                    rows.append([path, 0, f"link:{target}"])
                elif stat.S_ISREG(mode):
                    sha256, size = file_sha256(entry.path)
                    rows.append([path, size, sha256])
    return hashlib.sha256(canonical(sorted(rows))).hexdigest(), len(rows)


def placed(graph: Graph, given: list[str]) -> dict[str, Path]:
    """Where each source is, from `SOURCE=PATH`, the source itself, or a folder that holds sources under their names."""
    names = {name: Path(str(source["path"]).replace("\\", "/")).name for name, source in graph.sources.items()}
    alone: dict[str, list[str]] = defaultdict(list)
    for source, name in names.items():
        alone[name].append(source)
    out: dict[str, Path] = {}
    for text in given:
        source, _, rest = text.partition("=")
        path = Path(rest if source in names and rest else text)
        if not path.exists():
            raise Usage(f"--evidence {text}: there is no such file or folder")
        if source in names and rest:
            out[source] = path
        elif len(alone.get(path.resolve().name, ())) == 1:
            out[alone[path.resolve().name][0]] = path
        elif inside := {s[0]: path / n for n, s in alone.items() if len(s) == 1 and (path / n).exists()}:
            out.update(inside)
        elif len(names) == 1:
            out[next(iter(names))] = path
        else:
            raise Usage(
                f"--evidence {text}: it is none of the sources; give SOURCE=PATH with one of {', '.join(sorted(names))}"
            )
    return out


def check_evidence(graph: Graph, report: Report, given: list[str]) -> None:
    """The evidence at hand against the hash that the ledger has of its intake; never `ok` for what was not read."""
    paths = placed(graph, given)
    for name in sorted(graph.sources):
        if name not in paths:
            report.note("not checked", "evidence", name, "not given (--evidence)")
            continue
        hashes = (graph.hashed.get(name) or {}).get("hashes") or {}
        try:
            if hashes.get("unreadable"):
                report.note("not checked", "evidence", name, "not all of it could be read at intake")
            elif hashes.get("kind") == "tree":
                found, count = tree_sha256(paths[name])
                if found != hashes["manifest_sha256"]:
                    report.fail(
                        "evidence", name, f"the folder is not what it was at intake: {hashes['manifest_sha256']}"
                    )
                else:
                    report.note("ok", "evidence", name, f"{count} files are those of the intake: {found}")
            elif hashes.get("segments"):
                check_segments(report, name, paths[name], hashes)
            else:
                report.note("not checked", "evidence", name, "the ledger has no hash of its intake")
        except OSError as error:
            report.fail("evidence", name, f"it cannot be read: {error}")


def check_segments(report: Report, name: str, path: Path, hashes: dict[str, Any]) -> None:
    """A file, and the others that belong to it (a split image) beside it under the names that the ledger has."""
    before, rows = report.failures.total(), []
    for number, segment in enumerate(hashes["segments"]):
        place = path if number == 0 else path.with_name(Path(segment["path"]).name)
        sha256, size = file_sha256(place)
        rows.append([segment["path"], size, sha256])
        if (sha256, size) != (segment["sha256"], segment["size"]):
            report.fail("evidence", name, f"{segment['path']} is not what it was at intake: {segment['sha256']}")
    whole = rows[0][2] if len(rows) == 1 else hashlib.sha256(canonical(rows)).hexdigest()
    if report.failures.total() == before and whole != hashes["container_sha256"]:
        report.fail("evidence", name, "the files do not give the container's hash in the ledger")
    report.close("evidence", name, f"{len(rows)} files are those of the intake: {whole}", before)


# -- Ed25519 (RFC 8032, section 5.1): the curve -x² + y² = 1 + d x² y² over the integers modulo P

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
Point = tuple[int, int, int, int]  # X, Y, Z, T with x = X/Z, y = Y/Z, x y = T/Z


def added(one: Point, other: Point) -> Point:
    """The sum of two points (section 5.1.4)."""
    a, b = (one[1] - one[0]) * (other[1] - other[0]) % P, (one[1] + one[0]) * (other[1] + other[0]) % P
    c, d = 2 * one[3] * other[3] * D % P, 2 * one[2] * other[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def times(number: int, point: Point) -> Point:
    """A multiple of a point."""
    out = (0, 1, 1, 0)
    while number:
        if number & 1:
            out = added(out, point)
        point = added(point, point)
        number >>= 1
    return out


def point_of(raw: bytes) -> Point | None:
    """The point of 32 bytes (section 5.1.3), or None where there is none."""
    y = int.from_bytes(raw, "little")
    odd, y = y >> 255, y & ((1 << 255) - 1)
    if y >= P:
        return None
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * pow(2, (P - 1) // 4, P) % P
    if (x * x - square) % P or (x == 0 and odd):
        return None
    x = P - x if x & 1 != odd else x
    return x, y, 1, x * y % P


BASE = point_of((4 * pow(5, -1, P) % P).to_bytes(32, "little"))


def ed25519_holds(public: bytes, message: bytes, signature: bytes) -> bool:
    """Whether the signature (64 bytes) over the message was made with the private half of the key (section 5.1.7)."""
    key, first, scalar = point_of(public), point_of(signature[:32]), int.from_bytes(signature[32:], "little")
    if key is None or first is None or BASE is None or scalar >= ORDER or len(signature) != 64:
        return False
    k = int.from_bytes(hashlib.sha512(signature[:32] + public + message).digest(), "little") % ORDER
    one, other = times(scalar, BASE), added(first, times(k, key))
    return not ((one[0] * other[2] - other[0] * one[2]) % P or (one[1] * other[2] - other[1] * one[2]) % P)


def public_key(text: str) -> bytes:
    """A public key, as 64 hexadecimal digits or a file that holds these, or PEM; raises Usage."""
    given = text.strip()
    if not HEX.fullmatch(given.lower()):
        try:
            given = Path(text).read_bytes()[:4096].decode("ascii").strip()
        except (OSError, ValueError) as error:
            raise Usage(f"--public-key {text}: neither 64 hexadecimal digits nor a key file") from error
    if HEX.fullmatch(given.lower()):
        return bytes.fromhex(given)
    import base64

    found = re.fullmatch(r"-----BEGIN PUBLIC KEY-----\s+([A-Za-z0-9+/=]+)\s+-----END PUBLIC KEY-----", given)
    der = base64.b64decode(found[1]) if found else b""
    if der[:-32] != bytes.fromhex("302a300506032b6570032100"):  # SubjectPublicKeyInfo of Ed25519 (RFC 8410)
        raise Usage(f"--public-key {text}: no Ed25519 key")
    return der[-32:]


# -- the program


def shortened(value: Any) -> str:
    """A value for a message."""
    text = repr(value)
    return text if len(text) <= 80 else text[:79] + "…"


def verify(
    stream: BinaryIO,
    *,
    evidence: list[str] | None = None,
    expect: tuple[int, str] | None = None,
    key: bytes | None = None,
) -> Report:
    """Every check of a bundle; raises Usage where the evidence given is none of its sources."""
    report = Report()
    try:
        bundle = Bundle(stream)
        check_seal(bundle, report)
        bundle.split()
        check_signature(bundle, report, key)
        check_members(bundle, report)
        graph = check_chain(bundle, report, expect)
        check_facts(graph, bundle, report)
        check_ends(graph, report)
        check_belief(graph, bundle.manifest, report)
        check_evidence(graph, report, evidence or [])
        audit = bundle.manifest["audit"]
        told = (
            f"{audit['overall']}, {audit['citations_reproduced']} of {audit['citations_checked']} citations read again"
        )
        report.note("not checked", "audit", "manifest", f"stated by wigmore: {told}; no parser is run here")
    except Broken as error:
        report.fail("format", *error.args)
    except (*MALFORMED, OSError, MemoryError) as error:
        report.fail("malformed", "bundle", f"it cannot be read further: {type(error).__name__}: {error}"[:300])
    return report


def shown(text: str) -> str:
    """A text that cannot move the cursor or hide: what is not printable is written as its escape."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def main(arguments: list[str] | None = None) -> int:
    """The command line; returns the exit code."""
    known = argparse.ArgumentParser(prog="wigmore.verify", description=(__doc__ or "").split("\n", 1)[0])
    known.add_argument("bundle", metavar="BUNDLE")
    known.add_argument(
        "--evidence",
        action="append",
        default=[],
        metavar="[SOURCE=]PATH",
        help="evidence to hash and compare: a source, or a folder that holds sources under their names (may be repeated)",
    )
    known.add_argument("--expect-head", metavar="SEQ:HASH", help="the ledger head that the run printed")
    known.add_argument("--public-key", metavar="FILE|HEX", help="the Ed25519 key that should have signed the bundle")
    known.add_argument("-q", action="store_true", help="print failures only")
    known.add_argument("--json", action="store_true", help="print one JSON object")
    given = known.parse_args(arguments)
    try:
        head = re.fullmatch(r"(\d{1,18}):([0-9a-f]{64})", (given.expect_head or "").strip())
        if given.expect_head and not head:
            raise Usage("--expect-head is written seq:hash with 64 hexadecimal digits")
        key = public_key(given.public_key) if given.public_key else None
        try:
            stream = open(given.bundle, "rb")  # noqa: SIM115  # closed below; only its opening is a matter of usage
        except OSError as error:
            raise Usage(f"{given.bundle}: {error.strerror}") from error
        with stream:
            report = verify(stream, evidence=given.evidence, expect=(int(head[1]), head[2]) if head else None, key=key)
    except Usage as error:
        sys.stderr.write(f"wigmore.verify: {shown(str(error))}\n")
        return 2
    for output in (sys.stdout, sys.stderr):
        if isinstance(output, io.TextIOWrapper):
            output.reconfigure(errors="backslashreplace")  # a terminal that lacks a letter is no reason to stop
    failed = report.failures.total()
    left = sum(status == "not checked" for status, *_ in report.checks)
    if given.json:
        rows = [dict(zip(("status", "code", "where", "message"), row, strict=True)) for row in report.rows()]
        values = {"bundle": given.bundle, "ok": not failed, "failed": failed, "not_checked": left, "checks": rows}
        sys.stdout.write(json.dumps(values) + "\n")
        return 4 if failed else 0
    for status, code, where, message in report.rows():
        if status == "FAILED" or not given.q:
            sys.stdout.write(f"{status} {code} {shown(where)}: {shown(message)}\n")
    if not given.q:
        sys.stdout.write(f"{failed} failed\n" if failed else f"all that was checked holds; {left} not checked\n")
    return 4 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
