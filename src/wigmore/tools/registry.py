"""Windows registry: keys as they stand, and what is known of the machine from them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from wigmore.model.nouns import Coverage
from wigmore.registry import tool
from wigmore.tools.context import CAP, ToolContext, ToolOutput
from wigmore.tools.lookup import HIVES, Kind, Row, answer, caution, covered, joined

VALUES = "windows.registry"
SYSTEM, SOFTWARE = ("SYSTEM",), ("SOFTWARE",)
LOGS = ("var/log/*", "*/var/log/*")
ROOTS = {
    "hkey_local_machine": "HKLM",
    "hkey_current_user": "HKCU",
    "hkey_users": "HKU",
    "hkey_classes_root": "HKCR",
    "hklm": "HKLM",
    "hkcu": "HKCU",
    "hku": "HKU",
    "hkcr": "HKCR",
    "computer": "",
    "registry": "",
}


@tool("parse_registry_key", domain="registry")
def parse_registry_key(
    context: ToolContext, key: str, hive: str = "", subkeys: bool = True, limit: int = 1000
) -> ToolOutput:
    r"""Show a registry key: its values, then the names of its subkeys.

    `key` is a whole path (`HKLM\SYSTEM\ControlSet001\Services\bam`, HKEY_… too) or one below a hive's root
    (`Microsoft\Windows NT\CurrentVersion`); CurrentControlSet is the set that the hive says is current; case does not
    matter. `hive` keeps one hive: its kind (SYSTEM, SOFTWARE, SAM, SECURITY, NTUSER, USRCLASS…) or part of its file's path,
    such as a user's name. A key's last-written time dates the key, not one of its values; deleted keys say so in `state`.
    """
    hives = list(context.records([HIVES], "", [], None))
    chosen = [
        h for h in hives if not hive or hive.upper() == str(h["data"].get("hive")) or hive.lower() in h["path"].lower()
    ]
    reach = covered(context, Kind((VALUES,)))
    if not hives:
        if reach:
            return ToolOutput.failed(f"no registry hive could be read: {caution(reach)}")
        return ToolOutput.not_applicable("this source has no registry hive")
    if not chosen:
        return ToolOutput.failed(f"no hive {hive!r}; there are: {_named(hives)}")
    wanted = {h["path"]: sorted(set(_spellings(context, key, h))) for h in chosen}
    wanted = {path: spelled for path, spelled in wanted.items() if spelled}
    whose = ""
    if found := re.search(r"\bS-1-5-21(-\d+)+", key, re.IGNORECASE):
        owned = {path for path in wanted if _is_of(context, found[0], path)}
        whose = "" if owned else f"whose hive that of {found[0]} is, is not known here: those of all users are shown"
        wanted = {path: spelled for path, spelled in wanted.items() if path in owned} if owned else wanted
    if not wanted:
        return _no_home(key, chosen, reach)
    keys = sorted({k for spelled in wanted.values() for k in spelled})
    rows = [r for r in _values(context, keys) if r["path"] in wanted]
    if subkeys:
        rows += [r for r in _subkeys(context, keys) if r["path"] in wanted]
    met = {r["path"] for r in rows} or set(wanted)
    note = caution([c for c in reach if c.path in met])
    if rows:
        return ToolOutput.of(rows, joined(whose, note), max(1, min(limit, CAP)))
    looked = _named([h for h in chosen if h["path"] in wanted])
    return ToolOutput("empty", (), joined(f"no such key in {looked}{_nearest(context, keys, set(wanted))}", note))


def _is_of(context: ToolContext, sid: str, path: str) -> bool:
    """Whether a hive's path lies in the profile folder that the SOFTWARE hive gives for a SID."""
    for row in context.records(
        ["windows.registry.profile"], "lower(json_extract_string(data, '$.sid')) = lower(?)", [sid], None
    ):
        if profile_of(path).lower() == str(row["data"].get("user") or "").lower() != "":
            return True
    return False


