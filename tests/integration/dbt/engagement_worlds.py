"""Small random sheets of client engagement and tables of projects, dense in what goes wrong, and an oracle in plain Python."""

from __future__ import annotations

import random
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from itertools import pairwise
from typing import Any

from tests.integration.dbt.landings import Batch, Row

FIRST = date(2025, 11, 28)  # a month ends among the days
LEVELS = ["none", "low", "medium", "high"]
CLIENTS, CODES = ["c1", "c2", "c3"], ["P1", "P2", "P3", "p1"]
MONTHS = [date(2025, month, 1) for month in range(3, 13)] + [date(2026, 2, 1)]


class EngagementWorld:
    """Batches of some days; equal for equal seeds. The sheet changes a little from landing to landing, and may not land at all."""

    def __init__(self, seed: int, days: int = 4) -> None:
        self.chance = random.Random(seed)
        self.days = [FIRST + timedelta(days=n + (n > 1)) for n in range(days)]
        self.sheet: dict[tuple[Any, ...], Row] = {}
        self.batches: list[Batch] = []
        for number, day in enumerate(self.days):
            if number == 0 or self.chance.random() < 0.8:
                self.batches.append(Batch("customer_engagement", day, self.told()))
            if number != 1 and self.chance.random() < 0.8:
                self.batches.append(Batch("dim_project", day, self.projects()))

    def revise(self, revision: int) -> Batch:
        old = self.chance.choice(self.batches)
        rows = self.told() if old.table == "customer_engagement" else self.projects()
        return Batch(old.table, old.as_of, rows, revision)

    def told(self) -> tuple[Row, ...]:
        """The whole sheet, with some rows new, changed or gone."""
        pick = self.chance.choice
        for client in CLIENTS:
            if self.sheet and self.chance.random() < 0.4:
                continue  # nothing is new about him
            for code in CODES:
                for month in MONTHS:
                    if self.chance.random() < 0.25:
                        self.sheet[client, code, month] = self._row(client, code, month)
                    elif self.chance.random() < 0.05:
                        self.sheet.pop((client, code, month), None)
        rows = [*self.sheet.values(), *(row for row in self.sheet.values() if pick(range(20)) == 0)]
        self.chance.shuffle(rows)
        return tuple(rows)

    def _row(self, client: str, code: str, month: date) -> Row:
        pick = self.chance.choice
        return {
            "client_id": client, "client_name": pick([f"Client {client}", client.upper(), None]), "project_code": code,
            "period_starts_on": month, "engagement_level": pick([*LEVELS, None, None]),
            "status": pick(["active", "paused", "active", "lapsed", None]), "channel": pick(["email", "phone", None]),
            "session_count": pick([0, 0, 1, 2, 7, None]), "spend_amount": pick([Decimal("0"), Decimal("19.99"), Decimal("-5.01"), None]),
            "last_contact_on": pick([None, None, month + timedelta(days=pick([0, 5, 27])), month - timedelta(days=3)]),
            "row_digest": self.chance.getrandbits(60),
        }  # fmt: skip

    def projects(self) -> tuple[Row, ...]:
        pick = self.chance.choice
        return tuple(
            {
                "project_code": code, "project_name": pick([f"Project {code}", code]), "region": pick(["north", None]), "status": "active",
                "started_on": pick([None, date(2025, 5, 31), date(2025, 7, 1)]), "ended_on": pick([None, date(2025, 9, 1), date(2025, 10, 31)]),
                "currency_code": "EUR", "budget_amount": Decimal("1000.00"),
            }
            for code in ("P1", "P2", "P9")
            if self.chance.random() < 0.8
        )  # fmt: skip


def newest(batches: list[Batch], table: str, day: date) -> tuple[Row, ...]:
    """Rows of the snapshot that is visible on a day."""
    found = [batch for batch in batches if batch.table == table and batch.as_of <= day]
    return max(found, key=lambda batch: (batch.as_of, batch.revision)).rows if found else ()


def next_month(month: date) -> date:
    return (month + timedelta(days=31)).replace(day=1)


