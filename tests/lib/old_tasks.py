# SPDX-License-Identifier: MIT
"""Tasks of another year in a running system, for tests of retention: run by the SQL functions, so no worker sees them."""
import datetime
import os
import sys

from lib.pg import ROOT

sys.path.append(os.path.join(ROOT, "tests", "db"))
from engine import new_uuid, of  # noqa: E402

OLD = datetime.datetime(2024, 3, 15, tzinfo=datetime.timezone.utc)


def history(engine, template, at, n, end=True):
    """Tasks created then, and ended; with end=False the last one is left open."""
    rows = engine.create(template, n=n, credit=n, task=[new_uuid(at.timestamp() + i) for i in range(n)])
    tasks, out = [r.task_uuid for r in of(rows, "created")], of(rows, "assign")
    while out:
        out = of(engine.settle([a for a in out if end or a.task_uuid != tasks[-1]]), "assign")
    return tasks
