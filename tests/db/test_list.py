# SPDX-License-Identifier: MIT
"""Task lists: every filter and both kinds of pages, and what they cost on a large table."""
import json

from engine import DbTest, Engine, of
from lib import pg

ONE = {"only": []}
LARGE = 60000
BLOCKS_MAX = 1000  # blocks a page may look at; the tasks have some thousand
KEYS = ("namespace", "status", "initiator", "source", "name", "version", "tag", "correlation", "parent", "after", "before", "path", "value")

# Tasks as create_tasks makes them, without their steps, whose ids carry their time; one a minute, the newest now. The template and the tag "gone" were in use in the older half only.
FILL = """
INSERT INTO tasker.tasks (task_uuid, named_task_uuid, template_digest, namespace, state, total_steps, open_steps, correlation_id, initiator, source_system,
                          tags, context, identity_hash, requested_at, created_at)
SELECT (substr(tasker._uuid_at(x.at)::text, 1, 14) || '7' || substr(md5(n::text), 1, 3) || '-8' || substr(md5(n::text), 4, 3) || '-' || substr(md5(n::text), 7, 12))::uuid,
       (SELECT named_task_uuid FROM tasker.named_tasks WHERE name = CASE WHEN n % 1000 = 7 THEN 'rare' WHEN n > $1 / 2 AND n % 10 = 1 THEN 'gone' ELSE 'usual' END), '', 'shop',
       CASE WHEN n % 5000 = 9 THEN 'blocked_by_failures'::tasker.task_state WHEN n % 5000 = 10 THEN 'cancelled' ELSE 'complete' END, 1, 0, gen_random_uuid(), 'mill', 'db',
       CASE WHEN n % 4000 = 11 THEN '["odd"]'::jsonb WHEN n > $1 / 2 AND n % 10 = 2 THEN '["gone", "b"]' WHEN n % 3 = 0 THEN '["usual"]' ELSE '[]' END, '{}', sha256(n::text::bytea), x.at, x.at
  FROM generate_series(1, $1::int) n, LATERAL (SELECT now() - n * interval '1 minute' AS at) x;
"""
OPEN = "INSERT INTO tasker.open_tasks (task_uuid, namespace, created_at) SELECT task_uuid, namespace, created_at FROM tasker.tasks WHERE state = 'blocked_by_failures'"
ENDED = "INSERT INTO tasker.ended_otherwise (task_uuid, namespace, state) SELECT task_uuid, namespace, state FROM tasker.tasks WHERE state = 'cancelled'"

TAGS = "INSERT INTO tasker.task_tags SELECT tag, task_uuid FROM tasker.tasks, jsonb_array_elements_text(tags) tag"


class ListTest(DbTest):
    def list(self, per_page=25, page=1, cursor=None, **filters):
        found = self.c.value("SELECT tasker.list_tasks($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)", page, per_page, cursor is not None,
                             cursor or None, *(filters.get(k) for k in KEYS))
        return found if isinstance(found, dict) else json.loads(found)

    def ids(self, **more):
        return [t["task_uuid"] for t in self.list(**more)["tasks"]]


