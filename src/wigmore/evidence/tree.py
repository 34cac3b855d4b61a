"""The walk that all stores with folders share: live entries first, then deleted ones; look-ups folder by folder."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from typing import Any

from wigmore.evidence.store import Entry, Limits, Store
from wigmore.model.protocols import Gap

Node = Any
Listed = tuple[Entry, Node | None]
FOLDERS_KEPT = 128


class TreeStore(Store):
    """A store with folders: subclasses give `root` and `listing`; nodes are their own way to a folder."""

    def __init__(self, source_id: str, prefix: str, limits: Limits | None = None) -> None:
        super().__init__(source_id, prefix, limits)
        self._folders: OrderedDict[str, dict[str, Listed]] = OrderedDict()

    def root(self) -> Node:
        """The node of the root folder."""
        raise NotImplementedError

    def identity(self, node: Node) -> Any:
        """What tells folders apart, so that no folder is walked twice; hashable."""
        return node

    def listing(self, node: Node, path: str) -> Iterator[Listed | Gap]:
        """The entries of one folder with the node to go on from (folders only); `path` is the folder's, for joining."""
        raise NotImplementedError

    def entries(self) -> Iterator[Entry | Gap]:
        """Every live entry, folders before their content, in the order of the store; then the deleted ones."""
        seen = {self.identity(self.root())}
        stack: list[tuple[Node, str, int]] = [(self.root(), self.prefix, 0)]
        gone: list[Entry] = []
        count = 0
        while stack:
            node, path, depth = stack.pop()
            inner: list[tuple[Node, str, int]] = []
            for found in self.listing(node, path):
                if isinstance(found, Gap):
                    yield found
                    continue
                entry, below = found
                count += 1
                if count > self.limits.max_members:
                    yield Gap(f"{path}: more than {self.limits.max_members} entries in the store", None, "too_large")
                    yield from gone
                    return
                if entry.allocated:
                    yield entry
                else:
                    gone.append(entry)
                if below is None or self.identity(below) in seen:
                    continue
                if depth >= self.limits.max_folders_deep:
                    yield Gap(f"{entry.path}: folders are nested too deep", None, "depth")
                    continue
                seen.add(self.identity(below))
                inner.append((below, entry.path, depth + 1))
            stack.extend(reversed(inner))
        yield from gone

    def find(self, path: str) -> Entry | None:
        """The entry at a source-relative path: a live one before deleted ones; only the folders on the way are read."""
        relative = path[len(self.prefix) + 1 :] if self.prefix else path
        if self.prefix and self.key(path[: len(self.prefix) + 1]) != self.key(self.prefix + "/"):
            return None
        node, folder, listed = self.root(), self.prefix, None
        for name in relative.split("/"):
            if node is None:
                return None
            listed = self._folder(node, folder).get(self.key(name))
            if listed is None:
                return None
            folder, node = listed[0].path, listed[1]
        return listed[0] if listed else None

    def _folder(self, node: Node, path: str) -> dict[str, Listed]:
        known = self._folders.get(path)
        if known is not None:
            self._folders.move_to_end(path)
            return known
        live: dict[str, Listed] = {}
        gone: dict[str, Listed] = {}
        for found in self.listing(node, path):
            if not isinstance(found, Gap):
                entry = found[0]
                (live if entry.allocated else gone).setdefault(self.key(entry.path.rpartition("/")[2]), found)
        self._folders[path] = gone | live
        if len(self._folders) > FOLDERS_KEPT:
            self._folders.popitem(last=False)
        return self._folders[path]
