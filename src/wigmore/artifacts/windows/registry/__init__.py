"""Windows registry hives: every key and value, and what the keys mean, read in one pass over one opened hive.

`hive` reads cells, `logs` replays transaction logs, `generic` writes one record a value, `semantics` finds the
functions of `families/` (one file a family) that give keys a meaning, `parser` is the door.
"""
