"""What every use case needs: where a case is, opening it, clear refusals."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from wigmore.investigation.case_file import CaseFileError
from wigmore.investigation.config import ConfigError
from wigmore.investigation.workbench import Workbench

DONE, FAILED, USAGE, GAPS, INTEGRITY, BUDGET = 0, 1, 2, 3, 4, 5


class UseError(Exception):
    """The user's input cannot be used; the message names it and the remedy. `code` is the exit code."""

    def __init__(self, message: str, code: int = USAGE) -> None:
        super().__init__(message)
        self.code = code


def is_case(path: Path) -> bool:
    """A folder is a case when it holds a case.yaml (INTERFACE.md)."""
    return (path / "case.yaml").is_file()


def open_case(path: Path, *, write: bool = False, threads: int = 2) -> Workbench:
    """Open a case for reading (or writing); raises UseError with the remedy."""
    from wigmore.ledger import LedgerError

    if not is_case(path):
        raise UseError(f"{path} is no case (no case.yaml in it); `wigmore new {path} EVIDENCE…` makes one")
    if not write and not (path / "ledger.sqlite").exists():
        raise UseError(f"{path} was never run; `wigmore run {path}` investigates it")
    try:
        return Workbench(path, write=write, threads=threads)
    except (CaseFileError, ConfigError) as error:
        raise UseError(str(error)) from error
    except LedgerError as error:
        raise UseError(str(error), INTEGRITY if "amage" in type(error).__name__ else FAILED) from error


@contextmanager
def index_of(case: Path) -> Iterator[Path]:
    """The case's folder `index/`, or where that cannot be written, a folder for this call alone."""
    folder = case / "index"
    with ExitStack() as stack:
        try:
            folder.mkdir(exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=folder, prefix=".writable-"):
                pass
        except OSError:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="wigmore-index-")))
        yield folder


def refusal(error: Exception) -> tuple[str, int] | None:
    """The message and exit code of an error that is the user's to mend; None for one that is ours."""
    from wigmore.agents.templates import TemplateError
    from wigmore.graph.semantics import SemanticsError
    from wigmore.ledger import LedgerError
    from wigmore.model.protocols import ParseError
    from wigmore.records.compiler import RuleError

    if isinstance(error, UseError):
        return str(error), error.code
    if isinstance(error, (CaseFileError, ConfigError, RuleError, TemplateError, SemanticsError)):
        return str(error), USAGE
    if isinstance(error, LedgerError):
        return str(error), INTEGRITY if "amage" in type(error).__name__ else FAILED
    if isinstance(error, (ParseError, OSError)):
        return str(error), FAILED
    return None
