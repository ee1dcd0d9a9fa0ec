"""How often customers buy and when they stop: the BG/NBD model.

Fader, Hardie and Lee (2005), "Counting Your Customers" the Easy Way: An Alternative to the Pareto/NBD Model, Marketing
Science 24(2). A living customer buys at a rate that is Gamma(r, alpha) over customers, and after each purchase is gone
with a probability that is Beta(a, b) over customers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.linalg import eigh_tridiagonal
from scipy.special import betaln, expit, gammaln, psi

from regulars.science.columns import Floats, Places
from regulars.science.likelihood import Maximum, maximise

NODES = 64  # of the quadrature over the probability to stop: 7 digits at worst, 14 where the horizon is not far longer than age
ROWS_AT_ONCE = 20_000


@dataclass(frozen=True)
class Histories:
    """Distinct purchase histories and how many customers have each; arrays of one length, sorted by (x, t, age).

    frequency: purchases after the first; recency: time of the last purchase and age: time of observation, both since
    the first purchase, in one unit (weeks).
    """

    frequency: Floats
    recency: Floats
    age: Floats
    count: Floats

    @classmethod
    def of(cls, frequency: Floats, recency: Floats, age: Floats) -> tuple[Histories, Places]:
        """Equal rows put together, and for each row the place of its history."""
        order = np.lexsort((age, recency, frequency))
        columns = [column[order] for column in (frequency, recency, age)]
        is_new = np.ones(len(order), dtype=bool)
        is_new[1:] = np.logical_or.reduce([column[1:] != column[:-1] for column in columns])
        places = np.empty(len(order), dtype=np.intp)
        places[order] = np.cumsum(is_new) - 1
        first = np.flatnonzero(is_new)
        counts = np.diff(np.append(first, len(order))).astype(np.float64)
        x, last, observed = (column[first] for column in columns)
        return cls(x, last, observed, counts), places


@dataclass(frozen=True)
class BgNbd:
    """The four parameters; alpha has the unit of the histories."""

    r: float
    alpha: float
    a: float
    b: float

    def probability_alive(self, histories: Histories) -> Floats:
        """P(alive at the end of observation), one per history; 1 for those who never bought again (the model's rule)."""
        alive: Floats = np.where(histories.frequency > 0, expit(-self.log_odds_gone(histories)), 1.0)
        return alive

    def expected_purchases(self, histories: Histories, horizons: Floats, weights: Floats | None = None) -> Floats:
        """E[purchases within each horizon after the end of observation], shape (histories, horizons).

        With `weights` of shape (horizons, sums) those sums over the horizons instead: shape (histories, sums).

        Given that the customer lives, the rate is Gamma(r + x, alpha + T) and the probability p to stop Beta(a, b + x),
        independent of each other, and E = mean over p of (1 - (1 + p t / (alpha + T)) ^ -(r + x)) / p. That integral is
        equation (10) of the paper without its hypergeometric function, which overflows for frequent buyers and has a
        removable pole at a = 1; a Gauss-Jacobi rule for the Beta weight gives it with NODES terms.
        """
        wanted = np.eye(len(horizons)) if weights is None else weights
        # The time of the last purchase matters for being alive alone: there are far fewer (x, T) than histories.
        pairs, place = Histories.of(histories.frequency, np.zeros_like(histories.age), histories.age)
        living = np.empty((len(pairs.age), wanted.shape[1]))
        for first in range(0, len(living), ROWS_AT_ONCE):
            some = slice(first, first + ROWS_AT_ONCE)
            bought = self._purchases_if_alive(pairs.frequency[some], pairs.age[some], horizons)
            living[some] = np.einsum("ph,hs->ps", bought, wanted)  # not BLAS: its threads may sum in another order
        expected: Floats = self.probability_alive(histories)[:, None] * living[place]
        return expected

    def expected_purchases_of_new(self, time: Floats) -> Floats:
        """E[X(t)]: purchases of a new customer within `time` after the first; equation (9) of the paper."""
        new: Floats = self._purchases_if_alive(np.zeros(1), np.zeros(1), np.asarray(time, dtype=np.float64))[0]
        return new

    def _purchases_if_alive(self, frequency: Floats, age: Floats, horizons: Floats) -> Floats:
        x, place = np.unique(frequency, return_inverse=True)
        rules = np.array([beta_quadrature(self.a, self.b + float(one), NODES) for one in x])
        nodes, weights = rules[place, 0], rules[place, 1]
        shape = (self.r + frequency)[:, None]
        rates = nodes / (self.alpha + age)[:, None]
        gained = weights / nodes
        return np.column_stack([(-np.expm1(-shape * np.log1p(rates * time)) * gained).sum(axis=1) for time in horizons])

    def log_odds_gone(self, histories: Histories) -> Floats:
        """log of P(gone) / P(alive), for x > 0."""
        x = np.maximum(histories.frequency, 1.0)
        since = np.log(self.alpha + histories.age) - np.log(self.alpha + histories.recency)
        odds: Floats = np.log(self.a) - np.log(self.b + x - 1) + (self.r + x) * since
        return odds


def fit_bg_nbd(histories: Histories) -> tuple[BgNbd, Maximum]:
    """The parameters of greatest likelihood."""
    evaluate = log_likelihood_of(histories)

    def search(at: Floats) -> tuple[float, Floats]:
        r, rate, odds, b = at  # mean rate and odds to stop are told well by any data; alpha and a are dragged along
        alpha, a = r / rate, odds * b
        value, (of_r, of_alpha, of_a, of_b) = evaluate(np.array([r, alpha, a, b]))
        return value, np.array([of_r + of_alpha / rate, -of_alpha * alpha / rate, of_a * b, of_b + of_a * odds])

    customers = float(histories.count.sum())
    rate = float((histories.count * histories.frequency).sum() / max((histories.count * histories.age).sum(), 1.0))
    starts = [(0.5, 2 * rate, 0.3, 2.5), (2.0, rate, 0.05, 5.0)]
    maximum = maximise(search, ("r", "r / alpha", "a / b", "b"), starts, customers)
    r, rate, odds, b = (float(value) for value in maximum.at)
    return BgNbd(r, r / rate, odds * b, b), maximum


def log_likelihood_of(histories: Histories) -> Callable[[Floats], tuple[float, Floats]]:
    """Equation (6) of the paper, summed over customers, and its gradient, as a function of (r, alpha, a, b)."""
    frequency, recency, age, count = histories.frequency, histories.recency, histories.age, histories.count
    returned = frequency > 0
    x, place = np.unique(frequency, return_inverse=True)
    customers = np.bincount(place, count)  # per x: terms of x alone are computed once for all who have it

    def evaluate(parameters: Floats) -> tuple[float, Floats]:
        r, alpha, a, b = (float(value) for value in parameters)
        log_odds = BgNbd(r, alpha, a, b).log_odds_gone(histories)
        gone = np.where(returned, expit(log_odds), 0.0)
        log_age = np.log(alpha + age)
        of_x = gammaln(r + x) - gammaln(r) + r * np.log(alpha) + betaln(a, b + x) - betaln(a, b)
        of_time = np.where(returned, np.logaddexp(0, log_odds), 0.0) - (r + frequency) * log_age
        both = psi(a + b) - psi(a + b + x)
        rate = (1 - gone) / (alpha + age) + gone / (alpha + recency)
        log_time = (1 - gone) * log_age + gone * np.log(alpha + recency)
        gradient = (
            (customers * (psi(r + x) - psi(r) + np.log(alpha))).sum() - (count * log_time).sum(),
            (count * (r / alpha - (r + frequency) * rate)).sum(),
            (customers * both).sum() + (count * gone).sum() / a,
            (customers * (both + psi(b + x) - psi(b))).sum()
            - (count * gone / (b + np.maximum(frequency, 1.0) - 1)).sum(),
        )
        return float((customers * of_x).sum() + (count * of_time).sum()), np.array(gradient)

    return evaluate


def beta_quadrature(a: float, b: float, nodes: int) -> tuple[Floats, Floats]:
    """Nodes and weights of a Gauss rule for the mean over Beta(a, b): weights sum to 1. Golub and Welsch (1969).

    The three-term recurrence of the Jacobi polynomials on (0, 1), whose eigenvalues are the nodes; unlike rules that
    scale by the beta function it has no trouble with great a and b.
    """
    n = np.arange(nodes, dtype=np.float64)
    total = a + b
    with np.errstate(invalid="ignore", divide="ignore"):
        middle = (2 * n * (n + total - 1) + a * (total - 2)) / ((2 * n + total - 2) * (2 * n + total))
    middle[0] = a / total
    k = n[1:]
    two = 2 * k + total
    with np.errstate(invalid="ignore", divide="ignore"):
        side = k * (k + a - 1) * (k + b - 1) * (k + total - 2) / ((two - 3) * (two - 2) ** 2 * (two - 1))
    side[0] = a * b / (total**2 * (total + 1))
    places, vectors = eigh_tridiagonal(middle, np.sqrt(side))
    return np.clip(places, np.finfo(np.float64).tiny, 1.0), vectors[0] ** 2
