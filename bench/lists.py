# SPDX-License-Identifier: MIT
"""Lists over many tasks: what a page by cursor takes for each filter, asked as a client asks, over tasks that only the list can see.

Model: tasks without steps, written by SQL, one every SPACING_S, the newest now. What a list finds hard is what was in use long ago, and filters of which each lets many tasks through and
both together none; so a template, a namespace and a tag occur in the older half only, and one namespace in the oldest tenth. Every page is compared with the filter it was asked for.
"""
import datetime
import http.client
import json
import sys
import time
import urllib.parse

from client import Wrong
from old import Fill
from stats import quantiles

SPACING_S, SLICE, ROUNDS = 6, 100000, 21
# Registered templates, each with a namespace of its own: most tasks, one in ten, a fifth of the older half, a thousandth of the oldest tenth, one in a thousand.
TEMPLATES = "SELECT DISTINCT ON (ns.name) nt.named_task_uuid AS id, nt.name, ns.name AS namespace FROM tasker.named_tasks nt JOIN tasker.namespaces ns USING (namespace_uuid) ORDER BY ns.name, nt.name LIMIT 5"
FILL = """
INSERT INTO tasker.tasks (task_uuid, named_task_uuid, template_digest, namespace, state, total_steps, open_steps, correlation_id, initiator, source_system, tags, context, identity_hash,
                          requested_at, created_at)
SELECT overlay(overlay(tasker._uuid_at(x.at)::text PLACING '7' FROM 15 FOR 1) PLACING '8' || substr(md5(n::text), 1, 3) || '-' || substr(md5(n::text), 4, 12) FROM 20)::uuid,
       w.ids[x.kind], '', w.namespaces[x.kind], (CASE WHEN n % 5000 = 9 THEN 'blocked_by_failures' WHEN n % 5000 = 10 THEN 'cancelled' WHEN n > $3 / 2 AND n % 50 = 4 THEN 'error' ELSE 'complete' END)::tasker.task_state,
       1, 0, overlay(tasker._uuid_at(x.at)::text PLACING '7fff-8' || substr(md5(n::text), 1, 3) || '-' || substr(md5(n::text), 16, 12) FROM 15)::uuid, CASE WHEN n % 100000 = 5 THEN 'kim' ELSE 'mill' END, 'bench',
       (CASE WHEN n % 4000 = 11 THEN '["odd"]' WHEN n > $3 / 2 AND n % 10 = 5 THEN '["gone"]' WHEN n % 2 = 0 THEN '["usual"]' ELSE '[]' END)::jsonb,
       jsonb_build_object('customer', n % 1000), sha256(n::text::bytea), x.at, x.at
  FROM generate_series($1::int, $2::int) n,
       LATERAL (SELECT $4::timestamptz - n * make_interval(secs => $5) AS at,
                       CASE WHEN n > $3 / 2 AND n % 5 = 1 THEN 3 WHEN n % 10 = 3 THEN 2 WHEN n > $3 * 0.9 AND n % 1000 = 2 THEN 4 WHEN n % 1000 = 7 THEN 5 ELSE 1 END AS kind) x,
       (SELECT $6::uuid[] AS ids, $7::text[] AS namespaces) w
"""
FOLLOW = ("INSERT INTO tasker.task_tags SELECT x, task_uuid FROM tasker.tasks, jsonb_array_elements_text(tags) x WHERE tags <> '[]'",
          "INSERT INTO tasker.open_tasks (task_uuid, namespace, created_at) SELECT task_uuid, namespace, created_at FROM tasker.tasks WHERE state = 'blocked_by_failures'",
          "INSERT INTO tasker.ended_otherwise (task_uuid, namespace, state) SELECT task_uuid, namespace, state FROM tasker.tasks WHERE state IN ('cancelled', 'error')")
moment = datetime.datetime.fromisoformat
MATCHES = {"namespace": lambda t, v: t["namespace"] == v, "name": lambda t, v: t["name"] == v, "tag": lambda t, v: v in t["tags"], "status": lambda t, v: t["status"] == v,
           "created_after": lambda t, v: moment(t["created_at"]) >= moment(v), "created_before": lambda t, v: moment(t["created_at"]) < moment(v), "correlation_id": lambda t, v: t["correlation_id"] == v,
           "initiator": lambda t, v: t["initiator"] == v, "context_path": lambda t, v: v == "$.customer" and "customer" in t["context"], "cursor": lambda t, v: not v or t["task_uuid"] < v}


