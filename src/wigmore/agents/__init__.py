"""The run loop of roles: what they are given, what they may call, how they propose."""
