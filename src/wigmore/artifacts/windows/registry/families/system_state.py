"""Settings and marks of the whole machine: shutdown, boot key, credential caching, auditing, prefetch, last access,
routes.

Sources: J. Metz, winreg-kb; Microsoft Security Advisory 2871997 (UseLogonCredential); MS-GPAC for audit categories.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from wigmore.artifacts.windows.registry.families.identity import kept
from wigmore.artifacts.windows.registry.hive import Hive, Key
from wigmore.artifacts.windows.registry.semantics import Finding, finding, reads_keys
from wigmore.artifacts.windows.registry.values import filetime_at, plausible_filetime


@reads_keys("windows.registry.shutdown", ("SYSTEM",), "ControlSet*\\Control\\Windows")
def shutdown(hive: Hive, key: Key) -> Iterator[Finding]:
    """When Windows last noted a shutdown (written late in the shutdown), in each control set."""
    raw = key.raw("ShutdownTime")
    if len(raw) == 8:
        yield finding(
            key, {"event": "last shutdown"}, {"shutdown_time": filetime_at(raw)}, "shutdown_time", "ShutdownTime"
        )


ORDER = (8, 5, 4, 2, 11, 9, 13, 3, 0, 6, 1, 12, 14, 10, 15, 7)


@reads_keys("windows.registry.boot_key", ("SYSTEM",), "ControlSet*\\Control\\Lsa")
def boot_key(hive: Hive, key: Key) -> Iterator[Finding]:
    """The boot key (SysKey), scrambled over four class names: tells which SAM and SECURITY belong here."""
    parts = [sub.class_name if (sub := key.sub(name)) is not None else "" for name in ("JD", "Skew1", "GBG", "Data")]
    try:
        scrambled = bytes.fromhex("".join(parts))
    except ValueError:
        return
    if len(scrambled) == 16:
        yield finding(key, {"boot_key": bytes(scrambled[at] for at in ORDER).hex(), "also_called": "SysKey"})


SETTINGS = {
    "Control\\SecurityProviders\\WDigest": ("UseLogonCredential", "Negotiate"),
    "Control\\Lsa": (
        "RunAsPPL", "LmCompatibilityLevel", "NoLMHash", "RestrictAnonymous", "DisableRestrictedAdmin",
        "LimitBlankPasswordUse",
        "Security Packages", "Authentication Packages", "Notification Packages", "auditbaseobjects",
        "SCENoApplyLegacyAuditPolicy",
    ),
    "Control\\Session Manager\\Memory Management": ("ClearPageFileAtShutdown", "PagingFiles"),
    "Control\\Session Manager\\Memory Management\\PrefetchParameters": (
        "EnablePrefetcher", "EnableSuperfetch", "BootId", "BaseTime",
    ),
    "Control\\FileSystem": ("NtfsDisableLastAccessUpdate", "NtfsDisable8dot3NameCreation", "LongPathsEnabled"),
    "Control\\Terminal Server": ("fDenyTSConnections", "fSingleSessionPerUser", "TSEnabled"),
    "Control\\Terminal Server\\WinStations\\RDP-Tcp": ("PortNumber", "UserAuthentication", "SecurityLayer",
    "MinEncryptionLevel"),
    "Control\\CrashControl": ("CrashDumpEnabled", "DumpFile", "MinidumpDir", "AutoReboot"),
    "Services\\W32Time\\Parameters": ("NtpServer", "Type"),
    "Services\\LanmanServer\\Parameters": ("SMB1", "NullSessionShares", "AutoShareWks", "AutoShareServer"),
    "Services\\EventLog\\Security": ("File", "MaxSize", "Retention"),
    "Control\\StorageDevicePolicies": ("WriteProtect",),
}  # fmt: skip


@reads_keys("windows.registry.setting", ("SYSTEM",), *(f"ControlSet*\\{path}" for path in SETTINGS))
def settings(hive: Hive, key: Key) -> Iterator[Finding]:
    """Settings that examinations ask for, one record a key, values under their own names."""
    yield from _named(key, key.path.split("\\", 3)[-1], SETTINGS)


POLICY = {
    "Microsoft\\Windows\\CurrentVersion\\Policies\\System": (
        "EnableLUA", "ConsentPromptBehaviorAdmin", "LocalAccountTokenFilterPolicy", "FilterAdministratorToken",
        "legalnoticecaption", "legalnoticetext", "DontDisplayLastUserName",
    ),
    "Microsoft\\PowerShell\\1\\ShellIds\\Microsoft.PowerShell": ("ExecutionPolicy", "Path"),
    "Policies\\Microsoft\\Windows\\PowerShell\\ScriptBlockLogging": ("EnableScriptBlockLogging",),
    "Policies\\Microsoft\\Windows\\PowerShell\\Transcription": ("EnableTranscripting", "OutputDirectory"),
    "Policies\\Microsoft\\Windows Defender": ("DisableAntiSpyware", "DisableAntiVirus"),
    "Microsoft\\Windows Defender\\Real-Time Protection": ("DisableRealtimeMonitoring", "DisableBehaviorMonitoring"),
    "Microsoft\\Windows Defender\\Features": ("TamperProtection",),
    "Microsoft\\Windows NT\\CurrentVersion\\SystemRestore": ("DisableSR", "RPSessionInterval"),
}  # fmt: skip


@reads_keys("windows.registry.setting", ("SOFTWARE",), *POLICY)
def policies(hive: Hive, key: Key) -> Iterator[Finding]:
    """Settings of SOFTWARE that examinations ask for: UAC, PowerShell logging, Defender."""
    yield from _named(key, key.path.split("\\", 2)[-1], POLICY)


def _named(key: Key, below: str, known: dict[str, tuple[str, ...]]) -> Iterator[Finding]:
    """The values of a key that are known for its path below the root, in one record."""
    names = next((names for path, names in known.items() if path.upper() == below.upper()), ())
    data = kept(**{name: found for name in names if not isinstance(found := key.get(name), bytes)})
    if data:
        yield finding(key, {"setting": below, **data})


@reads_keys(
    "windows.registry.defender_exclusion",
    ("SOFTWARE",),
    "Microsoft\\Windows Defender\\Exclusions\\*",
    "Policies\\Microsoft\\Windows Defender\\Exclusions\\*",
)
def exclusions(hive: Hive, key: Key) -> Iterator[Finding]:
    """Paths, processes and extensions that Defender was told to leave alone."""
    for value in key.values.values():
        yield finding(key, {"kind": key.name, "excluded": value.name}, value=value.name)


@reads_keys("windows.registry.restore_diagnostics", ("SYSTEM",), "ControlSet*\\Services\\VSS\\Diag\\*")
def restore_diagnostics(hive: Hive, key: Key) -> Iterator[Finding]:
    """Steps of Volume Shadow Copy and System Restore, each with the last time it was entered or left."""
    for value in key.values.values():
        raw = key.raw(value.name)
        if len(raw) >= 16 and plausible_filetime(raw, 8):
            step, _, phase = value.name.partition(" ")
            data = {"component": key.name, "step": value.name, "operation": step, "phase": phase.strip("()")}
            yield finding(key, data, {"last_time": filetime_at(raw, 8)}, "last_time", value.name)


CATEGORIES = (
    "system", "logon", "object access", "privilege use", "detailed tracking", "policy change", "account management",
    "directory service access", "account logon",
)  # fmt: skip
# in the order of the stored states; later versions append
SUBCATEGORIES = {
    "system": "security state change, security system extension, system integrity, IPsec driver, other",
    "logon": "logon, logoff, account lockout, IPsec main mode, special logon, IPsec quick mode, IPsec extended mode, "
    "other, network policy server, claims, group membership",
    "object access": "file system, registry, kernel object, SAM, other, certification services, application generated, "
    "handle manipulation, file share, packet drop, connection, detailed file share, removable storage, policy staging",
    "privilege use": "sensitive, non-sensitive, other",
    "detailed tracking": "process creation, process termination, DPAPI, RPC, plug and play, token right adjusted",
    "policy change": "audit policy, authentication policy, authorisation policy, firewall rules, "
    "filtering platform, other",
    "account management": "user account, computer account, security group, distribution group, "
    "application group, other",
    "directory service access": "access, changes, replication, detailed replication",
    "account logon": "credential validation, Kerberos service ticket, other, Kerberos authentication",
}
WHEN = {0: "none", 1: "success", 2: "failure", 3: "success and failure"}


@reads_keys("windows.registry.audit_policy", ("SECURITY",), "Policy\\PolAdtEv")
def audit_policy(hive: Hive, key: Key) -> Iterator[Finding]:
    """What was audited. Before Vista nine categories; since then sub-categories by group, numbered in order."""
    raw = key.raw("")
    if not raw:
        return
    if len(raw) in (44, 40):
        count = min(struct.unpack_from("<I", raw, len(raw) - 4)[0], 9)
        flags = struct.unpack_from(f"<{count}I", raw, 4)
        audited = {name: WHEN.get(flag & 3, str(flag)) for name, flag in zip(CATEGORIES, flags, strict=False)}
        yield finding(key, {"auditing": bool(raw[0]), "layout": "nine categories", **audited}, value="")
        return
    if len(raw) < 120:
        yield finding(key, {"layout": "unknown", "raw": raw.hex()}, value="")
        return
    # 12 bytes, then a u16 a sub-category; behind them, the counts of sub-categories of each group
    counts = _group_counts(raw)
    audited, at = {}, 12
    for group, size in zip(CATEGORIES, counts, strict=False):
        states = struct.unpack_from(f"<{size}H", raw, at)
        names = SUBCATEGORIES[group].split(", ")
        audited[group] = ", ".join(
            f"{names[number] if number < len(names) else number + 1}: {WHEN.get(state, state)}"
            for number, state in enumerate(states)
        )
        at += 2 * size
    yield finding(key, {"layout": "sub-categories", **audited, "raw": raw.hex()}, value="")


def _group_counts(raw: bytes) -> list[int]:
    """The nine counts stored behind the states; empty where they do not fit the data."""
    for offset in range(100, min(len(raw) - 17, 160), 2):
        counts = list(struct.unpack_from("<9H", raw, offset))
        if all(0 < count < 20 for count in counts) and 12 + 2 * sum(counts) <= offset:
            return counts
    return []
