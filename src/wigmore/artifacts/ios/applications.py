"""Applications of an iOS device: installed ones with their containers, store receipts, and use from the power log."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from wigmore.artifacts.generic.plist import flat, load_plist
from wigmore.artifacts.generic.plist_reader import decode_blob, is_plist
from wigmore.artifacts.generic.sqlite_layout import Layout
from wigmore.artifacts.generic.sqlite_queries import Data, Query, apple, read_queries, seconds
from wigmore.artifacts.generic.sqlite_reader import Database, open_database
from wigmore.model.protocols import EvidenceFile, ParseError, Record, Yield
from wigmore.model.times import Time
from wigmore.registry import Claim, parser

ILEAPP = "https://github.com/abrignoni/iLEAPP/tree/main/scripts/artifacts"
APOLLO = "https://github.com/mac4n6/APOLLO/tree/master/modules"
STATE = Layout(
    paths=("applicationstate.db",),
    tables=(
        ("application_identifier_tab", ("id", "application_identifier")),
        ("kvs", ("application_identifier", "key")),
    ),
)
POWER = Layout(
    paths=("currentpowerlog.plsql", "powerlog_*.plsql"),
    tables=(("PLStorageOperator_EventForward_TimeOffset", ("timestamp", "system")),),
)
KEPT = ("bundleIdentifier", "bundlePath", "bundleContainerPath", "sandboxPath", "isSystem", "hiddenApp")


def _state(data: Data, database: Database) -> None:
    if not database.has("key_tab", "id", "key") or not database.has("kvs", "application_identifier", "key", "value"):
        return
    for key, value in database.related(
        "SELECT k.key, v.value FROM kvs v JOIN key_tab k ON k.id = v.key WHERE v.application_identifier = ? ORDER BY v.id",
        data["id"],
    ):
        decoded = decode_blob(value) if isinstance(value, bytes) else value
        if key == "compatibilityInfo" and isinstance(decoded, dict):
            for name in KEPT:
                if name in decoded:
                    data[name] = decoded[name]
        elif isinstance(decoded, (str, int, float)):
            data[f"state.{key}"] = decoded
        elif value is not None:
            data.setdefault("state_keys", []).append(str(key))


APP = Query(
    "ios.application",
    ("application_identifier_tab a",),
    "a.id a.application_identifier:bundle_id",
    "a.id",
    derive=_state,
)


@parser(
    "ios.application_state", claims=STATE,
    reads="applicationState.db of FrontBoard on iOS",
    means="the application is, or was, known to the home screen, with this bundle and data container",
    does_not_mean="that it was used; entries can outlive the application",
    refs=(ILEAPP,), artifacts=(APP.artifact,),
)  # fmt: skip
def application_state(file: EvidenceFile) -> Iterator[Yield]:
    """One record an application with its containers."""
    yield from read_queries(file, STATE, (APP,))


@parser(
    "ios.store_metadata",
    claims=Claim(paths=("itunesmetadata.plist",), look=lambda head, path, size: is_plist(head)),
    reads="iTunesMetadata.plist beside an application's bundle",
    means="the application was obtained from the store, bought then by that account",
    does_not_mean="that it was used, or on this device only",
    refs=(ILEAPP, "https://developer.apple.com/library/archive/documentation/Cocoa/Conceptual/PropertyLists/"),
    artifacts=("ios.store_app",),
)
def store_metadata(file: EvidenceFile) -> Iterator[Yield]:
    """One record an application; the purchase's time and account where stored."""
    root = load_plist(file)
    if not isinstance(root, dict):
        raise ParseError(file.path, None, "not a dictionary", "schema_unknown")
    kept: dict[str, Any] = {
        k: root[k]
        for k in ("itemName", "softwareVersionBundleId", "bundleShortVersionString", "bundleVersion", "artistName", "genre",
                  "purchaseDate", "releaseDate", "itemId", "sourceApp", "storeCohort", "is-auto-download",
                  "com.apple.iTunesStore.downloadInfo", "initialODRSize", "softwareVersionExternalIdentifier")
        if k in root
    }  # fmt: skip
    if not kept:
        return
    data, times = flat(kept)
    from wigmore.model.times import iso

    for name in list(data):
        if name.lower().endswith("date") and isinstance(data[name], str) and (time := iso(data[name])) is not None:
            times[name] = time
    data["bundle_id"] = data.get("softwareVersionBundleId")
    dated = next((n for n in times if n.lower().endswith("purchasedate")), None)
    yield (
        {"kind": "key", "key": ""},
        Record({k: v for k, v in data.items() if v is not None}, times, dated, artifact="ios.store_app"),
    )


# --- the power log: its rows carry monotonic time; the table of offsets says what to add --------------------------------

POWER_TABLES = {  # table → what its rows are, the columns kept
    "PLApplicationAgent_EventForward_Application": "application state",
    "PLAppTimeService_Aggregate_AppRunTime": "application run time",
    "PLApplicationAgent_EventNone_AllApps": "installed application",
    "PLScreenStateAgent_EventForward_ScreenState": "screen state",
    "PLCameraAgent_EventForward_BackCamera": "back camera",
    "PLCameraAgent_EventForward_FrontCamera": "front camera",
    "PLCameraAgent_EventForward_Camera": "camera",
    "PLAudioAgent_EventForward_Routing": "audio routing",
    "PLAudioAgent_EventPoint_AudioApp": "audio of an application",
    "PLCameraAgent_EventForward_Torch": "torch",
    "PLBatteryAgent_EventBackward_Battery": "battery level",
    "PLProcessNetworkAgent_EventInterval_UsageDiff": "network use of a process",
    "PLVideoAgent_EventForward_VideoPlayback": "video playback",
    "PLSpringBoardAgent_Aggregate_SBNotifications_Aggregate": "notifications",
    "PLXPCAgent_EventForward_Lock": "lock",
}
POWER_TIMES = ("timestamp", "timestampEnd", "StartOffset", "EndOffset")
KEEP = re.compile(r"^[A-Za-z_][\w]*$")


