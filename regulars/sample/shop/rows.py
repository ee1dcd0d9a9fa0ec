"""Rows of the shop's tables as they stand on the evening of a day: SELECTs of text and numbers in contract order.

Whatever changes does so at ages drawn for each customer, product or order, so that the state of any evening is a formula.
"""

from __future__ import annotations

from regulars.sample import words
from regulars.sample.draws import Draws, literal, sql_list
from regulars.sample.shop.spec import ShopSpec

CATEGORIES = (
    ("kettles", "Kettles", "Kitchen"), ("pans", "Pots and Pans", "Kitchen"), ("knives", "Knives", "Kitchen"),
    ("towels", "Towels", "Bath"), ("soap", "Soap", "Bath"), ("lamps", "Lamps", "Living"), ("candles", "Candles", "Living"),
    ("cushions", "Cushions", "Living"), ("seeds", "Seeds", "Garden"), ("pots", "Plant Pots", "Garden"),
    ("paper", "Paper", "Office"), ("pens", "Pens", "Office"),
)  # fmt: skip
COUNTRIES = (("DE", 0.45), ("FR", 0.2), ("NL", 0.15), ("AT", 0.1), ("IT", 0.1))
CITIES = ("berlin", "lyon", "den haag", "wien", "bad homburg", "milano", "leipzig", "nice", "utrecht", "graz")
BRANDS = ("Alder", "Birch", "Cedar", "Dogwood", "Elm")
WEEKDAYS = (1.0, 0.95, 1.0, 1.05, 1.2, 1.3, 0.6)
YEAR_GROWTH, SEASON = 0.25, 0.2
BUSIEST = 2.6  # times the orders of a usual day: weekday, growth and season together stay below it for four years
CANCELLED, RETURNED, TAKEN_BACK, WITHOUT_TOTAL = 0.03, 0.03, 0.01, 0.02


def _moment(spec: ShopSpec, day: str, seconds: str) -> str:
    return f"(timestamp '{spec.start}' + to_days(cast({day} as integer)) + to_seconds({seconds}))"


def customers(spec: ShopSpec, day: int) -> str:
    """Customers of the evening; one moves, or changes group, every year or so."""
    draws = Draws(spec)
    period, phase = f"(240 + {draws.number(400, 'c', 'period')})", f"{draws.bits('c', 'phase')}"
    version = f"(({day} + {phase} % {period}) // {period})"
    changed = f"greatest({day} - ({day} + {phase} % {period}) % {period}, joined)"
    key = f"c * 64 + {version} % 64"
    return f"""
select
    customer_id, lower(replace(customer_id, 'K', 'kunde')) || '@example.com' as email,
    {draws.pick(words.FIRST_NAMES, "c", "given")} || ' ' || {draws.pick(words.LAST_NAMES, "c", "family")} as full_name,
    '+49 30 ' || (1000000 + {draws.number(8999999, "c", "phone")}) as phone,
    {draws.weighted(COUNTRIES, "c", "country")} as country, 'R' || (1 + {draws.number(6, key, "region")}) as region,
    {draws.pick(CITIES, key, "city")} as city,
    case when {draws.below(0.12, "c", "group")} then 'wholesale' else 'retail' end as customer_group,
    cast({_moment(spec, "joined", "0")} as date) as signed_up_on,
    {_moment(spec, "changed", draws.number(80000, key, "changed"))} as updated_at, false as is_removed
from (
    select *, {changed} as changed from (
        select c, 'K' || lpad(cast(c as varchar), 7, '0') as customer_id,
            greatest(0, (c - {spec.customers}) // {spec.joins_per_day} + 1) as joined
        from range({spec.customers + day * spec.joins_per_day}) as t(c)
    )
)"""


def products(spec: ShopSpec, day: int) -> str:
    """Products of the evening; a price changes twice a year or so."""
    draws = Draws(spec)
    period, phase = f"(120 + {draws.number(160, 'p', 'period')})", f"{draws.bits('p', 'phase')}"
    version = f"(({day} + {phase} % {period}) // {period})"
    changed = f"greatest({day} - ({day} + {phase} % {period}) % {period}, 0)"
    names = sql_list([name for _, name, _ in CATEGORIES])
    codes = sql_list([code for code, _, _ in CATEGORIES])
    return f"""
select
    {product_id("p")} as product_id,
    {names}[1 + p % {len(CATEGORIES)}] || ' No. ' || p as product_name, {codes}[1 + p % {len(CATEGORIES)}] as category_id,
    {draws.pick(BRANDS, "p", "brand")} as brand,
    cast(round({price(spec, "p")} * (1 + {draws.number(10, f"p * 64 + {version} % 64", "rise")} / 100.0), 2) as decimal(12, 4)) as list_price,
    {_moment(spec, changed, "30000")} as updated_at, false as is_removed
from range({spec.products}) as t(p)"""


def categories(spec: ShopSpec, day: int) -> str:
    """Categories, which never change."""
    rows = ", ".join(f"({literal(code)}, {literal(name)}, {literal(group)})" for code, name, group in CATEGORIES)
    return f"""
select category_id, category_name, department, timestamp '{spec.start}' as updated_at, false as is_removed
from (values {rows}) as t(category_id, category_name, department)"""


def product_id(number: str) -> str:
    """SQL of the article number of product `number`."""
    return f"('P' || lpad(cast({number} as varchar), 5, '0'))"


