"""Histories without stamps, known by their name only: bash, zsh, Python, MySQL, PostgreSQL, SQLite, PowerShell,
less.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from wigmore.artifacts.logs.framework import place, recognise
from wigmore.artifacts.logs.lines import Line, encoding_of, lines
from wigmore.model.protocols import EvidenceFile, Record, Yield
from wigmore.registry import Claim, parser

NAMED = {
    "bash_history": "bash",
    "zsh_history": "zsh",
    "sh_history": "sh",
    "ash_history": "ash",
    "ksh_history": "ksh",
    "python_history": "python",
    "mysql_history": "mysql",
    "mariadb_history": "mariadb",
    "psql_history": "psql",
    "sqlite_history": "sqlite",
    "node_repl_history": "node",
    "irb_history": "irb",
    "rediscli_history": "redis-cli",
    "consolehost_history.txt": "powershell",
    "lesshst": "less",
}
_OCTAL = re.compile(r"\\(\d{3})")


def _program(path: str) -> str:
    name = path.lower().rsplit("/", 1)[-1].lstrip(".")
    return next((program for stem, program in NAMED.items() if name == stem or name.startswith(stem + ".")), "")


def _look(head: bytes, path: str, size: int) -> bool:
    return bool(_program(path)) and encoding_of(head) is not None and not recognise(head, path)


@parser(
    "linux.plain_history",
    claims=Claim(look=_look),
    artifacts=("linux.history",),
    reads=".bash_history, .python_history, .mysql_history, .psql_history, PSReadLine's ConsoleHost_history.txt and "
    "others of that kind",
    means="the program kept this line in its history, in the order of writing",
    does_not_mean="when, or that, the command ran; the order across several sessions; that the file was not edited; "
    "who typed",
    refs=("Bash Reference Manual, 9.1", "readline(3), history file", "Microsoft, about_PSReadLine: history files"),
)
def plain_history(file: EvidenceFile) -> Iterator[Yield]:
    """One record a line; lines that end in PowerShell's continuation mark are joined; libedit's octal escapes
    undone.
    """
    program = _program(file.path)
    start: Line | None = None
    texts: list[str] = []
    escaped = False
    for line in lines(file):
        if line.number == 1 and line.text == "_HiStOrY_V2_":
            escaped = True
            continue
        if not line.text and start is None:
            continue
        text = _OCTAL.sub(lambda m: chr(int(m[1], 8) & 255), line.text) if escaped else line.text
        start = start or line
        if program == "powershell" and text.endswith("`") and len(texts) < 2000:
            texts.append(text[:-1])
            continue
        texts.append(text)
        data: dict[str, object] = {"command": "\n".join(texts), "shell": program}
        if line.fallback:
            data["encoding"] = "latin-1 (assumed)"
        yield place(start, line.offset + line.length - start.offset), Record(data, artifact="linux.history")
        start, texts = None, []
    if start is not None and texts:
        yield place(start), Record({"command": "\n".join(texts), "shell": program}, artifact="linux.history")
