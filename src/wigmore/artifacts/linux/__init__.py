"""Linux and Unix artifacts."""
