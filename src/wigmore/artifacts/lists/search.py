"""Finding many texts and patterns in bytes in one pass: a set of needles, each an encoding of an entry of a list.

The needles are compiled by yara-x, whose search is one pass over the bytes for all of them (Aho-Corasick over their
rarest parts) and whose regular expressions have no back-references: time grows with the bytes, whatever the pattern.
Base64 is RFC 4648: a text inside longer content stands there in one of three alignments.
"""

from __future__ import annotations

import base64
import re
import time
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

WINDOW = 8 * 1024 * 1024
OVERLAP = 4096  # bytes a match may span across two windows
LEAD = 256  # bytes before and behind a window's part that contexts and borders may need
AROUND = 48  # characters of context on each side
RUN = 8192  # bytes looked at for the ends of a text in UTF-16
MATCHES = 2000  # of one needle in one window
SECONDS = 10  # for one window
LEAST_SPEED = 2_000_000  # bytes a second that a file may take in all, beyond the seconds of one window
CODE_PAGES = ("cp1252", "cp1251", "cp866")
SHORTEST_BASE64 = 6  # characters of base64 that are told from chance
SKIPPED = (0, 2, 3)  # characters of base64 that other bytes share, by alignment
_BASE64 = re.compile(rb"[A-Za-z0-9+/_-]")


@dataclass(frozen=True, slots=True)
class Needle:
    """One form of an entry: its number, the encoding, the YARA pattern that finds it; of base64 the alignment and the
    bytes that are meant.
    """

    entry: int
    encoding: str
    pattern: str
    alignment: int = 0
    plain: int = 0

    @property
    def unit(self) -> int:
        """Bytes of a character's unit in the file."""
        return 2 if self.encoding.startswith("utf-16") else 1


@dataclass(frozen=True, slots=True)
class Hit:
    """A place where a needle was found; `around` holds the bytes about it, `at` is where the hit begins there."""

    needle: Needle
    offset: int
    length: int
    around: bytes
    at: int

    @property
    def found(self) -> bytes:
        """The bytes of the hit."""
        return self.around[self.at : self.at + self.length]


@dataclass(frozen=True, slots=True)
class Cut:
    """A part that was not searched to its end, and why."""

    offset: int
    message: str
    reason: str


def needles_of(entry: int, text: str, ignore_case: bool = True) -> list[Needle]:
    """All forms of a literal text: UTF-8, UTF-16 of both orders, code pages where it is not ASCII, base64."""
    forms = list(dict.fromkeys([text, unicodedata.normalize("NFC", text), unicodedata.normalize("NFD", text)]))
    encodings = ["utf-8", "utf-16-le", "utf-16-be", *(() if text.isascii() else CODE_PAGES)]
    out: dict[str, Needle] = {}
    for encoding in encodings:
        for form in forms:
            try:
                pattern = _literal(form, encoding, ignore_case)
            except UnicodeEncodeError:
                continue  # this code page cannot write the text
            out.setdefault(pattern, Needle(entry, encoding, pattern))
    cases = [text, text.lower(), text.upper(), text.capitalize(), text.title()] if ignore_case else [text]
    for inner in ("utf-8", "utf-16-le"):
        for form in dict.fromkeys(cases):
            for alignment in range(3):
                data = form.encode(inner, "surrogatepass")
                core = base64_core(data, alignment)
                if len(core) >= SHORTEST_BASE64:
                    pattern = f'"{core.decode()}"'
                    out.setdefault(pattern, Needle(entry, f"base64 of {inner}", pattern, alignment, len(data)))
    return list(out.values())


