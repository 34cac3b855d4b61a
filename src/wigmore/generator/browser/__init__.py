"""Browser profiles: SQLite files with the schemas of their programs."""
