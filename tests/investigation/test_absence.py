"""An absence means something only in records that are there, whole, recording, and reach the case's period."""

from __future__ import annotations

import importlib.resources
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from wigmore.agents.absence import covered
from wigmore.agents.desk import Desk
from wigmore.graph.semantics import Semantics
from wigmore.model.nouns import Coverage
from wigmore.model.times import iso

SEMANTICS = Semantics.load([Path(str(importlib.resources.files("wigmore") / "rules"))])
PERIOD = ("2026-03-01T00:00:00Z", "2026-04-01T00:00:00Z")


def row(artifact: str = "windows.eventlog", path: str = "Logs/Security.evtx", **more: Any) -> Coverage:
    return Coverage("src", path, artifact, "p@1", more.pop("outcome", "found"), **more)


def desk(*rows: Coverage, mode: str = "image") -> Desk:
    start, end = (cast(dict[str, Any], iso(t))["instant"] for t in PERIOD)
    gateway = SimpleNamespace(period=(start, end), semantics=SEMANTICS)
    state = SimpleNamespace(sources={"src": SimpleNamespace(access_mode=mode)})
    return cast(Desk, SimpleNamespace(coverage=list(rows), gateway=gateway, held={}, judged={}, state=state))


UNKNOWN = row("file_listing", "www/a.php", outcome="not_applicable", complete=False, reason="of no known type")
WHOLE = {"covers_from": "2026-02-20T00:00:00Z", "covers_to": "2026-03-31T20:00:00Z"}


@pytest.mark.parametrize(
    ("rows", "asked", "why"),
    [
        ([row(**WHOLE)], "windows.eventlog", ""),
        ([row(**WHOLE)], "windows.eventlog:*/Security.evtx", ""),
        ([row(**WHOLE)], "windows.eventlog:*/System.evtx", "no windows.eventlog at */System.evtx was found"),
        ([], "windows.eventlog", "no windows.eventlog was found"),
        ([row(outcome="failed", reason="torn")], "windows.eventlog", "could not be read (torn)"),
        ([row(**WHOLE, complete=False, reason="cut")], "windows.eventlog", "incomplete (cut)"),
        ([row(**WHOLE, recorder="off")], "windows.eventlog", "recorder was off"),
        ([row(**{**WHOLE, "covers_from": "2026-03-05T00:00:00Z"})], "windows.eventlog", "begins after the start"),
        # the machine's other records go on: this log was cut off or stopped
        (
            [row(**{**WHOLE, "covers_to": "2026-03-10T00:00:00Z"}), row("windows.prefetch", "a.pf", **WHOLE)],
            "windows.eventlog",
            "ends before the end",
        ),
        # nothing of the source is later: the collection ended it, not the log
        ([row(**{**WHOLE, "covers_to": "2026-03-10T00:00:00Z"})], "windows.eventlog", ""),
        # no year, no zone, or no record at all: such a log reaches nowhere
        ([row("linux.authlog", "var/log/auth.log")], "linux.authlog", "does not say which period"),
        ([row(outcome="empty")], "windows.eventlog", "does not say which period"),
        ([row(outcome="not_run", reason="a time limit", **WHOLE)], "windows.eventlog", "was not read (a time limit)"),
        # a listing is of names: it holds a file whose content nobody could read, but not what that file says
        ([row("file_listing", ""), UNKNOWN], "file_listing", ""),
        ([row("file_listing", ""), UNKNOWN], "file_listing:*.php", "incomplete (of no known type)"),
        # a listing that names and hashes a file is whole, whatever its content is; one that could not be read is not
        (
            [row("file_listing", "a.pdf", outcome="failed", reason="no such structure", file_sha256="0" * 64)],
            "file_listing",
            "",
        ),
        (
            [row("file_listing", "stick.img/p1", outcome="failed", reason="cut")],
            "file_listing",
            "could not be read (cut)",
        ),
        # a registry hive is a state, no log: its first time is no horizon
        ([row("windows.registry.autostart", covers_from="2026-03-09T00:00:00Z")], "windows.registry.autostart", ""),
    ],
)
def test_coverage_carries_an_absence_or_says_why_not(rows: list[Coverage], asked: str, why: str) -> None:
    carried, said = covered(desk(*rows), "src", (asked,))
    assert carried == (not why) and why in said


def test_what_a_collected_folder_lacks_may_have_been_left_out_unless_the_place_was_kept() -> None:
    listed = row("file_listing", "")
    assert covered(desk(listed), "src", ("file_listing",)) == (True, "")
    folder = desk(listed, mode="tree")
    carried, why = covered(folder, "src", ("file_listing",))
    assert not carried and "may have been left out" in why
    assert covered(folder, "src", ("file_listing",), kept=True) == (True, "")


def test_a_probe_that_names_no_artifact_carries_none() -> None:
    assert covered(desk(row(**WHOLE)), "src", ()) == (
        False,
        "the probe names no artifact whose absence would mean something",
    )
