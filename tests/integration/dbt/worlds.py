"""Small random landings that are dense in what goes wrong: late, corrected, duplicated, withdrawn and revised rows."""

from __future__ import annotations

import random
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from regulars.batches import BusinessDay
from tests.integration.dbt.landings import CONTRACTS, Batch, Row

FIRST = date(2026, 1, 5)
USERS = ["u1", "u2", "u3", "u4", "u5", "u6"]
GHOSTS = ["g1", "g2"]  # named by events, never in the profile table
TICK = timedelta(microseconds=1)
AGES = [0, 0, 0, 1, 2, 3, 6, 7, 8, 29, 30, 31, 89, 90, 91]  # days back: both sides of every window's edge


class Records:
    """Rows of any table and day by chance; moments lie on both sides of the day's edges in `zone`."""

    def __init__(self, chance: random.Random, zone: str = "UTC", start: date = FIRST) -> None:
        self.chance, self.zone, self.start = chance, ZoneInfo(zone), start

    def rows(self, table: str, day: date) -> tuple[Row, ...]:
        """Rows that a source would give for the day, some of them twice."""
        rows = getattr(self, f"_{table}")(day)
        again = [dict(row) for row in rows if self.chance.random() < 0.15]
        rows += again
        self.chance.shuffle(rows)
        return tuple(rows)

    def _moment(self, day: date) -> datetime:
        on = BusinessDay(day - timedelta(days=self.chance.choice(AGES)), self.zone)
        inside = timedelta(hours=self.chance.choice([0, 0, 1, 3, 12, 22, 99]))
        return min(on.start + inside, on.end - TICK)

    def _user(self) -> str:
        return self.chance.choice(USERS + GHOSTS)

    def _keys(self, letter: str, count: int = 8) -> list[str]:
        return [f"{letter}{self.chance.randrange(12)}" for _ in range(self.chance.randrange(count + 1))]

    def _user_profile(self, day: date) -> list[Row]:
        pick = self.chance.choice
        there = [user for user in USERS if self.chance.random() < 0.8]
        versions = there + [user for user in there if self.chance.random() < 0.2]
        return [
            {
                "user_id": user, "email": f"{user}@example.org", "email_hash": pick(["e1" + user, "e2" + user]), "phone_hash": pick([None, "p" + user]),
                "full_name": pick(["A", "B"]), "birth_year": pick([None, 1980]), "gender": pick([None, "other"]),
                "account_status": pick(["active", "active", "active", "closed"]), "tier": pick(["gold", "gold", "silver"]),
                "region_code": pick(["N", "N", "S", "X", None]), "signed_up_on": pick([self.start, self.start - timedelta(days=300)]),
                "marketing_consent": pick([True, True, False]), "support_consent": pick([True, False]),
                "updated_at": datetime.combine(day, time(pick([1, 2]))),
            }
            for user in versions
        ]  # fmt: skip

    def _region_metadata(self, day: date) -> list[Row]:
        return [
            {
                "region_code": code,
                "region_name": self.chance.choice([f"Region {code}", code]),
                "country_code": self.chance.choice(["DE", None]),
            }
            for code in ["N", "S"]
            if self.chance.random() < 0.9
        ]

    def _region_thresholds(self, day: date) -> list[Row]:
        return [
            {
                "region_code": code,
                "low_engagement_score": Decimal(self.chance.choice([20, 30])),
                "high_engagement_score": Decimal(self.chance.choice([60, 70])),
            }
            for code in ["N", "S", "X"]
            if self.chance.random() < 0.9
        ]

    def _user_activity(self, day: date) -> list[Row]:
        return [
            {
                "activity_id": key, "user_id": self._user(), "activity_type": kind, "occurred_at": self._moment(day),
                "purchase_amount": Decimal(self.chance.randrange(1, 9999)) / 100 if kind == "purchase" else None,
            }
            for key in self._keys("a", 14)
            for kind in [self.chance.choice(["login", "purchase", "feedback"])]
        ]  # fmt: skip

    def _engagement_score(self, day: date) -> list[Row]:
        return [
            {
                "user_id": self._user(), "scored_on": day - timedelta(days=self.chance.choice([0, 0, 1, 2, 3, 7, 28, 29, 30])),
                "engagement_score": Decimal(self.chance.choice(["0", "19.99", "20", "30", "45.5", "60", "69.99", "70", "100"])),
                "model_version": self.chance.choice(["1", "2", None]),
            }
            for _ in range(self.chance.randrange(10))
        ]  # fmt: skip

    def _feature_adoption(self, day: date) -> list[Row]:
        return [
            {
                "user_id": self._user(), "module": "m", "feature": self.chance.choice(["f1", "f2"]), "first_used_at": min(moments),
                "last_used_at": max(moments), "usage_count": self.chance.choice([None, 1, 5]),
            }
            for _ in range(self.chance.randrange(8))
            for moments in [[self._moment(day), self._moment(day)]]
        ]  # fmt: skip

    def _retention_action(self, day: date) -> list[Row]:
        return [
            {
                "action_id": key, "user_id": self._user(), "action_type": self.chance.choice(["email", "call"]),
                "acted_at": self._moment(day), "outcome": self.chance.choice([None, "pending", "accepted"]),
            }
            for key in self._keys("r")
        ]  # fmt: skip

    def _support_calls(self, day: date) -> list[Row]:
        return [
            {"call_id": key, "user_id": self._user(), "started_at": self._moment(day), "duration_seconds": 1}
            for key in self._keys("c")
        ]

    def _support_chats(self, day: date) -> list[Row]:
        return [
            {"chat_id": key, "user_id": self._user(), "started_at": self._moment(day), "message_count": 1}
            for key in self._keys("h")
        ]

    def _issue_tickets(self, day: date) -> list[Row]:
        return [
            {
                "ticket_id": key, "user_id": self._user(), "opened_at": min(moments), "updated_at": max(moments),
                "status": self.chance.choice(["open", "pending", "resolved", "closed", "deleted"]),
            }
            for key in self._keys("t")
            for moments in [[self._moment(day), self._moment(day)]]
        ]  # fmt: skip

    def _service_requests(self, day: date) -> list[Row]:
        return [
            {
                "request_id": key, "user_id": self._user(), "requested_at": min(moments), "updated_at": max(moments),
                "status": self.chance.choice(["open", "in_progress", "done", "cancelled"]),
            }
            for key in self._keys("q")
            for moments in [[self._moment(day), self._moment(day)]]
        ]  # fmt: skip

    def _product_support_usage(self, day: date) -> list[Row]:
        return [
            {"usage_id": key, "user_id": self._user(), "viewed_at": self._moment(day), "content_type": "faq"}
            for key in self._keys("v")
        ]

    def _repeat_engagements(self, day: date) -> list[Row]:
        return [
            {"engagement_id": key, "user_id": self._user(), "engaged_at": self._moment(day), "engagement_type": "event"}
            for key in self._keys("g")
        ]


class World(Records):
    """Batches by seed, in the order in which a company would have landed them day by day (revisions last)."""

    def __init__(self, seed: int, landed_days: int = 4, zone: str = "UTC") -> None:
        super().__init__(random.Random(seed), zone)
        offsets = sorted(self.chance.sample(range(0, 40), landed_days))
        self.days = [FIRST + timedelta(days=offset) for offset in offsets]
        self.batches: list[Batch] = []
        for day in self.days:
            for table in CONTRACTS:
                if self.chance.random() < (0.9 if CONTRACTS[table].mode == "snapshot" or day == self.days[0] else 0.6):
                    self.batches.append(Batch(table, day, self.rows(table, day)))
            if not any(batch.as_of == day for batch in self.batches):
                self.batches.append(Batch("region_metadata", day, self.rows("region_metadata", day)))
        self.revisions = [self._revision(batch) for batch in self.chance.sample(self.batches, 4)]

    def _revision(self, batch: Batch) -> Batch:
        scope = self.chance.choice(["full", "add"])
        return Batch(batch.table, batch.as_of, self.rows(batch.table, batch.as_of), revision=2, scope=scope)
