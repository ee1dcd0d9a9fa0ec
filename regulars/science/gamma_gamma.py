"""What customers spend per purchase: the Gamma-Gamma model.

Fader and Hardie (2013), The Gamma-Gamma Model of Monetary Value. Purchases of a customer are Gamma(p, nu) and nu is
Gamma(q, gamma) over customers; it does not depend on how often he buys.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import betaln, psi

from regulars.science.columns import Floats
from regulars.science.likelihood import Maximum, maximise


@dataclass(frozen=True)
class GammaGamma:
    """The three parameters; gamma has the unit of money."""

    p: float
    q: float
    gamma: float

    @property
    def has_mean(self) -> bool:
        """Whether the mean over customers is finite."""
        return self.q > 1

    def expected_value(self, frequency: Floats, mean_value: Floats) -> Floats:
        """E[mean value of a purchase] given the mean of `frequency` earlier ones; equation (5) of the note.

        The mean over all customers where frequency is 0. Needs `has_mean`.
        """
        known = np.where(frequency > 0, mean_value * frequency, 0.0)
        value: Floats = self.p * (self.gamma + known) / (self.p * frequency + self.q - 1)
        return value


def fit_gamma_gamma(frequency: Floats, mean_value: Floats) -> tuple[GammaGamma, Maximum]:
    """The parameters of greatest likelihood, from customers who came back (frequency >= 1, mean_value > 0).

    Arrays of one length in an order that does not depend on the input (the caller sorts): sums are taken in it.
    """
    scale = float(np.median(mean_value))  # a search over currency units of any size starts at the same place
    evaluate = log_likelihood_of(frequency, mean_value / scale)

    def search(at: Floats) -> tuple[float, Floats]:
        p, q, level = at  # p * gamma / q, told well by any data, in the place of gamma, which p and q drag along
        gamma = level * q / p
        value, (of_p, of_q, of_gamma) = evaluate(np.array([p, q, gamma]))
        return value, np.array([of_p - of_gamma * gamma / p, of_q + of_gamma * gamma / q, of_gamma * gamma / level])

    names = ("p", "q", "p * gamma / q")
    maximum = maximise(search, names, [(6.0, 4.0, 1.0), (1.0, 2.0, 1.0)], float(len(frequency)))
    p, q, level = (float(value) for value in maximum.at)
    in_money = replace(maximum, log_likelihood=maximum.log_likelihood - len(frequency) * float(np.log(scale)))
    return GammaGamma(p, q, level * q / p * scale), in_money


def log_likelihood_of(frequency: Floats, mean_value: Floats) -> Callable[[Floats], tuple[float, Floats]]:
    """Equation (1a) of the note, summed over customers, and its gradient, as a function of (p, q, gamma)."""
    x, log_total = frequency, np.log(frequency * mean_value)
    total, log_mean = frequency * mean_value, np.log(mean_value)
    counts, place = np.unique(x, return_inverse=True)
    customers = np.bincount(place).astype(np.float64)
    n = float(len(x))

    def evaluate(parameters: Floats) -> tuple[float, Floats]:
        p, q, gamma = (float(value) for value in parameters)
        log_all = np.log(gamma + total)
        px = p * counts
        value = -(customers * betaln(px, q)).sum() + n * q * np.log(gamma)
        value += (p * x * log_total - log_mean - (p * x + q) * log_all).sum()
        digamma = psi(px + q)
        gradient = (
            (customers * counts * (digamma - psi(px))).sum() + (x * (log_total - log_all)).sum(),
            (customers * (digamma - psi(q))).sum() + n * np.log(gamma) - log_all.sum(),
            n * q / gamma - ((p * x + q) / (gamma + total)).sum(),
        )
        return float(value), np.array(gradient)

    return evaluate
