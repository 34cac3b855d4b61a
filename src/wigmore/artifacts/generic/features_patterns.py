"""Patterns of values that stand in texts, each with the check that tells it from mere digits (Luhn, base58check, mod
97).
"""

from __future__ import annotations

import hashlib
import ipaddress
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
BECH32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"


@dataclass(frozen=True, slots=True)
class Feature:
    """A value found in a text: kind, value in its plain form, where in the text, and what was checked."""

    kind: str
    value: str
    start: int
    end: int
    checked: str


def luhn(digits: str) -> bool:
    """The check digit of ISO/IEC 7812-1 annex B."""
    total = 0
    for at, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + at % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def base58check(text: str) -> bool:
    """A Bitcoin address of version 0 or 5 whose last four bytes are the double SHA-256 of the rest."""
    number = 0
    for letter in text:
        at = BASE58.find(letter)
        if at < 0:
            return False
        number = number * 58 + at
    if number >> 200:
        return False
    raw = number.to_bytes(25, "big")
    leading = len(text) - len(text.lstrip("1"))
    zeros = len(raw) - len(raw.lstrip(b"\0"))
    if (raw[0] == 0 and leading != zeros) or raw[0] not in (0, 5):
        return False
    return hashlib.sha256(hashlib.sha256(raw[:21]).digest()).digest()[:4] == raw[21:]


def bech32(text: str) -> bool:
    """A segwit address (BIP 173 or BIP 350) by its checksum and program length."""
    low = text.lower()
    if text not in (low, text.upper()) or not low.startswith("bc1"):
        return False
    data = [BECH32.find(letter) for letter in low[3:]]
    if min(data, default=-1) < 0 or len(data) < 8:
        return False
    check = 1
    for value in [3, 3, 0, 2, 3, *data]:  # the human-readable part "bc", expanded
        top = check >> 25
        check = (check & 0x1FFFFFF) << 5 ^ value
        for bit, generator in enumerate((0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)):
            check ^= generator if (top >> bit) & 1 else 0
    program = (len(data) - 7) * 5 // 8
    return (
        check == (1 if data[0] == 0 else 0x2BC830A3)
        and data[0] <= 16
        and (program in (20, 32) if data[0] == 0 else 2 <= program <= 40)
    )


def iban(text: str) -> bool:
    """The two check digits of ISO 13616 (mod 97)."""
    moved = text[4:] + text[:4]
    return int("".join(str(int(letter, 36)) for letter in moved)) % 97 == 1


_ISSUERS = re.compile(
    r"(?:4\d{12}(?:\d{3}(?:\d{3})?)?|5[1-5]\d{14}|2(?:22[1-9]|2[3-9]\d|[3-6]\d\d|7[01]\d|720)\d{12}|3[47]\d{13}|3(?:0[0-5]|[68]\d)\d{11}"
    r"|6(?:011|5\d\d|4[4-9]\d)\d{12,15}|35(?:2[89]|[3-8]\d)\d{12}|62\d{14,17}|5610\d{12}|(?:5018|5020|5038|6304|6331|6759|676[1-3])\d{8,15})$"
)


def card(text: str) -> str | None:
    """The digits of a payment card number of a known issuer range with a right check digit."""
    digits = re.sub(r"[ -]", "", text)
    return digits if _ISSUERS.match(digits) and len(set(digits)) > 2 and luhn(digits) else None


def social_security(text: str) -> str | None:
    """A US social security number by the rules of what is never issued (SSA: area 000, 666, 9xx; group 00; serial
    0000).
    """
    digits = text.replace("-", "").replace(" ", "")
    area, group, serial = digits[:3], digits[3:5], digits[5:]
    issued = area not in ("000", "666") and area[0] != "9" and group != "00" and serial != "0000"
    return text if issued and len(digits) == 9 else None


def _address(text: str) -> str | None:
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return None


def _kept(check: Callable[[str], bool]) -> Callable[[str], str | None]:
    return lambda text: text if check(text) else None


def _as_is(text: str) -> str | None:
    return text


