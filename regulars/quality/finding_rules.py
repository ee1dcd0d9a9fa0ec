"""What each rule of detection means, what may be done about a finding, and the SQL that would do it."""

from __future__ import annotations

from dataclasses import dataclass

REVIEW = "send the rows to review: regulars quarantine add --rule {rule} keeps them out until they are replayed"


@dataclass(frozen=True)
class FindingRule:
    """One rule. `table` is the raw table that is to be corrected; `sql` gives the corrected values, over what is published."""

    name: str
    table: str
    column: str
    says: str
    suggestion: str
    sql: str


def _lines(name: str, column: str, says: str, suggestion: str, corrected: str) -> FindingRule:
    sql = (
        f"select a.order_id, a.line_id, f.{column} as found, {corrected} as corrected "
        "from marts.anomalies as a inner join marts.fact_order_items as f on a.order_id = f.order_id and a.line_id = f.line_id "
        f"where a.rule = '{name}' order by 1, 2"
    )
    return FindingRule(name, "order_items", column, says, suggestion, sql)


CLAMPED = "cast(least(greatest(f.quantity, cast(a.lower_bound as decimal(12,3))), cast(a.upper_bound as decimal(12,3))) as decimal(12,3))"
RECOMPUTED = "cast(round(f.quantity * f.unit_price, 2) as decimal(18,2))"
MEDIAN = (
    "(select cast(median(m.total_amount) as decimal(18,2)) from marts.fact_order_items as m "
    "where m.product_id = f.product_id and m.line_type = 'sale')"
)
RULES = {
    rule.name: rule
    for rule in (
        _lines(
            "quantity_iqr", "quantity",
            "quantity lies outside the fences of its product's quartiles",
            "clamp the quantity to the fences, or " + REVIEW.format(rule="quantity_iqr"), CLAMPED,
        ),
        _lines(
            "quantity_mad", "quantity",
            "quantity lies far from its product's median, in median absolute deviations",
            "clamp the quantity to the bounds, or " + REVIEW.format(rule="quantity_mad"), CLAMPED,
        ),
        _lines(
            "amount_z", "total_amount",
            "amount lies three standard deviations or more from its product's mean",
            "recompute it as quantity x unit price, or " + REVIEW.format(rule="amount_z"), RECOMPUTED,
        ),
        _lines(
            "amount_mad", "total_amount",
            "amount lies far from its product's median, in median absolute deviations",
            "take the product's median, or " + REVIEW.format(rule="amount_mad"), MEDIAN,
        ),
        _lines(
            "total_mismatch", "total_amount",
            "amount is not quantity x unit price",
            "recompute it as quantity x unit price, or " + REVIEW.format(rule="total_mismatch"), RECOMPUTED,
        ),
        _lines(
            "negative_price", "unit_price",
            "unit price is below zero",
            "ask the source whether it is a correction booked as a line, or " + REVIEW.format(rule="negative_price"),
            "abs(f.unit_price)",
        ),
        _lines(
            "no_amount", "total_amount",
            "neither amount nor unit price is known",
            "take the product's median amount, or " + REVIEW.format(rule="no_amount"), MEDIAN,
        ),
        _lines(
            "unknown_order", "order_id",
            "the order of the line is not in orders",
            "quarantine the lines until orders delivers it: " + REVIEW.format(rule="unknown_order"), "f.order_id",
        ),
        _lines(
            "unknown_product", "product_id",
            "the product of the line is not in products",
            "quarantine the lines until products is corrected: " + REVIEW.format(rule="unknown_product"), "f.product_id",
        ),
        FindingRule(
            "unknown_customer", "orders", "customer_id",
            "the customer of the order is not in customers",
            "quarantine the orders until customers is corrected: " + REVIEW.format(rule="unknown_customer"),
            "select order_id, customer_id from marts.anomalies where rule = 'unknown_customer' order by 1",
        ),
        FindingRule(
            "unknown_category", "products", "category_id",
            "the category of the product is not in categories",
            "add the category, or correct the product's; its sales stand under a category without a name meanwhile",
            "select product_id, product_key from marts.dim_products where is_current and category_id is not null "
            "and category_name is null and product_id in (select product_id from marts.anomalies where rule = 'unknown_category') order by 1",
        ),
        FindingRule(
            "daily_total", "daily_sales", "net_amount",
            "the day's net amount is unlike that of earlier days of its weekday",
            "look at the day's largest lines and at its loads; land it again with refresh if it is not whole",
            "select f.ordered_on, f.order_id, f.net_amount from marts.anomalies as a "
            "inner join marts.fact_orders as f on a.ordered_on = f.ordered_on where a.rule = 'daily_total' order by 1, 3 desc nulls last, 2",
        ),
        FindingRule(
            "load", "ingestion_logs", "rows_loaded",
            "rows, seconds or bytes of a load are unlike those of earlier loads of the table on its weekday",
            "compare the day's file or query with that of a week before; land it again with refresh if it is not whole",
            "select table_name, as_of, rows_loaded, seconds, bytes from ops.ingestion_logs where status = 'loaded' order by 1, 2",
        ),
    )
}  # fmt: skip
