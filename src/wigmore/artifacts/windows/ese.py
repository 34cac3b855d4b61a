"""Any ESE database: rows of all tables as they stand, or records of a known layout under another file name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from wigmore.artifacts.windows.ese_reader import REFERENCE, ROW, SIGNATURE, EseClaim, any_rows, header_of, open_ese
from wigmore.artifacts.windows.ese_values import HEADER
from wigmore.model.protocols import EvidenceFile, Yield
from wigmore.registry import Claim, Parser, parser, parsers


def layout_of(names: list[str]) -> Parser | None:
    """The parser whose tables a database has, whatever its file is called."""
    for known in parsers().values():
        if isinstance(known.claims, EseClaim) and known.claims.fits(names):
            return known
    return None


@parser(
    "windows.ese",
    claims=Claim(magic=(SIGNATURE,)),
    artifacts=(ROW, HEADER),
    tier=1,
    reads="any ESE database (*.edb, *.mdb, *.dat, *.dit …) that no other parser knows by its name, or knows by its tables",
    means="the database's table holds this row; a date is as its column stores it",
    does_not_mean="what the row stands for; rows that were deleted, or that stand only in transaction logs",
    refs=(REFERENCE,),
    limit_seconds=900.0,
)
def ese(file: EvidenceFile) -> Iterator[Yield]:
    """Records of the known layout that the tables have, else one record a row in order of table and tree."""
    with open_ese(file) as database:
        known = layout_of(list(database.tables))
        if known is None:
            yield header_of(database)
            yield from any_rows(database)
            yield from database.gaps
    if known is not None:
        for item in known.function(file):
            if isinstance(item, tuple) and not item[1].artifact:
                yield item[0], replace(item[1], artifact=known.artifacts[0])
            else:
                yield item
