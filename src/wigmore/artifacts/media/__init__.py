"""Pictures, sound and video."""
