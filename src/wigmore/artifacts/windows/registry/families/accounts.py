"""Accounts: local users and groups of SAM, the machine's SID, profiles, domain membership, last logged-on user.

Sources: MS-SAMR 2.2.6/2.2.7 (user account control); layouts of the F, V and C values: J. Metz, winreg-kb, "Security
Accounts Manager"; MS-LSAD for the policy values. Password hashes and LSA secrets are not read.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from wigmore.artifacts.windows.registry.families.identity import kept
from wigmore.artifacts.windows.registry.hive import Hive, Key
from wigmore.artifacts.windows.registry.semantics import Finding, finding, reads_keys
from wigmore.artifacts.windows.registry.values import filetime_at, sid, utf16
from wigmore.model.times import Time, filetime

FLAGS = (
    (0x0001, "account disabled"), (0x0002, "home directory required"), (0x0004, "password not required"),
    (0x0008, "temporary duplicate account"), (0x0010, "normal account"), (0x0020, "MNS logon account"),
    (0x0040, "interdomain trust account"), (0x0080, "workstation trust account"), (0x0100, "server trust account"),
    (0x0200, "password does not expire"), (0x0400, "account auto locked"),
)  # fmt: skip
TEXTS = {
    "user_name": 12, "full_name": 24, "comment": 36, "user_comment": 48, "home_directory": 72,
    "home_directory_connect": 84, "script_path": 96, "profile_path": 108, "workstations": 120,
}  # fmt: skip


def field(raw: bytes, entry: int) -> bytes:
    """A field of a V value: (offset, length) stand at `entry`; offsets count from the end of the 0xCC header."""
    if len(raw) < entry + 8:
        return b""
    offset, length = struct.unpack_from("<2I", raw, entry)
    return raw[0xCC + offset : 0xCC + offset + length] if 0xCC + offset + length <= len(raw) else b""


@reads_keys("windows.registry.account", ("SAM",), "SAM\\Domains\\*\\Users")
def accounts(hive: Hive, key: Key) -> Iterator[Finding]:
    """Local accounts, one record each; machine SID and group names joined."""
    machine = _machine_sid(hive)
    groups = _groups_by_member(hive)
    for user in key.children():
        if len(user.name) != 8:
            continue
        try:
            rid = int(user.name, 16)
        except ValueError:
            continue
        fixed, variable = user.raw("F"), user.raw("V")
        own = f"{machine}-{rid}" if machine else None
        data: dict[str, object] = {"rid": rid, "sid": own}
        data |= kept(**{name: utf16(field(variable, entry)) for name, entry in TEXTS.items()})
        hint = user.raw("UserPasswordHint")
        data |= kept(
            password_hint=utf16(hint), internet_user_name=utf16(user.raw("InternetUserName")),
            given_name=utf16(user.raw("GivenName")), surname=utf16(user.raw("SurName")),
        )  # fmt: skip
        data["groups"] = sorted(groups.get(own or "", ()))
        times: dict[str, Time | None] = {}
        if len(fixed) >= 68:
            flags = struct.unpack_from("<H", fixed, 56)[0]
            data["flags"] = [name for bit, name in FLAGS if flags & bit]
            data["disabled"] = bool(flags & 1)
            data["bad_password_count"], data["logon_count"] = struct.unpack_from("<2H", fixed, 64)
            data["rid_in_f"] = struct.unpack_from("<I", fixed, 48)[0]
            times = {
                "last_logon": filetime_at(fixed, 8), "password_last_set": filetime_at(fixed, 24),
                "account_expires": filetime_at(fixed, 32), "last_failed_logon": filetime_at(fixed, 40),
            }  # fmt: skip
        names = key.sub("Names")
        named = names.sub(str(data.get("user_name", "")).replace("\\", "")) if names is not None else None
        if named is not None:
            times["name_key_last_written"] = named.time
        yield finding(user, data, times, "last_logon" if times.get("last_logon") else "key_last_written")


def _machine_sid(hive: Hive) -> str | None:
    root = hive.root
    domain = root.sub("SAM\\Domains\\Account") if root is not None else None
    raw = domain.raw("V") if domain is not None else b""
    if len(raw) < 12:
        return None
    return "S-1-5-21-{}-{}-{}".format(*struct.unpack_from("<3I", raw, len(raw) - 12))


@reads_keys("windows.registry.machine_sid", ("SAM",), "SAM\\Domains\\Account")
def machine_sid(hive: Hive, key: Key) -> Iterator[Finding]:
    """The SID of this machine's own account domain, and the policy of its passwords."""
    found = _machine_sid(hive)
    if not found:
        return
    fixed = key.raw("F")
    data: dict[str, object] = {"machine_sid": found}
    times: dict[str, Time | None] = {}
    if len(fixed) >= 0x58:
        times["domain_created"] = filetime_at(fixed, 8)
        maximum, minimum = struct.unpack_from("<2q", fixed, 0x18)
        data["maximum_password_age_days"] = abs(maximum) // 864_000_000_000 if maximum != -(1 << 63) else None
        data["minimum_password_age_days"] = abs(minimum) // 864_000_000_000
        data["minimum_password_length"], data["password_history_length"] = struct.unpack_from("<2H", fixed, 0x50)
    yield finding(key, data, times, value="V", host_id=found)