class Filters(ListTest):
    def test_each_and_all_together(self):
        one, two, bank = self.e.register(ONE, name="flow"), self.e.register(ONE, name="flow", version="2.0.0"), self.e.register(ONE, name="flow", namespace="bank")
        tasks = [self.one(self.e.create(t, **f), "created").task_uuid for t, f in (
            (one, {"tags": '["a", "b"]'}), (two, {"initiator": "kim"}), (bank, {"tags": '["b"]', "source": "shell"}), (one, {}))]
        a, b, c, d = tasks
        self.e.cancel(d)
        row = self.e.task(a)
        for filters, expected in (({}, tasks), ({"namespace": "bank"}, [c]), ({"name": "flow"}, tasks), ({"version": "2.0.0"}, [b]), ({"tag": "b"}, [a, c]),
                                  ({"tag": "a"}, [a]), ({"tag": "no"}, []), ({"initiator": "kim"}, [b]), ({"source": "shell"}, [c]),
                                  ({"status": "cancelled"}, [d]), ({"status": "steps_in_process"}, [a, b, c]), ({"status": "pending"}, [a, b, c]),
                                  ({"status": "completed"}, []), ({"correlation": row.correlation_id}, [a]), ({"name": "flow", "namespace": "bank", "tag": "b"}, [c]),
                                  ({"name": "nobody"}, [])):
            with self.subTest(filters):
                self.assertEqual(set(self.ids(**filters)), set(expected))
                self.assertEqual(set(self.ids(cursor="", **filters)), set(expected))
                self.assertEqual(self.list(**filters)["pagination"]["total_count"], len(expected))

    def test_pages_and_cursors_show_the_same(self):
        tasks = [r.task_uuid for r in of(self.e.create(self.e.register(ONE), n=7), "created")]
        newest = sorted(tasks, reverse=True)
        self.assertEqual(self.ids(per_page=3, page=2), newest[3:6])
        cursor, seen = "", []
        while cursor is not None:
            page = self.list(per_page=3, cursor=cursor)
            seen.append([t["task_uuid"] for t in page["tasks"]])
            self.assertEqual(page["pagination"]["has_next"], page["pagination"]["next_cursor"] is not None)
            cursor = page["pagination"]["next_cursor"]
        self.assertEqual(seen, [newest[:3], newest[3:6], newest[6:]])
        self.assertEqual(self.list(per_page=7, cursor="")["pagination"]["next_cursor"], None, "a full last page is the last")
        self.assertEqual(set(self.list(per_page=3)["pagination"]), {"page", "per_page", "total_count", "total_pages", "has_next", "has_previous"})


class Contexts(ListTest):
    def found(self, per_page=25, **filters):
        """All pages; a page may be short and still have a next one."""
        cursor, seen = "", []
        while cursor is not None:
            page = self.list(per_page=per_page, cursor=cursor, **filters)
            self.assertLessEqual(len(page["tasks"]), per_page)
            seen += [t["task_uuid"] for t in page["tasks"]]
            cursor = page["pagination"]["next_cursor"]
        return seen

    def test_by_what_is_in_the_context(self):
        flow = self.e.register(ONE)
        contexts = ({"customer": {"id": 7}, "items": [{"sku": "a"}, {"sku": "b"}]}, {"customer": {"id": "7"}}, {"customer": {"id": 8}, "items": [{"sku": "b"}]}, {"vip": None})
        a, b, c, d = [self.one(self.e.create(flow, context=json.dumps(x)), "created").task_uuid for x in contexts]
        for path, value, expected in (("$.customer.id", "7", {a, b}), ("$.customer.id", None, {a, b, c}), ("$.items[*].sku", "b", {a, c}), ("$.items[0].sku", "b", {c}),
                                      ("$.customer.id ? (@ > 7)", None, {c}), ("$.vip", None, {d}), ("$.vip", "null", set()), ("strict $.nothing.here", None, set()),
                                      ('$.items[*] ? (@.sku like_regex "^[ab]$")', None, {a, c})):
            for per_page in (1, 25):
                with self.subTest(path=path, value=value, per_page=per_page):
                    self.assertEqual(self.found(per_page, path=path, value=value), sorted(expected, reverse=True))
        self.assertEqual(self.found(path="$.customer", namespace="nobody"), [])
        with self.assertRaises(Exception) as caught:
            self.list(cursor="", path="customer id")
        self.assertIn("jsonpath", str(caught.exception))

    def test_by_parent_correlation(self):
        flow = self.e.register(ONE)
        first, second = (self.one(self.e.create(flow), "created").task_uuid for _ in range(2))
        parent = self.e.task(first).correlation_id
        self.c.query("UPDATE tasker.tasks SET parent_correlation_id = $1 WHERE task_uuid = $2", parent, second)
        self.assertEqual(self.ids(parent=parent), [second])
        self.assertEqual(self.ids(parent=parent, cursor=""), [second])
        self.assertEqual(self.ids(parent=second), [])


