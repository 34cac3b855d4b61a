"""File-system images."""
