"""Cellebrite's report.xml read as a stream: models with their fields, files, and the sections about the extraction.

Such reports are larger than memory (hundreds of megabytes): only the open element's content is held.
Structure: public readers of the namespace http://pa.cellebrite.com/report/2.0 (SEilers/UFEDLib, iped, alephdata/ingest-file).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from xml.parsers import expat

from wigmore.model.protocols import EvidenceFile, Gap, ParseError

NAMESPACE = "http://pa.cellebrite.com/report/2.0"
PIECE = 256 * 1024
DEEPEST = 200
LONGEST = 1024 * 1024  # characters of one value
MOST_INSIDE = 100_000  # models, values and items that one thing may hold
APART = {("Chat", "Messages")}  # lists too long to be held: each model in them is given by itself


@dataclass(frozen=True, slots=True)
class Value:
    """One value: its text and the attributes of its element (type, format, formattedTimestamp)."""

    text: str
    attributes: dict[str, str]


@dataclass(slots=True)
class Node:
    """A model, a file, a section or another element of interest, with what it holds by name."""

    element: str
    attributes: dict[str, str]
    offset: int
    number: int
    values: dict[str, list[Value]] = field(default_factory=dict)
    models: dict[str, list[Node]] = field(default_factory=dict)
    above: Node | None = None  # for a model given by itself: the one that it belongs to, as far as it was read
    apart: int = 0  # models of this one that were given by themselves
    held: int = 0
    length: int = 0

    @property
    def kind(self) -> str:
        """The model's type."""
        return self.attributes.get("type", "")

    def text(self, name: str) -> str:
        """The first value of that name, empty where there is none."""
        found = self.values.get(name)
        return found[0].text if found else ""

    def texts(self, name: str) -> list[str]:
        """The values of that name."""
        return [value.text for value in self.values.get(name, ()) if value.text]


class _Reader:
    """Builds nodes from the events of the XML parser; finished ones wait in `ready`."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.ready: list[Node | Gap] = []
        self.names: list[str] = []  # open elements
        self.nodes: list[Node] = []  # open nodes
        self.fields: list[str] = []  # names of the open fields of models
        self.text: list[str] | None = None
        self.characters = 0
        self.attributes: dict[str, str] = {}
        self.count = 0
        self.parser = expat.ParserCreate()
        self.parser.buffer_text = True
        self.parser.StartElementHandler = self.start
        self.parser.EndElementHandler = self.end
        self.parser.CharacterDataHandler = self.said
        self.parser.EntityDeclHandler = self.refuse

    def refuse(self, *_: object) -> None:
        raise ParseError(self.path, self.parser.CurrentByteIndex, "declares entities", "unsupported")

    def open(self, element: str, attributes: dict[str, str]) -> None:
        self.count += 1
        self.nodes.append(Node(element, attributes, self.parser.CurrentByteIndex, self.count))

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        name = tag.rpartition(":")[2]
        if len(self.names) >= DEEPEST:
            raise ParseError(self.path, self.parser.CurrentByteIndex, f"elements deeper than {DEEPEST}", "depth")
        above = self.names[-1] if self.names else ""
        self.names.append(name)
        if name == "project" and not above:
            self.open(name, attributes)
            self.ready.append(self.nodes.pop())
        elif name in ("model", "file", "extractionInfo") or (
            name in ("metadata", "caseInformation", "image") and not self._inside("file", "model")
        ):
            self.open(name, attributes)
        elif name in ("field", "multiField", "modelField", "multiModelField") and self._inside("model"):
            self.fields.append(attributes.get("name", ""))
        if name in ("value", "item", "timestamp") or (name == "field" and above == "caseInformation"):
            self.text, self.characters, self.attributes = [], 0, attributes

    def _inside(self, *elements: str) -> bool:
        return bool(self.nodes) and self.nodes[-1].element in elements

    def said(self, text: str) -> None:
        if self.text is not None and self.characters < LONGEST:
            self.text.append(text[: LONGEST - self.characters])
            self.characters += len(text)

    def end(self, tag: str) -> None:
        name = tag.rpartition(":")[2]
        self.names.pop()
        if name in ("value", "item", "timestamp") or (name == "field" and self._inside("caseInformation")):
            self._value(name)
        if name in ("field", "multiField", "modelField", "multiModelField") and self._inside("model"):
            self.fields.pop()
        elif self.nodes and self.nodes[-1].element == name:
            self._close()

    def _value(self, name: str) -> None:
        text = "".join(self.text or ()).strip()
        self.text = None
        if not self.nodes or (name == "value" and not self.fields):
            return
        node = self.nodes[-1]
        key = (
            self.fields[-1] if name == "value" else self.attributes.get("name") or self.attributes.get("fieldType", "")
        )
        if self.characters > LONGEST:
            self.ready.append(
                Gap(f"a value of {key} is longer than {LONGEST} characters: cut", node.offset, "too_large")
            )
        if self._room(node):
            node.values.setdefault(key, []).append(Value(text, dict(self.attributes)))

    def _room(self, node: Node) -> bool:
        node.held += 1
        if node.held == MOST_INSIDE:
            self.ready.append(
                Gap(f"more than {MOST_INSIDE} values or models in one: the rest is left out", node.offset, "too_large")
            )
        return node.held < MOST_INSIDE

    def _close(self) -> None:
        node = self.nodes.pop()
        node.length = max(0, self.parser.CurrentByteIndex - node.offset)
        if node.element != "model" or not self._inside("model"):
            self.ready.append(node)
            return
        above, name = self.nodes[-1], self.fields[-1] if self.fields else ""
        if (above.kind, name) in APART:
            node.above = above
            above.apart += 1
            self.ready.append(node)
        elif self._room(above):
            above.models.setdefault(name, []).append(node)


def nodes(file: EvidenceFile) -> Iterator[Node | Gap]:
    """Every node in the order in which it ends; what stands before damage is given, then ParseError."""
    reader = _Reader(file.path)
    with file.open() as stream:
        while True:
            piece = stream.read(PIECE)
            try:
                reader.parser.Parse(piece, not piece)
            except expat.ExpatError as error:
                yield from reader.ready
                reason = "truncated" if not piece else "damaged"
                raise ParseError(
                    file.path, reader.parser.ErrorByteIndex, f"not well-formed XML: {error}", reason
                ) from error
            except (LookupError, ValueError) as error:  # of the encoding that the declaration names
                raise ParseError(file.path, 0, f"the encoding cannot be read: {error}") from error
            yield from reader.ready
            reader.ready.clear()
            if not piece:
                return
