"""Errors that a person can act on.

Every error says what happened and, in `remedy`, what to do next. Messages name sources, files, records, columns and
rules; they never hold values of personal columns or secrets.
"""

from __future__ import annotations


class RegularsError(Exception):
    """Base of all errors of the library; `exit_code` is what the command line ends with."""

    exit_code = 1

    def __init__(self, message: str, *, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.message}\n  What to do: {self.remedy}" if self.remedy else self.message


class ConfigError(RegularsError):
    """Settings, sources.yml or the call itself are wrong; nothing was read or written."""

    exit_code = 2


class ContractError(RegularsError):
    """A source does not have the shape its contract promises (drift, unreadable file)."""


class SourceError(RegularsError):
    """A source could not be read, and trying again will not help."""


class NoSuchFile(SourceError):
    """Nothing lies where sources.yml says that a day's file is."""


class TransientError(RegularsError):
    """Something outside failed in a way that may heal: a connection, a timeout, a lock held by another run."""


class StillRunning(TransientError):
    """Another system still works on it after all the time that it was given: a later run heals it, trying again at once does not."""


class GuardBlocked(RegularsError):
    """A landed batch is too unlike earlier ones (section 6 of the design) and was kept out of raw."""


class GateBlocked(RegularsError):
    """A quality gate with severity `block` failed; what is published stays as it was."""


class FindingsError(RegularsError):
    """Detection found something that the run was told to stop for; what is published stays as it was."""


class EngineError(RegularsError):
    """An engine could not do a step; its message is repeated without values."""


class BuildError(RegularsError):
    """dbt could not build a model or one of its tests failed."""
