"""Which columns seem to hold personal data: stated rules over names and over the form of values, never over meanings.

`docs/bring-your-own.md` lists them. They over-mark rather than miss, and a person corrects them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import duckdb

from regulars.discovery.found import Guess
from regulars.engine import identifier, quote

WORD = r"(?:^|_)(?:{})(?:_|\d|$)"
# By name of the column (in its contract's form), in English and a few neighbours; the first that fits.
BY_NAME: tuple[tuple[str, str], ...] = (
    ("email", r"e?_?mail|email_address|correo|courriel"),
    ("phone", r"phone|telephone|telefono?|tel|mobile|mobil|cell|handy|fax|msisdn|whatsapp"),
    ("id", r"ssn|social_security|tax_(?:id|no|number)|passport(?:_\w+)?|iban|national_id|id_card|driving_licen[cs]e|"
           r"card_(?:no|number)|vat_(?:id|no|number)|ip|ip_address|cookie(?:_id)?|device_id|username|login"),
    ("name", r"(?:first|last|full|middle|maiden|sur|given|family|nick|contact|customer|person|member|user|guest|owner|"
             r"recipient|employee|display|cardholder)_?name|surname|forename|vorname|nachname|prenom|nom|apellidos?|contact"),
    ("address", r"(?:postal_|street_|home_|billing_|shipping_|delivery_)?address(?:_line)?|street|strasse|adresse|direccion|"
                r"house_(?:no|number)|addr"),
)  # fmt: skip
BIRTH = re.compile(WORD.format(r"birth\w*|born|dob|geburt\w*|naissance"))
POSTCODE = re.compile(WORD.format(r"zip|zipcode|postcode|post_?code|postal_code|plz|cep"))
FREE_TEXT = re.compile(
    WORD.format(
        r"comments?|notes?|bemerkung(?:en)?|kommentar|notiz|commentaire|message|remarks?|feedback|review|body|transcript|complaint|reason_text"
    )
)
EMAIL = r"\s*[^@\s]+@[^@\s]+\.[A-Za-z]{2,}\s*"
PHONE = r"\s*(\+|00)\d[\d\s()./-]{6,18}\d\s*"
ADDRESS_OF_A_NET = r"\s*(\d{1,3}\.){3}\d{1,3}\s*"
IBAN = r"\s*[A-Z]{2}\d{2}[A-Z0-9]{11,30}\s*"
HALF = 0.5


@dataclass(frozen=True)
class Form:
    """Shares of a column's values that look like something, and how long they are."""

    email: float
    phone: float
    net: float
    iban: float
    words: float


def personal(
    engine: duckdb.DuckDBPyConnection, table: str, column: str, name: str, data_type: str, distinct: int, filled: int
) -> Guess[str | None]:
    """The kind of personal data that a column seems to hold, with the reason, or a question where both may be."""
    if BIRTH.search(name):
        return Guess(None, "", "a day of birth is personal: keep it, keep only the year, or leave it out")
    if POSTCODE.search(name):
        ask = "can a post code lead to a person here? if not, take pii away and name the column in the staging model"
        return Guess("address", "", ask)
    by_name = next((kind for kind, words in BY_NAME if re.search(WORD.format(words), name)), None)
    if data_type != "varchar":
        # A number may be a telephone number or an account's; never a name.
        return (
            Guess(by_name, f"the name {name}") if by_name in ("phone", "id") and data_type == "bigint" else Guess(None)
        )
    form = _form(engine, table, column)
    for kind, share, what in (
        ("email", form.email, "look like e-mail addresses"),
        ("phone", form.phone, "look like telephone numbers"),
        ("id", form.iban, "look like IBANs"),
        ("id", form.net, "look like addresses of the internet"),
    ):
        if share >= HALF:
            return Guess(kind, f"{share:.0%} of the values {what}")
    if by_name:
        return Guess(by_name, f"the name {name}")
    is_own = filled > 0 and distinct > filled / 2
    if FREE_TEXT.search(name):
        return Guess("free_text", f"the name {name}: anyone may be named in it")
    if form.words >= 6 and is_own:
        return Guess("free_text", f"sentences of {form.words:.0f} words on average: anyone may be named in them")
    if re.search(r"(^|_)name$", name) and is_own and form.words > 1.2:
        return Guess("name", "", "names of people? if not, take pii away and name the column in the staging model")
    return Guess(None)


def _form(engine: duckdb.DuckDBPyConnection, table: str, column: str) -> Form:
    value = f"cast({identifier(column)} as varchar)"
    shares = ", ".join(
        f"avg(regexp_full_match({value}, {quote(pattern)})::int)" for pattern in (EMAIL, PHONE, ADDRESS_OF_A_NET, IBAN)
    )
    words = f"avg(1 + length(trim({value})) - length(replace(trim({value}), ' ', '')))"
    row = engine.execute(f"select {shares}, {words} from {table} where trim({value}) <> ''").fetchone()
    return Form(*(float(share or 0) for share in row or (0,) * 5))
