"""An account of the project's own contracts, and a Snowflake that answers SHOW as it is documented."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from regulars.account.grants import Grant
from regulars.account.plan import Account, account_folder, plan_account
from regulars.account.spec import AccountSpec, read_spec
from regulars.settings import Settings

S3 = {"landing_url": "s3://acme/landing", "delivery_url": "s3://acme/deliveries"}
SPEC = {"storage_role_arn": "arn:aws:iam::123456789012:role/regulars", "allowed_networks": ["203.0.113.0/24"]}


def account_of(home: Path, spec: dict[str, Any] | None = None, **settings: Any) -> Account:
    """The account of deployments/snowflake/account.yml, with everything that is optional switched on."""
    given: dict[str, Any] = {
        "warehouse": "snowflake",
        "snowflake": {"storage_integration": "REGULARS_S3"},
        **S3,
        **settings,
    }
    made = Settings(_env_file=None, home=home, pseudonym_key="test-key", **given)
    file = read_spec(account_folder(made) / "account.yml")
    return plan_account(made, AccountSpec.model_validate(file.model_dump() | SPEC | (spec or {})))


class Answers:
    """What SHOW GRANTS TO ROLE and SHOW FUTURE GRANTS TO ROLE say, in the columns that Snowflake documents."""

    def __init__(self, grants: Iterable[Grant]) -> None:
        self.grants = list(grants)
        self.asked: list[str] = []

    def __call__(self, statement: str) -> list[dict[str, Any]]:
        self.asked.append(statement)
        found = re.fullmatch(r'show (future )?grants to role "(\w+)"', statement)
        if found is None:
            return []
        return [row(grant) for grant in self.grants if grant.role == found[2] and grant.future == bool(found[1])]


def row(grant: Grant) -> dict[str, Any]:
    """One line of the answer."""
    name = ".".join(grant.place).upper()
    if grant.future:
        return {
            "created_on": "2026-01-05 09:00:00.000 -0800", "privilege": grant.privilege, "grant_on": grant.kind,
            "name": f"{name}.<{grant.kind}>", "grant_to": "ROLE", "grantee_name": grant.role, "grant_option": "false",
        }  # fmt: skip
    return {
        "created_on": "2026-01-05 09:00:00.000 -0800", "privilege": grant.privilege, "granted_on": grant.kind.replace(" ", "_"),
        "name": name, "granted_to": "ROLE", "grantee_name": grant.role, "grant_option": "false", "granted_by": "SECURITYADMIN",
    }  # fmt: skip
