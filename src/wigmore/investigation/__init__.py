"""The five phases, the strategist loop, budgets, resume, and the audit that re-runs citations."""
