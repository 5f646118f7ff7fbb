#!/usr/bin/env python3
"""Is a report what it has to be? report_check.py FILE: prints what is wrong; the status is 1 if anything is.

A real parser reads the page as XML, which is stricter than what a browser accepts.
"""

import re
import sys
import xml.etree.ElementTree as tree

FETCHING = re.compile(r"https?:|ftp:|data:|file:|//[a-z]|@import|url\(\s*(?!#)", re.IGNORECASE)
FORBIDDEN = {"script", "link", "img", "iframe", "object", "embed", "image", "foreignObject"}


def attributes(root):
    return [(element, name, value) for element in root.iter()
            for name, value in element.attrib.items()]


def references(root):
    """Whatever would be fetched or run: attributes, and the stylesheet without its comments."""
    for element in root.iter():
        if element.tag in FORBIDDEN:
            yield f"there is a <{element.tag}>"
    for element, name, value in attributes(root):
        if name in ("aria-label",):
            continue
        if name.startswith("on") or FETCHING.search(value) or \
                name.endswith(("src", "href")) and not value.startswith("#"):
            yield f"{name}='{value}' at <{element.tag}>"
    for style in root.iter("style"):
        if FETCHING.search(re.sub(r"/\*.*?\*/", "", style.text or "", flags=re.DOTALL)):
            yield "the stylesheet refers to something"


def ids(root):
    """Each is there once, and what is referred to is there."""
    known = [value for _, name, value in attributes(root) if name == "id"]
    for name in sorted({name for name in known if known.count(name) > 1}):
        yield f"the id {name} is there {known.count(name)} times"
    for _, name, value in attributes(root):
        for wanted in re.findall(r"url\(#([^)]*)\)", value):
            if wanted not in known:
                yield f"{name} refers to {wanted}, which is not there"


def drawings(root):
    """They scale, have their colours from the stylesheet, and say what they are."""
    for svg in root.iter("svg"):
        if "viewBox" not in svg.attrib or "width" in svg.attrib or "height" in svg.attrib:
            yield f"an <svg> that does not scale: {svg.attrib}"
        if not svg.get("aria-label") and svg.get("aria-hidden") != "true":
            yield "an <svg> that nobody can be told of"
        for element in svg.iter():
            for name in ("fill", "stroke", "color", "style", "font-family"):
                if name in element.attrib:
                    yield f"<{element.tag}> has a {name} of its own"


def structure(root):
    if [element.tag for element in root] != ["head", "body"]:
        yield "not a head and a body"
    if len(list(root.iter("h1"))) != 1:
        yield "not one title"
    for table in root.iter("table"):
        columns = len(list(table.find("thead").iter("th")))
        for row in table.find("tbody"):
            if len(row) != columns:
                yield f"a row of {len(row)} cells under {columns} columns"
    style = "".join(style.text for style in root.iter("style"))
    for element, name, value in attributes(root):
        for word in value.split() if name == "class" else []:
            if not re.search(rf"\.{re.escape(word)}\b", style) and word not in ("wide", "plot"):
                yield f"<{element.tag}> has the class {word}, which has no rule"


def main():
    try:
        root = tree.parse(sys.argv[1]).getroot()
    except tree.ParseError as wrong:
        print(f"not well-formed: {wrong}")
        return 1
    found = [wrong for check in (references, ids, drawings, structure) for wrong in check(root)]
    for wrong in found:
        print(wrong)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
