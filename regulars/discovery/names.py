"""Names of tables and columns as contracts have them: small letters, digits and underscores, and no word of SQL."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

# Words that an unquoted column cannot be called on DuckDB or Snowflake.
RESERVED = frozenset(
    re.findall(
        r"\w+",
        """
all analyse analyze and anti any array as asc asof asymmetric at authorization between binary both by case cast
check collate collation column concurrently connect constraint create cross current current_date current_time
current_timestamp current_user default deferrable delete desc describe distinct do drop else end except exists
false fetch following for foreign freeze from full glob grant group having ilike in increment initially inner
insert intersect into is isnull issue join lambda lateral leading left like limit localtime localtimestamp minus
natural not notnull null of offset on only or order organization outer overlaps pivot pivot_longer pivot_wider
placing positional primary qualify references regexp returning revoke right rlike row rows sample schema select
semi set show similar some start summarize symmetric table tablesample then to trailing trigger true try_cast
union unique unpack unpivot update using values variadic verbose view when whenever where window with
""",
    )
)
LONGEST = 63


def contract_name(text: str, fallback: str) -> str:
    """`InvoiceNo`, `Unit Price` and `Straße` as `invoice_no`, `unit_price` and `strasse`."""
    plain = unicodedata.normalize("NFKD", text.replace("ß", "ss")).encode("ascii", "ignore").decode()
    split = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", plain)
    name = re.sub(r"[^a-z0-9]+", "_", split.lower()).strip("_")[:LONGEST].strip("_")
    if not name:
        return fallback
    if not name[0].isalpha():
        name = f"{fallback.split('_')[0]}_{name}"[:LONGEST]
    return f"{name}_value" if name in RESERVED else name


def contract_names(texts: Iterable[str]) -> list[str]:
    """A name for each column, no two alike."""
    found: dict[str, None] = {}
    for position, text in enumerate(texts, start=1):
        wish = base = contract_name(text, f"column_{position}")
        count = 1
        while wish in found:
            count += 1
            wish = f"{base[: LONGEST - 4]}_{count}"
        found[wish] = None
    return list(found)
