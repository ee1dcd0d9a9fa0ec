"""A Prefect that belongs to this home: its database lies beside the warehouse unless a server is named."""

from __future__ import annotations

import os

from regulars.settings import load_settings


def use_local_prefect() -> None:
    """Set Prefect's own variables where nobody has; must run before Prefect is imported."""
    home = load_settings().home_dir
    (home / "prefect").mkdir(parents=True, exist_ok=True)  # Prefect's own database is opened there
    defaults = {
        "PREFECT_HOME": str(home / "prefect"),
        # Its own 20 seconds are too few for a laptop that is busy with other things.
        "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "180",
        "PREFECT_LOGGING_LEVEL": "CRITICAL",  # errors are printed by the command, in words; steps by the step log
    }
    for name, value in defaults.items():
        os.environ.setdefault(name, value)
