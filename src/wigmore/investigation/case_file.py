"""case.yaml: what the examiner wrote; scalars are read as text, then validated."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from wigmore.evidence.secret import KEY_FILE, MAX_KEY_FILE
from wigmore.model.canonical import identify
from wigmore.model.clocks import END, ClockError, Interval, bound, read_intervals
from wigmore.model.nouns import SOURCE_TYPES

KEYS = frozenset(
    "case title examiner authority questions sources scope secrets keywords hashsets yara sigma iocs rules local_only "
    "pictures_may_leave".split()
)
SOURCE_KEYS = frozenset(
    "id path label type platform access_mode container_sha256 media exhibit acquisition clocks timezone owner custodian".split()
)


class CaseFileError(ValueError):
    """A case file that cannot be used: names file, key and remedy."""


@dataclass(frozen=True)
class SourceEntry:
    """One source as the case file names it."""

    id: str
    path: Path
    label: str = ""
    type: str = ""
    platform: str = ""
    container_sha256: str = ""
    media: dict[str, str] = field(default_factory=dict)
    exhibit: str = ""
    acquisition: dict[str, Any] = field(default_factory=dict)
    clocks: tuple[dict[str, Any], ...] = ()
    timezone: str = ""
    owner: str = ""

    @property
    def intervals(self) -> tuple[Interval, ...]:
        """What `clocks` states, in order of time."""
        return read_intervals(self.clocks)

    @property
    def acquired(self) -> int | None:
        """When the acquisition was made, in µs UTC (of a day, its end); None where the case file names no such time."""
        try:
            at = bound("at", self.acquisition.get("at"), END, True)
        except ClockError:
            return None  # a remark in words
        return None if at == END else at


@dataclass(frozen=True)
class CaseFile:
    """A validated case file."""

    folder: Path
    case: str
    title: str
    examiner: dict[str, str]
    authority: Any
    questions: tuple[dict[str, str], ...]
    sources: tuple[SourceEntry, ...]
    exclude: tuple[str, ...]
    scope_from: str
    scope_to: str
    secrets: dict[str, dict[str, str]]
    rules: tuple[Path, ...]
    local_only: bool
    sigma: tuple[Path, ...] = ()  # folders of Sigma rules
    lists: tuple[tuple[str, str], ...] = ()  # kind and path as written: keywords, known_bad, known_good, yara, iocs
    password_recovery: bool = False  # the authority covers looking for passwords
    pictures_may_leave: bool = False  # models that are not on this machine may be shown pictures


def _plain(node: Any) -> Any:
    """A YAML node tree with every scalar as the text that was written."""
    import yaml

    if isinstance(node, yaml.MappingNode):
        entries = [(str(_plain(key)), _plain(value)) for key, value in node.value]
        if twice := next((key for n, (key, _) in enumerate(entries) if key in dict(entries[:n])), None):
            raise yaml.YAMLError(f"`{twice}` stands twice in one mapping: what the first says would be lost")
        return dict(entries)
    if isinstance(node, yaml.SequenceNode):
        return [_plain(item) for item in node.value]
    if node is None:
        return None
    return None if node.tag == "tag:yaml.org,2002:null" else str(node.value)


def _compose(text: str) -> Any:
    """The YAML node tree of a text; a `?` inside a plain scalar of a flow mapping is text, as in YAML 1.2."""
    import yaml

    class Loader(yaml.SafeLoader):
        in_plain = False

        def scan_plain(self) -> Any:
            self.in_plain = True
            try:
                return super().scan_plain()
            finally:
                self.in_plain = False

        def peek(self, index: int = 0) -> str:
            found = str(super().peek(index))
            return "_" if self.in_plain and found == "?" else found  # only compared here, never taken

    return yaml.compose(text, Loader=Loader)


def read_case(folder: Path) -> CaseFile:
    """Read and validate `folder/case.yaml`; raises CaseFileError naming place and remedy."""
    import yaml

    file = folder / "case.yaml"
    try:
        values = _plain(_compose(file.read_text(encoding="utf-8")))
    except FileNotFoundError as error:
        raise CaseFileError(f"{file}: there is no case file; `wigmore new {folder} EVIDENCE…` makes one") from error
    except (OSError, UnicodeDecodeError, RecursionError, yaml.YAMLError) as error:
        raise CaseFileError(f"{file}: cannot be read: {error}") from error
    if not isinstance(values, dict):
        raise CaseFileError(f"{file}: must be a mapping of keys")
    if unknown := sorted(set(values) - KEYS):
        raise CaseFileError(f"{file}: unknown keys {', '.join(unknown)}; known: {', '.join(sorted(KEYS))}")
    if not values.get("case"):
        raise CaseFileError(f"{file}: `case` (the case's number or name) is missing")
    for key in ("scope", "secrets"):
        if values.get(key) and not isinstance(values[key], dict):
            raise CaseFileError(f"{file}: `{key}` must be a mapping, not {type(values[key]).__name__}")
    for key in ("questions", "sources"):
        if values.get(key) and not isinstance(values[key], list):
            raise CaseFileError(f"{file}: `{key}` must be a list (each entry begins with `- `)")
    _check_secrets(file, values.get("secrets") or {})
    authority, recovery = _authority(file, values.get("authority"))
    scope = values.get("scope") or {}
    if unknown := sorted(set(scope) - {"from", "to", "exclude"}):
        raise CaseFileError(f"{file}: scope: unknown keys {', '.join(unknown)}; known: exclude, from, to")
    return CaseFile(
        folder=folder,
        case=values["case"],
        title=values.get("title") or values["case"],
        examiner=_named(values.get("examiner")),
        authority=authority,
        questions=_questions(file, values.get("questions") or ()),
        sources=_sources(file, values.get("sources") or ()),
        exclude=tuple(_list(scope.get("exclude"))),
        scope_from=scope.get("from") or "",
        scope_to=scope.get("to") or "",
        secrets=values.get("secrets") or {},
        rules=tuple((folder / r).resolve() for r in _list(values.get("rules"))),
        sigma=tuple((folder / path).resolve() for path in _list(values.get("sigma"))),
        lists=_lists(file, values),
        local_only=_yes(values.get("local_only")),
        password_recovery=recovery,
        pictures_may_leave=_stated(file, "pictures_may_leave", values.get("pictures_may_leave")),
    )


def _named(value: Any) -> dict[str, str]:
    return value if isinstance(value, dict) else {"name": str(value)} if value else {}


def _yes(value: Any) -> bool:
    return str(value or "false").lower() in ("true", "yes", "on", "1")


def _stated(file: Path, name: str, value: Any) -> bool:
    """Yes or no; raises CaseFileError for what is neither."""
    if str(value or "false").lower() not in ("true", "yes", "on", "1", "false", "no", "off", "0"):
        raise CaseFileError(f"{file}: {name} must be true or false")
    return _yes(value)


def _authority(file: Path, value: Any) -> tuple[Any, bool]:
    """(the order or consent as text, whether it covers recovering passwords); a text alone covers none."""
    if not isinstance(value, dict):
        return value or "", False
    allowed = _stated(file, "authority: password_recovery", value.get("password_recovery"))
    stated = {key: text for key, text in value.items() if key != "password_recovery"}
    return (stated.get("order") or "" if set(stated) <= {"order"} else stated), allowed


def _check_secrets(file: Path, values: dict[str, Any]) -> None:
    """A secret stands elsewhere: refused where one is written out, without repeating it."""
    for source_id, named in values.items():
        if not isinstance(named, dict):
            raise CaseFileError(f"{file}: secrets: {source_id} must be a mapping of names to env:NAME or file:PATH")
        for name, reference in named.items():
            if not isinstance(reference, str) or not reference.startswith(("env:", "file:", "keyfile:")):
                raise CaseFileError(
                    f"{file}: secrets: {source_id}: {name} is given as env:NAME or file:PATH (keyfile:PATH for a key "
                    "file), never written into the case file"
                )


def _lists(file: Path, values: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    """The examiner's lists by kind, as paths; a relative path is meant from the case folder."""
    sets = values.get("hashsets") or {}
    if not isinstance(sets, dict) or set(sets) - {"known_bad", "known_good"}:
        raise CaseFileError(f"{file}: hashsets: a mapping of known_bad and known_good to files")
    named = {kind: values.get(kind) for kind in ("keywords", "yara", "iocs")} | dict(sets)
    out = []
    for kind, value in sorted(named.items()):
        if isinstance(value, dict):
            raise CaseFileError(f"{file}: {kind} must be a path, or a list of paths")
        out += [(kind, path) for path in _list(value)]
    return tuple(out)