def profile_of(path: str) -> str:
    """The name of the profile folder that a path lies in, by Windows' layouts; nothing where there is none."""
    parts = path.split("/")
    for number, part in enumerate(parts[:-2]):
        if part.lower() in ("users", "documents and settings"):
            return parts[number + 1]
    return ""


def _named(hives: list[Row]) -> str:
    return ", ".join(sorted({f"{h['data'].get('hive')} ({h['path']})" for h in hives})) or "none"


def _no_home(key: str, chosen: list[Row], reach: list[Coverage]) -> ToolOutput:
    """The answer for a key that lies in none of the hives there are."""
    if not re.sub(r"[\\/\s]", "", key):
        return ToolOutput.failed("name a key")
    if all(h["data"].get("hive") == "AMCACHE" for h in chosen):
        return ToolOutput.not_applicable("an Amcache hive is read as its records: list_amcache shows them")
    lost = [c for c in reach if c.outcome == "failed"]
    if lost:
        return ToolOutput.failed(f"no hive that was read holds {key}; {caution(lost)}")
    return ToolOutput.not_applicable(f"no hive of this source holds {key}; there are: {_named(chosen)}")


def _spellings(context: ToolContext, key: str, hive: Row) -> Iterator[str]:
    """The full paths, in lower case, that a key as asked may mean in a hive; none where it lies in another hive."""
    if hive["data"].get("hive") == "AMCACHE":
        return
    parts = [p for p in re.split(r"[\\/]+", key.strip()) if p]
    while parts and parts[0].lower() in ROOTS:
        head = ROOTS[parts.pop(0).lower()]
        if head:
            parts.insert(0, head)
            break
    if not parts:
        return
    low = str(hive["data"].get("root") or "").lower()
    parts = [_current_set(context, hive) if p.lower() == "currentcontrolset" else p for p in parts]
    asked = "\\".join(parts).lower()
    first = low.rpartition("\\")[2]
    spelled = [asked]
    if parts[0] == "HKU":  # HKU\<SID>\… is the hive of that user
        spelled = ["\\".join(["hkcu", *parts[2:]]).lower()] if low != "hku\\.default" else [asked]
    elif parts[0] == "HKCR":
        spelled = [
            "\\".join([top, *parts[1:]]).lower() for top in ("hklm\\software\\classes", "hkcu\\software\\classes")
        ]
    elif parts[0] not in ("HKLM", "HKCU"):
        spelled = [f"{low}\\{asked}"]
        if asked == first or asked.startswith(first + "\\"):
            spelled.append((low.rpartition("\\")[0] + "\\" + asked).lstrip("\\"))
    for one in spelled:
        # classes of a user stand in a hive of their own
        elsewhere = low == "hkcu" and (one + "\\").startswith("hkcu\\software\\classes\\")
        if (one == low or one.startswith(low + "\\")) and not elsewhere:
            yield one


def _current_set(context: ToolContext, hive: Row) -> str:
    found = context.records(
        [VALUES],
        "path = ? AND lower(json_extract_string(data, '$.key')) = ?",
        [hive["path"], f"{hive['data'].get('root')}\\select".lower()],
        None,
    )
    for row in found:
        if row["data"].get("value_name") == "Current" and isinstance(row["data"].get("value"), int):
            return f"ControlSet{row['data']['value']:03d}"
    return "CurrentControlSet"


def _values(context: ToolContext, keys: list[str]) -> Iterator[Row]:
    where = "lower(json_extract_string(data, '$.key')) IN (SELECT unnest(?))"
    for row in context.records([VALUES], where, [keys], None):
        text = _as_text(row["data"])
        yield {**row, "as_text": text} if text else row


def _as_text(data: dict[str, Any]) -> str:
    """UTF-16 text that a binary value holds, as mail programs store it; nothing where it holds other things."""
    value = data.get("value")
    if data.get("value_type") != "REG_BINARY" or not isinstance(value, str) or len(value) < 8 or len(value) % 4:
        return ""
    try:
        text = bytes.fromhex(value).decode("utf-16-le").rstrip("\0")
    except (ValueError, UnicodeDecodeError):
        return ""
    return text if len(text) > 1 and text.isprintable() and text.isascii() else ""


