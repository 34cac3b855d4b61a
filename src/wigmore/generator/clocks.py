"""Moments written the way evidence stores them: the inverse of `wigmore.model.times`.

Sources: FILETIME, MS-DTYP 2.3.3; SYSTEMTIME, MS-DTYP 2.3.13; WebKit, Chromium base/time; Cocoa, Apple NSDate; FAT,
Microsoft FAT specification 1.03; POSIX, IEEE Std 1003.1. All functions take aware datetimes unless they say local.
"""

from __future__ import annotations

import struct
from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


def posix_us(moment: datetime) -> int:
    """Microseconds since 1970 UTC."""
    return (moment - EPOCH) // MICROSECOND


def posix_ms(moment: datetime) -> int:
    """Milliseconds since 1970 UTC."""
    return posix_us(moment) // 1_000


def posix(moment: datetime) -> int:
    """Seconds since 1970 UTC."""
    return posix_us(moment) // 1_000_000


def filetime(moment: datetime) -> int:
    """100 ns since 1601 UTC."""
    return posix_us(moment) * 10 + 116_444_736_000_000_000


def webkit(moment: datetime) -> int:
    """Microseconds since 1601 UTC."""
    return posix_us(moment) + 11_644_473_600_000_000


def cocoa(moment: datetime) -> float:
    """Seconds since 2001 UTC, with a fraction."""
    return posix_us(moment) / 1_000_000 - 978_307_200


def cocoa_ns(moment: datetime) -> int:
    """Nanoseconds since 2001 UTC."""
    return (posix_us(moment) - 978_307_200_000_000) * 1_000


def fat(local: datetime) -> tuple[int, int, int]:
    """FAT date, FAT time (2 s) and the 10 ms count, of a local (naive) time from 1980 to 2107."""
    date = (local.year - 1980) << 9 | local.month << 5 | local.day
    clock = local.hour << 11 | local.minute << 5 | local.second // 2
    return date, clock, local.second % 2 * 100 + local.microsecond // 10_000


def systemtime(moment: datetime) -> bytes:
    """The 16 bytes of a SYSTEMTIME: year, month, day of week (Sunday 0), day, hour, minute, second, millisecond."""
    return struct.pack(
        "<8H",
        moment.year,
        moment.month,
        moment.isoweekday() % 7,
        moment.day,
        moment.hour,
        moment.minute,
        moment.second,
        moment.microsecond // 1_000,
    )
