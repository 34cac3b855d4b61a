"""`wigmore audit`: the chain, the outputs, the records, the sources, and every citation run again."""

from __future__ import annotations

from pathlib import Path

from wigmore.api.cases import UseError, is_case, open_case
from wigmore.investigation.audit import Audit, audit_case, check_chain
from wigmore.records.pool import Pool


def audit(case: Path, *, expect_head: str | None = None, jobs: int = 2) -> Audit:
    """Audit a case without changing it; raises UseError where there is none to audit.

    Damage is never an exception: a ledger that cannot be opened is a `block` that names the place.
    """
    if not is_case(case):
        raise UseError(f"{case} is no case (no case.yaml in it)")
    if not (case / "ledger.sqlite").exists():
        raise UseError(f"{case} was never run; `wigmore run {case}` investigates it")
    result = check_chain(case, expect_head)
    try:
        with Pool(jobs) as pool, open_case(case) as bench:
            return audit_case(bench, result, pool)
    except UseError as error:
        result.add("block", "case_unreadable", str(error), str(case))
    except Exception as error:  # noqa: BLE001  # a damaged ledger may fold into anything; that is the finding
        result.add("block", "case_unreadable", f"{type(error).__name__}: {error}"[:300], str(case))
    return result
