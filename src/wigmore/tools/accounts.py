"""Accounts of the system and of applications."""

from __future__ import annotations

from wigmore.registry import tool
from wigmore.tools.context import ToolContext, ToolOutput
from wigmore.tools.lookup import Kind, answer


@tool("list_accounts", domain="accounts")
def list_accounts(context: ToolContext, text: str = "", limit: int = 1000) -> ToolOutput:
    """List accounts, groups and profiles of the operating system: SAM and profile list of Windows, passwd and group of Unix.

    With RID or SID, flags, logon counter, times of last logon and password change (UTC) where stored. Domain accounts are in
    SAM only on a domain controller: their profiles show that they logged on. Passwords and their hashes are not shown. `text`
    keeps rows that contain it (no case).
    """
    kinds = [
        Kind(("windows.registry.account", "windows.registry.group", "windows.registry.machine_sid"), hives=("SAM",)),
        Kind(("windows.registry.profile", "windows.registry.last_logged_on"), hives=("SOFTWARE",)),
        Kind(("windows.registry.membership",), hives=("SECURITY",)),
        Kind(("linux.account", "linux.group", "linux.passwd", "macos.account")),
        Kind(
            ("generic.text", "generic.table"),
            paths=("etc/passwd", "*/etc/passwd", "etc/group", "*/etc/group", "etc/sudoers*", "*/etc/sudoers*"),
        ),
    ]
    return answer(context, kinds, "list of accounts (SAM and SOFTWARE hives, etc/passwd)", text=text, limit=limit)


@tool("list_accounts_of_apps", domain="accounts")
def list_accounts_of_apps(context: ToolContext, text: str = "", limit: int = 1000) -> ToolOutput:
    """List accounts that applications and phones are signed in to, and user names that browsers keep for sites.

    An account on a device is set up there, whoever uses it; stored credentials are encrypted and are not decoded. `text`
    keeps rows that contain it (no case).
    """
    kinds = [
        Kind(("android.account", "ios.account", "browser.*.login", "android.webview_login")),
        Kind(("browser.chromium.profile",), homes=("*/preferences", "*/secure preferences", "*/local state")),
    ]
    return answer(context, kinds, "list of applications' accounts", text=text, limit=limit)
