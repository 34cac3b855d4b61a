"""vCard files (.vcf): electronic business cards, versions 2.1, 3.0 and 4.0."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from wigmore.artifacts.mail.content_lines import Component, components, moment
from wigmore.formats.mail import short
from wigmore.model.protocols import EvidenceFile, Gap, Record, Yield
from wigmore.model.times import Time
from wigmore.registry import Claim, parser

SINGLE = {
    "FN": "name", "NICKNAME": "nickname", "TITLE": "title", "ROLE": "role", "UID": "uid", "PRODID": "program",
    "KIND": "card_kind",
    "CATEGORIES": "categories", "NOTE": "note", "MAILER": "user_agent", "GENDER": "gender", "TZ": "zone", "GEO": "position",
    "X-ANDROID-CUSTOM": "android_custom", "X-ABUID": "address_book_uid", "VERSION": "version",
}  # fmt: skip
SEVERAL = {
    "EMAIL": "emails", "TEL": "phones", "URL": "urls", "IMPP": "instant_messages", "X-SKYPE": "instant_messages",
    "X-SKYPE-USERNAME": "instant_messages", "X-AIM": "instant_messages", "X-ICQ": "instant_messages",
    "X-JABBER": "instant_messages",
    "X-QQ": "instant_messages", "X-SOCIALPROFILE": "profiles", "RELATED": "related", "X-ABRELATEDNAMES": "related",
    "MEMBER": "members",
}  # fmt: skip
PLAIN_KINDS = frozenset(("pref", "internet", "voice", "x-internet"))
MOST = 200


def _look(head: bytes, path: str, size: int) -> bool:
    return head.removeprefix(b"\xef\xbb\xbf").lstrip()[:11].upper() == b"BEGIN:VCARD"


@parser(
    "mail.vcard",
    claims=Claim(look=_look),
    reads="vCard files of versions 2.1 to 4.0, one card or many",
    means="a program wrote this card: names, numbers and addresses as its address book, or whoever made the file, had them",
    does_not_mean="that the contact exists or was ever made; that the file's holder typed the card (it may have been received, "
    "exported or synchronised); that numbers still belong to the name",
    refs=("RFC 6350", "RFC 2426", "versit vCard 2.1", "RFC 6474"),
    artifacts=("mail.contact",),
)
def vcard(file: EvidenceFile) -> Iterator[Yield]:
    """One record a card."""
    for number, card in enumerate(components(file, frozenset(("VCARD",)), {}), 1):
        data, stamps = _card(card)
        locator = {"kind": "offset", "number": number, "offset": card.offset, "length": card.length}
        yield locator, Record(data, stamps, "revised" if "revised" in stamps else None, artifact="mail.contact")
        if not card.closed:
            yield Gap(f"card {number} has no end", card.offset, "truncated")


def _card(card: Component) -> tuple[dict[str, Any], dict[str, Time]]:
    data: dict[str, Any] = {}
    stamps: dict[str, Time] = {}
    for one in card.properties:
        if one.name in SINGLE:
            if text := one.text:
                data.setdefault(SINGLE[one.name], text)
        elif one.name in SEVERAL:
            text = one.text.removeprefix("tel:").removeprefix("mailto:").strip()
            known = data.setdefault(SEVERAL[one.name], [])
            if text and text not in known and len(known) < MOST:
                known.append(text)
                kinds = [kind for kind in one.kinds if kind not in PLAIN_KINDS]
                if kinds:
                    data.setdefault("kinds", {})[text] = ", ".join(kinds)
        elif one.name == "N":
            names = [*one.pieces(), "", "", "", "", ""]
            for key, value in zip(("surname", "given_name", "middle_name", "prefix", "suffix"), names, strict=False):
                if value:
                    data[key] = value
        elif one.name == "ORG":
            data["organization"] = ", ".join(piece for piece in one.pieces() if piece)
        elif one.name in ("ADR", "LABEL"):
            text = ", ".join(piece.replace("\n", ", ") for piece in one.pieces() if piece)
            if text:
                data.setdefault("addresses", []).append(text)
        elif one.name in ("PHOTO", "LOGO", "SOUND", "KEY"):
            content = one.binary()
            found = content or {"address": short(one.text, 500)}
            data.setdefault(one.name.lower(), {"type": ", ".join(one.kinds), **found})
        elif one.name in ("REV", "BDAY", "ANNIVERSARY", "X-ANNIVERSARY"):
            key = {"REV": "revised", "BDAY": "birthday"}.get(one.name, "anniversary")
            if time := moment(one):
                if key == "revised":
                    stamps[key] = time
                else:
                    data[key] = time["text"][:10]
            elif one.text:
                data[f"{key}_text" if key == "revised" else key] = one.text
    if "name" not in data:
        data["name"] = " ".join(data[key] for key in ("given_name", "surname") if key in data) or data.get(
            "organization", ""
        )
    return {key: value for key, value in data.items() if value not in ("", [])}, stamps
