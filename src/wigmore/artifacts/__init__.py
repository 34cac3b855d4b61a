"""Artifact parsers: bytes of one file to typed records, one file an artifact, folders by platform.

A parser is a generator function under `@parser`. It is given an EvidenceFile and yields `(locator, Record)`; `Gap` for a
part it could not read while it goes on; at most one `Recorder`. It raises ParseError where it cannot go on: rows
already yielded are kept, the coverage row says `failed` or incomplete with the reason. It never swallows an error,
never writes, never holds a whole artifact's records in memory. It observes; what follows from it is a rule's business.
"""
