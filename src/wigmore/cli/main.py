"""`wigmore`: the commands of UX.md."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="An autonomous, evidence-grounded digital-forensics investigator. Facts are read by code; models and rules propose.",
    epilog="Exit codes: 0 done, 1 failed, 2 usage, 3 done with gaps, 4 integrity failure, 5 budget spent.",
)

bench = typer.Typer(no_args_is_help=True, help="Measure wigmore itself on generated cases.")
app.add_typer(bench, name="bench")

Case = Annotated[Path, typer.Argument(help="the case's folder", show_default=False)]


class Shape(StrEnum):
    """How rows are printed."""

    table = "table"
    csv = "csv"
    jsonl = "jsonl"
    json = "json"


class Show(StrEnum):
    """How progress is shown."""

    auto = "auto"
    lines = "lines"
    json = "json"
    none = "none"


TypeOption = Annotated[Shape, typer.Option("-t", "--type", help="shape of the output")]
ZoneOption = Annotated[
    str, typer.Option("--zone", help="show times in this zone (a name as Europe/Paris); they are stored in UTC")
]
JobsOption = Annotated[int, typer.Option("--jobs", min=1, max=64, help="workers at a time")]


@app.command()
def demo(
    folder: Annotated[Path, typer.Argument(help="where the sample goes")] = Path("demo"),
    seed: Annotated[int, typer.Option(help="seed of the sample")] = 1,
    jobs: JobsOption = 2,
) -> None:
    """Generate the sample case, investigate it, and score the result against the known truth."""
    from wigmore.api.demo import demo as use
    from wigmore.cli.show import print_result, progress_bar

    with progress_bar("auto") as (say, progress):
        result, score = use(folder, seed=seed, jobs=jobs, say=say, progress=progress)
    print_result(result)
    print(
        f"planted truths found: {score['found']} of {score['planted']} ({score['share']:.1%}); "
        f"decoys asserted: {score['decoys_asserted']} of {score['decoys']}"
    )
    for line in score["missed"]:
        print(f"  missed: {line}")
    for line in score["asserted"]:
        print(f"  decoy asserted: {line}")
    if score["share"] < 0.95 or score["decoys_asserted"]:
        raise typer.Exit(1)
    raise typer.Exit(0 if result.exit_code in (0, 3) else result.exit_code)


@app.command()
def new(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="the case's folder")],
    evidence: Annotated[list[Path] | None, typer.Argument(help="images, folders, archives, files")] = None,
) -> None:
    """Make a case: a commented case.yaml with its sources recognised."""
    from wigmore.api.new import new_case

    print(new_case(folder, evidence or []))
    print(f"next: edit it, then `wigmore check {folder}`", file=sys.stderr)


@app.command()
def check(
    case: Case,
    shape: TypeOption = Shape.table,
    hashes: Annotated[bool, typer.Option("--hashes/--no-hashes", help="hash the sources too")] = True,
) -> None:
    """Validate a case, hash its sources, and say what a run would do. Reads only."""
    from wigmore.api.check import check as use
    from wigmore.cli.show import print_check

    found = use(case, hashes=hashes)
    print_check(found, shape.value)
    if found["problems"]:
        raise typer.Exit(1)


@app.command()
def run(
    evidence: Annotated[list[Path], typer.Argument(metavar="CASE|EVIDENCE…", help="a case, or evidence for -o CASE")],
    output: Annotated[Path | None, typer.Option("-o", "--output", help="the case to make or to go on with")] = None,
    parsers: Annotated[str, typer.Option(help="only these parsers, by name, commas between")] = "",
    jobs: JobsOption = 2,
    profile: Annotated[str, typer.Option(help="triage: stop after phase 1; full: all phases")] = "full",
    progress: Annotated[Show, typer.Option(help="how progress is shown on stderr")] = Show.auto,
    audit: Annotated[bool, typer.Option("--audit/--no-audit", help="re-run every citation at the end")] = True,
    model: Annotated[str, typer.Option(metavar="NAME", help="ask this model, in place of the configuration's")] = "",
    endpoint: Annotated[
        str, typer.Option(metavar="URL", help="the model's OpenAI-compatible endpoint, as http://127.0.0.1:11434/v1")
    ] = "",
    local_only: Annotated[
        bool, typer.Option("--local-only", help="ask no model but one on this machine, whatever the case says")
    ] = False,
    replay: Annotated[
        Path | None,
        typer.Option(metavar="CASE", help="answer as the models of that case did; no endpoint is asked"),
    ] = None,
    quiet: Annotated[bool, typer.Option("-q", help="no progress")] = False,
    verbose: Annotated[bool, typer.Option("-v", help="progress line by line")] = False,
) -> None:
    """Investigate a case, or evidence given directly. Interrupted runs resume by the same command."""
    from wigmore.api.workers import start

    with start(jobs) as workers:
        from wigmore.api.run import Options, prepare
        from wigmore.api.run import run as use
        from wigmore.cli.show import print_result, progress_bar

        case = prepare(evidence, output)
        shown = "none" if quiet else "lines" if verbose else progress.value
        with progress_bar(shown, resume=f"wigmore run {case}") as (say, advance):
            wanted = [p for p in parsers.split(",") if p] or None
            options = Options(jobs, wanted, say, advance, audit, profile, replay, model, endpoint, local_only)
            result = use(case, options, workers)
    print_result(result)
    raise typer.Exit(result.exit_code)


@app.command()
def ask(
    case: Case,
    question: Annotated[str, typer.Argument(help="the question")] = "",
    file: Annotated[
        Path | None, typer.Option("-f", "--file", help="a sheet: CSV with id, question, optional path")
    ] = None,
    path: Annotated[str, typer.Option("--in", help="only below this path")] = "",
    offline: Annotated[bool, typer.Option("--offline", help="ask no model, write nothing")] = False,
    shape: TypeOption = Shape.table,
) -> None:
    """Answer from records and facts, each answer cited; or say what was looked at in vain."""
    from wigmore.api.ask import ask as use
    from wigmore.cli.show import note, print_answers

    print_answers(use(case, question, file=file, path=path, offline=offline, say=note), shape.value)


@app.command()
def show(
    case: Case,
    what: Annotated[
        str,
        typer.Argument(
            help="findings, records, facts, phenomena, readings, hypotheses, matrix, edges, entities, links, contacts, "
            "timeline, coverage, leads, rounds, invocations, rejections, questions, obligations, "
            "reviews, custody, graph-hash"
        ),
    ],
    shape: TypeOption = Shape.table,
    artifact: Annotated[str, typer.Option(help="records of this artifact only")] = "",
    source: Annotated[str, typer.Option(help="one source only")] = "",
    after: Annotated[str, typer.Option("--from", help="from this time on, UTC")] = "",
    before: Annotated[str, typer.Option("--to", help="before this time, UTC")] = "",
    text: Annotated[str, typer.Option(help="timeline: what stands in the line's values or the path, no case")] = "",
    owner: Annotated[str, typer.Option(help="timeline: times of this clock only: host, server, gnss, camera…")] = "",
    every: Annotated[bool, typer.Option("--all", help="timeline: every time of every record too")] = False,
    collector: Annotated[
        bool, typer.Option("--collector", help="timeline: file times that whoever copied the files left too")
    ] = False,
    zone: ZoneOption = "",
) -> None:
    """Show any part of a case."""
    from wigmore.api.show import show as use
    from wigmore.cli.show import note, print_rows, zone_of

    rows = use(
        case,
        what,
        artifact=artifact,
        source=source,
        after=after,
        before=before,
        text=text,
        owner=owner,
        every=every,
        collector=collector,
        say=note,
    )
    if what == "graph-hash":
        print(next(iter(rows))["graph_hash"])
        return
    print_rows(rows, shape.value, what, zone_of(zone) if zone else None)


@app.command()
def review(
    case: Case,
    item: Annotated[str, typer.Argument(metavar="ID", help="a hypothesis, phenomenon or fact")],
    accept: Annotated[bool, typer.Option("--accept")] = False,
    amend: Annotated[bool, typer.Option("--amend")] = False,
    reject: Annotated[bool, typer.Option("--reject")] = False,
    reason: Annotated[str, typer.Option(help="why")] = "",
    by: Annotated[str, typer.Option(help="who decides")] = "",
    text: Annotated[str, typer.Option(help="the amended wording")] = "",
) -> None:
    """Accept, amend or reject: a person's act, kept in the ledger with name and reason."""
    from wigmore.api.cases import UseError
    from wigmore.api.review import review as use
    from wigmore.cli.show import print_rows

    chosen = [n for n, on in (("accept", accept), ("amend", amend), ("reject", reject)) if on]
    if len(chosen) != 1:
        raise UseError("choose one of --accept, --amend and --reject")
    print_rows([use(case, item, chosen[0], reason=reason, by=by, text=text)], "jsonl", "review")


