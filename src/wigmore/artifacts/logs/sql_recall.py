"""PL/SQL Developer's recall files (PLSRecall_*.dat): SQL statements with user, database and time."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from datetime import timedelta

from wigmore.model.canonical import shown
from wigmore.model.protocols import EvidenceFile, Gap, Record, Yield
from wigmore.model.times import OLE_EPOCH, Time, local
from wigmore.registry import Claim, parser

FORM = struct.Struct("<Id31s81s4001s")  # sequence, Delphi date, user, database, statement: 4,125 bytes


def _moment(value: float) -> Time | None:
    if not 20_000 < value < 80_000:  # 1954 to 2119
        return None
    moment = (OLE_EPOCH + timedelta(days=value)).replace(microsecond=0)
    return local(moment, value, source="a Delphi TDateTime is local")


def _texts(entry: tuple[int, float, bytes, bytes, bytes]) -> list[str]:
    return [shown(raw.partition(b"\0")[0]) for raw in entry[2:]]


def _look(head: bytes, path: str, size: int) -> bool:
    if len(head) < FORM.size or size % FORM.size:
        return False
    entry = FORM.unpack_from(head)
    user, database, statement = _texts(entry)
    return _moment(entry[1]) is not None and bool(statement) and user.isprintable() and database.isprintable()


@parser(
    "database.plsql_recall",
    claims=Claim(look=_look),
    reads="PLSRecall_*.dat of Allround Automations PL/SQL Developer",
    means="the program ran this statement for this database user on this database at this time of the local clock",
    does_not_mean="that the statement succeeded or what it returned; the zone; which person",
    refs=(
        "Record layout as public research documents it: uint32, float64 days since 1899-12-30, texts of 31, 81 and "
        "4,001 bytes",
    ),
)
def recall(file: EvidenceFile) -> Iterator[Yield]:
    """One record a statement."""
    with file.open() as stream:
        number = 0
        while raw := stream.read(FORM.size):
            offset = number * FORM.size
            number += 1
            if len(raw) < FORM.size:
                yield Gap("a record is cut", offset, "truncated")
                return
            entry = FORM.unpack(raw)
            user, database, statement = _texts(entry)
            time = _moment(entry[1])
            if time is None or not statement:
                yield Gap(f"record {number} cannot be", offset)
                continue
            yield (
                {"kind": "record", "number": number, "offset": offset, "length": FORM.size},
                Record(
                    {"sequence": entry[0], "user": user, "database": database, "query": statement},
                    {"run_at": time},
                    "run_at",
                ),
            )
