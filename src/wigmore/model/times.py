"""Times as evidence holds them: stored value, text with its native digits, and the instant where it is known.

A time is the dictionary of INTERFACE.md: `text` (ISO 8601 with the native number of digits), `instant` (microseconds
since 1970 UTC, or None where the zone is unknown), `zone` (`Z`, an offset, or `local-unknown`), `raw` (the stored
value), `owner` (whose clock: host, server, gnss, camera, author, collector), `precision` (seconds: 1e-07, 1.0, 2.0,
86400.0) and `zone_source` (why the zone is what it is). Only a known UTC ends in `Z`.

This is the one place where epochs are defined (a test holds it). Sources: FILETIME, MS-DTYP 2.3.3 (100 ns since 1601);
WebKit, microseconds since 1601 (Chromium base/time); Cocoa, seconds since 2001 (Apple NSDate); FAT and DOS, Microsoft FAT
specification 1.03 (since 1980, 2 s, local); POSIX, IEEE Std 1003.1, also in ns (APFS, Apple File System Reference); HFS,
HFS+ and QuickTime, seconds since 1904 (Apple TN1150, QuickTime File Format); NTP, seconds since 1900 (RFC 5905, 6); OLE
automation and Delphi dates, days since 1899-12-30 (MS-OAUT 2.2.25).
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Any

Time = dict[str, Any]

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
NAIVE_EPOCH = datetime(1970, 1, 1)
FILETIME_OFFSET = 116_444_736_000_000_000  # 100 ns from 1601 to 1970
WEBKIT_OFFSET = 11_644_473_600_000_000  # µs from 1601 to 1970
COCOA_OFFSET = 978_307_200  # s from 1970 to 2001
FIRST = -62_135_596_800_000_000  # µs at the beginning of year 1
CLASSIC_OFFSET = 2_082_844_800  # s from 1904 to 1970
NTP_OFFSET = 2_208_988_800  # s from 1900 to 1970
DOS_OFFSET = 315_532_800  # s from 1970 to 1980, before which FAT has no time
OLE_EPOCH = datetime(1899, 12, 30)
COCOA_EPOCH = NAIVE_EPOCH + timedelta(seconds=COCOA_OFFSET)
LIMIT = 253_402_300_800_000_000  # µs at the end of year 9999


def _time(text: str, instant: int | None, zone: str, raw: Any, owner: str, precision: float, source: str) -> Time:
    return {
        "text": text,
        "instant": instant,
        "zone": zone,
        "raw": raw,
        "owner": owner,
        "precision": precision,
        "zone_source": source,
    }


def _text(ticks: int, per_second: int, digits: int) -> str:
    seconds, rest = divmod(ticks, per_second)
    base = (NAIVE_EPOCH + timedelta(seconds=seconds)).isoformat()  # some ten times faster than strftime
    return f"{base}.{rest:0{digits}d}Z" if digits else f"{base}Z"


def _utc(ticks: int, per_second: int, digits: int, raw: Any, owner: str, source: str) -> Time | None:
    instant = ticks * 1_000_000 // per_second
    if not FIRST <= instant < LIMIT:
        return None
    return _time(_text(ticks, per_second, digits), instant, "Z", raw, owner, 1 / per_second, source)


def filetime(value: int, owner: str = "host") -> Time | None:
    """A Windows FILETIME (100 ns since 1601, UTC); None for 0, for all ones and outside years 1 to 9999."""
    if value <= 0 or value >= 0x7FFFFFFFFFFFFFFF:
        return None
    return _utc(value - FILETIME_OFFSET, 10_000_000, 7, value, owner, "FILETIME is UTC")


def webkit(value: int, owner: str = "host") -> Time | None:
    """A WebKit/Chromium time (µs since 1601, UTC); None for 0 and outside years 1 to 9999."""
    if value <= 0:
        return None
    return _utc(value - WEBKIT_OFFSET, 1_000_000, 6, value, owner, "WebKit time is UTC")


def posix(value: int | float, owner: str = "host", unit: str = "s", source: str = "POSIX time is UTC") -> Time | None:
    """A POSIX time in `unit` s, ms, us or ns; None for 0 and outside years 1 to 9999.

    A float of seconds keeps microseconds.
    """
    if not value:
        return None
    if isinstance(value, float):
        if unit != "s":
            value = int(value)
        else:
            return _utc(round(value * 1_000_000), 1_000_000, 6, value, owner, source)
    per_second, digits = {"s": (1, 0), "ms": (1_000, 3), "us": (1_000_000, 6), "ns": (1_000_000_000, 9)}[unit]
    return _utc(value, per_second, digits, value, owner, source)


def cocoa(value: int | float, owner: str = "host", unit: str = "s") -> Time | None:
    """An Apple absolute time (`unit` s or ns since 2001-01-01 UTC, integer or float); None for 0."""
    if not value:
        return None
    if unit == "ns":
        return _utc(int(value) + COCOA_OFFSET * 1_000_000_000, 1_000_000_000, 9, value, owner, "Apple time is UTC")
    if isinstance(value, float) and value != value:  # NaN
        return None
    micro = round(value * 1_000_000) + COCOA_OFFSET * 1_000_000
    return _utc(micro, 1_000_000, 6, value, owner, "Apple time is UTC")


def classic(value: int, owner: str = "host", source: str = "HFS+ stores UTC since 1904") -> Time | None:
    """A time of HFS, HFS+ or QuickTime (seconds since 1904), `raw` as stored; None for the first second of 1970."""
    time = posix(value - CLASSIC_OFFSET, owner, source=source)
    return {**time, "raw": value} if time is not None else None


def ole(days: float, utc: bool = False) -> Time | None:
    """An OLE automation date (days since 1899-12-30) to the millisecond; local without zone unless `utc`."""
    if not 0 < days < 2_900_000:
        return None
    moment = OLE_EPOCH + timedelta(milliseconds=round(days * 86_400_000))
    if utc:
        return aware(moment.replace(tzinfo=UTC), days, source="OLE date; its writer stores UTC", precision=0.001)
    return local(moment, days, source="OLE date without a zone", precision=0.001)


def fat(date: int, clock: int, tenths: int = 0, owner: str = "host") -> Time | None:
    """A FAT/DOS date and time (local, zone unknown, 2 s; `tenths` in 10 ms adds to it); None where there is none."""
    if not date:
        return None
    try:
        moment = datetime(
            1980 + (date >> 9), (date >> 5) & 15, date & 31, clock >> 11, (clock >> 5) & 63, (clock & 31) * 2
        ) + timedelta(milliseconds=tenths * 10)
    except ValueError:
        return None
    raw = f"{date:#06x} {clock:#06x}"
    text = moment.isoformat(timespec="milliseconds" if tenths else "seconds")
    return _time(text, None, "local-unknown", raw, owner, 0.01 if tenths else 2.0, "FAT stores local time")


def local(
    moment: datetime, raw: Any, owner: str = "host", source: str = "no zone stored", precision: float = 1.0
) -> Time:
    """A wall-clock time without a zone: it stays local, its instant is None."""
    naive = moment.replace(tzinfo=None)
    spec = "microseconds" if naive.microsecond else "seconds"
    return _time(naive.isoformat(timespec=spec), None, "local-unknown", raw, owner, precision, source)


def aware(
    moment: datetime, raw: Any, owner: str = "host", source: str = "offset stored", precision: float = 1.0
) -> Time:
    """A time with a known offset from UTC; the text keeps the offset as stored.

    Raises ValueError for a naive datetime.
    """
    offset = moment.utcoffset()
    if offset is None:
        raise ValueError("aware() needs a time with an offset; use local() for one without")
    spec = "microseconds" if moment.microsecond else "seconds"
    text = moment.isoformat(timespec=spec)
    zone = text[-6:]
    if not offset:
        text, zone = text[:-6] + "Z", "Z"
    return _time(text, _instant(moment), zone, raw, owner, precision, source)


def _instant(moment: datetime, more: int = 0) -> int | None:
    """µs since 1970 of an aware time; None where UTC has no such year, as for the last hours of 9999 west of Greenwich."""
    instant = (moment - EPOCH) // timedelta(microseconds=1) + more
    return instant if FIRST <= instant < LIMIT else None


ISO = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d):(\d\d)(?:[.,](\d{1,9}))?\s?(Z|UTC|[+-]\d\d:?\d\d)?$",
)


def iso(text: str, owner: str = "host", zone: str | None = None, source: str | None = None) -> Time | None:
    """A time written in ISO 8601; `zone="Z"` states UTC for texts that carry no zone themselves.

    Keeps the digits as written. None where the text is no such time.
    """
    match = ISO.match(text.strip())
    if not match:
        return None
    year, month, day, hour, minute, second, fraction, written = match.groups()
    written = written or zone
    try:
        moment = datetime(int(year), int(month), int(day), int(hour), int(minute), min(int(second), 59))
    except ValueError:
        return None
    digits = f".{fraction}" if fraction else ""
    base = moment.isoformat(timespec="seconds") + digits
    precision = 10.0 ** -len(fraction) if fraction else 1.0
    if not written:
        return _time(base, None, "local-unknown", text, owner, precision, source or "no zone written")
    micro = int((fraction or "0")[:6].ljust(6, "0"))
    if written in ("Z", "UTC", "+00:00", "+0000"):
        instant = _instant(moment.replace(tzinfo=UTC), micro)
        return _time(base + "Z", instant, "Z", text, owner, precision, source or "written as UTC")
    sign = -1 if written[0] == "-" else 1
    offset = timedelta(hours=int(written[1:3]), minutes=int(written[-2:])) * sign
    if abs(offset) >= timedelta(days=1):
        return None
    instant = _instant(moment.replace(tzinfo=timezone(offset)), micro)
    zone_text = f"{written[:3]}:{written[-2:]}"
    return _time(base + zone_text, instant, zone_text, text, owner, precision, source or "offset written")


def by_instant(text: str) -> tuple[bool, int, str]:
    """A key that sorts texts of times: known instants first, by the instant, then the others by their text."""
    time = iso(text)
    instant = time["instant"] if time else None
    return instant is None, instant or 0, text


UTC_TEXT = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)((?:\.\d{1,9})?)Z")


def in_zone(text: str, zone: tzinfo) -> str:
    """A text that is a time in UTC, as it reads in another zone, digits kept; any other text as it is."""
    match = UTC_TEXT.fullmatch(text)
    if not match:
        return text
    try:
        there = datetime.fromisoformat(match[1]).replace(tzinfo=UTC).astimezone(zone).isoformat(timespec="seconds")
    except (ValueError, OverflowError):
        return text
    return f"{there[:19]}{match[2]}{there[19:]}"


def stamp(moment: datetime) -> str:
    """Our own clock in texts: UTC, microseconds, `Z`."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def instant_text(instant: int) -> str:
    """Microseconds since 1970 as UTC text, without needless zeros."""
    whole = instant % 1_000_000 == 0
    return _text(instant // 1_000_000 if whole else instant, 1 if whole else 1_000_000, 0 if whole else 6)
