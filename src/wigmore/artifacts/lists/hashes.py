"""Hash sets of the examiner: files whose content is on a known-bad or a known-good list."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any

from wigmore.artifacts.lists.entries import named, note
from wigmore.artifacts.lists.hash_list import ALGORITHMS, read_known_bad, read_known_good
from wigmore.model.lists import ListError, current
from wigmore.model.protocols import EvidenceFile, ParseError, ReadThrough, Record, Recorder, Yield
from wigmore.registry import Claim, parser


def hashes_of(file: EvidenceFile) -> Mapping[str, str]:
    """MD5, SHA-1 and SHA-256 of a file: as extraction computed them, else computed here."""
    if isinstance(file, ReadThrough):
        return file.hashes
    digests = {name: hashlib.new(name) for name in ALGORITHMS.values()}
    with file.open() as stream:
        while piece := stream.read(1024 * 1024):
            for digest in digests.values():
                digest.update(piece)
    return {name: digest.hexdigest() for name, digest in digests.items()}


@parser(
    "lists.hashes",
    claims=Claim(look=lambda head, path, size: size > 0 and bool(current().of("known_bad", "known_good"))),
    beside=True,
    lists=("known_bad", "known_good"),
    limit_seconds=900,
    artifacts=("lists.known_bad", "lists.known"),
    reads="files with content, where the case names hash sets: MD5, SHA-1, SHA-256",
    means="the file's content has a hash that stands on the examiner's list of known bad (or known good) files",
    does_not_mean="that the file was started, opened or noticed by anyone; that the list is right to call it bad or good; that "
    "two files with one MD5 or SHA-1 are the same where somebody made them collide",
    refs=("RFC 1321", "FIPS 180-4", "NIST NSRL: Reference Data Set file formats", "GNU coreutils: md5sum, sha256sum"),
)
def hash_sets(file: EvidenceFile) -> Iterator[Yield]:
    """One record for each known-bad list that holds the file's hash; one record where known-good lists hold it."""
    try:
        bad = current().made(read_known_bad, "known_bad")
        good = current().made(read_known_good, "known_good")
    except ListError as error:
        raise ParseError(file.path, None, str(error), "unsupported") from error
    yield Recorder("on", note=note([*bad.readings, *good.readings]))
    hashes = hashes_of(file)
    whole = {"kind": "offset", "offset": 0, "length": file.size}
    for algorithm in ("sha256", "sha1", "md5"):
        for listed in bad.hashes.get(hashes[algorithm], ()):
            data: dict[str, Any] = {
                "known": "bad",
                "algorithm": algorithm,
                "hash": hashes[algorithm],
                "label": listed.label,
            }
            data |= {"sha256": hashes["sha256"], **named(listed.file), "line": listed.line}
            kept = {name: value for name, value in data.items() if value != ""}
            locator = {**whole, "list": listed.file.sha256[:16], "algorithm": algorithm}
            yield locator, Record(kept, artifact="lists.known_bad")
    for of_list, drawers in good.sets:
        for algorithm in ("sha256", "sha1", "md5"):
            if bytes.fromhex(hashes[algorithm]) in drawers[algorithm]:
                known = {"known": "good", "algorithm": algorithm, "hash": hashes[algorithm], **named(of_list)}
                yield {**whole, "list": of_list.sha256[:16]}, Record(known, artifact="lists.known")
                break
