# SPDX-License-Identifier: MIT
"""What a comparison says: the table for the terminal, and a page with plots."""

import html
import os
import shutil
from statistics import median

import machine

# key, title, whether more is better (None: neither).
FIGURES = [
    ("rate", "requests/s", True),
    ("p50", "latency p50, ms", False),
    ("p90", "latency p90, ms", False),
    ("p99", "latency p99, ms", False),
    ("p999", "latency p99.9, ms", False),
    ("cpu", "CPU a request, us", False),
    ("busy", "CPU, % of a core", None),
    ("switches", "context switches a request", False),
    ("threads", "kernel threads at peak", False),
    ("memory", "memory at peak, MiB", False),
    ("errors", "errors (all rounds)", False),
]
PLOTS = [("rate", False), ("p50", True), ("p99", True), ("cpu", False), ("threads", True), ("memory", True)]
COLOURS = ["#7a8b99", "#d9622b", "#3b7dd8"]


def number(value):
    """Three digits or more, no more decimals than that needs."""
    return f"{value:,.0f}" if value >= 100 or value == int(value) else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def spread(values):
    """The distance of the extremes in per cent of the median."""
    middle = median(values)
    return f"{(max(values) - min(values)) / middle * 100:.0f} %" if middle else "-"


def column(rounds, key):
    return [figures[key] for figures in rounds if figures.get(key) is not None]


def middle(rounds, key):
    """The median of a figure; of errors the sum, since a median would hide those of one round. None: not measured."""
    values = column(rounds, key)
    if not values:
        return None
    return sum(values) if key == "errors" else median(values)


def ratio(sides, key):
    """weft / native; None where that says nothing."""
    native, weft = (middle(sides.get(side, []), key) for side in ("native", "weft"))
    return weft / native if native and weft else None


def verdict(sides, key, more_is_better):
    value = ratio(sides, key)
    if value is None or more_is_better is None:
        return ""
    if f"{value:.2f}" == "1.00":
        return "1.00  same"
    return f"{value:.2f}  " + ("better" if (value > 1) == more_is_better else "worse")


def rows(result):
    """Title, a cell for each side, and the ratio, of every figure that was measured."""
    sides = result["sides"]
    for key, title, more_is_better in FIGURES:
        if not any(column(rounds, key) for rounds in sides.values()):
            continue
        cells = []
        for rounds in sides.values():
            value = middle(rounds, key)
            around = "" if key == "errors" or len(rounds) < 2 or not value else f" ({spread(column(rounds, key))})"
            cells.append("-" if value is None else number(value) + around)
        yield title, cells, verdict(sides, key, more_is_better)


def inactive(results):
    return any(not figures["active"] for result in results for figures in result["sides"].get("weft", []))


NOT_ACTIVE = "weft was not active in the server: it made no threads, or 'weft run --trace thread' says why"


def text(results):
    lines = []
    for result in results:
        sides = result["sides"]
        table = [(f"{result['connections']} connections", list(sides), "weft/native"), *rows(result)]
        first = max(len(row[0]) for row in table)
        widths = [max(len(row[1][i]) for row in table) for i in range(len(sides))]
        for title, cells, last in table:
            aligned = "  ".join(f"{cell:>{width}}" for cell, width in zip(cells, widths))
            lines.append(f"{title:{first}}  {aligned}  {last}".rstrip())
        lines.append("")
    if inactive(results):
        lines += [f"Note: {NOT_ACTIVE}.", ""]
    return "\n".join(lines)


def plot_script(results, key, title, logarithmic, file):
    """Bars for the medians, whiskers to the extremes, one group for each number of connections."""
    sides = list(results[0]["sides"])
    lines = [
        "set terminal svg size 460,300 font 'sans-serif,12' background '#ffffff'",
        f"set output '{file}'",
        f"set title '{title}' noenhanced",
        "set style data histograms",
        "set style histogram errorbars gap 1 lw 1",
        "set style fill solid 0.9 noborder",
        "set errorbars 0.6 front lc rgb '#222222'",
        "set key outside bottom center horizontal",
        "set grid ytics back lc rgb '#dddddd'",
        "set xlabel 'connections'",
        "set border 3",
        "set tics nomirror",
        "set yrange [0:*]" if not logarithmic else "set logscale y\nset yrange [*:*]",
        "$data << END",
    ]
    for result in results:
        cells = [str(result["connections"])]
        for side in sides:
            values = column(result["sides"][side], key) or [float("nan")]
            # A bar of a logarithmic plot cannot begin at zero.
            least = 1e-3 if logarithmic else 0
            cells += [f"{max(value, least):.6g}" for value in (median(values), min(values), max(values))]
        lines.append(" ".join(cells))
    lines.append("END")
    bars = [f"$data using {3 * i + 2}:{3 * i + 3}:{3 * i + 4}:xtic(1) title '{side}' lc rgb '{COLOURS[i]}'"
            for i, side in enumerate(sides)]
    lines.append("plot " + ", ".join(bars))
    return "\n".join(lines) + "\n"


def draw(results, directory):
    """Writes the plots; their file names. None of them without gnuplot."""
    if not shutil.which("gnuplot"):
        return []
    titles = {key: title for key, title, _ in FIGURES}
    names = []
    for key, logarithmic in PLOTS:
        if not all(column(rounds, key) for result in results for rounds in result["sides"].values()):
            continue
        script = os.path.join(directory, f"{key}.gnuplot")
        with open(script, "w", encoding="utf-8") as file:
            file.write(plot_script(results, key, titles[key], logarithmic, f"{key}.svg"))
        machine.output_of(["gnuplot", f"{key}.gnuplot"], cwd=directory)
        names.append(f"{key}.svg")
    return names


PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title><style>
body {{ font: 15px/1.45 sans-serif; margin: 2em auto; max-width: 62em; padding: 0 1em; color: #222 }}
table {{ border-collapse: collapse; margin: 1em 0 }} caption {{ text-align: left; font-weight: bold; padding: .3em 0 }}
th, td {{ border-bottom: 1px solid #ddd; padding: .2em .8em; text-align: right }}
th:first-child, td:first-child {{ text-align: left }} img {{ margin: .3em }} code {{ background: #f3f3f3 }}
.better {{ color: #17702f }} .worse {{ color: #b3261e }}
</style></head><body><h1>{title}</h1>
<p>{about}</p>
{body}
</body></html>
"""


def page(title, about, results, plots):
    escape = html.escape
    body = [f'<img src="{escape(name)}" alt="{escape(name)}">' for name in plots]
    for result in results:
        head = "".join(f"<th>{escape(side)}</th>" for side in result["sides"])
        body.append(f"<table><caption>{escape(str(result['connections']))} connections</caption>"
                    f"<tr><th></th>{head}<th>weft/native</th></tr>")
        for name, cells, last in rows(result):
            colour = last.rpartition(" ")[2]
            body.append(f"<tr><td>{escape(name)}</td>" + "".join(f"<td>{escape(cell)}</td>" for cell in cells)
                        + f'<td class="{colour}">{escape(last)}</td></tr>')
        body.append("</table>")
    if inactive(results):
        body.append(f"<p>Note: {escape(NOT_ACTIVE)}.</p>")
    return PAGE.format(title=escape(title), about="<br>".join(map(escape, about)), body="\n".join(body))
