"""Worker processes started before anything else is imported: they import their parsers while this process imports the rest."""

from __future__ import annotations

from wigmore.records.pool import Pool


def start(jobs: int) -> Pool:
    """Workers for `run`; a context manager that ends them."""
    pool = Pool(jobs)
    pool.start()
    return pool
