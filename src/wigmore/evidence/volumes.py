"""What lies in a medium: its partitions, the volumes in them, encrypted and nested ones, and records of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from wigmore.evidence import core_storage, tcrypt
from wigmore.evidence.locked import describe, unlock
from wigmore.evidence.media import Media, Window, reason_of
from wigmore.evidence.secret import opened as said
from wigmore.evidence.secret import passwords
from wigmore.evidence.signatures import ENCRYPTED, HEAD, NOT_READ, details, volume_kind
from wigmore.evidence.tables import Slice, Table, read_table
from wigmore.evidence.unallocated import FOLDER
from wigmore.model import times
from wigmore.model.protocols import Gap, Locator, ParseError, Record
from wigmore.model.times import Time

MAX_NESTED = 64
OUTSIDE = "outside"  # kind of the place for what lies in no partition
MOST_TABLE = 256  # sectors; a longer row of kind table is an extended partition with room between its volumes
GPT_COPY = 33  # sectors at the end of the medium
BLOCK, LOOKED = 1024 * 1024, 64 * 1024 * 1024
SILENT_TYPES = ("Microsoft reserved", "BIOS boot", "LDM metadata")  # partitions that hold no file system by design


@dataclass(frozen=True)
class Place:
    """A volume with a file system: name below the container (`p1`, `p2/p1`), bytes, kind, offset in the medium."""

    name: str
    media: Media
    kind: str
    start: int
    handle: Any = None
    encrypted: bool = False
    snapshot: bool = False


@dataclass
class Layout:
    """A medium laid out: volumes by name, records about the container, parts that cannot be read."""

    path: str
    media: Media
    places: dict[str, Place] = field(default_factory=dict)
    windows: dict[str, Media] = field(default_factory=dict)
    records: list[tuple[Locator, Record]] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)
    needs: list[str] = field(default_factory=list)
    table: Table | None = None
    between: list[tuple[int, int]] = field(default_factory=list)  # bytes outside all partitions: (offset, length)
    kinds: dict[str, str] = field(default_factory=dict)  # file system or encryption by volume name


def lay_out(media: Media, path: str, secrets: Sequence[str] = ()) -> Layout:
    """Read tables and volume heads. Damaged parts become gaps; ParseError if the medium cannot be read at all."""
    layout = Layout(path, media)
    try:
        head = media.read_at(0, HEAD)
    except OSError as error:
        raise ParseError(path, 0, f"the first sectors cannot be read: {reason_of(error)}") from error
    kind = volume_kind(head)
    if kind is None:
        layout.table = read_table(media)
    if layout.table is None or not layout.table.volumes():
        _volume(layout, "p0", media, 0, None, kind, head, secrets, 0)
        return layout
    table = layout.table
    layout.gaps += table.gaps
    for number, row in enumerate(table.volumes(), 1):
        start = row.start * table.sector
        name = f"p{number}"
        window = Window(media, start, row.length * table.sector)
        try:
            part_head = window.read_at(0, HEAD)
        except OSError as error:
            layout.windows[name] = window
            layout.gaps.append(Gap(f"{name} at sector {row.start} cannot be read: {reason_of(error)}", start))
            continue
        if not window.size:
            layout.gaps.append(
                Gap(f"{name} at sector {row.start} lies behind the end of the medium", start, "truncated")
            )
            continue
        _volume(layout, name, window, start, row, volume_kind(part_head), part_head, secrets, 0)
    _partition_records(layout, table)
    layout.between = _between(media, table)
    if layout.between:
        layout.places[FOLDER] = Place(FOLDER, media, OUTSIDE, 0)
    return layout


def _between(media: Media, table: Table) -> list[tuple[int, int]]:
    """Byte runs outside all partitions and tables, if they hold anything; bytes behind the first `LOOKED` count as that."""
    tables = [(row.start, row.length) for row in table.rows if row.kind == "table" and row.length <= MOST_TABLE]
    if table.scheme == "GPT":
        tables.append((media.size // table.sector - GPT_COPY, GPT_COPY))
    runs: list[tuple[int, int]] = []
    for row in table.rows:
        if row.kind != "unallocated":
            continue
        at, end = row.start, row.start + row.length
        for start, length in sorted(tables):
            if at < start + length and start < end:
                if start > at:
                    runs.append((at * table.sector, (start - at) * table.sector))
                at = start + length
        if at < end:
            runs.append((at * table.sector, (end - at) * table.sector))
    looked = 0
    for start, length in runs:
        try:
            for at in range(start, start + length, BLOCK):
                piece = media.read_at(at, min(BLOCK, start + length - at))
                looked += len(piece)
                if piece.count(0) != len(piece) or looked > LOOKED:
                    return runs
        except OSError:
            return runs  # reading the pieces says what cannot be read
    return []


def _partition_records(layout: Layout, table: Table) -> None:
    """One record a row of the table, gaps and extended tables included."""
    names = {id(row): f"p{number}" for number, row in enumerate(table.volumes(), 1)}
    for row in table.rows:
        data: dict[str, Any] = {
            "table": table.scheme, "kind": row.kind, "start_sector": row.start,
            "end_sector": row.start + row.length - 1,
            "length": row.length, "sector_size": table.sector, "size": row.length * table.sector,
            "description": row.description,
        }  # fmt: skip
        if row.slot >= 0:
            data |= {"table_number": row.table, "slot": row.slot}
        name = names.get(id(row))
        if name:
            data["volume"] = name
            if name in layout.kinds:
                data["file_system"] = layout.kinds[name]
        for field_name, value in (("type_code", row.type_code), ("guid", row.guid), ("name", row.name)):
            if value:
                data[field_name] = value
        if row.type_code:
            from wigmore.evidence.tables import GPT_TYPES

            if row.type_code in GPT_TYPES:
                data["type_name"] = GPT_TYPES[row.type_code]
        locator: Locator = {"kind": "offset", "offset": row.start * table.sector, "length": row.length * table.sector,
                            "row": f"{row.kind}:{row.table}:{row.slot}"}  # fmt: skip
        layout.records.append((locator, Record(data, artifact="partition")))


def _volume(
    layout: Layout, name: str, media: Media, start: int, row: Slice | None, kind: str | None, head: bytes,
    secrets: Sequence[str], depth: int, encrypted: bool = False,
) -> None:  # fmt: skip
    layout.windows[name] = media
    if kind is None:
        if not _headerless(layout, name, media, start, row, head, secrets, depth):
            _unknown(layout, name, start, row, head)
        return
    found = details(head, kind)
    layout.kinds[name] = str(found.get("file_system", kind))
    if depth > 4:
        layout.gaps.append(Gap(f"{name}: volumes are nested too deep", start, "depth"))
    elif kind in ENCRYPTED:
        _encrypted(layout, name, media, start, row, kind, secrets, depth)
    elif kind == "LVM":
        _logical(layout, name, media, start, secrets, depth)
    elif kind == "CoreStorage":
        _core_storage(layout, name, media, start, row, secrets, depth)
    elif kind == "APFS":
        _apfs(layout, name, media, start, secrets)
    elif kind in NOT_READ:
        layout.gaps.append(Gap(f"{name}: {NOT_READ[kind]} is not read", start, "unsupported"))
        _record(layout, name, start, media, found, kind, None)
    else:
        place = Place(name, media, kind, start, encrypted=encrypted)
        layout.places[name] = place
        _record(layout, name, start, media, found, kind, place)
        if kind == "NTFS":
            _shadows(layout, place)


def _headerless(
    layout: Layout,
    name: str,
    media: Media,
    start: int,
    row: Slice | None,
    head: bytes,
    secrets: Sequence[str],
    depth: int,
) -> bool:
    """Whether the volume is one of TrueCrypt or VeraCrypt, as far as a secret shows it; its content is laid out."""
    if not tcrypt.likely(head, media.size // 512 * 512) or depth > 4:
        return False
    locator: Locator = {"kind": "offset", "offset": start, "volume": name, "of": "encryption"}
    fitted = tcrypt.unlock(media, secrets)
    if not fitted:
        layout.kinds.setdefault(name, "perhaps encrypted")
        data = {"volume": name, "locked": True, "start_offset": start, "volume_size": media.size, **tcrypt.SHAPE}
        layout.needs.append(f"{name}: {tcrypt.NEEDS}")
        layout.records.append((locator, Record(data, artifact="encrypted_volume")))
        message = f"{name}: {tcrypt.LOOKS}; it needs: {tcrypt.NEEDS}{tcrypt.tried(secrets)}"
        layout.gaps.append(Gap(message, start, "locked"))
        return True
    for number, (plain, header) in enumerate(fitted):
        below = f"{name}/hidden" if number else name
        data = {"volume": below, "locked": False, "start_offset": start, "volume_size": media.size, **header.describe()}
        layout.kinds[below] = header.program
        _plain(layout, below, plain, start, row, data, secrets, depth)
        layout.records.append((locator | {"of": "opened", "volume": below}, Record(data, artifact="encrypted_volume")))
    return True


def _plain(
    layout: Layout, name: str, plain: Media, start: int, row: Slice | None, data: dict[str, Any], secrets: Sequence[str],
    depth: int,
) -> None:  # fmt: skip
    """Lay out what an unlocked volume holds, and note it in the volume's own record."""
    try:
        head = plain.read_at(0, HEAD)
        inner = volume_kind(head)
        data |= {f"inner_{key}": value for key, value in details(head, inner or "").items()}
        data["inner_file_system"] = data.get("inner_file_system", inner or "none recognised")
        _volume(layout, name, plain, start, row, inner, head, secrets, depth + 1, encrypted=True)
    except OSError as error:
        layout.gaps.append(Gap(f"{name}: the unlocked volume cannot be read: {reason_of(error)}", start))


