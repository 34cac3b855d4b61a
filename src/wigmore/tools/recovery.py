"""Looking for passwords, where the authority covers it."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from pathlib import Path

from wigmore.model.protocols import ParseError
from wigmore.records.attempt import protection
from wigmore.records.pool import Pool
from wigmore.records.recovery import MaskError, harvested, listed, mask_parts, masked, search
from wigmore.records.worker import spec_json
from wigmore.registry import tool
from wigmore.tools.context import ToolContext, ToolOutput

NOT_COVERED = (
    "the case file's authority does not cover looking for passwords; where it does, case.yaml says so: "
    "authority: {order: …, password_recovery: true}"
)


@tool("recover_password", domain="recovery", read_only=False, cached=False, cost=50)
def recover_password(
    context: ToolContext,
    path: str,
    wordlist: str = "",
    mask: str = "",
    harvest: bool = True,
    attempts: int = 100_000,
    seconds: float = 600.0,
) -> ToolOutput:
    """Look for the password of one locked container or document, within a budget; only where the authority covers it.

    Tries the lines of `wordlist` (a text file on this machine), then with `harvest` the words that stand in the case's own
    records, the most frequent first, then every text of `mask` (?l ?u lower and upper letters, ?d digits, ?s signs, ?a all of
    these, ?? a question mark). Ends with the first that fits, after `attempts` or `seconds`, or when all are tried. A find is
    sealed in a private file of the case folder and never shown: the row names that file and its hash, and the next run
    opens the container with it. `result` is opened, not_found, budget_exhausted or failed.
    """
    keeper = context.recovery
    if keeper is None or not keeper.allowed:
        return ToolOutput.failed(NOT_COVERED)
    if not context.source_id:
        return ToolOutput.failed("this call needs a source")
    if attempts < 1 or seconds <= 0:
        return ToolOutput.failed("attempts and seconds must be positive")
    words = Path(wordlist) if wordlist else None
    if words is not None and not words.is_file():
        return ToolOutput.failed(f"{wordlist} is no file")
    try:
        mask_parts(mask)
        protected = protection(context.open_source(context.source_id), path)
    except (MaskError, ParseError) as error:
        return ToolOutput.failed(str(error))

    def candidates() -> Iterator[str]:
        if words is not None:
            yield from listed(words)
        if harvest:
            yield from harvested(context.store)
        if mask:
            yield from masked(mask)

    target = {
        "source": spec_json(keeper.spec(context.source_id)), "secrets": keeper.secrets(context.source_id), "path": path,
    }  # fmt: skip
    with Pool(os.cpu_count() or 1) as pool:
        result = search(pool, target, itertools.chain(candidates()), attempts, seconds, keeper.say)
    row = {
        "path": path, "protected_by": protected, "result": result.outcome, "attempts": result.attempts,
        "attempts_allowed": attempts, "seconds_allowed": seconds,
    }  # fmt: skip
    if result.problem:
        row["problem"] = result.problem
    if result.secret is None:
        if result.outcome == "failed":
            return ToolOutput("failed", (row,), result.problem)
        spent = "the budget is exhausted" if result.outcome == "budget_exhausted" else "every candidate was tried"
        return ToolOutput("empty", (row,), f"{spent}: no password found")
    facts = {"attempts": result.attempts, "protected_by": protected}
    sealed = keeper.keep(context.source_id, path, result.secret, facts)
    row |= {"secret_file": sealed["file"], "secret_sha256": sealed["sha256"]}
    return ToolOutput(
        "found", (row,), "the password is sealed in the case folder; the next run opens the container with it"
    )
