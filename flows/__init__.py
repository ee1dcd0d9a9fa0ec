"""Flows: orchestration only, one file per flow that a person deploys or runs by name."""

import os

# Prefect reads these when it is imported. Its temporary server takes longer to start than Prefect waits on a busy
# laptop, and a library must not send anything to anyone unasked; who sets them otherwise is obeyed.
os.environ.setdefault("PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS", "120")
os.environ.setdefault("PREFECT_SERVER_ANALYTICS_ENABLED", "false")
os.environ.setdefault("DO_NOT_TRACK", "1")
