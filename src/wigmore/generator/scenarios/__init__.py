"""Scenarios: one folder or file makes one case."""
