"""The evidence graph: a fold over the ledger, the gateway that lets facts in, artifact semantics, views."""
