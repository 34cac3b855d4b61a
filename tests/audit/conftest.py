"""The fixtures of the small case, for every test of this folder."""

from conftest_audit import bare, finished, small

__all__ = ["bare", "finished", "small"]
