r"""Functions that give registry keys a meaning: found in `families/`, run over the keys their paths name.

A family is a module with generator functions under `@reads_keys(artifact, kinds, *paths)`. A path is relative to the
hive's root, its names may hold `*` and `?` (`ControlSet*\Services\*`), case does not count. The function is called once
a matching key, with the hive and the key, and yields `(locator, Record)` made with `finding`.
"""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from fnmatch import translate
from functools import cache

from wigmore.artifacts.windows.registry.hive import DamagedCell, Hive, Key
from wigmore.artifacts.windows.registry.values import Decoded
from wigmore.model.protocols import Locator, Record
from wigmore.model.times import Time

Finding = tuple[Locator, Record]
Reader = Callable[[Hive, Key], Iterator[Finding]]
SET = re.compile(r"\\(ControlSet\d{3})(?:\\|$)", re.I)
USER = ("NTUSER", "DEFAULT")


@dataclass(frozen=True)
class Family:
    """One function, the artifact of its records, the kinds of hive and the key paths it reads."""

    artifact: str
    kinds: tuple[str, ...]
    paths: tuple[tuple[re.Pattern[str] | str, ...], ...]
    function: Reader


_families: dict[tuple[str, tuple[str, ...]], Family] = {}


def reads_keys(artifact: str, kinds: tuple[str, ...], *paths: str) -> Callable[[Reader], Reader]:
    """Declare a function as the reader of keys in hives of some kinds; see the module for paths."""

    def step(name: str) -> re.Pattern[str] | str:
        return re.compile(translate(name.upper())) if "*" in name or "?" in name else name.upper()

    def wrap(function: Reader) -> Reader:
        steps = tuple(tuple(step(name) for name in path.split("\\")) if path else () for path in paths)
        _families[f"{function.__module__}.{function.__qualname__}", paths] = Family(artifact, kinds, steps, function)
        return function

    return wrap


@cache
def families() -> tuple[Family, ...]:
    """All families of the folder, by artifact, then by the function's name."""
    package = importlib.import_module("wigmore.artifacts.windows.registry.families")
    for module in pkgutil.iter_modules(package.__path__, package.__name__ + "."):
        importlib.import_module(module.name)
    return tuple(family for _, family in sorted(_families.items(), key=lambda item: (item[1].artifact, item[0])))


def matching(key: Key, steps: tuple[re.Pattern[str] | str, ...]) -> Iterator[Key]:
    """The keys below `key` that a path names, in the order of the hive."""
    if not steps:
        yield key
    elif isinstance(steps[0], str):
        below = key.sub(steps[0])
        if below is not None:
            yield from matching(below, steps[1:])
    else:
        for child in key.children():
            if steps[0].match(child.name.upper()):
                yield from matching(child, steps[1:])


def findings(hive: Hive, kind: str) -> Iterator[Finding]:
    """What all families for this kind of hive find in it; damage is noted in the hive."""
    root = hive.root
    if root is None:
        return
    for family in families():
        if kind not in family.kinds:
            continue
        for steps in family.paths:
            for key in matching(root, steps):
                yield from _guarded(family, hive, key)


def _guarded(family: Family, hive: Hive, key: Key) -> Iterator[Finding]:
    found = family.function(hive, key)
    while True:
        try:
            locator, record = next(found)
        except StopIteration:
            return
        except DamagedCell as error:
            hive.note(DamagedCell(error.offset, f"{family.artifact}: {key.path}: {error}"))
            return
        except Exception as error:  # noqa: BLE001 - bad data of any kind costs this key, never the hive; it becomes a gap
            hive.note(DamagedCell(key.offset, f"{family.artifact}: {key.path}: {type(error).__name__}: {error}"))
            return
        yield locator, record if record.artifact else replace(record, artifact=family.artifact)


def locate(key: Key, value: str | None = None) -> Locator:
    """The locator of a key, or of one of its values: path, value name, absolute offset of the cell."""
    if value is None:
        return {"kind": "key", "key": key.path, "value": None, "offset": key.offset}
    cell = key.values.get(value.upper())
    return {"kind": "key", "key": key.path, "value": value, "offset": cell.offset if cell else key.offset}


def control_set(hive: Hive, path: str) -> dict[str, str | bool]:
    """Which control set a path lies in and whether it was the current one; empty elsewhere."""
    match = SET.search(path)
    if not match:
        return {}
    return {"control_set": match[1], "is_current": match[1].upper() == (hive.current_set or "").upper()}


def state_of(key: Key, value: str | None = None) -> str:
    """`log_replayed` where the logs changed the key or the value, else `live`."""
    if key.hive.base is None:
        return "live"
    if value is None:
        changed = key.changed or any(cell.changed for cell in key.values.values())
    else:
        cell = key.values.get(value.upper())
        changed = cell.changed if cell else key.changed
    return "log_replayed" if changed else "live"


def finding(
    key: Key,
    data: Mapping[str, object],
    times: Mapping[str, Time | None] | None = None,
    time_field: str | None = "key_last_written",
    value: str | None = None,
    part: str | int | None = None,
    host_id: str = "",
    artifact: str = "",
    locate_at: Key | None = None,
) -> Finding:
    """A record about a key (or one `value` of it, or a `part` of that value, named in the locator).

    Adds `key`, the control set and `key_last_written`. Times that are None are left out.
    """
    hive = key.hive
    known: dict[str, Time] = {name: time for name, time in (times or {}).items() if time is not None}
    if key.time is not None:
        known["key_last_written"] = key.time
    locator = locate(locate_at or key, value)
    if part is not None:
        locator["part"] = part
    whole = {"key": key.path, **control_set(hive, key.path), **data}
    chosen = time_field if time_field in known else None
    return locator, Record(whole, known, chosen, state_of(key, value), host_id, "", artifact)


def shown(value: Decoded, cap: int = 4096) -> object:
    """A decoded value as JSON: bytes become hexadecimal text, cut at `cap` bytes."""
    return value[:cap].hex() if isinstance(value, bytes) else value
