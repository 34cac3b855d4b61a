"""Programs: installed, started, present, set to start."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from wigmore.registry import parsers, tool
from wigmore.tools.context import ToolContext, ToolOutput
from wigmore.tools.lookup import CannotLook, Kind, Row, answer, hive_paths, period
from wigmore.tools.places import LISTING
from wigmore.tools.registry import profile_of

USER_HIVES = ("NTUSER", "USRCLASS")
ACTIVITY = tuple(
    f"windows.registry.{name}"
    for name in (
        "userassist",
        "recent_document",
        "run_mru",
        "typed_url",
        "dialog_file",
        "dialog_program",
        "office_mru",
        "office_trust",
        "shellbag",
        "search_term",
        "mui_cache",
        "recent_app",
        "feature_usage",
        "mount_point",
        "network_drive",
        "compatibility_assistant",
        "remote_desktop",
        "ssh_host",
        "sysinternals",
    )
)


@tool("list_installed_software", domain="programs")
def list_installed_software(context: ToolContext, text: str = "", limit: int = 1000) -> ToolOutput:
    """List programs that the system has as installed: Windows' Uninstall keys and Amcache, packages of Linux and Android,
    applications of iOS.

    Install dates are what the installer wrote, day or second. Portable programs are in none of these lists, and an entry may
    outlive its program. Linux rows are the package manager's log: installs, upgrades and removals. `text` keeps rows that
    contain it (no case).
    """
    kinds = [
        Kind(("windows.registry.installed_software",), hives=("SOFTWARE", "NTUSER")),
        Kind(("windows.amcache.program",)),
        Kind(("linux.packages", "android.package", "android.store_app", "ios.application", "ios.store_app")),
    ]
    return answer(context, kinds, "list of installed programs", text=text, limit=limit)


STREAMS = ("/app/infocus", "/app/usage", "/app/webusage", "app.infocus", "app.webusage", "app.mediausage")
USED = (
    Kind(("ios.knowledgec",), keep=lambda r: str(r["data"].get("ZSTREAMNAME", "")).lower() in STREAMS),
    Kind(("ios.biome",), keep=lambda r: str(r["data"].get("stream", "")).lower() in STREAMS),
    Kind(("ios.screen_time", "ios.keyboard_usage", "android.usage_event", "android.usage", "android.wellbeing_event")),
    Kind(("ios.powerlog",), keep=lambda r: str(r["data"].get("kind", "")).startswith("application")),
)


@tool("list_app_usage", domain="programs")
def list_app_usage(
    context: ToolContext, text: str = "", after: str = "", before: str = "", limit: int = 1000
) -> ToolOutput:
    """List uses of applications that a phone noted: in focus (KnowledgeC, Biome), usage statistics, Screen Time, power log.

    Times as stored, UTC; Screen Time and aggregates cover a span, not an instant. `resolved` names the packages that newer
    Android numbers, where its mapping file is there. Synchronised rows (origin synced) are another device's. A use is the
    device's, not a person's. `text` keeps rows that contain it (no case), `after` and `before` are ISO 8601, UTC.
    """
    try:
        where, parameters = period(after, before)
    except CannotLook as error:
        return ToolOutput.failed(str(error))
    names = {
        (r["source_id"], r["path"].rpartition("/")[0], f"token {r['data'].get('token')}"): str(r["data"].get("package"))
        for r in context.records(["android.usage_name"], "", [], None)
    }
    out = answer(context, USED, "record of application use", where=where, parameters=parameters, text=text, limit=limit)
    if not names or not out.rows:
        return out

    def named(row: Row) -> Row:
        folder = row["path"].rpartition("/")[0].rpartition("/")[0]
        name = names.get((row["source_id"], folder, str(row["data"].get("package"))))
        return {**row, "resolved": name} if name else row

    return replace(out, rows=tuple(named(row) for row in out.rows))


@tool("get_user_activity", domain="programs")
def get_user_activity(
    context: ToolContext, user: str = "", text: str = "", after: str = "", before: str = "", limit: int = 1000
) -> ToolOutput:
    r"""List what a Windows account's own registry keeps of its use: programs started (UserAssist, BAM), documents, folders,
    searches, typed addresses, Run dialog, Office files, drives.

    `user` is the name of the profile folder (empty: all). Counters of UserAssist can be factory seeds (`seed_reason`), lists
    are in order of use but only their first entry has the key's time. An account's activity is not a person's. `text`, and
    `after`/`before` (ISO 8601, UTC) narrow the rows.
    """
    try:
        where, parameters = period(after, before)
    except CannotLook as error:
        return ToolOutput.failed(str(error))
    kinds = [Kind(ACTIVITY, hives=USER_HIVES), Kind(("windows.timeline",))]
    test = None
    sids: set[str] = set()
    if user:
        profiles = context.records(["windows.registry.profile"], "", [], None)
        sids = {str(r["data"].get("sid")) for r in profiles if str(r["data"].get("user", "")).lower() == user.lower()}
        test = _profile(user)
        known = sorted({name for _, path in hive_paths(context, USER_HIVES) if (name := profile_of(path))})
        if known and user.lower() not in [k.lower() for k in known]:
            return ToolOutput.failed(f"no hive of a user {user!r}; there are hives of: {', '.join(known)}")
    bam = Kind(("windows.registry.bam",), hives=("SYSTEM",), keep=lambda r: not user or r["data"].get("sid") in sids)
    profiled = [replace(k, keep=test) for k in kinds]
    return answer(
        context,
        [*profiled, bam],
        "record of a user's activity (NTUSER and USRCLASS hives)",
        where=where,
        parameters=parameters,
        text=text,
        limit=limit,
    )


def _profile(user: str) -> Callable[[Row], bool]:
    wanted = user.lower()

    def test(row: Row) -> bool:
        return profile_of(row["path"]).lower() == wanted

    return test


@tool("list_autostart", domain="programs")
def list_autostart(context: ToolContext, text: str = "", limit: int = 1000) -> ToolOutput:
    """List what starts by itself: Run keys and their like, scheduled tasks, startup folders, cron, systemd, launchd.

    A setting to start is no start. Services are list_services'. Times of registry rows date the key, task times are UTC unless
    they say local. `text` keeps rows that contain it (no case).
    """
    kinds = [
        Kind(
            ("windows.registry.autostart", "windows.registry.autostart_state", "windows.registry.scheduled_task"),
            hives=("SOFTWARE", "SYSTEM", "NTUSER"),
        ),
        Kind(("windows.scheduled_task", "windows.scheduled_task.job")),
        Kind((LISTING,), paths=("*/start menu/programs/startup/*",)),
        Kind(("linux.crontab",)),
        Kind(("generic.text", "generic.ini"), paths=CRON),
        Kind(("generic.ini", "generic.text"), paths=UNITS),
        Kind(("generic.plist",), paths=("*/launchagents/*", "*/launchdaemons/*", "library/launch*")),
    ]
    return answer(context, kinds, "record of what starts by itself", text=text, limit=limit)


UNITS = ("*etc/systemd/*.service", "*etc/systemd/*.timer", "*.config/systemd/user/*")
CRON = (
    "etc/cron*",
    "*/etc/cron*",
    "var/spool/cron/*",
    "*/var/spool/cron/*",
    "etc/anacrontab",
    "*/etc/anacrontab",
    "etc/rc.local",
    "*/etc/rc.local",
)


@tool("list_services", domain="programs")
def list_services(context: ToolContext, text: str = "", starting: bool = False, limit: int = 1000) -> ToolOutput:
    """List Windows services and drivers of the SYSTEM hive: name, program, account, start type; systemd units of Linux.

    `starting` keeps those that start by themselves. Rows with is_current false are of another control set: copies of an
    earlier state. A registered service is no running one. `text` keeps rows that contain it (no case).
    """
    kinds = [
        Kind(
            ("windows.registry.service",),
            hives=("SYSTEM",),
            keep=(lambda r: bool(r["data"].get("starts_by_itself"))) if starting else None,
        ),
        Kind(("generic.ini", "generic.text"), paths=("*systemd/system/*.service",)),
    ]
    return answer(context, kinds, "list of services (SYSTEM hive, systemd units)", text=text, limit=limit)


@tool("parse_prefetch", domain="programs")
def parse_prefetch(context: ToolContext, name: str = "", limit: int = 500) -> ToolOutput:
    """List Windows prefetch files: program, how often and when it was started (up to eight times, UTC), files it loaded.

    `name` keeps programs whose file name contains it (no case; empty: all). A prefetch file shows that a program of that name
    was started from a path with that hash, not by whom. The times include about ten seconds of loading.
    """
    wanted = name.lower()

    def keep(row: Row) -> bool:
        return (
            wanted in str(row["data"].get("executable", "")).lower() or wanted in row["path"].rpartition("/")[2].lower()
        )

    return answer(context, [Kind(("windows.prefetch",))], "prefetch file", keep=keep if wanted else None, limit=limit)


@tool("list_lnk", domain="programs")
def list_lnk(context: ToolContext, text: str = "", limit: int = 500) -> ToolOutput:
    """List Windows shortcut files: target path, its times and size then, volume serial and label, machine, arguments.

    Target times are those of the target when the shortcut was written. A shortcut in a Recent folder was made by opening the
    target through the shell; others may be installed. `text` keeps rows that contain it (no case).
    """
    return answer(context, [Kind(("windows.lnk",))], "shortcut file", text=text, limit=limit)


@tool("list_jump_lists", domain="programs")
def list_jump_lists(context: ToolContext, text: str = "", limit: int = 500) -> ToolOutput:
    """List entries of Windows jump lists: application, target, last use (UTC), count, machine.

    Automatic lists are kept by Windows as files are opened; custom ones by the application, whose entries are no openings.
    `text` keeps rows that contain it (no case).
    """
    return answer(
        context,
        [Kind(("windows.jump_list.automatic", "windows.jump_list.custom"))],
        "jump list",
        text=text,
        limit=limit,
    )


@tool("list_recycle_bin", domain="programs")
def list_recycle_bin(context: ToolContext, text: str = "", limit: int = 500) -> ToolOutput:
    """List what lies or lay in the recycle bin: former path, size in bytes, when it was put there (UTC), whose bin.

    `content_file_present` says whether the content is still beside it. What was deleted past the bin is not here. `text`
    keeps rows that contain it (no case).
    """
    return answer(
        context,
        [Kind(("windows.recycle_bin", "windows.recycle_bin.info2"))],
        "recycle bin record",
        text=text,
        limit=limit,
    )


@tool("list_amcache", domain="programs")
def list_amcache(context: ToolContext, text: str = "", kind: str = "file", limit: int = 500) -> ToolOutput:
    """List Amcache entries of a kind: file, program, driver, device, other (`all` for all of them).

    A file entry shows that the file was there when the inventory ran; its SHA-1 covers the first 31,457,280 bytes. It shows no
    start, and the key's time is the inventory's. `text` keeps rows that contain it (no case).
    """
    known = ("file", "program", "driver", "device", "other")
    if kind not in (*known, "all"):
        return ToolOutput.failed(f"unknown kind {kind!r}; one of {', '.join(known)}, all")
    chosen = Kind(("windows.amcache.*",) if kind == "all" else (f"windows.amcache.{kind}",))
    return answer(context, [chosen], "Amcache hive", text=text, limit=limit)


@tool("list_shimcache", domain="programs")
def list_shimcache(context: ToolContext, text: str = "", limit: int = 1000) -> ToolOutput:
    """List the application compatibility cache (Shimcache): paths in the order of the cache, with file times (UTC).

    An entry shows that the file was seen there, not that it was started; `file_modified` is the file's own time. The cache is
    written at shutdown. Control sets with is_current false are copies. `text` keeps rows that contain it (no case).
    """
    kinds = [Kind(("windows.registry.shimcache",), hives=("SYSTEM",)), Kind(("windows.shimcache",))]
    return answer(context, kinds, "application compatibility cache (SYSTEM hive)", text=text, limit=limit)


@tool("get_srum", domain="programs")
def get_srum(context: ToolContext, text: str = "", limit: int = 500) -> ToolOutput:
    """List what the System Resource Usage Monitor kept: programs with bytes sent and received, and their times (UTC).

    Rows are hourly sums an account and program; they show no single connection. `text` keeps rows that contain it (no case).
    """
    if any(a.startswith("windows.srum") for p in parsers().values() for a in p.artifacts):
        return answer(context, [Kind(("windows.srum", "windows.srum.*"))], "SRUM database", text=text, limit=limit)
    there = list(context.records([LISTING], "lower(path) LIKE '%srudb.dat'", []))
    if there:
        return ToolOutput.failed(f"{there[0]['path']} is there, but no parser of this installation reads it")
    return ToolOutput.not_applicable("this source has no SRUM database (SRUDB.dat)")
