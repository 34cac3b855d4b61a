"""`wigmore diff`: two cases, or two moments of one, compared: facts, beliefs, decisions, and what explains the differences."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from wigmore.api.cases import FAILED, INTEGRITY, UseError, is_case
from wigmore.investigation.case_file import CaseFileError
from wigmore.investigation.compare import Comparison, summary
from wigmore.investigation.moments import Moment, MomentError, moment


def diff(first: str, second: str) -> tuple[list[dict[str, Any]], str]:
    """One row a difference, and a sentence that counts them; each side is CASE or CASE@MOMENT.

    MOMENT is a ledger number, a time (UTC) or a run's id. Raises UseError for what is no case or no moment of it.
    """
    one, two = _moment(first), _moment(second)
    rows = [{"case": one.name, **row} for row in Comparison(one, two).rows()]
    sides = " and ".join(f"{m.name} at event {m.seq}" for m in (one, two))
    return rows, f"{sides}: {summary(rows)}"


def _moment(written: str) -> Moment:
    from wigmore.ledger import LedgerError

    case, _, when = (written, "", "") if is_case(Path(written)) else written.rpartition("@")
    path = Path(case or written)
    if not is_case(path):
        raise UseError(f"{written} is no case (no case.yaml in {path}); name a case's folder, or CASE@MOMENT")
    if not (path / "ledger.sqlite").exists():
        raise UseError(f"{path} was never run; `wigmore run {path}` investigates it")
    try:
        return moment(path, when)
    except (MomentError, CaseFileError) as error:
        raise UseError(f"{written}: {error}") from error
    except LedgerError as error:
        raise UseError(str(error), INTEGRITY if "amage" in type(error).__name__ else FAILED) from error
