"""Retryable Prefect tasks, one module per stage; each is a few lines over `regulars`."""