def price(spec: ShopSpec, number: str) -> str:
    """SQL of a product's price before any rise, 2 to 62."""
    draws = Draws(spec)
    return f"round(2 + 60 * pow({draws.unit(number, 'price')}, 2), 2)"


def placed_orders(spec: ShopSpec, first: int, last: int) -> str:
    """Orders (o: number, d: day index, c: customer) placed on the days first .. last, whatever became of them."""
    draws = Draws(spec)
    most = int(spec.orders_per_day * BUSIEST)
    weekday = f"{list(WEEKDAYS)}[1 + d % 7]"
    wanted = f"{spec.orders_per_day} * {weekday} * (1 + {YEAR_GROWTH} * d / 365.0) * (1 + {SEASON} * sin(d * 2 * pi() / 365.0))"
    jitter = f"(0.95 + 0.1 * {draws.unit('d', 'orders')})"
    known = f"({spec.customers} + d * {spec.joins_per_day})"
    pick = f"case when {draws.below(0.35, 'o', 'lately')} then 1 - 0.2 * {draws.unit('o', 'who')} else pow({draws.unit('o', 'who')}, 2.5) end"
    return f"""
select o, d, least({known} - 1, cast(floor({known} * ({pick})) as bigint)) as c
from (
    select d * {most} + k as o, d, k from range({first}, {last + 1}) as days(d) cross join range({most}) as places(k)
)
where k < {wanted} * {jitter}"""


def orders(spec: ShopSpec, first: int, day: int) -> str:
    """Orders placed from `first` on, in the state of the evening of `day`."""
    draws = Draws(spec)
    steps = ("approved_on", "shipped_on", "delivered_on", "cancelled_on", "returned_on")
    seconds = draws.number(86000, "o", "time")
    newest = "greatest(d, " + ", ".join(f"case when {name} <= {day} then {name} else 0 end" for name in steps) + ")"
    happened = {name: f"case when {name} <= {day} then {_moment(spec, name, '36000')} end" for name in steps[:3]}
    return f"""
select
    {order_id("o")} as order_id, 'K' || lpad(cast(c as varchar), 7, '0') as customer_id,
    {_moment(spec, "d", seconds)} as ordered_at,
    case
        when cancelled_on <= {day} then 'cancelled' when returned_on <= {day} then 'returned'
        when delivered_on <= {day} then 'delivered' when shipped_on <= {day} then 'shipped'
        when approved_on <= {day} then 'approved' else 'created' end as status,
    {happened["approved_on"]} as approved_at, {happened["shipped_on"]} as shipped_at, {happened["delivered_on"]} as delivered_at,
    {_moment(spec, "d + 7", "0")} as promised_at,
    case when {draws.below(0.7, "o", "channel")} then 'web' else 'store' end as channel, 'EUR' as currency_code,
    {_moment(spec, newest, f"case when {newest} = d then {seconds} else 36000 end")} as updated_at, false as is_removed
from (
    select
        *, 99999 as never,
        case when {draws.below(CANCELLED, "o", "cancelled")} then d + 1 else never end as cancelled_on,
        case when cancelled_on < never then never else d + 1 end as approved_on,
        case when cancelled_on < never then never else d + 2 + {draws.number(2, "o", "shipped")} end as shipped_on,
        case when cancelled_on < never then never else shipped_on + 1 + {draws.number(3, "o", "delivered")} end as delivered_on,
        case when cancelled_on = never and {draws.below(RETURNED, "o", "returned")}
            then delivered_on + 3 + {draws.number(8, "o", "back")} else never end as returned_on
    from ({placed_orders(spec, first, day)})
)"""


def order_items(spec: ShopSpec, first: int, day: int) -> str:
    """Lines of the orders placed on the days first .. day. One in fifty has no total, one in a hundred comes back."""
    draws = Draws(spec)
    amount = "cast(round(quantity * unit_price, 2) as decimal(18, 2))"
    total = f"case when {draws.below(WITHOUT_TOTAL, 'l', 'total')} then null else {amount} end"
    return f"""
select
    order_id, line_id, product_id, quantity, cast(unit_price as varchar) as unit_price, {total} as total_amount,
    cast(null as varchar) as status, updated_at, false as is_removed
from (
    select
        l, {order_id("o")} as order_id, cast(k + 1 as varchar) as line_id, {product_id("p")} as product_id,
        case when {draws.below(TAKEN_BACK, "l", "back")} then -1
            else 1 + cast(floor(-1.3 * ln(1 - {draws.unit("l", "quantity")})) as integer) end as quantity,
        cast(round({price(spec, "p")} * (0.9 + 0.1 * {draws.unit("l", "discount")}), 2) as decimal(12, 2)) as unit_price,
        {_moment(spec, "d", draws.number(86000, "o", "time"))} as updated_at
    from (
        select *, o * 5 + k as l,
            cast(floor({spec.products} * pow({draws.unit("o * 5 + k", "product")}, 1.6)) as bigint) as p
        from ({placed_orders(spec, first, day)}) cross join range(5) as lines(k)
        where k <= {draws.number(5, "o", "lines")}
    )
)"""


def order_id(number: str) -> str:
    """SQL of the order number of order `number`."""
    return f"('O' || lpad(cast({number} as varchar), 9, '0'))"
