"""Outputs of tools kept whole: compressed files named by the SHA-256 of their content.

A file is one Zstandard frame and a seal: a skippable frame (RFC 8878, 3.1.2; other readers pass over it) that holds the
SHA-256 of the compressed bytes. Zstandard ignores some bits of its frames; so none can change unseen.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import struct
from collections.abc import Sequence
from pathlib import Path

from wigmore.ledger.durable import make_folder, sync, temporary_beside
from wigmore.ledger.errors import Damage, LedgerError, LedgerFull, OutputDamaged, OutputMissing
from wigmore.model.canonical import sha256 as digest

NAME = re.compile(r"[0-9a-f]{64}")
LARGEST = 2 << 30  # bytes of one output: what a damaged or forged file can make us unpack
LEVEL = 3
SEAL = struct.pack("<II", 0x184D2A5D, 32)  # magic number and size of the skippable frame
SEALED = len(SEAL) + 32


class Outputs:
    """The folder `outputs/` of a case; safe from several threads, and from several processes."""

    def __init__(self, case: Path) -> None:
        self._root = case / "outputs"

    def path(self, sha256: str) -> Path:
        """Where an output lies; raises OutputMissing for what is no SHA-256 in lower-case hexadecimal."""
        if not NAME.fullmatch(sha256):
            raise OutputMissing(self._root, "", f"{sha256[:80]!r} is no SHA-256", "Correct the reference")
        return self._root / sha256[:2] / f"{sha256[2:]}.zst"

    def put(self, data: bytes) -> str:
        """Keep the bytes; when this returns their name they are on the disk. The same bytes are kept once."""
        return self.put_many([data])[0]

    def put_many(self, many: Sequence[bytes]) -> list[str]:
        """Keep several outputs, all on the disk when their names are returned; waits for each folder once only.

        A damaged twin is replaced. Raises LedgerFull, OSError, and ValueError for more than LARGEST bytes.
        """
        import zstandard

        compressor = zstandard.ZstdCompressor(level=LEVEL, write_checksum=True, write_content_size=True)
        names: list[str] = []
        written: dict[Path, Path] = {}  # target: temporary
        folders: dict[Path, None] = {}  # in order of first use
        try:
            for data in many:
                if len(data) > LARGEST:
                    raise ValueError(f"an output has at most {LARGEST} bytes, not {len(data)}")
                names.append(digest(data))
                target = self.path(names[-1])
                # also for a twin: whoever wrote it may have died before its folder was on the disk
                folders[target.parent] = None
                if target in written or self.check(names[-1]) is None:
                    continue
                make_folder(target.parent)
                written[target] = temporary_beside(target)
                packed = compressor.compress(data)
                written[target].write_bytes(packed + SEAL + hashlib.sha256(packed).digest())
            for temporary in written.values():
                sync(temporary)
            for target, temporary in written.items():
                os.replace(temporary, target)
        except BaseException as error:
            for temporary in written.values():
                temporary.unlink(missing_ok=True)
            if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
                advice = "Free some space and run the same command again; what was recorded before is safe"
                raise LedgerFull(self._root, "", "the disk is full", advice) from error
            raise
        for folder in folders:
            sync(folder)
        return names

    def get(self, sha256: str) -> bytes:
        """The bytes of an output, checked against its name; raises OutputMissing or OutputDamaged."""
        import zstandard

        path = self.path(sha256)
        advice = "Restore the file from a backup, or run the tool that made it again"
        try:
            whole = path.read_bytes()
            packed, seal = whole[:-SEALED], whole[-SEALED:]
            if seal != SEAL + hashlib.sha256(packed).digest():
                raise zstandard.ZstdError("its seal is not that of its bytes")
            size = zstandard.frame_content_size(packed)
            if not 0 <= size <= LARGEST:
                raise zstandard.ZstdError(f"it claims to unpack to {size} bytes")
            data = zstandard.ZstdDecompressor().decompress(packed, max_output_size=size, allow_extra_data=False)
        except FileNotFoundError as error:
            raise OutputMissing(path, "", "the output is not in the case", advice) from error
        except (OSError, zstandard.ZstdError, MemoryError) as error:
            raise OutputDamaged(path, "", f"the output cannot be unpacked ({error})", advice) from error
        if digest(data) != sha256:
            raise OutputDamaged(path, "", "the output's content is not what its name says", advice)
        return data

    def check(self, sha256: str) -> Damage | None:
        """What is wrong with an output, or None."""
        try:
            self.get(sha256)
        except LedgerError as error:
            return Damage(error.code, f"output {sha256[:16]}…", error.message)
        return None
