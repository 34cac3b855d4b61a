"""Pictures with metadata."""
