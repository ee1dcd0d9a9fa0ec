"""The faults that a sample is planted with, told day by day. No record and no user is hit by two of them."""

from __future__ import annotations

from datetime import timedelta
from functools import lru_cache

from regulars.sample import records
from regulars.sample.plan import Plan
from regulars.sample.records import Record
from regulars.sample.spec import SampleSpec

REVISED_DAY = 2  # its source is corrected in the night after it
SHRUNKEN_DAY = 3  # guards need three accepted batches before they judge
UNKNOWN_REGION = "ZZ-9"
FORMULA_REGION = ("PT", "=cmd|'/C calc'!A1")
FORMULA_USERS = ("=1+1", "+2+2", "-3+3", "@SUM(1)")


@lru_cache(maxsize=8)
def plan_faults(spec: SampleSpec) -> Plan:
    """All faults of the sample with the edits that make them; an empty plan where the sample has none."""
    plan = Plan(spec)
    if spec.faults:
        _plant_bad_profiles(plan)
        _plant_bad_events(plan)
        _plant_duplicates(plan)
        _plant_versions(plan)
        _plant_strangers(plan)
        _plant_formulas(plan)
        _plant_broken_lines(plan)
        _plant_leavers(plan)
        _plant_late_event(plan)
        _plant_revision(plan)
        _plant_shrunken_snapshot(plan)
    last = spec.day_at(spec.days - 1)
    plan.planted = [fault for fault in plan.planted if fault.settled_on <= last]
    return plan


def _plant_bad_profiles(plan: Plan) -> None:
    """Bad rows of accounts that exist only as such, so that no member vanishes with them."""

    def bad(index: int, name: str, rule: str, column: str, value: str | None, what: str) -> None:
        mail = f"{name.lower()}@example.com"
        record = plan.profile(plan.user(), user_id=name, email=mail)
        record[column] = value
        plan.add("user_profile", index, record)
        plan.record("bad_row", index, "user_profile", ("email", mail), what, rule=rule, column=column)

    future = (plan.day(1) + timedelta(days=30)).isoformat()
    bad(0, "X00000001", "type", "birth_year", "nineteen-eighty", "birth year in words")
    bad(0, "X00000002", "enum", "account_status", "actve", "misspelt account status")
    bad(1, "X00000003", "type", "signed_up_on", "2025-02-31", "a date that does not exist")
    bad(1, "X00000004", "max", "signed_up_on", future, "signed up in the future")
    bad(2, "X00000005", "required", "user_id", None, "a profile without account number")


def _plant_bad_events(plan: Plan) -> None:
    def bad(index: int, table: str, record: Record, at: str, rule: str, column: str, what: str) -> None:
        """`at` is the column whose value tells the record apart."""
        plan.add(table, index, record)
        plan.record("bad_row", index, table, (at, str(record[at])), what, rule=rule, column=column)

    d, user, far = plan.day, plan.user, (plan.day(2) + timedelta(days=40)).isoformat()
    act, key = "user_activity", "activity_id"
    bad(0, act, records.activity(d(0), "Q01", None), key, "required", "user_id", "a login of nobody")
    bad(0, act, records.purchase(d(0), "Q02", user(), "-25.00"), key, "min", "purchase_amount", "a negative amount")
    bad(1, act, records.purchase(d(1), "Q03", user(), "12,50 EUR"), key, "type", "purchase_amount", "an amount as text")
    bad(
        1,
        act,
        records.activity(d(1), "Q04", user(), activity_type="refund"),
        key,
        "enum",
        "activity_type",
        "unknown type",
    )
    bad(
        3, act, records.feedback(d(3), "Q05", user(), "9", "Nine!"), key, "max", "feedback_rating", "nine stars of five"
    )
    scores, points = "engagement_score", "engagement_score"
    bad(0, scores, records.score(d(0), user(), "105.00"), "user_id", "max", points, "a score above 100")
    bad(2, scores, records.score(d(2), user(), "n/a"), "user_id", "type", points, "a score as text")
    bad(3, scores, records.score(d(3), user(), None), "user_id", "required", points, "a score without points")
    fresh = records.feature(d(2), user(), first_used_at=f"{far} 09:00:00")
    bad(2, "feature_adoption", fresh, "user_id", "max", "first_used_at", "first used in the future")
    fewer = records.feature(d(3), user(), usage_count="-1")
    bad(3, "feature_adoption", fewer, "user_id", "min", "usage_count", "used less than never")
    long_call = records.call(d(0), "Q06", user(), duration_seconds="3m20s")
    bad(0, "support_calls", long_call, "call_id", "type", "duration_seconds", "a length with units")
    short_call = records.call(d(1), "Q07", user(), duration_seconds="-60")
    bad(1, "support_calls", short_call, "call_id", "min", "duration_seconds", "a call that ended before it began")
    bad(2, "support_chats", records.chat(d(2), "Q08", user(), message_count="-3"), "chat_id", "min", "message_count",
        "fewer messages than none")  # fmt: skip
    bad(1, "issue_tickets", records.ticket(d(1), None, user()), "user_id", "required", "ticket_id",
        "a ticket without identifier")  # fmt: skip
    bad(2, "issue_tickets", records.ticket(d(2), "TQ09", user(), status="reopened"), "ticket_id", "enum", "status",
        "a state that does not exist")  # fmt: skip
    bad(3, "service_requests", records.request(d(3), "SQ10", user(), status="parked"), "request_id", "enum", "status",
        "a state that does not exist")  # fmt: skip


