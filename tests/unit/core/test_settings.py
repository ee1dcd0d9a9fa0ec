"""Settings: where they come from, what they refuse, what they hide."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from regulars.errors import ConfigError
from regulars.settings import Settings, load_settings


def test_values_come_from_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("REGULARS_HOME", str(tmp_path))
    monkeypatch.setenv("REGULARS_S3__ENDPOINT", "http://localhost:9000")
    settings = load_settings()
    assert settings.warehouse_path == tmp_path / "warehouse.duckdb"
    assert settings.s3.endpoint == "http://localhost:9000"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("REGULARS_TIMEZONE", "Mars/Olympus"),
        ("REGULARS_THREADS", "0"),
        ("REGULARS_MEMORY_LIMIT", "lots"),
        ("REGULARS_WAREHOUSE", "csv"),
    ],
)
def test_a_wrong_value_is_named_with_its_setting(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigError, match=name) as caught:
        load_settings()
    assert caught.value.exit_code == 2


def test_secrets_are_not_shown(settings: Settings) -> None:
    assert "test-key" not in repr(settings)
    assert "test-key" not in settings.fingerprint()


def test_the_pseudonym_key_is_made_once_and_kept_private(tmp_path: Path) -> None:
    settings = Settings(_env_file=None, home=tmp_path)
    key = settings.pseudonym_secret()
    assert key == settings.pseudonym_secret() == Settings(_env_file=None, home=tmp_path).pseudonym_secret()
    assert len(key) == 64
    assert stat.S_IMODE((tmp_path / "pseudonym.key").stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["pseudonym.key"]


def test_the_fingerprint_follows_what_can_change_data(settings: Settings) -> None:
    same = settings.model_copy(update={"threads": 7})
    other = settings.model_copy(update={"timezone": "Europe/Berlin"})
    assert settings.fingerprint() == same.fingerprint() != other.fingerprint()


def test_a_draft_of_the_key_that_a_killed_run_left_goes_and_the_key_stays(tmp_path: Path) -> None:
    settings = Settings(_env_file=None, home=tmp_path)
    (tmp_path / ".pseudonym.key.4711.0123abcd").write_text("a secret that nobody uses")
    key = settings.pseudonym_secret()
    (tmp_path / ".pseudonym.key.4712.0123abcd").write_text("left after the key was made")
    assert settings.pseudonym_secret() == key
    assert [path.name for path in tmp_path.iterdir()] == ["pseudonym.key"]
