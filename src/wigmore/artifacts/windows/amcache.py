"""Amcache.hve: the hive in which Windows keeps its inventory of program files, programs, drivers and devices."""

from __future__ import annotations

from collections.abc import Iterator

from wigmore.artifacts.windows.registry.kinds import stored_name
from wigmore.artifacts.windows.registry.opening import opened
from wigmore.artifacts.windows.registry.parser import not_amcache, read
from wigmore.artifacts.windows.registry.semantics import families
from wigmore.model.protocols import EvidenceFile, Yield
from wigmore.registry import Claim, parser


def is_amcache(head: bytes, path: str, size: int) -> bool:
    """Whether the file's name or the name stored in the hive is Amcache's; its transaction logs are not meant."""
    named = path.lower().endswith("amcache.hve") or stored_name(head).lower().endswith("amcache.hve")
    return named and head[28:32] == b"\0\0\0\0" and not not_amcache(head, path, size)


@parser(
    "windows.amcache",
    claims=Claim(magic=((0, b"regf"),), look=is_amcache),
    reads="Windows/AppCompat/Programs/Amcache.hve (Windows 7 with update, 8 and later), with its transaction logs",
    means="a file, program, driver or device was on this machine when the inventory (or older recorder) noted it",
    does_not_mean="that the program ran; the key's time is the inventory's; SHA-1 covers at most the first 30 MiB",
    refs=(
        "https://www.ssi.gouv.fr/uploads/2019/01/anssi-coriin_2019-analysis_amcache.pdf",
        "https://github.com/libyal/winreg-kb",
        "https://github.com/msuhanov/regf",
    ),
    artifacts=(
        "windows.amcache",
        "windows.registry.hive",
        *dict.fromkeys(family.artifact for family in families() if "AMCACHE" in family.kinds),
    ),
    version=2,
    limit_seconds=300.0,
)
def amcache(file: EvidenceFile) -> Iterator[Yield]:
    """Semantic records of an Amcache hive; a hive of another kind under this name is read as a registry hive."""
    with opened(file) as hive:
        yield from read(hive, with_keys=hive.hive.kind != "AMCACHE")
