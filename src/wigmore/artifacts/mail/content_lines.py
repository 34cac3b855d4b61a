"""Content lines of vCard and iCalendar: unfolding, parameters, escapes, components.

Sources: RFC 6350 3 (vCard 4), RFC 2426 (vCard 3), vCard 2.1 (versit: quoted-printable, bare parameters), RFC 5545 3.1.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from wigmore.formats.mail import decode, safe_charset, short
from wigmore.model.canonical import sha256
from wigmore.model.protocols import EvidenceFile
from wigmore.model.times import Time, iso

LONGEST = 24 * 1024 * 1024  # bytes of one unfolded line: pictures stand in them
VALUE = 4_096
LINE = re.compile(
    rb"(?:([\w.-]{1,60}?)\.)?([\w-]{1,60})((?:;[^:\"\r\n]*(?:\"[^\"\r\n]*\"[^:\"\r\n]*)*)?):(.*)", re.DOTALL
)
DATE = re.compile(r"(\d{4})-?(\d\d)-?(\d\d)(?:[T ]?(\d\d):?(\d\d):?(\d\d)?)?(?:[.,]\d+)?(Z|[+-]\d\d:?\d\d)?$")


@dataclass
class Property:
    """One line: name, parameters (upper case names), raw value and the offset where it begins."""

    name: str
    parameters: dict[str, list[str]]
    raw: bytes
    offset: int

    @property
    def text(self) -> str:
        """The value as text: decoded, escapes resolved."""
        raw = self.raw[: 8 * VALUE]
        if "QUOTED-PRINTABLE" in self._encodings():
            raw = binascii.a2b_qp(raw)
        text = decode(raw, safe_charset((self.parameters.get("CHARSET") or [""])[0]))[0]
        return short(
            re.sub(r"\\([nN,;:\\])", lambda m: "\n" if m.group(1) in "nN" else m.group(1), text), VALUE
        ).strip()

    def pieces(self) -> list[str]:
        """The value's parts between unescaped semicolons."""
        raw = self.raw[: 8 * VALUE]
        raw = binascii.a2b_qp(raw) if "QUOTED-PRINTABLE" in self._encodings() else raw
        text = decode(raw, safe_charset((self.parameters.get("CHARSET") or [""])[0]))[0]
        return [re.sub(r"\\(.)", r"\1", short(piece.strip(), VALUE)) for piece in re.split(r"(?<!\\);", text)[:40]]

    def _encodings(self) -> list[str]:
        bare = [name for name, values in self.parameters.items() if not values]
        return [value.upper() for value in [*self.parameters.get("ENCODING", []), *bare]]

    @property
    def kinds(self) -> list[str]:
        """The TYPE parameters, lower case, those of vCard 2.1 too."""
        found = [v.lower() for value in self.parameters.get("TYPE", []) for v in value.split(",")]
        return [
            *found,
            *(n.lower() for n, v in self.parameters.items() if not v and n not in ("BASE64", "QUOTED-PRINTABLE")),
        ]

    def binary(self) -> dict[str, Any] | None:
        """Size and hash of content that stands in the line (base64 or a data: address); None where it is none."""
        raw = self.raw.strip()
        if raw[:5].lower() == b"data:" and b";base64," in raw[:200]:
            raw = raw.split(b",", 1)[1]
        elif not {"B", "BASE64"} & set(self._encodings()):
            return None
        text = re.sub(rb"[^A-Za-z0-9+/]", b"", raw)
        try:
            content = binascii.a2b_base64(text[: len(text) - (len(text) % 4 == 1)] + b"=" * (-len(text) % 4 % 3))
        except binascii.Error:
            return {"size": 0, "damaged": True}
        return {"size": len(content), "sha256": sha256(content)}


@dataclass
class Component:
    """What stands between BEGIN and END: its properties, and components inside by name."""

    name: str
    offset: int
    properties: list[Property] = field(default_factory=list)
    inside: list[str] = field(default_factory=list)
    closed: bool = False
    length: int = 0

    def all(self, name: str) -> list[Property]:
        """The properties of that name."""
        return [one for one in self.properties if one.name == name]

    def text(self, name: str) -> str:
        """The first property of that name as text; empty where there is none."""
        return next((one.text for one in self.properties if one.name == name), "")


def unfolded(file: EvidenceFile) -> Iterator[tuple[int, bytes]]:
    """The file's lines with folded ones joined (RFC 5545 3.1; `=` at the end in quoted-printable values)."""
    with file.open() as stream:
        at, begin, size = 0, 0, 0
        held: list[bytes] = []
        quoted = False
        while line := stream.readline(1024 * 1024):
            text = line.rstrip(b"\r\n")
            soft = quoted and held[-1].endswith(b"=")
            if held and (soft or text[:1] in (b" ", b"\t")):
                if size < LONGEST:
                    if soft:
                        held[-1] = held[-1][:-1]
                    held.append(text if soft else text[1:])
                    size += len(text)
            else:
                if held:
                    yield begin, b"".join(held)
                begin, held, size = at, [text], len(text)
                quoted = b"QUOTED-PRINTABLE" in text[:300].upper()
            at += len(line)
        if held:
            yield begin, b"".join(held)


def components(file: EvidenceFile, wanted: frozenset[str], outer: dict[str, str]) -> Iterator[Component]:
    """The wanted components as they end; properties of what stands around them go into `outer`."""
    stack: list[Component] = []
    for offset, line in unfolded(file):
        match = LINE.match(line.removeprefix(b"\xef\xbb\xbf"))
        if match is None:
            continue
        name = match.group(2).decode("ascii", "replace").upper()
        if name == "BEGIN":
            kind = match.group(4).strip().decode("ascii", "replace").upper()[:40]
            if stack and stack[-1].name in wanted and kind in wanted:
                yield stack.pop()  # the one before was never closed
            if stack and len(stack[-1].inside) < 1000:
                stack[-1].inside.append(kind)
            if len(stack) < 40:
                stack.append(Component(kind, offset))
        elif name == "END":
            if stack:
                done = stack.pop()
                done.closed, done.length = True, offset + len(line) - done.offset
                if done.name in wanted:
                    yield done
        elif stack:
            made = Property(name, _parameters(match.group(3)), match.group(4), offset)
            if stack[-1].name in wanted:
                if len(stack[-1].properties) < 5_000:
                    stack[-1].properties.append(made)
            elif len(outer) < 200:
                outer.setdefault(f"{stack[-1].name}.{name}", made.text)
    yield from (one for one in stack if one.name in wanted)


def _parameters(raw: bytes) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    text = raw.decode("utf-8", "replace")
    for piece in re.findall(r";([^;\"]*(?:\"[^\"]*\"[^;\"]*)*)", text)[:50]:
        name, equals, value = piece.partition("=")
        values = found.setdefault(name.strip().upper()[:60], [])
        if equals:
            values.append(value.strip().strip('"')[:500])
    return found


def moment(one: Property | None) -> Time | None:
    """A DATE or DATE-TIME value: UTC with `Z`; else local, its TZID named; None where it is neither."""
    if one is None:
        return None
    text = one.text.strip()
    match = DATE.match(text)
    if match is None:
        return None
    year, month, day, hour, minute, second, zone = match.groups()
    written = f"{year}-{month}-{day}T{hour or '00'}:{minute or '00'}:{second or '00'}"
    name = (one.parameters.get("TZID") or [""])[0]
    source = f"TZID={name}, its offset is not resolved" if name else "no zone written"
    time = iso(written + (zone or ""), "author", None, source if not zone else None)
    if time is not None:
        time["raw"] = text
        if hour is None:
            time["precision"] = 86400.0
    return time
