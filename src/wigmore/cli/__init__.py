"""The command line: thin, parses, calls `api`, shows. Data on stdout, progress on stderr."""
