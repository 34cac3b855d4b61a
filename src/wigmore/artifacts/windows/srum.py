"""System Resource Usage Monitor (SRUDB.dat): hourly sums of network, processor and energy use by program and account."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from wigmore.artifacts.windows.ese_reader import (
    REFERENCE,
    SIGNATURE,
    Database,
    EseClaim,
    Row,
    header_of,
    not_fitting,
    open_ese,
)
from wigmore.artifacts.windows.ese_values import HEADER, Moment, settle, snake
from wigmore.artifacts.windows.event_codes import well_known
from wigmore.artifacts.windows.registry.values import sid
from wigmore.artifacts.windows.structures import utf16
from wigmore.model.protocols import EvidenceFile, Gap, Record, Yield
from wigmore.model.times import Time, filetime
from wigmore.registry import parser

IDENTIFIERS = "SruDbIdMapTable"
CHECKPOINTS = "SruDbCheckpointTable"
LAYOUT = EseClaim(
    paths=("srudb*.dat",), magic=(SIGNATURE,), both=True, tables=(IDENTIFIERS,), sure=("srudb.dat",),
)  # fmt: skip
# provider → record kind and the provider's name (registry key SRUM\Extensions)
PROVIDERS = {
    "973F5D5C-1D90-4944-BE8E-24B94231A174": ("network_usage", "Network Data Usage Monitor"),
    "DD6636C4-8929-4683-974E-22C046A43763": ("network_connectivity", "Network Connectivity Usage Monitor"),
    "D10CA2FE-6FCF-4F6D-848E-B2E99266FA89": ("application_usage", "Application Resource Usage Provider"),
    "D10CA2FE-6FCF-4F6D-848E-B2E99266FA86": ("push_notification", "Push Notifications (WPN) Provider"),
    "FEE4E14F-02A9-4550-B5CE-5FA2DA202E37": ("energy_usage", "Energy Usage Provider"),
    "FEE4E14F-02A9-4550-B5CE-5FA2DA202E37LT": ("energy_usage_long_term", "Energy Usage Provider (long term)"),
    "5C8CF1C7-7257-4F13-B223-970EF5939312": ("application_timeline", "App Timeline Provider"),
    "7ACBBAA3-D029-4BE4-9A7A-0885927F1D8F": ("vfu", "vfuprov"),
    "DA73FB89-2BEA-4DDC-86B8-6E048C6DA477": ("energy_estimate", "Energy Estimation Provider"),
    "97C2CE28-A37B-4920-B1E9-8B76CD341EC5": ("energy_estimate", "Energy Estimation Provider"),
    "B6D82AF1-F780-4E17-8077-6CB9AD8A6FC4": ("tagged_energy", "Tagged Energy Provider"),
}
OTHER = "other"
KINDS = (*dict.fromkeys(kind for kind, _ in PROVIDERS.values()), OTHER)
IDENTIFIER_KINDS = {0: "program", 1: "service", 2: "packaged app", 3: "account"}
MAPPED = 2_000_000  # identifiers that are kept
NAMES = {"bytes_recvd": "bytes_received", "connected_time": "connected_seconds", "duration_ms": "duration_milliseconds"}
FILETIMES = {
    "end_time": "ended_at", "start_time": "started_at", "connect_start_time": "connected_at",
    "event_timestamp": "event_at",
}  # fmt: skip
# IANA ifType values that Windows uses (Microsoft, NET_LUID)
INTERFACES = {
    1: "other", 6: "Ethernet", 9: "token ring", 23: "PPP", 24: "loopback", 37: "ATM", 71: "IEEE 802.11 wireless",
    131: "tunnel", 144: "IEEE 1394", 237: "WiMAX", 243: "mobile broadband (GSM)", 244: "mobile broadband (CDMA)",
}  # fmt: skip
STAMPED = re.compile(
    r"!!(?P<name>[^!]*)!(?P<linked>\d{4}/\d\d/\d\d:\d\d:\d\d:\d\d)!(?P<checksum>[0-9a-f]+)!(?P<rest>.*)"
)
GROUPED = re.compile(r"(?P<path>.*?) ?\[(?P<group>[^\[\]]*)\]$")


def identity(kind: int, raw: bytes) -> dict[str, Any]:
    """What an identifier stands for: a program's path, a service's or package's name, or an account's SID.

    `!!name!time!checksum!` is how programs stand there that were seen by their image alone: the time is the link time
    in the program's header, not a start.
    """
    if kind == 3:
        text = sid(raw)
        if text is None:
            return {"value": raw.hex(), "kind": "account"}
        name = well_known(text)
        return {"value": text, "kind": "account", **({"name": name} if name else {})}
    text = utf16(raw)
    out: dict[str, Any] = {"value": text, "kind": IDENTIFIER_KINDS.get(kind, f"unknown ({kind})")}
    stamped = STAMPED.match(text)
    if stamped:
        out |= {"name": stamped["name"], "linked": stamped["linked"], "checksum": stamped["checksum"]}
        if stamped["rest"].startswith("[") and stamped["rest"].endswith("]"):
            out["service_group"] = stamped["rest"][1:-1]
    elif kind == 0:
        grouped = GROUPED.match(text)
        path = grouped["path"] if grouped else text
        if grouped:
            out["service_group"] = grouped["group"]
        if path:
            out["name"] = path.rpartition("\\")[2]
    return out


def interface(luid: int) -> dict[str, Any]:
    """The parts of a NET_LUID: interface type and index on this computer."""
    value = luid & 0xFFFFFFFFFFFFFFFF
    kind = value >> 48
    return {
        "interface_luid": f"{value:#018x}",
        "interface_type": kind,
        "interface_type_name": INTERFACES.get(kind, f"unknown ({kind})"),
        "interface_index": value >> 24 & 0xFFFFFF,
    }


def identifiers(database: Database) -> dict[int, dict[str, Any]]:
    """The identifier table: number → what it stands for."""
    known: dict[int, dict[str, Any]] = {}
    for row in database.rows(database.find(IDENTIFIERS) or IDENTIFIERS):
        kind, number, raw = (row.values.get(name) for name in ("IdType", "IdIndex", "IdBlob"))
        if isinstance(number, int) and isinstance(raw, bytes):
            known[number] = identity(kind if isinstance(kind, int) else -1, raw)
        if len(known) >= MAPPED:
            database.gaps.append(Gap(f"more than {MAPPED} identifiers: the rest is not resolved", reason="too_large"))
            break
    return known


def usage(row: Row, known: dict[int, dict[str, Any]]) -> Record:
    """A row of a provider's table with program, account and interface resolved."""
    table = row.table.strip("{}").replace("}", "").upper()
    kind, provider = PROVIDERS.get(table, (OTHER, "unknown"))
    data: dict[str, Any] = {"provider": provider, "provider_guid": row.table}
    times: dict[str, Time] = {}
    program, account = row.values.get("AppId"), row.values.get("UserId")
    if isinstance(program, int):
        data |= _named(known.get(program), "application", program)
    if isinstance(account, int):
        data |= _named(known.get(account), "user_sid", account)
    rest: dict[str, Any] = {}
    for column, value in row.values.items():
        name = snake(column)
        name = NAMES.get(name, name)
        if column in ("AppId", "UserId"):
            continue
        if isinstance(value, Moment):
            time = value.time(utc=True)
            if time:
                times["recorded_at" if name == "time_stamp" else name] = time
                continue
        elif name in FILETIMES and isinstance(value, int):
            time = filetime(value)
            if time:
                times[FILETIMES[name]] = time
                continue
        elif name == "interface_luid" and isinstance(value, int):
            rest |= interface(value)
            continue
        rest[name] = value
    data |= settle(rest)
    return Record(
        data, times, "recorded_at" if "recorded_at" in times else None, row.state, artifact=f"windows.srum.{kind}"
    )


