"""Indicators of compromise as typed values: what kinds there are, how each is written plainly, and where one ends.

Kinds: md5, sha1, sha256, ip, domain, url, email, filename, path, registry, mutex, text. Names of kinds as lists have them
(STIX 2.1 object paths, MISP attribute types, OpenIOC-like words) lead to these.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass

from wigmore.model.lists import ListFile

HASHES = {"md5": 32, "sha1": 40, "sha256": 64}
SHORTEST = {"filename": 3, "path": 4, "registry": 6, "mutex": 3, "text": 4, "domain": 4, "url": 6, "email": 6}
LONGEST = 1000
_KINDS = {
    "md5": "md5 filehash-md5 hash-md5 hash_md5 file:hashes.md5",
    "sha1": "sha1 sha-1 filehash-sha1 hash-sha1 file:hashes.sha-1 file:hashes.sha1",
    "sha256": "sha256 sha-256 filehash-sha256 hash-sha256 file:hashes.sha-256 file:hashes.sha256",
    "ip": "ip ipv4 ipv6 ip-addr ipv4-addr ipv6-addr ip-src ip-dst ip_address ipaddress address c2_ip ipv4-addr:value "
    "ipv6-addr:value network-traffic:dst_ref.value network-traffic:src_ref.value ip-dst|port ip-src|port",
    "domain": "domain hostname host fqdn domain-name domain_name domain-name:value c2_domain dns",
    "url": "url uri link url:value",
    "email": "email e-mail mail email-addr email-src email-dst email_address email-addr:value sender",
    "filename": "filename file_name file-name name file:name",
    "path": "path filepath file_path file-path folder directory directory:path",
    "registry": "registry regkey reg_key registry_key registry-key windows-registry-key windows-registry-key:key",
    "mutex": "mutex mutant mutex:name",
    "text": "text string keyword user-agent user_agent useragent pipe named_pipe service service_name bitcoin btc "
    "process:command_line user-agent:value windows-registry-key:values.data",
}
KINDS = {word: kind for kind, words in _KINDS.items() for word in words.split()}
_HIVES = re.compile(
    r"(?i)^(?:(?:hkey_local_machine|hklm|hkey_current_user|hkcu|hkey_users|hku|hkey_classes_root|hkcr|\\registry\\machine"
    r"|\\registry\\user)\\(?:s-1-5-[\d-]+\\)?)"
)
_BELOW = re.compile(r"(?i)^(?:software|system|sam|security|classes)\\(?:(?:currentcontrolset|controlset\d{3})\\)?")
_HASH = re.compile(r"[0-9A-Fa-f]+\Z")
_DOMAIN = re.compile(r"(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]\Z", re.I)
_EMAIL = re.compile(r"[^@\s\"<>]{1,64}@[A-Za-z0-9.-]{3,253}\Z")
_WORD = re.compile(r"[\w-]")


@dataclass(frozen=True, slots=True)
class Indicator:
    """One indicator of a list: kind, the value in its plain form, and where it stands in the list."""

    file: ListFile
    line: int
    kind: str
    value: str
    label: str = ""

    @property
    def sought(self) -> str:
        """The text that is looked for: a registry key without its root and hive, which hives do not store."""
        return _BELOW.sub("", _HIVES.sub("", self.value)) if self.kind == "registry" else self.value


def refanged(text: str) -> str:
    """A value as it was before it was made harmless to click (`hxxp://evil[.]example` and the like)."""
    text = re.sub(r"(?i)^h(?:xx|\*\*|tt)ps?(?=\[?:)", lambda m: "https" if m[0][-1] in "sS" else "http", text.strip())
    text = re.sub(r"(?i)\[(?:\.|dot)\]|\((?:\.|dot)\)|\{(?:\.|dot)\}", ".", text)
    return re.sub(r"(?i)\[:(//)?\]", r":\1", re.sub(r"(?i)\[(?:@|at)\]|\((?:@|at)\)", "@", text))


def guessed(value: str) -> str:
    """The kind of a value that stands without one; empty where it cannot be told."""
    if _HASH.match(value) and len(value) in HASHES.values():
        return next(name for name, digits in HASHES.items() if digits == len(value))
    if _address(value):
        return "ip"
    if re.match(r"(?i)[a-z][a-z0-9+.-]{1,15}://", value):
        return "url"
    if _EMAIL.match(value):
        return "email"
    if _HIVES.match(value):
        return "registry"
    if re.match(r"[A-Za-z]:\\|\\\\|/|%\w+%\\", value):
        return "path"
    if re.search(
        r"(?i)\.(?:exe|dll|sys|bat|cmd|ps1|vbs|js|scr|lnk|docm?|xlsm?|jar|zip|rar|7z|iso|apk|elf|sh|py|php)$", value
    ):
        return "filename"
    return "domain" if _DOMAIN.match(value) else ""


def _address(text: str) -> str:
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return ""


def indicator(file: ListFile, line: int, kind: str, value: str, label: str = "") -> Indicator:
    """An indicator from what a list says; raises ValueError where it cannot be used."""
    value = refanged(value)
    if not value:
        raise ValueError("there is no value")
    if len(value) > LONGEST:
        raise ValueError(f"a value has at most {LONGEST} characters")
    plain = KINDS.get(kind.strip().lower().replace("'", "")) if kind.strip() else guessed(value)
    if not plain and kind.strip().lower() in ("hash", "filehash", "file"):
        plain = guessed(value)
    if not plain:
        raise ValueError(f"indicators of kind {kind[:60]!r} are not looked for" if kind else "its kind cannot be told")
    if plain in HASHES:
        if not _HASH.match(value) or len(value) != HASHES[plain]:
            raise ValueError(f"no {plain}: {value[:80]!r}")
        value = value.lower()
    elif plain == "ip":
        address = _address(value.partition("|")[0] if "|" in value else value)
        if not address and value.count(".") == 3 and value.count(":") == 1:
            address = _address(value.partition(":")[0])
        if not address:
            raise ValueError(f"no single address: {value[:80]!r}")
        value = address
    elif plain == "domain":
        value = value.lower().rstrip(".").removeprefix("*.")
        if not _DOMAIN.match(value):
            raise ValueError(f"no domain name: {value[:80]!r}")
    elif plain == "email":
        if not _EMAIL.match(value):
            raise ValueError(f"no e-mail address: {value[:80]!r}")
        value = value.lower()
    elif plain == "filename" and re.search(r"[\\/]", value):
        plain = "path"
    made = Indicator(file, line, plain, value, label.strip()[:200])
    if len(made.sought) < SHORTEST.get(plain, 1):
        raise ValueError(f"{made.sought!r} is too short to mean anything by itself")
    return made


def whole(kind: str, value: str, before: str, behind: str) -> bool:
    """Whether a value that stands between two texts is the whole token of its kind, not a part of a longer one.

    A domain may have labels before it (a host below it); an address or a hash may not have digits about it.
    """
    last, first, second = before[-1:], behind[:1], behind[1:2]
    if kind == "ip" and ":" in value:
        return not (re.match(r"[\w:.]", last) or re.match(r"\w", first) or (first in (":", ".") and second.isalnum()))
    if kind == "ip":
        beside = re.match(r"\w", last) or (last == "." and before[-2:-1].isdigit())
        return not (beside or re.match(r"\w", first) or (first == "." and second.isdigit()))
    if _WORD.match(first) and not (kind == "url" and value.endswith("/")):
        return False
    if kind in ("domain", "email", "filename") and first == "." and second.isalnum():
        return False
    if kind == "email":
        return not re.match(r"[\w.+-]", last)
    if kind == "filename":
        return not re.match(r"[\w.-]", last)
    if kind == "url":
        return not re.match(r"[\w+.-]", last)
    return kind in ("path", "registry") or not _WORD.match(last)  # before a path or key a root may stand
