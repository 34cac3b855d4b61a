"""Linux logs and configuration."""
