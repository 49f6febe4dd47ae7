# SPDX-License-Identifier: MIT
"""Tables of the figures, with the goals beside them."""

from statistics import median

from http_load import FREE, PINNED
from micro import ONE_CORE, STARTUPS, TWO_CORES
from report import column, number, spread

# How many times native a micro-benchmark must be.
FACTORS = {
    ("yield", ONE_CORE): 40,
    ("yield", TWO_CORES): 10,
    ("condvar", ONE_CORE): 40,
    ("condvar", TWO_CORES): 300,
    ("create_join", ONE_CORE): 50,
    ("create_join", TWO_CORES): 100,
}

# How many ms the library may add to a program's life.
ADDED = {"startup": 0.3, "startup_threaded": 5.0}

# By connections, pinned: (ratio, at least (+) or at most (-), limit).
HTTP_GOALS = {
    1: [("native", +1, 1.0)],
    64: [("epoll", +1, 0.95)],
    1000: [("epoll", +1, 0.95), ("native", +1, 1.4), ("p99", -1, 1 / 3)],
    5000: [("epoll", +1, 0.95), ("native", +1, 1.4), ("p99", -1, 1 / 3)],
}


def verdict(met):
    return "met" if met else "**missed**"


def row(cells):
    return "| " + " | ".join(cells) + " |"


def table(head, rows):
    if not rows:
        return []
    return [row(head), "|" + "---|" * len(head), *map(row, rows), ""]


def cell(values, scale=1.0):
    return number(median(values) * scale) if values else "-"


def spreads(sides, keys):
    return " / ".join(spread(sides[key]) if sides.get(key) else "-" for key in keys)


def operation_row(result):
    sides = result["sides"]
    native, weft = sides.get("native"), sides.get("weft")
    ratio = median(native) / median(weft) if native and weft else None
    goal = FACTORS.get((result["name"], result["placement"]))
    goal_text = f">= {goal} x" if goal else ""
    if goal and ratio is not None:
        goal_text += " " + verdict(ratio >= goal)
    return [
        result["name"],
        result["placement"],
        cell(native),
        cell(weft),
        f"{ratio:.1f}" if ratio is not None else "-",
        spreads(sides, ("native", "weft")),
        goal_text,
    ]


def startup_row(result):
    sides = result["sides"]
    goal = ADDED[result["name"]]
    added = "-"
    goal_text = f"<= +{goal} ms"
    if sides.get("weft"):
        difference = (median(sides["weft"]) - median(sides["native"])) / 1e6
        added = f"{difference:+.3f}"
        goal_text += " " + verdict(difference <= goal)
    return [
        result["name"],
        result["placement"],
        cell(sides["native"], 1e-6),
        cell(sides.get("weft"), 1e-6),
        added,
        spreads(sides, ("native", "weft")),
        goal_text,
    ]


def http_ratios(sides):
    """weft to native and to epoll in requests/s, and to native in p99; only what was measured."""
    ratios = {}
    if not sides.get("weft"):
        return ratios
    rate = median(column(sides["weft"], "rate"))
    for other in ("native", "epoll"):
        if sides.get(other):
            ratios[other] = rate / median(column(sides[other], "rate"))
    if sides.get("native"):
        native = median(column(sides["native"], "p99"))
        ratios["p99"] = median(column(sides["weft"], "p99")) / native
    return ratios


def http_goals(result, ratios):
    if result["placement"] != PINNED:
        return ""
    texts = []
    for name, sign, limit in HTTP_GOALS.get(result["connections"], []):
        text = f"{name} {'>=' if sign > 0 else '<='} {limit:.2f}"
        if name in ratios:
            text += " " + verdict(sign * ratios[name] >= sign * limit)
        texts.append(text)
    return ", ".join(texts)


def http_rows(result):
    ratios = http_ratios(result["sides"])
    last = list(result["sides"])[-1]
    names = ("native", "epoll", "p99")
    for side, rounds in result["sides"].items():
        rates = column(rounds, "rate")
        compared = side == ("weft" if "weft" in result["sides"] else last)
        yield [
            result["placement"],
            str(result["connections"]),
            side,
            cell(rates),
            cell(column(rounds, "p50")),
            cell(column(rounds, "p99")),
            f'{cell(column(rounds, "cpu"))} ({median(column(rounds, "busy")):.0f} %)',
            str(max(column(rounds, "threads"))),
            cell(column(rounds, "memory")),
            spread(rates),
            str(sum(column(rounds, "timeouts"))),
            *(f"{ratios[name]:.2f}" if compared and name in ratios else "" for name in names),
            http_goals(result, ratios) if compared else "",
        ]


def markdown(machine, rounds, results, failures):
    """The whole report; `results` is what the runner collected."""
    https = [result for result in results if "connections" in result]
    startups = [result for result in results if result["name"] in STARTUPS]
    operations = [result for result in results if result not in https and result not in startups]
    lines = [
        f"{machine['cpu']}, {machine['cpus']} CPUs, Linux {machine['kernel']}, {machine['libc']}; medians of "
        f"{rounds} alternating rounds; spread is (max - min) / median.",
        "",
    ]
    lines += table(
        ["ns per operation", "placement", "native", "weft", "native/weft", "spread native / weft", "goal"],
        [operation_row(result) for result in operations],
    )
    lines += table(
        ["ms of a life", "placement", "native", "weft", "added", "spread native / weft", "goal"],
        [startup_row(result) for result in startups],
    )
    lines += table(
        ["HTTP", "connections", "server", "requests/s", "p50 ms", "p99 ms", "CPU us/request (busy)"]
        + ["peak threads", "peak MiB", "spread", "timeouts", "weft/native", "weft/epoll", "p99 weft/native", "goal"],
        [cells for result in https for cells in http_rows(result)],
    )
    # The kernel counts for the whole machine; ours can only be where connections exceed the backlog.
    crowded = [result for result in https if result["connections"] > machine["somaxconn"]]
    dropped = sum(sum(column(side, "overflows")) for result in crowded for side in result["sides"].values())
    if dropped:
        lines.append(
            f"Backlogs overflowed {dropped} times (net.core.somaxconn is {machine['somaxconn']}): these "
            "connections began a second or more late."
        )
    if https:
        lines.append(
            "busy is the server's share of one core. Where epoll is far below 100 %, wrk was the limit: "
            "compare CPU per request there."
        )
    if any(result["placement"] == FREE for result in https):
        lines.append(f"'{FREE}': epoll runs two loops; wrk's one thread shares the cores with the server.")
    lines += [f"FAILED {failure}" for failure in failures]
    return "\n".join(lines)