def _unknown(layout: Layout, name: str, start: int, row: Slice | None, head: bytes) -> None:
    from wigmore.evidence.tables import GPT_TYPES

    if row is not None and GPT_TYPES.get(row.type_code) in SILENT_TYPES:
        return
    if not any(head):
        text = "its first sectors are all zero"
    elif _random_looking(head):
        text = "its first sectors look random: encrypted without a header (VeraCrypt, TrueCrypt) or wiped"
    else:
        text = f"first bytes {head[:16].hex()}"
    what = f"{name}: no file system, encryption header or volume manager is recognised; {text}"
    layout.gaps.append(Gap(what, start, "unsupported"))


def _random_looking(head: bytes) -> bool:
    """Whether bytes are spread as evenly as ciphertext: chi-squared over the 256 values, far off is text or code."""
    if len(head) < 4096:
        return False
    expected = len(head) / 256
    spread = sum((head.count(value) - expected) ** 2 for value in range(256)) / expected
    # 255 degrees of freedom, about ±5 standard deviations; TrueCrypt's kin begin with one random sector
    return 160 < spread < 380 or (
        len(set(head[:512])) > 200 and not any(head[at : at + 4] == head[:4] for at in range(4, 508))
    )


def _encrypted(
    layout: Layout,
    name: str,
    media: Media,
    start: int,
    row: Slice | None,
    kind: str,
    secrets: Sequence[str],
    depth: int,
) -> None:
    data: dict[str, Any] = {"volume": name, "encryption": kind, "locked": True, "start_offset": start}
    stamps: dict[str, Time] = {}
    needs, opened = "", None
    try:
        more, stamps, needs = describe(media, kind, layout.path)
        data |= more
        opened = unlock(media, kind, secrets, layout.path)
    except ParseError as error:
        layout.gaps.append(Gap(f"{name}: {error.message}", start, error.reason))
        secrets = ()  # none of them was tried to the end
    if opened is not None:
        plain, how = opened
        data |= {"locked": False, **how}
        _plain(layout, name, plain, start, row, data, secrets, depth)
    elif needs:
        data["needs"] = needs
        layout.needs.append(f"{name}: {needs}")
        tried = f"; {len(secrets)} given secrets do not open it" if secrets else ""
        layout.gaps.append(
            Gap(f"{name}: {data['encryption']} volume is locked, it needs: {needs}{tried}", start, "locked")
        )
    what = "encryption" if opened is None else "opened"  # locked in one run and open in the next: two records
    locator: Locator = {"kind": "offset", "offset": start, "volume": name, "of": what}
    layout.records.append((locator, Record(data, stamps, artifact="encrypted_volume")))


