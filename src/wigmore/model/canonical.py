"""Canonical JSON and the identifiers derived from it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable
from typing import Any

import orjson

_encoder = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
_c_encoder = getattr(json.encoder, "c_make_encoder", None)
# `encode` makes its C encoder anew for each value, a fifth of its time; this is the same one, made once
_pieces: Callable[[Any, int], Iterable[str]] = (
    _c_encoder(None, _encoder.default, json.encoder.encode_basestring_ascii, None, ":", ",", True, False, False)
    if _c_encoder
    else lambda value, _: (_encoder.encode(value),)
)
_SAME = frozenset((str, int, bool, type(None)))  # types that orjson writes as the standard encoder does
_NESTED = _SAME | {dict, list}


def _same(value: dict[Any, Any] | list[Any]) -> bool:
    """Whether orjson writes all values in there as the standard encoder does (floats it does not)."""
    values = value.values() if type(value) is dict else value
    kinds = set(map(type, values))
    return kinds <= _SAME or (kinds <= _NESTED and all(_same(v) for v in values if type(v) in (dict, list)))


def canonical(value: Any) -> bytes:
    """The one byte string that stands for a JSON value: sorted keys, no spaces, ASCII only.

    ASCII escapes keep lone surrogates (NTFS names may hold them) representable and the bytes stable everywhere.
    Raises TypeError for values that JSON does not know and ValueError for NaN and infinities.
    """
    if type(value) in (dict, list) and _same(value):
        try:
            text = orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
        except TypeError:  # keys that are no text, integers past 64 bits, lone surrogates
            pass
        else:
            if text.isascii() and b"\x7f" not in text:  # which the standard encoder escapes
                return text
    return "".join(_pieces(value, 0)).encode("ascii")


def sha256(data: bytes) -> str:
    """Lower-case hexadecimal SHA-256."""
    return hashlib.sha256(data).hexdigest()


def identify(prefix: str, *parts: Any, length: int = 16) -> str:
    """An identifier that depends on nothing but `parts`: `prefix-` and the first hex digits of their SHA-256."""
    return f"{prefix}-{sha256(canonical(parts))[:length]}"


def record_id(source_id: str, path: str, stream: str | int | None, artifact: str, locator: dict[str, Any]) -> str:
    """The id of a record: where it was found, whoever parsed it (DESIGN: no parser version, no machine path).

    `stream` is the inode or stream the bytes came from, None where the store has no such thing.
    """
    return located_id(canonical([source_id, path, stream, artifact]), canonical(locator))


def located_id(place: bytes, locator: bytes) -> str:
    """`record_id` from the canonical texts of [source, path, stream, artifact] and of the locator."""
    return f"rec-{sha256(place[:-1] + b',' + locator + b']')[:24]}"


def shown(raw: bytes) -> str:
    r"""Decode bytes as UTF-8; what does not decode is written `\xNN`, so that nothing is lost or disguised."""
    return raw.decode("utf-8", "backslashreplace")


def clean(text: str) -> str:
    r"""Write lone surrogates as `\uNNNN`, so that the text can be stored, hashed and printed anywhere."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return text.encode("utf-8", "backslashreplace").decode("utf-8")
    return text
