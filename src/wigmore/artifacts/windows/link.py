"""Reads shell links (MS-SHLLINK) wherever they stand: .lnk files, jump list streams, custom destinations.

Sources: MS-SHLLINK 2.1 to 2.5; MS-PROPSTORE (property storage); MS-DLTW 2.2.1 (droids). Links with invalid parts are
read as far as they go, with the problem noted.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import Any

from wigmore.artifacts.windows.folders import folder_name
from wigmore.artifacts.windows.shell_items import Item, path_of, read_list
from wigmore.artifacts.windows.structures import FILE_ATTRIBUTES, ansi, bits, guid, utf16, uuid_parts, wide_at
from wigmore.model.times import Time, filetime

HEADER = b"\x4c\x00\x00\x00\x01\x14\x02\x00\x00\x00\x00\x00\xc0\x00\x00\x00\x00\x00\x00\x46"
BLOCKS = 64  # extra data blocks read

FLAGS = {
    1 << bit: name
    for bit, name in enumerate(
        (
            "HasLinkTargetIDList", "HasLinkInfo", "HasName", "HasRelativePath", "HasWorkingDir", "HasArguments",
            "HasIconLocation", "IsUnicode", "ForceNoLinkInfo", "HasExpString", "RunInSeparateProcess", "Unused1",
            "HasDarwinID", "RunAsUser", "HasExpIcon", "NoPidlAlias", "Unused2", "RunWithShimLayer", "ForceNoLinkTrack",
            "EnableTargetMetadata", "DisableLinkPathTracking", "DisableKnownFolderTracking", "DisableKnownFolderAlias",
            "AllowLinkToLink", "UnaliasOnSave", "PreferEnvironmentPath", "KeepLocalIDListForUNCTarget",
        )
    )
}  # fmt: skip
DRIVES = {0: "unknown", 1: "no root", 2: "removable", 3: "fixed", 4: "remote", 5: "optical", 6: "RAM disk"}
SHOW = {1: "normal", 3: "maximized", 7: "minimized"}
STRINGS = (
    (0x04, "description"), (0x08, "relative_path"), (0x10, "working_directory"), (0x20, "arguments"),
    (0x40, "icon_location"),
)  # fmt: skip
PROPERTIES = {
    "46588ae2-4cbc-4338-bbfc-139326986dce/4": "owner_sid",
    "9f4c2855-9f79-4b39-a8d0-e1d42de1d5f3/5": "app_user_model_id",
    "28636aa6-953d-11d2-b5d6-00c04fd918d0/30": "parsing_path",
    "b725f130-47ef-101a-a5f1-02608c9eebac/4": "item_type",
    "b725f130-47ef-101a-a5f1-02608c9eebac/10": "item_name",
    "b725f130-47ef-101a-a5f1-02608c9eebac/12": "property_size",
    "b725f130-47ef-101a-a5f1-02608c9eebac/14": "property_modified",
    "b725f130-47ef-101a-a5f1-02608c9eebac/15": "property_created",
    "b725f130-47ef-101a-a5f1-02608c9eebac/16": "property_accessed",
    "446d16b1-8dad-4870-a748-402ea43d788c/104": "volume_id",
    "f29f85e0-4ff9-1068-ab91-08002b27b3d9/2": "title",
    "e3e0584c-b788-4a5a-bb20-7f5a44c9acdd/6": "item_folder_path",
}


@dataclass
class Link:
    """What a link holds: `data` and `times` for a record, `end` (offset after it) and what was wrong with it."""

    data: dict[str, Any] = field(default_factory=dict)
    times: dict[str, Time] = field(default_factory=dict)
    end: int = 0
    problems: list[str] = field(default_factory=list)


class Cut(Exception):
    """The link ends before the part it announces."""


def _take(data: bytes, position: int, size: int, what: str) -> bytes:
    if position < 0 or size < 0 or position + size > len(data):
        raise Cut(f"{what} is cut off")
    return data[position : position + size]


def _u32(data: bytes, position: int, what: str) -> int:
    value: int = struct.unpack("<I", _take(data, position, 4, what))[0]
    return value


def _text_at(info: bytes, ansi_offset: int, wide_offset: int) -> str:
    """The Unicode text where there is one, else that of the code page."""
    if 0 < wide_offset < len(info) and (text := wide_at(info, wide_offset)):
        return text
    return ansi(info[ansi_offset:]) if 0 < ansi_offset < len(info) else ""


def _volume(info: bytes, at: int, data: dict[str, Any]) -> None:
    size, drive, serial, label = struct.unpack("<IIII", _take(info, at, 16, "volume information"))
    part = info[at : at + max(size, 16)]
    data["drive_type"] = DRIVES.get(drive, str(drive))
    data["volume_serial"], data["volume_serial_hex"] = serial, f"{serial:08X}"
    if label == 0x14 and len(part) >= 20:
        data["volume_label"] = wide_at(part, struct.unpack_from("<I", part, 16)[0])
    elif 16 <= label < len(part):
        data["volume_label"] = ansi(part[label:])


def _network(info: bytes, at: int, data: dict[str, Any]) -> str:
    size, flags, name_at, device_at, provider = struct.unpack("<5I", _take(info, at, 20, "network information"))
    part = info[at : at + max(size, 20)]
    wide_name = wide_device = 0
    if name_at > 0x14 and len(part) >= 28:
        wide_name, wide_device = struct.unpack_from("<II", part, 20)
    name = _text_at(part, name_at, wide_name)
    if name:
        data["network_share"] = name
    if flags & 1 and (device := _text_at(part, device_at, wide_device)):
        data["network_device"] = device
    if flags & 2:
        data["network_provider"] = f"{provider:#010x}"
    return name


def _link_info(info: bytes, data: dict[str, Any]) -> None:
    """LinkInfo (2.3): volume, local path, network share."""
    header, flags, volume_at, local_at, network_at, suffix_at = struct.unpack("<6I", _take(info, 4, 24, "LinkInfo"))
    wide_local = wide_suffix = 0
    if header >= 0x24 and len(info) >= 36:
        wide_local, wide_suffix = struct.unpack_from("<II", info, 28)
    suffix = _text_at(info, suffix_at, wide_suffix)
    if flags & 1:
        if volume_at:
            _volume(info, volume_at, data)
        base = _text_at(info, local_at, wide_local)
        if base:
            separator = "\\" if suffix and not base.endswith("\\") else ""
            data["local_path"] = base + separator + suffix
    if flags & 2 and network_at:
        share = _network(info, network_at, data)
        if share:
            data["network_path"] = share + ("\\" + suffix if suffix else "")


def _tracker(block: bytes, link: Link) -> None:
    """Link-tracking data: machine, droids, and what their version 1 UUIDs carry."""
    if len(block) < 96:
        raise Cut("link-tracking data is cut off")
    link.data["machine_id"] = ansi(block[16:32])
    names = ("droid_volume", "droid_file", "birth_droid_volume", "birth_droid_file")
    for index, name in enumerate(names):
        raw = block[32 + 16 * index : 48 + 16 * index]
        link.data[name] = guid(raw)
        if name.endswith("file"):
            mac, moment = uuid_parts(raw)
            if mac:
                link.data["mac_address" if name == "droid_file" else "birth_mac_address"] = mac
            if moment:
                link.times[f"{name}_time"] = moment


def _property(kind: int, raw: bytes) -> str | int | bool | Time | None:
    """A typed value of a property store: text, integers, truth, GUID, FILETIME; None for kinds not read."""
    if kind == 0x1F and len(raw) >= 4:
        count = struct.unpack_from("<I", raw)[0]
        return utf16(raw[4 : 4 + 2 * min(count, len(raw))])
    if kind == 0x40 and len(raw) >= 8:
        return filetime(struct.unpack_from("<Q", raw)[0])
    if kind in (0x13, 0x15, 0x03) and len(raw) >= (8 if kind == 0x15 else 4):
        value: int = struct.unpack_from({0x13: "<I", 0x15: "<Q", 0x03: "<i"}[kind], raw)[0]
        return value
    if kind == 0x0B and len(raw) >= 2:
        return raw[:2] != b"\0\0"
    if kind == 0x48 and len(raw) >= 16:
        return guid(raw)
    return None


def _properties(block: bytes, link: Link) -> None:
    """Property storages (MS-PROPSTORE 2.2); values under their known name, else `format id/property id`."""
    position, budget = 8, 512
    while position + 24 <= len(block) and budget:
        size = struct.unpack_from("<I", block, position)[0]
        if size < 24 or position + size > len(block) or block[position + 4 : position + 8] != b"1SPS":
            return
        storage = block[position : position + size]
        position += size
        form, at = guid(storage[8:24]), 24
        while at + 9 <= len(storage) and budget:
            budget -= 1
            length, identifier = struct.unpack_from("<II", storage, at)
            if length < 9 or at + length > len(storage):
                break
            value = storage[at : at + length]
            at += length
            if form == "d5cdd505-2e9c-101b-9397-08002b2cf9ae":  # properties named by text: `identifier` is its length
                key = f"{form}/{utf16(value[9 : 9 + identifier])}"
                value = value[min(identifier, length) :]
            else:
                key = f"{form}/{identifier}"
            if len(value) < 13:
                continue
            read = _property(struct.unpack_from("<H", value, 9)[0], value[13:])
            name = PROPERTIES.get(key, key)
            if isinstance(read, dict):
                link.times[name] = read
            elif read is not None and read != "":
                if name in PROPERTIES.values():
                    link.data[name] = read
                else:
                    link.data.setdefault("properties", {})[name] = read


def _block(signature: int, block: bytes, link: Link) -> None:
    """One extra data block (2.5)."""
    if signature in (0xA0000001, 0xA0000006, 0xA0000007):
        name = {0xA0000001: "environment_path", 0xA0000006: "darwin_data", 0xA0000007: "icon_environment_path"}[
            signature
        ]
        text = utf16(block[268:788]) or ansi(block[8:268])
        if text:
            link.data[name] = text
    elif signature == 0xA0000003:
        _tracker(block, link)
    elif signature == 0xA0000005 and len(block) >= 16:
        link.data["special_folder"] = struct.unpack_from("<I", block, 8)[0]
    elif signature == 0xA0000008:
        link.data["shim_layer"] = utf16(block[8:])
    elif signature == 0xA0000009:
        _properties(block, link)
    elif signature == 0xA000000B and len(block) >= 28:
        identifier = guid(block[8:24])
        link.data["known_folder"] = identifier
        link.data["known_folder_name"] = folder_name(identifier)
    elif signature == 0xA000000C:
        link.data["item_path_vista"] = path_of(read_list(block[8:]))
    elif signature not in (0xA0000002, 0xA0000004):  # console settings say nothing of the target
        link.problems.append(f"unknown extra data block {signature:#010x}")


def _items(items: list[Item], link: Link) -> None:
    """The target's shell items: path, and the last one's sizes and times."""
    link.data["item_path"] = path_of(items)
    if not items:
        return
    last = items[-1]
    if last.entry is not None:
        link.data |= {"item_file_entry": last.entry, "item_file_sequence": last.sequence}
    for name, moment in last.times.items():
        link.times[f"item_{name}"] = moment
    # what cannot be said as a path is kept as bytes
    unknown = [item.unread for item in items if item.unread]
    if unknown:
        link.data["unknown_items"] = unknown


def _parts(data: bytes, position: int, flags: int, link: Link) -> None:
    """Everything after the header, in order; `link.end` follows what was read."""
    if flags & 0x01:
        size = struct.unpack("<H", _take(data, position, 2, "the ID list"))[0]
        _items(read_list(_take(data, position + 2, size, "the ID list")), link)
        position += 2 + size
        link.end = position
    if flags & 0x02 and not flags & 0x100:
        size = _u32(data, position, "LinkInfo")
        info = _take(data, position, max(size, 4), "LinkInfo")
        if size >= 28:
            try:
                _link_info(info, link.data)
            except (Cut, struct.error) as error:
                link.problems.append(f"LinkInfo: {error}")
        position += max(size, 4)
        link.end = position
    width = 2 if flags & 0x80 else 1
    for bit, name in STRINGS:
        if flags & bit:
            count = struct.unpack("<H", _take(data, position, 2, name))[0]
            raw = _take(data, position + 2, count * width, name)
            link.data[name] = utf16(raw) if width == 2 else ansi(raw)
            position += 2 + count * width
            link.end = position
    for _ in range(BLOCKS):
        size = _u32(data, position, "extra data") if position + 4 <= len(data) else 0
        if size < 4:
            link.end = min(position + 4, len(data))
            return
        block = _take(data, position, size, "an extra data block")
        if size >= 8:
            try:
                _block(struct.unpack_from("<I", block, 4)[0], block, link)
            except (Cut, struct.error) as error:
                link.problems.append(str(error))
        position += size
        link.end = position


def read_link(data: bytes, start: int = 0) -> Link:
    """The link at `start`; raises ValueError where there is no link header."""
    if data[start : start + 20] != HEADER or len(data) < start + 76:
        raise ValueError("no shell link header")
    link = Link(end=start + 76)
    flags, attributes, created, accessed, modified, size, icon, show, key = struct.unpack_from(
        "<IIQQQIiIH", data, start + 20
    )
    for name, value in (("target_created", created), ("target_accessed", accessed), ("target_modified", modified)):
        if moment := filetime(value):
            link.times[name] = moment
    link.data["target_path"] = ""
    try:
        _parts(data, start + 76, flags, link)
    except (Cut, struct.error) as error:
        link.problems.append(str(error))
    found = link.data
    for name in ("local_path", "network_path", "environment_path", "parsing_path", "item_path", "item_path_vista"):
        if found.get(name):
            found["target_path"] = found[name]
            break
    else:
        found["target_path"] = found.get("relative_path", "")
    found["target_size"] = size
    found["target_attributes"] = bits(attributes, FILE_ATTRIBUTES)
    found["link_flags"] = bits(flags, FLAGS)
    if show in SHOW:
        found["show_command"] = SHOW[show]
    if icon:
        found["icon_index"] = icon
    if key:
        found["hot_key"] = f"{key:#06x}"
    return link
