"""Network captures decoded: packets, layers, conversations, and what application protocols carry. Knows the model only."""
