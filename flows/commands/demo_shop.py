"""The shop's part of `regulars demo --all`: the weekly refresh over a history and the two weeks after it."""

from __future__ import annotations

from flows.commands.console import console, print_table
from flows.commands.demo_record import Verdict, finished_days, print_caught
from regulars.postgres.server import EmbeddedPostgres
from regulars.sample.shop import ShopSpec, faults_until, load_evening
from regulars.settings import Settings
from regulars.warehouse import open_warehouse

SPEC = ShopSpec()

SHOWN = {
    "What sells": """
        select category_name, cast(sum(sold_quantity) as bigint) as units, sum(net_amount) as net, sum(imputed_line_count) as imputed
        from marts.product_category_sales group by category_name order by net desc nulls last, category_name limit 5""",
    "Who buys": """
        select customer_rank, customer_id, country, order_count, net_amount, imputed_line_count
        from marts.top_customers order by customer_rank limit 5""",
    "Who comes back": "select segment, count(*) as customers from marts.rfm_segments group by segment order by 2 desc nulls last, 1",
    "What is unusual": """
        select rule, table_name, status, rows_found, rows_new, rows_not_judged
        from ops.findings where as_of = (select max(as_of) from ops.findings) order by rows_found desc nulls last, rule""",
}


def play_shop(settings: Settings, server: EmbeddedPostgres) -> None:
    """Load the shop's evenings and run the weekly refresh for each; what was run before is left alone."""
    from flows.sales import weekly_customer_analytics

    done = finished_days(settings, "weekly-customer-analytics")
    for evening in SPEC.evenings:
        if evening in done:
            continue
        counts = load_evening(SPEC, evening, server.uri())
        console.print(f"\n{evening}: the shop has {counts['orders']:,} orders with {counts['order_items']:,} lines")
        since = SPEC.start if evening == SPEC.evenings[0] else None
        weekly_customer_analytics(evening, since=since)


def report_shop(settings: Settings) -> bool:
    """Print what the weeks came to; True if every planted fault was caught."""
    with open_warehouse(settings) as warehouse:
        for title, query in SHOWN.items():
            found = warehouse.arrow(query)
            print_table(title, found.column_names, [tuple(row.values()) for row in found.to_pylist()])
        verdicts = [
            Verdict(fault.kind, warehouse.query(fault.query) == [(True,)], fault.description)
            for fault in faults_until(SPEC, SPEC.evenings[-1])
        ]
    caught = print_caught("Planted in the shop", verdicts)
    console.print(f"weeks run {len(SPEC.evenings)}, planted {len(verdicts)}, caught {caught}\n")
    return caught == len(verdicts)
