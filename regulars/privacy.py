"""Pseudonyms: keyed hashes of identifying columns, made at landing so that the key never stands in SQL text."""

from __future__ import annotations

import hashlib

import duckdb

from regulars.contracts import Column, Contract
from regulars.settings import Settings

BLOCK_BYTES = 64  # of SHA-256


def set_pseudonym_key(connection: duckdb.DuckDBPyConnection, contract: Contract, settings: Settings) -> None:
    """Give `connection` the two pads of HMAC-SHA256 as bound variables, where the contract has a column to hash.

    Otherwise not: DuckDB imports pandas and pyarrow to bind a value, which takes longer than many a landing.
    """
    if not any(column.pseudonym for column in contract.columns):
        return
    key = settings.pseudonym_secret()
    padded = (hashlib.sha256(key).digest() if len(key) > BLOCK_BYTES else key).ljust(BLOCK_BYTES, b"\0")
    connection.execute("set variable pseudonym_inner = ?", [bytes(byte ^ 0x36 for byte in padded)])
    connection.execute("set variable pseudonym_outer = ?", [bytes(byte ^ 0x5C for byte in padded)])


def normal_form(column: Column, value: str) -> str:
    """SQL of the text that is hashed: trimmed; e-mail in lower case; of a telephone number digits and a leading +."""
    text = f"trim(cast({value} as varchar))"
    if column.pii == "email":
        return f"lower({text})"
    if column.pii == "phone":
        return f"(case when starts_with({text}, '+') then '+' else '' end || regexp_replace({text}, '[^0-9]', '', 'g'))"
    return text


def pseudonym(column: Column, value: str) -> str:
    """SQL of the keyed hash of `value`, 64 hex digits; null for null and for text with nothing to hash."""
    normal = normal_form(column, value)
    digest = (
        f"sha256(getvariable('pseudonym_outer') || unhex(sha256(getvariable('pseudonym_inner') || encode({normal}))))"
    )
    return f"case when {normal} in ('', '+') then null when {value} is not null then {digest} end"
