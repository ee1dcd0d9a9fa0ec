"""Ways to break each rule of the shop's suites: what is done to a healthy warehouse, and the rules that must fail then."""

from __future__ import annotations

from dataclasses import dataclass

from tests.integration.flows.small_shop import AS_OF

TODAY = f"_as_of = date '{AS_OF}'"
LATER = f"date '{AS_OF}' + 3"


@dataclass(frozen=True)
class Break:
    layer: str
    table: str
    rules: tuple[str, ...]
    statements: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.layer}.{self.table}:{'+'.join(self.rules)}"


def raw(table: str, rules: str, *statements: str) -> Break:
    return Break("raw", table, tuple(rules.split()), statements)


def mart(table: str, rules: str, *statements: str) -> Break:
    return Break("marts", table, tuple(rules.split()), statements)


def change(table: str, to: str, where: str = "true") -> str:
    return f"update raw.{table} set {to} where {TODAY} and {where}"


def more(table: str, copies: int, replaced: str) -> str:
    """Rows of the day again and again, changed."""
    return f"insert into raw.{table} select t.* replace ({replaced}) from raw.{table} as t, range({copies}) as r(i) where {TODAY}"


def quarantined(table: str) -> str:
    return f"update ops.ingestion_logs set rows_read = 900, rows_quarantined = 300 where table_name = '{table}'"


QUARANTINE = "quarantine_share quarantine_share_watch"
VERSIONS = "keys_with_versions keys_with_versions_watch"

RAW = [
    raw(
        "customers",
        f"{QUARANTINE} signed_up_before_update countries_spelled customers_removed",
        quarantined("customers"),
        more("customers", 300, "customer_id || i as customer_id, 'land ' || i as country, true as is_removed, signed_up_on + 900 as signed_up_on"),
    ),
    raw(
        "products",
        f"{QUARANTINE} product_name_filled products_removed products_free",
        quarantined("products"),
        more("products", 300, "product_id || i as product_id, null as product_name, true as is_removed, 0 as list_price"),
    ),
    raw("categories", f"{QUARANTINE} category_name_filled", quarantined("categories"), change("categories", "category_name = null")),
    raw("categories", "names_differ", change("categories", "category_name = 'Same'")),
    raw(
        "orders",
        f"{QUARANTINE} {VERSIONS} row_count ordered_before_update steps_in_order currency_is_iso orders_anonymous newest_change",
        quarantined("orders"),
        more("orders", 9, "currency_code as currency_code"),
        change("orders", "customer_id = null, currency_code = 'Euro', shipped_at = ordered_at - interval 1 hour, updated_at = updated_at - to_days(30)"),
    ),
    raw("orders", "orders_cancelled orders_cancelled_watch", more("orders", 9, "order_id || i as order_id"), change("orders", "status = 'cancelled'")),
    raw(
        "order_items",
        f"{QUARANTINE} {VERSIONS} row_count lines_unpriced lines_unpriced_watch lines_taken_back lines_taken_back_watch product_id_filled newest_change",
        quarantined("order_items"),
        more("order_items", 9, "line_id as line_id"),
        change("order_items", "quantity = -1, unit_price = null, total_amount = null, product_id = null, updated_at = updated_at - to_days(30)"),
    ),
    raw(
        "order_items",
        "lines_of_nothing price_level",
        more("order_items", 9, "line_id || i as line_id"),
        change("order_items", "quantity = 0, unit_price = unit_price * 100"),
    ),
]  # fmt: skip

