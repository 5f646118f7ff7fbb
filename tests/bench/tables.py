"""The figures of a comparison as tables."""

import os
import platform
import re
import statistics

import workloads

MISSING = "-"


def number(value):
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 1 else f"{value:.2f}"


def spread(figures, scale=1.0):
    """The median, and the range where there was more than one run."""
    if figures is None:
        return MISSING
    median, least, most = (value * scale for value in figures)
    return number(median) if least == most else f"{number(median)} ({number(least)} to {number(most)})"


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])


def cpu(run):
    return run["server_cpu_ns_per_delivery"]


def rate(run):
    return run["delivered_per_s"]


def quantile(name):
    return lambda run: run["latency_us"][name]


def limit_of(book, load):
    runs = book.limits.get((load.table, load.row), [])
    return statistics.median(run["cpu_ns"] for run in runs) if runs else None


def best_other(book, servers, load, get):
    values = [book.figures(load, peer.name, get) for peer in servers[1:]]
    return min((value[0] for value in values if value), default=None)


def ratio(book, load, name, get, other):
    ours = book.figures(load, name, get)
    return MISSING if ours is None or not other else f"{ours[0] / other:.2f}"


def target(load, what):
    value = workloads.TARGETS.get(load.row, {}).get(what)
    return MISSING if value is None else str(value)


def of_kind(loads, kind):
    return [load for load in loads if load.table == kind]


def saturated(book, servers, loads):
    head = ["", "limit", *(peer.name for peer in servers), "ours / limit", "ours / best other",
            "target"]
    rows = []
    for load in of_kind(loads, "saturated"):
        limit = limit_of(book, load)
        rows.append([load.row, number(limit) if limit else MISSING,
                     *(spread(book.figures(load, peer.name, cpu)) for peer in servers),
                     ratio(book, load, servers[0].name, cpu, limit),
                     ratio(book, load, servers[0].name, cpu,
                           best_other(book, servers, load, cpu)), target(load, "cpu")])
    per_s = [[load.row, *(spread(book.figures(load, peer.name, rate), 1e-3) for peer in servers)]
             for load in of_kind(loads, "saturated")]
    return ("CPU nanoseconds of the server for each delivery:\n\n" + table(head, rows) +
            "\n\nThousand deliveries a second:\n\n" +
            table(["", *(peer.name for peer in servers)], per_s))


def paced(book, servers, loads):
    names = [peer.name for peer in servers]
    parts = []
    for title, get, what in (
            ("CPU microseconds of the server for each delivery", cpu, "cpu"),
            ("Latency from the intended time of sending, p50, ms", quantile("p50"), "p50"),
            ("The same, p99, ms", quantile("p99"), "p99")):
        rows = [[load.row, *(spread(book.figures(load, name, get), 1e-3) for name in names),
                 ratio(book, load, names[0], get, best_other(book, servers, load, get)),
                 target(load, what)]
                for load in of_kind(loads, "paced")]
        parts.append(f"{title}:\n\n" + table(["", *names, "ours / best other", "target"], rows))
    return "\n\n".join(parts)


def idle(book, servers, loads):
    rows = []
    for load in of_kind(loads, "idle"):
        for title, get, scale, what in (
                ("resident bytes of each", lambda run: run["server_rss_bytes_per_client"], 1,
                 "bytes"),
                ("connect + log in + join, a second",
                 lambda run: run["connected"] / run["connect_seconds"], 1, "connects"),
                ("server CPU for each, us",
                 lambda run: run["server_connect_cpu_ns"] / run["connected"], 1e-3, "cpu")):
            rows.append([f"{load.row}: {title}",
                         *(spread(book.figures(load, peer.name, get), scale) for peer in servers),
                         workloads.IDLE_TARGETS[what]])
    return table(["", *(peer.name for peer in servers), "target"], rows)


def ways(book, servers, loads):
    rows = []
    for load in loads:
        if load.table == "idle":
            rows.append([f"{load.row}: bytes of each",
                         *(spread(book.figures(load, peer.name,
                                               lambda run: run["server_rss_bytes_per_client"]))
                           for peer in servers)])
            continue
        rows.append([f"{load.row}: CPU ns",
                     *(spread(book.figures(load, peer.name, cpu)) for peer in servers)])
        rows.append([f"{load.row}: p99 ms",
                     *(spread(book.figures(load, peer.name, quantile("p99")), 1e-3)
                       for peer in servers)])
    return table(["", *(peer.name for peer in servers)], rows)


def extra(book, name, loads):
    rows = [[load.row, spread(book.figures(load, name, cpu)),
             spread(book.figures(load, name, rate), 1e-3),
             spread(book.figures(load, name, quantile("p50")), 1e-3),
             spread(book.figures(load, name, quantile("p99")), 1e-3),
             spread(book.figures(load, name, lambda run: run["lost"]))] for load in loads]
    return table(["", "CPU ns a delivery", "thousand deliveries/s", "p50 ms", "p99 ms", "lost"], rows)


def machine():
    with open("/proc/cpuinfo", encoding="utf-8") as f:
        found = re.search(r"model name\s*: (.*)", f.read())
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") >> 30
    return (f"{len(os.sched_getaffinity(0))} cores of {found.group(1) if found else platform.machine()}, "
            f"{memory} GiB, Linux {platform.release()}")


def all_of(book, servers, loads, by_way, own, more, rounds):
    """All tables, with a line on what they were measured with."""
    versions = ", ".join(f"{peer.name} {peer.version()}" for peer in servers)
    parts = [f"Measured on {machine()}; {versions}. Medians"
             f"{f' and ranges of {rounds} rounds, the servers in turn' if rounds > 1 else ' of one run'}.",
             "## As fast as can be\n\n" + saturated(book, servers, loads),
             "## At a fixed rate\n\n" + paced(book, servers, loads),
             "## Connecting, and idle\n\n" + idle(book, servers, loads),
             "## Keeping what is said, and TLS\n\n" + ways(book, by_way, own)]
    if more:
        parts.append("## Ten thousand, and slow readers\n\n" + extra(book, servers[0].name, more))
    if book.troubles:
        parts.append("## What went wrong\n\n" + "\n".join(f"- {text}" for text in book.troubles))
    return "\n\n".join(parts) + "\n"
