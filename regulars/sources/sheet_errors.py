"""What Google's APIs refuse, as our errors: what to share, to enable or to correct, without a secret or a value."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from google.auth.exceptions import GoogleAuthError
from gspread.exceptions import APIError

from regulars.errors import RegularsError, SourceError, TransientError
from regulars.sources.sheet_client import reasons

DISABLED = {"SERVICE_DISABLED", "accessNotConfigured"}
TOO_NARROW = {"ACCESS_TOKEN_SCOPE_INSUFFICIENT", "insufficientPermissions"}


class Altered(TransientError):
    """The spreadsheet was edited between two requests of one reading."""


@contextmanager
def in_our_words(place: str, email: str, role: str = "a viewer") -> Iterator[None]:
    """Errors of the body as ours; `place` names connection and spreadsheet, `email` is the service account's address, `role`
    what it has to be for that."""
    try:
        yield
    except APIError as error:
        raise explained(place, email, error, role) from None
    except GoogleAuthError:
        raise SourceError(
            f"{place}: Google refused the login of {email}",
            remedy="see whether the key was revoked or its account deleted, and whether this machine's clock is right; "
            "make a new key where it was",
        ) from None
    except RegularsError as error:
        if error.message.startswith("Google Sheets"):
            raise type(error)(f"{place}: {error.message}", remedy=error.remedy) from None
        raise


def explained(place: str, email: str, error: APIError, role: str) -> RegularsError:
    """The error for an answer that will not heal. Google's own words are not repeated: they may quote the request."""
    status, words = error.response.status_code, reasons(error.response)
    share = f"share the sheet with {email} (as {role})"
    api = "Drive" if "/drive/" in error.response.url else "Sheets"
    if words & DISABLED:
        return SourceError(
            f"{place}: the Google {api} API is not enabled in the project of the service account",
            remedy=f"enable the Google {api} API in that project's console, wait some minutes, and run again",
        )
    if words & TOO_NARROW:
        return SourceError(
            f"{place}: the service account's token is not valid for the Google {api} API",
            remedy=f"allow {email} to use it in the administration of the company's Google Workspace",
        )
    if status == 403:
        return SourceError(f"{place}: {email} may not {'read' if role == 'a viewer' else 'edit'} it", remedy=share)
    if status == 404:
        return SourceError(
            f"{place}: there is no such spreadsheet, or {email} may not see it",
            remedy=f"correct spreadsheet in sources.yml, or {share}",
        )
    if status == 401:
        return SourceError(f"{place}: Google refused the login of {email}", remedy="make a new key for that account")
    if status == 400 and "FAILED_PRECONDITION" in words:
        return SourceError(
            f"{place}: it is a file of another kind, such as a workbook that was uploaded",
            remedy="save it as a Google Sheet (File > Save as Google Sheets) and name that one in sources.yml",
        )
    if status == 400 and "protected cell" in error.response.text:
        return SourceError(
            f"{place}: cells of it are protected", remedy=f"let {email} edit them (Data > Protect sheets)"
        )
    if status == 400:
        return Altered(f"{place}: Google does not know what was asked for any more", remedy="run again")
    return SourceError(
        f"{place}: Google answered with status {status}", remedy="correct the table's entry in sources.yml"
    )