def _subkeys(context: ToolContext, keys: list[str]) -> list[Row]:
    """Direct subkeys, by name: rows without a record, with how many keys and values stand in and below each."""
    relation = context.store.relation([VALUES], context.source_id or None)
    out = []
    for key in keys:
        found = context.store.query(
            "SELECT path, min(above) AS above, min(name) AS name, count(*) AS entries FROM (SELECT path, "
            "substr(json_extract_string(data, '$.key'), 1, ?) AS above, "
            "split_part(substr(json_extract_string(data, '$.key'), ?), '\\', 1) AS name "
            f"FROM {relation} WHERE state IN ('live', 'log_replayed') "
            "AND starts_with(lower(json_extract_string(data, '$.key')), ?)) "
            "GROUP BY path, lower(name) ORDER BY path, lower(name)",
            [len(key), len(key) + 2, key + "\\"],
        )
        out += [
            {"path": r["path"], "key": r["above"], "subkey": r["name"], "entries_in_it": r["entries"]} for r in found
        ]
    return out


def _nearest(context: ToolContext, keys: list[str], paths: set[str]) -> str:
    """The longest existing parent of a key with the names below it, as the end of a message."""
    best = ""
    for key in keys:
        parent = key.rpartition("\\")[0]
        while len(parent) > len(best) and "\\" in parent:
            below = [r["subkey"] for r in _subkeys(context, [parent]) if r["path"] in paths]
            if below:
                best = parent
                names = ", ".join(below[:10]) + (f" and {len(below) - 10} more" if len(below) > 10 else "")
                text = f"; {parent} holds {names}"
                break
            parent = parent.rpartition("\\")[0]
    return text if best else ""


@tool("get_shutdown_time", domain="registry")
def get_shutdown_time(context: ToolContext) -> ToolOutput:
    """Give the last orderly shutdown that Windows noted in its registry, one row a control set; on Linux, the shutdowns of
    wtmp.

    `shutdown_time` is UTC. A crash or a pulled plug leaves the older value. Other control sets (is_current false) are copies.
    """
    kinds = [
        Kind(("windows.registry.shutdown",), hives=SYSTEM),
        Kind(
            ("linux.wtmp", "macos.utmpx"),
            keep=lambda r: (
                r["data"].get("user") == "shutdown"
                or str(r["data"].get("type_name")) in ("RUN_LVL", "SHUTDOWN_TIME")
                or r["data"].get("event") == "shutdown"
            ),
        ),
    ]
    return answer(context, kinds, "shutdown time (SYSTEM hive, wtmp)")


@tool("get_timezone", domain="registry")
def get_timezone(context: ToolContext) -> ToolOutput:
    """Give the time zone that the machine is set to: Windows' registry, /etc/timezone and /etc/localtime, a phone's lists.

    Biases are minutes that are added to local time to get UTC; `utc_offset` is the offset of standard time, `active_utc_offset`
    the one in force when the key was written. A setting says nothing of where the machine was.
    """
    kinds = [
        Kind(("windows.registry.time_zone",), hives=SYSTEM),
        Kind(("generic.text",), paths=("etc/timezone", "*/etc/timezone")),
        Kind(("file_listing",), paths=("etc/localtime", "*/etc/localtime")),
        Kind(("ios.device",), keep=lambda r: any("timezone" in k.lower() for k in r["data"])),
        Kind(("android.build_properties",), keep=lambda r: any("timezone" in k.lower() for k in r["data"])),
    ]
    return answer(context, kinds, "time zone setting (SYSTEM hive, etc/timezone, etc/localtime, device lists)")


