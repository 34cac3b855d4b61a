"""Configuration that makes something start by itself: run keys, logon, shell and image-file hooks, COM hijack places.

An entry shows configuration as of the key's last-written time, not that it ever started. Source: Microsoft
documentation ("Run and RunOnce Registry Keys", "Winlogon registry entries", "Image File Execution Options").
"""

from __future__ import annotations

from collections.abc import Iterator

from wigmore.artifacts.windows.registry.hive import Hive, Key
from wigmore.artifacts.windows.registry.security import descriptor
from wigmore.artifacts.windows.registry.semantics import USER, Finding, finding, reads_keys
from wigmore.artifacts.windows.registry.values import filetime_at
from wigmore.model.times import Time

CURRENT = "Microsoft\\Windows\\CurrentVersion"
RUN = ("Run", "RunOnce", "RunOnceEx", "RunOnceEx\\*", "RunServices", "RunServicesOnce", "Policies\\Explorer\\Run")
RUNS = (
    *(f"{view}{CURRENT}\\{name}" for view in ("", "Wow6432Node\\") for name in RUN),
    f"Microsoft\\Windows NT\\CurrentVersion\\Terminal Server\\Install\\Software\\{CURRENT}\\Run",
)
NT = "Microsoft\\Windows NT\\CurrentVersion"
WINLOGON = ("Shell", "Userinit", "Taskman", "System", "VmApplet", "AppSetup", "GinaDLL", "UIHost")
WINDOWS = ("AppInit_DLLs", "LoadAppInit_DLLs", "Load", "Run", "IconServiceLib")


def _entries(key: Key, mechanism: str, names: tuple[str, ...] | None = None) -> Iterator[Finding]:
    chosen = (
        [value.name for value in key.values.values()]
        if names is None
        else [n for n in names if n.upper() in key.values]
    )
    for name in chosen:
        found = key.get(name)
        if isinstance(found, bytes) or found in (None, "", []):
            continue
        command = " ".join(found) if isinstance(found, list) else found
        yield entry(key, mechanism, name, command)


def entry(key: Key, mechanism: str, name: str, command: object, value: str | None = None, **more: object) -> Finding:
    """One thing configured to start: mechanism, name, command, who may write the key."""
    data = {"mechanism": mechanism, "name": name, "command": command, **more, **descriptor(key.hive, key)}
    return finding(key, data, value=name if value is None else value)


@reads_keys("windows.registry.autostart", ("SOFTWARE",), *RUNS)
@reads_keys("windows.registry.autostart", USER, *(f"Software\\{path}" for path in RUNS))
def run_keys(hive: Hive, key: Key) -> Iterator[Finding]:
    """Run and RunOnce keys of the machine and of users, both views."""
    yield from _entries(key, "run once" if "RUNONCE" in key.path.upper() else "run")


@reads_keys("windows.registry.autostart_state", ("SOFTWARE",), f"{CURRENT}\\Explorer\\StartupApproved\\*")
@reads_keys("windows.registry.autostart_state", USER, f"Software\\{CURRENT}\\Explorer\\StartupApproved\\*")
def startup_approved(hive: Hive, key: Key) -> Iterator[Finding]:
    """Whether a user switched an autostart entry off (odd first byte), and when."""
    for value in key.values.values():
        raw = key.raw(value.name)
        if len(raw) < 12:
            continue
        times: dict[str, Time | None] = {"disabled_at": filetime_at(raw, 4)}
        data = {"list": key.name, "name": value.name, "enabled": not raw[0] & 1}
        yield finding(key, data, times, "disabled_at" if times["disabled_at"] else "key_last_written", value.name)


@reads_keys("windows.registry.autostart", ("SOFTWARE",), f"{NT}\\Winlogon", f"Wow6432Node\\{NT}\\Winlogon")
@reads_keys("windows.registry.autostart", USER, f"Software\\{NT}\\Winlogon")
def winlogon(hive: Hive, key: Key) -> Iterator[Finding]:
    """Programs that Winlogon starts, and its notification packages."""
    yield from _entries(key, "winlogon", WINLOGON)
    notify = key.sub("Notify")
    for package in notify.children() if notify is not None else ():
        yield from _entries(package, "winlogon notification package", ("DLLName",))


@reads_keys("windows.registry.autostart", ("SOFTWARE",), f"{NT}\\Windows", f"Wow6432Node\\{NT}\\Windows")
@reads_keys("windows.registry.autostart", USER, f"Software\\{NT}\\Windows")
def windows_key(hive: Hive, key: Key) -> Iterator[Finding]:
    """AppInit libraries and the load and run values of old."""
    yield from _entries(key, "AppInit or load", WINDOWS)


IMAGE = "Image File Execution Options\\*"


@reads_keys("windows.registry.autostart", ("SOFTWARE",), f"{NT}\\{IMAGE}", f"Wow6432Node\\{NT}\\{IMAGE}")
def image_options(hive: Hive, key: Key) -> Iterator[Finding]:
    """A debugger or verifier that is started in place of, or loaded into, a program of this name."""
    for name in ("Debugger", "VerifierDlls"):
        command = key.text(name)
        if command:
            yield entry(key, "image file execution options", key.name, command, name, program=key.name, option=name)


