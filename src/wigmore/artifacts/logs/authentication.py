"""What syslog messages of login, sudo, su, cron, account and device programs say, as fields."""

from __future__ import annotations

import re

from wigmore.artifacts.logs.framework import present

Decoded = tuple[str, dict[str, object]]  # artifact, fields

SSH = "linux.authlog"
CRON = "linux.cron"
DEVICE = "linux.devices"

_METHOD = r"(?P<method>password|publickey|keyboard-interactive(?:/pam)?|gssapi-[\w-]+|hostbased|none|certificate)"
_FROM = r"from (?P<address>\S+)(?: port (?P<port>\d+))?"

# (programs, event, pattern); program names end before any path, [pid] or instance
_RULES: tuple[tuple[str, str, str, str], ...] = (
    (
        SSH,
        "sshd",
        "ssh_login_accepted",
        rf"Accepted {_METHOD} for (?P<user>.*?) {_FROM}(?:\s+(?P<protocol>ssh\d?))?(?:: (?P<key_type>\S+) "
        rf"(?P<fingerprint>\S+))?",
    ),
    (
        SSH,
        "sshd",
        "ssh_login_failed",
        rf"Failed {_METHOD} for (?P<invalid>invalid user |illegal user )?(?P<user>.*?) "
        rf"{_FROM}(?:\s+(?P<protocol>ssh\d?))?"
        r"(?:: (?P<key_type>\S+) (?P<fingerprint>\S+))?",
    ),
    (SSH, "sshd", "ssh_invalid_user", rf"(?:Invalid|Illegal) user (?P<user>.*?) {_FROM}"),
    (
        SSH,
        "sshd",
        "ssh_connection_opened",
        rf"Connection {_FROM}(?: on (?P<server_address>\S+) port (?P<server_port>\d+))?",
    ),
    (
        SSH,
        "sshd",
        "ssh_connection_closed",
        r"(?:Connection (?:closed|reset) by|Disconnected from|Received disconnect from)(?: "
        r"(?P<phase>authenticating|invalid) user "
        r"(?P<user>.*?)| user (?P<user2>.*?))? (?P<address>[0-9A-Fa-f:.]+)(?: port (?P<port>\d+))?(?::? "
        r"?(?P<reason>.*))?$",
    ),
    (SSH, "sshd", "ssh_listening", r"Server listening on (?P<address>\S+) port (?P<port>\d+)"),
    (
        SSH,
        "sshd",
        "ssh_too_many_failures",
        rf"(?:error: )?maximum authentication attempts exceeded for (?P<invalid>invalid user )?(?P<user>.*?) {_FROM}",
    ),
    (SSH, "sshd", "ssh_root_refused", r"ROOT LOGIN REFUSED FROM (?P<address>\S+)(?: port (?P<port>\d+))?"),
    (
        SSH,
        "sshd",
        "ssh_user_not_allowed",
        r"User (?P<user>\S+) from (?P<address>\S+) not allowed because (?P<reason>.*)",
    ),
    (
        SSH,
        "sshd",
        "ssh_no_identification",
        r"(?:error: )?(?:Did not receive identification string|Bad protocol version identification .*?) from "
        r"(?P<address>\S+)",
    ),
    (
        SSH,
        "sudo",
        "sudo_command",
        r"\s*(?P<user>\S+) : (?:(?P<failure>[^;=]*?) ; )?(?:HOST=(?P<on_host>\S+) ; )?TTY=(?P<tty>\S+) ; "
        r"PWD=(?P<folder>.*?) ; "
        r"USER=(?P<target_user>\S+)(?: ; GROUP=(?P<target_group>\S+))?(?: ; (?:TSID|ENV)=.*?)* ; "
        r"COMMAND=(?P<command>.*)",
    ),
    (SSH, "su", "su_accepted", r"Successful su for (?P<target_user>\S+) by (?P<user>\S+)"),
    (
        SSH,
        "su",
        "su_failed",
        r"FAILED (?:su|SU) (?:for (?P<target_user>\S+) by |\(to (?P<target_user2>\S+)\) )(?P<user>\S+)",
    ),
    (
        SSH,
        "su",
        "su_attempt",
        r"(?P<sign>[+-]) (?P<tty>\S+) (?P<user>[^\s:]+):(?P<target_user>\S+)|\(to (?P<target_user2>\S+)\) "
        r"(?P<user2>\S+) on (?P<tty2>\S+)",
    ),
    (
        SSH,
        "",
        "session_opened",
        r"pam_\w+\((?P<service>[^:)]+):session\): session opened for user (?P<user>[^\s(]+)(?:\(uid=(?P<uid>\d+)\))?"
        r" by (?P<by_user>[^\s(]*)\(uid=(?P<by_uid>\d+)\)",
    ),
    (SSH, "", "session_closed", r"pam_\w+\((?P<service>[^:)]+):session\): session closed for user (?P<user>\S+)"),
    (
        SSH,
        "",
        "authentication_failed",
        r"(?:pam_\w+\((?P<service>[^:)]+):auth\): )?authentication failure; logname=(?P<logname>\S*) uid=(?P<uid>\d*) "
        r"euid=\d* "
        r"tty=(?P<tty>\S*) ruser=(?P<remote_user>\S*) rhost=(?P<address>\S*)\s*(?:user=(?P<user>\S+))?",
    ),
    (
        SSH,
        "login",
        "console_login",
        r"(?:ROOT LOGIN\s+on '?(?P<tty>[^\s']+)|LOGIN ON (?P<tty2>\S+) BY (?P<user>\S+))(?: FROM (?P<address>\S+))?",
    ),
    (
        SSH,
        "login",
        "console_login_failed",
        r"FAILED LOGIN (?:\(?\d+\)? )?(?:on '?(?P<tty>[^\s']+)'? )?(?:FROM (?P<address>\S+) )?FOR '?(?P<user>[^\s',]+)",
    ),
    (SSH, "systemd-logind", "session_started", r"New session (?P<session>\S+) of user (?P<user>[^\s.]+)"),
    (SSH, "systemd-logind", "session_ended", r"(?:Removed session|Session) (?P<session>\w+)(?: logged out)?\."),
    (
        SSH,
        "useradd",
        "account_created",
        r"new user: name=(?P<user>[^,]+), UID=(?P<uid>\d+), GID=(?P<gid>\d+), home=(?P<home>[^,]*), "
        r"shell=(?P<shell>[^,]*)",
    ),
    (
        SSH,
        "useradd|groupadd",
        "group_created",
        r"(?:group added to \S+: |new group: )name=(?P<group>[^,]+)(?:, GID=(?P<gid>\d+))?",
    ),
    (SSH, "userdel", "account_deleted", r"delete user '(?P<user>[^']+)'"),
    (
        SSH,
        "usermod|gpasswd|groupmems",
        "group_member_added",
        r"add '(?P<user>[^']+)' to (?:shadow )?group '(?P<group>[^']+)'|user (?P<user2>\S+) added by (?P<by_user>\S+) "
        r"to group (?P<group2>\S+)",
    ),
    (SSH, "usermod", "account_changed", r"change user '(?P<user>[^']+)' (?P<what>.*)"),
    (
        SSH,
        "passwd|chpasswd|usermod",
        "password_changed",
        r"(?:pam_unix\(\w+:chauthtok\): )?password (?:changed for|for) '?(?P<user>[^\s']+)",
    ),
    (CRON, "cron|crond|anacron", "cron_command", r"\((?P<user>[^)]*)\) CMD \((?P<command>.*)\)\s*$"),
    (CRON, "cron|crond|anacron", "cron_command_ended", r"\((?P<user>[^)]*)\) CMDEND \((?P<command>.*)\)\s*$"),
    (
        CRON,
        "crontab",
        "crontab_used",
        r"\((?P<user>[^)]*)\) (?P<action>REPLACE|LIST|DELETE|BEGIN EDIT|END EDIT) \((?P<target_user>[^)]*)\)",
    ),
    (CRON, "cron|crond", "crontab_reloaded", r"\((?P<user>[^)]*)\) (?P<action>RELOAD|ORPHAN) \((?P<file>[^)]*)\)"),
    (
        DEVICE,
        "kernel",
        "usb_device_found",
        r"(?:\[\s*[\d.]+\] )?usb (?P<bus>[\d.-]+): New USB device found, idVendor=(?P<vendor_id>\w+), "
        r"idProduct=(?P<product_id>\w+)",
    ),
    (
        DEVICE,
        "kernel",
        "usb_device_named",
        r"(?:\[\s*[\d.]+\] )?usb (?P<bus>[\d.-]+): (?P<what>Product|Manufacturer|SerialNumber): (?P<value>.*)",
    ),
    (
        DEVICE,
        "kernel",
        "usb_device_removed",
        r"(?:\[\s*[\d.]+\] )?usb (?P<bus>[\d.-]+): USB disconnect, (?:device number|address) (?P<number>\d+)",
    ),
    (
        "linux.network",
        "dhclient|dhcpcd|NetworkManager",
        "address_leased",
        r"(?:bound to|.*address) (?P<address>\d+\.\d+\.\d+\.\d+)",
    ),
)
_COMPILED = [
    (artifact, frozenset(names.lower().split("|")) if names else None, event, re.compile(pattern))
    for artifact, names, event, pattern in _RULES
]
AUTHENTICATING = frozenset(
    [
        "sshd",
        "sshd-session",
        "sudo",
        "su",
        "login",
        "systemd-logind",
        "useradd",
        "userdel",
        "usermod",
        "groupadd",
        "passwd",
        "chpasswd",
        "gpasswd",
        "polkitd",
        "pkexec",
        "gdm-password",
        "lightdm",
    ]
)


def decode(program: str, message: str) -> Decoded:
    """The artifact a message belongs to (empty: plain syslog) and the fields it states; no fields where none is
    known.
    """
    name = program.rsplit("/", 1)[-1].lower()
    family = "sshd" if name == "sshd-session" else name
    text = message.lstrip()
    for artifact, names, event, pattern in _COMPILED:
        if names is not None and family not in names:
            continue
        match = pattern.match(text)
        if match is None:
            continue
        fields: dict[str, object] = {"event": event}
        for group, value in match.groupdict().items():
            if value:
                fields.setdefault(group.removesuffix("2"), value)
        if fields.pop("invalid", None):
            fields["user_exists"] = False
        if event == "sudo_command" and fields.get("failure"):
            fields["event"] = "sudo_refused"
        if "port" in fields:
            fields["port"] = int(str(fields["port"]))
        return artifact, present(fields)
    return (SSH if family in AUTHENTICATING else CRON if family in ("cron", "crond", "anacron") else ""), {}