def _logical(layout: Layout, name: str, media: Media, start: int, secrets: Sequence[str], depth: int) -> None:
    """The logical volumes of an LVM group that lies on this one physical volume."""
    import pyvslvm

    handle = pyvslvm.handle()
    try:
        handle.open_file_object(media)
        handle.open_physical_volume_files_as_file_objects([media])
        group = handle.get_volume_group()
        count = min(group.get_number_of_logical_volumes(), MAX_NESTED)
        data = {"volume": name, "file_system": "LVM", "group": group.get_name(), "uuid": group.get_identifier(),
                "logical_volumes": count, "physical_volumes": group.get_number_of_physical_volumes()}  # fmt: skip
        layout.records.append(({"kind": "offset", "offset": start, "volume": name}, Record(data, artifact="volume")))
    except (OSError, MemoryError, AttributeError) as error:
        layout.gaps.append(Gap(f"{name}: LVM metadata cannot be read: {reason_of(error)}", start))
        return
    for number in range(count):
        try:
            logical = group.get_logical_volume(number)
            plain = Media(logical.get_size(), "LVM", logical, (handle,))
            head = plain.read_at(0, HEAD)
        except (OSError, MemoryError) as error:
            layout.gaps.append(Gap(f"{name}: logical volume {number + 1} cannot be read: {reason_of(error)}", start))
            continue
        _volume(layout, f"{name}/p{number + 1}", plain, -1, None, volume_kind(head), head, secrets, depth + 1)


