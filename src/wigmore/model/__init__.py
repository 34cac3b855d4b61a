"""The nouns: plain frozen records, pure functions, and the protocols siblings meet through."""
