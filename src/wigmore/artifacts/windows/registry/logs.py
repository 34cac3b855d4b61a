"""Transaction logs of a hive (.LOG1, .LOG2; `HvLE` entries of Windows 8.1 and later): checked, ordered, replayed.

Format and order of recovery: M. Suhanov, "Windows registry file format specification", sections "Format of transaction
log files" and "Recovery of a dirty hive"; Marvin32: "Marvin hash" as published in .NET runtime (seed 82EF4D887A4E55C5).
The older format (`DIRT` bitmap, Windows 8 and before) is recognised and reported, not replayed.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

from wigmore.artifacts.windows.registry.hive import BASE
from wigmore.model.protocols import EvidenceFile, Gap

FIRST = 512  # entries begin after the log's own base block
HASH_LIMIT = 24 * 1024 * 1024  # bytes whose hashes we compute; pure Python needs about 0.4 s a MiB
LOG_LIMIT = 512 * 1024 * 1024
SEED = (0x7A4E55C5, 0x82EF4D88)  # low and high word of 82EF4D887A4E55C5
WORD = 0xFFFFFFFF


def marvin32(data: bytes) -> int:
    """The 64-bit Marvin32 hash with the seed of registry logs."""
    low, high = SEED
    tail = len(data) & 3
    last = int.from_bytes(data[len(data) - tail :] + b"\x80", "little") if tail else 0x80
    for word in (*struct.unpack_from(f"<{len(data) // 4}I", data), last, 0):
        low = (low + word) & WORD
        high ^= low
        low = (((low << 20) | (low >> 12)) + high) & WORD
        high = ((high << 9) | (high >> 23)) & WORD
        high ^= low
        low = (((low << 27) | ((low & WORD) >> 5)) + high) & WORD
        high = ((high << 19) | (high >> 13)) & WORD
    return high << 32 | low


def checksum(block: bytes) -> int:
    """XOR of the first 127 little-endian words of a base block, as stored in the 128th."""
    value = 0
    for word in struct.unpack_from("<127I", block):
        value ^= word
    return {0: 1, WORD: WORD - 1}.get(value, value)


@dataclass(frozen=True)
class Entry:
    """One log entry: its sequence number, the size of the hive's bins after it, and where its pages lie in the log."""

    sequence: int
    bins: int
    log: str
    offset: int
    pages: tuple[tuple[int, int, int], ...]  # (offset in the log, absolute offset in the hive, size)


@dataclass
class Replay:
    """What the logs gave: entries applied, pages written, names of the logs used, and what could not be used."""

    logs: list[str] = field(default_factory=list)
    applied: list[int] = field(default_factory=list)
    pages: int = 0
    bins: int = 0
    unverified: int = 0
    gaps: list[Gap] = field(default_factory=list)


def entries_of(log: bytes, name: str, replay: Replay, budget: list[int]) -> list[Entry]:
    """The valid entries of a log in order, up to the first that is damaged or breaks the sequence."""
    found: list[Entry] = []
    at = FIRST
    while at + 40 <= len(log) and log[at : at + 4] == b"HvLE":
        size, _, sequence, bins, count = struct.unpack_from("<5I", log, at + 4)
        entry = log[at : at + size]
        if size < 40 + 8 * count or len(entry) < size:
            replay.gaps.append(Gap(f"{name}: entry {sequence} is cut off", at, "truncated"))
            break
        first, second = struct.unpack_from("<2Q", entry, 24)
        if marvin32(entry[:32]) != second:
            replay.gaps.append(Gap(f"{name}: entry {sequence}: header hash does not agree", at))
            break
        budget[0] -= size
        if budget[0] < 0:
            replay.unverified += 1
        elif marvin32(entry[40:]) != first:
            replay.gaps.append(Gap(f"{name}: entry {sequence}: hash of its pages does not agree", at))
            break
        if found and sequence != found[-1].sequence + 1:
            if sequence > found[-1].sequence:
                missing = f"entries {found[-1].sequence + 1} to {sequence - 1} are missing, later ones are not applied"
                replay.gaps.append(Gap(f"{name}: {missing}", at, "dirty_without_log"))
            break  # a lower number is left over from an earlier round of the log: its pages are in the hive
        pages, data = [], at + 40 + 8 * count
        for offset, length in struct.iter_unpack("<2I", entry[40 : 40 + 8 * count]):
            pages.append((data, BASE + offset, length))
            data += length
        if data > at + size:
            replay.gaps.append(Gap(f"{name}: entry {sequence}: pages are longer than the entry", at))
            break
        found.append(Entry(sequence, bins, name, at, tuple(pages)))
        at += size
    return found


