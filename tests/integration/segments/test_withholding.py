"""Who is kept out of deliveries: no consent, gone, erased, held out; and what becomes of personal data."""

from __future__ import annotations

from datetime import date, datetime

import pytest

from regulars.errors import ConfigError
from regulars.segments.holdout import is_held_out

D1, D2, D3, D4 = (date(2026, 1, day) for day in (5, 6, 7, 8))


def test_who_withdrew_is_withheld_and_appears_in_left(company):
    company.welcome("u1", "u2", "u3")
    company.fill(D1, ("u1",), ("u2",), ("u3",))
    company.deliver(D1)
    company.stand(("u2", True, False, D1, D2), ("u2", False, False, D2, None))
    company.fill(D2, ("u1",), ("u2",), ("u3",))
    second = company.deliver(D2)
    assert company.users(second) == ["u1", "u3"]
    assert company.rows(second, "left.csv") == [["u2", "consent_withdrawn"]]
    assert (second.manifest.members, second.manifest.withheld) == (3, {"no_consent": 1})


def test_todays_consent_applies_to_a_replay_of_an_earlier_day(company):
    company.welcome("u1", "u2", "u3")
    for day in (D1, D2):
        company.fill(day, ("u1",), ("u2",), ("u3",))
        company.deliver(day)
    company.stand(("u2", True, False, D1, D4), ("u2", False, False, D4, None))
    company.stand(("u3", False, False, D1, D4), ("u3", True, False, D4, None))  # consents since D4: not on D2
    replayed = company.deliver(D2)
    assert replayed.manifest.revision == 2
    assert company.users(replayed) == ["u1"]
    assert company.rows(replayed, "left.csv") == [["u2", "consent_withdrawn"], ["u3", "consent_withdrawn"]]
    assert replayed.manifest.consent_as_of == date(2026, 1, 9)


def test_reasons_of_leaving(company):
    users = ["gone", "erased", "moved", "gone_then", "quiet"]
    company.welcome(*users, "stays")
    company.fill(D1, *[(user,) for user in users], ("stays",))
    company.deliver(D1, consent=None)
    company.stand(("gone", True, False, D1, D3), ("gone", True, True, D3, None))
    company.stand(
        ("gone_then", True, False, D1, D2), ("gone_then", True, True, D2, D4), ("gone_then", True, False, D4, None)
    )
    company.stand(("quiet", False, False, D1, None))
    company.connection.execute("delete from marts.loyalty_history where user_id = 'erased'")
    company.fill(D2, ("gone",), ("erased",), ("stays",))
    second = company.deliver(D2, consent=None)
    reasons = {"gone": "left_population", "erased": "erased", "moved": "left_segment", "gone_then": "left_population"}
    assert dict(company.rows(second, "left.csv")) == {**reasons, "quiet": "left_segment"}
    assert second.manifest.withheld == {"erased": 1, "left_population": 1}
    assert sum(second.manifest.left_by_reason.values()) == second.manifest.left == 5
    restated = company.deliver(D2, consent="marketing_consent")
    assert dict(company.rows(restated, "left.csv")) == {**reasons, "quiet": "consent_withdrawn"}


def test_held_out_members_are_counted_and_in_no_file(company):
    users = [f"user-{number:04d}" for number in range(160)]
    company.welcome()
    company.land(D1, {})
    company.land(D2, {})
    for user in users:
        company.stand((user, True, False, D1, None))
    company.fill(D1, *[(user,) for user in users])
    company.fill(D2, *[(user,) for user in users])
    first = company.deliver(D1, holdout_pct=25)
    expected = {user for user in users if is_held_out(b"test key", "fans", user, 25)}
    assert 20 <= len(expected) <= 60
    assert set(company.users(first)) == set(users) - expected
    assert first.manifest.withheld == {"held_out": len(expected)} and first.manifest.held_out == len(expected)
    assert first.manifest.members == 160
    second = company.deliver(D2, holdout_pct=50)
    left = company.rows(second, "left.csv")
    assert {reason for _, reason in left} == {"held_out"}
    assert company.users(second, "entered.csv") == []  # a larger share only adds to the held out


def test_the_key_stays_in_no_file_and_not_in_the_session(company):
    company.welcome("u1")
    company.fill(D1, ("u1",))
    company.deliver(D1, holdout_pct=10)
    assert not any(b"test key" in content for content in company.everything().values())
    assert company.connection.execute("select getvariable('pseudonym_inner')").fetchone() == (None,)


def test_personal_data_follows_its_policy(company):
    person = {"email": "canary-mail@example.com", "full_name": "Canary Name"}
    company.welcome("u1")
    for day in (D1, D2):
        company.land(day, {"u1": person}, revision=2)
    company.fill(D1, ("u1", "gold"))
    for policies, header, cells in [
        ({"email": "drop", "full_name": "drop"}, "user_id,tier", ["u1", "gold"]),
        ({"email": "hash", "full_name": "drop"}, "user_id,tier,email_hash", ["u1", "gold", "hash-u1"]),
        ({"email": "drop", "full_name": "allow"}, "user_id,tier,full_name", ["u1", "gold", "Canary Name"]),
    ]:
        delivered = company.deliver(D1, columns=["user_id", "tier"], personal_data=policies)
        files = b"".join(company.read(delivered, file.name) for file in delivered.manifest.files)
        assert company.read(delivered, "full.csv").decode().splitlines()[0] == header
        assert company.rows(delivered, "full.csv") == [cells]
        assert b"canary-mail" not in files
        assert (b"Canary Name" in files) == (policies["full_name"] == "allow")
    placed = company.deliver(D1, columns=["email", "user_id"], personal_data={"email": "allow"})
    assert company.rows(placed, "full.csv") == [["canary-mail@example.com", "u1"]]
    assert company.read(placed, "left.csv") == b"user_id,reason\n"


def test_personal_data_comes_from_the_effective_batch_of_the_day(company):
    company.welcome("u1")
    company.connection.execute(
        "delete from ops.effective_batches where as_of in (date '2026-01-06', date '2026-01-07')"
    )
    company.land(D1, {"u1": {"email": "first@example.com"}}, revision=2)
    company.land(D1, {"u1": {"email": "corrected@example.com"}}, revision=3)
    company.connection.execute(
        "insert into raw.user_profile values ('u1', 'newer@example.com', null, ?, 'h', ?, '2026-01-05-3')",
        [datetime(2026, 1, 2), D1],
    )
    company.fill(D2, ("u1",))
    delivered = company.deliver(D2, columns=["user_id"], personal_data={"email": "allow"})
    assert company.rows(delivered, "full.csv") == [["u1", "newer@example.com"]]
    company.connection.execute(
        "delete from ops.effective_batches; insert into ops.effective_batches values ('other', date '2026-01-06', 'x')"
    )
    with pytest.raises(ConfigError, match="no batch up to 2026-01-06"):
        company.deliver(D2, columns=["user_id"], personal_data={"email": "allow"})