@app.command()
def search(
    case: Case,
    words: Annotated[str, typer.Argument(help='all of them must occur; "a phrase" in quotation marks as it stands')],
    path: Annotated[str, typer.Option("--in", help="only below this path")] = "",
    artifact: Annotated[str, typer.Option(help="records of this artifact only")] = "",
    source: Annotated[str, typer.Option(help="one source only")] = "",
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="records shown")] = 50,
    shape: TypeOption = Shape.table,
    zone: ZoneOption = "",
) -> None:
    """Full text over all records, the closest first."""
    from wigmore.api.search import search as use
    from wigmore.cli.show import note, print_rows, zone_of

    rows, count = use(case, words, path=path, artifact=artifact, source=source, limit=limit, say=note)
    print_rows(rows, shape.value, "records", zone_of(zone) if zone else None)
    note(f"{len(rows)} of {count} records that hold all words")


@app.command()
def extract(
    case: Case,
    what: Annotated[str, typer.Argument(metavar="RECORD|PATH", help="a record's id, or a path in the evidence")],
    output: Annotated[Path, typer.Option("-o", "--output", help="the file to write")],
    source: Annotated[str, typer.Option(help="the source, where several hold the path")] = "",
) -> None:
    """Write the content of a file of the evidence, and print its hashes."""
    from wigmore.api.extract import extract as use
    from wigmore.cli.show import print_rows

    print_rows([use(case, what, output, source=source)], "jsonl", "file")


