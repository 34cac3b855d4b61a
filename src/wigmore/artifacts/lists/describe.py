"""What of a list can be used: for the coverage rows of a run and for `wigmore check`."""

from __future__ import annotations

from wigmore.artifacts.lists.entries import Reading
from wigmore.artifacts.lists.hash_list import rows
from wigmore.artifacts.lists.ioc_list import read_indicators
from wigmore.artifacts.lists.keyword_list import read_keywords
from wigmore.artifacts.lists.yara_list import read_yara
from wigmore.model.lists import ListError, ListFile


def describe(file: ListFile) -> Reading:
    """Read one list: its usable entries counted, the others named; a list that cannot be read has none."""
    try:
        if file.kind == "keywords":
            return read_keywords((file,)).readings[0]
        if file.kind == "yara":
            return read_yara((file,)).readings[0]
        if file.kind == "iocs":
            return read_indicators((file,)).readings[0]
        reading = Reading(file)
        for _ in rows(file, reading):
            pass
        return reading
    except ListError as error:
        reading = Reading(file)
        reading.refuse("the list", str(error))
        return reading
