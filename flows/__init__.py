"""Flows: orchestration only, one file per flow that a person deploys or runs by name."""
