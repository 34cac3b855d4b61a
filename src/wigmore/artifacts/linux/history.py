"""Shell histories: bash (with or without stamps), zsh extended, fish, and plain histories of other programs by name."""

from __future__ import annotations

import re
from collections.abc import Iterator

from wigmore.artifacts.logs.framework import place, text_format, unread
from wigmore.artifacts.logs.lines import Line, lines
from wigmore.model.protocols import EvidenceFile, Gap, Record, Yield
from wigmore.model.times import posix

STAMP = re.compile(r"#(\d{9,10})\s*$")
ZSH = re.compile(r": {1,2}(\d{9,10}):(\d{1,9});(.*)")
FISH = re.compile(r"- cmd: ?(.*)")
FISH_WHEN = re.compile(r" {2}when: (\d{1,11})\s*$")
_MEANS = "the shell kept this line in its history; with a stamp: at this time of the host's clock"
_NOT = (
    "that the command ran to its end or succeeded; a time where none is stored; the order across several shells "
    "(written at exit); "
    "that the file was not edited; who typed"
)
_LONGEST = 2000  # lines of one command


def _bash_score(listed: tuple[str, ...]) -> float:
    kept = [text for text in listed if text]
    stamps = [at for at, text in enumerate(kept) if STAMP.match(text)]
    if len(stamps) < 1 or len(kept) < 2:
        return 0.0
    followed = sum(1 for at in stamps if at + 1 >= len(kept) or not kept[at + 1].startswith("#"))
    return 0.5 + 0.5 * followed / len(stamps) if stamps[0] <= 20 and len(stamps) * 12 >= len(kept) else 0.0


def _command(texts: list[Line], stamp: Line | None, shell: str) -> tuple[dict[str, object], Record]:
    first, last = texts[0], texts[-1]
    start = stamp or first
    text = "\n".join(line.text for line in texts)
    data: dict[str, object] = {"command": text, "shell": shell}
    if any(line.fallback for line in texts):
        data["encoding"] = "latin-1 (assumed)"
    time = posix(int(STAMP.sub(r"\1", stamp.text))) if stamp else None
    locator = place(first, last.offset + last.length - first.offset)
    if stamp:
        locator["stamp_offset"] = start.offset
    return locator, Record(data, {"run_at": time} if time else {}, "run_at" if time else None)


@text_format(
    "linux.history",
    _bash_score,
    names=("*bash_history*", ".sh_history", ".ash_history", ".history"),
    artifacts=("linux.history",),
    weight=0.8,
    reads=".bash_history and other histories with `#` and seconds since 1970 before each command (HISTTIMEFORMAT set)",
    means=_MEANS,
    does_not_mean=_NOT,
    refs=("Bash Reference Manual, 9.1 Bash History Facilities",),
)
def bash(file: EvidenceFile) -> Iterator[Yield]:
    """One record a command; the lines between two stamps are one command, lines before the first are one each."""
    stamp: Line | None = None
    texts: list[Line] = []
    for line in lines(file):
        if STAMP.match(line.text):
            if texts:
                yield _command(texts, stamp, "bash")
            stamp, texts = line, []
        elif stamp is None:
            if line.text:
                yield _command([line], None, "bash")
        elif len(texts) < _LONGEST:
            texts.append(line)
        else:
            yield _command(texts, stamp, "bash")
            yield Gap(
                f"a command of more than {_LONGEST} lines; the rest of its lines are kept one by one",
                line.offset,
                "too_large",
            )
            stamp, texts = None, []
    if texts:
        yield _command(texts, stamp, "bash")


def _zsh_score(listed: tuple[str, ...]) -> float:
    starts = sum(1 for text in listed if ZSH.match(text))
    kept = sum(1 for text in listed if text)
    return max(starts / kept, 0.6) if starts and ZSH.match(listed[0]) and starts * 5 >= kept else 0.0