def write(s, n):
    """Templates as they were chosen; how long it took, how large it is."""
    began, now, kinds = time.monotonic(), s.value("SELECT now()::text"), s.sql(TEMPLATES)
    Fill.settings(s, ("wal_level = minimal", "max_wal_senders = 0", "autovacuum = off"))
    with s.conn() as c:
        for setting in ("jit = off", "maintenance_work_mem = '1GB'"):
            c.query(f"SET {setting}")
        c.query("BEGIN")
        again = Fill.bare(c, "tasks")
        for at in range(1, n + 1, SLICE):
            c.query(FILL, at, min(n, at + SLICE - 1), n, now, SPACING_S, [k.id for k in kinds], [k.namespace for k in kinds])
            if sys.stderr.isatty() or at % (SLICE * 20) == 1:
                print(f"{at - 1:,} of {n:,} tasks, {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
        for text in (*again, *FOLLOW):
            c.query(text)
        c.query("COMMIT")
        for table in ("tasks", "task_tags", "open_tasks", "ended_otherwise"):
            c.query(f"VACUUM (ANALYZE) tasker.{table}")
    Fill.settings(s, ())
    s.sql("CHECKPOINT")
    size = s.sql("SELECT pg_table_size('tasker.tasks') AS heap, pg_indexes_size('tasker.tasks') AS indexes")[0]
    return kinds, {"mode": "lists", "variant": "written", "tasks": n, "heap_bytes": size.heap, "index_bytes": size.indexes, "written_in_s": round(time.monotonic() - began)}


def questions(s, kinds, n):
    usual, tenth, gone, oldest, rare = kinds
    ago = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(seconds=SPACING_S * n * 0.7)
    ago, later = (t.isoformat() for t in (ago, ago + datetime.timedelta(hours=1)))
    far = s.value("SELECT task_uuid FROM tasker.tasks ORDER BY task_uuid OFFSET $1 LIMIT 1", n // 100)
    correlation = s.value("SELECT correlation_id FROM tasker.tasks WHERE task_uuid = $1", far)
    return (("all", {}), ("all, near the oldest", {"cursor": far}), ("namespace of most", {"namespace": usual.namespace}), ("namespace of the oldest tenth", {"namespace": oldest.namespace}),
            ("template of the older half", {"name": gone.name}), ("template of one in a thousand", {"name": rare.name}), ("tag of half", {"tag": "usual"}), ("tag of one in 4,000", {"tag": "odd"}),
            ("tag of the older half", {"tag": "gone"}), ("complete", {"status": "complete"}), ("in error, older half", {"status": "error"}), ("cancelled", {"status": "cancelled"}),
            ("blocked", {"status": "blocked_by_failures"}), ("before a time", {"created_before": ago}), ("an hour", {"created_after": ago, "created_before": later}),
            ("an hour of a namespace", {"namespace": usual.namespace, "created_after": ago, "created_before": later}), ("correlation id", {"correlation_id": correlation}),
            ("namespace, in error", {"namespace": usual.namespace, "status": "error"}), ("template and tag of the older half", {"name": usual.name, "tag": "gone"}),
            ("tag of the older half, before a time", {"tag": "gone", "created_before": ago}), ("JSON path that all have", {"context_path": "$.customer"}),
            ("JSON path that none has", {"context_path": "$.nothing"}), ("initiator of none", {"initiator": "nobody"}),
            ("namespace and tag, together none", {"namespace": tenth.namespace, "tag": "gone"}), ("template and tag of the older half, together none", {"name": gone.name, "tag": "gone"}))


def ask(conn, filters):
    """Milliseconds, and the page."""
    target = "/v1/tasks?" + urllib.parse.urlencode({"per_page": 25, "cursor": "", **filters})
    begin = time.perf_counter()
    conn.request("GET", target)
    reply = conn.getresponse()
    body = reply.read()
    took = (time.perf_counter() - begin) * 1000
    page = json.loads(body)
    if reply.status != 200 or any(not MATCHES[k](t, v) for t in page["tasks"] for k, v in filters.items()):
        raise Wrong(f"GET {target}: {reply.status}, and not every task is one that was asked for")
    return took, page


def lists(s, n):
    kinds, line = write(s, n)
    yield line
    conn = http.client.HTTPConnection(urllib.parse.urlsplit(s.rest).netloc, timeout=60)
    for variant, filters in questions(s, kinds, n):
        first, page = ask(conn, filters)
        yield {"mode": "lists", "variant": variant, "filters": filters, "first_ms": round(first, 2), "ms": quantiles([ask(conn, filters)[0] for _ in range(ROUNDS)]),
               "tasks": len(page["tasks"]), "more": page["pagination"]["has_next"]}
    conn.close()
