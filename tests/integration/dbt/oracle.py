"""What the marts must hold, in plain Python dicts: written from the rules, not from the SQL."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

from tests.integration.dbt.landings import CONTRACTS, Batch, Row

OPEN = {"issue_tickets": {"open", "pending"}, "service_requests": {"open", "in_progress"}}
MOMENT = {
    "user_activity": "occurred_at", "retention_action": "acted_at", "support_calls": "started_at", "support_chats": "started_at",
    "issue_tickets": "opened_at", "service_requests": "requested_at", "product_support_usage": "viewed_at",
    "repeat_engagements": "engaged_at", "feature_adoption": "first_used_at",
}  # fmt: skip
COUNTS = {
    "support_calls": "support_call_count", "support_chats": "support_chat_count", "issue_tickets": "ticket_count",
    "service_requests": "service_request_count", "product_support_usage": "help_view_count", "repeat_engagements": "repeat_engagement_count",
    "retention_action": "retention_action_count", "feature_adoption": "feature_count",
}  # fmt: skip
ATTRIBUTES = [
    "email_hash",
    "phone_hash",
    "birth_year",
    "gender",
    "account_status",
    "tier",
    "region_code",
    "region_name",
    "country_code",
    "signed_up_on",
    "marketing_consent",
    "support_consent",
    "low_engagement_score",
    "high_engagement_score",
    "has_profile",
]
COUNTED = [
    "login_count",
    "purchase_count",
    "feedback_count",
    "purchase_amount",
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
]
LAST = [
    "last_activity_on",
    "last_retention_action_type",
    "last_retention_action_on",
    "last_retention_outcome",
    "engagement_score",
    "scored_on",
    "engagement_band",
]
TRACKED = ATTRIBUTES + COUNTED + LAST
ZERO = Decimal("0.00")


class Oracle:
    """Answers for any day from all batches that were ever loaded."""

    def __init__(self, batches: Iterable[Batch], zone: str = "UTC", population: str = "") -> None:
        self.zone = ZoneInfo(zone)
        self.population = population
        found = list(batches)
        self.effective = [batch for batch in found if self._counts(batch, found)]
        self.landed_days = sorted({batch.as_of for batch in self.effective})
        self._masters: dict[date, dict[str, Row]] = {}

    @staticmethod
    def _counts(batch: Batch, found: list[Batch]) -> bool:
        newest = max(
            (b.revision for b in found if (b.table, b.as_of, b.scope) == (batch.table, batch.as_of, "full")), default=0
        )
        return batch.revision == newest if batch.scope == "full" else batch.revision > newest

    def calendar(self) -> list[date]:
        first, last = self.landed_days[0], self.landed_days[-1]
        return [first + timedelta(days=n) for n in range((last - first).days + 1)]

    def _winners(self, table: str, as_of: date) -> dict[tuple[Any, ...], Row]:
        """One row per key of the batches of one day: greatest event time, then greatest content."""
        contract = CONTRACTS[table]
        visible = [c.pseudonym or c.name for c in contract.columns if c.pseudonym or not c.pii]

        def rank(row: Row) -> list[tuple[bool, Any]]:
            deciding = ([contract.event_time] if contract.event_time else []) + visible
            return [(row.get(name) is not None, row.get(name)) for name in deciding]

        best: dict[tuple[Any, ...], Row] = {}
        for batch in self.effective:
            if (batch.table, batch.as_of) == (table, as_of):
                for row in batch.rows:
                    key = tuple(row[name] for name in contract.key)
                    if key not in best or _greater(rank(row), rank(best[key])):
                        best[key] = row
        return best

    def known(self, table: str, day: date) -> list[Row]:
        """The rows of a table that count on a day."""
        contract = CONTRACTS[table]
        landed = sorted({b.as_of for b in self.effective if b.table == table and b.as_of <= day})
        if contract.mode == "snapshot":
            return list(self._winners(table, landed[-1]).values()) if landed else []
        kept: dict[tuple[Any, ...], Row] = {}
        for as_of in landed:
            for key, row in self._winners(table, as_of).items():
                time = contract.event_time or ""
                if contract.mode == "append" or key not in kept or row[time] >= kept[key][time]:
                    kept[key] = row
        return [row for row in kept.values() if not (table == "issue_tickets" and row["status"] == "deleted")]

    def _on(self, table: str, row: Row) -> date:
        if table == "engagement_score":
            return row["scored_on"]
        return row[MOMENT[table]].replace(tzinfo=UTC).astimezone(self.zone).date()

    def master(self, day: date) -> dict[str, Row]:
        """loyalty_master of a day, by user."""
        if day not in self._masters:
            self._masters[day] = self._master(day)
        return self._masters[day]

    def _master(self, day: date) -> dict[str, Row]:
        profiles = {row["user_id"]: row for row in self.known("user_profile", day)}
        regions = {row["region_code"]: row for row in self.known("region_metadata", day)}
        thresholds = {row["region_code"]: row for row in self.known("region_thresholds", day)}
        facts: dict[str, list[tuple[str, date, Row]]] = defaultdict(list)
        for table in [*MOMENT, "engagement_score"]:
            for row in self.known(table, day):
                facts[row["user_id"]].append((table, self._on(table, row), row))
        users = set(profiles) | (set(facts) if self.population == "union" else set())
        sources = self._sources(day)
        return {
            user: self._member(user, day, profiles.get(user), regions, thresholds, facts[user]) | sources
            for user in users
        }

    def _sources(self, day: date) -> Row:
        newest = {
            t: max((b.as_of for b in self.effective if b.table == t and b.as_of <= day), default=None)
            for t in CONTRACTS
        }
        return {
            "sources_present": ",".join(sorted(t for t, on in newest.items() if on)),
            "sources_missing": ",".join(sorted(t for t, on in newest.items() if not on)),
            "oldest_source_on": min((on for on in newest.values() if on), default=None),
        }

    def _member(
        self,
        user: str,
        day: date,
        profile: Row | None,
        regions: Any,
        thresholds: Any,
        facts: list[tuple[str, date, Row]],
    ) -> Row:
        member: Row = dict.fromkeys(ATTRIBUTES)
        member |= {name: value for name, value in (profile or {}).items() if name in member}
        member |= {"snapshot_date": day, "user_id": user, "has_profile": profile is not None}
        code = member["region_code"]
        for name in ("region_name", "country_code"):
            member[name] = regions.get(code, {}).get(name)
        for name in ("low_engagement_score", "high_engagement_score"):
            member[name] = thresholds.get(code, {}).get(name)
        member |= self._counts_of(facts, date.min)
        member |= self._last(facts)
        score, low, high = member["engagement_score"], member["low_engagement_score"], member["high_engagement_score"]
        if score is None or low is None or high is None:
            member["engagement_band"] = "unknown"
        else:
            member["engagement_band"] = "high" if score >= high else "low" if score <= low else "medium"
        for days in (7, 30, 90):
            window = self._counts_of(facts, day - timedelta(days=days - 1), day)
            names = ["login_count", "purchase_count", "feedback_count", "purchase_amount"]
            if days == 30:
                names += [
                    "support_call_count",
                    "support_chat_count",
                    "service_request_count",
                    "help_view_count",
                    "repeat_engagement_count",
                ]
            member |= {f"{name}_{days}d": window[name] for name in names}
        points = [((on - day).days, row["engagement_score"]) for table, on, row in facts if table == "engagement_score"]
        member["engagement_score_trend_30d"] = _slope([(x, y) for x, y in points if -30 < x <= 0])
        return member

    @staticmethod
    def _counts_of(facts: list[tuple[str, date, Row]], since: date, until: date = date.max) -> Row:
        counts: Row = dict.fromkeys(COUNTED, 0) | {"purchase_amount": ZERO}
        for table, on, row in facts:
            if not since <= on <= until:
                continue
            if table == "user_activity":
                counts[row["activity_type"] + "_count"] += 1
                counts["purchase_amount"] += row.get("purchase_amount") or ZERO
            elif table in COUNTS:
                counts[COUNTS[table]] += 1
                if row.get("status") in OPEN.get(table, ()):
                    counts["open_" + COUNTS[table]] += 1
        return counts

    @staticmethod
    def _last(facts: list[tuple[str, date, Row]]) -> Row:
        active = [on for table, on, _ in facts if table == "user_activity"]
        actions = [
            (row["acted_at"], row["action_id"], on, row) for table, on, row in facts if table == "retention_action"
        ]
        scores = {on: row["engagement_score"] for table, on, row in facts if table == "engagement_score"}
        *_, acted_on, action = max(actions, key=lambda a: a[:2]) if actions else (None, {})
        scored_on = max(scores, default=None)
        return {
            "last_activity_on": max(active, default=None),
            "last_retention_action_type": action.get("action_type"),
            "last_retention_action_on": acted_on,
            "last_retention_outcome": action.get("outcome"),
            "engagement_score": scores[scored_on] if scored_on else None,
            "scored_on": scored_on,
        }

    def history(self) -> list[Row]:
        """loyalty_history: stretches of equal tracked columns over the landed days."""
        stretches: dict[str, list[Row]] = defaultdict(list)
        for day in self.landed_days:
            master = self.master(day)
            for user in set(master) | set(stretches):
                row = {name: master[user][name] for name in TRACKED} if user in master else None
                last = stretches[user][-1] if stretches[user] else None
                facts = (row or {name: last[name] for name in TRACKED}) | {"is_deleted": row is None}  # type: ignore[index]
                if last is not None and all(last[name] == value for name, value in facts.items()):
                    continue
                if last is not None:
                    last["valid_to"] = day
                stretches[user].append({"user_id": user, **facts, "valid_from": day, "valid_to": None})
        return [row for rows in stretches.values() for row in rows]

    def segment(self, name: str, day: date) -> set[str]:
        month_ago = day - timedelta(days=30)
        members = [m for m in self.master(day).values() if m["account_status"] == "active"]
        if name == "highly_engaged":
            chosen = [
                m
                for m in members
                if m["engagement_band"] == "high" and m["last_activity_on"] and m["last_activity_on"] > month_ago
            ]
        else:
            chosen = [
                m
                for m in members
                if m["engagement_band"] == "low" or (m["last_activity_on"] or m["signed_up_on"]) <= month_ago
            ]
        return {m["user_id"] for m in chosen}

    def membership(self) -> list[Row]:
        rows: list[Row] = []
        for name in ("highly_engaged", "low_engagement"):
            inside: dict[str, Row] = {}
            for day in self.calendar():
                members = self.segment(name, day)
                for user in set(inside) - members:
                    inside.pop(user)["left_on"] = day
                for user in members - set(inside):
                    inside[user] = {"segment": name, "user_id": user, "entered_on": day, "left_on": None}
                    rows.append(inside[user])
        return rows

    def feature_adoption(self, day: date) -> list[Row]:
        master = self.master(day)
        cells: dict[tuple[Any, ...], list[Row]] = defaultdict(list)
        for row in self.known("feature_adoption", day):
            if row["user_id"] in master:
                cells[master[row["user_id"]]["region_code"], row["module"], row["feature"]].append(row)
        size = defaultdict(int)
        for member in master.values():
            size[member["region_code"]] += 1
        return [
            {
                "snapshot_date": day, "region_code": region, "module": module, "feature": feature, "user_count": len(rows),
                "region_user_count": size[region],
                "user_share": (Decimal(len(rows)) / size[region]).quantize(Decimal("0.0001"), ROUND_HALF_UP),
                "usage_count": sum(row["usage_count"] or 0 for row in rows),
                "first_used_on": min(row["first_used_at"].replace(tzinfo=UTC).astimezone(self.zone).date() for row in rows),
                "last_used_on": max(row["last_used_at"].replace(tzinfo=UTC).astimezone(self.zone).date() for row in rows),
            }
            for (region, module, feature), rows in cells.items()
        ]  # fmt: skip

    def unmatched(self, day: date) -> list[Row]:
        members = set(self.master(day))
        before = {user for earlier in self.landed_days if earlier <= day for user in self.master(earlier)}
        regions = {row["region_code"] for row in self.known("region_metadata", day)}
        named: dict[tuple[str, str], list[str]] = defaultdict(list)
        for table in [*MOMENT, "engagement_score"]:
            for row in self._winners(table, day).values():
                if row["user_id"] not in members:
                    named[table, "left_user" if row["user_id"] in before else "unknown_user"].append(row["user_id"])
        for row in self._winners("user_profile", day).values():
            if row["region_code"] is not None and row["region_code"] not in regions:
                named["user_profile", "unknown_region"].append(row["user_id"])
        return [
            {
                "snapshot_date": day,
                "table_name": table,
                "reason": reason,
                "row_count": len(users),
                "member_count": len(set(users)),
            }
            for (table, reason), users in named.items()
        ]


def _greater(left: list[tuple[bool, Any]], right: list[tuple[bool, Any]]) -> bool:
    for one, other in zip(left, right, strict=True):
        if one != other:
            return one > other if one[0] == other[0] else one[0]
    return False


def _slope(points: list[tuple[int, Decimal]]) -> Decimal | None:
    """Least squares, rounded half away from zero to four places, in exact fractions."""
    if len(points) < 2:
        return None
    n = len(points)
    mean_x, mean_y = Fraction(sum(x for x, _ in points), n), Fraction(sum(y for _, y in points)) / n
    slope = sum((x - mean_x) * (Fraction(y) - mean_y) for x, y in points) / sum((x - mean_x) ** 2 for x, _ in points)
    scaled = abs(slope) * 10000
    rounded = int(scaled + Fraction(1, 2))
    return Decimal(rounded if slope > 0 else -rounded) / 10000
