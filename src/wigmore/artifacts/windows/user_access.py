"""User Access Logging (UAL) of Windows Server: which account from which address used which role, by day."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from datetime import date, timedelta
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
from wigmore.model.protocols import EvidenceFile, ParseError, Record, Yield
from wigmore.model.times import Time
from wigmore.registry import parser

GUID_NAME = "{????????-????-????-????-????????????}.mdb"
YEARLY = EseClaim(
    paths=("current.mdb", GUID_NAME, "*/logfiles/sum/*.mdb"), magic=(SIGNATURE,), both=True, tables=("CLIENTS", "ROLE_ACCESS"),
)  # fmt: skip
IDENTITY = EseClaim(
    paths=("systemidentity.mdb",), magic=(SIGNATURE,), both=True, tables=("SYSTEM_IDENTITY",), sure=("systemidentity.mdb",),
)  # fmt: skip
KINDS = {
    "CLIENTS": "client", "ROLE_ACCESS": "role", "DNS": "dns", "VIRTUALMACHINES": "virtual_machine",
    "SYSTEM_IDENTITY": "system", "ROLE_IDS": "role_name", "CHAINED_DATABASES": "database",
}  # fmt: skip
ARTIFACTS = tuple(f"windows.ual.{kind}" for kind in KINDS.values())
DATED = ("last_access", "last_seen", "last_seen_active", "creation_time")
# roles by their identifiers, as Get-UalOverview and SystemIdentity.mdb of servers name them
ROLES = {
    "c50fcc83-bc8d-4df5-8a3d-89d7f80f074b": "Active Directory Certificate Services",
    "ad495fc3-0eaa-413d-ba7d-8b13fa7ec598": "Active Directory Domain Services",
    "b4cdd739-089c-417e-878d-855f90081be7": "Active Directory Rights Management Service",
    "910cbaf9-b612-4782-a21f-f7c75105434a": "BranchCache",
    "48eed6b2-9cdc-4358-b5a5-8dea3b2f3f6a": "DHCP Server",
    "7cc4b071-292c-4732-97a1-cf9a7301195d": "FAX Server",
    "10a9226f-50ee-49d8-a393-9a501d47ce04": "File Server",
    "c23f1c6a-30a8-41b6-bbf7-f266563dfcd6": "FTP Server",
    "dde30b98-449e-4b93-84a6-ea86af0b19fe": "MSMQ",
    "bbd85b29-9dcc-4fd9-865d-3846dcba75c7": "Network Policy and Access Services",
    "7fb09bd3-7fe6-435e-8348-7d8aefb6cea3": "Print and Document Services",
    "952285d9-edb7-4b6b-9d85-0c09e3da0bbd": "Remote Access",
    "8cc0ac85-40f7-4886-9dab-021519800418": "Reporting Services",
    "2414bc1b-1572-4cd9-9ca5-65166d8def3d": "SQL Server Analysis Services",
    "bd7f7c0d-7c36-4721-afa8-0ba700e26d9e": "SQL Server Database Engine",
    "d6256cf7-98fb-4eb4-aa18-303f1da1f770": "Web Server",
    "4116a14d-3840-4f42-a67f-f2f9ff46eb4c": "Windows Deployment Services",
    "d8dc1c8e-ea13-49ce-9a68-c9dca8db8b33": "Windows Server Update Services",
}


def address(raw: bytes) -> str:
    """An IPv4 or IPv6 address of 4 or 16 bytes (a socket address of 16 or 28 is taken apart); hex for other lengths."""
    if len(raw) == 16 and raw[:2] == b"\2\0" and not any(raw[8:]):
        return str(ipaddress.IPv4Address(raw[4:8]))  # sockaddr_in
    if len(raw) == 28 and raw[:2] == b"\x17\0":
        return str(ipaddress.IPv6Address(raw[8:24]))  # sockaddr_in6
    if len(raw) not in (4, 16):
        return raw.hex()
    found = ipaddress.ip_address(raw)
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return str(mapped or found)


def by_day(values: dict[str, Any], year: int | None) -> list[dict[str, Any]]:
    """Columns Day1 to Day366 that hold a count, with their dates in that year."""
    out = []
    for number in range(1, 367):
        count = values.get(f"Day{number}")
        if isinstance(count, int) and count:
            day: dict[str, Any] = {"day_of_year": number, "accesses": count}
            if year:
                day["date"] = (date(year, 1, 1) + timedelta(days=number - 1)).isoformat()
            out.append(day)
    return out


def access(row: Row, roles: dict[str, str]) -> Record:
    """A row of one of the tables."""
    kind = KINDS[row.table.upper()]
    times: dict[str, Time] = {}
    plain: dict[str, Any] = {}
    for column, value in row.values.items():
        if kind == "client" and column.startswith("Day") and column[3:].isdigit():
            continue
        name = "system_dns_hostname" if column == "SystemDNSHostName" else snake(column)
        if isinstance(value, Moment):
            time = value.time(utc=True)
            if time:
                times[name] = time
                continue
        if name == "address" and isinstance(value, bytes):
            plain["address_raw"] = value.hex()
            value = address(value)
        plain[name] = value
    data = settle(plain)
    role = data.get("role_guid")
    if isinstance(role, str) and not data.get("role_name"):
        data["role_name"] = roles.get(role, "unknown")
    if kind == "client":
        data["accesses_by_day"] = by_day(row.values, _year(times))
    dated = next((name for name in DATED if name in times), None)
    host = str(data.get("system_dns_hostname") or "") if kind == "system" else ""
    return Record(data, times, dated, row.state, host_id=host, artifact=f"windows.ual.{kind}")


def _year(times: dict[str, Time]) -> int | None:
    """The year a row counts days of: databases are by calendar year, so that of its last access."""
    for name in ("last_access", "insert_date"):
        if name in times:
            return int(times[name]["text"][:4])
    return None


def role_names(database: Database) -> dict[str, str]:
    """Names of roles that a SystemIdentity.mdb has by their identifiers."""
    out: dict[str, str] = {}
    table = database.find("ROLE_IDS")
    for row in database.rows(table) if table else ():
        role, name = row.values.get("RoleGuid"), row.values.get("RoleName")
        if isinstance(role, str) and isinstance(name, str) and name and len(out) < 10_000:
            out[role] = name
    return out


def _roles_beside(file: EvidenceFile) -> dict[str, str]:
    """The roles known everywhere, and those of the server's own list where it lies in the same folder."""
    beside = file.sibling("SystemIdentity.mdb")
    if beside is None:
        return dict(ROLES)
    try:
        with open_ese(beside) as database:
            return ROLES | role_names(database)
    except ParseError:
        return dict(ROLES)  # that file's own coverage row says what is wrong with it


