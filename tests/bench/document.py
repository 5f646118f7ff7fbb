"""The part of docs/BENCHMARKS.md that is measured: it is replaced, and what people wrote around it stays."""

import os

BEGIN = "<!-- measured: what stands from here was written by `make bench` -->"
END = "<!-- measured: to here -->"
PLOTS = "benchmarks"  # the folder beside the document


def place(text, measured):
    """`text` with its measured part replaced."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"there is no {BEGIN} with {END} behind it")
    return f"{before}{BEGIN}\n\n{measured.strip()}\n\n{END}{after}"


def replace(path, content):
    """Whole or not at all."""
    new = f"{path}.new"
    with open(new, "w", encoding="utf-8") as f:
        f.write(content)
    os.replace(new, path)


def update(path, measured, plots):
    """Tables, and `plots`: (name, caption, SVG) of each."""
    folder = os.path.join(os.path.dirname(path), PLOTS)
    os.makedirs(folder, exist_ok=True)
    pictures = []
    for name, caption, svg in plots:
        replace(os.path.join(folder, f"{name}.svg"), svg)
        pictures.append(f"![{caption}]({PLOTS}/{name}.svg)")
    with open(path, encoding="utf-8") as f:
        text = f.read()
    replace(path, place(text, "\n\n".join([measured.strip(), "## In pictures", *pictures])))
