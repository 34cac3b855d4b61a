"""Which entries were locked in earlier runs, and how they are looked at again once there are other secrets."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from wigmore.evidence.secret import fingerprint
from wigmore.records.store import RecordStore

OURS = frozenset(("container", "file_listing"))  # what the evidence floor says itself, not a parser


class Locked:
    """Entries that a secret may open: noted from committed events, due where the secrets have changed since."""

    def __init__(self) -> None:
        self._locked: dict[str, set[str]] = {}
        self._unread: dict[str, set[str]] = {}
        self._inside: dict[str, set[str]] = {}
        self._ran: dict[tuple[str, str], set[str]] = {}
        self._tried: dict[str, set[str]] = {}
        self._now: dict[str, str] = {}
        self._due: dict[str, frozenset[str]] = {}

    def remember(self, body: dict[str, Any]) -> None:
        """Take in what an earlier run committed."""
        source_id = body["source_id"]
        self._tried.setdefault(source_id, set()).add(str(body.get("secrets", "")))
        self._inside.setdefault(source_id, set()).update(body.get("inside", ()))
        locked = self._locked.setdefault(source_id, set())
        unread = self._unread.setdefault(source_id, set())
        for row in body["coverage"]:
            name = str(row["parser"]).partition("@")[0]
            path = str(row["path"])
            if name not in OURS:
                self._ran.setdefault((source_id, path), set()).add(name)
            elif row.get("reason_code") == "locked" or "locked" in str(row.get("reason")):
                locked.add(path)
                if name == "file_listing" and row["outcome"] == "failed" and not row["records"]:
                    unread.add(path)
            elif name == "file_listing":
                unread.discard(path)

    def begin(self, source_id: str, secrets: dict[str, str]) -> None:
        """Decide for a source whether its locked entries are due: there are secrets, and they were not tried yet."""
        self._now[source_id] = fingerprint(secrets) if secrets else ""
        fresh = bool(secrets) and self._now[source_id] not in self._tried.get(source_id, set())
        self._due[source_id] = frozenset(self._locked.get(source_id, ())) if fresh else frozenset()

    def said(self, source_id: str) -> dict[str, str]:
        """What an event notes of the secrets that were at hand."""
        now = self._now.get(source_id, "")
        return {"secrets": now} if now else {}

    def due(self, source_id: str, path: str) -> bool:
        """Whether an entry is to be looked at again."""
        return path in self._due.get(source_id, ())

    def plan(self, source_id: str, path: str, store: RecordStore) -> dict[str, Any]:
        """How: without what was listed and parsed already, and without records that the container gave before."""
        unread = path in self._unread.get(source_id, ()) and path not in self._inside.get(source_id, ())
        return {
            "skip": sorted(self._ran.get((source_id, path), ())),
            "listing": False,
            "descend": True,
            "known": {path: sorted(_ids(store, source_id, path))},
            "unread": [path] if unread else [],
        }


def _ids(store: RecordStore, source_id: str, path: str) -> Iterable[str]:
    rows = store.query(
        f"SELECT record_id FROM {store.relation(None, source_id)} WHERE path = ? AND parser = 'container'", [path]
    )
    return (str(row["record_id"]) for row in rows)
