"""RTF bodies of Outlook items: unpacked, as text, or as the HTML that they were made from.

Sources: MS-OXRTFCP (compressed RTF), MS-OXRTFEX (HTML inside RTF), Microsoft, Code Page Identifiers.
"""

from __future__ import annotations

import re
import struct

from wigmore.formats.mail import BODY_BYTES, safe_charset


def codepage(number: int) -> str | None:
    """Python's name of a Windows code page; None where there is none."""
    known = {65001: "utf-8", 20127: "ascii", 28591: "latin-1", 1200: "utf-16-le", 20866: "koi8-r", 21866: "koi8-u",
    50220: "iso2022_jp",
             51932: "euc_jp", 51949: "euc_kr", 54936: "gb18030", 936: "gbk", 949: "cp949", 950: "cp950",
             932: "cp932", 38598: "iso8859-8"}  # fmt: skip
    if number in known:
        return known[number]
    if 28592 <= number <= 28605:
        return f"iso8859-{number - 28590}"
    return safe_charset(f"cp{number}")


def decode8(raw: bytes, name: str) -> str:
    """An 8-bit text."""
    try:
        return raw.decode(name)
    except (UnicodeError, LookupError):
        return raw.decode("latin-1")


RTF_START = (
    b"{\\rtf1\\ansi\\mac\\deff0\\deftab720{\\fonttbl;}{\\f0\\fnil \\froman \\fswiss \\fmodern \\fscript \\fdecor MS Sans "
    b"SerifSymbolArialTimes New RomanCourier{\\colortbl\\red0\\green0\\blue0\r\n\\par \\pa"
    b"rd\\plain\\f0\\fs20\\b\\i\\u\\tab\\tx"
)  # MS-OXRTFCP 2.1.2.1: what the dictionary begins with


def rtf_bytes(raw: bytes) -> bytes:
    """Compressed RTF unpacked (MS-OXRTFCP 3.1); what there is where it is cut off, empty where it is none."""
    if raw[:5] == b"{\\rtf":
        return raw
    if len(raw) < 16:
        return b""
    _, size, kind, _ = struct.unpack_from("<4I", raw)
    if kind == 0x414C454D:  # not compressed
        return raw[16 : 16 + size]
    if kind != 0x75465A4C:
        return b""
    size = min(size, 16 * BODY_BYTES)
    ring = bytearray(RTF_START.ljust(4096, b"\0"))
    write, at, out = len(RTF_START), 16, bytearray()
    while at < len(raw) and len(out) < size:
        control = raw[at]
        at += 1
        for bit in range(8):
            if at >= len(raw):
                break
            if control >> bit & 1:
                pair = raw[at : at + 2]
                at += 2
                if len(pair) < 2:
                    break
                offset, length = (pair[0] << 4) | (pair[1] >> 4), (pair[1] & 15) + 2
                if offset == write:
                    return bytes(out)
                for step in range(length):
                    byte = ring[(offset + step) & 4095]
                    out.append(byte)
                    ring[write] = byte
                    write = (write + 1) & 4095
            else:
                out.append(raw[at])
                ring[write] = raw[at]
                write = (write + 1) & 4095
                at += 1
    return bytes(out[:size])


RTF_TOKEN = re.compile(
    rb"\\'([0-9a-fA-F]{2})|\\([a-zA-Z]{1,32})(-?\d{1,10})? ?|\\(.)|([{}])|[\r\n]+|([^\\{}\r\n]+)", re.DOTALL
)
RTF_HIDDEN = frozenset((b"fonttbl", b"colortbl", b"stylesheet", b"info", b"pict", b"themedata", b"datastore", b"listtable",
                        b"listoverridetable", b"generator", b"xmlnstbl", b"latentstyles", b"rsidtbl", b"header",
                        b"footer"))  # fmt: skip


def _rtf(rtf: bytes, html: bool) -> str:
    """The text of an RTF; with `html` the tags that it encapsulates (MS-OXRTFEX) and no text marked as RTF's own."""
    page = codepage(int(m.group(1))) if (m := re.search(rb"\\ansicpg(\d{1,5})", rtf[:4096])) else None
    out: list[str] = []
    held = bytearray()
    stack: list[tuple[bool, bool]] = []
    hidden, raw_only, skip, unicode_skip = False, False, 0, 1

    def flush() -> None:
        if held:
            out.append(decode8(bytes(held), page or "cp1252"))
            held.clear()

    for match in RTF_TOKEN.finditer(rtf[: 4 * BODY_BYTES]):
        code, word, value, symbol, brace, text = match.groups()
        if brace == b"{":
            if len(stack) < 10_000:
                stack.append((hidden, raw_only))
            skip = 0
        elif brace == b"}":
            hidden, raw_only = stack.pop() if stack else (False, False)
            skip = 0
        elif code is not None:
            if skip:
                skip -= 1
            elif not hidden and not raw_only:
                held.append(int(code, 16))
        elif word is not None:
            if word == b"htmlrtf":
                raw_only = html and value != b"0"
            elif word in RTF_HIDDEN:
                hidden = True
            elif word in (b"htmltag", b"mhtmltag"):
                hidden = not html or word == b"mhtmltag"
            elif word == b"uc":
                unicode_skip = min(8, abs(int(value or 1)))
            elif word == b"u" and value and not hidden and not raw_only:
                flush()
                out.append(chr(int(value) & 0xFFFF))
                skip = unicode_skip
            elif word in (b"par", b"line", b"row") and not hidden and not raw_only:
                flush()
                out.append("\n")
            elif word in (b"tab", b"cell") and not hidden and not raw_only:
                flush()
                out.append("\t")
        elif symbol is not None:
            if symbol == b"*":
                hidden = not (html and rtf[match.end() : match.end() + 8] == b"\\htmltag")
            elif symbol in b"\\{}" and not hidden and not raw_only:
                held += symbol
            elif symbol == b"~" and not hidden and not raw_only:
                held += b" "
        elif text is not None and not hidden and not raw_only:
            held += text[skip:]
            skip = 0
    flush()
    joined = "".join(out)
    return joined.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def rtf_text(rtf: bytes) -> str:
    """The text that an RTF shows."""
    return _rtf(rtf, False).strip()


def rtf_html(rtf: bytes) -> str:
    """The HTML that an RTF was made from; empty where it was not."""
    return _rtf(rtf, True) if b"\\fromhtml1" in rtf[:1024] else ""
