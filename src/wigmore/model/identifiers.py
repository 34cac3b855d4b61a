"""Typed identifiers: the one form in which two of them are compared, and how much it says that two records share it.

Sources: ITU-T E.164 (telephone numbers; numbering plans of the library `phonenumbers`), 3GPP TS 23.003 (IMEI, IMEISV, IMSI),
ITU-T E.118 (ICCID), ISO/IEC 7812-1 annex B (Luhn), IEEE 802 (group and local bits of addresses), RFC 2142 (mailboxes of
roles), MS-DTYP 2.4 (security identifiers), Windows device instance ids (a `&` in second place: made by Windows).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from wigmore.model.names import name_words

UNIQUE, SHARED, COMMON, NOTHING = "unique", "shared", "common", "nothing"
RARITIES = (UNIQUE, SHARED, COMMON, NOTHING)
HARDWARE = frozenset(("imei", "udid", "serial", "mac"))  # what a device bears itself, and no account or card
TAIL = 8  # last digits by which a number of unknown country is compared
PLACEHOLDERS = frozenset(
    ("unknown", "null", "none", "n/a", "na", "nil", "undefined", "default", "default string", "to be filled by o.e.m.",
     "system serial number", "not specified", "not available", "serial", "0123456789abcdef", "1234567890abcdef")
)  # fmt: skip
TEST_IMEI = frozenset(("012345678912345", "004999010640000", "123456789012345", "123456789012347", "490154203237518"))
ROLES = frozenset(
    ("info", "office", "contact", "kontakt", "sales", "support", "service", "help", "hello", "mail", "post", "admin",
     "administrator", "webmaster", "postmaster", "hostmaster", "abuse", "noc", "security", "marketing", "team", "billing",
     "accounting", "buchhaltung", "sekretariat", "reception", "empfang", "verwaltung", "hr", "jobs", "press", "news",
     "newsletter", "noreply", "no-reply", "donotreply", "do-not-reply", "notifications", "notification", "mailer-daemon",
     "bounce", "bounces", "orders", "shop", "vertrieb", "bureau", "secretariat", "oficina", "ventas")
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Known:
    """An identifier as it is compared: its kind, its value, how rare it is, and why where that is no matter of course."""

    kind: str
    value: str
    rarity: str
    reason: str = ""

    @property
    def key(self) -> tuple[str, str]:
        """What two records share when they share it."""
        return self.kind, self.value


def classify(what: str, value: str, region: str = "") -> Known:
    """An identifier in its one form.

    `what` is the type that a rule gave (`phone`, `email`, `imei`, `account:SERVICE`, `handle:SERVICE`…); what the value is
    by its form goes before it (a messenger's id made of a number is that number). `region` is the country (ISO 3166) whose
    prefix a national number lacks; without one the number keeps its digits, as kind `digits`.
    """
    text = " ".join(value.split())
    kind, _, service = what.partition(":")
    if not text or _placeholder(text):
        return Known(kind, text.casefold(), NOTHING, "a placeholder, not an identifier")
    reader = _READERS.get(kind)
    if kind in ("phone", "email", "handle", "account") and (found := _by_form(text, region)) is not None:
        if kind == "account" and found.kind == "email":
            return Known("account", found.value, UNIQUE if found.rarity == UNIQUE else SHARED, found.reason)
        return found
    if kind in ("account", "handle"):
        return _named(kind, text, service)
    if kind == "phone":
        return _phone(text, region)
    return reader(text) if reader else Known(kind, text.casefold(), COMMON, "many records hold the like")


def _placeholder(text: str) -> bool:
    bare = re.sub(r"[\s:._-]", "", text.casefold())
    return text.casefold() in PLACEHOLDERS or bare in PLACEHOLDERS or (len(bare) > 3 and len(set(bare)) == 1)


def _by_form(text: str, region: str) -> Known | None:
    """What a value is by its form alone: a messenger's id or an e-mail address; None for neither."""
    if jid := JID.fullmatch(text):
        return _phone("+" + jid.group(1), region)
    if re.fullmatch(r"\S+@(?:g\.us|broadcast|newsletter|lid)", text):
        return Known("group", text.casefold(), NOTHING, "a group or a list, no single party")
    return _email(text) if "@" in text[1:] else None


def _named(kind: str, text: str, service: str) -> Known:
    name = text.casefold().lstrip("@")
    if service:
        rarity = UNIQUE if kind == "account" else SHARED
        return Known(kind, f"{service.casefold()}:{name}", rarity, "" if rarity == UNIQUE else "handles change hands")
    return Known(kind, name, COMMON, "a name without its service or machine is used by many")


def _email(text: str) -> Known:
    found = re.search(r"[\w.!#$%&'*+/=?^`{|}~-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+", text)
    if found is None:
        return Known("email", text.casefold(), COMMON, "not a whole address")
    address = found.group(0).casefold()
    if address.partition("@")[0].partition("+")[0] in ROLES:
        return Known("email", address, SHARED, "a mailbox of a role, read by several")
    return Known("email", address, UNIQUE)


JID = re.compile(r"\+?(\d{7,15})(?::\d+)?@(?:s\.whatsapp\.net|c\.us)")
WHOLE = re.compile(r".*\((\+\d{7,15})\)")  # a number as typed, and behind it the one that the device made of it


def _phone(text: str, region: str) -> Known:
    if whole := WHOLE.fullmatch(text):
        text = whole.group(1)
    digits = re.sub(r"\D", "", text)
    if re.search(r"[A-Za-z]", re.sub(r"(?:;|,|x|ext\.?)\s*\d+$", "", text, flags=re.IGNORECASE)):
        return Known("handle", text.casefold(), COMMON, "a sender's name that anybody may set")
    if len(digits) < 7 or len(digits) > 17:
        return Known("phone", digits, NOTHING, "too short or too long for a subscriber's number")
    import phonenumbers  # 50 ms, and only for cases with telephones

    international = text.lstrip("( ").startswith(("+", "00"))
    if not international and not region:
        return Known("digits", digits.lstrip("0"), COMMON, "a national number of unknown country")
    try:
        number = phonenumbers.parse(re.sub(r"^\(?00", "+", text.strip()) if international else text, region or None)
    except phonenumbers.NumberParseException:
        return Known("digits", digits.lstrip("0"), COMMON, "no number of the numbering plan")
    if not phonenumbers.is_possible_number(number):
        return Known("digits", digits.lstrip("0"), COMMON, "no number of the numbering plan")
    value = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    kinds = phonenumbers.PhoneNumberType
    kind = phonenumbers.number_type(number)
    if kind == kinds.FIXED_LINE:
        return Known("phone", value, SHARED, "a fixed line, which a household or an office shares")
    if kind in (kinds.TOLL_FREE, kinds.PREMIUM_RATE, kinds.SHARED_COST, kinds.UAN, kinds.VOICEMAIL):
        return Known("phone", value, COMMON, "a service number")
    guess = "" if international else f"a national number, read as one of {region}, as most beside it are"
    return Known("phone", value, UNIQUE, guess)


def tail(known: Known) -> str:
    """The last digits of a telephone number, by which one of unknown country is compared; empty for fewer than eight."""
    digits = re.sub(r"\D", "", known.value) if known.kind in ("phone", "digits") else ""
    return digits[-TAIL:] if len(digits) >= TAIL and known.rarity != NOTHING else ""


def region_of(numbers: Iterable[str]) -> str:
    """The country whose prefix at least three, and four fifths, of the international numbers bear; empty for none.

    National numbers of one address book are read as its international ones: a guess from the book, and stated as such.
    """
    told = [("+" + jid.group(1)) if (jid := JID.fullmatch(n)) else WHOLE.sub(r"\1", n) for n in numbers]
    wanted = [n for n in told if re.match(r"\s*\(?(?:\+|00)\d", n)]
    if len(wanted) < 3:
        return ""
    import phonenumbers

    codes: Counter[int] = Counter()
    for text in wanted:
        try:
            codes[phonenumbers.parse(re.sub(r"^\s*\(?00", "+", text), None).country_code or 0] += 1
        except phonenumbers.NumberParseException:
            continue
    code, most = min(codes.items(), key=lambda c: (-c[1], c[0]), default=(0, 0))
    if code == 0 or most < 3 or 5 * most < 4 * len(wanted):
        return ""
    return str(phonenumbers.region_code_for_country_code(code))


def luhn(digits: str) -> bool:
    """Whether the last digit is the check digit of those before it."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        number = int(digit) * (1 + place % 2)
        total += number - 9 * (number > 9)
    return total % 10 == 0


def _imei(text: str) -> Known:
    digits = re.sub(r"[\s/.-]", "", text)
    if not digits.isascii() or not digits.isdigit() or len(digits) not in (14, 15, 16):
        return Known("imei", digits, NOTHING, "not 14, 15 or 16 digits")
    if digits in TEST_IMEI or digits.startswith("00"):
        return Known("imei", digits[:14], NOTHING, "a test number")
    if len(digits) == 15 and not luhn(digits) and digits[14] != "0":  # networks send a 0 in place of the check digit
        return Known("imei", digits, NOTHING, "the check digit is wrong")
    return Known("imei", digits[:14], UNIQUE)  # without check digit or software version


def _iccid(text: str) -> Known:
    digits = re.sub(r"[\s-]", "", text).upper().rstrip("F")
    if not re.fullmatch(r"89\d{16,18}", digits):
        return Known("iccid", digits, NOTHING, "not 18 to 20 digits that begin with 89")
    if len(digits) == 18:
        return Known("iccid", digits, UNIQUE)
    return Known("iccid", digits[:-1], UNIQUE) if luhn(digits) else Known("iccid", digits, NOTHING, "wrong check digit")


def _imsi(text: str) -> Known:
    digits = re.sub(r"\s", "", text)
    fits = re.fullmatch(r"[2-7]\d{13,14}", digits)
    return Known("imsi", digits, UNIQUE) if fits else Known("imsi", digits, NOTHING, "not 14 or 15 digits of a network")


def _serial(text: str) -> Known:
    if len(text) > 1 and text[1] == "&":
        return Known("serial", text.upper(), NOTHING, "made by Windows, not by the device")
    bare = re.sub(r"&\d+$", "", text.upper())  # the instance's number behind a real serial
    if re.fullmatch(r"[0-9A-F]{8}-?[0-9A-F]{16}|[0-9A-F]{40}", bare):
        return _udid(bare)
    if len(bare) < 6 or re.fullmatch(r"0*(?:123456\d*|1?2345678\d*)[A-F]*", bare) or _placeholder(bare):
        return Known("serial", bare, NOTHING, "a serial of this form stands in many devices")
    return Known("serial", bare, UNIQUE)


def _udid(text: str) -> Known:
    bare = re.sub(r"[\s-]", "", text).upper()
    if not re.fullmatch(r"[0-9A-F]{24}|[0-9A-F]{40}", bare):
        return Known("udid", bare, NOTHING, "not 24 or 40 hexadecimal digits")
    return Known("udid", bare, UNIQUE)


def _address(text: str, station: bool) -> Known:
    bare = re.sub(r"[\s:.-]", "", text).lower()
    kind = "bssid" if station else "mac"
    pieces = re.split(r"[:-]", text.strip())
    if len(pieces) == 6 and all(re.fullmatch(r"[0-9A-Fa-f]{1,2}", p) for p in pieces):
        bare = "".join(p.zfill(2) for p in pieces).lower()  # Apple leaves leading zeros out
    if not re.fullmatch(r"[0-9a-f]{12}", bare):
        return Known(kind, bare, NOTHING, "not six bytes")
    shown = ":".join(bare[i : i + 2] for i in range(0, 12, 2))
    if int(bare[:2], 16) & 1 or bare in ("000000000000", "020000000000"):
        return Known(kind, shown, NOTHING, "a group's address or a placeholder")
    if int(bare[:2], 16) & 2 and not station:  # stations use the bit for their guest networks
        return Known(kind, shown, NOTHING, "set by software, perhaps drawn at random")
    return Known(kind, shown, UNIQUE if station else SHARED, "" if station else "can be set, and adapters are moved")


def _sid(text: str) -> Known:
    sid = text.upper()
    if re.fullmatch(r"S-1-5-21(?:-\d+){3}-\d+|S-1-12-1(?:-\d+){4}", sid):
        return Known("sid", sid, UNIQUE)
    return Known("sid", sid, NOTHING, "the same on every machine")


def _name(text: str) -> Known:
    return Known("name", " ".join(sorted(name_words(text))), COMMON, "a name is borne by many")


_READERS: dict[str, Callable[[str], Known]] = {
    "email": _email,
    "imei": _imei,
    "iccid": _iccid,
    "imsi": _imsi,
    "serial": _serial,
    "udid": _udid,
    "mac": lambda text: _address(text, station=False),
    "bssid": lambda text: _address(text, station=True),
    "sid": _sid,
    "name": _name,
    "store": lambda text: Known("store", text, NOTHING, "a place inside one source"),
    "ip": lambda text: Known("ip", text.casefold(), NOTHING, "lent for a time, and shared"),
}
