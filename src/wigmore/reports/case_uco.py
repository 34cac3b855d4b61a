"""The case as JSON-LD after the CASE and UCO ontologies, version 1.4 (caseontology.org, unifiedcyberontology.org).

The investigation holds everything. A source is an observable object with its hashes under a provenance record; a cited
file is one with its size, times and hashes; a recorded call is an investigative action with its tool, its source and
what came out of it: the stored output and the facts that cite it. Facts, interpretations, hypotheses and reviews are
annotations: facts are about files, an interpretation is about its facts, a hypothesis is about the observations that
bear on it. Working scores are left out. What the ontologies have no term for is a declared property of `wigmore:`;
there are no classes of our own. Ids are UUIDs made from the case's own ids.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

from wigmore.ledger import durable_file
from wigmore.model.canonical import canonical, clean
from wigmore.model.times import instant_text
from wigmore.reports.data import ReportData, report_format
from wigmore.reports.index import Index
from wigmore.reports.markup import plain

Node = dict[str, Any]

NAMESPACE = UUID("5f0c36a4-4dcb-5a0e-9d6b-1f6d7a0c4e51")  # ours: ids of one case are the same in each of its exports
LISTING = "file_listing"
CONTEXT = {
    "kb": "urn:wigmore:kb:",
    "wigmore": "urn:wigmore:terms:",
    "investigation": "https://ontology.caseontology.org/case/investigation/",
    "action": "https://ontology.unifiedcyberontology.org/uco/action/",
    "core": "https://ontology.unifiedcyberontology.org/uco/core/",
    "identity": "https://ontology.unifiedcyberontology.org/uco/identity/",
    "observable": "https://ontology.unifiedcyberontology.org/uco/observable/",
    "tool": "https://ontology.unifiedcyberontology.org/uco/tool/",
    "types": "https://ontology.unifiedcyberontology.org/uco/types/",
    "owl": "http://www.w3.org/2002/07/owl#",
    "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}
TERMS = {  # property -> what its value is
    "acquisition": "How the source was acquired, as the case file states it.",
    "caveat": "What an observation does not show.",
    "citationKind": "What of a call's output a fact cites: a field, a span of bytes, the whole result, or its emptiness.",
    "doesNotMean": "What records of a parser do not mean.",
    "factId": "The id of a fact in the case.",
    "factName": "The field that a fact was read from.",
    "graphHash": "SHA-256 over the evidence graph: observations, facts, entities, hypotheses, bearings.",
    "itemId": "The id of a thing in the case.",
    "ledgerHead": "Number and SHA-256 of the last event of the case's ledger.",
    "locator": "Where in its file a fact's record stands, as JSON.",
    "manifestHash": "SHA-256 over the list of a folder's files with their hashes.",
    "means": "What records of a parser mean.",
    "moduleHash": "SHA-256 of the program text of a parser.",
    "negative": "Whether an observation says that records were looked at and held nothing.",
    "occurredAt": "When something happened as the evidence has it; only known UTC ends in Z.",
    "outcome": "What came of a call: found, empty, failed, not_applicable or not_run.",
    "recordId": "The id of the record that a fact was read from.",
    "recordState": "How the record was met: live, or recovered in one of several ways.",
    "rerun": "The command that makes a call again.",
    "verdict": "How far the declared rules let the machine go; no person has thereby accepted it.",
    "verdictReason": "Why a hypothesis is not called concluded.",
}
HASHES = {"md5": "MD5", "sha1": "SHA1", "sha256": "SHA256"}
TIMES = {
    "accessed": "accessedTime",
    "modified": "modifiedTime",
    "changed": "metadataChangeTime",
    "created": "observableCreatedTime",
}
STATUSES = {"found": "Success", "empty": "Success", "failed": "Fail"}


class Writer:
    """Makes the nodes of one case; each is named after its kind and the case's own id of the thing."""

    def __init__(self, data: ReportData) -> None:
        self.data = data
        self.index = Index(data)
        self.case, self.root = plain(data.context.get("case")), data.root
        self.held: dict[str, None] = {}  # what the investigation holds, in the order it was made

    def id(self, kind: str, *names: Any) -> str:
        """The id of a node."""
        return f"kb:{kind}-{uuid5(NAMESPACE, canonical([self.root, kind, *names]).decode())}"

    def ref(self, kind: str, *names: Any) -> Node:
        """A reference to a node."""
        return {"@id": self.id(kind, *names)}

    def node(self, type_: str, kind: str, *names: Any, **properties: Any) -> Node:
        """A node that the investigation holds; `a_b` is a:b, and properties without a value are left out."""
        out = {"@id": self.id(kind, *names), "@type": type_, **_filled(properties)}
        self.held.setdefault(out["@id"])
        return out

    def facet(self, type_: str, owner: str, **properties: Any) -> Node:
        """A facet of the node `owner`."""
        return {"@id": self.id("facet", owner, type_), "@type": type_, **_filled(properties)}

    def hashes(self, owner: str, values: Mapping[str, Any]) -> list[Node]:
        """Hashes of the node `owner`; `values` by algorithm."""
        return [
            {
                "@id": self.id("hash", owner, name),
                "@type": "types:Hash",
                "types:hashMethod": method,
                "types:hashValue": {"@type": "xsd:hexBinary", "@value": plain(values[name]).upper()},
            }
            for name, method in HASHES.items()
            if values.get(name)
        ]

    def relation(self, kind: str, source: Node, target: Node, observable: bool = False, **properties: Any) -> Node:
        """A directed relationship between two nodes."""
        return self.node(
            "observable:ObservableRelationship" if observable else "core:Relationship",
            "relationship",
            kind,
            source["@id"],
            target["@id"],
            core_source={"@id": source["@id"]},
            core_target={"@id": target["@id"]},
            core_isDirectional=True,
            core_kindOfRelationship=kind,
            **properties,
        )

    def nodes(self) -> Iterator[Node]:
        """Every node of the case, the investigation last, for it names all others."""
        for name, said in TERMS.items():
            yield {"@id": f"wigmore:{name}", "@type": "owl:DatatypeProperty", "rdfs:comment": said}
        for part in (
            self._people,
            self._tools,
            self._sources,
            self._files,
            self._extraction,
            self._calls,
            self._observations,
            self._hypotheses,
            self._reviews,
        ):
            yield from part()
        yield self._investigation()

    def _investigation(self) -> Node:
        context, run = self.data.context, self.index.run
        out = self.node(
            "investigation:Investigation",
            "investigation",
            core_name=context.get("title") or self.case or "untitled case",
            investigation_relevantAuthorization=self.ref("authorization") if context.get("authority") else None,
            wigmore_itemId=self.case,
            wigmore_ledgerHead=run.get("ledger_head"),
            wigmore_graphHash=run.get("graph_hash"),
        )
        out["core:object"] = [{"@id": i} for i in self.held if i != out["@id"]]
        return out

    def _people(self) -> Iterator[Node]:
        examiner = self.data.context.get("examiner") or {}
        stated = examiner if isinstance(examiner, dict) else {"name": examiner}
        for key, type_ in (("name", "identity:Person"), ("organisation", "identity:Organization")):
            if stated.get(key):
                yield self.node(type_, key, core_name=stated[key])
        if authority := self.data.context.get("authority"):
            yield self.node(
                "investigation:Authorization", "authorization", investigation_authorizationIdentifier=authority
            )

    def _parsers(self) -> list[str]:
        """The parsers that met files of theirs, or whose records are cited."""
        met = {plain(c["parser"]).partition("@")[0] for c in self.data.coverage if c["outcome"] in ("found", "empty")}
        cited = {self.index.parser_of(f["artifact"]) for p in self.data.phenomena for f in p["facts"]}
        return sorted((met | cited) & set(self.index.parsers))

    def _tools(self) -> Iterator[Node]:
        version = (self.index.run.get("versions") or {}).get("wigmore")
        yield self.node(
            "tool:AnalyticTool", "tool", "wigmore", core_name="wigmore", tool_version=version, tool_toolType="examiner"
        )
        for name in self._parsers():
            said = self.index.parsers[name]
            yield self.node(
                "tool:Tool",
                "tool",
                "parser",
                name,
                core_name=name,
                tool_version=plain(said.get("version")),
                tool_toolType="parser",
                wigmore_means=said.get("means"),
                wigmore_doesNotMean=said.get("does_not_mean"),
                wigmore_moduleHash=said.get("sha256"),
            )

    def _sources(self) -> Iterator[Node]:
        entries = self.data.context.get("source_entries") or {}
        for source in self.data.sources:
            entry = entries.get(source["id"], {})
            hashes = (source.get("hashes") or {}).get("hashes") or {}
            folder = source["access_mode"] == "tree"
            me = self.id("source", source["id"])
            segments = [s for s in hashes.get("segments") or () if isinstance(s, dict)]
            own = {
                k: hashes.get(f"container_{k}") or (segments[0].get(k) if len(segments) == 1 else None) for k in HASHES
            }
            size = segments[0].get("size") if len(segments) == 1 else None
            container = self.node(
                "observable:ObservableObject",
                "source",
                source["id"],
                core_name=source["label"] or source["id"],
                wigmore_itemId=source["id"],
                wigmore_manifestHash=hashes.get("manifest_sha256"),
                core_hasFacet=[
                    self._file_facet(me, plain(source["path"]), size, observable_isDirectory=folder),
                    self._content_facet(me, size, own),
                ],
            )
            yield container
            objects = [self.ref("source", source["id"])]
            if medium := {k: hashes[f"media_{k}"] for k in HASHES if hashes.get(f"media_{k}")}:
                inner = self.id("medium", source["id"])
                node = self.node(
                    "observable:ObservableObject",
                    "medium",
                    source["id"],
                    core_name=f"the medium in {source['label'] or source['id']}",
                    core_hasFacet=[self._content_facet(inner, hashes.get("media_size"), medium)],
                )
                yield node
                yield self.relation("Contained_Within", node, container, observable=True)
                objects.append({"@id": inner})
            yield self.node(
                "investigation:ProvenanceRecord",
                "provenance",
                source["id"],
                core_description=f"received as {plain(source['label']) or source['id']}",
                investigation_exhibitNumber=entry.get("exhibit") or (source.get("meta") or {}).get("exhibit"),
                wigmore_acquisition=_sentence(entry.get("acquisition")),
                core_object=objects,
            )

    def _file_facet(self, owner: str, path: str, size: Any, **more: Any) -> Node:
        return self.facet(
            "observable:FileFacet",
            owner,
            observable_fileName=path.rsplit("/", 1)[-1],
            observable_filePath=path,
            observable_sizeInBytes=size if isinstance(size, int) else None,
            **more,
        )

    def _content_facet(self, owner: str, size: Any, hashes: Mapping[str, Any]) -> Node | None:
        made = self.hashes(owner, hashes)
        if not made:
            return None
        size = size if isinstance(size, int) else None
        return self.facet("observable:ContentDataFacet", owner, observable_hash=made, observable_sizeInBytes=size)

    def _cited(self) -> list[tuple[str, str]]:
        """(source, path) of each file that a fact was read from."""
        return sorted({(f["source_id"], f["path"]) for p in self.data.phenomena for f in p["facts"] if f["path"]})

    def _files(self) -> Iterator[Node]:
        cited = self._cited()
        known: dict[tuple[str, str], list[Mapping[str, Any]]] = {key: [] for key in cited}
        for row in self.data.records():
            if row["artifact"] == LISTING and (key := (row["source_id"], row["path"])) in known:
                known[key].append(row)
        for (source, path), entries in sorted(known.items()):
            me = self.id("file", source, path)
            # a path that a deleted twin shares names two contents: neither's hashes may stand for both
            record: Mapping[str, Any] = entries[0] if len(entries) == 1 else {}
            data, times = record.get("data") or {}, record.get("times") or {}
            moments = {
                f"observable_{term}": _instant(times[name]["instant"])
                for name, term in TIMES.items()
                if isinstance(times.get(name), dict)
                and times[name].get("owner") == "host"
                and isinstance(times[name].get("instant"), int)
            }
            node = self.node(
                "observable:File",
                "file",
                source,
                path,
                core_description=None if len(entries) < 2 else f"{len(entries)} entries have this path: see the case",
                core_hasFacet=[
                    self._file_facet(me, path, data.get("size"), observable_isDirectory=False, **moments),
                    self._content_facet(me, data.get("size"), data),
                ],
            )
            yield node
            if source in self.index.labels:
                yield self.relation("Contained_Within", node, self.ref("source", source), observable=True)

    def _extraction(self) -> Iterator[Node]:
        run = self.index.run
        yield self.node(
            "investigation:InvestigativeAction",
            "extraction",
            core_name="extraction",
            core_description="Parsers read every file of the sources that they claim.",
            action_startTime=_moment(run.get("started")),
            action_endTime=_moment(run.get("finished")),
            action_actionStatus="Complete/Finish" if run.get("finished") else "Unknown",
            action_instrument=[self.ref("tool", "wigmore"), *(self.ref("tool", "parser", n) for n in self._parsers())],
            action_object=[self.ref("source", s["id"]) for s in self.data.sources],
            action_result=[self.ref("file", *key) for key in self._cited()],
        )

    def _calls(self) -> Iterator[Node]:
        facts: dict[str, list[Node]] = {}
        for phenomenon in self.data.phenomena:
            for fact in phenomenon["facts"]:
                facts.setdefault(fact["invocation_id"], []).append(self.ref("fact", fact["fact_id"]))
        for name, call in sorted(self.index.invocations.items()):
            me, output = self.id("call", name), self.id("output", name)
            if call.get("output_sha256"):
                yield self.node(
                    "observable:ObservableObject",
                    "output",
                    name,
                    core_name=f"output of {name}",
                    core_hasFacet=[
                        self._content_facet(output, call.get("output_bytes"), {"sha256": call["output_sha256"]})
                    ],
                )
            source = plain(call.get("source_id"))
            yield self.node(
                "investigation:InvestigativeAction",
                "call",
                name,
                core_name=plain(call.get("tool")),
                wigmore_itemId=name,
                wigmore_outcome=call.get("status"),
                wigmore_rerun=call.get("rerun"),
                action_actionStatus=STATUSES.get(plain(call.get("status")), "Unknown"),
                action_startTime=_moment(call.get("started")),
                action_endTime=_moment(call.get("finished")),
                action_instrument=[self.ref("tool", "wigmore")],
                action_object=[self.ref("source", s["id"]) for s in self.data.sources if source in ("", s["id"])],
                action_result=[*([{"@id": output}] if call.get("output_sha256") else []), *facts.get(name, ())],
                investigation_wasInformedBy=[self.ref("extraction")],
                core_hasFacet=[
                    {
                        "@id": self.id("argument", me, key),
                        "@type": "action:ActionArgumentFacet",
                        "action:argumentName": key,
                        "action:value": clean(plain(value)),
                    }
                    for key, value in sorted((call.get("args") or {}).items())
                    if value is not None
                ],
            )

    def _observations(self) -> Iterator[Node]:
        for phenomenon in self.data.phenomena:
            for fact in phenomenon["facts"]:
                about = ("file", fact["source_id"], fact["path"]) if fact["path"] else ("source", fact["source_id"])
                known = about[0] == "file" or fact["source_id"] in self.index.labels
                yield self.node(
                    "core:Annotation",
                    "fact",
                    fact["fact_id"],
                    core_tag=["fact"],
                    core_statement=[plain(fact["value"])],
                    core_object=[self.ref(*about) if known else self.ref("investigation")],
                    wigmore_factId=fact["fact_id"],
                    wigmore_factName=fact["name"],
                    wigmore_locator=json.dumps(fact["locator"], sort_keys=True),
                    wigmore_recordId=fact["record_id"],
                    wigmore_recordState=fact["state"],
                    wigmore_citationKind=fact["kind"],
                )
            yield self.node(
                "core:Annotation",
                "observation",
                phenomenon["id"],
                core_name=phenomenon["title"],
                core_tag=["observation", *(plain(a) for a in phenomenon.get("attack") or ())],
                core_statement=[phenomenon["interpretation"]],
                core_object=[self.ref("fact", f["fact_id"]) for f in phenomenon["facts"]],
                wigmore_itemId=phenomenon["id"],
                wigmore_occurredAt=phenomenon["occurred_at"],
                wigmore_caveat=phenomenon.get("caveat"),
                wigmore_negative=True if phenomenon["negative"] else None,
            )

    def _hypotheses(self) -> Iterator[Node]:
        for hypothesis in self.data.hypotheses:
            edges = [
                e for e in hypothesis["edges"] if e.get("bears", True) and e["phenomenon_id"] in self.index.phenomena
            ]
            about = sorted({e["phenomenon_id"] for e in edges})
            yield self.node(
                "core:Annotation",
                "hypothesis",
                hypothesis["id"],
                core_name=hypothesis["title"],
                core_tag=["hypothesis", *(["alternative"] if hypothesis["innocent"] else [])],
                core_statement=[hypothesis["description"]],
                # one that nothing bears on is about the investigation as a whole
                core_object=[self.ref("observation", p) for p in about] or [self.ref("investigation")],
                wigmore_itemId=hypothesis["id"],
                wigmore_verdict=hypothesis["conclusion"],
                wigmore_verdictReason=[plain(r) for r in hypothesis["conclusion_reasons"]],
            )
            for edge in edges:
                yield self.relation(
                    edge["edge_type"],
                    self.ref("observation", edge["phenomenon_id"]),
                    self.ref("hypothesis", hypothesis["id"]),
                    core_description=edge.get("reason"),
                )
            for other in hypothesis["alternatives"]:
                if other in self.index.hypotheses:
                    yield self.relation(
                        "alternative_to", self.ref("hypothesis", hypothesis["id"]), self.ref("hypothesis", other)
                    )

    def _reviews(self) -> Iterator[Node]:
        for review in self.data.reviews:
            item = plain(review.get("item"))
            about = next(
                (
                    self.ref(kind, item)
                    for kind, known in (("hypothesis", self.index.hypotheses), ("observation", self.index.phenomena))
                    if item in known
                ),
                self.ref("investigation"),
            )
            yield self.node(
                "core:Annotation",
                "review",
                item,
                plain(review.get("id")),
                core_name=f"{plain(review.get('decision'))} by {plain(review.get('by'))}",
                core_tag=["review"],
                core_statement=[plain(review.get("reason")), plain(review.get("text"))],
                core_objectCreatedTime=_moment(review.get("at")),
                core_object=[about],
                wigmore_itemId=item,
            )