@app.command()
def export(
    case: Case,
    kinds: Annotated[
        list[str],
        typer.Option(
            "-t",
            "--type",
            help="formats, commas between or -t again: html, pdf, csv, jsonl, timesketch, bodyfile, case, stix, dfiq",
        ),
    ],
    output: Annotated[Path, typer.Option("-o", "--output", help="folder for the files")],
) -> None:
    """Write a case in other formats, one file each."""
    from wigmore.api.export import export as use

    named = (name.strip() for given in kinds for name in given.split(","))
    result = use(case, list(dict.fromkeys(filter(None, named))), output)
    for path in result.files:
        print(path)
    for line in result.missing:
        print(f"wigmore: {line}", file=sys.stderr)
    raise typer.Exit(1 if result.missing else 0)


@app.command()
def audit(
    case: Case,
    shape: TypeOption = Shape.table,
    expect_head: Annotated[str, typer.Option("--expect-head", help="the ledger head a run printed (seq:hash)")] = "",
    jobs: JobsOption = 2,
    bundle: Annotated[
        Path | None,
        typer.Option(
            "--bundle",
            metavar="FILE",
            help="write a sealed bundle that `python -m wigmore.verify FILE` checks with Python alone",
        ),
    ] = None,
    sign: Annotated[
        Path | None,
        typer.Option(
            "--sign",
            metavar="KEYFILE",
            help="sign the bundle: a private Ed25519 key, PEM without a password, as "
            "`openssl genpkey -algorithm ed25519 -out KEYFILE` makes it; the public key is printed: hand it over apart",
        ),
    ] = None,
) -> None:
    """Check the chain, hash sources and outputs again, run every citation again."""
    from wigmore.api.audit import audit as use
    from wigmore.api.bundle import audit_and_bundle
    from wigmore.api.cases import UseError
    from wigmore.cli.show import print_audit

    if sign and not bundle:
        raise UseError("--sign signs a bundle: name its file with --bundle")
    if bundle:
        result, written = audit_and_bundle(case, bundle, sign, expect_head=expect_head or None, jobs=jobs)
    else:
        result, written = use(case, expect_head=expect_head or None, jobs=jobs), {}
    print_audit(case, {**result.to_dict(), **({"bundle": written} if written else {})}, shape.value)
    raise typer.Exit({"approve": 0, "request_changes": 3, "block": 4}[result.overall])