MARTS = [
    *(
        mart(
            f"dim_{name}s",
            "one_newest_version one_unknown_row versions_forward",
            f"insert into marts.dim_{name}s select * from marts.dim_{name}s",
            f"update marts.dim_{name}s set valid_to = valid_from",
        )
        for name in ("customer", "product")
    ),
    mart("dim_date", "days_whole", f"delete from marts.dim_date where date_on = date '{AS_OF}'"),
    mart("dim_date", "day_within day_within_watch", f"delete from marts.dim_date where date_on > date '{AS_OF}'"),
    mart(
        "fact_orders",
        "one_currency sums_equal_lines lines_are_told_apart nothing_from_tomorrow customers_known customers_known_watch",
        "update marts.fact_orders set currency_code = 'USD' where order_id = (select min(order_id) from marts.fact_orders)",
        f"update marts.fact_orders set customer_key = 'unknown', ordered_on = {LATER}, sale_line_count = 99, net_amount = net_amount + 0.01",
    ),
    mart("fact_orders", "orders_with_lines orders_with_lines_watch", "update marts.fact_orders set line_count = 0"),
    mart(
        "fact_order_items",
        "orders_known orders_known_watch products_known products_known_watch nothing_sold_backwards taken_out_is_removed",
        "update marts.fact_order_items set ordered_on = null, product_key = 'unknown', quantity = -1, line_type = 'sale', is_deleted = true",
    ),
    mart("fact_order_items", "nothing_from_tomorrow", f"update marts.fact_order_items set ordered_on = {LATER}"),
    mart(
        "daily_sales",
        "adds_up_to_orders customers_within_orders sold_lately",
        f"delete from marts.daily_sales where ordered_on > date '{AS_OF}' - 7",
        "update marts.daily_sales set customer_count = order_count + 1",
    ),
    mart(
        "product_category_sales",
        "adds_up_to_lines shares_add_up categories_named",
        "update marts.product_category_sales set gross_amount = gross_amount + 0.01, net_share = net_share + 0.01, category_name = null",
    ),
    mart(
        "top_customers",
        "greatest_first ranks_whole biggest_customer",
        "update marts.top_customers set net_share = 0.9, net_amount = 0 where customer_rank = 1",
        "delete from marts.top_customers where customer_rank = 5",
    ),
    mart(
        "customer_360",
        "rows_equal_customers segment_where_ordered orders_in_order recency_agrees is_of_the_day",
        "insert into marts.customer_360 select * from marts.customer_360",
        f"update marts.customer_360 set rfm_segment = null, first_ordered_on = {LATER}, days_since_last_order = 7777, as_of = as_of - 1",
    ),
    mart(
        "customer_features",
        "totals_equal_customers shares_within known_where_ordered is_of_the_day",
        "update marts.customer_features set order_count = order_count + 1, return_share = 1.5, recency_days = null, as_of = as_of - 1",
    ),
    mart(
        "customer_cohorts",
        "whole_at_first sizes_add_up retention_agrees",
        "update marts.customer_cohorts set cohort_customer_count = cohort_customer_count + 1",
    ),
    mart(
        "rfm_segments",
        "covers_who_ordered scores_are_fifths is_of_the_day",
        "delete from marts.rfm_segments where customer_id = (select min(customer_id) from marts.rfm_segments)",
        "update marts.rfm_segments set recency_score = 6, as_of = as_of - 1",
    ),
    mart(
        "rfm_segments",
        "segments_known biggest_segment",
        "insert into marts.rfm_segments select r.* replace (customer_id || i as customer_id) from marts.rfm_segments as r, range(9) as t(i)",
        "update marts.rfm_segments set segment = 'other'",
    ),
    mart(
        "sales_unmatched_rows",
        "reasons_known orders_within_rows",
        f"insert into marts.sales_unmatched_rows values (date '{AS_OF}', 'fact_orders', 'because', 0, 1, 0, 'o')",
    ),
    mart(
        "anomalies",
        "outside_the_bounds landed_by_the_day",
        f"update marts.anomalies set observed = 5, lower_bound = 1, upper_bound = 9, landed_on = {LATER}",
    ),
]  # fmt: skip

INSIGHTS = [
    mart(
        "sales_forecast",
        "intervals_in_order nothing_negative days_whole level_holds is_of_the_day",
        "update marts.sales_forecast set lower_95 = -1, lower_80 = upper_80 + 1, forecast_amount = 1000 * (forecast_amount + 1), as_of = as_of - 1",
    ),
    mart(
        "forecast_accuracy",
        "one_model_chosen not_worse_than_naive intervals_hold",
        "update marts.forecast_accuracy set is_chosen = true, coverage_80_pct = 20",
        "update marts.forecast_accuracy set rmse = 0 where model = 'seasonal_naive'",
    ),
    mart(
        "forecast_status",
        "enough_history forecast_where_said is_of_the_day",
        "update marts.forecast_status set status = 'short_history', as_of = as_of - 1",
    ),
    mart(
        "customer_lifetime_value",
        "alive_is_a_probability nothing_negative value_where_estimated covers_who_bought",
        "delete from marts.customer_lifetime_value where customer_id = (select min(customer_id) from marts.customer_lifetime_value)",
        "update marts.customer_lifetime_value set probability_alive = 1.1, expected_purchase_count = -1, status = 'estimated', lifetime_amount = null",
    ),
    mart("customer_lifetime_value", "is_of_the_day", "update marts.customer_lifetime_value set as_of = as_of - 1"),
    mart(
        "lifetime_value_models",
        "models_fitted parameters_where_fitted is_of_the_day",
        "update marts.lifetime_value_models set status = 'not_converged', as_of = as_of - 1 where model = 'gamma_gamma'",
        "update marts.lifetime_value_models set status = 'fitted', log_likelihood = null where model = 'bg_nbd'",
    ),
    mart(
        "unusual_customers",
        "score_is_a_share ranks_whole reasons_given is_of_the_day",
        "update marts.unusual_customers set score = 2, unusual_rank = unusual_rank + 1, reason_1 = null, as_of = as_of - 1",
    ),
    mart(
        "unusual_customer_features",
        "could_be_judged features_used is_of_the_day",
        "update marts.unusual_customer_features set status = 'no_features', feature_status = 'constant', as_of = as_of - 1",
    ),
]  # fmt: skip
BREAKS = [*RAW, *MARTS, *INSIGHTS]
