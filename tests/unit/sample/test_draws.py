"""Draws are the same everywhere: pinned values, an independent formula, and plain statistics."""

from __future__ import annotations

from regulars.sample.draws import Draws, by_share, sample_engine
from regulars.sample.spec import SampleSpec

SPEC = SampleSpec(users=1000, seed=11)


def mix32(value: int) -> int:
    for _ in range(2):
        value = ((value ^ (value >> 16)) * 73244475) & 0xFFFFFFFF
    return value ^ (value >> 16)


def test_draws_follow_the_formula() -> None:
    draws = Draws(SPEC)
    found = sample_engine().execute(f"select range, {draws.bits('range', 'a', 3)} from range(2000)").fetchall()
    assert found == [(key, mix32(key ^ draws.constant("a", 3))) for key in range(2000)]


def test_draws_are_pinned() -> None:
    # These numbers may only change together with a note in the changelog: everyone's samples change with them.
    draws = Draws(SampleSpec(users=1000, seed=7))
    found = sample_engine().execute(f"select {draws.bits('range', 'pinned')} from range(3)").fetchall()
    assert [row[0] for row in found] == [3722997431, 895727035, 88244066]


def test_draws_are_even_and_unrelated() -> None:
    draws = Draws(SPEC)
    a, b, c = draws.unit("range", "a"), draws.unit("range", "b"), draws.unit("range + 1", "a")
    mean, spread, across, along = (
        sample_engine()
        .execute(f"select avg({a}), stddev({a}), corr({a}, {b}), corr({a}, {c}) from range(200000)")
        .fetchall()[0]
    )
    assert abs(mean - 0.5) < 0.005
    assert abs(spread - 0.2887) < 0.005
    assert abs(across) < 0.01
    assert abs(along) < 0.01


def test_weights_are_met() -> None:
    draws = Draws(SPEC)
    text = by_share(draws.unit("range", "w"), (("a", 0.7), ("b", 0.2), ("c", 0.1)))
    query = f"select t, count(*) / 100000 from (select {text} as t from range(100000)) group by t"
    shares = dict(sample_engine().execute(query).fetchall())
    assert all(abs(shares[name] - share) < 0.01 for name, share in (("a", 0.7), ("b", 0.2), ("c", 0.1)))
