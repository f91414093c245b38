"""The style sheet that reports share."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

STYLE = """
  :root { --ink: #22282c; --soft: #66727a; --line: #e1e6e9; --accent: #0b6e6e; --paper: #fff; --wash: #f4f7f7; }
  * { box-sizing: border-box; }
  body { margin: 0;
    font: 15px/1.55 system-ui, "Segoe UI", Roboto, sans-serif; color: var(--ink); background: var(--wash); }
  main { max-width: 1240px; margin: 0 auto; padding: 32px 20px 64px; }
  h1 { font-size: 26px; margin: 0 0 4px; } h2 { font-size: 19px; margin: 0 0 2px; }
  p.soft, .soft { color: var(--soft); margin: 0 0 12px; }
  section { background: var(--paper); border: 1px solid var(--line); border-radius: 10px; padding: 22px 24px; margin-top: 20px; }
  .cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(250px, 1fr)); gap: 16px; margin-top: 20px; }
  .card { background: var(--paper); border: 1px solid var(--line);
    border-left: 4px solid var(--accent); border-radius: 8px; padding: 14px 18px; }
  .card b { display: block; font-size: 30px; line-height: 1.2; color: var(--accent); font-variant-numeric: tabular-nums; }
  .card small { color: var(--soft); }
  .scroll { overflow-x: auto; }
  table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; font-size: 13.5px; }
  th, td { text-align: right; padding: 7px 8px; border-bottom: 1px solid var(--line); white-space: nowrap; }
  th:first-child, td:first-child { text-align: left; }
  th { font-weight: 600; color: var(--soft); } td small { display: block; color: var(--soft); font-size: 11px; }
  tr.full td { background: #eef6f6; } td.best { font-weight: 700; color: var(--accent); }
  .plots { display: grid; grid-template-columns: repeat(auto-fit, minmax(400px, 1fr)); gap: 18px; margin-top: 18px; }
  figure { margin: 0; } figcaption { font-weight: 600; margin-bottom: 6px; }
  svg { width: 100%; height: auto; max-width: 640px; }
  dl { display: grid; grid-template-columns: max-content 1fr; gap: 3px 18px; margin: 10px 0 0; }
  dt { color: var(--soft); } dd { margin: 0; }
"""


ACCENT, QUIET, SECOND = "#0b6e6e", "#9aa5ad", "#d1782f"
CURVES = (ACCENT, SECOND, "#5b6abf", "#a2487a")
"""Of curves side by side, one an objective at most."""
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
