"""Docker's container settings (config.v2.json, config.json) and image settings, as the daemon keeps them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from wigmore.artifacts.logs.json_lines import flat, json_time
from wigmore.model.protocols import EvidenceFile, ParseError, Record, Yield
from wigmore.model.times import Time
from wigmore.registry import Claim, parser

LARGEST = 16 * 1024 * 1024
_STAMPS = (
    ("State.StartedAt", "started_at"),
    ("Created", "created_at"),
    ("created", "created_at"),
    ("State.FinishedAt", "finished_at"),
)


def _look(head: bytes, path: str, size: int) -> bool:
    if head.lstrip()[:1] != b"{":
        return False
    container = b'"State"' in head and (b'"Config"' in head or b'"ID"' in head) and b'"Image"' in head
    layer = b'"docker_version"' in head or (b'"container_config"' in head and b'"architecture"' in head)
    return container or layer


@parser(
    "linux.docker",
    claims=Claim(look=_look),
    reads="/var/lib/docker/containers/*/config.v2.json and older config.json; image settings under image/*/imagedb "
    "and graph/*/json",
    means="the daemon kept a container (or image) of this name, image and command, last started and ended at these "
    "times (UTC)",
    does_not_mean="what ran inside beyond the command; earlier starts; who asked the daemon",
    refs=(
        "https://docs.docker.com/reference/api/engine/",
        "moby/moby, container/container.go",
        "OCI image-spec: config.md",
    ),
)
def docker(file: EvidenceFile) -> Iterator[Yield]:
    """One record a file: id, name, image, command, environment, mounts, state, times; one a history entry of an
    image.
    """
    raw = file.read(LARGEST)
    try:
        value: Any = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise ParseError(file.path, None, f"JSON: {error}") from error
    if not isinstance(value, dict):
        raise ParseError(file.path, 0, "no JSON object", "schema_unknown")
    history = value.pop("history", None)
    fields = flat(value)
    times: dict[str, Time] = {}
    for native, name in _STAMPS:
        time = json_time(fields.get(native))
        if time and not time["text"].startswith("0001-"):
            times.setdefault(name, time)
    data: dict[str, object] = dict(fields)
    config = value.get("Config") or value.get("config")
    if isinstance(config, dict):
        command = [*(config.get("Entrypoint") or []), *(config.get("Cmd") or [])]
        data |= {"command": " ".join(map(str, command)), "image": config.get("Image", "")}
    for native, name in (("ID", "container_id"), ("id", "container_id"), ("Name", "container_name")):
        if isinstance(value.get(native), str):
            data.setdefault(name, value[native].lstrip("/"))
    identity = re.search(r"/([0-9a-f]{64})/", file.path)
    if identity:
        data.setdefault("container_id", identity[1])
    first = next((name for name in ("started_at", "created_at", "finished_at") if name in times), None)
    yield {"kind": "offset", "offset": 0, "length": len(raw)}, Record(data, times, first)
    for number, entry in enumerate(history if isinstance(history, list) else []):
        if isinstance(entry, dict):
            made = json_time(entry.get("created"))
            yield (
                {"kind": "key", "key": "history", "number": number},
                Record(
                    {"event": "image_layer", **flat(entry)},
                    {"created_at": made} if made else {},
                    "created_at" if made else None,
                ),
            )
