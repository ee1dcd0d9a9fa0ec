"""One way to break each rule: (layer, table, statements, rules that must fail)."""

from __future__ import annotations

from dataclasses import dataclass

TODAY = "_as_of = date '2026-01-09'"
EVENTS = {
    "user_activity": "occurred_at",
    "engagement_score": "scored_on",
    "feature_adoption": "last_used_at",
    "retention_action": "acted_at",
    "support_calls": "started_at",
    "support_chats": "started_at",
    "issue_tickets": "updated_at",
    "service_requests": "updated_at",
    "product_support_usage": "viewed_at",
    "repeat_engagements": "engaged_at",
}
RAW = ("user_profile", *EVENTS, "region_metadata", "region_thresholds")


@dataclass(frozen=True)
class Break:
    layer: str
    table: str
    rules: tuple[str, ...]
    statements: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.layer}.{self.table}:{'+'.join(self.rules)}"


def raw(table: str, rules: str, change: str, where: str = "true") -> Break:
    return Break("raw", table, tuple(rules.split()), (f"update raw.{table} set {change} where {TODAY} and {where}",))


def mart(table: str, rules: str, *statements: str) -> Break:
    return Break("marts", table, tuple(rules.split()), statements)


def every_arrival(table: str) -> list[Break]:
    """What is wrong with how a table arrived; the causes do not touch each other, so one run shows them all."""
    rules = ["quarantine_share", "quarantine_share_watch", "keys_with_versions", "keys_with_versions_watch"]
    statements = [
        "update ops.ingestion_logs set rows_read = 900, rows_quarantined = 300",
        (
            f"insert into raw.{table} select * replace (_record_number + 10000 as _record_number) from "
            f"raw.{table} where {TODAY}"
        ),
    ]
    if table in EVENTS:
        column = EVENTS[table]
        rules += ["known_members", "known_members_watch", "rows_of_the_day", "rows_of_the_day_watch"]
        statements.append(
            f"update raw.{table} set user_id = 'nobody' || user_id, {column} = {column} - to_days(9) where {TODAY}"
        )
    return [
        Break("raw", table, tuple(rules), tuple(statements)),
        Break("raw", table, ("row_count",), (f"delete from raw.{table} where {TODAY} and _record_number > 1",)),
    ]


