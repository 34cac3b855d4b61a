"""Opening a hive: base block checked, logs found and replayed into a private copy, kind recognised."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from wigmore.artifacts.windows.registry import logs
from wigmore.artifacts.windows.registry.hive import BASE, Hive, Key
from wigmore.artifacts.windows.registry.kinds import recognise, stored_name
from wigmore.model.protocols import EvidenceFile, Gap, ParseError
from wigmore.model.times import Time, filetime

IN_MEMORY = 128 * 1024 * 1024  # larger hives are mapped from a private copy, pages changed by logs stay private


@dataclass
class Opened:
    """An opened hive: its root, facts of its base block, gaps met while opening."""

    hive: Hive
    root: Key
    header: dict[str, object]
    times: dict[str, Time]
    dirty: bool
    replay: logs.Replay | None = None
    gaps: list[Gap] = field(default_factory=list)


@contextmanager
def opened(file: EvidenceFile) -> Iterator[Opened]:
    """The hive of a file, with its logs replayed; raises ParseError where no root key can be read."""
    if file.size < BASE + 32:
        raise ParseError(file.path, 0, f"{file.size} bytes are too few for a hive", "truncated")
    with file.open() as stream:
        head = stream.read(512)
    if head[:4] != b"regf":
        raise ParseError(file.path, 0, "no registry hive: the mark 'regf' is missing")
    major, minor = struct.unpack_from("<2I", head, 20)
    if major != 1 or minor > 20:
        raise ParseError(file.path, 20, f"hive version {major}.{minor} is unknown", "schema_unknown")
    if file.size > IN_MEMORY:
        with _mapped(file, head) as result:
            yield result
    else:
        yield _prepare(file, head, file.read(IN_MEMORY))


@contextmanager
def _mapped(file: EvidenceFile, head: bytes) -> Iterator[Opened]:
    """A very large hive, mapped; its logs are not replayed (that needs a second copy in memory), which is said."""
    from mmap import ACCESS_READ, mmap

    with file.on_disk() as path, path.open("rb") as stream, mmap(stream.fileno(), 0, access=ACCESS_READ) as content:
        result = _describe(file, head, Hive(content))
        if result.dirty:
            result.gaps.append(Gap("the hive is dirty and too large for its logs to be replayed", 4, "too_large"))
        yield result


def _prepare(file: EvidenceFile, head: bytes, content: bytes) -> Opened:
    primary, secondary = struct.unpack_from("<2I", head, 4)
    if primary == secondary and logs.checksum(head) == struct.unpack_from("<I", head, 508)[0]:
        return _describe(file, head, Hive(content))
    beside = logs.log_files(file)
    kept = {name: log.read(logs.LOG_LIMIT) for name, log in beside.items()}
    replay, chosen = logs.plan(head, kept)
    if not chosen:
        result = _describe(file, head, Hive(content))
        result.gaps.extend(replay.gaps)
        result.replay = replay
        if primary != secondary:
            why = "none of its logs holds entries to replay" if kept else "no log lies beside it"
            result.gaps.append(
                Gap(f"the hive is dirty (sequence numbers {primary} and {secondary}) and {why}", 4, "dirty_without_log")
            )
        return result
    target = bytearray(content)
    logs.apply(target, chosen, kept, replay)
    result = _describe(file, head, Hive(bytes(target), content))
    result.replay = replay
    result.gaps.extend(replay.gaps)
    return result


def _describe(file: EvidenceFile, head: bytes, hive: Hive) -> Opened:
    primary, secondary, written, major, minor = struct.unpack_from("<2IQ2I", head, 4)
    (bins,) = struct.unpack_from("<I", hive.bytes, 40)
    checksum = struct.unpack_from("<I", head, 508)[0]
    gaps = []
    if BASE + bins > len(hive.bytes):
        gaps.append(Gap(f"the hive is cut off: {len(hive.bytes)} of {BASE + bins} bytes", len(hive.bytes), "truncated"))
    if logs.checksum(head) != checksum:
        gaps.append(Gap("the checksum of the base block does not agree", 508))
    root = hive.root
    if root is None:
        root = _stray_root(hive)
        if root is None:
            reasons = "; ".join(message for _, message in hive.damage) or "nothing there"
            reason = "truncated" if BASE + bins > len(hive.bytes) else "damaged"
            raise ParseError(file.path, BASE + hive.root_at, f"the root key cannot be read: {reasons}", reason)
    recognise(hive, root)
    header: dict[str, object] = {
        "hive": hive.kind, "root": hive.prefix, "root_name": root.name, "stored_path": stored_name(head),
        "format_version": f"{major}.{minor}", "primary_sequence": primary, "secondary_sequence": secondary,
        "dirty": primary != secondary, "hive_bins_size": bins, "checksum_agrees": logs.checksum(head) == checksum,
    }  # fmt: skip
    time = filetime(written)
    times = {"hive_last_written": time} if time else {}
    return Opened(hive, root, header, times, primary != secondary, None, gaps)


def _stray_root(hive: Hive) -> Key | None:
    """The key that is flagged as root, where the base block does not lead to one."""
    at = bytes(hive.bytes[BASE : BASE + 1024 * 1024]).find(b"nk")
    while at >= 0:
        if at >= 4 and at % 4 == 0:
            offset = at - 4
            (flags,) = struct.unpack_from("<H", hive.bytes, BASE + at + 2)
            if flags & 0x4:
                return hive.key(offset, None)
        at = bytes(hive.bytes[BASE : BASE + 1024 * 1024]).find(b"nk", at + 2)
    return None
