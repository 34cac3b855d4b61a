"""Full-text search over all records: a tantivy index beside the case, a cache made from the parts and anew where they differ.

A document is a record: its path, its fields' values and its times' texts. Words are compared without case; all of them must
occur; "a phrase" in quotation marks occurs as it stands; a word with separators in it (an address, a path) is a phrase.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wigmore.records.store import Part, RecordStore, quoted

if TYPE_CHECKING:
    import tantivy

HEAP = 128 * 1024 * 1024  # bytes the writer may use before it writes a segment
LAYOUT = 1  # raised when what is indexed changes
SPARE = 200  # hits fetched beyond those shown, so that equal scores at the end order the same everywhere
LONGEST = 1_000_000  # characters of one record that are indexed
SPECIAL = re.compile(r"[^\w\s]", re.UNICODE)


class Search:
    """The index of a case's records; brought up to its parts when made."""

    def __init__(
        self, store: RecordStore, folder: Path, say: Callable[[str], None] = lambda _: None, threads: int = 2
    ) -> None:
        self.store = store
        self.folder = folder
        self.threads = threads
        self._index = self._opened()
        missing = self._missing()
        if missing is None:
            shutil.rmtree(folder)
            self._index, missing = self._opened(), list(store.parts)
        for number, part in enumerate(missing, 1):
            say(f"indexing {part.artifact} ({part.rows} records), part {number} of {len(missing)}")
            self._add(part)
        self._index.reload()

    def _opened(self) -> tantivy.Index:
        import tantivy

        self.folder.mkdir(parents=True, exist_ok=True)
        builder = tantivy.SchemaBuilder()
        builder.add_text_field("text")
        for name in ("record_id", "source_id", "artifact", "part"):
            builder.add_text_field(name, stored=True, tokenizer_name="raw")
        builder.add_text_field("path", stored=True, tokenizer_name="raw")
        return tantivy.Index(builder.build(), str(self.folder), reuse=True)

    def _missing(self) -> list[Part] | None:
        """The parts that are not in the index yet; None where it holds parts that are not the case's."""
        import tantivy

        searcher = self._index.searcher()
        marked = searcher.search(tantivy.Query.regex_query(self._index.schema, "part", ".+"), 1_000_000).hits
        known = {str(searcher.doc(address)["part"][0]) for _, address in marked}
        mine = {_name(p): p for p in self.store.parts}
        return None if known - set(mine) else [p for name, p in mine.items() if name not in known]

    def _add(self, part: Part) -> None:
        """Index one part; its marker is committed with it, so that a killed indexing leaves none half done."""
        import tantivy

        writer = self._index.writer(heap_size=HEAP, num_threads=self.threads)
        for row in self.store.stream(
            f"SELECT record_id, path, time_text, times, data FROM read_parquet({quoted(str(self.store.folder / part.file))})"
        ):
            document = tantivy.Document()
            document.add_text("text", "\n".join(_texts(row))[:LONGEST])
            document.add_text("record_id", row["record_id"])
            document.add_text("source_id", part.source_id)
            document.add_text("artifact", part.artifact)
            document.add_text("path", row["path"])
            writer.add_document(document)
        marker = tantivy.Document()
        marker.add_text("part", _name(part))
        writer.add_document(marker)
        writer.commit()
        writer.wait_merging_threads()

    def find(
        self, words: str, *, path: str = "", artifact: str = "", source_id: str = "", limit: int = 50
    ) -> tuple[list[dict[str, Any]], int]:
        """Stored rows of the records that hold all words, the closest first, and how many there are.

        `path` limits to what lies at or below it. Raises ValueError where the words hold nothing to look for.
        """
        import tantivy

        schema = self._index.schema
        parts: list[tuple[Any, Any]] = [(tantivy.Occur.Must, q) for q in self._queries(words)]
        if not parts:
            raise ValueError(f"{words!r} holds no word to search for")
        for name, value in (("artifact", artifact), ("source_id", source_id)):
            if value:
                parts.append((tantivy.Occur.Must, tantivy.Query.term_query(schema, name, value)))
        if path:
            below = _escaped(path.strip("/"))
            parts.append((tantivy.Occur.Must, tantivy.Query.regex_query(schema, "path", f"{below}(/.*)?")))
        return self._closest(parts, limit, source_id)

    def nearest(self, words: str, limit: int = 20) -> list[dict[str, Any]]:
        """Stored rows of the records that hold some of the words, those with more and rarer ones first."""
        import tantivy

        some = [(tantivy.Occur.Should, q) for q in self._queries(words)]
        return self._closest(some, limit, "")[0] if some else []

    def _closest(self, parts: list[tuple[Any, Any]], limit: int, source_id: str) -> tuple[list[dict[str, Any]], int]:
        """Stored rows of what meets some conditions, the closest first, and how many there are."""
        import tantivy

        searcher = self._index.searcher()
        found = searcher.search(tantivy.Query.boolean_query(parts), limit + SPARE, count=True)
        hits: list[tuple[float, str, str, str]] = []
        for score, address in found.hits:
            document = searcher.doc(address)
            record_id, where, kind = (str(document[name][0]) for name in ("record_id", "path", "artifact"))
            hits.append((-round(float(score), 4), record_id, where, kind))
        hits.sort()
        shown = hits[:limit]
        rows = self.store.by_id((h[1] for h in shown), {h[3] for h in shown}, source_id or None, (h[2] for h in shown))
        return [rows[h[1]] for h in shown if h[1] in rows], int(getattr(found, "count", None) or len(hits))

    def _queries(self, words: str) -> Iterator[Any]:
        """One query a word or quoted phrase."""
        import tantivy

        for quoted_phrase, word in re.findall(r'"([^"]*)"|(\S+)', words):
            tokens: list[str | tuple[int, str]] = []
            tokens += SPECIAL.sub(" ", (quoted_phrase or word).replace("_", " ")).lower().split()
            if len(tokens) == 1:
                yield tantivy.Query.term_query(self._index.schema, "text", tokens[0])
            elif tokens:
                yield tantivy.Query.phrase_query(self._index.schema, "text", tokens)


def _name(part: Part) -> str:
    return f"{LAYOUT}:{part.sha256}"


def _escaped(text: str) -> str:
    return "".join(c if c.isalnum() or ord(c) > 127 or c in "/ _" else f"\\{c}" for c in text)


def _texts(row: dict[str, Any]) -> Iterable[str]:
    """Everything of a record that words may stand in; `_` parts words."""
    yield row["path"].replace("_", " ")
    for part in (row["data"], row["times"]):
        for value in _leaves(json.loads(part)):
            yield value.replace("_", " ")


def _leaves(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for name, inner in value.items():
            if name not in ("zone_source", "precision", "owner"):  # of a time: the same in most
                yield from _leaves(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _leaves(inner)
    elif value is not None and not isinstance(value, bool):
        yield str(value)
