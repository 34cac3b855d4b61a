"""Windows Prefetch (.pf): a program's run counter, run times, and the files and volumes it touched while starting."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

from wigmore.model.canonical import clean
from wigmore.model.protocols import EvidenceFile, Gap, ParseError, Record, Yield
from wigmore.model.times import Time, filetime
from wigmore.registry import Claim, parser

LIMIT = 64 * 1024 * 1024
NAMES, VOLUMES, RUNS = 1024, 64, 8
VERSIONS = {17: "Windows XP/2003", 23: "Windows Vista/7", 26: "Windows 8/8.1", 30: "Windows 10", 31: "Windows 11"}


def _look(head: bytes, path: str, size: int) -> bool:
    """SCCA after a version, or a compressed file with that suffix (MAM also begins other compressed files)."""
    return head[4:8] == b"SCCA" or path.lower().endswith(".pf")


def _volumes(scca: Any, data: dict[str, Any], times: dict[str, Time]) -> None:
    volumes = []
    for index in range(min(scca.number_of_volumes, VOLUMES)):
        volume = scca.get_volume_information(index)
        serial, path = int(volume.serial_number), clean(volume.device_path or "")
        created = filetime(volume.get_creation_time_as_integer())
        volumes.append({"device_path": path, "serial": serial, "serial_hex": f"{serial:08X}"})
        if created:
            times["volume_created" if index == 0 else f"volume_{index + 1}_created"] = created
            volumes[-1]["created"] = created["text"]
    data["volume_count"] = scca.number_of_volumes
    if volumes:
        data["volume_path"] = volumes[0]["device_path"]
        data["volume_serial"] = volumes[0]["serial"]
        data["volume_serial_hex"] = volumes[0]["serial_hex"]
        data["volumes"] = volumes


def _executable(data: dict[str, Any], scca: Any, names: list[str]) -> None:
    """Which of the loaded files is the program: the one with the header's name (29 characters at most)."""
    wanted = data["executable"].upper()
    for index, name in enumerate(names):
        last = name.rpartition("\\")[2].upper()
        if last == wanted or (len(wanted) >= 29 and last.startswith(wanted)):
            data["executable_path"] = name
            if index < scca.number_of_file_metrics_entries:
                reference = scca.get_file_metrics_entry(index).file_reference
                if reference:
                    data["executable_file_entry"] = reference & 0xFFFFFFFFFFFF
                    data["executable_file_sequence"] = reference >> 48
            return


@parser(
    "windows.prefetch",
    claims=Claim(paths=("*.pf",), magic=((4, b"SCCA"), (0, b"MAM\x04")), look=_look),
    reads="*.pf of Windows XP to 11, also compressed (MAM)",
    means=(
        "A program file of this name was started from the place that the path hash stands for; the counter stands at "
        "run count; the stored times are starts; the listed files were touched in the first seconds."
    ),
    does_not_mean=(
        "Who started it, with which arguments (hosts like svchost hash them in), that it succeeded, what it did, or "
        "that every start is listed: eight times at most, unsorted, one before Windows 8. A new file counts anew."
    ),
    refs=("https://github.com/libyal/libscca (format documentation)", "MS-XCA 2.1 (compression)"),
)
def prefetch(file: EvidenceFile) -> Iterator[Yield]:
    """The file as one record: `run_time_1`… as stored, `last_run` the latest of them. Reader: libscca."""
    import pyscca

    content = file.read(LIMIT)
    if not content:
        raise ParseError(file.path, None, "the file is empty", "truncated")
    scca = pyscca.file()
    try:
        scca.open_file_object(io.BytesIO(content))
    except OSError as error:
        reason = "unsupported" if "version" in str(error) else "damaged"
        raise ParseError(file.path, 0, f"libscca: {str(error)[:300]}", reason) from error
    data: dict[str, Any] = {}
    times: dict[str, Time] = {}
    try:
        version = scca.format_version
        data["executable"] = clean(scca.executable_filename or "")
        data["path_hash"] = f"{scca.prefetch_hash:08X}"
        data["run_count"] = scca.run_count
        data["format_version"] = version
        data["format_version_name"] = VERSIONS.get(version, "unknown")
        data["compressed"] = content[:3] == b"MAM"
        for index in range(RUNS if version >= 26 else 1):
            if moment := filetime(scca.get_last_run_time_as_integer(index)):
                times[f"run_time_{index + 1}"] = moment
        if times:
            times["last_run"] = max(times.values(), key=lambda moment: int(moment["raw"]))
        name = file.path.rpartition("/")[2].upper()
        data["file_name_agrees"] = name == f"{data['executable']}-{data['path_hash']}.PF".upper()
    except OSError as error:
        raise ParseError(file.path, 0, f"libscca: {str(error)[:300]}") from error
    try:
        _volumes(scca, data, times)
    except OSError as error:
        yield Gap(f"volumes: {str(error)[:300]}")
    names: list[str] = []
    try:
        count = scca.number_of_filenames
        data["file_count"] = count
        names = [clean(scca.get_filename(index) or "") for index in range(min(count, NAMES))]
        if count > NAMES:
            data["files_not_listed"] = count - NAMES
        _executable(data, scca, names)
    except OSError as error:
        yield Gap(f"file names: {str(error)[:300]}")
    data["files"] = names
    yield (
        {"kind": "offset", "offset": 0, "length": len(content)},
        Record(data, times, "last_run" if "last_run" in times else None),
    )