def _list(value: Any) -> list[str]:
    return [] if value is None else [str(v) for v in value] if isinstance(value, list) else [str(value)]


def _questions(file: Path, values: Iterable[Any]) -> tuple[dict[str, str], ...]:
    """The questions, each under an id of its own: an answer is kept under it."""
    out = tuple(_question(file, n, q) for n, q in enumerate(values))
    names = [q["id"] for q in out]
    for number, name in enumerate(names):
        if name in names[:number]:
            raise CaseFileError(f"{file}: questions[{number}]: the id {name!r} stands twice")
        if name.startswith("std-"):
            raise CaseFileError(f"{file}: questions[{number}]: ids that begin with std- are those of the answer sheet")
    return out


def _question(file: Path, number: int, value: Any) -> dict[str, str]:
    if isinstance(value, str):
        return {"id": f"Q{number + 1}", "ask": value}
    if not isinstance(value, dict) or not value.get("ask"):
        raise CaseFileError(f"{file}: questions[{number}] needs `ask`")
    return {"id": str(value.get("id") or f"Q{number + 1}"), "ask": str(value["ask"])}


def _sources(file: Path, values: Iterable[Any]) -> tuple[SourceEntry, ...]:
    out: list[SourceEntry] = []
    for number, value in enumerate(values):
        where = f"{file}: sources[{number}]"
        if not isinstance(value, dict) or not value.get("path"):
            raise CaseFileError(f"{where} needs a path")
        if unknown := sorted(set(value) - SOURCE_KEYS):
            raise CaseFileError(f"{where}: unknown keys {', '.join(unknown)}; known: {', '.join(sorted(SOURCE_KEYS))}")
        if value.get("type") and value["type"] not in SOURCE_TYPES:
            raise CaseFileError(f"{where}: unknown type {value['type']!r}; one of {', '.join(SOURCE_TYPES)}")
        for key, kind in (("clocks", list), ("acquisition", dict)):
            if value.get(key) and not isinstance(value[key], kind):
                raise CaseFileError(f"{where}: `{key}` must be a {'list' if kind is list else 'mapping'}")
        try:
            read_intervals(value.get("clocks") or ())
        except ClockError as error:
            raise CaseFileError(f"{where}: clocks: {error}") from error
        path = Path(os.path.expanduser(value["path"]))
        path = path if path.is_absolute() else (file.parent / path)
        name = value.get("id") or source_id_for(path, {s.id for s in out})
        if any(s.id == name for s in out):
            raise CaseFileError(f"{where}: the id {name!r} stands twice")
        labels = {s.label for s in out}
        if value.get("label") in labels:  # hypotheses about a source are told apart by its label
            raise CaseFileError(f"{where}: the label {value['label']!r} stands twice: give each source one of its own")
        out.append(
            SourceEntry(
                name,
                path,
                value.get("label") or (f"{path.name} ({name})" if path.name in labels else path.name),
                value.get("type") or "",
                value.get("platform") or "",
                (value.get("container_sha256") or "").lower(),
                {k: v.lower() for k, v in (value.get("media") or {}).items()},
                value.get("exhibit") or "",
                value.get("acquisition") or {},
                tuple(value.get("clocks") or ()),
                value.get("timezone") or "",
                value.get("owner") or value.get("custodian") or "",
            )
        )
    return tuple(out)


