"""Windows shortcuts (.lnk)."""

from __future__ import annotations

from collections.abc import Iterator

from wigmore.artifacts.windows.link import HEADER, read_link
from wigmore.model.protocols import EvidenceFile, Gap, ParseError, Record, Yield
from wigmore.registry import Claim, parser

LIMIT = 64 * 1024 * 1024


@parser(
    "windows.lnk",
    claims=Claim(paths=("*.lnk",), magic=((0, HEADER),)),
    reads="*.lnk shell links",
    means=(
        "A shortcut to this target stands here. It holds the target's path, size and times, its volume and the "
        "machine's "
        "name as they were when the shortcut was last written; in a Recent folder the shell of that account noted an "
        "opening, creating or saving of an item of this name."
    ),
    does_not_mean=(
        "That the content was seen, that the target still exists, or (outside Recent) that anything was opened: most "
        "shortcuts are installed. Target times are copies from the target's file system, not times of use; an address "
        "in a droid may be of a virtual or random card and need not be this machine's."
    ),
    refs=("MS-SHLLINK", "https://github.com/libyal/liblnk", "https://github.com/libyal/libfwsi"),
    version=2,
)
def shell_link(file: EvidenceFile) -> Iterator[Yield]:
    """The link as one record; FILETIMEs with seven digits, item times to 2 s. Format: MS-SHLLINK."""
    content = file.read(LIMIT)
    if not content:
        return
    try:
        link = read_link(content)
    except ValueError as error:
        raise ParseError(
            file.path, 0, str(error), "truncated" if HEADER.startswith(content[:20]) else "damaged"
        ) from error
    for problem in link.problems:
        yield Gap(problem, link.end)
    dated = next(
        (name for name in ("target_modified", "target_created", "target_accessed") if name in link.times), None
    )
    yield (
        {"kind": "offset", "offset": 0, "length": link.end},
        Record(link.data, link.times, dated),  # machine_id names the target's machine, not the one this file is of
    )
