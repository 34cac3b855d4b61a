"""Registry hives of Windows NT: each hive opened once, read key by key and by what its keys mean."""

from __future__ import annotations

from collections.abc import Iterator

from wigmore.artifacts.windows.registry import generic
from wigmore.artifacts.windows.registry.hive import Hive
from wigmore.artifacts.windows.registry.kinds import stored_name
from wigmore.artifacts.windows.registry.opening import Opened, opened
from wigmore.artifacts.windows.registry.semantics import families, findings
from wigmore.model.protocols import EvidenceFile, Gap, Locator, Record, Recorder, Yield
from wigmore.registry import Claim, parser

GAPS = 100  # damaged places named one by one; the rest is counted


def not_amcache(head: bytes, path: str, size: int) -> bool:
    """Whether neither the file's name nor the name stored in the hive is Amcache's; logs of hives are no hives."""
    low = path.lower()
    return (
        not low.endswith("amcache.hve")
        and not stored_name(head).lower().endswith("amcache.hve")
        and (len(head) < 32 or head[28:32] == b"\0\0\0\0")
    )


@parser(
    "windows.registry",
    claims=Claim(magic=((0, b"regf"),), look=not_amcache),
    reads="registry hives (SYSTEM, SOFTWARE, SAM, SECURITY, NTUSER.DAT, UsrClass.dat, DEFAULT, BCD, application hives)",
    means="a key or value stood in this hive as of the key's last-written time, which belongs to the key",
    does_not_mean="when a single value was set, by whom, or that a program named there ran; counters are no runs",
    refs=(
        "https://github.com/msuhanov/regf",
        "https://github.com/libyal/libregf/blob/main/documentation/",
        "https://github.com/libyal/winreg-kb",
    ),
    version=2,
    artifacts=(
        "windows.registry",
        "windows.registry.hive",
        *dict.fromkeys(family.artifact for family in families() if "AMCACHE" not in family.kinds),
    ),
    limit_seconds=600.0,
)
def registry(file: EvidenceFile) -> Iterator[Yield]:
    """Semantic records first, then one record a value (or empty key), deleted cells, and one about the hive."""
    with opened(file) as hive:
        yield from read(hive)


def read(found: Opened, with_keys: bool = True) -> Iterator[Yield]:
    """Everything an opened hive holds; without the single keys where they would only repeat the semantic records."""
    hive = found.hive
    yield from found.gaps
    yield recorder(found)
    yield from findings(hive, hive.kind)
    if with_keys:
        count = generic.Count(hive)
        yield from generic.live(hive, found.root, count)
        yield from generic.removed(count)
        yield from about(found, count)
        yield from generic.unlinked(hive, found.root)
    else:
        yield from about(found, None)
    yield from damages(hive)


def recorder(found: Opened) -> Recorder:
    """The registry is always on; a dirty hive whose logs were not replayed needs them."""
    replayed = found.replay is not None and bool(found.replay.applied)
    return Recorder("on", needs="transaction logs (.LOG1, .LOG2)" if found.dirty and not replayed else "")


def about(found: Opened, count: generic.Count | None) -> Iterator[tuple[Locator, Record]]:
    """The record about the hive itself: stored path, sequence numbers, counts, what the replay did."""
    data = dict(found.header)
    if count is not None:
        data |= {"keys": count.keys, "values": count.values}
    if found.replay is not None and found.replay.applied:
        data["replayed_logs"] = list(found.replay.logs)
        data["replayed_entries"] = found.replay.applied
        data["replayed_dirty_pages"] = found.replay.pages
        data["replayed_entries_unverified"] = found.replay.unverified
        if count is not None:
            data |= {
                "replay_new_keys": count.new_keys, "replay_removed_keys": count.removed_keys,
                "replay_new_values_of_known_keys": count.new_values,
                "replay_removed_values_of_known_keys": count.removed_values,
                "replay_rewritten_values": count.changed_values,
                "replay_differing_keys": count.new_keys + count.removed_keys,
                "replay_differing_values": count.new_values + count.removed_values,
            }  # fmt: skip
    yield (
        {"kind": "offset", "offset": 0, "length": 512},
        Record(data, found.times, "hive_last_written" if found.times else None, artifact="windows.registry.hive"),
    )


def damages(hive: Hive) -> Iterator[Gap]:
    """Damaged places as gaps, the first hundred one by one."""
    for offset, message in list(hive.damage)[:GAPS]:
        yield Gap(message, offset)
    if len(hive.damage) > GAPS:
        yield Gap(f"{len(hive.damage) - GAPS} further damaged places")