def _named(found: dict[str, Any] | None, field: str, number: int) -> dict[str, Any]:
    prefix = "user" if field == "user_sid" else "application"
    out: dict[str, Any] = {f"{prefix}_id": number}
    if found is None:
        return out
    out[field] = found["value"]
    for name in ("name", "kind", "linked", "checksum", "service_group"):
        if name in found and (prefix, name) != ("user", "kind"):
            out[f"{prefix}_{name}"] = found[name]
    return out


@parser(
    "windows.srum",
    claims=LAYOUT,
    artifacts=(*(f"windows.srum.{kind}" for kind in KINDS), HEADER),
    reads="SRUDB.dat of Windows 8, Server 2012 and later (Windows\\System32\\sru)",
    means=(
        "In the interval that ends at the time of the row, Windows counted these bytes, cycles or seconds for this "
        "program under this account."
    ),
    does_not_mean=(
        "Where data went or came from, what it was, the minute it happened, that a person caused it, or that a file was "
        "taken: updates and backups send much. Rows are kept 30 to 60 days and written about every hour."
    ),
    refs=(
        "https://github.com/libyal/esedb-kb (System Resource Usage Monitor)", REFERENCE,
        "https://learn.microsoft.com/en-us/windows/win32/api/ifdef/ns-ifdef-net_luid_lh",
    ),
    limit_seconds=600.0,
)  # fmt: skip
def srum(file: EvidenceFile) -> Iterator[Yield]:
    """One record a row of each provider, in order of provider and row; the header first."""
    with open_ese(file) as database:
        if not LAYOUT.fits(database.tables):
            yield from not_fitting(database, "SRUM database", LAYOUT.tables)
            return
        yield header_of(database)
        known = identifiers(database)
        for name in sorted(database.tables):
            if name.startswith("{"):
                for row in database.rows(name):
                    yield row.locator, usage(row, known)
        yield from database.gaps