def _plant_duplicates(plan: Plan) -> None:
    def twice(index: int, table: str, key: str, record: Record, copies: int = 2) -> None:
        plan.add(table, index, *[record] * copies)
        plan.record("duplicate", index, table, (key, str(record[key])), "the same row twice")

    buyer, caller, member = plan.user(), plan.user(), plan.user()
    twice(0, "user_activity", "activity_id", records.purchase(plan.day(0), "D01", buyer, "19.90"))
    twice(2, "user_profile", "user_id", plan.profile(member), copies=1)  # the table has it once already
    twice(2, "support_calls", "call_id", records.call(plan.day(2), "D02", caller))


def _plant_versions(plan: Plan) -> None:
    """Two versions of one key on a day, the older one last in the delivery; the newer one stays."""
    for index, column, older, newer in ((1, "tier", "silver", "platinum"), (4, "region_code", "BE", "FI")):
        user = plan.user()
        day = plan.day(index)
        for later in range(index, plan.days):
            new = plan.profile(user, **{column: newer, "updated_at": f"{day} 18:30:00"})
            old = {**new, column: older, "updated_at": f"{day} 09:00:00"}
            plan.replace_profile(later, user, new, *([old] if later == index else []))
        expect = {"where": f"{column} = '{newer}'"}
        plan.record("versions", index, "user_profile", ("user_id", user), f"two versions of {column}", expect=expect)
    user = plan.user()
    day = plan.day(2)
    closed = records.ticket(day, "TQ11", user, status="closed", updated_at=f"{day} 17:40:00")
    plan.add("issue_tickets", 2, closed, records.ticket(day, "TQ11", user))
    expect = {"where": "ticket_count = 1 and open_ticket_count = 0"}
    plan.record("versions", 2, "issue_tickets", ("user_id", user), "a ticket opened and closed", expect=expect)


def _plant_strangers(plan: Plan) -> None:
    """A region and two users that nothing else knows, every day again, since only the newest day is counted."""
    user = plan.user()
    for index in range(1, plan.days):
        plan.replace_profile(index, user, plan.profile(user, region_code=UNKNOWN_REGION))
        plan.add("user_activity", index, records.activity(plan.day(index), "N01", "U99999991"))
    plan.record("unknown_region", 1, "user_profile", ("user_id", user), f"region {UNKNOWN_REGION} is in no table")
    plan.record("unknown_user", 1, "user_activity", ("user_id", "U99999991"), "logins of an unknown account")
    for index in range(2, plan.days):
        plan.add("support_calls", index, records.call(plan.day(index), "N02", "U99999992"))
    plan.record("unknown_user", 2, "support_calls", ("user_id", "U99999992"), "calls of an unknown account")


