"""iOS databases and property lists."""
