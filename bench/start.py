# SPDX-License-Identifier: MIT
"""The system that is measured: fresh data, the examples, the measured shapes; and what is written waits for the disk."""
import os
import tempfile

from client import Wrong
from graphs import write_templates
from lib import system as lib

DURABLE = ("fsync", "synchronous_commit", "full_page_writes")


def durability(system):
    """{setting: value} of what makes a commit durable. Raises unless all of it is on: figures of commits that wait for no disk are no figures."""
    found = {name: system.value(f"SHOW {name}") for name in DURABLE}
    if set(found.values()) != {"on"}:
        raise Wrong("a commit is not durable on this server: " + ", ".join(f"{name} = {value}" for name, value in found.items()))
    return found


def start(args, large=False, **more):
    """A running system; the caller stops it. args: pg_bin, env; more: as System has it."""
    with tempfile.TemporaryDirectory() as folder:
        shapes = os.path.join(folder, "bench", "templates")
        write_templates(shapes, large=large)
        lib.HANDLERS = ",".join(os.path.join(lib.BUILD, "lib", f"libtasker_{name}.so") for name in ("examples", "bench_handlers"))
        s = lib.System(templates=(lib.EXAMPLES, shapes), options=["--pg-bin", args.pg_bin] if args.pg_bin else [],
                       env=dict(e.split("=", 1) for e in args.env), durable=True, **more)
    try:
        durability(s)
    except BaseException:
        s.stop()
        raise
    return s
