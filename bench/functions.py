# SPDX-License-Identifier: MIT
"""The engine's SQL functions of two checkouts, by turns on one server: what a task costs in create_task(s) and settle_step(s), without services around it.

Model: each checkout has a process (this file as a program) that migrates a database of its own and calls its functions through its own tests/db/engine.py, so signatures may
differ. They work in turns of a fraction of a second, so that whatever slows the machine slows both.
"""
import json
import subprocess
import sys
import time

CHAIN = {"one": [], "two": ["one"], "three": ["two"], "four": ["three"]}
TURNS = {"one at a time": (1, 40), "batches of 32": (32, 3)}  # tasks in a call, calls in a turn
FIGURES = {f"{what}, {how}": f"µs, {what}, {how}" for how in TURNS for what in ("a task created", "a step settled")}


class Side:
    """A checkout's process."""

    def __init__(self, checkout, url):
        self.process = subprocess.Popen([sys.executable, __file__, checkout, url], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, what):
        self.process.stdin.write(what + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            sys.exit("scripts/compare: the functions of one side have failed (above)")
        return json.loads(line)

    def stop(self):
        self.process.stdin.close()
        self.process.wait()


def pairs(checkouts, n):
    """n pairs of figures (FIGURES), µs."""
    from lib import pg
    server = pg.Server("shared_buffers = 512MB\nautovacuum = off\n")
    urls = [server.url(server.database()) for _ in checkouts]
    for url in urls:
        with pg.Conn(url) as c:
            c.script("CREATE EXTENSION pgmq" if c.query("SELECT 1 FROM pg_available_extensions WHERE name = 'pgmq'") else pg.pgmq_sql())
    sides = [Side(c, url) for c, url in zip(checkouts, urls)]
    try:
        for side in sides:
            for _ in range(3):
                side.ask("turn")
            side.ask("vacuum")
            side.ask("turn")
        for i in range(n):
            found = [side.ask("turn") for side in sides[::1 if i % 2 == 0 else -1]]
            yield found[::1 if i % 2 == 0 else -1]
    finally:
        for side in sides:
            side.stop()
        server.stop()


def turn(engine, template, n, calls):
    """Seconds in creating and in settling `calls` times `n` tasks."""
    from engine import of
    create = settle = 0.0
    for _ in range(calls):
        begin = time.perf_counter()
        rows = engine.create(template, n=n, credit=10000)
        create += time.perf_counter() - begin
        while assigned := of(rows, "assign"):
            begin = time.perf_counter()
            rows = engine.settle(assigned, credit={template.namespace: 10000})
            settle += time.perf_counter() - begin
    return create / n / calls, settle / n / calls / len(CHAIN)


def serve(checkout, url):
    sys.path[:0] = [f"{checkout}/tests", f"{checkout}/tests/db"]
    from engine import Engine
    from lib import pg
    with pg.Conn(url) as c:
        for _, text in pg.migrations():
            c.script(text)
        c.query("SELECT tasker.make_history_months(2)")
    c = pg.Conn(url.replace("options=''", f"options='{pg.HOT}'"))
    engines = {n: Engine(c, n == 1) for n, _ in TURNS.values()}
    template = engines[1].register(CHAIN, name="chain")
    for line in sys.stdin:
        if line.strip() == "vacuum":
            c.script("VACUUM ANALYZE")
        found = {}
        for how, (n, calls) in TURNS.items() if line.strip() == "turn" else ():
            found[f"a task created, {how}"], found[f"a step settled, {how}"] = (1e6 * s for s in turn(engines[n], template, n, calls))
        print(json.dumps(found), flush=True)


if __name__ == "__main__":
    serve(*sys.argv[1:])
