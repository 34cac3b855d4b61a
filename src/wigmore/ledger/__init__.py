"""Hash-chained, append-only events and content-addressed outputs: the only door through which a case is written."""

from wigmore.ledger.chain import GENESIS, Event, Head, Stored, link
from wigmore.ledger.durable import durable_file, sweep
from wigmore.ledger.errors import (
    CaseLocked,
    Damage,
    LedgerDamaged,
    LedgerError,
    LedgerExists,
    LedgerFull,
    LedgerMissing,
    LedgerReadOnly,
    LedgerWriteFailed,
    OutputDamaged,
    OutputMissing,
    SchemaTooNew,
)
from wigmore.ledger.ledger import Ledger, verify_case
from wigmore.ledger.outputs import Outputs

__all__ = [
    "GENESIS",
    "CaseLocked",
    "Damage",
    "Event",
    "Head",
    "Ledger",
    "LedgerDamaged",
    "LedgerError",
    "LedgerExists",
    "LedgerFull",
    "LedgerMissing",
    "LedgerReadOnly",
    "LedgerWriteFailed",
    "OutputDamaged",
    "OutputMissing",
    "Outputs",
    "SchemaTooNew",
    "Stored",
    "durable_file",
    "link",
    "sweep",
    "verify_case",
]
