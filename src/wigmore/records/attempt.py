"""Passwords tried at one container, in a worker."""

from __future__ import annotations

from collections.abc import Sequence

from wigmore.evidence.archives import container_kind, open_archive
from wigmore.evidence.images import image_kind, open_media
from wigmore.evidence.secret import Secret
from wigmore.evidence.source import Source
from wigmore.evidence.volumes import lay_out
from wigmore.model.protocols import EvidenceFile, Gap, Locator, ParseError, Record

HEAD = 65536


def fitting(source: Source, path: str, candidates: Sequence[str]) -> int | None:
    """The index of the candidate that opens the container at `path`, None where none does.

    ParseError where the file is no container, is damaged, or cannot be tried here.
    """
    file = source.file_at(path)
    secrets = tuple(Secret(text, str(number)) for number, text in enumerate(candidates))
    for _, record in said(file, secrets, source)[0]:
        name = record.data.get("secret_name")
        if name is not None and str(name).isdigit():
            return int(name)
    return None


def said(
    file: EvidenceFile, secrets: tuple[Secret, ...], source: Source
) -> tuple[list[tuple[Locator, Record]], list[Gap]]:
    """What a container says of itself under these secrets: its records and gaps."""
    with file.open() as stream:
        head = stream.read(HEAD)
    kind = image_kind(head, file)
    archive = container_kind(head, file) if kind is None else None
    if archive is not None:
        store = open_archive(file, file.path, source.limits, secrets)
        try:
            return list(store.records), list(store.gaps)
        finally:
            store.close()
    media = open_media(file, kind)
    try:
        layout = lay_out(media, file.path, secrets)
    finally:
        media.close()
    return list(layout.records), list(layout.gaps)


def protection(source: Source, path: str) -> str:
    """What protects the container at `path`; ParseError (unsupported) where nothing does or it is open already."""
    file = source.file_at(path)
    records, gaps = said(file, (), source)
    for _, record in records:
        data = record.data
        if data.get("locked") and (data.get("encrypted") or data.get("encryption")):
            shown = [str(data[key]) for key in ("encryption", "cipher", "kdf", "hash") if data.get(key)]
            return ", ".join(dict.fromkeys(shown))
    reason = "; ".join(gap.message for gap in gaps[:3])
    raise ParseError(
        path, None, f"nothing here that a password would open{': ' + reason if reason else ''}", "unsupported"
    )
