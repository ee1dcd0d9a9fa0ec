"""Make the Prefect blocks that a deployment names, from REGULARS_S3__*, REGULARS_SNOWFLAKE__* and named variables. Safe to repeat.

    python deployments/blocks.py --name regulars --landing-bucket acme-landing --delivery-bucket acme-deliveries
    python deployments/blocks.py --snowflake regulars           # SnowflakeConnector `regulars`, with its key
    python deployments/blocks.py --secret dw-a-url=DW_A_URL     # Secret block `dw-a-url` from the variable DW_A_URL

Afterwards: REGULARS_S3__BLOCK=regulars, REGULARS_LANDING_URL=block://s3-bucket/regulars-landing/loyalty, and in
sources.yml url: "{{ prefect.blocks.secret.dw-a-url }}".
"""

from __future__ import annotations

import argparse
import sys

from prefect.blocks.system import Secret
from prefect_aws import AwsClientParameters, AwsCredentials, S3Bucket
from pydantic import SecretBytes, SecretStr

from regulars.errors import ConfigError, RegularsError
from regulars.settings import environment_value, load_settings


def save_credentials(name: str) -> AwsCredentials:
    """An AwsCredentials block with what REGULARS_S3__* says."""
    s3 = load_settings().s3
    credentials = AwsCredentials(
        aws_access_key_id=s3.access_key_id,
        aws_secret_access_key=s3.secret_access_key,
        aws_session_token=s3.session_token.get_secret_value() if s3.session_token else None,
        region_name=s3.region,
        aws_client_parameters=AwsClientParameters(endpoint_url=s3.endpoint),
    )
    credentials.save(name, overwrite=True)
    return credentials


def save_snowflake(name: str) -> None:
    """SnowflakeCredentials and SnowflakeConnector blocks with what REGULARS_SNOWFLAKE__* says. Raises ConfigError."""
    from prefect_snowflake import SnowflakeConnector, SnowflakeCredentials  # only who uses it installs it

    access = load_settings().snowflake
    if not access.account or not access.user or not access.warehouse:
        raise ConfigError(
            "account, user or warehouse of Snowflake is missing",
            remedy="set REGULARS_SNOWFLAKE__ACCOUNT, REGULARS_SNOWFLAKE__USER and REGULARS_SNOWFLAKE__WAREHOUSE",
        )
    key = access.private_key.get_secret_value().encode() if access.private_key else None
    if key is None and access.private_key_file:
        key = access.private_key_file.expanduser().read_bytes()  # the worker has no such file
    passphrase, password, token = access.private_key_passphrase, access.password, access.token
    given = {
        "private_key": SecretBytes(key) if key else None, "private_key_passphrase": passphrase, "password": password,
        "token": token, "authenticator": access.authenticator, "role": access.role,
    }  # fmt: skip
    credentials = SnowflakeCredentials(
        account=access.account, user=access.user, **{name: value for name, value in given.items() if value is not None}
    )
    credentials.save(name, overwrite=True)
    SnowflakeConnector(
        credentials=credentials, database=access.database, warehouse=access.warehouse, schema="OPS"
    ).save(name, overwrite=True)


def save_secret(pair: str) -> str:
    """A Secret block from `block-name=VARIABLE`. Raises ConfigError where the variable is not set."""
    name, _, variable = pair.partition("=")
    value = environment_value(variable)
    if value is None:
        raise ConfigError(f"{variable or pair} is not set", remedy="give --secret block-name=VARIABLE")
    Secret(value=SecretStr(value)).save(name, overwrite=True)
    return name


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--name", help="name of the AwsCredentials block")
    parser.add_argument("--landing-bucket")
    parser.add_argument("--delivery-bucket")
    parser.add_argument("--snowflake", metavar="NAME", help="name of the SnowflakeConnector block")
    parser.add_argument("--secret", action="append", default=[], metavar="BLOCK=VARIABLE")
    arguments = parser.parse_args()
    try:
        if arguments.name:
            credentials = save_credentials(arguments.name)
            print(f"saved aws-credentials/{arguments.name}")
            for purpose in ("landing", "delivery"):
                if bucket := getattr(arguments, f"{purpose}_bucket"):
                    S3Bucket(bucket_name=bucket, credentials=credentials).save(
                        f"{arguments.name}-{purpose}", overwrite=True
                    )
                    print(f"saved s3-bucket/{arguments.name}-{purpose}")
        if arguments.snowflake:
            save_snowflake(arguments.snowflake)
            print(f"saved snowflake-connector/{arguments.snowflake}")
        for pair in arguments.secret:
            print(f"saved secret/{save_secret(pair)}")
    except RegularsError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
