"""Browser profiles, on every platform."""
