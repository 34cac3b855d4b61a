"""`wigmore run`: intake, extraction, the five phases, audit, report; resumes by itself."""

from __future__ import annotations

import importlib.metadata
import json
import re
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

from wigmore import __version__
from wigmore.agents.templates import mute
from wigmore.api.cases import BUDGET, DONE, FAILED, GAPS, INTEGRITY, UseError, is_case, open_case
from wigmore.api.models import probed
from wigmore.api.new import new_case
from wigmore.api.workers import start
from wigmore.evidence.recognise import Recognition, recognise, recognise_listing
from wigmore.evidence.source import SourceSpec
from wigmore.investigation.asking import Asking, answer_questions
from wigmore.investigation.audit import Audit, audit_case, check_chain
from wigmore.investigation.case_file import SourceEntry
from wigmore.investigation.lists import list_coverage, sigma_coverage
from wigmore.investigation.obligations import gaps as obligation_gaps
from wigmore.investigation.obligations import obligations
from wigmore.investigation.phases import Investigation, conclusions
from wigmore.investigation.reasoning import Reasoning, Recording
from wigmore.investigation.tasks import Outcome, Tasks
from wigmore.investigation.workbench import Workbench
from wigmore.ledger import Event, durable_file, sweep
from wigmore.llm.endpoint import EndpointError
from wigmore.model.canonical import identify
from wigmore.model.nouns import Coverage, EvidenceSource
from wigmore.model.times import stamp
from wigmore.records.extraction import Extraction, Progress
from wigmore.records.pool import Pool
from wigmore.registry import parsers, tools
from wigmore.reports.data import ReportData, report_data
from wigmore.reports.html import render_html

PROFILES = ("triage", "full")
Busy = list[tuple[str, str, float]]


@dataclass
class Options:
    """How a run is made."""

    jobs: int = 2
    parsers: list[str] | None = None
    say: Callable[[str], None] = lambda _: None
    progress: Callable[[Progress, Busy], None] | None = None
    audit: bool = True
    profile: str = "full"
    replay: Path | None = None  # the case whose exchanges with models are played again
    model: str = ""  # in place of the configuration's, as is `endpoint`
    endpoint: str = ""
    local_only: bool = False  # beside what the case file says


@dataclass
class Result:
    """How a run ended."""

    case: Path
    exit_code: int
    findings: list[dict[str, Any]] = field(default_factory=list)
    gaps: list[str] = field(default_factory=list)
    report: Path | None = None
    graph_hash: str = ""
    head: str = ""
    audit: dict[str, Any] = field(default_factory=dict)
    progress: Progress | None = None


def prepare(evidence: list[Path], output: Path | None) -> Path:
    """The case folder of a run: the case named, or one made for the evidence; raises UseError."""
    if len(evidence) == 1 and is_case(evidence[0]) and output is None:
        return evidence[0]
    if not evidence:
        raise UseError("name a case, or evidence and -o CASE")
    if output is None:
        raise UseError("an evidence path needs -o CASE, the folder of the case to make or to go on with")
    if not is_case(output):
        new_case(output, evidence)
    else:
        from wigmore.investigation.case_file import read_case

        named = {s.path.resolve() for s in read_case(output).sources}
        if strange := [str(p) for p in evidence if p.resolve() not in named]:
            raise UseError(
                f"{output} is a case already and does not name {', '.join(strange)}: add it to case.yaml, "
                "or choose another folder"
            )
    return output


def run(case: Path, options: Options, workers: Pool | None = None) -> Result:
    """Investigate a case, with `workers` that were started already where there are; raises UseError where it cannot begin."""
    if options.profile not in PROFILES:
        raise UseError(f"unknown profile {options.profile!r}; one of {', '.join(PROFILES)}")
    with workers or start(options.jobs) as pool, open_case(case, write=True, threads=options.jobs) as bench:
        return _run(bench, options, pool)


