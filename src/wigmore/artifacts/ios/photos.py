"""The iOS and macOS photo library (Photos.sqlite): assets with times, places, albums, people, hidden and trashed marks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from wigmore.artifacts.generic.sqlite_layout import Layout
from wigmore.artifacts.generic.sqlite_queries import Data, Query, apple, named, opened, read_queries, walk
from wigmore.artifacts.generic.sqlite_reader import Database
from wigmore.model.protocols import EvidenceFile, Yield
from wigmore.registry import parser

QUERIES = "https://theforensicscooter.com/category/photos-sqlite/"
ILEAPP = "https://github.com/abrignoni/iLEAPP/tree/main/scripts/artifacts"
NEW = Layout(paths=("photos.sqlite",), tables=(("ZASSET", ("ZFILENAME", "ZDATECREATED", "ZTRASHEDSTATE")),))
OLD = Layout(tables=(("ZGENERICASSET", ("ZFILENAME", "ZDATECREATED", "ZTRASHEDSTATE")),))  # iOS 13 and before
KINDS = {0: "photo", 1: "video", 2: "audio", 3: "other"}
SAVED = {0: "not camera roll", 3: "camera roll"}
NO_PLACE = -180.0  # stored where there is none


def _asset(data: Data, database: Database) -> None:
    for name, column in (("latitude", "ZLATITUDE"), ("longitude", "ZLONGITUDE")):
        value = data.pop(column, None)
        extended = data.pop(f"extended_{name}", None)
        data[name] = next((v for v in (value, extended) if v is not None and v != NO_PLACE), None)
    named(data, "ZKIND", KINDS)
    named(data, "ZSAVEDASSETTYPE", SAVED)
    data["hidden"] = data.pop("ZHIDDEN", None) == 1
    data["trashed"] = data.pop("ZTRASHEDSTATE", None) == 1
    data["favorite"] = data.pop("ZFAVORITE", None) == 1
    if data.get("ZDIRECTORY") and data.get("ZFILENAME"):
        data["file"] = f"{data['ZDIRECTORY']}/{data['ZFILENAME']}"
    if isinstance(data.get("ZREVERSELOCATIONDATA"), bytes):
        opened(data, "ZREVERSELOCATIONDATA")
        place = _address(data.pop("ZREVERSELOCATIONDATA"))
        if place:
            data["address"] = place
    albums = _albums(database, data["Z_PK"])
    if albums:
        data["albums"] = albums
    people = _people(database, data["Z_PK"])
    if people:
        data["people"] = people


def _address(value: Any) -> str:
    """The formatted address lines in an archived place."""
    for key, inner in walk(value):
        if key in ("_formattedAddressLines", "formattedAddressLines") and isinstance(inner, list):
            return ", ".join(str(line) for line in inner)
    for key, inner in walk(value):
        if key in ("addressString", "name") and isinstance(inner, str) and inner:
            return inner
    return ""


def _albums(database: Database, asset: Any) -> list[str]:
    """Titles of the albums an asset is in; the joining table is numbered by the version of the model."""
    if not database.has("ZGENERICALBUM", "ZTITLE"):
        return []
    for table, columns in sorted(database.tables.items()):
        if not re.fullmatch(r"Z_\d+ASSETS", table):
            continue
        album = next((c for c in columns if re.fullmatch(r"Z_\d+ALBUMS", c)), None)
        member = next((c for c in columns if re.fullmatch(r"Z_\d+ASSETS", c)), None)
        if album and member:
            found = database.related(
                f'SELECT a.ZTITLE FROM "{table}" j JOIN ZGENERICALBUM a ON a.Z_PK = j."{album}" '
                f'WHERE j."{member}" = ? AND a.ZTITLE IS NOT NULL ORDER BY a.Z_PK',
                asset,
            )
            return [str(title) for (title,) in found]
    return []


def _people(database: Database, asset: Any) -> list[str]:
    """Names given to faces the library found on an asset."""
    pairs = (("ZASSETFORFACE", "ZPERSONFORFACE"), ("ZASSET", "ZPERSON"))
    for ours, theirs in pairs:
        if database.has("ZDETECTEDFACE", ours, theirs) and database.has("ZPERSON", "ZFULLNAME"):
            found = database.related(
                f"SELECT DISTINCT p.ZFULLNAME FROM ZDETECTEDFACE f JOIN ZPERSON p ON p.Z_PK = f.{theirs} "
                f"WHERE f.{ours} = ? AND p.ZFULLNAME <> '' ORDER BY p.Z_PK",
                asset,
            )
            return [str(name) for (name,) in found]
    return []


COLUMNS = (
    "g.Z_PK g.ZUUID g.ZDIRECTORY g.ZFILENAME g.ZDATECREATED g.ZADDEDDATE g.ZMODIFICATIONDATE g.ZTRASHEDDATE "
    "g.ZLASTSHAREDDATE g.ZANALYSISSTATEMODIFICATIONDATE g.ZLATITUDE g.ZLONGITUDE g.ZKIND g.ZKINDSUBTYPE g.ZDURATION g.ZWIDTH "
    "g.ZHEIGHT g.ZHIDDEN g.ZTRASHEDSTATE g.ZFAVORITE g.ZSAVEDASSETTYPE g.ZUNIFORMTYPEIDENTIFIER g.ZCLOUDLOCALSTATE "
    "g.ZHASADJUSTMENTS g.ZADJUSTMENTTIMESTAMP g.ZISDETECTEDSCREENSHOT g.ZCOMPLETE "
    "a.ZORIGINALFILENAME a.ZEXIFTIMESTAMPSTRING a.ZTIMEZONENAME a.ZTIMEZONEOFFSET a.ZORIGINALFILESIZE a.ZCREATORBUNDLEID "
    "a.ZIMPORTEDBY a.ZIMPORTEDBYBUNDLEIDENTIFIER a.ZIMPORTEDBYDISPLAYNAME a.ZTITLE a.ZVIEWCOUNT a.ZPLAYCOUNT a.ZSHARECOUNT "
    "a.ZLASTVIEWEDDATE a.ZREVERSELOCATIONDATA a.ZGPSHORIZONTALACCURACY a.ZEDITORBUNDLEID a.ZMASTERFINGERPRINT "
    "x.ZCAMERAMAKE x.ZCAMERAMODEL x.ZLENSMODEL x.ZLATITUDE:extended_latitude x.ZLONGITUDE:extended_longitude "
    "m.ZORIGINALFILENAME:cloud_filename m.ZCREATIONDATE:cloud_creation"
)
JOINS = (
    "LEFT JOIN ZADDITIONALASSETATTRIBUTES a ON a.Z_PK = g.ZADDITIONALATTRIBUTES",
    "LEFT JOIN ZEXTENDEDATTRIBUTES x ON x.Z_PK = g.ZEXTENDEDATTRIBUTES",
    "LEFT JOIN ZCLOUDMASTER m ON m.Z_PK = g.ZMASTER",
)
TIMES = dict.fromkeys(
    ("ZDATECREATED", "ZADDEDDATE", "ZMODIFICATIONDATE", "ZTRASHEDDATE", "ZLASTSHAREDDATE", "ZANALYSISSTATEMODIFICATIONDATE",
     "ZADJUSTMENTTIMESTAMP", "ZLASTVIEWEDDATE", "cloud_creation"),
    apple,
)  # fmt: skip
ASSET = Query("ios.photo", ("ZASSET g", *JOINS), COLUMNS, "g.Z_PK", TIMES, ("ZDATECREATED",), derive=_asset)
OLD_ASSET = Query("ios.photo", ("ZGENERICASSET g", *JOINS), COLUMNS, "g.Z_PK", TIMES, ("ZDATECREATED",), derive=_asset)
ALBUM = Query(
    "ios.photo_album",
    ("ZGENERICALBUM b",),
    "b.Z_PK b.ZTITLE b.ZKIND b.ZCREATIONDATE b.ZSTARTDATE b.ZENDDATE b.ZCACHEDCOUNT b.ZTRASHEDSTATE b.ZTRASHEDDATE b.ZUUID "
    "b.ZCLOUDGUID b.ZCLOUDOWNERFULLNAME b.ZCLOUDOWNERHASHEDPERSONID b.ZIMPORTEDBYBUNDLEIDENTIFIER",
    "b.Z_PK",
    dict.fromkeys(("ZCREATIONDATE", "ZSTARTDATE", "ZENDDATE", "ZTRASHEDDATE"), apple),
    derive=lambda data, database: named(
        data, "ZKIND", {2: "album", 1505: "shared album", 1506: "import", 1552: "sync event", 3571: "progress",
                        3999: "root", 4000: "folder", 3998: "project root", 1507: "smart album"},
    ),
)  # fmt: skip


@parser(
    "ios.photos", claims=NEW,
    reads="Photos.sqlite of iOS 14 and later and of macOS",
    means="the library holds or held this asset, with the creation time and place that its metadata gave",
    does_not_mean="that the device took it: shared, saved and synchronised pictures bring their own times and places; "
    "hidden and trashed are marks, not acts of a known person",
    refs=(QUERIES, ILEAPP), artifacts=(ASSET.artifact, ALBUM.artifact),
)  # fmt: skip
def photos(file: EvidenceFile) -> Iterator[Yield]:
    """One record an asset with its albums and people, one an album."""
    yield from read_queries(file, NEW, (ASSET, ALBUM))


@parser(
    "ios.photos_old", claims=OLD,
    reads="Photos.sqlite of iOS 13 and before",
    means="the library holds or held this asset, with the creation time and place that its metadata gave",
    does_not_mean="that the device took it: shared, saved and synchronised pictures bring their own times and places",
    refs=(QUERIES, ILEAPP), artifacts=(OLD_ASSET.artifact, ALBUM.artifact),
)  # fmt: skip
def old_photos(file: EvidenceFile) -> Iterator[Yield]:
    """One record an asset with its albums and people, one an album."""
    yield from read_queries(file, OLD, (OLD_ASSET, ALBUM))
