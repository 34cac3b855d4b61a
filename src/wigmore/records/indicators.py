"""Indicator rules at work on the records: one scan for all rules of one artifact set, then the groups that a rule finds."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from wigmore.records.candidates import Candidates, Reader, candidates
from wigmore.records.compiler import Compiler
from wigmore.records.rules import Indicator
from wigmore.records.store import RecordStore

FILES = 5  # files of which a group shows an example each, beyond the examples that the rule asks for
SPECIAL_GROUPS = {"host": "host_id", "case": "'case'", "source": "source_id"}
DAY = "moment // 86_400_000_000"
READ = ("record_id", "source_id", "path", "inode", "ordinal", "moment", "time_text")  # what a match reads of a hit


@dataclass(frozen=True)
class Match:
    """One group that a rule found: the values it is grouped by, counts, and example records."""

    group: dict[str, Any]
    count: int
    first: str | None
    last: str | None
    record_ids: tuple[str, ...]
    paths: tuple[str, ...]  # where these records lie, each path once


def _group_columns(rule: Indicator, compiler: Compiler) -> list[tuple[str, str]]:
    columns = [("source_id", "source_id")]
    for name in rule.group_by:
        columns.append((name, SPECIAL_GROUPS.get(name) or compiler.column(name)))
    return columns


def _reader(rule: Indicator) -> Reader:
    names = [n for n in rule.group_by if n not in SPECIAL_GROUPS]
    tests = (rule.where, tuple(rule.then["where"])) if rule.then else (rule.where,)
    return Reader(rule.sha256, tests, (*names, *map(str, rule.then.get("same", ())), *rule.distinct))


def _candidates(
    store: RecordStore, artifacts: tuple[str, ...], source_id: str | None, catalogue: Iterable[Indicator]
) -> Candidates:
    return candidates(store, artifacts, source_id, [_reader(r) for r in catalogue if r.artifacts == artifacts])


def match(
    store: RecordStore,
    rule: Indicator,
    source_id: str | None,
    parameters: dict[str, Any] | None = None,
    limit: int = 200,
    catalogue: Iterable[Indicator] = (),
    period: tuple[int | None, int | None] = (None, None),
) -> list[Match]:
    """The groups of records that satisfy a rule in one source (or all), in canonical order; at most `limit`.

    The records come from the one scan that serves all rules of the `catalogue`. A `period` (µs, from and to) parts each
    group into what lies inside and what lies outside: the latter is context, not support.
    """
    if not store.chosen(rule.artifacts, source_id):
        return []
    known = _candidates(store, rule.artifacts, source_id, catalogue or [rule])
    if known.vain(rule.where):
        return []
    compiler = Compiler(list(known.fields), parameters)
    condition = compiler.condition(rule.where)
    condition = known.conditions.get(condition, condition)
    groups = _group_columns(rule, compiler)
    bounds = [f"moment {sign} {int(at)}" for sign, at in zip(("<", ">="), period, strict=True) if at is not None]
    if bounds:
        groups.append(("period", f"CASE WHEN {' OR '.join(bounds)} THEN 'outside' ELSE 'inside' END"))
    then = rule.then
    follow = compiler.condition(then["where"]) if then else ""
    follow = known.conditions.get(follow, follow)
    same = [compiler.column(str(f)) for f in then.get("same", ())] if then else []
    various = {compiler.column(str(name)): int(least) for name, least in rule.distinct.items()}
    keys = ", ".join(f"{expression} AS g{index}" for index, (_, expression) in enumerate(groups))
    names = ", ".join(f"g{index}" for index in range(len(groups)))
    sames = "".join(f", {expression} AS s{index}" for index, expression in enumerate(same))
    read = ", ".join(dict.fromkeys([*READ, *various]))
    with_parts = [f"hits AS (SELECT {read}, {keys}{sames} FROM {known.table} WHERE {condition})"]
    source = "hits"
    if rule.window_seconds:
        span = int(rule.window_seconds * 1_000_000)
        with_parts.append(
            f"dense AS (SELECT *, count(*) OVER (PARTITION BY {names} ORDER BY moment "
            f"RANGE BETWEEN {span} PRECEDING AND CURRENT ROW) AS within FROM hits WHERE moment IS NOT NULL)"
        )
        source = f"(SELECT * FROM dense QUALIFY max(within) OVER (PARTITION BY {names}) >= {int(rule.threshold)})"
    if then:
        within = float(then.get("within_seconds", 86_400)) * 1_000_000
        tie = " AND ".join([f"n.s{i} = h.s{i}" for i in range(len(same))] or ["true"])
        with_parts.append(
            f"next AS (SELECT source_id, moment, record_id, path{sames} FROM {known.table} WHERE {follow})"
        )
        with_parts.append(f"held AS (SELECT * FROM {source})")
        with_parts.append(
            f"followed AS (SELECT h.*, n.record_id AS next_id, n.path AS next_path FROM held h JOIN next n "
            f"ON n.source_id = h.source_id AND {tie} AND n.moment >= h.moment AND n.moment - h.moment <= {int(within)})"
        )
        source = "followed"
    several = 1000 if then else rule.examples  # a record stands once for each that followed it
    extra = (
        f", list(DISTINCT [next_id, next_path] ORDER BY [next_id, next_path])[1:{max(rule.examples, 3)}] AS followers"
        if then
        else ", [] AS followers"
    )
    order = "moment NULLS LAST, path, inode NULLS FIRST, ordinal, record_id"
    kinds = "".join(f" AND count(DISTINCT {c}) >= {n}" for c, n in {**various, DAY: rule.days}.items() if n)
    if various:
        first = next(iter(various))
        source = f"(SELECT *, row_number() OVER (PARTITION BY {names}, {first} ORDER BY {order}) AS turn FROM {source})"
        order = f"turn, {order}"
    of_each = (
        f"GROUP BY {names} HAVING count(DISTINCT record_id) >= {int(rule.threshold)}{kinds} "
        f"ORDER BY min(moment) NULLS LAST, {names} LIMIT {int(limit)}"
    )
    found = store.query(
        f"WITH {', '.join(with_parts)} SELECT {names}, count(DISTINCT record_id) AS n, min(time_text) AS first, "
        f"max(time_text) AS last, list([record_id, path] ORDER BY {order})[1:{several}] AS examples"
        f"{extra}, count(DISTINCT path) AS files FROM {source} {of_each}"
    )
    of_files: list[dict[str, Any]] = [{"examples": []}] * len(found)
    firsts = [list(dict.fromkeys(map(tuple, values["examples"])))[: rule.examples] for values in found]
    if any(values["files"] > len({path for _, path in first}) for values, first in zip(found, firsts, strict=True)):
        # what stands in several files is shown in each: a reader of one file is told what was seen in it
        of_files = store.query(
            f"WITH {', '.join(with_parts)} SELECT list([record_id, path] ORDER BY {order}) "
            f"FILTER (WHERE of_path = 1)[1:{FILES}] AS examples "
            f"FROM (SELECT *, row_number() OVER (PARTITION BY {names}, path ORDER BY {order}) AS of_path FROM {source}) "
            f"{of_each}"
        )
    out = []
    for values, examples, others in zip(found, firsts, of_files, strict=True):
        group = {name: values[f"g{index}"] for index, (name, _) in enumerate(groups)}
        examples += [e for e in map(tuple, values["followers"]) if e not in examples]
        shown = {path for _, path in examples}
        examples += [e for e in map(tuple, others["examples"]) if e[1] not in shown]
        ids, paths = zip(*examples, strict=True)
        out.append(Match(group, int(values["n"]), values["first"], values["last"], ids, tuple(dict.fromkeys(paths))))
    return out


def scan(
    store: RecordStore, rules: Iterable[Indicator], source_id: str | None, catalogue: Iterable[Indicator] = ()
) -> set[str]:
    """Which of many rules match anything at all: one scan an artifact set, so that the misses cost nothing each.

    `catalogue` names all rules (default: these), so that the scan serves later calls of `match` too.
    """
    rules = list(rules)
    by_artifacts: dict[tuple[str, ...], list[Indicator]] = {}
    for rule in rules:
        by_artifacts.setdefault(rule.artifacts, []).append(rule)
    hit: set[str] = set()
    for artifacts, group in sorted(by_artifacts.items()):
        if not store.chosen(artifacts, source_id):
            continue
        known = _candidates(store, artifacts, source_id, catalogue or rules)
        conditions = {r.id: Compiler(list(known.fields)).condition(r.where) for r in group if not known.vain(r.where)}
        hit.update(name for name, condition in conditions.items() if condition in known.held)
        # what turns on a `$name` was not tried with the others
        new = {name: condition for name, condition in conditions.items() if condition not in known.conditions}
        if new:
            flags = [f"coalesce(bool_or({c}), false) AS r{number}" for number, c in enumerate(new.values())]
            row = store.query(f"SELECT {', '.join(flags)} FROM {known.table}")[0]
            hit.update(name for number, name in enumerate(new) if row[f"r{number}"])
    return hit
