"""Content across sources: same hashes, both sides of a message, deleted files and their recovery."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from wigmore.records.rows import shown
from wigmore.records.store import ORDER
from wigmore.registry import tool
from wigmore.tools.context import CAP, ToolContext, ToolOutput, citable

LEAST_SIZE = 64  # bytes below which equal content says little
TWINS = 10  # places of the same content that a row names
PORTABLE = ("FAT12", "FAT16", "FAT32", "EXFAT", "FAT", "ISO9660", "UDF", "HFS")
WRITTEN_AT_WILL = tuple(kind for kind in PORTABLE if kind not in ("ISO9660", "UDF"))
SYSTEM_FOLDERS = ("%/windows/system32", "%/etc/passwd", "%/system/library", "%/private/var/mobile")
MADE = ("in_period", "before_period")
KEPT_BY_SYSTEMS = ("system volume information", ".spotlight-v100", ".fseventsd")  # made when a medium is attached
GRACE = 86_400  # seconds: a local time of unknown zone differs from UTC by less
PAIR_SECONDS = 600  # clocks and delivery of two devices lie closer than this
DIGITS = 9  # last digits that tell numbers apart with and without prefix
MESSAGES = {  # artifact → (text, other party, direction)
    "ios.sms": ("text", ("party", "address"), "direction"),
    "android.sms": ("body", ("address",), "direction"),
    "android.mms": ("body", ("from", "to"), "direction"),
    "ios.whatsapp.message": ("ZTEXT", ("ZCONTACTJID",), "direction"),
    "android.whatsapp.message": ("text_data", ("chat_jid", "key_remote_jid"), "direction"),
}
SENT, RECEIVED = "sent", "received"


def _value(name: str) -> str:
    return f"json_extract_string(data, '$.\"{name}\"')"


def _present(context: ToolContext, artifact: str) -> bool:
    return any(p.artifact == artifact for p in context.store.parts)


def _portable(context: ToolContext, kinds: tuple[str, ...] = PORTABLE) -> bool:
    """Whether the active source is a medium that is carried about: its file systems are portable ones, and no system is on it."""
    volumes = [r["data"] for r in context.store.records(["volume"], context.source_id or None)]
    systems = [str(v.get("file_system", "")).upper().replace(" ", "") for v in volumes]
    if not systems or not all(s.startswith(kinds) for s in systems):
        return False
    conditions = " OR ".join("lower('/' || path) LIKE ?" for _ in SYSTEM_FOLDERS)
    found = context.store.query(
        f"SELECT 1 FROM {context.store.relation(['file_listing'], context.source_id or None)} WHERE {conditions} LIMIT 1",
        SYSTEM_FOLDERS,
    )
    return not found


def _kept() -> str:
    """The condition that a row of the listing is a file in a file system, and none that systems keep on a medium."""
    folders = "".join(f" AND NOT contains(lower(path), '{folder}/')" for folder in KEPT_BY_SYSTEMS)
    return f"{_value('kind')} = 'file' AND {_value('inode')} IS NOT NULL{folders}"


def _no_medium(context: ToolContext, kinds: tuple[str, ...] = PORTABLE) -> str:
    """Why the active source is no medium whose files tell what came onto it; empty if it is."""
    if not _portable(context, kinds):
        return "the source is no medium of the kind (removable, or optical)"
    listing = context.store.relation(["file_listing"], context.source_id or None)
    some = context.store.query(f"SELECT 1 FROM {listing} WHERE {_kept()} LIMIT 1")
    return "" if some else "the medium holds no file: it may have been formatted since"


def _created(period: tuple[int | None, int | None], made: str) -> tuple[str, list[str]]:
    """The condition that a file was created in, or before, the period; times without a zone are compared as they are written."""
    created = (
        "left(coalesce(json_extract_string(times, '$.created.text'), json_extract_string(times, '$.born.text')), 19)"
    )
    start, end = (
        None if at is None else f"{datetime.fromtimestamp(at / 1_000_000 + sign * GRACE, UTC):%Y-%m-%dT%H:%M:%S}"
        for at, sign in zip(period, (-1, 1), strict=True)
    )
    if made == "before_period":
        return (f"{created} < ?", [start]) if start else ("false", [])
    parts = [(f"{created} {sign} ?", bound) for sign, bound in ((">=", start), ("<", end)) if bound]
    within = " AND ".join(text for text, _ in parts) or "true"
    return f"({created} IS NULL OR ({within}))", [bound for _, bound in parts]


@tool("same_content", domain="content", cost=2)
def same_content(context: ToolContext, sha256: str = "", removable: bool = False, made: str = "") -> ToolOutput:
    """List files of the source whose SHA-256 a file of another source has too (64 bytes and more), with those `twins`.

    `sha256` asks for one hash. With `removable` only a medium that is carried about is looked at (FAT, exFAT, HFS or optical
    file systems with files and no operating system on them); other sources answer not_applicable. `made` asks for files
    created on the source `in_period` of the case (or at no known time), or `before_period`, a day of grace for clocks of
    unknown zone.
    """
    if made not in ("", *MADE):
        return ToolOutput.failed(f"made is one of {', '.join(MADE)}")
    if not context.source_id:
        return ToolOutput.failed("same_content looks from one source at the others: name the source")
    if removable and (why := _no_medium(context)):
        return ToolOutput.not_applicable(why)
    own = context.store.relation(["file_listing"], context.source_id)
    every = context.store.relation(["file_listing"])
    if every.startswith("(SELECT"):
        return ToolOutput.not_applicable("no source has a file listing")
    size = f"try_cast({_value('size')} AS BIGINT)"
    wanted = f"AND {_value('sha256')} = ?" if sha256 else ""
    parameters: list[Any] = [context.source_id, *([sha256.lower()] if sha256 else ())]
    if made:
        condition, bounds = _created(context.period, made)
        wanted += f" AND {condition}"
        parameters += bounds
    hashed = f"{_value('sha256')} IS NOT NULL AND {_value('kind')} = 'file' AND {size} >= {LEAST_SIZE}"
    rows = context.store.query(
        f"WITH others AS (SELECT {_value('sha256')} AS digest, path, source_id, state, record_id FROM {every} "
        f"WHERE source_id <> ? AND {hashed}), "
        f"mine AS (SELECT *, {_value('sha256')} AS digest FROM {own} WHERE {hashed} {wanted}), "
        f"found AS (SELECT digest, list({{'source_id': source_id, 'path': path, 'state': state, 'record_id': record_id}} "
        f"ORDER BY source_id, path, record_id)[1:{TWINS}] AS twins, count(*) AS places "
        f"FROM others WHERE digest IN (SELECT digest FROM mine) GROUP BY digest) "
        f"SELECT mine.* EXCLUDE (digest), found.twins, found.places FROM mine JOIN found USING (digest) "
        f"ORDER BY {ORDER} LIMIT {CAP + 1}",
        parameters,
    )
    out = []
    for stored in rows:
        twins, places = stored.pop("twins"), stored.pop("places")
        out.append({**citable(shown(stored)), "twins": twins, "twin_places": places})
    return ToolOutput.of(out, f"{len(out)} files have the content of a file in another source")


@tool("new_files", domain="content", cost=1)
def new_files(context: ToolContext) -> ToolOutput:
    """List files, also deleted ones, that came onto a stick or disk that is carried about in the period of the case (by their
    creation there, or where that is not known), a day of grace for clocks of unknown zone.

    Sources that are no such medium, and one without any file (formatted since, or never used), answer not_applicable.
    """
    if why := _no_medium(context, WRITTEN_AT_WILL):
        return ToolOutput.not_applicable(why)
    condition, bounds = _created(context.period, "in_period")
    return ToolOutput.of(context.records(["file_listing"], f"{_kept()} AND {condition}", bounds))


@tool("other_side", domain="content", cost=2)
def other_side(context: ToolContext, subject: str = "", exchanged: bool = False) -> ToolOutput:
    """List messages of the source that another source holds from the other side: same text, opposite direction, within ten
    minutes; each row names those `twins`.

    `subject` is the number or address of one of the two; without it all parties count. `exchanged` asks for messages of both
    directions that both hold: where all were written by one side, there are none. Where no other source can be the other
    side's device (none holds such a message, nor names the subject as its own number), the answer is not_applicable.
    """
    if not context.source_id:
        return ToolOutput.failed("other_side looks from one source at the others: name the source")
    kinds = [a for a in MESSAGES if _present(context, a)]
    parts = []
    for artifact in kinds:
        text, parties, direction = MESSAGES[artifact]
        party = "concat_ws(' ', " + ", ".join(_value(p) for p in parties) + ")"
        parts.append(
            f"SELECT record_id, source_id, path, artifact, instant, {_value(text)} AS body, {party} AS party, "
            f"lower({_value(direction)}) AS way FROM {context.store.relation([artifact])}"
        )
    if not parts:
        return ToolOutput.not_applicable("no source holds messages")
    digits = "".join(c for c in subject if c.isdigit())[-DIGITS:]
    about, named = "true", ""
    if len(digits) >= 7 and "@" not in subject.removesuffix("@s.whatsapp.net"):
        about, named = "contains(regexp_replace({}, '[^0-9]', '', 'g'), ?)", digits
    elif subject:
        about, named = "contains(lower({}), ?)", subject.lower()
    parameters = [named, named] if subject else []
    pairs = context.store.query(
        f"WITH every AS ({' UNION ALL '.join(parts)}), kept AS (SELECT * FROM every WHERE length(trim(body)) >= 8 "
        f"AND instant IS NOT NULL AND way IN ('{SENT}', '{RECEIVED}')) "
        f"SELECT m.record_id AS mine, m.way, list({{'source_id': o.source_id, 'path': o.path, 'record_id': o.record_id, "
        f"'seconds_later': round((o.instant - m.instant) / 1000000.0, 3)}} ORDER BY o.source_id, o.record_id)[1:{TWINS}] "
        f"AS twins "
        f"FROM kept m JOIN kept o ON m.body = o.body AND m.source_id <> o.source_id AND m.way <> o.way "
        f"AND abs(m.instant - o.instant) <= {PAIR_SECONDS * 1_000_000} WHERE m.source_id = ? AND "
        f"({about.format('m.party')} OR {about.format('o.party')}) GROUP BY m.record_id, m.way "
        f"ORDER BY m.record_id LIMIT {CAP + 1}",
        [context.source_id, *parameters],
    )
    if not pairs:
        if digits and owners(context, digits) - {context.source_id}:
            return ToolOutput("empty", (), "the other side's device is among the sources, and holds no such message")
        return ToolOutput.not_applicable("no other source is the other side's device")
    if exchanged and len({p["way"] for p in pairs}) < 2:
        return ToolOutput("empty", (), f"{len(pairs)} messages agree on both sides, all written by one of them")
    twins = {p["mine"]: p["twins"] for p in pairs}
    stored = context.store.by_id(twins)
    rows = sorted((citable(shown(r)) for r in stored.values()), key=_when)
    return ToolOutput.of(
        ({**r, "twins": twins[r["record_id"]]} for r in rows), f"{len(pairs)} messages agree on both sides"
    )


def _when(row: dict[str, Any]) -> tuple[str, str]:
    time = (row.get("times") or {}).get(str(row.get("time_field")))
    return (time["text"] if time else "", str(row["record_id"]))


def owners(context: ToolContext, digits: str) -> set[str]:
    """The sources that name a number as their own (device identity, or the receiver of its messages)."""
    out: set[str] = set()
    for artifact, fields in (("ios.device", ()), ("android.mms", ("to",)), ("ios.sms", ("destination_caller_id",))):
        if not _present(context, artifact):
            continue
        text = " || ' ' || ".join(f"coalesce({_value(f)}, '')" for f in fields) or "data"
        found = context.store.query(
            f"SELECT DISTINCT source_id FROM {context.store.relation([artifact])} "
            f"WHERE contains(regexp_replace({text}, '[^0-9\",]', '', 'g'), ?)",
            [digits],
        )
        out |= {row["source_id"] for row in found}
    return out


@tool("deleted_files", domain="content", cost=1)
def deleted_files(context: ToolContext, recovery: str = "", removable: bool = False) -> ToolOutput:
    """List deleted files of the source with what can be recovered of each (`intact`, `partial`, `overwritten`, `none`).

    `recovery` asks for one of these; with `removable` only a medium that is carried about is looked at.
    """
    if removable and not _portable(context):
        return ToolOutput.not_applicable("the source is no removable or optical medium")
    if not _present(context, "file_listing"):
        return ToolOutput.not_applicable("the source has no file listing")
    condition = f"{_value('deleted')} = 'true' AND {_value('kind')} = 'file'"
    condition += f" AND {_value('recovery')} = ?" if recovery else ""
    found = context.records(["file_listing"], condition, [recovery] if recovery else [])
    return ToolOutput.of(found)


@tool("count_deleted_files", domain="content", cost=1)
def count_deleted_files(context: ToolContext) -> ToolOutput:
    """Count deleted entries of the source by kind and by what can be recovered, with their bytes; one row a group."""
    relation = context.store.relation(["file_listing"], context.source_id or None)
    if relation.startswith("(SELECT"):
        return ToolOutput.not_applicable("the source has no file listing")
    rows = context.store.query(
        f"SELECT {_value('kind')} AS kind, coalesce({_value('recovery')}, 'not stated') AS recovery, count(*) AS entries, "
        f"coalesce(sum(try_cast({_value('size')} AS BIGINT)), 0) AS bytes FROM {relation} WHERE {_value('deleted')} = 'true' "
        f"GROUP BY 1, 2 ORDER BY 1, 2"
    )
    return ToolOutput.of(
        (
            {"kind": r["kind"], "recovery": r["recovery"], "entries": int(r["entries"]), "bytes": int(r["bytes"])}
            for r in rows
        ),
        f"{sum(int(r['entries']) for r in rows)} deleted entries",
    )


@tool("file_hashes", domain="content", cost=1)
def file_hashes(context: ToolContext, path: str) -> ToolOutput:
    """Show MD5, SHA-1, SHA-256 and size of the source's files at a path or below it, as the listing recorded them."""
    below = path.rstrip("/") + "/"
    found = context.records(
        ["file_listing"], f"(path = ? OR starts_with(path, ?)) AND {_value('kind')} = 'file'", [path, below]
    )
    rows = list(found)
    unread = sum("sha256" not in r["data"] for r in rows)
    return ToolOutput.of(rows, json.dumps({"files": len(rows), "without_hash": unread}))
