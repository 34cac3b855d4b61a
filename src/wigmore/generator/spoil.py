"""Missing and damaged artifacts: files of a generated case, on which no truth rests, are left out or damaged."""

from __future__ import annotations

import os

from wigmore.generator.case import Case
from wigmore.generator.damage import mutants


def spoil(case: Case, missing: int, damaged: int) -> None:
    """Leave out and damage that many files of folder sources, drawn from the case's seed, their times kept.

    Spared are files that a planted truth or a decoy names, and those the scenario `needs` for an absence to mean something.
    """
    spared = {(item.source, item.path) for item in case.planted} | {(item.source, item.path) for item in case.decoys}
    spared |= case.needed
    free = []
    for source in case.sources:
        folder = case.target / source.path
        for file in sorted(folder.rglob("*")) if folder.is_dir() else ():
            name = file.relative_to(folder).as_posix()
            if file.is_file() and file.stat().st_size and not _rests(source.id, name, spared):
                free.append(file)
    dice = case.world.random("spoil")
    chosen = dice.sample(free, min(len(free), missing + damaged))
    for file in chosen[:missing]:
        file.unlink()
    for file in chosen[missing:]:
        kept = file.stat()
        copies = list(mutants(file.read_bytes(), 3, dice.randrange(2**31)))
        file.write_bytes(dice.choice(copies)[1])
        os.utime(file, ns=(kept.st_atime_ns, kept.st_mtime_ns))


def _rests(source: str, name: str, spared: set[tuple[str, str]]) -> bool:
    """Whether a file is spared, holds what is (an archive), or lies beside a database that is (its journal, its log)."""
    return any(
        source == owner and (path == name or path.startswith(name + "/") or name.startswith((path + "-", path + ".")))
        for owner, path in spared
    )
