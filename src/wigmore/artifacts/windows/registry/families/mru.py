"""Most-recently-used lists: typed addresses and paths, Run box, searches, recent documents, file dialogs.

A list's key time dates its newest entry alone; the others keep the time beside them without being dated by it. Source:
J. Metz, winreg-kb, "Most recently used"; Microsoft, IFileDialog; H. Carvey's published notes on OpenSavePidlMRU.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator, Mapping

from wigmore.artifacts.windows.registry.families.identity import kept
from wigmore.artifacts.windows.registry.hive import Hive, Key
from wigmore.artifacts.windows.registry.semantics import USER, Finding, finding, reads_keys
from wigmore.artifacts.windows.registry.values import filetime_at, until_nul
from wigmore.artifacts.windows.shell_items import path_of, read_list

EXPLORER = "Software\\Microsoft\\Windows\\CurrentVersion\\Explorer"


def ordered(key: Key) -> list[str]:
    """Names of the values, newest first, as MRUListEx (numbers) or MRUList (letters) says; unlisted ones last."""
    stored = [
        value.name for value in key.values.values() if value.name.upper() not in ("MRULISTEX", "MRULIST", "VIEWSTREAM")
    ]
    raw, letters = key.raw("MRUListEx"), key.text("MRUList")
    if raw:
        first = [str(number) for (number,) in struct.iter_unpack("<I", raw[: len(raw) & ~3]) if number != 0xFFFFFFFF]
    else:
        first = list(letters or "")
    known = {name.upper() for name in stored}
    chosen = [name for name in dict.fromkeys(first) if name.upper() in known]
    listed = {name.upper() for name in chosen}
    return [*chosen, *(name for name in stored if name.upper() not in listed)]


def entry(key: Key, name: str, position: int, data: Mapping[str, object]) -> Finding:
    """A record of one entry: only the newest is dated by the key."""
    dated = "key_last_written" if position == 0 else None
    return finding(key, {"position": position, "entry": name, **data}, None, dated, name)


def summary(key: Key, field: str, texts: list[str]) -> Finding:
    """The whole list in one record, newest first."""
    return finding(key, {"list": key.name, "entries": len(texts), field: texts[:500]}, part="list")


@reads_keys(
    "windows.registry.typed_url",
    USER,
    "Software\\Microsoft\\Internet Explorer\\TypedURLs",
    "Software\\Microsoft\\Windows\\CurrentVersion\\Explorer\\TypedPaths",
)
@reads_keys(
    "windows.registry.typed_url",
    ("USRCLASS",),
    "Local Settings\\Software\\Microsoft\\Windows\\CurrentVersion\\AppContainer\\Storage\\*\\MicrosoftEdge\\TypedURLs",
)
def typed(hive: Hive, key: Key) -> Iterator[Finding]:
    """Addresses and paths typed (or pasted, or taken from suggestions), number 1 is newest; times since Windows 8."""
    program = (
        "Explorer" if key.name.upper() == "TYPEDPATHS" else "Edge" if hive.kind == "USRCLASS" else "Internet Explorer"
    )
    root, dated = hive.root, None
    if root is not None and key.name.upper() == "TYPEDURLS":
        dated = root.sub(key.path[len(root.path) + 1 :] + "Time")
    found: list[tuple[int, str, str]] = []
    for value in key.values.values():
        match = re.search(r"(\d+)$", value.name)
        text = key.text(value.name)
        if text is not None:
            found.append((int(match[1]) if match else 0, value.name, text))
    found.sort()
    for position, (_, name, text) in enumerate(found):
        typed_at = filetime_at(dated.raw(name)) if dated is not None else None
        field = "key_last_written" if position == 0 else None
        data = {"entry": name, "url": text, "typed_in": program, "position": position, "stored": f"{name}: {text}"}
        yield finding(key, data, {"typed_at": typed_at}, "typed_at" if typed_at else field, name)
    if found:
        yield summary(key, "urls", [text for _, _, text in found])


@reads_keys(
    "windows.registry.run_mru",
    USER,
    f"{EXPLORER}\\RunMRU",
    f"{EXPLORER}\\Map Network Drive MRU",
    f"{EXPLORER}\\FindComputerMRU",
    f"{EXPLORER}\\Doc Find Spec MRU",
    f"{EXPLORER}\\PrnPortsMRU",
    "Software\\Microsoft\\Search Assistant\\ACMru\\*",
    "Software\\Microsoft\\Windows\\CurrentVersion\\Applets\\*\\Recent File List",
    "Software\\Microsoft\\MediaPlayer\\Player\\RecentFileList",
    "Software\\Adobe\\*\\*\\AVGeneral\\cRecentFiles\\*",
    "Software\\7-Zip\\FM\\FolderHistory",
    "Software\\WinRAR\\ArcHistory",
    "Software\\WinRAR\\DialogEditHistory\\*",
    "Software\\Microsoft\\Direct3D\\MostRecentApplication",
    "Software\\Microsoft\\Windows\\CurrentVersion\\Applets\\Regedit",
)
def text_lists(hive: Hive, key: Key) -> Iterator[Finding]:
    r"""Lists of plain texts: Run box (its entries end in `\1`), network drives, searches, recent files of programs."""
    texts = []
    for position, name in enumerate(ordered(key)):
        text = key.text(name)
        if text is None and key.raw(name):
            text = (
                until_nul(key.raw(name))
                if key.raw(name)[1:2] == b"\0"
                else key.raw(name)[:256].decode("cp1252", "replace")
            )
        if not text or (key.name == "Regedit" and name != "LastKey"):
            continue
        text = text.rstrip("\0")
        texts.append(text.removesuffix("\\1"))
        yield entry(key, name, position, {"list": key.name, "text": text.removesuffix("\\1"), "stored": text})
    if texts:
        yield summary(key, "texts", texts)


@reads_keys("windows.registry.search_term", USER, f"{EXPLORER}\\WordWheelQuery", f"{EXPLORER}\\WordWheelQuery\\*")
def searches(hive: Hive, key: Key) -> Iterator[Finding]:
    """Words searched for in Explorer, newest first."""
    words = []
    for position, name in enumerate(ordered(key)):
        if name.isdigit():
            word = until_nul(key.raw(name))
            words.append(word)
            yield entry(key, name, position, {"term": word})
    if words:
        yield summary(key, "terms", words)


@reads_keys("windows.registry.recent_document", USER, f"{EXPLORER}\\RecentDocs", f"{EXPLORER}\\RecentDocs\\*")
def recent_documents(hive: Hive, key: Key) -> Iterator[Finding]:
    """Documents and folders the shell noted, by extension and together, newest first; with the shortcut's name."""
    for position, name in enumerate(ordered(key)):
        raw = key.raw(name)
        document = until_nul(raw)
        if not document:
            continue
        rest = read_list(raw[len(document.encode("utf-16-le")) + 2 :])
        data = {"name": document, "group": key.name, "shortcut": rest[0].name if rest else None}
        yield entry(key, name, position, data)


