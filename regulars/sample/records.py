"""Planted records: complete rows of event tables for one user, with the columns that a fault changes."""

from __future__ import annotations

from datetime import date

Record = dict[str, str | None]


def activity(day: date, name: str, user: str | None, **changed: str | None) -> Record:
    return {
        "activity_id": f"A{day:%Y%m%d}-{name}", "user_id": user, "activity_type": "login",
        "occurred_at": f"{day} 10:15:00", "channel": "app", **changed,
    }  # fmt: skip


def purchase(day: date, name: str, user: str | None, amount: str, **changed: str | None) -> Record:
    """A purchase of `amount`, text as the source writes it."""
    bought = {"activity_type": "purchase", "purchase_amount": amount, "currency_code": "EUR"}
    return activity(day, name, user, **{**bought, **changed})


def feedback(day: date, name: str, user: str | None, rating: str, text: str) -> Record:
    return activity(day, name, user, activity_type="feedback", feedback_rating=rating, feedback_text=text)


def score(day: date, user: str | None, points: str | None) -> Record:
    return {"user_id": user, "scored_on": str(day), "engagement_score": points, "model_version": "v3.0"}


def feature(day: date, user: str, **changed: str | None) -> Record:
    return {
        "user_id": user, "module": "shop", "feature": "wish_list", "first_used_at": f"{day} 09:00:00",
        "last_used_at": f"{day} 09:00:00", "usage_count": "1", **changed,
    }  # fmt: skip


def call(day: date, name: str, user: str | None, **changed: str | None) -> Record:
    return {
        "call_id": f"C{day:%Y%m%d}-{name}", "user_id": user, "started_at": f"{day} 11:30:00", "duration_seconds": "240",
        "topic": "billing", "is_resolved": "true", **changed,
    }  # fmt: skip


def chat(day: date, name: str, user: str | None, **changed: str | None) -> Record:
    return {
        "chat_id": f"H{day:%Y%m%d}-{name}", "user_id": user, "started_at": f"{day} 12:45:00",
        "message_count": "6", "satisfaction_rating": "4", **changed,
    }  # fmt: skip


def ticket(day: date, name: str | None, user: str, **changed: str | None) -> Record:
    return {
        "ticket_id": name, "user_id": user, "opened_at": f"{day} 08:05:00", "updated_at": f"{day} 08:05:00",
        "status": "open", "priority": "normal", "category": "billing", **changed,
    }  # fmt: skip


def request(day: date, name: str, user: str, **changed: str | None) -> Record:
    return {
        "request_id": name, "user_id": user, "requested_at": f"{day} 08:20:00", "updated_at": f"{day} 08:20:00",
        "request_type": "refund", "status": "open", **changed,
    }  # fmt: skip


def help_view(day: date, name: str, user: str, **changed: str | None) -> Record:
    return {
        "usage_id": f"V{day:%Y%m%d}-{name}", "user_id": user, "viewed_at": f"{day} 14:10:00",
        "content_type": "faq", "content_id": "doc-7", "reading_seconds": "35", **changed,
    }  # fmt: skip
