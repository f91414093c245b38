"""The look of drawings in reports: one style, SVG text that stands in a page by itself."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

ACCENT, QUIET, SECOND = "#0b6e6e", "#9aa5ad", "#d1782f"
_STYLE: Any = {
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.size": 10.5,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#66727a",
    "axes.labelcolor": "#33393e",
    "xtick.color": "#66727a",
    "ytick.color": "#33393e",
    "axes.grid": True,
    "grid.color": "#e7ebee",
    "axes.axisbelow": True,
}


@contextmanager
def drawing(width_in: float, height_in: float) -> Iterator[tuple[Any, list[str]]]:
    """Axes to draw on, and a list that holds the SVG text afterwards; no global figure is left behind."""
    import matplotlib
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure as Drawing

    svg: list[str] = []
    with matplotlib.rc_context(_STYLE):
        drawn = Drawing(figsize=(width_in, height_in), layout="constrained")
        FigureCanvasSVG(drawn)
        yield drawn.add_subplot(), svg
        buffer = io.StringIO()
        drawn.savefig(buffer, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
        text = buffer.getvalue()
        svg.append(text[text.index("<svg") :])
