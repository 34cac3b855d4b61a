"""The values of facts that can stand in a STIX pattern: addresses, domains, URLs, hashes, file names.

Only facts are read, never a title or an interpretation. A value counts where it is the whole of a fact, or a URL or IP
address inside a command line. What belongs to every machine is no indicator: addresses of no public network, files in
the system's own folders and their hashes.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from wigmore.reports.markup import plain

HASH_NAMES = {32: "MD5", 40: "SHA-1", 64: "SHA-256"}  # by hexadecimal digits
COMMANDS = frozenset(("CommandLine", "HostApplication", "command_line", "command", "arguments", "ImagePath"))
NAMED_HASHES = frozenset(("hashes", "hash", "md5", "sha1", "sha256"))
DOMAIN_FIELD = re.compile(r"domain|(?:^|_)host(?!Application)|query|server|sni", re.IGNORECASE)
IOC_TYPES = {"ip": "ip", "domain": "domain", "url": "url", "email": "email", "filename": "name", "path": "path"}
DOMAIN = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,24}", re.IGNORECASE)
LOCAL_DOMAIN = re.compile(r"(?:\.|^)(?:local|lan|localdomain|internal|home|corp|arpa)$", re.IGNORECASE)
URL = re.compile(r"(?:https?|ftp)://[^\s\"'<>)\]\\^`{|}]+", re.IGNORECASE)
EMAIL = re.compile(r"[\w.+%-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+", re.ASCII)
ADDRESS = re.compile(r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?![\w.])")
HEX = re.compile(r"[0-9a-fA-F]+")
# a whole path that ends in a name with an extension, without arguments: root, folder, name
PATH = re.compile(
    r"([A-Za-z]:(?=\\)|\\(?:device\\[^\\]+|volume\{[^}]*\})(?=\\)|%\w+%(?=\\)|)"
    r"([\\/][^\n\"<>|*?]*?)[\\/]?([^\\/\n\"<>|*?:]+\.\w{1,8})",
    re.IGNORECASE,
)
WEB = ("web.", "network.")  # artifacts whose paths are those of addresses, not of files
SYSTEM = re.compile(
    r"^(?:[a-z]:|\\device\\[^\\]+|\\volume\{[^}]*\}|%systemdrive%)?\\(?:windows|program files[^\\]*)\\"
    r"|^%(?:systemroot|windir|programfiles[^%]*)%\\|^/(?:usr|bin|sbin|lib\w*|system|library|applications)/",
    re.IGNORECASE,
)


@dataclass(frozen=True, order=True)
class Value:
    """One value of one kind: ip, domain, url, email, name, or a hash by its STIX name.

    A name has the folder it stood in; `anywhere` where that folder's root is a volume of this one machine.
    """

    kind: str
    text: str
    folder: str = ""
    anywhere: bool = False


def values(phenomenon: Mapping[str, Any]) -> Iterator[tuple[Value, Mapping[str, Any]]]:
    """(value, fact it stands in) for what can be an indicator in the facts of a phenomenon."""
    by_record: dict[str, list[Mapping[str, Any]]] = {}
    for fact in phenomenon["facts"]:
        by_record.setdefault(f"{fact['record_id']}|{fact['path']}", []).append(fact)
    for facts in by_record.values():
        named = {fact["name"]: fact for fact in facts}
        if "list_sha256" in named:
            yield from _listed(named)
            continue
        ours = any(_system(plain(f["value"])) for f in facts if f["name"] not in COMMANDS and "Parent" not in f["name"])
        for fact in facts:
            for value in _of(fact["name"], fact["value"], ours):
                if value.kind != "name" or not plain(fact["artifact"]).startswith(WEB):
                    yield value, fact


def _listed(named: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[Value, Mapping[str, Any]]]:
    """What an examiner's list names: its own value, whatever it is."""
    kind = plain(named["ioc_type"]["value"]) if "ioc_type" in named else ""
    for name in ("hash", "ioc"):
        if name in named:
            text = plain(named[name]["value"])
            found = _hash(text)
            if found is None and kind in IOC_TYPES and text:
                found = _path(text) if kind == "path" else Value(IOC_TYPES[kind], text)
            if found is not None:
                yield found, named[name]


def _of(name: str, value: Any, ours: bool) -> Iterator[Value]:
    if not isinstance(value, str):
        return
    text = value.strip()
    if name.casefold() in NAMED_HASHES:
        if not ours:
            yield from filter(None, (_hash(part.rpartition("=")[2]) for part in text.split(",")))
        return
    if name in COMMANDS:
        yield from (Value("url", found.rstrip(".,;")) for found in URL.findall(text))
        yield from (Value("ip", found) for found in ADDRESS.findall(text) if _public(found))
    if URL.fullmatch(text):
        yield Value("url", text)
    elif EMAIL.fullmatch(text):
        yield Value("email", text)
    elif _public(text):
        yield Value("ip", text)
    elif DOMAIN_FIELD.search(name) and DOMAIN.fullmatch(text) and not LOCAL_DOMAIN.search(text):
        yield Value("domain", text.lower())
    elif "Parent" not in name and (found := _path(text)) is not None and not _system(text):
        yield found


def _hash(text: str) -> Value | None:
    text = text.strip()
    return Value(HASH_NAMES[len(text)], text.lower()) if HEX.fullmatch(text) and len(text) in HASH_NAMES else None


def _path(text: str) -> Value | None:
    """The name at the end of a path, with its folder: many harmless files share a name."""
    match = PATH.fullmatch(text) if len(text) < 1024 else None
    if match is None:
        return None
    root, folder, name = match.groups()
    stands = re.fullmatch(r"[A-Za-z]:|", root)
    return Value("name", name, (root if stands else "") + folder, anywhere=not stands)


def _system(text: str) -> bool:
    return bool(SYSTEM.match(text))


def _public(text: str) -> bool:
    """Whether a text is an address of a public network; version numbers of four parts are told by their zeros."""
    try:
        return ipaddress.ip_address(text).is_global and not text.endswith(".0")
    except ValueError:
        return False