@tool("get_email_config", domain="registry")
def get_email_config(context: ToolContext, text: str = "") -> ToolOutput:
    """List how mail programs are set up: Outlook and Outlook Express accounts in the registry, Thunderbird's preferences.

    Rows are the values as stored (servers, addresses, names, account names); `as_text` shows binary values that hold text.
    Passwords are encrypted where they are stored and are not decoded. `text` keeps rows whose values contain it (no case).
    Mail accounts of phones are list_accounts_of_apps'.
    """
    registry = Kind((VALUES,), hives=("NTUSER", "SOFTWARE"), keep=_mail_value)
    sieve = "(artifact <> ? OR regexp_matches(lower(data), ?))"
    pattern = "internet account manager|windows messaging subsystem|\\\\outlook\\\\|mail\\."
    kinds = [registry, Kind(("generic.text",), paths=("*/prefs.js",), keep=_mail_preference)]
    out = answer(
        context,
        kinds,
        "mail program's settings (NTUSER hive, Thunderbird)",
        where=sieve,
        parameters=[VALUES, pattern],
        text=text,
    )
    rows = tuple({**r, "as_text": shown} if (shown := _as_text(r["data"])) else r for r in out.rows)
    return ToolOutput(out.outcome, rows, out.note, out.more)


MAIL_KEYS = ("internet account manager\\accounts", "windows messaging subsystem\\profiles", "\\outlook\\profiles")
MAIL_NAMES = re.compile(
    r"^(smtp|pop3|imap|http|nntp|email|e-mail|account|display name|identity|reply|organization|server|user|mail|001[ef]3)",
    re.IGNORECASE,
)


def _mail_value(row: Row) -> bool:
    key, name = str(row["data"].get("key") or "").lower(), str(row["data"].get("value_name") or "")
    return any(part in key for part in MAIL_KEYS) and bool(MAIL_NAMES.match(name)) and "password" not in name.lower()


def _mail_preference(row: Row) -> bool:
    text = str(row["data"].get("text") or "")
    return bool(re.match(r'\s*user_pref\("mail\.(identity|server|smtpserver|account)', text))


@tool("list_usb_devices", domain="registry")
def list_usb_devices(context: ToolContext, text: str = "", limit: int = 1000) -> ToolOutput:
    """List USB storage, other USB and portable devices that the system set up, with serial numbers, drive letters and times.

    From the SYSTEM and SOFTWARE hives (USBSTOR, USB, portable devices, mounted devices), setupapi logs (local time of the
    machine) and Linux device messages. `serial_is_device_own` false: Windows made the number up, it names no device. A device
    that was set up was connected; what was read or written it does not say. `text` keeps rows that contain it (no case).
    """
    kinds = [
        Kind(("windows.registry.usb_storage", "windows.registry.usb_device"), hives=SYSTEM),
        Kind(("windows.registry.portable_device",), hives=("SYSTEM", "SOFTWARE")),
        Kind(("windows.registry.mounted_device",), hives=SYSTEM, keep=lambda r: "usb" in str(r["data"]).lower()),
        Kind(("windows.registry.volume_cache", "windows.registry.ready_boost"), hives=SOFTWARE),
        Kind(("windows.setupapi",), keep=lambda r: "usb" in str(r["data"]).lower()),
        Kind(("linux.devices",), homes=LOGS, keep=lambda r: "usb" in str(r["data"]).lower()),
    ]
    return answer(context, kinds, "record of USB devices (SYSTEM hive, setupapi log)", text=text, limit=limit)


@tool("list_networks", domain="registry")
def list_networks(context: ToolContext, text: str = "", limit: int = 1000) -> ToolOutput:
    """List networks and network interfaces that the system knew: names, addresses, DHCP, first and last connection.

    Windows' network list (its times are local to the machine) and interfaces, Wi-Fi lists of iOS, Android and macOS, Linux
    network messages. Names of networks are not unique, and phones synchronise their lists. `text` keeps rows that contain it.
    """
    kinds = [
        Kind(("windows.registry.network_profile",), hives=SOFTWARE),
        Kind(("windows.registry.network_interface", "windows.registry.route"), hives=SYSTEM),
        Kind(("ios.wifi_network", "android.wifi_network", "macos.wifi")),
        Kind(("linux.network",), homes=LOGS),
    ]
    return answer(context, kinds, "list of networks", text=text, limit=limit)
