"""The preload shims of tests/faults, which make a program's calls fail or write them down."""

import os

from .wait import BUILD


def shim(name, **settings):
    """Environment for a Program that has the shim; settings become LANCHAT_<NAME>."""
    path = os.path.join(BUILD, "tests", "faults", name + ".so")
    if not os.access(path, os.R_OK):
        raise AssertionError(f"there is no {path}: `make faults` first")
    return {"LD_PRELOAD": path, **{f"LANCHAT_{k.upper()}": str(v) for k, v in settings.items()}}