class Large(ListTest):
    consistent = False  # tasks without steps

    @classmethod
    def setUpClass(cls):
        """Filled once: these tests only read."""
        server = pg.shared()
        cls.filled = server.database(server.migrated())
        with server.connect(cls.filled) as c:
            for name in ("usual", "rare", "gone"):
                Engine(c).register(ONE, name=name)
            for sql, *args in ((FILL, LARGE), (OPEN,), (ENDED,), (TAGS,)):
                c.query(sql, *args)
            c.script("VACUUM ANALYZE")

    def setUp(self):
        self.db = self.filled
        self.c = self.connect()

    def rows_read(self):
        return self.c.value("SELECT sum(pg_stat_get_xact_tuples_fetched(oid) + pg_stat_get_xact_tuples_returned(oid)) FROM pg_class "
                            "WHERE relnamespace = 'tasker'::regnamespace AND relname IN ('tasks', 'open_tasks')")

    def cost(self, **more):
        """Rows of tasks that one list looked at."""
        self.c.script("BEGIN")
        try:
            before = int(self.rows_read() or 0)
            return self.list(**more), int(self.rows_read()) - before
        finally:
            self.c.script("COMMIT")

    def test_a_page_by_context_looks_at_so_many_and_says_where_it_stopped(self):
        page, rows = self.cost(cursor="", path="$.nothing")
        self.assertEqual((page["tasks"], page["pagination"]["has_next"]), ([], True))
        self.assertLess(rows, 25000, "10,000 tasks, found and read")
        seen, pages = page["pagination"]["next_cursor"], 1
        while seen is not None:
            seen, pages = self.list(cursor=seen, path="$.nothing")["pagination"]["next_cursor"], pages + 1
        self.assertGreaterEqual(pages, LARGE // 10000)

    def test_a_page_by_initiator_too(self):
        page, rows = self.cost(cursor="", initiator="nobody")
        self.assertEqual(page["tasks"], [])
        self.assertLessEqual(rows, 7 * LARGE, "each is found and read, a few rows of tables and indexes; never all tasks for each bite")
        seen, found = "", []
        while seen is not None:
            page = self.list(cursor=seen, initiator="mill", per_page=100, name="rare")
            found += [t["task_uuid"] for t in page["tasks"]]
            seen = page["pagination"]["next_cursor"]
        self.assertEqual(len(set(found)), LARGE // 1000)
        self.assertEqual(len(self.ids(cursor="", source="db")), 25)

    def test_filters_together_find_what_each_alone_would(self):
        """Whichever filter it goes by."""
        day, until = (self.c.value(f"SELECT (now() - interval '{d} days')::text") for d in (31, 12))
        texts = {"name": "(SELECT name FROM tasker.named_tasks n WHERE n.named_task_uuid = t.named_task_uuid) = ", "tag": "t.tags ? ", "status": "t.state::text = ", "namespace": "t.namespace = ",
                 "after": "t.created_at >= ", "before": "t.created_at < ", "initiator": "t.initiator = "}
        for filters in ({"name": "gone", "tag": "gone"}, {"name": "gone", "tag": "usual"}, {"name": "gone", "tag": "usual", "before": day}, {"tag": "gone", "after": day}, {"tag": "b", "after": day, "before": until},
                        {"name": "usual", "tag": "odd"}, {"name": "usual", "status": "blocked_by_failures"}, {"tag": "usual", "status": "cancelled"}, {"name": "rare", "status": "complete", "tag": "usual"},
                        {"name": "gone", "initiator": "mill", "before": day}, {"status": "complete", "before": until, "tag": "gone", "namespace": "shop"}, {"name": "rare", "tag": "gone"}):
            with self.subTest(filters):
                where = " AND ".join(f"{texts[k]}${i + 1}" for i, k in enumerate(filters))
                expected = self.c.column(f"SELECT task_uuid FROM tasker.tasks t WHERE {where} ORDER BY 1 DESC", *filters.values())
                seen, found = "", []
                while seen is not None:
                    page = self.list(cursor=seen, per_page=100, **filters)
                    found += [t["task_uuid"] for t in page["tasks"]]
                    seen = page["pagination"]["next_cursor"]
                self.assertEqual(found, expected)
                third = self.list(page=3, per_page=10, **filters)
                self.assertEqual(([t["task_uuid"] for t in third["tasks"]], third["pagination"]["total_count"]), (expected[20:30], len(expected)))

    def test_each_filter_is_a_list_that_is_gone_through_either_way(self):
        usual = self.c.value("SELECT named_task_uuid FROM tasker.named_tasks WHERE name = 'gone'")
        for i, (where, value) in enumerate((("t.namespace = $1", "shop"), ("t.state::text = $1", "cancelled"), ("t.named_task_uuid = ANY ($1::uuid[])", [usual]), ("t.tags ? $1", "b"))):
            for forward in (True, False):
                with self.subTest(f"{where}, {forward}"):
                    expected = self.c.column(f"SELECT task_uuid FROM tasker.tasks t WHERE {where} ORDER BY 1 {'ASC' if forward else 'DESC'}", value)
                    found, at, given = [], None, [None] * 4
                    given[i] = value
                    while True:
                        bite = self.c.column("SELECT unnest(tasker._next_tasks($1, $2, $3, $4, NULL, NULL, NULL, NULL, $5, $6, 700))", *given, at, forward)
                        found += bite
                        if len(bite) < 700:
                            break
                        at = bite[-1]
                    self.assertEqual(found, expected)
                    self.assertGreater(len(found), 10)

    def blocks(self, by_cursor=True, **filters):
        """Blocks that one list looked at, of tables and indexes: neither load nor what was cached before changes them."""
        given = [1, 25, by_cursor, filters.get("cursor"), *(filters.get(k) for k in KEYS)]
        sql = "EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, FORMAT JSON) SELECT tasker.list_tasks($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)"
        plan = self.c.value(sql, *given)
        plan = (plan if isinstance(plan, list) else json.loads(plan))[0]["Plan"]
        return plan["Shared Hit Blocks"] + plan["Shared Read Blocks"]

    def test_a_page_by_cursor_costs_no_more_than_a_page(self):
        self.list(cursor="")  # what the catalogue says is known from now on
        self.assertGreater(self.blocks(by_cursor=False, initiator="mill"), 2 * BLOCKS_MAX, "a page with the count of all looks at all")
        middle = self.c.value("SELECT task_uuid FROM tasker.tasks ORDER BY task_uuid OFFSET $1 LIMIT 1", LARGE // 2)
        day = self.c.value("SELECT (now() - interval '20 days')::text")
        until = self.c.value("SELECT (now() - interval '19 days 23 hours')::text")
        correlation = self.c.value("SELECT correlation_id FROM tasker.tasks WHERE tags = '[]' LIMIT 1")
        for filters, n in (({}, 25), ({"cursor": middle}, 25), ({"namespace": "shop", "cursor": middle}, 25), ({"name": "rare"}, 25), ({"name": "usual", "cursor": middle}, 25),
                           ({"status": "blocked_by_failures"}, LARGE // 5000), ({"status": "completed", "cursor": middle}, 25), ({"status": "cancelled"}, LARGE // 5000), ({"status": "error"}, 0),
                           ({"status": "cancelled", "namespace": "shop"}, LARGE // 5000), ({"status": "cancelled", "initiator": "mill"}, LARGE // 5000), ({"tag": "odd"}, LARGE // 4000),
                           ({"name": "gone"}, 25), ({"tag": "gone"}, 25), ({"version": "1.0.0", "cursor": middle}, 25), ({"tag": "gone", "status": "completed"}, 25), ({"tag": "nobody"}, 0), ({"name": "usual", "tag": "gone"}, 25),
                           ({"tag": "b", "correlation": correlation}, 0), ({"name": "gone", "status": "pending"}, 0),
                           ({"after": day, "before": until}, 25), ({"correlation": correlation}, 1), ({"namespace": "shop", "after": day, "before": until}, 25), ({"namespace": "nobody"}, 0)):
            with self.subTest(filters):
                page = self.list(**{"cursor": "", **filters})
                self.assertEqual(len(page["tasks"]), n)
                self.assertLess(self.blocks(**filters), BLOCKS_MAX)