def base64_core(data: bytes, alignment: int) -> bytes:
    """The characters of base64 that these bytes alone decide when `alignment` bytes (0, 1, 2) stand before them."""
    whole = base64.b64encode(bytes(alignment) + data)
    return whole[SKIPPED[alignment] : (alignment + len(data)) * 8 // 6]


def _literal(text: str, encoding: str, ignore_case: bool) -> str:
    if text.isascii():
        return '"' + "".join(f"\\x{b:02x}" for b in text.encode(encoding)) + '"' + (" nocase" if ignore_case else "")
    parts = []
    for letter in text:
        others = [v for v in (letter.lower(), letter.upper()) if len(v) == 1] if ignore_case else []
        written = []
        for one in dict.fromkeys([letter, *others]):
            try:
                written.append(one.encode(encoding).hex(" "))
            except UnicodeEncodeError:
                if one == letter:
                    raise
        parts.append(written[0] if len(written) == 1 else f"( {' | '.join(written)} )")
    return "{ " + " ".join(parts) + " }"


def expression_needles(entry: int, expression: str, ignore_case: bool = True) -> list[Needle]:
    """A regular expression (YARA's dialect) over bytes and over UTF-16LE; raises ValueError where it is none."""
    closed = re.sub(r"\\.|/", lambda m: r"\/" if m[0] == "/" else m[0], expression, flags=re.DOTALL)
    if re.search(r"[\r\n]", closed) or re.search(r"(?<!\\)(?:\\\\)*\\$", closed):
        raise ValueError("the expression does not end")
    flag = "i" if ignore_case else ""
    out = [
        Needle(entry, "utf-8", f"/{closed}/{flag}"),
        Needle(entry, "utf-16-le", f"/{closed}/{flag} wide"),
    ]
    Searcher(out)  # refuses what cannot be compiled
    return out


class Searcher:
    """A compiled set of needles; raises ValueError where one cannot be compiled."""

    def __init__(self, needles: Sequence[Needle]) -> None:
        import yara_x

        self.needles = list(needles)
        by_entry: dict[int, list[int]] = {}
        for number, needle in enumerate(self.needles):
            by_entry.setdefault(needle.entry, []).append(number)
        compiler: Any = yara_x.Compiler()
        compiler.enable_includes(False)
        try:
            for entry, numbers in sorted(by_entry.items()):
                strings = "\n".join(f"$n{n} = {self.needles[n].pattern}" for n in numbers)
                compiler.add_source(f"rule e{entry} {{ strings:\n{strings}\ncondition: any of them }}")
            self._rules = compiler.build()
        except yara_x.CompileError as error:
            raise ValueError(_first_line(str(error))) from error

    def hits(self, stream: BinaryIO, start: int = 0) -> Iterator[Hit | Cut]:
        """Hits from `start` on by offset; of one needle those that do not overlap; a Cut where the search fell short."""
        import yara_x

        scanner: Any = yara_x.Scanner(self._rules)
        scanner.max_matches_per_pattern(MATCHES)
        scanner.set_timeout(SECONDS)
        began, spent = time.monotonic(), f"the search was too slow and stops here (more than {SECONDS} s for one part)"
        free_from = dict.fromkeys(range(len(self.needles)), 0)  # a needle is looked for again behind its last hit
        base, carried, first = start, b"", 0  # `first`: where in the window hits may begin
        stream.seek(start)
        while True:
            fresh = stream.read(WINDOW)
            last = len(fresh) < WINDOW
            window = carried + fresh if carried else fresh
            border = len(window) if last else len(window) - OVERLAP
            if window:
                if time.monotonic() - began > SECONDS + (base - start) / LEAST_SPEED:
                    yield Cut(base + first, spent, "timeout")
                    return
                try:
                    matched = scanner.scan(window).matching_rules
                except yara_x.TimeoutError:
                    yield Cut(base + first, spent, "timeout")
                    return
                except yara_x.ScanError as error:
                    yield Cut(base + first, f"the search failed: {_first_line(str(error))}", "damaged")
                    return
                yield from self._of_window(matched, window, base, first, border, free_from)
            if last:
                return
            keep = max(0, border - LEAD)
            carried, base, first = window[keep:], base + keep, border - keep

    def _of_window(
        self, matched: Iterable[Any], window: bytes, base: int, first: int, border: int, free_from: dict[int, int]
    ) -> Iterator[Hit | Cut]:
        places: list[tuple[int, int, int]] = []
        for rule in matched:
            for pattern in rule.patterns:
                number = int(pattern.identifier[2:])
                matches = pattern.matches
                if len(matches) >= MATCHES:
                    yield Cut(
                        base + matches[-1].offset, f"more than {MATCHES} places of one pattern: rest", "too_large"
                    )
                places += [(m.offset, number, m.length) for m in matches if first <= m.offset < border and m.length]
        places.sort()
        seen = {(offset, self.needles[number].entry, self.needles[number].encoding) for offset, number, _ in places}
        for offset, number, length in places:
            needle, place = self.needles[number], base + offset
            if place < free_from[number]:
                continue
            if needle.unit == 2:  # zeros between letters read in both orders: one of them is meant
                little = needle.encoding == "utf-16-le"
                other = (offset - 1, needle.entry, "utf-16-be") if little else (offset + 1, needle.entry, "utf-16-le")
                if other in seen and little is not _little(window, offset if little else offset + 1, base):
                    continue
            free_from[number] = place + length
            low = max(0, offset - LEAD)
            yield Hit(needle, place, length, window[low : offset + length + LEAD], offset - low)


def _little(window: bytes, offset: int, base: int) -> bool:
    """Which order of UTF-16 is meant where a text at `offset` reads in both: True for the little one.

    In front of a text in the big order stands a zero, behind one in the little order at least one more than its own;
    where that does not tell them apart, the reading at an even place is meant.
    """
    start = offset
    while start >= 2 and offset - start < RUN and window[start - 1] == 0 and _letter(window[start - 2]):
        start -= 2
    if start >= 1 and window[start - 1]:
        return True
    end = offset
    while end + 1 < len(window) and end - offset < RUN and _letter(window[end]) and window[end + 1] == 0:
        end += 2
    if window[end : end + 2] == b"\0\0":
        return True
    return (base + offset) % 2 == 0


def _letter(byte: int) -> bool:
    return byte >= 0x20 or byte in (9, 10, 13)


def _first_line(text: str) -> str:
    return text.strip().splitlines()[0][:300] if text.strip() else "no reason given"


def unpacked(hit: Hit) -> Hit:
    """A hit in base64 as a hit in the bytes that the characters about it stand for; others as they are.

    Offset and length stay those of the characters in the file.
    """
    if not hit.needle.encoding.startswith("base64"):
        return hit
    start = hit.at - SKIPPED[hit.needle.alignment]
    if start < 0:
        return hit
    groups = 0
    while start - 4 * (groups + 1) >= 0 and groups < 24:
        if len(_BASE64.findall(hit.around[start - 4 * (groups + 1) : start - 4 * groups])) < 4:
            break
        groups += 1
    low = start - 4 * groups
    high = hit.at + hit.length
    while high < len(hit.around) and _BASE64.match(hit.around, high):
        high += 1
    text = hit.around[low:high].translate(bytes.maketrans(b"-_", b"+/"))
    usable = text[: len(text) // 4 * 4] + (text[len(text) // 4 * 4 :].ljust(4, b"=") if len(text) % 4 > 1 else b"")
    try:
        data = base64.b64decode(usable)
    except ValueError:
        return hit
    inner = hit.needle.encoding.removeprefix("base64 of ")
    at = groups * 3 + hit.needle.alignment
    return Hit(Needle(hit.needle.entry, inner, ""), hit.offset, hit.needle.plain, data, at)


def text_around(hit: Hit, characters: int = AROUND) -> tuple[str, str, str]:
    """What stands before, at and behind a hit, as text of one line in the hit's own encoding; base64 is unpacked."""
    shown = unpacked(hit)
    encoding, unit = shown.needle.encoding, shown.needle.unit
    if encoding.startswith("base64"):
        encoding = "ascii"
    span = characters * unit * (2 if encoding == "utf-8" else 1)
    before = shown.around[max(0, shown.at - span) : shown.at]
    before = before[len(before) % unit :]
    behind = shown.around[shown.at + shown.length : shown.at + shown.length + span]
    texts = [_printable(part.decode(encoding, "replace")) for part in (before, shown.found, behind)]
    return texts[0][-characters:], texts[1], texts[2][:characters]


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() and c != "�" else "·" for c in text)
