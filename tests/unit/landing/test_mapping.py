"""How the columns of a source meet those of a contract, and what is said when they do not."""

from __future__ import annotations

from decimal import Decimal

import pytest

from regulars.errors import ConfigError, ContractError

REST = dict.fromkeys(("email", "born_on", "seen_at", "is_member", "tier"), "null")


def test_names_match_exactly_then_without_case_then_as_expressions(place) -> None:
    place.write("people.csv", "Customer No;Unit Price;QTY;code\n1;2.50;-4;x\n2;z;1;y\n3;;1;z\n")
    columns = {
        **REST,
        "id": "customer no",
        "amount": 'abs("Unit Price" * qty)',
        "email": "upper(code)",
        "tier": "'gold'",
    }
    manifest = place.land(columns=columns, read={"delimiter": ";"}).manifest
    assert place.rows(manifest, "id, email, amount, tier") == [
        (1, "X", Decimal("10.00"), "gold", 1),
        (3, "Z", None, "gold", 3),
    ]
    assert place.rejects(manifest, "record_number, rule, reason") == [
        (2, "type", "Unit Price is not a number, and an expression in sources.yml needs one")
    ]


def test_where_leaves_rows_out_and_counts_them(place) -> None:
    place.write("people.csv", "id,amount\n1,5\n2,\n3,7\nx,8\n")
    manifest = place.land(columns={**REST, "id": "id"}, where="amount is not null").manifest
    assert place.rows(manifest) == [(1, 1), (3, 3)]
    assert place.rejects(manifest) == [(4, "type")]
    assert (manifest.rows_read, manifest.rows_filtered) == (3, 1)


def test_drift_names_expected_found_and_nearest(place) -> None:
    place.write("people.csv", "id,e_mail,amount,born_on,seen_at,is_member,tier,surplus\n1,,,,,,,\n")
    with pytest.raises(ContractError) as caught:
        place.land()
    text = str(caught.value)
    assert "missing: email (nearest: e_mail)" in text
    assert "Found: id, e_mail" in text
    assert "tables.people.columns" in text
    manifest = place.land(place.contract(on_drift="evolve")).manifest
    assert manifest.notes == (
        "email is missing in people.csv: null",
        "not in the contract and left out: e_mail, surplus",
    )
    assert manifest.rows_loaded == 1


def test_extra_columns_freeze_only_without_a_mapping(place) -> None:
    place.write("people.csv", "id,email,amount,born_on,seen_at,is_member,tier,surplus\n1,,,,,,,\n")
    with pytest.raises(ContractError, match="not in the contract: surplus"):
        place.land()
    assert place.land(columns={"id": "id"}).manifest.rows_loaded == 1
    noted = place.land(place.contract(on_drift="quarantine"), refresh=True).manifest
    assert noted.rows_loaded == 1


def test_a_missing_key_is_an_error_even_where_columns_may_evolve(place) -> None:
    place.write("people.csv", "number,email\n1,\n")
    with pytest.raises(ContractError, match="missing: id"):
        place.land(place.contract(on_drift="evolve"))


def test_expressions_that_cannot_work_say_where(place) -> None:
    place.write("people.csv", "id,amount\n1,5\n")
    with pytest.raises(ContractError, match=r"tables\.people\.columns\.amount"):
        place.land(columns={**REST, "amount": "abs(amuont)"})
    with pytest.raises(ConfigError, match="neither a source column nor a DuckDB expression"):
        place.land(columns={**REST, "amount": "abs("})
    with pytest.raises(ContractError, match="try_cast") as caught:
        place.land(columns={**REST, "amount": "cast('x' || amount as integer)"})
    assert "5" not in caught.value.message  # the table has personal columns


def test_columns_of_the_source_may_have_the_names_the_sql_uses(place) -> None:
    place.write("people.csv", "id,code,record,s0,x0,i0,t0\n1,a,b,c,d,e,f\n2,a,b,c,d,bad,f\n")
    columns = {**REST, "email": "record || code || x0", "amount": "case when i0 = 'bad' then 'q' end", "tier": "null"}
    manifest = place.land(columns=columns).manifest
    assert place.rows(manifest, "id, email") == [(1, "bad", 1)]
    assert place.rejects(manifest, "raw") == [
        ('{"id":"2","code":"a","record":"b","s0":"c","x0":"d","i0":"bad","t0":"f"}',)
    ]