def _members(raw: bytes) -> tuple[str, str, list[str], int]:
    """Name, comment, member SIDs and RID of an alias's C value."""
    if len(raw) < 52:
        return "", "", [], 0
    rid = struct.unpack_from("<I", raw, 0)[0]
    name, comment = (
        utf16(raw[52 + offset : 52 + offset + length])
        for offset, length in (struct.unpack_from("<2I", raw, 16), struct.unpack_from("<2I", raw, 28))
    )
    at, length, count = struct.unpack_from("<3I", raw, 40)
    members: list[str] = []
    at, stop = 52 + at, 52 + at + length
    while at + 8 <= min(len(raw), stop) and len(members) < min(count, 100_000):
        member = sid(raw, at)
        if member is None:
            break
        members.append(member)
        at += 8 + 4 * raw[at + 1]
    return name, comment, members, rid


def _aliases(hive: Hive) -> Iterator[tuple[Key, str, str, list[str], int]]:
    root = hive.root
    for domain in ("Builtin", "Account"):
        top = root.sub(f"SAM\\Domains\\{domain}\\Aliases") if root is not None else None
        for alias in top.children() if top is not None else ():
            if "C" in alias.values:
                yield alias, *_members(alias.raw("C"))


def _groups_by_member(hive: Hive) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for _, name, _, members, _ in _aliases(hive):
        for member in members:
            found.setdefault(member, set()).add(name)
    return found


@reads_keys("windows.registry.group", ("SAM",), "SAM\\Domains")
def groups(hive: Hive, key: Key) -> Iterator[Finding]:
    """Local groups with the SIDs of their members."""
    for alias, name, comment, members, rid in _aliases(hive):
        yield finding(alias, {"group": name, "comment": comment, "rid": rid, "members": members[:5000]}, value="C")


@reads_keys("windows.registry.profile", ("SOFTWARE",), "Microsoft\\Windows NT\\CurrentVersion\\ProfileList\\*")
def profiles(hive: Hive, key: Key) -> Iterator[Finding]:
    """Profiles on this machine: SID, folder, and load and unload times where Windows keeps them (10 and later)."""

    def pair(name: str) -> Time | None:
        high, low = key.number(f"{name}High"), key.number(f"{name}Low")
        return filetime(high << 32 | low) if high is not None and low is not None else None

    path = key.text("ProfileImagePath")
    if path is None and not key.name.upper().startswith("S-1-"):
        return
    state = key.number("State")
    data = kept(
        sid=key.name.removesuffix(".bak"), profile_path=path, user=path.rstrip("\\").rsplit("\\",
        1)[-1] if path else None,
        state=state, flags=key.number("Flags"), guid=key.text("Guid"), backup_of_profile=key.name.endswith(".bak"),
    )  # fmt: skip
    times = {"profile_load": pair("LocalProfileLoadTime"), "profile_unload": pair("LocalProfileUnloadTime")}
    yield finding(key, data, times, "profile_load" if times["profile_load"] else "key_last_written")


@reads_keys("windows.registry.membership", ("SECURITY",), "Policy")
def membership(hive: Hive, key: Key) -> Iterator[Finding]:
    """Whether the machine belonged to a domain or a workgroup, its name, the domain's SID and the machine's own."""

    def raw(name: str) -> bytes:
        below = key.sub(name)
        return below.raw("") if below is not None else b""

    def text(data: bytes) -> str | None:
        if len(data) < 8:
            return None
        length, _, offset = struct.unpack_from("<HHI", data)
        return utf16(data[offset : offset + length]) if offset + length <= len(data) and length else None

    name, domain, dns = text(raw("PolPrDmN")), sid(raw("PolPrDmS")), text(raw("PolDnDDN"))
    if name is None and domain is None:
        return
    joined = f"domain {name}, SID {domain}" if domain else f"workgroup {name}, no domain SID"
    data = kept(
        membership=joined, member_of="domain" if domain else "workgroup", name=name, domain_sid=domain, dns_domain=dns,
        dns_forest=text(raw("PolDnTrN")), account_domain=text(raw("PolAcDmN")), machine_sid=sid(raw("PolAcDmS")),
    )  # fmt: skip
    at = key.sub("PolPrDmN") or key
    yield finding(at, data, value="", host_id=str(data.get("machine_sid", "")))


@reads_keys(
    "windows.registry.last_logged_on",
    ("SOFTWARE",),
    "Microsoft\\Windows\\CurrentVersion\\Authentication\\LogonUI",
    "Microsoft\\Windows NT\\CurrentVersion\\Winlogon",
)
def last_logged_on(hive: Hive, key: Key) -> Iterator[Finding]:
    """The user whom the logon screen offers, and automatic logon where it is set up (never its password)."""
    data = kept(
        last_logged_on_user=key.text("LastLoggedOnUser"), last_logged_on_sam_user=key.text("LastLoggedOnSAMUser"),
        last_logged_on_display_name=key.text("LastLoggedOnDisplayName"),
        last_logged_on_sid=key.text("LastLoggedOnUserSID"),
        selected_user_sid=key.text("SelectedUserSID"), default_user_name=key.text("DefaultUserName"),
        default_domain_name=key.text("DefaultDomainName"), auto_admin_logon=key.text("AutoAdminLogon"),
        last_used_username=key.text("LastUsedUsername"),
        automatic_logon_password_stored="DEFAULTPASSWORD" in key.values or None,
    )  # fmt: skip
    if set(data) - {"auto_admin_logon"}:
        yield finding(key, data)
