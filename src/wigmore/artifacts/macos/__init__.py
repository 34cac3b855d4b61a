"""macOS artifacts."""