def plan(hive_head: bytes, logs: dict[str, bytes]) -> tuple[Replay, list[Entry]]:
    """Which entries of which log to apply, in order, for a hive with this base block."""
    replay, budget, runs = Replay(), [HASH_LIMIT], []
    secondary = struct.unpack_from("<I", hive_head, 8)[0]
    for name, log in logs.items():
        if log[:4] != b"regf" or len(log) < FIRST:
            if log.strip(b"\0"):
                replay.gaps.append(Gap(f"{name} is no transaction log", 0))
            continue
        if log[FIRST : FIRST + 4] == b"DIRT":
            replay.gaps.append(
                Gap(f"{name} is a log of the older format (DIRT), which is not replayed", FIRST, "unsupported")
            )
            continue
        run = [entry for entry in entries_of(log, name, replay, budget) if entry.sequence >= secondary]
        if run:
            runs.append(run)
    chosen: list[Entry] = []
    for run in sorted(runs, key=lambda entries: entries[0].sequence):
        if chosen and run[0].sequence != chosen[-1].sequence + 1:
            replay.gaps.append(
                Gap(f"{run[0].log} begins with {run[0].sequence}, not {chosen[-1].sequence + 1}: not applied",
                    run[0].offset, "dirty_without_log")
            )  # fmt: skip
            continue
        chosen.extend(run)
    if chosen and chosen[0].sequence > secondary:
        replay.gaps.append(
            Gap(f"the hive stands at sequence {secondary}, its logs begin with {chosen[0].sequence}: what lies between "
                "may be missing", chosen[0].offset, "dirty_without_log")
        )  # fmt: skip
    return replay, chosen


def apply(target: bytearray, chosen: list[Entry], logs: dict[str, bytes], replay: Replay) -> None:
    """Write the pages of the chosen entries into the copy of the hive, growing it where entries say so."""
    for entry in chosen:
        for source, offset, size in entry.pages:
            if offset > BASE + entry.bins or offset + size > BASE + entry.bins:
                replay.gaps.append(Gap(f"{entry.log}: entry {entry.sequence} has a page past the hive's end", source))
                continue
            if len(target) < offset + size:
                target.extend(bytes(offset + size - len(target)))
            target[offset : offset + size] = logs[entry.log][source : source + size]
            replay.pages += 1
        replay.applied.append(entry.sequence)
        replay.bins = entry.bins
        if entry.log not in replay.logs:
            replay.logs.append(entry.log)
    if chosen:
        struct.pack_into("<I", target, 40, replay.bins)
        sequence = chosen[-1].sequence + 1
        struct.pack_into("<2I", target, 4, sequence, sequence)
        struct.pack_into("<I", target, 508, checksum(bytes(target[:512])))


def log_files(file: EvidenceFile) -> dict[str, EvidenceFile]:
    """The logs that lie beside a hive, by name, whatever the case of the suffix (or `.LOG` of older systems)."""
    name = file.path.rsplit("/", 1)[-1]
    found: dict[str, EvidenceFile] = {}
    for stem in dict.fromkeys((name, name.lower(), name.upper())):
        for suffix in (".LOG1", ".LOG2", ".LOG", ".log1", ".log2", ".log"):
            if suffix.upper() not in {known[known.rfind(".") :].upper() for known in found}:
                sibling = file.sibling(stem + suffix)
                if sibling is not None and sibling.size:
                    found[stem + suffix] = sibling
    return found
