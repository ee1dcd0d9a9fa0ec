"""Values of the Sheets API as text: numbers in full, days and times in ISO form."""

from __future__ import annotations

from datetime import datetime, timedelta

from regulars.sources.workbook_cells import cell_text

# Day 0 of serial numbers: https://developers.google.com/sheets/api/guides/formats#about_date_time_values
EPOCH = datetime(1899, 12, 30)  # noqa: DTZ001  a sheet's times have no zone
DAY = 86_400_000  # in milliseconds, which is how exact a sheet is
MOMENTS = ("DATE", "DATE_TIME", "TIME")  # types of a number format: spreadsheets.cells#NumberFormatType


def value_text(value: object, format_type: str | None) -> str | None:
    """One value as `UNFORMATTED_VALUE` and `SERIAL_NUMBER` give it, of a cell of that number format; None if empty."""
    if isinstance(value, int | float) and not isinstance(value, bool) and format_type in MOMENTS:
        return _moment_text(float(value), format_type) or cell_text(value)
    text = cell_text(value)
    return text.encode("utf-8", "backslashreplace").decode() if text else None  # JSON can hold half a character


def _moment_text(serial: float, format_type: str) -> str | None:
    """None for a number that is no day of the years 1 to 9999. A duration is `hours:minutes:seconds`."""
    try:
        milliseconds = round(serial * DAY)
        moment = EPOCH + timedelta(milliseconds=milliseconds)
    except (OverflowError, ValueError):
        return None
    if format_type == "TIME":
        return cell_text(timedelta(milliseconds=milliseconds))
    is_day = format_type == "DATE" and milliseconds % DAY == 0
    return moment.date().isoformat() if is_day else moment.isoformat(sep=" ")
