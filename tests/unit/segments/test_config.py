"""Reading segment definitions: what is accepted, what is refused, and what the definition hash follows."""

from __future__ import annotations

import pytest
import yaml

from regulars.contracts import Column, Contract
from regulars.errors import ConfigError
from regulars.segments.config import read_segments, slug

PROFILE = Contract(
    source="dw_a",
    table="user_profile",
    description="Accounts.",
    mode="snapshot",
    key=("user_id",),
    owner="crm",
    population=True,
    columns=(
        Column(name="user_id", data_type="varchar", description="Account."),
        Column(name="email", data_type="varchar", description="Address.", pii="email"),
        Column(name="full_name", data_type="varchar", description="Name.", pii="name"),
    ),
)
DELIVERY = {"team": "Customer Success", "columns": ["user_id", "tier"]}


@pytest.fixture
def read(tmp_path):
    def read_one(sql: str = "select 1", **delivery):
        (tmp_path / "fans.sql").write_text(sql)
        models = [{"name": "fans", "config": {"meta": {"delivery": {**DELIVERY, **delivery}}}}, {"name": "membership"}]
        (tmp_path / "_segments__models.yml").write_text(yaml.safe_dump({"models": models}, sort_keys=False))
        return read_segments(tmp_path, {"user_profile": PROFILE})

    return read_one


def test_only_models_with_a_delivery_are_segments(read):
    segments = read()
    assert list(segments) == ["fans"]
    assert segments["fans"].folder == "customer-success/fans"
    assert read(place="cs/daily")["fans"].folder == "cs/daily/fans"


@pytest.mark.parametrize(
    ("columns", "policies", "expected"),
    [
        (["tier", "user_id"], {}, ("tier", "user_id")),
        (["tier"], {}, ("user_id", "tier")),
        (["user_id", "email", "tier"], {"email": "drop"}, ("user_id", "tier")),
        (["user_id", "email", "tier"], {"email": "hash"}, ("user_id", "email_hash", "tier")),
        (["user_id", "email_hash", "tier"], {"email": "hash"}, ("user_id", "email_hash", "tier")),
        (["user_id", "email", "email_hash"], {"email": "hash"}, ("user_id", "email_hash")),
        (["user_id", "tier"], {"full_name": "allow", "email": "hash"}, ("user_id", "tier", "full_name", "email_hash")),
    ],
)
def test_delivered_columns_follow_list_and_policies(read, columns, policies, expected):
    assert read(columns=columns, personal_data=policies)["fans"].delivered_columns == expected


@pytest.mark.parametrize(
    ("delivery", "words"),
    [
        ({"columns": ["user_id", "email"]}, "'email' is personal"),
        ({"columns": ["user_id", "email_hash"]}, "'email_hash' is a pseudonym"),
        ({"columns": ["user_id", "email_hash"], "personal_data": {"email": "drop"}}, "'email_hash' is a pseudonym"),
        ({"personal_data": {"full_name": "hash"}}, "no pseudonym"),
        ({"personal_data": {"tier": "drop"}}, "no personal column"),
        ({"personal_data": {"email": "share"}}, "personal_data.email"),
        ({"columns": ["user_id", "tier; drop table x"]}, "columns.1"),
        ({"columns": ["tier", "tier"]}, "twice"),
        ({"columns": ["user_id", "withheld"]}, "may not be called"),
        ({"formats": []}, "formats"),
        ({"formats": ["xlsx"]}, "formats"),
        ({"holdout_pct": 51}, "holdout_pct"),
        ({"place": "../elsewhere"}, "not a folder name"),
        ({"place": "/etc"}, "not a folder name"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_a_wrong_entry_is_refused_with_file_and_field(read, delivery, words):
    with pytest.raises(ConfigError) as caught:
        read(**delivery)
    assert "_segments__models.yml: segment fans" in str(caught.value)
    assert words in str(caught.value)


def test_the_definition_hash_follows_sql_and_settings_only(read):
    base = read()["fans"].definition_hash
    assert read()["fans"].definition_hash == base
    changed = [
        read(sql="select 2"),
        read(holdout_pct=5),
        read(columns=["tier", "user_id"]),
        read(team="Product"),
        read(formats=["csv"]),
    ]
    assert len({base, *(segments["fans"].definition_hash for segments in changed)}) == 6


def test_a_model_without_sql_is_refused(read, tmp_path):
    read()
    (tmp_path / "fans.sql").unlink()
    with pytest.raises(ConfigError, match=r"no model fans\.sql"):
        read_segments(tmp_path, {"user_profile": PROFILE})


def test_team_names_become_folder_names():
    assert [slug(name) for name in ("Customer Success", "R&D / EU", "--", "Größe")] == [
        "customer-success",
        "r-d-eu",
        "team",
        "gr-e",
    ]
