"""YAML as plain values, by libyaml where it is built in: some ten times faster over hundreds of rules."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any


def read_yaml(file: Path) -> Any:
    """The values of a YAML file (None for an empty one); raises yaml.YAMLError, OSError and UnicodeDecodeError.

    A key that stands twice in one mapping is an error (YAML 1.2.2, 3.2.1.3): what the first said would be lost unseen.
    """
    import yaml

    return yaml.load(file.read_text(encoding="utf-8"), Loader=_loader())  # noqa: S506  # a safe one, see there


@cache
def _loader() -> Any:
    import yaml

    class Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]  # either is a class
        def construct_mapping(self, node: Any, deep: bool = False) -> Any:
            seen = set()
            for key, _ in node.value:
                if isinstance(key, yaml.ScalarNode) and key.tag != "tag:yaml.org,2002:merge":
                    if key.value in seen:
                        raise yaml.constructor.ConstructorError(
                            None, None, f"{key.value!r} stands twice", key.start_mark
                        )
                    seen.add(key.value)
            return super().construct_mapping(node, deep)

    return Loader
