"""Extraction fan-out, coverage, Parquet records and their queries, the rule compiler."""
