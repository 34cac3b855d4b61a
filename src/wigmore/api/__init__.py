"""The use cases, one file each: the only thing that faces import."""
