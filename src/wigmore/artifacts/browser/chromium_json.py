"""JSON files of a Chromium profile: bookmarks, and preferences with extensions, permissions and accounts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from wigmore.artifacts.generic.plist_reader import leaves
from wigmore.artifacts.generic.sqlite_queries import settled, webkit_or_seconds, webkit_time
from wigmore.model.protocols import EvidenceFile, ParseError, Record, Yield
from wigmore.model.times import Time
from wigmore.registry import Claim, parser

SIZE = 64 * 1024 * 1024
DEPTH = 100
SETTINGS = {0: "default", 1: "allow", 2: "block", 3: "ask", 4: "session only", 5: "detect important content"}
STATES = {0: "disabled", 1: "enabled"}
LOCATIONS = {
    0: "invalid", 1: "internal (store)", 2: "external preference", 3: "external registry", 4: "unpacked",
    5: "component", 6: "external preference download", 7: "external policy download", 8: "command line",
    9: "external policy", 10: "external component",
}  # fmt: skip


def load_json(file: EvidenceFile) -> Any:
    """The content of a JSON file; raises ParseError."""
    raw = file.read(SIZE)
    try:
        return json.loads(raw.decode("utf-8-sig", "surrogateescape"), parse_constant=str)
    except RecursionError as error:
        raise ParseError(file.path, None, "nested too deep", "depth") from error
    except ValueError as error:
        raise ParseError(file.path, getattr(error, "pos", None), f"not JSON: {error}") from error


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _is_bookmarks(head: bytes, path: str, size: int) -> bool:
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n")
    return start.startswith(b"{") and (b'"roots"' in head) and (b'"bookmark_bar"' in head or b'"checksum"' in head)


def _is_preferences(head: bytes, path: str, size: int) -> bool:
    if not head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{"):
        return False
    name = path.rsplit("/", 1)[-1].lower()
    if name in ("preferences", "secure preferences", "local state"):
        return True
    marks = (b'"extensions"', b'"profile"', b'"browser"', b'"account_id_migration_state"', b'"dns_prefetching"')
    return sum(mark in head for mark in marks) >= 3


@parser(
    "browser.chromium.bookmarks",
    claims=Claim(look=_is_bookmarks),
    reads="Bookmarks files of Chromium browsers",
    means="this profile holds the bookmark",
    does_not_mean="a visit; synchronised and imported bookmarks keep their dates",
    refs=("https://source.chromium.org/chromium/chromium/src/+/main:components/bookmarks/browser/bookmark_codec.cc",),
    artifacts=("browser.chromium.bookmark",),
)
def bookmarks(file: EvidenceFile) -> Iterator[Yield]:
    """One record a bookmark or folder, with the path of its folders."""
    roots = _dict(_dict(load_json(file)).get("roots"))
    stack: list[tuple[str, str, Any, int]] = [
        (f"roots.{name}", "", node, 0) for name, node in reversed(roots.items()) if isinstance(node, dict)
    ]
    while stack:
        where, folder, node, level = stack.pop()
        times = {
            name: time
            for name in ("date_added", "date_last_used", "date_modified")
            if (time := webkit_time(node.get(name))) is not None
        }
        data = {key: node.get(key) for key in ("type", "name", "url", "guid", "id", "source")}
        data["folder"] = folder
        yield (
            {"kind": "key", "key": where},
            Record(settled(data), times, next(iter(times), None), artifact="browser.chromium.bookmark"),
        )
        children = node.get("children")
        if isinstance(children, list) and level < DEPTH:
            here = f"{folder}/{node.get('name', '')}"
            stack.extend(
                (f"{where}.children[{i}]", here, child, level + 1)
                for i, child in reversed(list(enumerate(children)))
                if isinstance(child, dict)
            )


def _extensions(settings: dict[str, Any], where: str) -> Iterator[Yield]:
    for key, value in settings.items():
        if not isinstance(value, dict):
            continue
        manifest = _dict(value.get("manifest"))
        times: dict[str, Time] = {}
        for name in ("install_time", "first_install_time", "last_update_time"):
            time = webkit_time(value.get(name))
            if time is not None:
                times[name] = time
        data: dict[str, Any] = {
            "extension_id": key,
            "name": manifest.get("name"),
            "version": manifest.get("version"),
            "description": manifest.get("description"),
            "update_url": manifest.get("update_url"),
            "permissions": manifest.get("permissions"),
            "path": value.get("path"),
            "state": STATES.get(value.get("state", -1)) if isinstance(value.get("state"), int) else None,
            "location": LOCATIONS.get(value["location"]) if isinstance(value.get("location"), int) else None,
            "from_webstore": value.get("from_webstore"),
            "was_installed_by_default": value.get("was_installed_by_default"),
            "granted_permissions": value.get("granted_permissions"),
        }
        yield (
            {"kind": "key", "key": f"{where}.{key}"},
            Record(settled(data), times, next(iter(times), None), artifact="browser.chromium.extension"),
        )


def _exceptions(found: dict[str, Any], where: str, by_pattern: bool) -> Iterator[Yield]:
    for outer, inner in found.items():
        for key, value in _dict(inner).items():
            permission, pattern = (key, outer) if by_pattern else (outer, key)
            primary, _, secondary = pattern.partition(",")
            data: dict[str, Any] = {"permission": permission, "site": primary, "embedded_in": secondary}
            times: dict[str, Time] = {}
            if isinstance(value, dict):
                for name in ("last_modified", "last_used", "last_visited", "expiration"):
                    time = webkit_or_seconds(value.get(name))
                    if time is not None:
                        times[name] = time
                setting = value.get("setting")
                data["setting"] = SETTINGS.get(setting, str(setting)) if isinstance(setting, int) else setting
                data.update({f"detail.{path}": leaf for path, leaf in leaves(setting) if isinstance(setting, dict)})
                if isinstance(setting, dict):
                    del data["setting"]
            elif isinstance(value, int):
                data["setting"] = SETTINGS.get(value, str(value))
            yield (
                {"kind": "key", "key": f"{where}.{outer}.{key}"},
                Record(settled(data), times, next(iter(times), None), artifact="browser.chromium.permission"),
            )


@parser(
    "browser.chromium.preferences",
    claims=Claim(look=_is_preferences),
    reads="Preferences and Secure Preferences files of Chromium browsers",
    means="the profile holds this extension, this site permission, these settings",
    does_not_mean="that a person chose them: components and policies write here too",
    refs=(
        "https://source.chromium.org/chromium/chromium/src/+/main:chrome/common/pref_names.h",
        "https://source.chromium.org/chromium/chromium/src/+/main:extensions/browser/extension_prefs.cc",
    ),
    artifacts=("browser.chromium.extension", "browser.chromium.permission", "browser.chromium.profile"),
)
def preferences(file: EvidenceFile) -> Iterator[Yield]:
    """Extensions, permissions a site, one record about the profile itself, and one a remaining top-level group."""
    root = _dict(load_json(file))
    settings = _dict(_dict(root.get("extensions")).get("settings"))
    yield from _extensions(settings, "extensions.settings")
    profile = _dict(root.get("profile"))
    content = _dict(profile.get("content_settings"))
    yield from _exceptions(_dict(content.get("exceptions")), "profile.content_settings.exceptions", by_pattern=False)
    pairs = _dict(content.get("pattern_pairs"))
    yield from _exceptions(pairs, "profile.content_settings.pattern_pairs", by_pattern=True)
    for key, value in root.items():
        rest = value
        if key == "extensions" and isinstance(value, dict):
            rest = {k: v for k, v in value.items() if k != "settings"}
        elif key == "profile":
            rest = {k: v for k, v in profile.items() if k != "content_settings"}
        data = {path: leaf for path, leaf in leaves(rest, key) if leaf not in ({}, [], "")}
        if not data:
            continue
        times = {
            path: time for path in ("profile.creation_time", "profile.last_engagement_time")
            if (time := webkit_or_seconds(data.get(path))) is not None
        }  # fmt: skip
        yield (
            {"kind": "key", "key": key},
            Record(settled(data), times, None, artifact="browser.chromium.profile"),
        )