DIALOGS = f"{EXPLORER}\\ComDlg32"


@reads_keys(
    "windows.registry.dialog_file",
    USER,
    f"{DIALOGS}\\OpenSavePidlMRU",
    f"{DIALOGS}\\OpenSavePidlMRU\\*",
    f"{DIALOGS}\\OpenSaveMRU",
    f"{DIALOGS}\\OpenSaveMRU\\*",
)
def dialog_files(hive: Hive, key: Key) -> Iterator[Finding]:
    """Files chosen in Open and Save dialogs, by extension, newest first."""
    for position, name in enumerate(ordered(key)):
        items = read_list(key.raw(name)) if key.values[name.upper()].type == 3 else []
        text = path_of(items) if items else key.text(name)
        if text:
            times = {f"file_{label}": time for one in items[-1:] for label, time in one.times.items()}
            data = {"path": text, "group": key.name, "position": position, "entry": name}
            yield finding(key, data, dict(times), "key_last_written" if position == 0 else None, name)


@reads_keys(
    "windows.registry.dialog_program",
    USER,
    f"{DIALOGS}\\LastVisitedPidlMRU",
    f"{DIALOGS}\\LastVisitedMRU",
    f"{DIALOGS}\\LastVisitedPidlMRULegacy",
    f"{DIALOGS}\\CIDSizeMRU",
    f"{DIALOGS}\\FirstFolder",
)
def dialog_programs(hive: Hive, key: Key) -> Iterator[Finding]:
    """Programs that showed an Open or Save dialog, and the folder it was last left in."""
    for position, name in enumerate(ordered(key)):
        raw = key.raw(name)
        program = until_nul(raw)
        if not program:
            continue
        rest = raw[len(program.encode("utf-16-le", "surrogatepass")) + 2 :]
        upper = key.name.upper()
        folder = None
        if "PIDL" in upper:
            folder = path_of(read_list(rest))
        elif upper != "CIDSIZEMRU":
            folder = until_nul(rest)
        yield entry(key, name, position, kept(program=program, folder=folder, list=key.name))


@reads_keys(
    "windows.registry.mui_cache",
    USER,
    "Software\\Microsoft\\Windows\\ShellNoRoam\\MUICache",
    "Software\\Classes\\Local Settings\\Software\\Microsoft\\Windows\\Shell\\MuiCache",
)
@reads_keys(
    "windows.registry.mui_cache", ("USRCLASS",), "Local Settings\\Software\\Microsoft\\Windows\\Shell\\MuiCache"
)
def mui_cache(hive: Hive, key: Key) -> Iterator[Finding]:
    """Program files whose description the shell looked up; undated."""
    for value in key.values.values():
        text = key.text(value.name)
        if text is None or value.name.startswith("@") or ("\\" not in value.name):
            continue
        path, _, kind = value.name.rpartition(".")
        chosen = path if kind in ("FriendlyAppName", "ApplicationCompany") else value.name
        field = {"FriendlyAppName": "friendly_name", "ApplicationCompany": "company"}.get(kind, "friendly_name")
        yield finding(key, {"path": chosen, field: text}, time_field=None, value=value.name)
