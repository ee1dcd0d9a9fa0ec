"""The pictures of the weekly refresh; `gallery` asks for their rows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import numpy as np
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.ticker import FuncFormatter

from regulars.charts.canvas import BLUE, GREY, ORANGE, bars, draw

Rows = Sequence[tuple[Any, ...]]
HISTORY_DAYS = 182
LEAST_DAYS = 14  # shown, so that days are told apart from hours
GREATEST_BARS = 15
COHORTS = 18


def sales_forecast(history: Rows, forecast: Rows, currency: str) -> bytes:
    """`history`: (day, net amount) by day, gaps are 0; `forecast`: (day, amount, lower 80, upper 80, lower 95, upper 95)."""
    last = history[-1][0]
    known: dict[date, float] = dict(history)
    shown = [last - timedelta(days=back) for back in range(min((last - history[0][0]).days, HISTORY_DAYS), -1, -1)]

    def paint(figure: Any, axes: Any) -> None:
        axes.plot(shown, [known.get(day, 0.0) for day in shown], color=BLUE, linewidth=1.2, label="sold")
        if forecast:
            days, mean, lower_80, upper_80, lower_95, upper_95 = zip(*forecast, strict=True)
            axes.fill_between(days, lower_95, upper_95, color=ORANGE, alpha=0.15, linewidth=0, label="95 of 100 days")
            axes.fill_between(days, lower_80, upper_80, color=ORANGE, alpha=0.3, linewidth=0, label="80 of 100 days")
            axes.plot(days, mean, color=ORANGE, linewidth=1.4, label="forecast")
        axes.set_title(f"Net amount a day{f', {currency}' if currency else ''}")
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
        axes.grid(axis="y", color=GREY, alpha=0.25)
        axes.set_xlim(min(shown[0], last - timedelta(days=LEAST_DAYS)) - timedelta(days=1))
        locator = AutoDateLocator(maxticks=9)
        axes.xaxis.set_major_locator(locator)
        axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))
        axes.legend(frameon=False, ncols=4, loc="upper left")
        low, high = axes.get_ylim()
        axes.set_ylim(low, high + 0.12 * (high - low))  # room for the legend

    return draw(paint, width=9, height=3.6)


def category_shares(amounts: Rows) -> bytes:
    """`amounts`: (category, net amount), the greatest first; what comes after the first fifteen is one bar."""
    named = [(str(name), float(amount)) for name, amount in amounts]
    rest = named[GREATEST_BARS:]
    if rest:
        named = [*named[:GREATEST_BARS], (f"{len(rest)} others", sum(amount for _, amount in rest))]
    total = sum(amount for _, amount in named)
    labels = [f"{100 * amount / total:.1f} %" if total else "" for _, amount in named]

    def paint(figure: Any, axes: Any) -> None:
        bars(axes, [name for name, _ in named], [amount for _, amount in named], labels)
        axes.set_title("Share of net amount by category, last twelve months")

    return draw(paint, width=6.5, height=0.8 + 0.26 * len(named))


def cohort_retention(cohorts: Rows) -> bytes:
    """`cohorts`: (first of the cohort's month, months since, customers of the cohort, share that bought), any order."""
    months = sorted({cohort for cohort, *_ in cohorts})[-COHORTS:]
    widest = min(max(since for cohort, since, *_ in cohorts if cohort in months), COHORTS)
    shares = np.full((len(months), widest + 1), np.nan)
    sizes = {}
    for cohort, since, customers, share in cohorts:
        if cohort in months and since <= widest:
            shares[months.index(cohort), since] = float(share)
            sizes[cohort] = customers

    def paint(figure: Any, axes: Any) -> None:
        axes.imshow(np.ma.masked_invalid(shares), cmap="Blues", vmin=0, vmax=1, aspect="auto")
        for row, column in np.argwhere(~np.isnan(shares)):
            share = shares[row, column]
            color = "white" if share > 0.55 else "black"
            axes.text(column, row, f"{100 * share:.0f}", ha="center", va="center", color=color, fontsize=7)
        axes.set_yticks(range(len(months)), [f"{month:%Y-%m}  ({sizes[month]:,})" for month in months])
        axes.set_xticks(range(widest + 1))
        axes.set_xlabel("months since the first order")
        axes.set_title("Customers who bought again, in percent of their cohort")
        axes.spines[:].set_visible(False)
        axes.tick_params(length=0)

    return draw(paint, width=9, height=1.1 + 0.27 * len(months))


def rfm_segments(segments: Rows) -> bytes:
    """`segments`: (segment, customers, net amount), in the order to show."""
    total = sum(float(amount) for *_, amount in segments)
    shares = [f", {100 * float(amount) / total:.0f} % of net amount" if total > 0 else "" for *_, amount in segments]
    labels = [f"{count:,}{share}" for (_, count, _), share in zip(segments, shares, strict=True)]

    def paint(figure: Any, axes: Any) -> None:
        bars(axes, [name for name, *_ in segments], [count for _, count, _ in segments], labels)
        axes.margins(x=0.6)
        axes.set_title("Customers by RFM segment")

    return draw(paint, width=6.5, height=0.8 + 0.28 * len(segments))


def findings(rules: Rows) -> bytes:
    """`rules`: (rule, rows found, rows new since the run before). Lengths are logarithms: one row is to be seen beside many."""
    labels = [f"{found:,}, {new:,} new" if found else "none" for _, found, new in rules]

    def paint(figure: Any, axes: Any) -> None:
        bars(axes, [rule for rule, *_ in rules], [float(np.log10(1 + found)) for _, found, _ in rules], labels, ORANGE)
        axes.margins(x=0.4)
        axes.set_title("Rows that detection found (logarithmic)")

    return draw(paint, width=6.5, height=0.8 + 0.26 * len(rules))
