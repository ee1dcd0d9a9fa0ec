"""Every credential of Snowflake and S3 is a mark, every step is made to fail, and all that was written is searched."""

from __future__ import annotations

import base64
import logging
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from breaking import Fault, broken
from prefect.settings import PREFECT_LOGGING_LEVEL, PREFECT_LOGGING_TO_API_ENABLED, temporary_settings
from test_access import key_pair
from test_warehouse import plain

from flows.loyalty import daily_loyalty_merge
from flows.segment import segment
from flows.transform import transform
from regulars.errors import BuildError, ConfigError, EngineError, GateBlocked, RegularsError
from regulars.sample.spec import SampleSpec
from regulars.sample.tables import TABLES
from regulars.sample.write import write_sample
from regulars.snowflake_settings import SnowflakeSettings
from regulars.warehouse.snowflake_session import private_key
from tests.integration.privacy.canaries import Search, process_texts
from tests.integration.privacy.echo_server import EchoServer
from tests.integration.privacy.test_flows import prefect_database, wait_for_logs

pytestmark = [pytest.mark.parity, pytest.mark.timeout(1800), pytest.mark.usefixtures("emulated")]

SPEC = SampleSpec(users=500, days=1, seed=11)
(DAY,) = SPEC.all_days()
MARKS = {
    name: f"zqs{name}x{number:02d}v7"
    for number, name in enumerate(("sfpassword", "sfpassphrase", "sftoken", "s3keyid", "s3secret", "s3token"), 31)
}


@pytest.fixture
def marks() -> dict[str, str]:
    """The marks, and a private key under one of them."""
    return MARKS | {"pem": key_pair(MARKS["sfpassphrase"])}


@pytest.fixture
def company(
    prefect_server: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, snowflake_access: SnowflakeSettings, marks: dict[str, str]
) -> Iterator[Path]:  # fmt: skip
    """Its home; flows run in it on the emulator."""
    write_sample(SPEC, tmp_path / "sample")
    (tmp_path / "sources.yml").write_text(
        yaml.safe_dump(
            {
                "connections": {"files": {"kind": "files", "path": str(tmp_path / "sample")}},
                "tables": {table: {"from": "files", "path": f"{table}/{{as_of}}.csv"} for table in TABLES},
            }
        )
    )
    given = {
        **{name: plain(value) for name, value in snowflake_access.model_dump(exclude_defaults=True).items()},
        "password": marks["sfpassword"], "private_key": marks["pem"], "private_key_passphrase": marks["sfpassphrase"],
        "token": marks["sftoken"], "network_timeout_seconds": "5", "login_timeout_seconds": "5",
    }  # fmt: skip
    for name, value in given.items():
        monkeypatch.setenv(f"REGULARS_SNOWFLAKE__{name.upper()}", value)
    for name, mark in (("ACCESS_KEY_ID", "s3keyid"), ("SECRET_ACCESS_KEY", "s3secret"), ("SESSION_TOKEN", "s3token")):
        monkeypatch.setenv(f"REGULARS_S3__{name}", marks[mark])
    monkeypatch.setenv("REGULARS_WAREHOUSE", "snowflake")
    monkeypatch.setenv("REGULARS_PSEUDONYM_KEY", "test-key")
    monkeypatch.setenv("REGULARS_SOURCES", str(tmp_path / "sources.yml"))
    monkeypatch.setenv("REGULARS_HOME", str(tmp_path / "home"))
    with temporary_settings({PREFECT_LOGGING_TO_API_ENABLED: True, PREFECT_LOGGING_LEVEL: "DEBUG"}):
        yield tmp_path / "home"


def searched(marks: dict[str, str]) -> Search:
    """The search for all of it; of the private key for a line of its text, under the passphrase and without."""
    given = {"private_key": marks["pem"], "private_key_passphrase": marks["sfpassphrase"]}
    bare = base64.b64encode(private_key(SnowflakeSettings.model_validate(given)) or b"").decode()[768:832]
    wrapped = marks["pem"].splitlines()[12]
    assert len(bare) == len(wrapped) == 64
    return Search(MARKS | {"wrapped key": wrapped.lower(), "bare key": bare.lower()})  # it compares in lower case


def test_no_credential_is_in_anything_that_was_written(
    company: Path, marks: dict[str, str], capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    from expectations.raw import user_profile
    from regulars.quality import rules

    errors: list[BaseException] = []

    def attempt(action: Callable[[], Any], kind: type[BaseException], words: str) -> None:
        with pytest.raises(kind) as caught:
            action()
        assert re.search(words, str(caught.value)), str(caught.value)
        errors.append(caught.value)

    def merge() -> Any:
        return daily_loyalty_merge(DAY)

    said = "Incorrect username or password was specified: " + " ".join(marks.values())
    build = user_profile.build

    def careless(context: Any) -> Any:
        suite = build(context)
        suite.add_expectation(rules.rows_hold("none_is_gold", "Nobody is gold.", "tier is null", remedy="ask"))
        suite.add_expectation(rules.rows_hold("numbers", "Ids count.", "cast(user_id as bigint) > 0", remedy="ask"))
        return suite

    caplog.set_level(logging.DEBUG)
    with broken(Fault("^login by regulars", "refuse", 390100, said)):
        attempt(merge, ConfigError, "refused the login")
    with broken(Fault("^login by regulars", "lose")):
        attempt(merge, RegularsError, "again")
    with broken(Fault("create table", "refuse", 3001, "Insufficient privileges to operate on schema 'RAW'.")):
        attempt(merge, ConfigError, "grant")
    with broken(Fault("^copy into", "refuse", 100038, "Numeric value 'x' is not recognized")):
        attempt(merge, EngineError, "100038")
    monkeypatch.setattr(user_profile, "build", careless)
    attempt(merge, GateBlocked, "none_is_gold")
    monkeypatch.setattr(user_profile, "build", build)
    with broken(Fault("^login by dbt", "refuse", 390100, said)):
        attempt(
            lambda: transform(DAY, fail_on_block=False), BuildError, r"dbt stopped before it ran a model: (?s:.*)390100"
        )
    with broken(
        Fault(
            r"create .*table .*daily_sales|create .*loyalty_history",
            "refuse",
            2003,
            "Object 'X' does not exist or not authorized.",
        )
    ):
        attempt(lambda: transform(DAY, fail_on_block=False), BuildError, "not authorized")
    transform(DAY, fail_on_block=False)
    echo = EchoServer()
    monkeypatch.setenv("REGULARS_DELIVERY_URL", "s3://bucket/deliveries")
    monkeypatch.setenv("REGULARS_S3__ENDPOINT", echo.url)
    attempt(lambda: segment(DAY, fail_on_block=False), RegularsError, "s3://bucket")
    assert echo.requests
    echo.close()

    search = searched(marks)
    database = prefect_database()
    wait_for_logs(database, b"none_is_gold")
    printed = capfd.readouterr()
    found: dict[str, Any] = {
        "printed": search.in_text(printed.out + printed.err),
        "logged": search.in_text(caplog.text),
        "command lines": search.in_text(process_texts()),
        "Prefect's database": set().union(*(search.in_file(path) for path in database.parent.glob(f"{database.name}*"))),
        **search.in_folder(company),
        **{f"error {number}": search.in_error(error) for number, error in enumerate(errors)},
    }  # fmt: skip
    assert {place: names for place, names in found.items() if names} == {}
    assert list((company / "dbt").glob("*/*/run")) and list(company.rglob("index.html")), (
        "there was something to search"
    )
