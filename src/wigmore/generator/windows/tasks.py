"""Windows scheduled tasks as XML in UTF-16 with a byte-order mark.

Source: MS-TSCH 2.5 (Task Definition schema 1.2).
"""

from __future__ import annotations

from datetime import datetime
from xml.sax.saxutils import escape

NAMESPACE = "http://schemas.microsoft.com/windows/2004/02/mit/task"


def task(
    uri: str,
    author: str,
    registered_local: datetime,
    command: str,
    arguments: str = "",
    user_sid: str = "S-1-5-18",
    at_logon: bool = True,
    highest: bool = False,
) -> bytes:
    """A task file: `registered_local` is the local time that Windows writes to Date without a zone."""
    stamp = registered_local.isoformat(timespec="microseconds") + "0"
    if at_logon:
        trigger = "<LogonTrigger><Enabled>true</Enabled></LogonTrigger>"
    else:
        start = registered_local.replace(microsecond=0, second=0).isoformat()
        trigger = (
            f"<CalendarTrigger><StartBoundary>{start}</StartBoundary><Enabled>true</Enabled>"
            "<ScheduleByDay><DaysInterval>1</DaysInterval></ScheduleByDay></CalendarTrigger>"
        )
    level = "HighestAvailable" if highest else "LeastPrivilege"
    options = f"<Arguments>{escape(arguments)}</Arguments>" if arguments else ""
    lines = (
        '<?xml version="1.0" encoding="UTF-16"?>',
        f'<Task version="1.2" xmlns="{NAMESPACE}">',
        "  <RegistrationInfo>",
        f"    <Date>{stamp}</Date>",
        f"    <Author>{escape(author)}</Author>",
        f"    <URI>{escape(uri)}</URI>",
        "  </RegistrationInfo>",
        f"  <Triggers>{trigger}</Triggers>",
        '  <Principals><Principal id="Author">',
        f"    <UserId>{escape(user_sid)}</UserId><RunLevel>{level}</RunLevel>",
        "  </Principal></Principals>",
        "  <Settings><Enabled>true</Enabled><Hidden>false</Hidden></Settings>",
        '  <Actions Context="Author"><Exec>',
        f"    <Command>{escape(command)}</Command>{options}",
        "  </Exec></Actions>",
        "</Task>",
        "",
    )
    return b"\xff\xfe" + "\r\n".join(lines).encode("utf-16-le")