class _Offsets:
    """What to add to a monotonic time: the last offset noted before it (or the first one after)."""

    def __init__(self, rows: list[tuple[float, float]]) -> None:
        self.rows = sorted(rows)

    def of(self, stamp: float) -> float | None:
        from bisect import bisect_right

        if not self.rows:
            return None
        at = bisect_right(self.rows, (stamp, float("inf")))
        return self.rows[max(0, at - 1)][1]


@parser(
    "ios.powerlog", claims=POWER,
    reads="CurrentPowerlog.PLSQL of iOS: application, screen, camera, audio, battery and network tables",
    means="the device noted this state or use; times are the stored ones plus the offset of the log's own table",
    does_not_mean="which person; aggregates cover an hour, not an instant",
    refs=(APOLLO, ILEAPP), artifacts=("ios.powerlog",),
)  # fmt: skip
def powerlog(file: EvidenceFile) -> Iterator[Yield]:
    """One record a row of the tables with a public meaning; rows of the others are generic.sqlite's."""
    with open_database(file, POWER) as database:
        found: list[tuple[float, float]] = []
        table = "PLStorageOperator_EventForward_TimeOffset"
        for row in database.select((f"{table} o",), "o.timestamp o.system", "o.rowid"):
            stamp, offset = row.values.get("timestamp"), row.values.get("system")
            if isinstance(stamp, (int, float)) and isinstance(offset, (int, float)):
                found.append((float(stamp), float(offset)))
        offsets = _Offsets(found)
        for name in sorted(database.tables):
            kind = next((k for t, k in POWER_TABLES.items() if t.lower() == name.lower()), None)
            if kind is None:
                continue
            columns = " ".join(f"p.{c}" for c in database.tables[name] if KEEP.match(c))
            for row in database.select((f'"{name}" p',), columns, "p.rowid"):
                data: dict[str, Any] = {"kind": kind, "table": name}
                times: dict[str, Time] = {}
                for column, value in row.values.items():
                    if column in ("timestamp", "timestampEnd") and isinstance(value, (int, float)):
                        offset = offsets.of(float(value))
                        time = seconds(value + (offset or 0.0))
                        if time is not None:
                            source = "no offset stored: the device's own running clock" if offset is None else (
                                f"stored time plus offset {offset:.3f} s of the log's table"
                            )  # fmt: skip
                            times[column] = {**time, "raw": value, "zone_source": source}
                            continue
                    if column.lower().endswith("deleteddate") and (stamp := seconds(value)) is not None and value:
                        times[column] = stamp
                        continue
                    if value is not None and not isinstance(value, bytes):
                        data[column] = value
                dated = "timestamp" if "timestamp" in times else None
                yield row.locator, Record(data, times, dated, row.state, artifact="ios.powerlog")
        yield from database.gaps


# --- screen time --------------------------------------------------------------------------------------------------------

SCREEN_TIME = Layout(
    paths=("rmadminstore-local.sqlite", "rmadminstore-cloud.sqlite"),
    tables=(("ZUSAGETIMEDITEM", ("ZBUNDLEIDENTIFIER", "ZTOTALTIMEINSECONDS")), ("ZUSAGEBLOCK", ("ZSTARTDATE",))),
)
USAGE = Query(
    "ios.screen_time",
    ("ZUSAGETIMEDITEM t", "LEFT JOIN ZUSAGECATEGORY c ON c.Z_PK = t.ZCATEGORY",
     "LEFT JOIN ZUSAGEBLOCK b ON b.Z_PK = c.ZBLOCK", "LEFT JOIN ZUSAGE u ON u.Z_PK = b.ZUSAGE",
     "LEFT JOIN ZCOREDEVICE d ON d.Z_PK = u.ZDEVICE"),
    "t.Z_PK t.ZBUNDLEIDENTIFIER:bundle_id t.ZDOMAIN:domain t.ZTOTALTIMEINSECONDS:seconds c.ZIDENTIFIER:category "
    "b.ZSTARTDATE b.ZLASTEVENTDATE b.ZDURATIONINMINUTES b.ZNUMBEROFPICKUPSWITHOUTAPPLICATIONUSAGE d.ZNAME:device",
    "t.Z_PK",
    {"ZSTARTDATE": apple, "ZLASTEVENTDATE": apple},
)  # fmt: skip


@parser(
    "ios.screen_time", claims=SCREEN_TIME,
    reads="RMAdminStore-Local.sqlite and -Cloud.sqlite of Screen Time",
    means="the application or site was in use for so many seconds within the block that began then",
    does_not_mean="when within the block, by whom, or on this device where the row names another",
    refs=(APOLLO, ILEAPP), artifacts=(USAGE.artifact,),
)  # fmt: skip
def screen_time(file: EvidenceFile) -> Iterator[Yield]:
    """One record an application and block."""
    yield from read_queries(file, SCREEN_TIME, (USAGE,))