@reads_keys("windows.registry.autostart", ("SOFTWARE",), f"{NT}\\SilentProcessExit\\*")
def process_exit(hive: Hive, key: Key) -> Iterator[Finding]:
    """A monitor that is started when a program of this name ends."""
    command = key.text("MonitorProcess")
    if command:
        yield entry(key, "silent process exit monitor", key.name, command, "MonitorProcess", program=key.name)


SETUP = "Microsoft\\Active Setup\\Installed Components\\*"


@reads_keys("windows.registry.autostart", ("SOFTWARE",), SETUP, f"Wow6432Node\\{SETUP}")
def active_setup(hive: Hive, key: Key) -> Iterator[Finding]:
    """Commands run once for each user at logon."""
    command = key.text("StubPath")
    if command:
        yield entry(key, "active setup", key.text("") or key.name, command, "StubPath", component=key.name)


HOOKS = {
    "ShellServiceObjectDelayLoad": "shell service object", "Explorer\\SharedTaskScheduler": "shared task scheduler",
    "Explorer\\ShellExecuteHooks": "shell execute hook", "Explorer\\Browser Helper Objects\\*": "browser helper object",
    "Authentication\\Credential Providers\\*": "credential provider",
}  # fmt: skip


@reads_keys(
    "windows.registry.autostart", ("SOFTWARE",), *(f"{v}{CURRENT}\\{p}" for v in ("", "Wow6432Node\\") for p in HOOKS)
)
def shell_hooks(hive: Hive, key: Key) -> Iterator[Finding]:
    """COM classes that the shell, the browser or the logon screen load; the library is joined from their class."""
    upper = key.path.upper()
    kind = next((label for path, label in HOOKS.items() if path.upper().removesuffix("\\*") in upper), "shell hook")
    names = [key.name] if key.name.startswith("{") else [value.name for value in key.values.values()]
    root = hive.root
    for name in names:
        clsid = name if name.startswith("{") else (key.text(name) or name)
        server = root.sub(f"Classes\\CLSID\\{clsid}\\InprocServer32") if root is not None else None
        library = server.text("") if server is not None else None
        inside = "" if key.name.startswith("{") else name
        yield entry(key, kind, name, library or clsid, inside, clsid=clsid)


@reads_keys("windows.registry.autostart", ("SYSTEM",), "ControlSet*\\Control\\Session Manager")
def session_manager(hive: Hive, key: Key) -> Iterator[Finding]:
    """Native programs at boot, libraries added to processes."""
    yield from _entries(key, "session manager", ("BootExecute", "SetupExecute", "Execute", "S0InitialCommand"))
    added = key.sub("AppCertDlls")
    if added is not None:
        yield from _entries(added, "AppCert library")


@reads_keys("windows.registry.pending_rename", ("SYSTEM",), "ControlSet*\\Control\\Session Manager")
def pending_renames(hive: Hive, key: Key) -> Iterator[Finding]:
    """Files to be renamed or removed at the next start."""
    pending = key.get("PendingFileRenameOperations")
    for number in range(0, len(pending) - 1, 2) if isinstance(pending, list) else ():
        assert isinstance(pending, list)
        source, target = pending[number].removeprefix("\\??\\"), pending[number + 1].lstrip("!").removeprefix("\\??\\")
        data = {"source": source, "target": target or None, "operation": "rename" if target else "delete"}
        yield finding(key, data, value="PendingFileRenameOperations", part=number // 2)


@reads_keys("windows.registry.autostart", ("SYSTEM",), "ControlSet*\\Control\\Lsa")
def lsa_packages(hive: Hive, key: Key) -> Iterator[Finding]:
    """Libraries that the local security authority loads."""
    yield from _entries(key, "LSA package", ("Authentication Packages", "Notification Packages", "Security Packages"))


@reads_keys(
    "windows.registry.autostart",
    ("SYSTEM",),
    "ControlSet*\\Control\\Print\\Monitors\\*",
    "ControlSet*\\Services\\WinSock2\\Parameters",
    "ControlSet*\\Control\\NetworkProvider\\Order",
    "ControlSet*\\Services\\W32Time\\TimeProviders\\*",
)
def system_libraries(hive: Hive, key: Key) -> Iterator[Finding]:
    """Print monitors, network and time providers."""
    yield from _entries(key, "system library", ("Driver", "ProviderOrder", "DllName", "AutodialDLL"))


@reads_keys(
    "windows.registry.autostart",
    USER,
    "Environment",
    "Control Panel\\Desktop",
    "Software\\Microsoft\\Command Processor",
)
@reads_keys("windows.registry.autostart", ("SOFTWARE",), "Microsoft\\Command Processor")
def user_hooks(hive: Hive, key: Key) -> Iterator[Finding]:
    """Logon script, screen saver and the command processor's autorun of a user."""
    yield from _entries(key, "user hook", ("UserInitMprLogonScript", "SCRNSAVE.EXE", "AutoRun"))


@reads_keys("windows.registry.shell_folder", USER, f"Software\\{CURRENT}\\Explorer\\User Shell Folders")
@reads_keys("windows.registry.shell_folder", ("SOFTWARE",), f"{CURRENT}\\Explorer\\User Shell Folders")
def shell_folders(hive: Hive, key: Key) -> Iterator[Finding]:
    """Where the special folders lie (startup, desktop, documents), as one record."""
    folders = {value.name: text for value in key.values.values() if (text := key.text(value.name))}
    if folders:
        yield finding(key, {"folders": folders})
