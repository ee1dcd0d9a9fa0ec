"""A small warehouse in the shape of the real one, healthy for `DAY`; tests break one thing at a time."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path

import duckdb

from regulars.contracts import Contract, read_contracts
from regulars.ledger import EFFECTIVE_BATCHES, OPS_TABLES
from regulars.quality.suites import list_suites
from regulars.run import Run
from regulars.settings import PROJECT_DIR, Settings
from regulars.stages import read_stages

DAY = date(2026, 1, 9)
USERS = 400
EVENTS = 600
CONTRACTS: dict[str, Contract] = read_contracts(PROJECT_DIR / "dbt" / "warehouse" / "models" / "staging")
STAGES = read_stages(PROJECT_DIR / "dbt" / "warehouse", CONTRACTS)
RAW = STAGES["loyalty"].tables  # the shop has a test of its own, with tables that its models made
MARTS = [table for table in list_suites("marts") if table in {*STAGES["loyalty"].models, *STAGES["segments"].models}]
RUN = Run("run-1", "daily-loyalty-merge", DAY, datetime(2026, 1, 10, 3, 0))
CANARIES = {"email": "canary.mail@example.com", "full_name": "Canary Fullname", "feedback_text": "canary feedback text"}

USER = "'u' || lpad((i % 400)::varchar, 7, '0')"
MOMENT = f"timestamp '{DAY}' + to_seconds((i * 7919 % 86400)::bigint) - to_days((i % 3)::integer)"
ROWS: dict[str, tuple[int, dict[str, str]]] = {
    "user_profile": (
        USERS,
        {
            "user_id": USER,
            "email": f"case when i % 2 = 0 then '{CANARIES['email']}' else 'u' || i || '@example.com' end",
            "full_name": f"'{CANARIES['full_name']}'",
            "phone": "'+49 30 ' || i",
            "postal_address": "'Street ' || i",
            "email_hash": "md5('e' || i)",
            "phone_hash": "md5('p' || i)",
            "birth_year": "1960 + i % 40",
            "gender": "'female'",
            "account_status": "case when i % 10 = 0 then 'closed' else 'active' end",
            "tier": "['bronze','silver','gold','platinum'][1 + i % 4]",
            "region_code": "'R' || (i % 8)",
            "signed_up_on": "date '2024-01-01' + (i % 300)::integer",
            "marketing_consent": "i % 3 > 0",
            "support_consent": "i % 4 > 0",
            "updated_at": f"timestamp '{DAY} 10:00:00' - to_days((i % 200)::integer)",
        },
    ),
    "user_activity": (
        EVENTS,
        {
            "activity_id": "'a' || i",
            "user_id": USER,
            "activity_type": "['login','login','purchase','feedback'][1 + i % 4]",
            "occurred_at": MOMENT,
            "channel": "'web'",
            "purchase_amount": "case when i % 4 = 2 then 10.5 + i % 90 end",
            "currency_code": "case when i % 4 = 2 then 'EUR' end",
            "feedback_rating": "case when i % 4 = 3 then 1 + i % 5 end",
            "feedback_text": f"case when i % 4 = 3 then '{CANARIES['feedback_text']}' end",
        },
    ),
    "engagement_score": (
        EVENTS,
        {
            "user_id": "'u' || lpad((i % 400)::varchar, 7, '0')",
            "scored_on": f"date '{DAY}' - (i // 400)::integer",
            "engagement_score": "20 + i % 60",
            "model_version": "'v1'",
        },
    ),
    "feature_adoption": (
        EVENTS,
        {
            "user_id": USER,
            "module": "'m' || (i // 400)",
            "feature": "'f'",
            "first_used_at": "timestamp '2025-12-01 08:00:00'",
            "last_used_at": MOMENT,
            "usage_count": "1 + i % 9",
        },
    ),
    "retention_action": (
        EVENTS,
        {
            "action_id": "'r' || i",
            "user_id": USER,
            "action_type": "'call'",
            "acted_at": MOMENT,
            "outcome": "['accepted','declined','pending'][1 + i % 3]",
            "notes": f"'{CANARIES['feedback_text']}'",
        },
    ),
    "support_calls": (
        EVENTS,
        {
            "call_id": "'c' || i",
            "user_id": USER,
            "started_at": MOMENT,
            "duration_seconds": "60 + i",
            "topic": "'billing'",
            "is_resolved": "true",
            "agent_notes": f"'{CANARIES['feedback_text']}'",
        },
    ),
    "support_chats": (
        EVENTS,
        {
            "chat_id": "'h' || i",
            "user_id": USER,
            "started_at": MOMENT,
            "message_count": "1 + i % 30",
            "satisfaction_rating": "1 + i % 5",
        },
    ),
    "issue_tickets": (
        EVENTS,
        {
            "ticket_id": "'t' || i",
            "user_id": USER,
            "opened_at": "timestamp '2025-12-01 08:00:00'",
            "updated_at": MOMENT,
            "status": "['open','pending','resolved','closed'][1 + i % 4]",
            "priority": "'low'",
            "category": "'app'",
        },
    ),
    "service_requests": (
        EVENTS,
        {
            "request_id": "'s' || i",
            "user_id": USER,
            "requested_at": "timestamp '2025-12-01 08:00:00'",
            "updated_at": MOMENT,
            "request_type": "'card'",
            "status": "['open','done'][1 + i % 2]",
        },
    ),
    "product_support_usage": (
        EVENTS,
        {
            "usage_id": "'v' || i",
            "user_id": USER,
            "viewed_at": MOMENT,
            "content_type": "'faq'",
            "content_id": "'q' || i % 9",
            "reading_seconds": "5 + i % 300",
        },
    ),
    "repeat_engagements": (
        EVENTS,
        {
            "engagement_id": "'g' || i",
            "user_id": USER,
            "engaged_at": MOMENT,
            "engagement_type": "'event'",
            "channel": "'store'",
        },
    ),
    "region_metadata": (
        8,
        {
            "region_code": "'R' || i",
            "region_name": "'Region ' || i",
            "country_code": "'DE'",
            "region_manager": "'team ' || i",
        },
    ),
    "region_thresholds": (8, {"region_code": "'R' || i", "low_engagement_score": "30", "high_engagement_score": "70"}),
}

EARLIER = 4
COUNTS = (
    "support_call_count",
    "support_chat_count",
    "ticket_count",
    "open_ticket_count",
    "service_request_count",
    "open_service_request_count",
    "help_view_count",
    "repeat_engagement_count",
    "retention_action_count",
    "feature_count",
)
WINDOWED = ("login_count", "purchase_count", "feedback_count", "purchase_amount")


def make_warehouse(home: Path, *, contracts: dict[str, Contract] = CONTRACTS) -> Settings:
    """A healthy warehouse below `home`, and the settings that point at it."""
    settings = Settings(home=home, pseudonym_key="k" * 32)
    home.mkdir(parents=True, exist_ok=True)
    with duckdb.connect(str(settings.warehouse_path)) as connection:
        for schema in ("raw", "marts", "segments", "ops"):
            connection.execute(f"create schema {schema}")
        for table, columns in OPS_TABLES.items():
            connection.execute(
                f"create table ops.{table} ({', '.join(f'{name} {kind}' for name, kind in columns)})".replace(
                    " rows ", ' "rows" '
                )
            )
        connection.execute(f"create view ops.effective_batches as {EFFECTIVE_BATCHES}")
        for table, (count, columns) in ROWS.items():
            _add_raw(connection, contracts[table], count, columns)
        _add_marts(connection)
    return settings


def _add_raw(connection: duckdb.DuckDBPyConnection, contract: Contract, count: int, columns: dict[str, str]) -> None:
    table = contract.table
    listed = ", ".join(f"cast({columns[name]} as {kind}) as {name}" for name, kind in contract.landed_columns)
    days = [DAY - timedelta(days=back) for back in range(EARLIER, -1, -1)]
    for number, day in enumerate(days):
        rows = (
            f"select {listed}, i + 1 as _record_number, date '{day}' as _as_of, '{table}-{day}' as _batch_id "
            f"from range({count}) as r(i)"
        )
        connection.execute(
            f"{'create table' if number == 0 else 'insert into'} raw.{table} {'as ' if number == 0 else ''}{rows}"
        )
        connection.execute(
            "insert into ops.ingestion_logs "
            "(table_name, as_of, revision, batch_id, status, scope, rows_read, rows_loaded, rows_quarantined) "
            f"values ('{table}', date '{day}', 1, '{table}-{day}', 'loaded', 'full', {count}, {count}, 0)"
        )


def _add_marts(connection: duckdb.DuckDBPyConnection) -> None:
    windows = ", ".join(f"{name} as {name}_{days}d" for name in WINDOWED for days in (7, 30, 90))
    connection.execute(f"""create table marts.loyalty_master as
        with facts as (
            select
                date '{DAY}' as snapshot_date, user_id, region_code, signed_up_on,
                30::decimal(5,2) as low_engagement_score,
                70::decimal(5,2) as high_engagement_score, true as has_profile,
                {", ".join(f"1::bigint as {name}" for name in COUNTS)},
                2::bigint as login_count, 1::bigint as purchase_count, 1::bigint as feedback_count,
                9.99::decimal(18,2) as purchase_amount,
                date '{DAY}' as last_activity_on,
                (20 + row_number() over (order by user_id) % 60)::decimal(5,2) as engagement_score,
                date '{DAY}' as scored_on
            from raw.user_profile where _as_of = date '{DAY}'
        )
        select *,
        case when engagement_score >= 70 then 'high'
        when engagement_score <= 30 then 'low' else 'medium' end as engagement_band,
            {windows} from facts""")
    connection.execute(f"""create table marts.loyalty_history as
        select user_id, false as is_deleted, date '2026-01-05' as valid_from,
        case when user_id < 'u0000100' then date '{DAY}' end as valid_to
        from marts.loyalty_master union all
        select user_id, false, date '{DAY}', null from marts.loyalty_master where user_id < 'u0000100'""")
    connection.execute("create table marts.loyalty_history_daily as select * from marts.loyalty_master")
    connection.execute(f"""create table marts.user_daily_activity as
        select user_id, date '{DAY}' - 1 as activity_on, date '{DAY}' as landed_on, login_count, purchase_count,
        feedback_count, purchase_amount
        from marts.loyalty_master""")
    connection.execute("""create table marts.feature_adoption_by_region as
        select distinct region_code, 'm' as module, 'f' as feature, 10::bigint as user_count,
        50::bigint as region_user_count,
            0.2::decimal(5,4) as user_share, date '2025-12-01' as first_used_on, date '2026-01-09' as last_used_on
        from marts.loyalty_master""")
    connection.execute(f"""create table marts.loyalty_unmatched_rows as
        select date '{DAY}' as snapshot_date, 'user_activity' as table_name, 'unknown_user' as reason,
        5::bigint as row_count, 3::bigint as member_count""")
    connection.execute(f"""create table segments.membership as
        select 'highly_engaged' as segment, user_id, date '2026-01-05' as entered_on, null::date as left_on
        from marts.loyalty_master where user_id >= 'u0000150' union all
        select 'low_engagement', user_id, date '2026-01-05',
        date '{DAY}' from marts.loyalty_master where user_id < 'u0000020'""")
