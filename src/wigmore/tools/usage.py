"""Usage that Windows counts by itself: network and programs (SRUM), access to a server's roles (UAL), transfers, notices."""

from __future__ import annotations

from wigmore.registry import tool
from wigmore.tools.context import ToolContext, ToolOutput
from wigmore.tools.lookup import CannotLook, Kind, answer, period

NETWORK = (Kind(("windows.srum.network_usage",)), Kind(("windows.srum.network_connectivity",)))
PROGRAMS = (
    Kind(("windows.srum.application_usage",)),
    Kind(("windows.srum.application_timeline",)),
    Kind(("windows.srum.push_notification",)),
    Kind(("windows.srum.vfu",)),
    Kind(("windows.timeline",)),
)
ACCESS = (
    Kind(("windows.ual.client",)),
    Kind(("windows.ual.role",)),
    Kind(("windows.ual.dns",)),
    Kind(("windows.ual.system",)),
    Kind(("windows.ual.virtual_machine",)),
)


@tool("list_network_usage", domain="network")
def list_network_usage(
    context: ToolContext, text: str = "", after: str = "", before: str = "", limit: int = 500
) -> ToolOutput:
    """List bytes sent and received by program and account, and when interfaces were connected (SRUM of Windows 8 and later).

    A row sums up the hour or so that ends at its time (`recorded_at`); `after`/`before` are ISO 8601, UTC. `text` keeps rows
    that contain it (no case), such as a program's name or a SID. Where data went, and what it was, is not recorded; updates
    and backups send much.
    """
    return _listed(context, NETWORK, "record of network usage", text, after, before, limit)


@tool("list_program_usage", domain="programs")
def list_program_usage(
    context: ToolContext, text: str = "", after: str = "", before: str = "", limit: int = 500
) -> ToolOutput:
    """List how much programs ran by account: cycles, bytes read and written, time in focus, notifications (SRUM), and what the
    Windows Timeline kept of them.

    A SRUM row sums up the hour or so that ends at its time; a Timeline row has a start and an end, and may come from another
    device (`PlatformDeviceId`). `after`/`before` are ISO 8601, UTC; `text` keeps rows that contain it (no case).
    """
    return _listed(context, PROGRAMS, "record of program usage", text, after, before, limit)


@tool("list_server_access", domain="accounts")
def list_server_access(
    context: ToolContext, text: str = "", after: str = "", before: str = "", limit: int = 500
) -> ToolOutput:
    """List which account from which address used which role of a Windows server, with first and last access and counts by day.

    From User Access Logging (Server 2012 and later): also the names the server's DNS gave for addresses, and the server's own
    name and build. `after`/`before` (ISO 8601, UTC) bound the last access; `text` keeps rows that contain it (no case), such as
    an account, address or role. What was done is not recorded.
    """
    return _listed(context, ACCESS, "User Access Logging", text, after, before, limit)


@tool("list_transfers", domain="network")
def list_transfers(context: ToolContext, text: str = "", limit: int = 500) -> ToolOutput:
    """List jobs of the Background Intelligent Transfer Service and their files: addresses, targets, owner, state, times (UTC).

    `text` keeps rows that contain it (no case). A job that ended is taken off the queue: that none is listed says little.
    """
    return answer(
        context,
        (Kind(("windows.bits.job",)), Kind(("windows.bits.file",))),
        "queue of transfers",
        text=text,
        limit=limit,
    )


def _listed(
    context: ToolContext, kinds: tuple[Kind, ...], what: str, text: str, after: str, before: str, limit: int
) -> ToolOutput:
    try:
        where, parameters = period(after, before)
    except CannotLook as error:
        return ToolOutput.failed(str(error))
    return answer(context, kinds, what, where=where, parameters=parameters, text=text, limit=limit)
