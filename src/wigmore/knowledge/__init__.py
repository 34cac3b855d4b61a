"""What is learned from runs: advice, never a fact."""