def _read(file: EvidenceFile, layout: EseClaim, roles: dict[str, str]) -> Iterator[Yield]:
    with open_ese(file) as database:
        if not layout.fits(database.tables):
            yield from not_fitting(database, "User Access Logging database", layout.tables)
            return
        yield header_of(database)
        for name in sorted(database.tables):
            if name.upper() in KINDS:
                for row in database.rows(name):
                    yield row.locator, access(row, roles)
        yield from database.gaps


NOT = (
    "What was done, each single access (counts by day only, 65 535 at most), a logon of that account at the server, or "
    "that the address was the account's own computer. What triggers a count differs by role and is not documented."
)
REFERENCES = (
    "https://learn.microsoft.com/en-us/windows-server/administration/user-access-logging/get-started-with-user-access-logging",
    REFERENCE,
)


@parser(
    "windows.ual",
    claims=YEARLY,
    artifacts=(*ARTIFACTS, HEADER),
    reads="Current.mdb and {GUID}.mdb of Windows Server 2012 and later (Windows\\System32\\LogFiles\\Sum)",
    means="a client at this address used this role of the server under this account name on these days, first and last then",
    does_not_mean=NOT,
    refs=REFERENCES,
    limit_seconds=600.0,
)
def user_access(file: EvidenceFile) -> Iterator[Yield]:
    """One record a client (role, account, address), role, DNS name and virtual machine."""
    yield from _read(file, YEARLY, _roles_beside(file))


@parser(
    "windows.ual_identity",
    claims=IDENTITY,
    artifacts=("windows.ual.system", "windows.ual.role_name", "windows.ual.database", HEADER),
    reads="SystemIdentity.mdb of Windows Server 2012 and later (Windows\\System32\\LogFiles\\Sum)",
    means="the server had this name, system build and hardware then, these roles, and these databases for the years",
    does_not_mean=NOT,
    refs=REFERENCES,
    limit_seconds=300.0,
)
def system_identity(file: EvidenceFile) -> Iterator[Yield]:
    """One record a state of the server, role and yearly database."""
    yield from _read(file, IDENTITY, dict(ROLES))