_MONTH = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]{0,6}"
_DATE = (
    rf"(?:{_MONTH}\.? \d{{1,2}},? \d{{4}}|\d{{1,2}}[ -]{_MONTH}\.?[ "
    rf"-]\d{{2,4}}|\d{{4}}-(?:{_MONTH}|\d\d)-\d{{1,2}}|\d{{1,2}}[./]\d{{1,2}}[./]\d{{2,4}})"
)
# kind, a text that must stand in the line for a cheap refusal (empty: none), pattern (group 1 is the value), check, and
# what it checks
_RULES: tuple[tuple[str, str, re.Pattern[str], Callable[[str], str | None], str], ...] = (
    (
        "email",
        "@",
        re.compile(
            r"(?<![\w.+%-])([A-Za-z0-9][A-Za-z0-9._%+-]{0,63}@(?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,24})(?![\w-])"
        ),
        _as_is,
        "form",
    ),
    (
        "url",
        "://",
        re.compile(r"\b((?:https?|ftps?|file|smb|ssh|rdp|ldap|magnet)://[^\s\"'<>\\^`{|}\x00-\x1f]{3,2000})"),
        lambda t: t.rstrip(".,;:!?)]"),
        "form",
    ),
    ("onion", ".onion", re.compile(r"\b((?:[a-z2-7]{16}|[a-z2-7]{56})\.onion)\b"), _as_is, "form"),
    ("ipv4", ".", re.compile(r"(?<![\d.])((?:\d{1,3}\.){3}\d{1,3})(?![\d.]*\d)"), _address, "range of octets"),
    (
        "ipv6",
        ":",
        re.compile(r"(?<![\w:.])((?:[0-9A-Fa-f]{0,4}:){2,7}[0-9A-Fa-f]{0,4})(?![\w:])"),
        lambda t: _address(t) if len(t) > 4 else None,
        "form",
    ),
    (
        "bitcoin",
        "",
        re.compile(r"(?<![A-Za-z0-9])([13][1-9A-HJ-NP-Za-km-z]{25,34})(?![A-Za-z0-9])"),
        _kept(base58check),
        "base58check",
    ),
    (
        "bitcoin",
        "",
        re.compile(r"(?<![A-Za-z0-9])((?:bc1[a-z0-9]{8,87}|BC1[A-Z0-9]{8,87}))(?![A-Za-z0-9])"),
        _kept(bech32),
        "bech32 checksum",
    ),
    ("card", "", re.compile(r"(?<![\d.,-])(\d(?:[ -]?\d){11,18})(?![\d,-]*\d)"), card, "issuer range and Luhn"),
    (
        "ssn",
        "-",
        re.compile(r"(?<![\d-])(\d{3}-\d{2}-\d{4})(?![\d-])"),
        social_security,
        "form and never-issued ranges",
    ),
    (
        "ssn",
        "",
        re.compile(r"(?:\bSSN|social security)(?: ?(?:number|no\.?|#))?[\s:#=]{0,6}(\d{9})(?!\d)", re.I),
        social_security,
        "label and never-issued ranges",
    ),
    ("iban", "", re.compile(r"(?<![A-Za-z0-9])([A-Z]{2}\d{2}[A-Z0-9]{11,30})(?![A-Za-z0-9])"), _kept(iban), "mod 97"),
    (
        "phone",
        "",
        re.compile(r"(?<![\w+])(\+\d{1,3}[ .-]?(?:\(\d{1,4}\)[ .-]?)?\d{1,4}(?:[ .-]?\d{2,8}){1,5})(?![\d-])"),
        lambda t: t if 8 <= sum(map(str.isdigit, t)) <= 16 else None,
        "form",
    ),
    ("phone", "", re.compile(r"(?<![\w.-])((?:\(\d{3}\) ?|\d{3}[ .-])\d{3}[ .-]\d{4})(?![\w.-]*\d)"), _as_is, "form"),
    (
        "birth_date",
        "",
        re.compile(rf"\b(?:DOB|D\.O\.B\.|date of birth|birth ?date|born(?: on)?)[\s:=]{{1,6}}({_DATE})", re.I),
        _as_is,
        "label and form",
    ),
)


_VERSION = re.compile(
    r"\bv(?:er(?:sion)?)?\b[^\w]{0,6}$|version\W{0,8}$", re.I
)  # four numbers of a program's version are no address


def features(text: str) -> Iterator[Feature]:
    """All features of a text in order of kind, then place."""
    digits = any(letter.isdigit() for letter in text)
    for kind, needed, pattern, check, what in _RULES:
        if (needed and needed not in text) or (not needed and not digits):
            continue
        for match in pattern.finditer(text):
            value = check(match[1])
            if value is not None and not (
                kind == "ipv4" and _VERSION.search(text, max(0, match.start(1) - 24), match.start(1))
            ):
                yield Feature(kind, value, match.start(1), match.end(1), what)
