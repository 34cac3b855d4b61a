"""What registry keys mean, one file a family; found by folder, listed nowhere."""
