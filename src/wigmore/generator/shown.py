"""How wigmore shows a moment of each kind of clock: `text` of `wigmore.model.times`, as planted values state it."""

from __future__ import annotations

from datetime import datetime

from wigmore.generator import clocks
from wigmore.model import times


def _text(time: times.Time | None) -> str:
    if time is None:
        raise ValueError("a planted time is outside what its format can hold")
    return str(time["text"])


def filetime(moment: datetime) -> str:
    """FILETIME: seven digits."""
    return _text(times.filetime(clocks.filetime(moment)))


def webkit(moment: datetime) -> str:
    """WebKit: six digits."""
    return _text(times.webkit(clocks.webkit(moment)))


def posix(moment: datetime) -> str:
    """POSIX seconds."""
    return _text(times.posix(clocks.posix(moment)))


def posix_ms(moment: datetime) -> str:
    """POSIX milliseconds: three digits."""
    return _text(times.posix(clocks.posix_ms(moment), unit="ms"))


def posix_us(moment: datetime) -> str:
    """POSIX microseconds: six digits."""
    return _text(times.posix(clocks.posix_us(moment), unit="us"))


def cocoa(moment: datetime) -> str:
    """Apple seconds with a fraction: six digits."""
    return _text(times.cocoa(clocks.cocoa(moment)))


def cocoa_ns(moment: datetime) -> str:
    """Apple nanoseconds: nine digits."""
    return _text(times.cocoa(clocks.cocoa_ns(moment), unit="ns"))


def fat(local: datetime) -> str:
    """FAT, to the second: local, no zone (two-second steps)."""
    return _text(times.fat(*clocks.fat(local)[:2]))


def local(moment: datetime) -> str:
    """A wall-clock time to the second, no zone."""
    return moment.replace(microsecond=0).isoformat()
