"""Windows artifacts, written byte by byte."""
