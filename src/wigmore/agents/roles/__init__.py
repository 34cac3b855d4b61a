"""The roles, one file each: goal, tools, prompt, offline rule."""
