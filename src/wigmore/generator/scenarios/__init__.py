"""Scenarios: one folder makes one case, one file one of its sources."""