def _core_storage(
    layout: Layout, name: str, media: Media, start: int, row: Slice | None, secrets: Sequence[str], depth: int
) -> None:
    """The logical volumes of a CoreStorage group, `p1`, `p2`… below it: FileVault 2 ones under a secret."""
    try:
        for number, logical in enumerate(core_storage.logical_volumes(media, secrets, layout.path), 1):
            below = f"p{number}" if name == "p0" else f"{name}/p{number}"
            data = {"volume": below, "start_offset": start, **logical.data}
            what = "opened" if logical.plain is not None else "encryption"
            if logical.plain is not None:
                _plain(layout, below, logical.plain, start, row, data, secrets, depth)
            else:
                layout.needs.append(f"{below}: {core_storage.NEEDS}")
                message = f"{below}: FileVault 2 volume is locked, it needs: {core_storage.NEEDS}"
                layout.gaps.append(Gap(message, start, "locked"))
            locator: Locator = {"kind": "offset", "offset": start, "volume": below, "of": what}
            layout.records.append((locator, Record(data, artifact="encrypted_volume")))
    except ParseError as error:
        layout.gaps.append(Gap(f"{name}: {error.message}", start, error.reason))


def _apfs(layout: Layout, name: str, media: Media, start: int, secrets: Sequence[str]) -> None:
    """The volumes of an APFS container, `p1`, `p2`… below it (in its place where the whole medium is the container)."""
    import pyfsapfs

    layout.kinds[name] = "APFS container"

    container = pyfsapfs.container()
    try:
        container.open_file_object(media)
        count = min(container.get_number_of_volumes(), MAX_NESTED)
    except (OSError, MemoryError) as error:
        layout.gaps.append(Gap(f"{name}: APFS container cannot be read: {reason_of(error)}", start))
        return
    for number in range(count):
        below = f"p{number + 1}" if name == "p0" else f"{name}/p{number + 1}"
        try:
            volume = container.get_volume(number)
            found: dict[str, Any] = {
                "file_system": "APFS", "label": volume.get_name() or "", "uuid": volume.get_identifier(),
                "container_uuid": container.get_identifier(),
            }  # fmt: skip
            locked = volume.is_locked()
            for secret in passwords(secrets) if locked else ():
                volume.set_password(secret)
                if volume.unlock() and not volume.is_locked():
                    found.update(said(secret))
                    break
            found["encrypted"] = bool(locked)
            locked = volume.is_locked()
        except (OSError, MemoryError) as error:
            layout.gaps.append(Gap(f"{below}: APFS volume cannot be read: {reason_of(error)}", start))
            continue
        layout.kinds[below] = "APFS"
        layout.windows.setdefault(below, media)
        if locked:
            needs = "password or recovery key of the volume"
            layout.needs.append(f"{below}: {needs}")
            layout.gaps.append(
                Gap(f"{below}: APFS volume is encrypted (FileVault), it needs: {needs}", start, "locked")
            )
            data = {"volume": below, "encryption": "FileVault (APFS)", "locked": True, "needs": needs, **found}
            layout.records.append(
                ({"kind": "offset", "offset": start, "volume": below}, Record(data, artifact="encrypted_volume"))
            )
            continue
        place = Place(below, media, "APFS", start, handle=(container, volume), encrypted=bool(found["encrypted"]))
        layout.places[below] = place
        _record(layout, below, start, media, found, "APFS", place)


