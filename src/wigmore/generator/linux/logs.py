"""Linux text logs: auth.log and syslog (RFC 3164 lines), and Apache access logs in combined format.

Sources: RFC 3164 4.1 (no year, no zone); OpenSSH sshd messages; Apache mod_log_config "combined".
"""

from __future__ import annotations

import ipaddress
import random
from collections.abc import Iterator
from datetime import datetime, timedelta

MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
AGENTS = (
    "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 15_7 like Mac OS X) AppleWebKit/605.1.15 Version/15.6 Safari",
)
PAGES = (
    "/",
    "/index.php",
    "/about",
    "/products/turbines",
    "/assets/site.css",
    "/assets/logo.png",
    "/contact",
    "/favicon.ico",
)


def line(at: datetime, host: str, tag: str, message: str, pid: int | None = None) -> str:
    """A syslog line: `at` as the server's clock shows it."""
    process = f"{tag}[{pid}]" if pid is not None else tag
    return f"{MONTHS[at.month - 1]} {at.day:2d} {at:%H:%M:%S} {host} {process}: {message}"


def failed_password(at: datetime, host: str, pid: int, user: str, address: str, port: int, known: bool) -> str:
    """sshd's line for a wrong password."""
    who = user if known else f"invalid user {user}"
    return line(at, host, "sshd", f"Failed password for {who} from {address} port {port} ssh2", pid)


def accepted(at: datetime, host: str, pid: int, user: str, address: str, port: int, method: str = "password") -> str:
    """sshd's line for a successful login."""
    return line(at, host, "sshd", f"Accepted {method} for {user} from {address} port {port} ssh2", pid)


def session(at: datetime, host: str, pid: int, user: str, opened: bool = True) -> str:
    """PAM's line for a session's beginning or end."""
    text = f"session opened for user {user} by (uid=0)" if opened else f"session closed for user {user}"
    return line(at, host, "sshd", f"pam_unix(sshd:session): {text}", pid)


def access(
    at: datetime,
    address: str,
    method: str,
    target: str,
    status: int,
    size: int,
    agent: str = AGENTS[0],
    referrer: str = "-",
) -> str:
    """A combined-format line; `at` is UTC, as a server with its clock on UTC writes it."""
    stamp = f"{at.day:02d}/{MONTHS[at.month - 1]}/{at.year}:{at:%H:%M:%S} +0000"
    return f'{address} - - [{stamp}] "{method} {target} HTTP/1.1" {status} {size} "{referrer}" "{agent}"'


def ordinary_access(draw: random.Random, start: datetime, end: datetime, count: int) -> Iterator[tuple[datetime, str]]:
    """`count` ordinary requests spread evenly between two times, with their times; in order."""
    step = (end - start) / max(count, 1)
    network = int(ipaddress.ip_address("192.0.2.0"))
    for number in range(count):
        at = start + step * number + timedelta(seconds=draw.random() * step.total_seconds())
        address = str(ipaddress.ip_address(network + 100 + draw.randrange(150)))
        status = 200 if draw.random() < 0.93 else draw.choice((301, 304, 404))
        size = draw.randrange(200, 60_000)
        yield at, access(at, address, "GET", draw.choice(PAGES), status, size, draw.choice(AGENTS))


def text(lines: list[tuple[datetime, str]]) -> bytes:
    """A log's bytes: lines in order of time, lines of one time as they were given."""
    return "".join(f"{entry}\n" for _, entry in sorted(lines, key=lambda item: item[0])).encode()