def _filled(properties: Mapping[str, Any]) -> Node:
    """Properties with a value, `a_b` as a:b; texts cleaned of what JSON-LD readers cannot hold."""
    out: Node = {}
    for key, value in properties.items():
        if isinstance(value, list):
            value = [_text(v) for v in value if v not in (None, "")]
        if value not in (None, "", []):
            out[key.replace("_", ":", 1)] = _text(value)
    return out


def _text(value: Any) -> Any:
    return clean(value) if isinstance(value, str) else value


def _instant(microseconds: int) -> Node:
    return {"@type": "xsd:dateTime", "@value": instant_text(microseconds)}


def _moment(text: Any) -> Node | None:
    """A time of our own clock, UTC."""
    return {"@type": "xsd:dateTime", "@value": plain(text)} if text else None


def _sentence(values: Any) -> str:
    return "; ".join(f"{plain(k)} {plain(v)}" for k, v in values.items()) if isinstance(values, dict) else plain(values)


@report_format("case", "case.jsonld")
def case_uco(data: ReportData, folder: Path) -> Path:
    """The case as CASE/UCO 1.4 JSON-LD: sources, tools, actions, cited files, facts, interpretations, hypotheses."""
    target = folder / "case.jsonld"
    with durable_file(target) as temporary, temporary.open("w", encoding="utf-8", newline="\n") as stream:
        stream.write(f'{{"@context": {json.dumps(CONTEXT, sort_keys=True)},\n"@graph": [\n')
        for number, node in enumerate(Writer(data).nodes()):
            stream.write(",\n" * bool(number) + json.dumps(node, sort_keys=True, ensure_ascii=True))
        stream.write("\n]}\n")
    return target
