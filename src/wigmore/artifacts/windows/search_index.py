"""Windows Search index (Windows.edb): the properties that the indexer stored of files, mails and pages.

Columns are named `<number><letter>-System_ItemPathDisplay`; dates and sizes are eight bytes, big-endian up to Windows 7
and little-endian from Windows 8 on. Compressed or obfuscated values of old versions stay as they stand. Sources: J. Metz,
"Windows Search forensics"; Microsoft, Windows property system.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Literal

from wigmore.artifacts.windows.ese_reader import REFERENCE, SIGNATURE, EseClaim, Row, any_rows, header_of, open_ese
from wigmore.artifacts.windows.ese_values import HEADER, Moment, settle, wide_text
from wigmore.model.protocols import EvidenceFile, Gap, Record, Yield
from wigmore.model.times import Time, filetime
from wigmore.registry import parser

STORES = ("SystemIndex_PropertyStore", "SystemIndex_0A")
GATHERED = ("SystemIndex_Gthr", "SystemIndex_GthrPth")
LAYOUT = EseClaim(
    paths=("windows.edb",), magic=(SIGNATURE,), both=True, tables=("SystemIndex_Gthr",), sure=("windows.edb",),
)  # fmt: skip
Order = Literal["little", "big"]
ORDERS: tuple[Order, ...] = ("little", "big")
PREFIX = re.compile(r"\d+[A-Z]?-")
SPAN = (100_000_000_000_000_000, 157_469_184_000_000_000)  # FILETIMEs of 1917 to 2100
DATES = re.compile(r"(Date|Time|LastModified)", re.IGNORECASE)
NUMBERS = re.compile(r"(Size|Count|Rank|Duration|TotalFileSize|FRN|Length)", re.IGNORECASE)
DATED = (
    "System.DateModified",
    "System.ItemDate",
    "System.Link.DateVisited",
    "System.ActivityHistory.StartTime",
    "LastModified",
)


def property_of(column: str) -> str:
    """`4447-System_ItemPathDisplay` as `System.ItemPathDisplay`; other columns keep their name."""
    name = PREFIX.sub("", column, count=1)
    return name.replace("_", ".") if name.startswith(("System_", "Microsoft_", "Icaros_")) else name


def order_of(values: dict[str, Any]) -> Order | None:
    """The byte order under which the eight-byte dates of a row lie in our time; None where no date tells."""
    votes = dict.fromkeys(ORDERS, 0)
    for column, value in values.items():
        if isinstance(value, bytes) and len(value) == 8 and DATES.search(column):
            for order in ORDERS:
                number = int.from_bytes(value, order)
                votes[order] += SPAN[0] <= number < SPAN[1]
    best = max(votes, key=lambda order: votes[order])
    return best if votes[best] and votes["little"] != votes["big"] else None


def item(row: Row, artifact: str, last: Order | None) -> tuple[Record, Order | None]:
    """The record of a row, and the byte order its dates show (that of an earlier row where it has none)."""
    order = order_of(row.values) or last
    data: dict[str, Any] = {}
    times: dict[str, Time] = {}
    for column, value in row.values.items():
        name = property_of(column)
        if isinstance(value, bytes) and len(value) == 8 and order:
            number = int.from_bytes(value, order)
            if DATES.search(name) and SPAN[0] <= number < SPAN[1]:
                time = filetime(number)
                if time:
                    times[name] = time
                    continue
            if NUMBERS.search(name):
                data[name] = number
                continue
        if isinstance(value, Moment):
            time = value.time()
            if time:
                times[name] = time
                continue
        text = wide_text(value) if isinstance(value, bytes) else None
        data |= settle({name: value if text is None else text})
    dated = next((name for name in DATED if name in times), None)
    return Record(data, times, dated, row.state, artifact=artifact), order


@parser(
    "windows.search",
    claims=LAYOUT,
    artifacts=("windows.search.item", "windows.search.gathered", "windows.search.row", HEADER),
    reads="Windows.edb of Windows Vista to 10 (ProgramData\\Microsoft\\Search\\Data\\Applications\\Windows)",
    means="the indexer met an item with these properties, and stored part of its text, when it last looked at it",
    does_not_mean="that the item was opened, still exists, or when it was deleted; items outside the indexed folders",
    refs=("https://github.com/libyal/esedb-kb (Windows Search)", REFERENCE),
    limit_seconds=3600.0,
)
def search_index(file: EvidenceFile) -> Iterator[Yield]:
    """One record an indexed item and one an entry of the gatherer; the index's own tables as rows."""
    with open_ese(file) as database:
        yield header_of(database)
        stores = [name for name in STORES if name in database.tables]
        for names, artifact in ((stores, "windows.search.item"), (GATHERED, "windows.search.gathered")):
            order: Order | None = None
            for name in names:
                for row in database.rows(name):
                    record, order = item(row, artifact, order)
                    yield row.locator, record
        if not stores:
            yield Gap("no property store is among the tables", reason="schema_unknown")
            for found in any_rows(database, skip=GATHERED):
                if isinstance(found, tuple):
                    yield found[0], replace(found[1], artifact="windows.search.row")
        yield from database.gaps