def expected_summary(batches: list[Batch], day: date) -> dict[tuple[str, str], Row]:
    """Rows of customer_engagement_summary by client and project, for the newest landed day; not every column."""
    sheet = {(r["client_id"], r["project_code"], r["period_starts_on"]): r for r in newest(batches, "customer_engagement", day)}
    projects = {row["project_code"]: row for row in newest(batches, "dim_project", day)}
    found = {}
    for client, code in sorted({key[:2] for key in sheet}):
        rows = [row for key, row in sorted(sheet.items()) if key[:2] == (client, code)]
        found[client, code] = _pair(rows, projects.get(code), day)
    return found


def _pair(rows: list[Row], project: Row | None, day: date) -> Row:
    begun = [row for row in rows if row["period_starts_on"] <= day]
    reasons = [reason_of(row["period_starts_on"], project, day) for row in rows]
    levels = [row for row in begun if row["engagement_level"] is not None]
    active = [row["period_starts_on"] for row in begun if _is_active(row)]
    contacts = [row["last_contact_on"] for row in begun if row["last_contact_on"] and row["last_contact_on"] <= day]
    ends = [min(next_month(row["period_starts_on"]) - timedelta(days=1), day) for row in begun if row["session_count"]]
    last = max([*contacts, *ends], default=None)
    both = [row for row in begun if row["session_count"] is not None and row["spend_amount"] is not None]
    sessions = sum(row["session_count"] for row in both)
    per_session = sum((row["spend_amount"] for row in both), Decimal(0)) / sessions if sessions else None
    whole = [month for month in MONTHS if next_month(month) <= day + timedelta(days=1)]
    recent, prior = whole[-3:], whole[-6:-3]
    status = _latest(begun, "status")
    changed = [now for then, now in pairwise([None, *levels]) if then is None or then["engagement_level"] != now["engagement_level"]]
    now, then = (levels[-1] if levels else None), (levels[-2] if len(levels) > 1 else None)
    is_late = last is not None and last + timedelta(days=90) <= day
    return {
        "client_name": _latest(rows, "client_name"),
        "is_matched": project is not None,
        "project_name": project and project["project_name"],
        "region": project and project["region"],
        "month_count": len(rows),
        "unmatched_month_count": sum(reason is not None for reason in reasons),
        "months_in_future_count": len(rows) - len(begun),
        "session_count": _total(begun, "session_count"),
        "spend_amount": _total(begun, "spend_amount"),
        "recent_session_count": _total(begun, "session_count", recent),
        "prior_session_count": _total(begun, "session_count", prior),
        "recent_spend_amount": _total(begun, "spend_amount", recent),
        "spend_per_session_amount": per_session and per_session.quantize(Decimal("0.01"), ROUND_HALF_UP),
        "active_month_count": len(active),
        "last_active_month_on": max(active, default=None),
        "last_contact_on": max(contacts, default=None),
        "last_activity_on": last,
        "engagement_level": now and now["engagement_level"],
        "level_before": then and then["engagement_level"],
        "level_change": _change(then, now) if now else None,
        "level_changed_on": changed[-1]["period_starts_on"] if changed else None,
        "status": status,
        "is_active": last is not None and not is_late and status != "lapsed",
        "is_lapsed": is_late or status == "lapsed",
        "months_without_spend_count": sum(row["spend_amount"] is None for row in begun),
    }


def reason_of(month: date, project: Row | None, day: date) -> str | None:
    """Why a month does not match the project."""
    if project is None:
        return "unknown_project"
    if month > day:
        return "future_month"
    if project["started_on"] and next_month(month) <= project["started_on"]:
        return "before_start"
    return "after_end" if project["ended_on"] and month > project["ended_on"] else None


def _is_active(row: Row) -> bool:
    contact = row["last_contact_on"]
    return bool(row["session_count"]) or bool(contact and contact.replace(day=1) == row["period_starts_on"])


def _change(then: Row | None, now: Row) -> str:
    if then is None:
        return "first"
    step = LEVELS.index(now["engagement_level"]) - LEVELS.index(then["engagement_level"])
    return "unchanged" if step == 0 else "raised" if step > 0 else "lowered"


def _latest(rows: list[Row], name: str) -> Any:
    return next((row[name] for row in reversed(rows) if row[name] is not None), None)


def _total(rows: list[Row], name: str, months: list[date] | None = None) -> Any:
    return sum(row[name] or 0 for row in rows if months is None or row["period_starts_on"] in months)
