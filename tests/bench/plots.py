"""The figures of a comparison as pictures, by gnuplot. A log scale, for the servers lie far apart."""

import shutil
import subprocess

import tables
import workloads

# Ours first, and so that it stands out.
COLOURS = ("#d95f02", "#4c72b0", "#8da0cb", "#66a899", "#b3c2d1", "#cccccc")
LIMIT_COLOUR = "#333333"

SCRIPT = """
set terminal svg size 1000,420 font "sans-serif,12" background "#ffffff"
set title "{title}"
set style data histogram
set style histogram clustered gap 1
set style fill solid 0.85 border -1
set boxwidth 0.9
set logscale y
set yrange [{low}:*]
set grid ytics lt 1 lc rgb "#dddddd"
set ylabel "{unit}"
set xtics nomirror
set ytics nomirror
set border 3
set bmargin 4
set key outside top center horizontal
$figures << END
{rows}
END
plot {series}
"""


def cell(value):
    return "?" if value is None else f"{value:.6g}"


def bars(title, unit, columns, rows):
    """Clusters of bars: `columns` are (name, colour), `rows` are (name, values of each column). A column
    without a colour is a line across its cluster."""
    least = min((v for _, values in rows for v in values if v is not None), default=1)
    lines = [f'"{name}" ' + " ".join(map(cell, values)) for name, values in rows]
    series = []
    for i, (name, colour) in enumerate(columns):
        labels = ":xtic(1)" if i == 0 else ""
        what = f'$figures using {i + 2}{labels} lc rgb "{colour}"' if colour else \
            f'$figures using 0:{i + 2}:(0.42) with xerrorbars pt 0 lw 2 lc rgb "#000000"'
        series.append(f'{what} title "{name}"')
    script = SCRIPT.format(title=title, unit=unit, low=f"{least / 2:.3g}", rows="\n".join(lines),
                           series=", \\\n".join(series))
    return subprocess.run(["gnuplot", "-e", 'set datafile missing "?"', "-"], input=script,
                          capture_output=True, text=True, check=True).stdout


def picture(book, servers, loads, kind, get, scale, title, unit, what, limit=False):
    rows = []
    for load in tables.of_kind(loads, kind):
        figures = [book.figures(load, peer.name, get) for peer in servers]
        values = [f[0] * scale if f else None for f in figures]
        values.append(workloads.TARGETS.get(load.row, {}).get(what))
        if limit:
            values.insert(0, tables.limit_of(book, load))
        rows.append((load.row.replace(", ", "\\n"), values))
    columns = [("limit", LIMIT_COLOUR)] * limit
    columns += [(peer.name, colour) for peer, colour in zip(servers, COLOURS)]
    return bars(title, unit, [*columns, ("target of ours", None)], rows)


def all_of(book, servers, loads):
    """(name, caption, SVG) of each; nothing where there is no gnuplot."""
    if not shutil.which("gnuplot"):
        return []
    made = []
    for name, kind, get, scale, title, unit, what, limit in (
            ("saturated", "saturated", tables.cpu, 1, "CPU of the server for each delivery, saturated",
             "nanoseconds", "cpu", True),
            ("paced", "paced", tables.quantile("p99"), 1e-3,
             "Latency at a fixed rate, 99 of 100 are faster", "milliseconds", "p99", False)):
        made.append((name, title, picture(book, servers, loads, kind, get, scale, title, unit, what,
                                          limit)))
    return made
