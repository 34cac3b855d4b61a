"""Network captures."""