def _plant_formulas(plan: Plan) -> None:
    """Text that a spreadsheet would run: the name of a region, and account numbers of four very engaged users."""
    code, text = FORMULA_REGION
    expect = {"texts": [text]}
    plan.record("formula", 0, "region_metadata", ("region_code", code), "a region named like a formula", expect=expect)
    templates = [plan.user() for _ in FORMULA_USERS]
    for index in range(plan.days):
        for number, (template, user) in enumerate(zip(templates, FORMULA_USERS, strict=True)):
            mail = f"formula{number}@example.com"
            plan.add("user_profile", index, plan.profile(template, user_id=user, email=mail, region_code="NL"))
            plan.add("user_activity", index, records.activity(plan.day(index), f"F0{number}", user))
    plan.add("engagement_score", 0, *[records.score(plan.day(0), user, "97.00") for user in FORMULA_USERS])
    expect = {"texts": list(FORMULA_USERS)}
    plan.record(
        "formula", 0, "user_profile", ("user_id", FORMULA_USERS[0]), "account numbers like formulas", expect=expect
    )


def _plant_broken_lines(plan: Plan) -> None:
    """Lines that only a file can hold: bytes that are not UTF-8, and more fields than columns."""
    writer, chatter = plan.user(), plan.user()
    day = plan.day(2)
    name = f"A{day:%Y%m%d}-B01"
    line = f"{name},{writer},feedback,{day} 10:00:00,web,,,4,".encode() + b"Sch\xf6n \xff\xfe\n"
    plan.edit("user_activity", 2).tail.append(line)
    plan.record("encoding", 2, "user_activity", ("activity_id", name), "bytes that are not UTF-8", origins=("files",))
    day = plan.day(3)
    name = f"H{day:%Y%m%d}-B02"
    plan.edit("support_chats", 3).tail.append(f"{name},{chatter},{day} 10:00:00,5,4,one,too,many\n".encode())
    plan.record("malformed", 3, "support_chats", ("chat_id", name), "three fields too many", origins=("files",))


def _plant_leavers(plan: Plan) -> None:
    gone, back = plan.user(), plan.user()
    for index in range(2, plan.days):
        plan.replace_profile(index, gone)
    plan.record("vanished", 2, "user_profile", ("user_id", gone), "a user who leaves for good")
    for index in (1, 2):
        plan.replace_profile(index, back)
    expect = {"gone_on": str(plan.day(1)), "back_on": str(plan.day(3))}
    plan.record(
        "returned", 1, "user_profile", ("user_id", back), "a user who leaves and returns", settled=3, expect=expect
    )


def _plant_late_event(plan: Plan) -> None:
    user = plan.user()
    plan.add("user_activity", 4, records.activity(plan.day(3), "L01", user, occurred_at=f"{plan.day(3)} 23:10:00"))
    expect = {"arrives_on": str(plan.day(4))}
    plan.record(
        "late", 3, "user_activity", ("user_id", user), "a login that arrives a day late", settled=4, expect=expect
    )


def _plant_revision(plan: Plan) -> None:
    user = plan.user()
    day = plan.day(REVISED_DAY)
    wrong = records.purchase(day, "R01", user, "40.00")
    plan.add("user_activity", REVISED_DAY, wrong)
    name = str(wrong["activity_id"])
    plan.corrections["user_activity", REVISED_DAY] = {name: {**wrong, "purchase_amount": "400.00"}}
    expect = {"before": "40.00", "after": "400.00"}
    plan.record(
        "revised", REVISED_DAY, "user_activity", ("user_id", user), "an amount that is corrected", expect=expect
    )


def _plant_shrunken_snapshot(plan: Plan) -> None:
    plan.record(
        "shrunken", SHRUNKEN_DAY, "user_profile", ("user_id", "*"), "30 % of the snapshot, then the whole of it"
    )
