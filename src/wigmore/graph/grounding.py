"""Grounding: what a proposal cites, read again from recorded outputs, as verified facts with their locators.

A citation whose invocation is wrong is healed where the same record and fields stand in exactly one other recorded output of
the same agent and source (auto-rescue); another agent's or source's call is never healed.
"""

from __future__ import annotations

from typing import Any

from wigmore.graph.hard_values import ungrounded
from wigmore.graph.proposals import CitedRecord, CitedResult, OutputRows, Proposal, field_of
from wigmore.model.canonical import canonical, identify
from wigmore.model.nouns import Citation, ToolInvocation, VerifiedFact
from wigmore.registry import tools

Row = dict[str, Any]
CONCLUDED = ("graph", "strategy")  # domains of tools that read what stands in the graph, whose output changes with it


class Ungrounded(Exception):
    """What a proposal states or cites is not what was recorded; the message says what would mend it."""


class _NotRecorded(Ungrounded):
    """The invocation named is none: the citation may be healed."""


class Grounding:
    """Reads what one agent's proposals cite; `healed` collects the citations that were put right."""

    def __init__(self, outputs: OutputRows, agent: str) -> None:
        self.outputs = outputs
        self.agent = agent
        self.healed: list[dict[str, Any]] = []
        self._rows: dict[str, list[Row]] = {}
        self._by_record: dict[str, dict[str, Row]] = {}

    def facts(self, proposal: Proposal, label: str) -> list[VerifiedFact]:
        """The facts of a proposal about the source with that label; raises Ungrounded."""
        if not proposal.records and not proposal.results:
            raise Ungrounded(
                "a phenomenon needs at least one verified fact: name an invocation, a record of its output and the fields "
                "you rely on"
            )
        facts: list[VerifiedFact] = []
        grounds: list[Any] = [label]
        apart: list[Any] = []  # what each record says, by itself
        for cited in proposal.records:
            made, row = self._record(proposal, cited)
            facts += made
            apart.append([label, [f.value for f in made], [row.get("path"), row.get("artifact")]])
            grounds += apart[-1]
        for result in proposal.results:
            fact = self._result(proposal, result)
            facts.append(fact)
            said = [label, fact.value, fact.locator.get("args") if proposal.negative else None]  # what was not found
            grounds += said
            apart.append(said)
        for name, text in (("title", proposal.title), ("interpretation", proposal.interpretation)):
            if missing := ungrounded(text, grounds):
                named = ", ".join(f"{kind} {value!r}" for kind, value in missing)
                raise Ungrounded(
                    f"the {name} states {named}, which stands in none of the cited facts: cite the record it was read "
                    "from, or leave it out"
                )
        if proposal.one_record and all(ungrounded(proposal.title, said) for said in apart):
            raise Ungrounded(
                "the values in the title stand in different records: what belongs together stands in one record; "
                "record them apart"
            )
        return facts

    def _output(self, invocation: ToolInvocation) -> list[Row]:
        if invocation.id not in self._rows:
            self._rows[invocation.id] = self.outputs.rows(invocation)
        return self._rows[invocation.id]

    def _records(self, invocation: ToolInvocation) -> dict[str, Row]:
        """The first row of an output for each record."""
        if invocation.id not in self._by_record:
            known = self._by_record[invocation.id] = {}
            for row in self._output(invocation):
                if "record_id" in row:
                    known.setdefault(str(row["record_id"]), row)
        return self._by_record[invocation.id]

    def _invocation(self, proposal: Proposal, invocation_id: str) -> ToolInvocation:
        invocation = self.outputs.invocation(invocation_id)
        if invocation is None:
            raise _NotRecorded(f"no recorded invocation {invocation_id!r}: cite one of your own recorded calls")
        if invocation.agent != self.agent:
            raise Ungrounded(
                f"invocation {invocation_id} was made by {invocation.agent}, not by {self.agent}: cite your own calls"
            )
        if invocation.source_id != proposal.source_id:
            looked = invocation.source_id or "(none)"
            raise Ungrounded(f"invocation {invocation_id} looked at source {looked}, not at {proposal.source_id}")
        if (
            proposal.one_record
            and (known := tools().get(invocation.tool))
            and (not known.cached or known.domain in CONCLUDED)
        ):
            raise Ungrounded(
                f"{invocation.tool} shows what was concluded, not the evidence: cite the call that read the record itself"
            )
        return invocation

    def _record(self, proposal: Proposal, cited: CitedRecord) -> tuple[list[VerifiedFact], Row]:
        if not cited.fields:
            raise Ungrounded(f"no field of record {cited.record_id} is named")
        invocation, row = self._find(proposal, cited)
        facts = []
        for name in cited.fields:
            value = field_of(row, name)
            if value is None or value == "":
                raise Ungrounded(f"record {cited.record_id} of {invocation.id} has no field {name!r}")
            if name in cited.values and not same_value(cited.values[name], value):
                raise Ungrounded(
                    f"{name} of record {cited.record_id} is {value!r}, not {cited.values[name]!r}: state what was read"
                )
            facts.append(
                VerifiedFact(
                    identify("fact", proposal.source_id, cited.record_id, name),
                    name,
                    value,
                    Citation("field", invocation.id, invocation.output_sha256, cited.record_id, name),
                    str(row.get("artifact", "")),
                    str(row.get("path", "")),
                    dict(row.get("locator") or {}),
                    str(row.get("state") or "live"),
                )
            )
        for name in cited.values:
            if name not in cited.fields:
                raise Ungrounded(f"a value for {name!r} is stated, but the field is not cited")
        return facts, row

    def _find(self, proposal: Proposal, cited: CitedRecord) -> tuple[ToolInvocation, Row]:
        refusal: Ungrounded
        try:
            invocation = self._invocation(proposal, cited.invocation_id)
        except _NotRecorded as error:
            refusal = error
        else:
            row = self._records(invocation).get(cited.record_id)
            if row is not None:
                return invocation, row
            refusal = Ungrounded(
                f"record {cited.record_id} does not occur in the output of {cited.invocation_id}: cite the call that "
                "printed it"
            )
        rescued = self._rescue(proposal, cited)
        if rescued is None:
            raise refusal
        return rescued

    def _rescue(self, proposal: Proposal, cited: CitedRecord) -> tuple[ToolInvocation, Row] | None:
        places = []
        seen: set[str] = set()
        for invocation in self.outputs.of_agent(self.agent, proposal.source_id):
            if invocation.output_sha256 in seen:
                continue
            for row in self._output(invocation):
                if row.get("record_id") == cited.record_id and all(
                    field_of(row, f) is not None
                    and (f not in cited.values or same_value(cited.values[f], field_of(row, f)))
                    for f in cited.fields
                ):
                    places.append((invocation, row))
                    seen.add(invocation.output_sha256)
                    break
        if len(places) != 1:
            return None
        invocation, row = places[0]
        self.healed.append(
            {
                "id": identify("res", self.agent, cited.invocation_id, invocation.id, cited.record_id),
                "agent": self.agent,
                "source_id": proposal.source_id,
                "cited": cited.invocation_id,
                "healed_to": invocation.id,
                "record_id": cited.record_id,
                "fields": list(cited.fields),
            }
        )
        return invocation, row

    def _result(self, proposal: Proposal, result: CitedResult) -> VerifiedFact:
        invocation = self._invocation(proposal, result.invocation_id)
        place = {"tool": invocation.tool, "args": invocation.args}
        if proposal.negative:
            if invocation.status != "empty":
                raise Ungrounded(f"a negative finding needs an `empty` call; {invocation.id} ended {invocation.status}")
            return VerifiedFact(
                identify("fact", proposal.source_id, invocation.tool, invocation.args, "empty"),
                result.name,
                "nothing found",
                Citation("empty", invocation.id, invocation.output_sha256),
                "",
                "",
                {"kind": "call", **place},
            )
        rows = self._output(invocation)
        value = field_of(rows[result.row], result.name) if 0 <= result.row < len(rows) else None
        if value is None:
            raise Ungrounded(f"row {result.row} of {invocation.id} has no {result.name!r}")
        if result.value is not None and not same_value(result.value, value):
            raise Ungrounded(f"{result.name} in row {result.row} of {invocation.id} is {value!r}, not {result.value!r}")
        return VerifiedFact(
            identify("fact", proposal.source_id, invocation.tool, invocation.args, result.row, result.name),
            result.name,
            value,
            Citation("query_result", invocation.id, invocation.output_sha256, field=result.name),
            "",
            "",
            {"kind": "query_result", **place, "row": result.row},
        )


def same_value(claimed: Any, read: Any) -> bool:
    """Whether a value that was stated is the one that was read, whatever its type."""
    if claimed == read:
        return True
    if isinstance(claimed, (dict, list)) or isinstance(read, (dict, list)):
        return bool(canonical(claimed) == canonical(read))
    return str(claimed).strip() == str(read).strip()
