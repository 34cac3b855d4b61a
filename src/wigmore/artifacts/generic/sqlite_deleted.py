"""Deleted and earlier rows of any SQLite database, and rows of its log and journal that were superseded."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from wigmore.artifacts.generic.sqlite import record
from wigmore.artifacts.generic.sqlite_layout import MAGIC
from wigmore.artifacts.generic.sqlite_reader import Row, open_database
from wigmore.artifacts.generic.sqlite_remnants import Remnant, facts, locator, remnants
from wigmore.model.protocols import EvidenceFile, Gap, Record, Yield
from wigmore.registry import Claim, parser


def remnant_record(remnant: Remnant, core_data: bool) -> Record:
    """The row as it stood, with what is to be said of how it was found."""
    made = record(Row(remnant.row.table, remnant.row.rowid, remnant.row.values, remnant.state), core_data)
    return replace(made, data={**made.data, **facts(remnant)})


@parser(
    "generic.sqlite_deleted",
    claims=Claim(magic=((0, MAGIC),)),
    reads="free pages, free space, superseded log frames and kept journals of any SQLite 3 database",
    means="a row of this content stood in the database's file or its log, and no live row has the same id and content",
    does_not_mean="when or by whom it was deleted, that it was deleted rather than moved or changed, that no part of it was "
    "overwritten since, or that its table is the right one where the record says it fits others",
    refs=("https://www.sqlite.org/fileformat2.html", "https://www.sqlite.org/walformat.html"),
    beside=True,
    limit_seconds=600.0,
)
def sqlite_deleted(file: EvidenceFile) -> Iterator[Yield]:
    """One record a row, each once: freelist, unallocated, wal_superseded, wal_uncommitted or journal."""
    with open_database(file) as database:
        core_data = "Z_METADATA" in database.tables
        for item in remnants(file, database):
            if isinstance(item, Gap):
                yield item
            else:
                yield locator(item), remnant_record(item, core_data)
