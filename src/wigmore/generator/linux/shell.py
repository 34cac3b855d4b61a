"""Linux shell history, cron tables and account files.

Sources: bash(1) HISTTIMEFORMAT (`#` and seconds since 1970 before each command); crontab(5); passwd(5).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from wigmore.generator.clocks import posix


def bash_history(commands: Iterable[tuple[datetime | None, str]]) -> bytes:
    """A .bash_history; commands without a time carry no stamp."""
    lines = []
    for at, command in commands:
        if at is not None:
            lines.append(f"#{posix(at)}")
        lines.append(command)
    return ("\n".join(lines) + "\n").encode()


def cron(entries: Iterable[tuple[str, str, str]], comment: str = "") -> bytes:
    """A table of /etc/cron.d: (schedule, user, command) lines."""
    head = ["SHELL=/bin/sh", "PATH=/usr/local/sbin:/usr/local/bin:/sbin:/bin:/usr/sbin:/usr/bin"]
    if comment:
        head.insert(0, f"# {comment}")
    return "\n".join([*head, *("\t".join(entry) for entry in entries), ""]).encode()


def passwd(users: Iterable[tuple[str, int, str, str, str]]) -> bytes:
    """/etc/passwd of (name, uid, comment, home, shell)."""
    return "".join(f"{name}:x:{uid}:{uid}:{about}:{home}:{shell}\n" for name, uid, about, home, shell in users).encode()