def _run(bench: Workbench, options: Options, pool: Pool) -> Result:
    case = bench.case
    if not bench.case_file.sources:
        raise UseError(f"{case / 'case.yaml'} names no sources: add at least one under `sources:`")
    bench.local_only = bench.local_only or options.local_only
    if options.model or options.endpoint:
        agent = bench.config.agent
        if not (options.endpoint or agent.base_url):
            raise UseError(f"the model {options.model!r} has no address: name it with --endpoint, or as agent.base_url")
        agent = replace(agent, model=options.model or agent.model, base_url=options.endpoint or agent.base_url)
        bench.config = replace(bench.config, agent=agent)
    reasoning = reasoning_of(bench, options)
    for folder in (case / "records", case / "outputs", case / "runs"):
        if folder.is_dir():
            sweep(folder)
    started = stamp(bench.clock())
    run_id = f"run-{len(bench.state.runs) + 1:03d}"
    if bench.ledger.recovery:
        bench.append([Event("recovered", {"id": run_id, "damage": [vars_of(d) for d in bench.ledger.recovery]})])
    try:
        extraction = Extraction(
            bench.ledger,
            bench.store,
            case / "work",
            pool,
            names=options.parsers,
            exclude=bench.case_file.exclude,
            lists=bench.lists,
            report=options.progress,
        )
    except ValueError as error:
        raise UseError(str(error)) from error
    bench.append(
        [
            Event(
                "run.started",
                {
                    "id": run_id,
                    "wigmore": __version__,
                    "config": bench.config.to_dict(),
                    "options": {"parsers": options.parsers, "jobs": options.jobs},
                    "versions": versions(),
                    "parsers": {
                        name: {"version": known["version"], "sha256": known["sha256"]}
                        for name, known in pool.catalogue().items()
                        if options.parsers is None or name in options.parsers
                    },
                },
            )
        ]
    )
    with ThreadPoolExecutor(1) as beside:
        beside.submit(lambda: bench.rules)  # read while the workers are busy; an error is raised where they are used
        gaps = _intake(bench, extraction, options)
    gaps += _lists(bench, pool)
    _expected_coverage(bench)
    investigation = Investigation(bench, jobs=options.jobs, say=options.say, reasoning=reasoning)
    with ThreadPoolExecutor(1) as beside:
        if options.jobs > 1:  # what the answer sheet reads of the records is there when its call comes
            beside.submit(bench.runner.execute, tools()["answer_sheet"], {"question": ""}, "", "report")
        outcome = investigation.run(triage_only=options.profile == "triage")
    gaps += _obligations(bench, options, investigation)
    if reasoning.tracing is not None:
        reasoning.tracing.close()
    audit = Audit()
    if options.audit:
        options.say("audit")
        audit = audit_case(bench, check_chain(case, None), pool)
        bench.append([Event("audit", {"id": f"audit-{run_id}", **audit.to_dict()})])
    gaps += _gaps(bench, outcome)
    if options.profile == "full":
        gaps += obligation_gaps(case, obligations(bench))
    head = str(bench.ledger.head())
    graph_hash = bench.state.graph_hash()
    folder = case / "runs" / started.replace(":", "-")
    folder.mkdir(parents=True, exist_ok=True)
    archive = {
        "run": run_id,
        "started": started,
        "finished": stamp(bench.clock()),
        "ledger_head": head,
        "graph_hash": graph_hash,
        "config": bench.config.to_dict(),
        "versions": versions(),
        "stop": outcome.stop,
        "gaps": gaps,
        "audit": audit.to_dict(),
    }
    with durable_file(folder / "run.json") as temporary:
        temporary.write_text(json.dumps(archive, indent=1, sort_keys=True), encoding="utf-8")
    report = folder / "report.html"
    with durable_file(report) as temporary:
        temporary.write_text(render_html(gather(bench, archive, pool.catalogue())), encoding="utf-8")
    code = INTEGRITY if audit.overall == "block" else BUDGET if outcome.budget else GAPS if gaps else DONE
    return Result(case, code, conclusions(bench), gaps, report, graph_hash, head, audit.to_dict(), extraction.progress)


def reasoning_of(bench: Workbench, options: Options) -> Reasoning:
    """The models of a case, each asked once whether it answers; or the exchanges of a recorded run.

    Raises UseError (exit 1) for an endpoint that cannot be used, before anything is looked at.
    """
    if options.replay is None:
        return probed(bench, options.say)
    try:
        return replay_of(bench, options)
    except EndpointError as error:
        raise UseError(f"the model cannot be used: {error}", FAILED) from error


