"""Opens sources read-only: containers, volumes, file systems, archives, folders; custody hashes; limits."""
