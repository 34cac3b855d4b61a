"""Databases of macOS and common programs: quarantine, launches, versions, Google Drive, Kodi."""

from __future__ import annotations

from collections.abc import Iterator

from wigmore.artifacts.generic.sqlite_layout import Layout
from wigmore.artifacts.generic.sqlite_queries import (
    Data,
    Query,
    apple,
    named,
    read_queries,
    seconds,
    text_local,
)
from wigmore.artifacts.generic.sqlite_reader import Database
from wigmore.model.protocols import EvidenceFile, Yield
from wigmore.registry import parser

SQLITE = "https://www.sqlite.org/fileformat2.html"

QUARANTINE = Layout(
    paths=("com.apple.launchservices.quarantineevents*",),
    tables=(("LSQuarantineEvent", ("LSQuarantineEventIdentifier", "LSQuarantineTimeStamp", "LSQuarantineAgentName")),),
)
USAGE = Layout(tables=(("application_usage", ("event", "bundle_id", "app_path", "last_time", "number_times")),))
VERSIONS = Layout(
    tables=(
        ("files", ("file_name", "file_path", "file_last_seen")),
        ("generations", ("generation_path", "generation_add_time")),
    )
)
DRIVE = Layout(
    tables=(("cloud_entry", ("resource_id", "filename", "modified")), ("local_entry", ("inode_number", "filename")))
)
KODI = Layout(
    paths=("myvideos*.db",),
    tables=(("files", ("idFile", "strFilename", "playCount", "lastPlayed")), ("path", ("strPath",))),
)

EVENT = Query(
    "macos.quarantine",
    ("LSQuarantineEvent e",),
    "e.LSQuarantineEventIdentifier e.LSQuarantineTimeStamp e.LSQuarantineAgentBundleIdentifier e.LSQuarantineAgentName "
    "e.LSQuarantineDataURLString e.LSQuarantineOriginURLString e.LSQuarantineOriginTitle e.LSQuarantineSenderName "
    "e.LSQuarantineSenderAddress e.LSQuarantineTypeNumber",
    "e.rowid",
    {"LSQuarantineTimeStamp": apple},
    derive=lambda data, database: named(
        data, "LSQuarantineTypeNumber",
        {0: "web download", 1: "other download", 2: "e-mail attachment", 3: "message attachment",
         4: "calendar attachment",
         5: "other attachment"}, "type_name",
    ),
)  # fmt: skip
LAUNCH = Query(
    "macos.application_usage",
    ("application_usage a",),
    "a.event a.bundle_id a.app_version a.app_path a.last_time a.number_times",
    "a.rowid",
    {"last_time": seconds},
)
GENERATION = Query(
    "macos.document_version",
    ("generations g", "LEFT JOIN files f ON f.file_storage_id = g.generation_storage_id"),
    "g.generation_id g.generation_name g.generation_client_id g.generation_path g.generation_size g.generation_status "
    "g.generation_add_time f.file_name f.file_path f.file_inode f.file_last_seen",
    "g.generation_id",
    {"generation_add_time": seconds, "file_last_seen": seconds},
)


def _cloud(data: Data, database: Database) -> None:
    data["path"] = _path(database, "cloud_relations", "child_resource_id", "parent_resource_id", "cloud_entry",
                         "resource_id", data.get("resource_id"), data.get("filename"))  # fmt: skip
    named(data, "doc_type", {0: "folder", 1: "file", 2: "presentation", 3: "form", 4: "spreadsheet", 5: "drawing",
                             6: "document", 12: "map"})  # fmt: skip


def _local(data: Data, database: Database) -> None:
    data["path"] = _path(database, "local_relations", "child_inode_number", "parent_inode_number", "local_entry",
                         "inode_number", data.get("inode_number"), data.get("filename"))  # fmt: skip


def _path(
    database: Database,
    relations: str,
    child: str,
    parent: str,
    entries: str,
    key: str,
    identifier: object,
    name: object,
) -> str:
    """The path of an entry: names of its parents, at most 64; the root's own name is left to the parents' end."""
    parts, seen = [str(name or "")], {identifier}
    if not database.has(relations, child, parent):
        return parts[0]
    for _ in range(64):
        found = database.related(
            f'SELECT r."{parent}", e.filename FROM "{relations}" r LEFT JOIN "{entries}" e ON e."{key}" = r."{parent}" '
            f'WHERE r."{child}" = ? LIMIT 1',
            identifier,
        )
        if not found or found[0][0] in seen or found[0][1] is None:
            break
        identifier = found[0][0]
        seen.add(identifier)
        parts.append(str(found[0][1]))
    if len(parts) > 1:
        parts[-1] = "" if entries == "cloud_entry" else "%local_sync_root%"
    return "/".join(reversed(parts))