def replay_of(bench: Workbench, options: Options) -> Reasoning:
    """The models of a recorded run, played again from its exchanges: no endpoint is asked."""
    from wigmore.llm.endpoint import Endpoint

    assert options.replay is not None
    source = options.replay
    if source.resolve() == bench.case.resolve():
        raise UseError(f"{source} is this case: make another of the same evidence, and replay into that")
    with open_case(source) as other:
        recording = Recording(other.ledger, other.outputs)
        config = other.state.runs[-1]["config"] if other.state.runs else {}
    if not recording.known:
        raise UseError(f"no model was asked in {source}: there is nothing to replay")
    asked = [config.get("agent", {}), *config.get("escalation", ())]
    endpoints = [  # what is on offer turns on what each takes
        Endpoint(
            a["base_url"], a["model"], reasoning_effort=a.get("reasoning_effort", ""), vision=a.get("vision", False)
        )
        for a in asked
        if a.get("base_url")
    ]
    return Reasoning(bench, endpoints, recording, options.say)


def _obligations(bench: Workbench, options: Options, tasks: Tasks) -> list[str]:
    """The case's questions and the answer sheet: answered from records, or receipted with what was looked at; gaps."""
    waiting = [q for _, q in sorted(bench.state.questions.items()) if q.get("ask") and not q.get("standard")]
    options.say(f"questions: {len(waiting)}, and the standard ones")
    if waiting:
        answer_questions(Asking(bench, tasks, bench.case / "index", kind="question"), waiting)
    task = f"sheet:{bench.era()}"
    if task in bench.state.tasks_done:
        return []
    call = bench.runner.call("answer_sheet", {}, source_id="", agent="report", task_id=task)
    if call.invocation.status == "failed":
        return [f"the answer sheet could not be filled: {call.invocation.error}"]
    about = {"standard": True, "invocation_id": call.invocation.id}
    sheet = [{**row, **about, "id": f"std-{row['id']}", "ask": row["question"]} for row in call.rows]
    bench.append([*(Event("question", row) for row in sheet), Event("task.done", {"id": task})])
    return []


def gather(bench: Workbench, archive: dict[str, Any], known: dict[str, dict[str, Any]]) -> ReportData:
    """The report's data of an opened case; `known` is what each parser declares of itself."""
    rejections = bench.ledger.counts().get("rejection", 0)
    return report_data(bench.state, bench.store, bench.coverage, _context(bench, archive, known), rejections)


def latest_report(bench: Workbench) -> ReportData:
    """The report's data as of the last run; raises UseError where none was finished."""
    archives = sorted((bench.case / "runs").glob("*/run.json"))
    if not archives:
        raise UseError(f"no run of {bench.case} was finished; `wigmore run {bench.case}` goes on with it")
    archive = json.loads(archives[-1].read_text(encoding="utf-8"))
    return gather(bench, archive, {p.name: p.declared() for p in parsers().values()})


def vars_of(damage: Any) -> dict[str, str]:
    """A damage as JSON."""
    return {"code": damage.code, "where": damage.where, "message": damage.message}


