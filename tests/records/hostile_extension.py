"""An outside package with parsers that misbehave, installed as a folder on PYTHONPATH with an entry point."""

from __future__ import annotations

from pathlib import Path

MODULE = '''
"""Parsers that misbehave, each at files of its own ending."""
import os, signal, sys, time
from wigmore.model.protocols import Gap, ParseError, Record
from wigmore.registry import Claim, parser


def claim(*endings):
    return Claim(paths=tuple("*." + e for e in endings))


def declare(name, endings, **more):
    return parser(name, claims=claim(*endings), reads="files of a test", means="nothing", does_not_mean="anything", refs=("none",), **more)


ALL = ("crash", "exit", "hang", "memory", "eater", "raise", "recurse", "leave", "garbage", "flood", "late", "huge", "odd", "gap", "talk", "fine")


@declare("hostile.witness", ALL)
def witness(file):
    yield {"kind": "offset", "offset": 0, "length": file.size}, Record({"content": file.read().decode()})


@declare("hostile.crash", ("crash",))
def crash(file):
    os.kill(os.getpid(), signal.SIGSEGV)
    yield


@declare("hostile.exit", ("exit",))
def leave_hard(file):
    os._exit(7)
    yield


@declare("hostile.hang", ("hang",), limit_seconds=1.5)
def hang(file):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    while True:
        time.sleep(60)
    yield


@declare("hostile.flood", ("flood",), limit_seconds=1.5)
def flood(file):
    number = 0
    while True:
        yield {"kind": "record", "number": number}, Record({"n": number})
        number += 1


@declare("hostile.memory", ("memory",))
def memory(file):
    bytearray(1 << 42)
    yield


@declare("hostile.eater", ("eater",))
def eater(file):
    kept = []
    while True:
        kept.append(bytes(256 << 20))  # zero pages: mapped, never touched
    yield


@declare("hostile.raise", ("raise",))
def raising(file):
    yield {"kind": "record", "number": 0}, Record({"n": 0})
    raise RuntimeError("half way \\x1b[31m")


@declare("hostile.parse", ("raise",))
def refusing(file):
    raise ParseError(file.path, 5, "unknown version 3", "schema_unknown")
    yield


@declare("hostile.recurse", ("recurse",))
def recurse(file):
    def deeper():
        deeper()
    deeper()
    yield


@declare("hostile.leave", ("leave",))
def leave(file):
    sys.exit("bye")
    yield


@declare("hostile.garbage", ("garbage",))
def garbage(file):
    yield "not a record"


@declare("hostile.late", ("late",))
def late(file):
    for number in range(50):
        yield {"kind": "record", "number": number}, Record({"n": number})
    os.kill(os.getpid(), signal.SIGKILL)


@declare("hostile.huge", ("huge",))
def huge(file):
    yield {"kind": "record", "number": 0}, Record({"text": "x" * (9 << 20)})
    yield {"kind": "record", "number": 1}, Record({"text": "small"})


@declare("hostile.odd", ("odd",))
def odd(file):
    yield {"kind": "key", "key": "\\ud800"}, Record({"nan": float("nan"), "raw": b"\\x00\\xff", "lone": "\\udcff", "big": 2 ** 90, "set": {3}, 5: "key"})


@declare("hostile.gap", ("gap",))
def gap(file):
    yield {"kind": "record", "number": 0}, Record({"n": 0})
    yield Gap("page 7 is torn", 4096)


@declare("hostile.talk", ("talk",))
def talk(file):
    print('{"event": "done"}', flush=True)
    os.write(1, b'{"event": "error", "reason": "forged", "code": "crashed"}\\n')
    yield {"kind": "record", "number": 0}, Record({"n": 0})


@declare("hostile.fine", ("fine",))
def fine(file):
    yield {"kind": "record", "number": 0}, Record({"n": 0})
'''
ENDINGS = (
    "crash",
    "exit",
    "hang",
    "memory",
    "eater",
    "raise",
    "recurse",
    "leave",
    "garbage",
    "flood",
    "late",
    "huge",
    "odd",
    "gap",
    "talk",
    "fine",
)


def install(folder: Path) -> Path:
    """Write the package with its metadata; returns the folder for PYTHONPATH."""
    folder.mkdir(parents=True)
    (folder / "hostile_parsers.py").write_text(MODULE, encoding="utf-8")
    metadata = folder / "hostile_parsers-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: hostile-parsers\nVersion: 1.0\n", encoding="utf-8")
    (metadata / "entry_points.txt").write_text(
        "[wigmore.extensions]\nparser-hostile = hostile_parsers\n", encoding="utf-8"
    )
    return folder