BREAKS = [
    *(case for table in RAW for case in every_arrival(table)),
    Break(
        "raw",
        "user_activity",
        ("row_count",),
        (f"insert into raw.user_activity select a.* from raw.user_activity a, range(5) where {TODAY}",),
    ),
    raw(
        "user_profile",
        "signed_up_before_update",
        "signed_up_on = date '2026-01-09', updated_at = timestamp '2026-01-01'",
        "_record_number % 9 = 0",
    ),
    raw("user_profile", "email_hash_filled", "email_hash = null", "_record_number % 3 = 0"),
    raw("user_profile", "region_code_filled", "region_code = null", "_record_number % 3 = 0"),
    raw("user_profile", "active_accounts active_accounts_watch", "account_status = 'closed'"),
    raw("user_profile", "marketing_consent_given", "marketing_consent = true"),
    raw("user_profile", "support_consent_given", "support_consent = false"),
    raw("user_profile", "biggest_tier", "tier = 'gold'"),
    raw("user_profile", "shared_email", "email_hash = 'same'", "_record_number % 3 = 0"),
    raw("user_profile", "updated_lately", "updated_at = timestamp '2025-11-01'"),
    raw("user_profile", "known_regions known_regions_watch", "region_code = 'nowhere'", "_record_number % 3 > 0"),
    raw(
        "user_activity",
        "purchase_has_amount",
        "purchase_amount = null",
        "activity_type = 'purchase' and _record_number < 300",
    ),
    raw(
        "user_activity",
        "amount_only_on_purchase",
        "purchase_amount = 5",
        "activity_type = 'login' and _record_number < 300",
    ),
    raw(
        "user_activity",
        "rating_only_on_feedback",
        "feedback_rating = 5",
        "activity_type = 'login' and _record_number < 300",
    ),
    raw(
        "user_activity", "logins purchases", "activity_type = 'feedback', purchase_amount = null, currency_code = null"
    ),
    raw("user_activity", "hours_covered", "occurred_at = date_trunc('day', occurred_at)"),
    raw("user_activity", "mean_purchase", "purchase_amount = 9000000", "purchase_amount is not null"),
    raw("engagement_score", "mean_score mean_score_watch", "engagement_score = 99.5"),
    raw("engagement_score", "score_spread score_spread_watch", "engagement_score = 50"),
    raw("engagement_score", "model_versions", "model_version = 'v' || _record_number % 5"),
    raw(
        "feature_adoption", "used_in_order", "first_used_at = last_used_at + interval 1 hour", "_record_number % 9 = 0"
    ),
    raw("feature_adoption", "used_once_or_more", "usage_count = 0", "_record_number % 9 = 0"),
    raw("feature_adoption", "usage_count_filled", "usage_count = null", "_record_number % 9 < 2"),
    raw("retention_action", "outcome_filled", "outcome = null", "_record_number % 2 = 0"),
    raw("retention_action", "outcomes_differ", "outcome = 'accepted'"),
    raw(
        "retention_action",
        "users_not_flooded",
        "user_id = 'u0000001', acted_at = timestamp '2026-01-09 10:00:00'",
        "_record_number < 9",
    ),
    raw("support_calls", "calls_end", "duration_seconds = 90000", "_record_number % 9 = 0"),
    raw("support_calls", "calls_with_length calls_with_length_watch", "duration_seconds = 0"),
    raw("support_calls", "topic_filled", "topic = null"),
    raw("support_chats", "chats_with_messages chats_with_messages_watch", "message_count = 0"),
    raw("support_chats", "mean_satisfaction", "satisfaction_rating = 5"),
    raw(
        "issue_tickets", "opened_before_update", "opened_at = updated_at + interval 1 minute", "_record_number % 9 = 0"
    ),
    raw("issue_tickets", "tickets_deleted tickets_deleted_watch", "status = 'deleted'", "_record_number % 9 > 0"),
    raw("issue_tickets", "category_filled", "category = null"),
    raw(
        "service_requests",
        "requested_before_update",
        "requested_at = updated_at + interval 1 minute",
        "_record_number % 9 = 0",
    ),
    raw("service_requests", "requests_cancelled", "status = 'cancelled'", "_record_number % 9 > 0"),
    raw("service_requests", "request_type_filled", "request_type = null"),
    raw("product_support_usage", "reading_ends", "reading_seconds = 100000", "_record_number % 9 = 0"),
    raw("product_support_usage", "content_id_filled", "content_id = null", "_record_number % 2 = 0"),
    raw("repeat_engagements", "channel_filled", "channel = null"),
    raw("repeat_engagements", "kinds_of_engagement", "engagement_type = 'text ' || _record_number"),
    raw("region_metadata", "region_names_differ", "region_name = 'Same'", "_record_number < 3"),
    raw("region_metadata", "country_is_iso", "country_code = 'Germany'"),
    raw("region_metadata", "regions_have_thresholds", "region_code = 'R99'", "_record_number = 1"),
    raw("region_thresholds", "low_under_high thresholds_apart", "low_engagement_score = 90", "_record_number = 1"),
    raw("region_thresholds", "thresholds_have_regions", "region_code = 'R99'", "_record_number = 1"),
    raw("region_thresholds", "thresholds_steady", "high_engagement_score = 100", "_record_number = 1"),
    mart(
        "loyalty_master",
        "one_row_per_user rows_equal_population rows_equal_history",
        "insert into marts.loyalty_master select * from marts.loyalty_master where user_id = 'u0000001'",
    ),
    mart("loyalty_master", "is_of_the_day", "update marts.loyalty_master set snapshot_date = date '2026-01-08'"),
    mart(
        "loyalty_master",
        "windows_nested",
        "update marts.loyalty_master set purchase_count_7d = purchase_count_30d + 1 where user_id = 'u0000001'",
    ),
    mart(
        "loyalty_master",
        "windows_within_totals",
        "update marts.loyalty_master set login_count_90d = login_count + 1 where user_id = 'u0000001'",
    ),
    mart(
        "loyalty_master",
        "nothing_negative",
        "update marts.loyalty_master set feature_count = -1 where user_id = 'u0000001'",
    ),
    mart(
        "loyalty_master",
        "open_within_all",
        "update marts.loyalty_master set open_ticket_count = ticket_count + 1 where user_id = 'u0000001'",
    ),
    mart(
        "loyalty_master",
        "band_agrees",
        "update marts.loyalty_master set engagement_band = 'medium' where engagement_score = low_engagement_score",
    ),
    mart(
        "loyalty_master",
        "nothing_from_tomorrow",
        "update marts.loyalty_master set last_activity_on = date '2026-01-10' where user_id < 'u0000009'",
    ),
    mart(
        "loyalty_master",
        "totals_equal_activity",
        "update marts.loyalty_master set purchase_amount = purchase_amount + 0.01 where user_id = 'u0000001'",
    ),
    mart(
        "loyalty_master",
        "band_unknown band_unknown_watch",
        "update marts.loyalty_master set engagement_band = 'unknown', engagement_score = null",
    ),
    mart(
        "loyalty_master", "band_high", "update marts.loyalty_master set engagement_band = 'high', engagement_score = 90"
    ),
    mart("loyalty_master", "band_low", "update marts.loyalty_master set engagement_band = 'low', engagement_score = 3"),
    mart(
        "loyalty_history",
        "stretches_forward",
        "update marts.loyalty_history set valid_from = valid_to where user_id = 'u0000001' and valid_to is not null",
    ),
    mart(
        "loyalty_history",
        "begins_by_the_day",
        "update marts.loyalty_history set valid_from = date '2026-01-10' where user_id = 'u0000300'",
    ),
    mart(
        "loyalty_history",
        "stretches_join",
        "update marts.loyalty_history set valid_to = valid_to - 1 where user_id = 'u0000001' and valid_to is not null",
    ),
    mart(
        "loyalty_history",
        "one_open_stretch",
        "update marts.loyalty_history set valid_to = date '2026-01-09' where user_id = 'u0000300'",
    ),
    mart(
        "loyalty_history",
        "changed_on_the_day",
        (
            "insert into marts.loyalty_history select user_id, false, date '2026-01-09', null from "
            "marts.loyalty_history where user_id >= 'u0000100'"
        ),
        "update marts.loyalty_history set valid_to = date '2026-01-09' where valid_from < date '2026-01-09'",
    ),
    mart(
        "loyalty_history",
        "deleted_on_the_day deleted_on_the_day_watch",
        (
            "update marts.loyalty_history set is_deleted = true, valid_from = date '2026-01-09' where "
            "user_id >= 'u0000100'"
        ),
    ),
    mart(
        "user_daily_activity",
        "one_row_per_day",
        "insert into marts.user_daily_activity select * from marts.user_daily_activity where user_id = 'u0000001'",
    ),
    mart(
        "user_daily_activity",
        "landed_after_it_happened",
        "update marts.user_daily_activity set activity_on = date '2026-01-12' where user_id < 'u0000040'",
    ),
    mart(
        "user_daily_activity", "late_by_weeks", "update marts.user_daily_activity set activity_on = date '2025-06-01'"
    ),
    mart("user_daily_activity", "corrections", "update marts.user_daily_activity set login_count = -1"),
    mart(
        "feature_adoption_by_region",
        "one_row_per_feature",
        (
            "insert into marts.feature_adoption_by_region select * from marts.feature_adoption_by_region "
            "where region_code = 'R1'"
        ),
    ),
    mart(
        "feature_adoption_by_region",
        "users_within_region",
        "update marts.feature_adoption_by_region set user_count = 51, user_share = 1.02 where region_code = 'R1'",
    ),
    mart(
        "feature_adoption_by_region",
        "share_agrees",
        "update marts.feature_adoption_by_region set user_share = 0.3 where region_code = 'R1'",
    ),
    mart(
        "feature_adoption_by_region",
        "used_in_order",
        "update marts.feature_adoption_by_region set first_used_on = last_used_on + 1 where region_code = 'R1'",
    ),
    mart("loyalty_unmatched_rows", "reasons_known", "update marts.loyalty_unmatched_rows set reason = 'other'"),
    mart("loyalty_unmatched_rows", "members_within_rows", "update marts.loyalty_unmatched_rows set member_count = 9"),
    mart("loyalty_unmatched_rows", "unmatched_share", "update marts.loyalty_unmatched_rows set row_count = 5000"),
    mart(
        "membership", "stays_forward", "update segments.membership set left_on = entered_on where user_id = 'u0000001'"
    ),
    mart(
        "membership",
        "entered_by_the_day",
        "update segments.membership set entered_on = date '2026-01-10' where user_id = 'u0000200'",
    ),
    mart(
        "membership",
        "stays_apart",
        "insert into segments.membership values ('low_engagement', 'u0000001', date '2026-01-07', null)",
    ),
    mart(
        "membership",
        "members_are_users",
        "insert into segments.membership values ('low_engagement', 'nobody', date '2026-01-07', null)",
    ),
    mart(
        "membership",
        "biggest_segment biggest_segment_watch",
        (
            "insert into segments.membership select 'highly_engaged', user_id, date '2026-01-06', null from "
            "marts.loyalty_master where user_id < 'u0000150'"
        ),
    ),
    mart(
        "membership",
        "entered_on_the_day",
        "update segments.membership set entered_on = date '2026-01-09' where user_id > 'u0000155' and left_on is null",
    ),
]