def _context(bench: Workbench, archive: dict[str, Any], known: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """What the report needs beside the graph."""
    file = bench.case_file
    _, _, begun, _, first = next(bench.ledger.stored(1))
    return {
        "case": file.case,
        "origin": {"event": first.hex(), "at": begun.decode()},
        "title": file.title,
        "examiner": file.examiner,
        "authority": file.authority,
        "questions": [dict(q) for q in file.questions],
        "run": archive,
        "conclusions": conclusions(bench),
        "obligations": obligations(bench),
        "invocations": {i.id: i.to_dict() for i in bench.runner.known.values()},
        "templates": {
            t.id: {
                "not_enough": t.not_enough,
                "reference": t.reference,
                "mute": mute(t, bench.rules.indicators.values()),
            }
            for t in bench.rules.templates.values()
        },
        "parsers": known,
        "source_entries": {
            s.id: {"exhibit": s.exhibit, "acquisition": s.acquisition, "path": str(s.path), "clocks": list(s.clocks)}
            for s in file.sources
        },
    }


@cache
def versions() -> dict[str, str]:
    """Versions of Python, of this program and of the libraries that it stands on."""
    out = {"python": sys.version.split()[0], "wigmore": __version__}
    for requirement in importlib.metadata.requires("wigmore") or ():
        name = re.split(r"[^\w.-]", requirement, maxsplit=1)[0]
        if "extra ==" not in requirement:
            try:
                out[name] = importlib.metadata.version(name)
            except importlib.metadata.PackageNotFoundError:
                out[name] = "missing"
    return out


def _intake(bench: Workbench, extraction: Extraction, options: Options) -> list[str]:
    """Register, extract and hash every source that can be opened; gaps name the others."""
    gaps: list[str] = []
    specs: dict[str, tuple[SourceSpec, list[str], dict[str, str]]] = {}
    events: list[Event] = []
    for entry in bench.case_file.sources:
        problem = _unusable(bench, entry)
        if problem:
            gaps.append(f"{entry.id}: {problem}")
            events.append(_failed_source(entry, problem))
            continue
        seen = recognise(entry.path)
        events.append(Event("source", _source(bench, entry, seen).to_dict()))
        mode = "tree" if entry.path.is_dir() else "file"
        specs[entry.id] = (SourceSpec(entry.id, entry.path, mode), [""], bench.secrets(entry.id))
    bench.append(events)
    if not specs:
        raise UseError("none of the sources can be opened: " + "; ".join(gaps), FAILED)
    options.say(f"extraction: {len(specs)} sources")
    extraction.run(specs)
    bench.refresh_extraction(e.body for e in bench.ledger.events("extraction", after=_last(bench)))
    for source_id in specs:
        gaps += _custody(bench, source_id, extraction.hashes.get(source_id, {"error": "was not hashed"}))
    updates = []
    for source_id, source in sorted(bench.state.sources.items()):
        listing = recognise_listing(_paths(bench, source_id))
        if source.meta.get("platform") in ("", "unknown", None) and listing.platform != "unknown":
            meta = {
                **source.meta,
                "platform": listing.platform,
                "reason": f"{source.meta.get('reason', '')}; inside: {listing.reason}",
            }
            updates.append(Event("source", EvidenceSource(**{**source.to_dict(), "meta": meta}).to_dict()))
    bench.append(updates)
    return gaps


def _last(bench: Workbench) -> int:
    """The sequence number before this run's extraction events."""
    runs = [e.seq for e in bench.ledger.events("run.started")]
    return runs[-1] if runs else 0


def _paths(bench: Workbench, source_id: str) -> list[str]:
    rows = bench.store.query(
        f"SELECT DISTINCT path FROM {bench.store.relation(None, source_id)} ORDER BY path LIMIT 20000"
    )
    return [str(r["path"]) for r in rows]


def _unusable(bench: Workbench, entry: SourceEntry) -> str:
    if not entry.path.exists():
        return f"{entry.path} does not exist"
    try:
        if entry.path.is_dir():
            next(iter(entry.path.iterdir()), None)
            if bench.case.resolve().is_relative_to(entry.path.resolve()):
                return f"the case folder lies inside {entry.path}: the source would change while it is read"
        else:
            with entry.path.open("rb") as stream:
                stream.read(1)
    except OSError as error:
        return f"{entry.path} cannot be read: {error.strerror or error}"
    return ""


def _failed_source(entry: SourceEntry, problem: str) -> Event:
    row = Coverage(
        entry.id, str(entry.path.name), "source", "source@1", "failed", 0, problem, "not_in_acquisition", complete=False
    )
    return Event("coverage", {"id": identify("cov", entry.id, problem), "rows": [row.to_dict()]})


def _source(bench: Workbench, entry: SourceEntry, seen: Recognition) -> EvidenceSource:
    meta = {"platform": entry.platform or seen.platform, "reason": seen.reason, "exhibit": entry.exhibit}
    if acquired := str(entry.acquisition.get("at") or ""):
        meta["acquired"] = acquired
    return EvidenceSource(
        entry.id,
        entry.label or entry.path.name,
        entry.type or seen.type,
        seen.access_mode,
        str(entry.path),
        meta,
        entry.timezone,
        entry.owner,
    )


def _custody(bench: Workbench, source_id: str, hashes: dict[str, Any]) -> list[str]:
    """Record a source's intake hash, compared with what the case file states and with the intake of earlier runs."""
    entry = next(s for s in bench.case_file.sources if s.id == source_id)
    problems = []
    if "error" in hashes:
        problems.append(f"could not be hashed: {hashes['error']}")
    stated = {"container_sha256": entry.container_sha256, **{f"media_{k}": v for k, v in entry.media.items()}}
    for name, value in stated.items():
        if value and hashes.get(name) and hashes[name] != value:
            problems.append(f"{name} is {hashes[name]}, the case file states {value}")
        elif value and not hashes.get(name):
            problems.append(f"{name} is stated but could not be computed")
    earlier = bench.state.hashes.get(source_id)
    if earlier and not earlier.get("mismatch"):
        old = earlier["hashes"]
        problems += [
            f"{k} was {old[k]} at intake and is {hashes[k]} now"
            for k in sorted(set(old) & set(hashes))
            if k.endswith("sha256") and old[k] != hashes[k]
        ]
        if not problems:
            return []
    bench.append([Event("source.hashed", {"id": source_id, "hashes": hashes, "mismatch": "; ".join(problems)})])
    if problems and any("states" in p or "at intake" in p for p in problems):
        raise UseError(f"{source_id}: {'; '.join(problems)}: the run stops", INTEGRITY)
    out = [f"{source_id}: {p}" for p in problems]
    if hashes.get("stored_ok") is False:
        out.append(f"{source_id}: the medium's hash differs from the one stored in its container")
    return out


def _lists(bench: Workbench, pool: Pool) -> list[str]:
    """Coverage rows for the examiner's lists, once for the same lists; gaps name those that cannot be used in full."""
    kinds = {name: tuple(known["lists"]) for name, known in pool.catalogue().items() if known.get("lists")}
    rows = list_coverage(bench.lists, kinds, sorted(bench.state.sources))
    sigma = sum(name.startswith("sigma.") for name in bench.rules.indicators)
    rows += sigma_coverage(bench.rules.sigma_unusable, sigma, sorted(bench.state.sources))
    _append_coverage(bench, rows)
    short = {row.path: row.reason for row in rows if not row.complete}
    return [reason[:500] for _, reason in sorted(short.items())]


def _append_coverage(bench: Workbench, rows: list[Coverage]) -> None:
    """Record the coverage rows that are not recorded yet."""
    fresh = [r.to_dict() for r in rows if r not in bench.coverage]
    if fresh:
        bench.append([Event("coverage", {"id": identify("cov", fresh), "rows": fresh})])


def _expected_coverage(bench: Workbench) -> None:
    """A coverage row for every expected artifact that no record or row speaks of."""
    have: dict[str, set[str]] = {}
    for row in bench.coverage:
        have.setdefault(row.source_id, set()).add(row.artifact)
    for part in bench.store.parts:
        have.setdefault(part.source_id, set()).add(part.artifact)
    rows = []
    for source_id, source in sorted(bench.state.sources.items()):
        keys = (f"{source.type}+{source.meta.get('platform', '')}", source.type)
        catalogue: list[dict[str, Any]] = next(
            (e["artifacts"] for key in keys for e in bench.rules.expected if e["source"] == key), []
        )
        for entry in catalogue:
            for choices in entry.get("records", ()):
                known = have.get(source_id, set())
                artifact, *others = choices.split("|")  # any one of them will do
                if not any(a == one or a.startswith(one + ".") for a in known for one in (artifact, *others)):
                    rows.append(
                        Coverage(
                            source_id,
                            "",
                            artifact,
                            "",
                            "not_run",
                            0,
                            f"expected: {entry['name']}; no file of the kind was met in this source",
                            "not_in_acquisition",
                            complete=False,
                        )
                    )
    _append_coverage(bench, rows)


def _gaps(bench: Workbench, outcome: Outcome) -> list[str]:
    failed = [c for c in bench.coverage if c.outcome == "failed"]
    out = []
    if failed:
        out.append(f"{len(failed)} files or parts could not be read: `wigmore show {bench.case} coverage` names them")
    if outcome.failed_leads:
        out.append(f"{outcome.failed_leads} leads failed")
    out += [f"the {role} role was stopped: {why}" for role, why in sorted(outcome.failed_roles.items())]
    out += [f"the task {task} failed: {why}" for task, why in sorted(outcome.failed_tasks.items())]
    if outcome.models:
        out.append(f"models were asked no more, rules went on alone: {outcome.models}")
    if outcome.budget:
        out.append(outcome.stop)
    return out