def _unmetafied(line: Line) -> str:
    """Undo zsh's own escape (0x83, then the byte xor 32) in a line that was not UTF-8."""
    raw = line.text.encode("latin-1" if line.fallback else "utf-8", "replace")
    if b"\x83" not in raw or not line.fallback:
        return line.text
    plain, at = bytearray(), 0
    while at < len(raw):
        if raw[at] == 0x83 and at + 1 < len(raw):
            plain.append(raw[at + 1] ^ 32)
            at += 2
        else:
            plain.append(raw[at])
            at += 1
    return plain.decode("utf-8", "backslashreplace")


@text_format(
    "linux.zsh_history",
    _zsh_score,
    names=("*zsh_history*",),
    artifacts=("linux.history",),
    reads=".zsh_history with EXTENDED_HISTORY set (`: start:seconds;command`)",
    means=_MEANS,
    does_not_mean=_NOT,
    refs=("zshoptions(1), EXTENDED_HISTORY", "zsh, Src/utils.c: metafication"),
)
def zsh(file: EvidenceFile) -> Iterator[Yield]:
    """One record a command with its duration; lines that do not start one continue it (after a backslash)."""
    head: tuple[Line, re.Match[str]] | None = None
    texts: list[str] = []
    end = 0

    def record() -> tuple[dict[str, object], Record]:
        assert head is not None
        line, match = head
        time = posix(int(match[1]))
        data: dict[str, object] = {"command": "\n".join(texts), "shell": "zsh", "duration_seconds": int(match[2])}
        return place(line, end - line.offset), Record(
            data, {"run_at": time} if time else {}, "run_at" if time else None, artifact="linux.history"
        )

    for line in lines(file):
        text = _unmetafied(line)
        match = ZSH.match(text)
        if match is None and head is not None and len(texts) < _LONGEST:
            texts.append(text)
            end = line.offset + line.length
            continue
        if head is not None:
            yield record()
            head = None
        if match is not None:
            head, texts, end = (line, match), [match[3]], line.offset + line.length
        elif text:
            yield unread(line)
    if head is not None:
        yield record()


def _fish_score(listed: tuple[str, ...]) -> float:
    commands = sum(1 for text in listed if FISH.match(text))
    whens = sum(1 for text in listed if FISH_WHEN.match(text))
    return 1.0 if commands and whens and FISH.match(listed[0]) else 0.0


@text_format(
    "linux.fish_history",
    _fish_score,
    names=("fish_history*",),
    artifacts=("linux.history",),
    reads="fish_history (`- cmd:`, `when:`, `paths:`)",
    means=_MEANS,
    does_not_mean=_NOT,
    refs=(
        "https://fishshell.com/docs/current/cmds/history.html",
        "fish-shell, src/history: escape rules of the YAML-like file",
    ),
)
def fish(file: EvidenceFile) -> Iterator[Yield]:
    """One record a command with its time and the paths that fish noted."""
    head: Line | None = None
    data: dict[str, object] = {}
    paths: list[str] = []
    when, end = 0, 0

    def record() -> tuple[dict[str, object], Record]:
        assert head is not None
        time = posix(when)
        kept = data | ({"paths": paths} if paths else {})
        return place(head, end - head.offset), Record(
            kept, {"run_at": time} if time else {}, "run_at" if time else None, artifact="linux.history"
        )

    for line in lines(file):
        match, moment = FISH.match(line.text), FISH_WHEN.match(line.text)
        if match:
            if head is not None:
                yield record()
            head, when, paths = line, 0, []
            data = {"command": match[1].replace("\\\\", "\0").replace("\\n", "\n").replace("\0", "\\"), "shell": "fish"}
        elif head is None:
            yield unread(line)
        elif moment:
            when = int(moment[1])
        elif line.text.startswith("    - ") and len(paths) < 1000:
            paths.append(line.text[6:])
        elif line.text.strip() not in ("", "paths:"):
            data["more"] = f"{data.get('more', '')}{line.text}\n"[:10_000]
        if head is not None:
            end = line.offset + line.length
    if head is not None:
        yield record()
