"""Android's media store, SIM table, settings, Bluetooth configuration, Digital Wellbeing and places of Google Maps."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from wigmore.artifacts.android.xml_reader import is_xml, read_xml
from wigmore.artifacts.generic.sqlite_layout import Layout
from wigmore.artifacts.generic.sqlite_queries import Data, Query, milliseconds, named, read_queries, seconds
from wigmore.artifacts.generic.sqlite_reader import Database
from wigmore.model.canonical import shown
from wigmore.model.protocols import EvidenceFile, Record, Yield
from wigmore.model.times import Time, posix
from wigmore.registry import Claim, parser

ANDROID = "https://developer.android.com/reference/android/"
AOSP = "https://android.googlesource.com/platform/"
ALEAPP = "https://github.com/abrignoni/ALEAPP/tree/main/scripts/artifacts"
MEDIA = Layout(
    paths=("external.db", "external-*.db", "internal.db"),
    tables=(
        ("files", ("_data", "_size", "date_added", "date_modified", "mime_type")),
        ("android_metadata", ("locale",)),
    ),
)
SIM = Layout(paths=("telephony.db",), tables=(("siminfo", ("icc_id", "display_name")),))
WELLBEING = Layout(tables=(("events", ("timestamp", "package_id", "type")), ("packages", ("package_name",))))
SAMSUNG = Layout(
    paths=("dwbcommon.db",),
    tables=(("usageEvents", ("timeStamp", "pkgId", "eventType")), ("foundPackages", ("pkgId", "name"))),
)
MAPS = Layout(paths=("da_destination_history",), tables=(("destination_history", ("time", "dest_lat", "dest_lng")),))
EVENTS = {1: "moved to foreground", 2: "moved to background", 7: "user interaction", 10: "notification seen",
          12: "notification interruption", 15: "screen interactive", 16: "screen non-interactive", 17: "keyguard shown",
          18: "keyguard hidden", 19: "foreground service start", 20: "foreground service stop", 23: "activity stopped",
          26: "device shutdown", 27: "device startup"}  # fmt: skip


def _media(data: Data, database: Database) -> None:
    named(
        data, "media_type", {0: "none", 1: "image", 2: "audio", 3: "video", 4: "playlist", 5: "subtitle", 6: "document"}
    )
    for name in ("is_trashed", "is_pending", "is_favorite", "is_download", "is_drm"):
        if isinstance(data.get(name), int):
            data[name] = data[name] == 1
    if data.get("latitude") in (0, 0.0) and data.get("longitude") in (0, 0.0):
        data.pop("latitude"), data.pop("longitude")


FILE = Query(
    "android.media_file",
    ("files f",),
    "f._id f._data f._display_name f._size f.mime_type f.title f.media_type f.date_added f.date_modified f.datetaken "
    "f.date_expires f.latitude f.longitude f.description f.bucket_display_name f.owner_package_name f.relative_path f.width "
    "f.height f.duration f.is_trashed f.is_pending f.is_favorite f.is_download f.download_uri f.referer_uri f.volume_name "
    "f.artist f.album f.orientation",
    "f._id",
    {"datetaken": milliseconds, "date_added": seconds, "date_modified": seconds, "date_expires": seconds},
    ("date_added", "date_modified"),
    derive=_media,
)
CARD = Query(
    "android.sim",
    ("siminfo s",),
    "s._id s.icc_id s.sim_id s.display_name s.carrier_name s.number s.mcc s.mnc s.mcc_string s.mnc_string s.imsi "
    "s.iso_country_code s.is_embedded s.card_id s.data_roaming s.phone_number_source_carrier s.phone_number_source_ims",
    "s._id",
)


def _used(data: Data, database: Database) -> None:
    named(data, "type", EVENTS)


USE = Query(
    "android.wellbeing_event",
    ("events e", "LEFT JOIN packages p ON p._id = e.package_id"),
    "e._id e.timestamp e.type e.instance_id p.package_name:package",
    "e._id",
    {"timestamp": milliseconds},
    derive=_used,
)
SAMSUNG_USE = Query(
    "android.wellbeing_event",
    ("usageEvents e", "LEFT JOIN foundPackages p ON p.pkgId = e.pkgId"),
    "e.eventId e.timeStamp e.eventType:type e.className p.name:package",
    "e.rowid",
    {"timeStamp": milliseconds},
    derive=_used,
)


def _destination(data: Data, database: Database) -> None:
    for stored, name in (("dest_lat", "latitude"), ("dest_lng", "longitude"), ("source_lat", "source_latitude"),
                         ("source_lng", "source_longitude")):  # fmt: skip
        value = data.pop(stored, None)
        if isinstance(value, int):  # millionths of a degree
            data[name] = value / 1_000_000
        elif value is not None:
            data[name] = value


DESTINATION = Query(
    "android.maps_destination",
    ("destination_history d",),
    "d.time d.dest_lat d.dest_lng d.dest_title d.dest_address d.dest_token d.source_lat d.source_lng d.day_of_week "
    "d.hour_of_day d.stitched_address",
    "d.rowid",
    {"time": milliseconds},
    derive=_destination,
)


@parser(
    "android.media_store", claims=MEDIA,
    reads="external.db and internal.db of Android's media provider",
    means="the media scanner listed this file at this path, of that size and with the times stored",
    does_not_mean="that the file is still there, or who made it; datetaken is the file's own metadata",
    refs=(ANDROID + "provider/MediaStore.MediaColumns",), artifacts=(FILE.artifact,),
)  # fmt: skip
def media_store(file: EvidenceFile) -> Iterator[Yield]:
    """One record a file."""
    yield from read_queries(file, MEDIA, (FILE,))


@parser(
    "android.sim_cards", claims=SIM,
    reads="telephony.db of Android: the table of SIM cards",
    means="a SIM of this number was in the device",
    does_not_mean="when, or whose contract it was; the phone number can be missing or typed in",
    refs=(ANDROID + "telephony/SubscriptionInfo",), artifacts=(CARD.artifact,),
)  # fmt: skip
def sim_cards(file: EvidenceFile) -> Iterator[Yield]:
    """One record a SIM."""
    yield from read_queries(file, SIM, (CARD,))


@parser(
    "android.wellbeing", claims=WELLBEING,
    reads="app_usage of Google's Digital Wellbeing",
    means="the application had this event at that time",
    does_not_mean="which person used it",
    refs=(ALEAPP, ANDROID + "app/usage/UsageEvents.Event"), artifacts=(USE.artifact,),
)  # fmt: skip
def wellbeing(file: EvidenceFile) -> Iterator[Yield]:
    """One record an event."""
    yield from read_queries(file, WELLBEING, (USE,))


@parser(
    "android.wellbeing_samsung", claims=SAMSUNG,
    reads="dwbCommon.db of Samsung's Digital Wellbeing",
    means="the application had this event at that time",
    does_not_mean="which person used it",
    refs=(ALEAPP,), artifacts=(SAMSUNG_USE.artifact,),
)  # fmt: skip
def wellbeing_samsung(file: EvidenceFile) -> Iterator[Yield]:
    """One record an event."""
    yield from read_queries(file, SAMSUNG, (SAMSUNG_USE,))


@parser(
    "android.maps_destinations", claims=MAPS,
    reads="da_destination_history of Google Maps",
    means="directions to this destination were asked for in the application at that time",
    does_not_mean="that the way was taken, or that the device was at either end",
    refs=(ALEAPP,), artifacts=(DESTINATION.artifact,),
)  # fmt: skip
def maps_destinations(file: EvidenceFile) -> Iterator[Yield]:
    """One record a destination."""
    yield from read_queries(file, MAPS, (DESTINATION,))


@parser(
    "android.settings",
    claims=Claim(
        paths=("settings_secure.xml", "settings_global.xml", "settings_system.xml", "settings_ssaid.xml"),
        look=lambda head, path, size: is_xml(head, b"settings"),
    ),
    reads="settings_secure, _global, _system and _ssaid of Android, text or binary XML",
    means="the setting has this value (android_id: the identity given to the user's applications), set by that package",
    does_not_mean="who set it, or when",
    refs=(ANDROID + "provider/Settings.Secure",),
    artifacts=("android.setting",),
)
def settings(file: EvidenceFile) -> Iterator[Yield]:
    """One record a setting."""
    group = file.path.rsplit("/", 1)[-1].lower().removeprefix("settings_").removesuffix(".xml")
    rows = list(read_xml(file).all("setting"))
    identity = next((e.attributes.get("value", "") for e in rows if e.attributes.get("name") == "android_id"), "")
    for element in rows:
        found = element.attributes
        data: dict[str, Any] = {"group": group}
        for name in ("name", "value", "package", "defaultValue"):
            if found.get(name) is not None:
                data[name] = found[name]
        yield (
            {"kind": "record", "number": element.number},
            Record(data, host_id=identity, artifact="android.setting"),
        )


SECRETS = ("linkkey", "le_key_", "ltk", "irk", "csrk")
SECTION = re.compile(rb"^\[(.+)\]\s*$")


@parser(
    "android.bluetooth",
    claims=Claim(paths=("bt_config.conf", "bt_config.bak")),
    reads="bt_config.conf of Android's Bluetooth stack",
    means="the adapter has this address and name, or this device was paired or met, first noted then",
    does_not_mean="when it was connected; the time is that of the entry",
    refs=(AOSP + "packages/modules/Bluetooth/+/refs/heads/main/system/btif/",),
    artifacts=("android.bluetooth_device",),
)
def bluetooth(file: EvidenceFile) -> Iterator[Yield]:
    """One record a section: the adapter or a device; keys of the connection stay out."""
    section, data, start, offset = "", dict[str, Any](), 0, 0
    for line in [*file.read(16 * 1024 * 1024).split(b"\n"), b"[end]"]:
        match = SECTION.match(line)
        if match:
            if section in ("Adapter",) or re.fullmatch(r"(?:[0-9a-fA-F]{2}:){5}[0-9a-fA-F]{2}", section):
                yield _device(section, data, start, offset - start)
            section, data, start = shown(match[1]), {}, offset
        elif b"=" in line:
            name, _, value = line.partition(b"=")
            key = shown(name).strip()
            if not key.lower().startswith(SECRETS):
                data[key] = shown(value).strip()
            else:
                data["bonded"] = True
        offset += len(line) + 1


def _device(section: str, data: dict[str, Any], start: int, length: int) -> Yield:
    times: dict[str, Time] = {}
    stamp = data.get("Timestamp")
    if isinstance(stamp, str) and stamp.isdigit() and len(stamp) < 12 and (time := posix(int(stamp))) is not None:
        times["Timestamp"] = time
        data = {k: v for k, v in data.items() if k != "Timestamp"}
    kind = {"kind": "adapter"} if section == "Adapter" else {"kind": "device", "address": section}
    where = {"kind": "offset", "offset": start, "length": length}
    return where, Record({**kind, **data}, times, "Timestamp" if times else None, artifact="android.bluetooth_device")
