"""Formats that many artifacts share: SQLite, property lists, text."""
