# SPDX-License-Identifier: MIT
"""The cost of the small parts: processes of their own (tasker-micro), the levels of the cache, each SQL function."""
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

from lib.system import EXAMPLES, ROOT, eventually

sys.path.append(os.path.join(ROOT, "tests", "db"))
from engine import Engine, new_uuid, of  # noqa: E402

CHAINS = (4, 100, 1000)
EVENT = {"event_name": "s0.over", "payload": {"payload": {"text": "x" * 900}}, "metadata": {}}
ROUNDS = 60


def micro_lines(*argv):
    done = subprocess.run(argv, capture_output=True, text=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith('{"mode"')]


def processes(binary):
    with tempfile.TemporaryDirectory() as folder:
        with open(os.path.join(EXAMPLES, "linear.yaml"), encoding="utf-8") as f, open(os.path.join(folder, "linear.yaml"), "w", encoding="utf-8") as to:
            to.write(f.read())
        yield from micro_lines(binary, folder)


def cache_levels(system, binary):
    """One template from memory; all of them from Redis, because memory holds too few; a name from PostgreSQL after it was invalidated."""
    cache = system.process("cache")
    digests = system.sql("SELECT digest FROM tasker.templates ORDER BY step_count DESC LIMIT 40")
    yield from micro_lines(binary, "cache", cache["grpc"], digests[-1].digest, "cache, in memory")
    yield from micro_lines(binary, "cache-forget", cache["grpc"], "rust_e2e_linear/mathematical_sequence/1.0.0", "cache, name from PostgreSQL")
    system.kill("cache")
    system.respawn("cache", env={"TASKER_CACHE_MEMORY_MAX": "65536"})
    eventually(lambda: system.ready("cache"), what="the cache is ready")
    for _ in range(2):  # the first round fills Redis
        lines = micro_lines(binary, "cache", cache["grpc"], ",".join(r.digest for r in digests), "cache, from Redis")
    yield from lines


def timed(call, rounds=ROUNDS):
    """Median and least of `rounds` calls, in µs; `call` may return a function that makes the next call possible."""
    took = []
    for i in range(rounds):
        begin = time.perf_counter_ns()
        call(i)
        took.append((time.perf_counter_ns() - begin) / 1000)
    return {"us": round(statistics.median(took), 1), "us_min": round(min(took), 1), "n": rounds}


AUDIT = ("INSERT INTO tasker.workflow_step_transitions (workflow_step_uuid, task_uuid, from_state, to_state, attempt, at, actor) "
         "SELECT gen_random_uuid(), gen_random_uuid(), 'in_progress', 'complete', 1, now(), 'bench' FROM generate_series(1, $1::int)")
READ = "SELECT count(*) FROM (SELECT * FROM tasker.{} OFFSET 0) x"  # all it returns is computed, and stays in the server
RESULT = ("INSERT INTO tasker.step_results (workflow_step_uuid, attempt, task_uuid, success, execution_time_ms, worker_id, result, recorded_at, stages) "
          "SELECT gen_random_uuid(), 1, gen_random_uuid(), true, 1, 'bench', json_build_object('success', true, 'result', repeat('x', 450)), now(), '{1,2,3,4,5}' "
          "FROM generate_series(1, $1::int)")


def written(c):
    """What history costs: rows of the audit and of results, alone and 64 at once, undone again (so without the commit); and a notification of its own."""
    for name, statement in (("audit row (step transition)", AUDIT), ("result row, 500 B", RESULT)):
        for n in (1, 64):
            c.query("BEGIN")
            line = timed(lambda _, n=n, s=statement: c.query(s, n))
            c.query("ROLLBACK")
            yield {"mode": "sql", "name": f"{name}, {n} in one statement", **line}
    c.query("BEGIN")
    yield {"mode": "sql", "name": "pg_notify inside a transaction", **timed(lambda _: c.query("SELECT pg_notify('bench', 'x')"))}
    c.query("ROLLBACK")
    yield {"mode": "sql", "name": "pg_notify, a transaction of its own", **timed(lambda _: c.query("SELECT pg_notify('bench', 'x')"))}


def functions(system):
    """Each call is a transaction on a connection of its own, as an orchestrator has one; `round trip` is what the connection itself costs here."""
    with system.conn(hot=True) as c:
        e = Engine(c)
        yield {"mode": "sql", "name": "round trip (SELECT 1)", **timed(lambda _: c.query("SELECT 1"))}
        for n in CHAINS:
            steps = {f"s{i}": [f"s{i - 1}"] if i else [] for i in range(n)}
            template = e.register(steps, name=f"micro_{n}_{os.getpid()}", namespace="micro")
            at = f"chain of {n}"
            yield {"mode": "sql", "name": f"create_tasks, {at}", **timed(lambda _: e.create(template), 20)}
            rows = e.create(template, credit=10)
            task, held = of(rows, "created")[0].task_uuid, of(rows, "assign")
            if n == CHAINS[0]:
                tasks = [of(e.create(template, credit=10), "assign") for _ in range(ROUNDS)]
                yield {"mode": "sql", "name": f"settle_steps, {at}", **timed(lambda i: e.settle(tasks[i], credit={"micro": 10}))}
                telling = e.register(steps, name=f"micro_events_{os.getpid()}", namespace="micro", events={"s0": [{"name": "s0.over", "condition": "always"}]})
                told = [of(e.create(telling, credit=10), "assign") for _ in range(ROUNDS)]
                yield {"mode": "sql", "name": f"settle_publishing one durable event of 1 kB, {at}",
                       **timed(lambda i: e.publish(told[i], [(1, "always", EVENT)], credit={"micro": 10}))}
            else:
                def settle(_):
                    nonlocal held
                    held = of(e.settle(held, credit={"micro": 10}), "assign")
                yield {"mode": "sql", "name": f"settle_steps, {at}", **timed(settle)}
            for name in ("get_step_readiness_status", "get_task_execution_context"):
                yield {"mode": "sql", "name": f"{name}, {at}", **timed(lambda _, f=name: c.query(READ.format(f"{f}($1)"), task))}
        e.settle(tasks[0], credit={"micro": 0})
        yield {"mode": "sql", "name": "claim_steps, nothing to claim", **timed(lambda _: e.claim(namespaces=("micro",), n=0))}
        yield {"mode": "sql", "name": "get_next_ready_tasks(10)", **timed(lambda _: c.query(READ.format("get_next_ready_tasks(10)")))}
        yield {"mode": "sql", "name": "transition_task_state_atomic, refused", **timed(lambda _: c.query(
            "SELECT tasker.transition_task_state_atomic($1, 'pending', 'initializing', $2)", task, new_uuid()))}
        c.query("SELECT pgmq.create('bench_queue')")
        yield {"mode": "sql", "name": "pgmq_send_with_notify", **timed(lambda _: c.query("SELECT tasker.pgmq_send_with_notify('bench_queue', '{}'::jsonb, 0)"))}
        yield {"mode": "sql", "name": "pgmq.send", **timed(lambda _: c.query("SELECT pgmq.send('bench_queue', '{}'::jsonb)"))}
        c.query("SELECT pgmq.drop_queue('bench_queue')")
        yield from written(c)
        c.query("SELECT tasker.cancel_task(task_uuid, 'bench', 'measured', gen_random_uuid()) FROM tasker.open_tasks WHERE namespace = 'micro'")