CLOUD = Query(
    "google_drive.cloud_entry",
    ("cloud_entry c",),
    "c.resource_id c.filename c.modified c.created c.acl_role c.doc_type c.removed c.url c.size c.checksum c.shared",
    "c.rowid",
    {"modified": seconds, "created": seconds},
    derive=_cloud,
)
LOCAL = Query(
    "google_drive.local_entry",
    ("local_entry l",),
    "l.inode_number l.filename l.modified l.checksum l.size",
    "l.rowid",
    {"modified": seconds},
    derive=_local,
)
VIDEO = Query(
    "kodi.video",
    ("files f", "LEFT JOIN path p ON p.idPath = f.idPath", "LEFT JOIN bookmark b ON b.idFile = f.idFile"),
    "f.idFile f.strFilename p.strPath f.playCount f.lastPlayed f.dateAdded b.timeInSeconds:resume_at_seconds "
    "b.totalTimeInSeconds",
    "f.idFile",
    {"lastPlayed": text_local, "dateAdded": text_local},
)  # Kodi writes local wall-clock time without a zone


@parser(
    "macos.quarantine", claims=QUARANTINE,
    reads="QuarantineEvents databases of macOS users",
    means="this program marked a file that came from this address at that time",
    does_not_mean="that the file was opened, or still exists",
    refs=("https://developer.apple.com/documentation/coreservices/launch_services",), artifacts=(EVENT.artifact,),
)  # fmt: skip
def quarantine(file: EvidenceFile) -> Iterator[Yield]:
    """One record a marking."""
    yield from read_queries(file, QUARANTINE, (EVENT,))


@parser(
    "macos.application_usage", claims=USAGE,
    reads="application_usage.sqlite of managed macOS computers (Munki)",
    means="the counter of launches, activations or quits of this program, and the last one",
    does_not_mean="when the earlier ones were; the counter is one, not that many observations",
    refs=("https://github.com/munki/munki/wiki/Application-Usage",), artifacts=(LAUNCH.artifact,),
)  # fmt: skip
def application_usage(file: EvidenceFile) -> Iterator[Yield]:
    """One record a program and event."""
    yield from read_queries(file, USAGE, (LAUNCH,))


@parser(
    "macos.document_versions", claims=VERSIONS,
    reads="db.sqlite of .DocumentRevisions-V100 on macOS",
    means="this version of the document was stored then",
    does_not_mean="who saved it",
    refs=("https://developer.apple.com/documentation/foundation/nsfileversion",), artifacts=(GENERATION.artifact,),
)  # fmt: skip
def document_versions(file: EvidenceFile) -> Iterator[Yield]:
    """One record a stored version with its document."""
    yield from read_queries(file, VERSIONS, (GENERATION,))


@parser(
    "google_drive.snapshot", claims=DRIVE,
    reads="snapshot.db of Google Drive (Backup and Sync)",
    means="the account's drive, or the synchronised folder, held this entry when last compared",
    does_not_mean="that a person opened it here",
    refs=(SQLITE,), artifacts=(CLOUD.artifact, LOCAL.artifact),
)  # fmt: skip
def drive(file: EvidenceFile) -> Iterator[Yield]:
    """One record an entry of the cloud, one of the local folder, with their paths."""
    yield from read_queries(file, DRIVE, (CLOUD, LOCAL))


@parser(
    "kodi.videos", claims=KODI,
    reads="MyVideos databases of Kodi",
    means="the player counted so many plays of this item, the last at that local time",
    does_not_mean="that it was watched to the end",
    refs=("https://kodi.wiki/view/Databases/MyVideos",), artifacts=(VIDEO.artifact,),
)  # fmt: skip
def kodi(file: EvidenceFile) -> Iterator[Yield]:
    """One record a file."""
    yield from read_queries(file, KODI, (VIDEO,))
