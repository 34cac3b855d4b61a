"""YARA rules of the examiner, run over each file with yara-x; hits with the places of their strings."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from wigmore.artifacts.lists.entries import OPENED, is_opened, named, note
from wigmore.artifacts.lists.yara_list import read_yara
from wigmore.model.lists import ListError, current
from wigmore.model.protocols import EvidenceFile, Gap, ParseError, Record, Recorder, Yield
from wigmore.registry import Claim, parser

LARGEST = 256 * 1024 * 1024  # rules ask about the whole file: it is held while they run
SECONDS = 60
MATCHES = 1000  # of one pattern; past them yara-x stops counting
SHOWN_OF_PATTERN = 10
SHOWN_OF_RULE = 50
MOST_RULES = 500  # rules that match one file and get a record
SHOWN_BYTES = 48


@parser(
    "lists.yara",
    claims=Claim(look=lambda head, path, size: bool(current().of("yara")), free_space=True),
    beside=True,
    lists=("yara",),
    limit_seconds=300,
    artifacts=("lists.yara_hit",),
    reads="files with content up to 256 MiB, where the case names a folder of YARA rules",
    means="the conditions of this rule hold for the bytes of this file",
    does_not_mean="that the file is what the rule is named after; that it was started; that files without a hit are harmless",
    refs=("YARA-X documentation (virustotal.github.io/yara-x)", "YARA documentation: writing rules"),
)
def yara(file: EvidenceFile) -> Iterator[Yield]:
    """One record a rule that matches: rule, namespace, tags, meta, strings with their offsets (bounded)."""
    import yara_x

    try:
        sought = current().made(read_yara, "yara")
    except ListError as error:
        raise ParseError(file.path, None, str(error), "unsupported") from error
    yield Recorder("on", note=note(sought.readings) + (OPENED if is_opened(file) else ""))
    if sought.rules is None or is_opened(file):
        return
    content = file.read(LARGEST)
    scanner: Any = yara_x.Scanner(sought.rules)
    scanner.set_timeout(SECONDS)
    scanner.max_matches_per_pattern(MATCHES)
    name = file.path.rsplit("/", 1)[-1]
    scanner.set_global("filename", name)
    scanner.set_global("filepath", "/" + file.path)
    scanner.set_global("extension", f".{name.rpartition('.')[2]}" if "." in name else "")
    try:
        matching = scanner.scan(content).matching_rules
    except yara_x.TimeoutError as error:
        raise ParseError(file.path, None, f"the rules took more than {SECONDS} s", "timeout") from error
    except yara_x.ScanError as error:
        raise ParseError(file.path, None, " ".join(str(error).split())[:300]) from error
    hits = sorted(matching, key=lambda rule: (rule.namespace, rule.identifier))
    for rule in hits[:MOST_RULES]:
        strings, count, capped = _strings(rule, content)
        listed = sought.files[rule.namespace]
        first = min((s["offset"] for s in strings), default=0)
        length = next((s["length"] for s in strings if s["offset"] == first), len(content))
        data: dict[str, Any] = {"rule": rule.identifier, "namespace": rule.namespace, "string_matches": count}
        if capped:
            data["string_matches_at_least"] = True
        if rule.tags:
            data["tags"] = [str(tag) for tag in rule.tags[:50]]
        if rule.metadata:
            data["meta"] = _meta(rule.metadata)
        if strings:
            data["strings"] = strings
        locator = {"kind": "offset", "offset": first, "length": length, "list": listed.sha256[:16]}
        yield {**locator, "rule": rule.identifier}, Record({**data, **named(listed)}, artifact="lists.yara_hit")
    if len(hits) > MOST_RULES:
        yield Gap(f"{len(hits)} rules match; {MOST_RULES} are recorded", None, "too_large")


def _meta(metadata: Any) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for name, value in metadata[:50]:
        out.setdefault(str(name), value if isinstance(value, (bool, int, float)) else _text(value)[:500])
    return out


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _strings(rule: Any, content: bytes) -> tuple[list[dict[str, Any]], int, bool]:
    """The matches that are shown, in order of pattern and place; how many there are; whether there may be more."""
    out: list[dict[str, Any]] = []
    count, capped = 0, False
    for pattern in rule.patterns:
        matches = pattern.matches
        count += len(matches)
        capped = capped or len(matches) >= MATCHES
        for match in matches[: min(SHOWN_OF_PATTERN, SHOWN_OF_RULE - len(out))]:
            found = content[match.offset : match.offset + min(match.length, SHOWN_BYTES)]
            shown: dict[str, Any] = {"string": pattern.identifier, "offset": match.offset, "length": match.length}
            shown["text" if found.isascii() and found.decode("latin-1").isprintable() else "hex"] = (
                found.decode("ascii") if found.isascii() and found.decode("latin-1").isprintable() else found.hex()
            )
            if match.xor_key:
                shown["xor_key"] = match.xor_key
            out.append(shown)
    return out, count, capped