def _shadows(layout: Layout, place: Place) -> None:
    """Volume shadow copies of an NTFS volume: earlier states, as `vss1`, `vss2`… below it."""
    import pyvshadow

    handle = pyvshadow.volume()
    try:
        if not pyvshadow.check_volume_signature_file_object(place.media):
            return
        handle.open_file_object(place.media)
        count = min(handle.get_number_of_stores(), MAX_NESTED)
    except (OSError, MemoryError) as error:
        layout.gaps.append(Gap(f"{place.name}: shadow copies cannot be read: {reason_of(error)}", place.start))
        return
    for number in range(count):
        name = f"{place.name}/vss{number + 1}"
        try:
            store = handle.get_store(number)
            created = times.filetime(store.get_creation_time_as_integer())
            data = {
                "snapshot": name, "identifier": store.get_identifier(), "copy_identifier": store.get_copy_identifier(),
                "copy_set_identifier": store.get_copy_set_identifier(),
                "has_data_here": bool(store.has_in_volume_data()),
            }  # fmt: skip
            media = Media(store.get_volume_size(), "shadow copy", store, (handle,))
        except (OSError, MemoryError) as error:
            layout.gaps.append(Gap(f"{name}: shadow copy cannot be read: {reason_of(error)}", place.start))
            continue
        layout.places[name] = Place(name, media, "NTFS", -1, snapshot=True)
        layout.windows[name] = media
        stamps = {"created": created} if created else {}
        locator: Locator = {"kind": "offset", "offset": place.start, "volume": name}
        layout.records.append((locator, Record(data, stamps, "created" if created else None, artifact="shadow_copy")))


def _record(
    layout: Layout, name: str, start: int, media: Media, found: dict[str, Any], kind: str, place: Place | None
) -> None:
    data: dict[str, Any] = {"volume": name, "file_system": kind, **found, "start_offset": start, "size": media.size}
    layout.records.append(
        ({"kind": "offset", "offset": max(start, 0), "volume": name}, Record(data, artifact="volume"))
    )
    declared = found.get("declared_size")
    if isinstance(declared, int) and declared > media.size + 65536:
        layout.gaps.append(
            Gap(f"{name}: the file system has {declared} bytes, {media.size} are here", start + media.size, "truncated")
        )
