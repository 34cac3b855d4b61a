"""Android databases, packages and properties."""