@app.command()
def diff(
    first: Annotated[str, typer.Argument(help="a case, or a moment of one as CASE@MOMENT", show_default=False)],
    second: Annotated[str, typer.Argument(help="the other", show_default=False)],
    shape: TypeOption = Shape.table,
) -> None:
    """Compare two cases, or two moments of one: facts, beliefs, decisions, and what explains the differences.

    MOMENT is a number of the ledger (CASE@812), a time (CASE@2026-04-17T14:02Z), or a run (CASE@run-001: its end).
    """
    from wigmore.api.diff import diff as use
    from wigmore.cli.show import note, print_rows

    rows, said = use(first, second)
    print_rows(rows, shape.value, "difference")
    note(said)


@app.command()
def tool(
    case: Case,
    name: Annotated[str, typer.Argument(help="the tool")],
    args: Annotated[list[str] | None, typer.Argument(metavar="NAME=VALUE…")] = None,
    source: Annotated[str, typer.Option(help="the source to look at")] = "",
) -> None:
    """Run a tool again: prints the same bytes as the recorded call. `recover_password` is run anew, and recorded."""
    from wigmore.api.tool import call_tool

    output, outcome = call_tool(case, name, args or [], source, lambda text: typer.echo(text, err=True))
    sys.stdout.buffer.write(output)
    if outcome == "failed":
        raise typer.Exit(1)


@app.command("list")
def list_(
    kind: Annotated[str, typer.Argument(help="parsers, tools, roles, rules, templates, formats, questions")],
    shape: TypeOption = Shape.table,
) -> None:
    """List what there is of a kind."""
    from wigmore.api.catalogue import listing
    from wigmore.cli.show import print_rows

    print_rows(listing(kind), shape.value, kind)


@app.command()
def explain(
    name: Annotated[str, typer.Argument(help="a parser, tool, role, rule, template or format")],
    shape: TypeOption = Shape.table,
) -> None:
    """Explain one: what it reads, what it means and what it does not, where its format is described."""
    from wigmore.api.catalogue import explain as use
    from wigmore.cli.show import print_explained

    print_explained(use(name), shape.value)


@bench.command()
def cases(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="where the cases go; they are removed once scored")],
    number: Annotated[int, typer.Option("--n", min=1, help="cases of each variant and seed")] = 12,
    seeds: Annotated[list[int] | None, typer.Option("--seed", help="seed of a series; several are compared")] = None,
    names: Annotated[list[str] | None, typer.Option("--kind", help="only this scenario kind (may be repeated)")] = None,
    choosing: Annotated[
        bool, typer.Option(help="the kinds on which defaults are chosen, not those that count")
    ] = False,
    keep: Annotated[bool, typer.Option(help="keep the cases")] = False,
    jobs: JobsOption = 2,
    shape: TypeOption = Shape.table,
) -> None:
    """Generate cases with known truth (guilty, innocent, ambiguous), investigate and score them."""
    from wigmore.api.bench_cases import by_kind, series
    from wigmore.cli.show import print_calibration, print_rows, progress_bar

    with progress_bar("lines") as (say, _):
        rows, figures = series(
            number, seeds or [1], folder, names=names or (), choosing=choosing, jobs=jobs, keep=keep, say=say
        )
    if shape is Shape.table:
        print_rows(by_kind(rows), shape.value, "kinds")
        print_calibration(figures)
    else:
        print_rows(iter(rows), shape.value, "cases")
    raise typer.Exit(1 if any("failed" in r for r in rows) else 0)


def main() -> None:
    """Run the command line; every refusal is one clear line, never a traceback."""
    try:
        app()
    except KeyboardInterrupt:
        print("interrupted: nothing recorded is lost; the same command goes on", file=sys.stderr)
        sys.exit(130)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(0)
    except Exception as error:  # noqa: BLE001  # what is not the user's to mend is raised again below
        sys.exit(_refusal(error))


def _refusal(error: Exception) -> int:
    from wigmore.api.cases import refusal

    known = refusal(error)
    if known is None:
        raise error
    message, code = known
    print(f"wigmore: {message}", file=sys.stderr)
    return code


if __name__ == "__main__":
    main()
