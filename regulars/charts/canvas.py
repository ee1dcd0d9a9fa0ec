"""How every picture looks, and how it becomes bytes. Matplotlib without pyplot: no display, no state of the process."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from typing import Any

import matplotlib
from matplotlib.figure import Figure

BLUE, ORANGE, GREY = "#0072b2", "#d55e00", "#8a8f98"  # told apart by the colour-blind: Okabe and Ito (2008)
LOOK = {
    "svg.hashsalt": "regulars",  # identifiers within a file are drawn by chance otherwise
    "svg.fonttype": "none",  # text stays text: small files, and a reader can search them
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": GREY,
    "axes.titlesize": 11,
    "axes.titlelocation": "left",
    "axes.titleweight": "bold",
    "axes.axisbelow": True,
    "figure.facecolor": "white",
    "figure.constrained_layout.w_pad": 0.1,  # inches
    "figure.constrained_layout.h_pad": 0.1,
}
NO_CLOCK = {"Date": None, "Creator": None}


def draw(paint: Callable[[Any, Any], None], *, width: float, height: float) -> bytes:
    """SVG of what `paint(figure, axes)` puts on a canvas of so many inches."""
    buffer = BytesIO()
    with matplotlib.rc_context():
        matplotlib.rcdefaults()  # what a person's matplotlibrc says must not reach the bytes
        matplotlib.rcParams.update(LOOK)
        figure = Figure(figsize=(width, height), layout="constrained")
        paint(figure, figure.add_subplot())
        figure.savefig(buffer, format="svg", metadata=NO_CLOCK)
    return buffer.getvalue()


def bars(axes: Any, names: list[str], lengths: list[float], labels: list[str], color: str = BLUE) -> None:
    """Bars from left to right, the first on top, each with its label at the end."""
    drawn = axes.barh(names, lengths, color=color, height=0.7)
    axes.bar_label(drawn, labels, padding=4)
    axes.invert_yaxis()
    axes.margins(x=0.25)
    axes.spines["bottom"].set_visible(False)
    axes.tick_params(axis="y", length=0)
    axes.get_xaxis().set_visible(False)
