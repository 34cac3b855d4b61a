"""wigmore: an autonomous, evidence-grounded digital-forensics investigator."""

__version__ = "0.1.0"
