"""Documents tell the truth about names: settings, commands, flows, source kinds."""

from __future__ import annotations

from regulars.science_settings import ScienceSettings
from regulars.settings import PROJECT_DIR, S3Settings, Settings
from regulars.snowflake_settings import SnowflakeSettings


def document(name: str) -> str:
    return (PROJECT_DIR / name).read_text()


def test_every_setting_is_documented() -> None:
    text = document("docs/settings.md")
    names = [f"REGULARS_{name.upper()}" for name in Settings.model_fields if name not in ("s3", "science", "snowflake")]
    names += [f"REGULARS_SCIENCE__{name.upper()}" for name in ScienceSettings.model_fields]
    names += [f"REGULARS_S3__{name.upper()}" for name in S3Settings.model_fields]
    names += [f"REGULARS_SNOWFLAKE__{name.upper()}" for name in SnowflakeSettings.model_fields]
    assert [name for name in names if f"`{name}`" not in text] == []


def test_every_flow_and_command_is_documented() -> None:
    from flows.__main__ import app
    from flows.commands.run import FLOWS

    text = document("README.md") + document("docs/commands.md")
    commands = [command.name for command in app.registered_commands] + [group.name for group in app.registered_groups]
    assert [name for name in commands if f"regulars {name}" not in text] == []
    assert [name for name in FLOWS if name not in text] == []


def test_every_source_kind_is_documented() -> None:
    from regulars.sources import READERS

    text = document("docs/sources.md")
    assert [kind for kind in READERS if f"kind: {kind}" not in text] == []


def test_every_link_between_documents_leads_somewhere() -> None:
    import re

    pages = [
        PROJECT_DIR / "README.md",
        *(PROJECT_DIR / "docs").rglob("*.md"),
        *(PROJECT_DIR / "examples").rglob("*.md"),
    ]
    for page in pages:
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text()):
            assert (page.parent / target).exists(), f"{page}: {target}"