def source_id_for(path: Path, taken: set[str]) -> str:
    """`src-…` from a file's name, unique among those taken."""
    stem = "".join(c if c.isalnum() else "-" for c in path.name.lower()).strip("-")[:40] or "source"
    name = f"src-{stem}"
    return name if name not in taken else identify(name, str(path), length=6)


def secret(reference: str, folder: Path) -> str:
    """The secret behind `env:NAME` or `file:PATH`; raises CaseFileError naming the reference, never the secret.

    Text without the line end, as it would be typed in; `keyfile:PATH` takes the file's bytes as they are.
    """
    kind, _, rest = reference.partition(":")
    if kind == "env" and rest:
        value = os.environ.get(rest)
        if value is None:
            raise CaseFileError(f"secret {reference}: the environment variable is not set")
        return value
    if kind in ("file", "keyfile") and rest:
        try:
            with (folder / rest).open("rb") as stream:
                raw = stream.read(MAX_KEY_FILE)
        except OSError as error:
            raise CaseFileError(f"secret {reference}: the file cannot be read") from error
        try:
            return raw.decode("utf-8").strip() if kind == "file" else KEY_FILE + raw.hex()
        except UnicodeDecodeError:
            return KEY_FILE + raw.hex()  # no text: a key file
    raise CaseFileError("a secret is given as env:NAME or file:PATH, never in the case file itself")
