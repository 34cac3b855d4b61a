"""Hashes of content and of whole sources: the intake hash, and an image's stored hash against its medium."""

from __future__ import annotations

import hashlib
from typing import Any, BinaryIO, cast

from wigmore.evidence.ewf import Acquisition
from wigmore.evidence.ewf_media import EwfMedia
from wigmore.evidence.media import Media
from wigmore.evidence.store import PIECE, Entry
from wigmore.model.canonical import canonical, sha256
from wigmore.model.protocols import Gap, ParseError

ALGORITHMS = ("md5", "sha1", "sha256")


def hash_stream(stream: BinaryIO) -> dict[str, Any]:
    """MD5, SHA-1, SHA-256 (hex) and size of what is left of a stream, in one pass."""
    digests = [hashlib.new(name) for name in ALGORITHMS]
    size = 0
    while piece := stream.read(PIECE):
        size += len(piece)
        for digest in digests:
            digest.update(piece)
    return {**{name: digest.hexdigest() for name, digest in zip(ALGORITHMS, digests, strict=True)}, "size": size}


def hash_source(spec: Any, *, media: bool = True) -> dict[str, Any]:
    """The intake hash of a source: every file it stands on, and the medium of an image against its stored hash.

    A folder gives `{kind: tree, manifest_sha256, files, bytes, unreadable}`, the SHA-256 over the canonical JSON of the
    sorted rows [path, size, sha256]. A file gives `{kind, container_sha256, segments}` (path, size and hashes each);
    an image adds `{media_size, media_md5, media_sha1, media_sha256, stored_md5, stored_sha1, stored_ok}` unless `media`
    is off; `stored_ok` is None where nothing is stored, `media_error` says why the medium could not be read through and
    `media_damaged` where (E01).
    """
    from wigmore.evidence.source import open_source

    with open_source(spec) as source:
        return hash_tree(source) if source.is_folder else hash_container(source, media=media)


def hash_tree(source: Any) -> dict[str, Any]:
    """The manifest hash of a folder source: links by their target, unreadable files by name only."""
    store = source.open_store("")
    rows: list[list[Any]] = []
    unreadable: list[str] = []
    total = 0
    for entry in store.entries():
        if isinstance(entry, Gap):
            unreadable.append(entry.message)
        elif entry.kind == "link":
            rows.append([entry.path, 0, f"link:{entry.link_target}"])
        elif entry.readable:
            try:
                with store.file(entry).open() as stream:
                    found = _sha256(stream)
            except (ParseError, OSError) as error:
                unreadable.append(f"{entry.path}: {error}")
                rows.append([entry.path, entry.size, ""])
                continue
            rows.append([entry.path, found[1], found[0]])
            total += found[1]
    rows.sort()
    digest = sha256(canonical(rows))
    return {"kind": "tree", "manifest_sha256": digest, "files": len(rows), "bytes": total, "unreadable": unreadable}


def _sha256(stream: BinaryIO) -> tuple[str, int]:
    digest, size = hashlib.sha256(), 0
    while piece := stream.read(PIECE):
        digest.update(piece)
        size += len(piece)
    return digest.hexdigest(), size


def hash_container(source: Any, *, media: bool) -> dict[str, Any]:
    """The hashes of a single-file source and of the files that belong to it."""
    store = source.open_store("")
    entry = next(iter(store.entries()))
    if not isinstance(entry, Entry):
        raise ParseError(source.spec.source_id, None, entry.message)
    file = store.file(entry)
    kind, opened, problem = source.medium_of(file)
    paths = opened.segments if opened is not None else source.segment_paths(file)
    segments = []
    for path in paths:
        found = store.find(path)
        if found is not None:
            with store.file(found).open() as stream:
                segments.append({"path": path, **hash_stream(stream)})
    rows = [[segment["path"], segment["size"], segment["sha256"]] for segment in segments]
    whole = segments[0]["sha256"] if len(segments) == 1 else sha256(canonical(rows))
    result: dict[str, Any] = {"kind": kind or "file", "container_sha256": whole, "segments": segments}
    if opened is None:
        return result if kind is None else {**result, "media_error": problem}
    with opened:
        stored = source.acquisition(file, paths)
        result |= {
            "media_size": opened.size,
            "stored_md5": stored.md5 or None,
            "stored_sha1": stored.sha1 or None,
            "stored_ok": None,
        }
        if media:
            result |= _verified(opened, stored, segments[0] if kind == "raw" else None)
    return result


def _verified(opened: Media, stored: Acquisition, same: dict[str, Any] | None) -> dict[str, Any]:
    """Hashes of a medium (`same`: already known, the medium is the file) and whether they are the stored ones."""
    found = same
    if found is None:
        try:
            opened.seek(0)
            found = hash_stream(cast(BinaryIO, opened))
        except (OSError, ParseError) as error:
            result: dict[str, Any] = {"media_error": str(error)[:400]}
            result["stored_ok"] = False if stored.md5 or stored.sha1 else None
            if isinstance(opened, EwfMedia):
                result["media_damaged"] = [{"offset": start, "length": length} for start, length in opened.damaged()]
            return result
    checks = [found[name] == value for name, value in (("md5", stored.md5), ("sha1", stored.sha1)) if value]
    return {f"media_{name}": found[name] for name in ALGORITHMS} | {"stored_ok": all(checks) if checks else None}
