"""Model providers. Offline is the default: the proposer of this floor's contract is the roles' offline rules."""
