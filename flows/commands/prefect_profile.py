"""A Prefect that belongs to this home: its database lies beside the warehouse unless a server is named."""

from __future__ import annotations

import os

from regulars.settings import Settings, load_settings


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


def named_block(block_type: str, name: str) -> str:
    """Text of a block that sources.yml names; only then Prefect is needed."""
    use_local_prefect()
    from tasks.blocks import resolve_block

    return resolve_block(block_type, name)


def with_named_blocks(settings: Settings) -> Settings:
    """Settings with the blocks that they name; only then Prefect is needed, which takes seconds to import."""
    urls = (settings.landing_url, settings.delivery_url, settings.data_docs_url)
    names = (settings.snowflake.block, settings.s3.block, *(url for url in urls if (url or "").startswith("block://")))
    if not any(names):
        return settings
    use_local_prefect()
    from tasks.blocks import with_blocks

    return with_blocks(settings)


def with_named_store(settings: Settings) -> Settings:
    """Settings with the operational store, also where a block holds its address; only then Prefect is needed."""
    if settings.operational_url is None or not settings.operational_url.get_secret_value().startswith("block://"):
        return settings
    use_local_prefect()
    from tasks.blocks import with_store

    return with_store(settings)
