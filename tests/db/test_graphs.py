# SPDX-License-Identifier: MIT
"""Graphs run: what becomes ready when, what a handler is given, how a task ends."""
import json
import uuid

from engine import CHAIN, DIAMOND, MIXED, SHAPES, DbTest, Engine, ancestors, kinds, of


class Graphs(DbTest):
    def run_to_end(self, graph, take):
        """Settles one step at a time; after each, exactly the steps whose parents are all done are out."""
        rows = self.e.create(self.e.register(graph), credit=10000 if take == "eager" else 0)
        task = self.one(rows, "created").task_uuid
        done, out = set(), {}
        while len(done) < len(graph):
            out.update({a.step_name: a for a in (of(rows, "assign") if take == "eager" else of(self.e.claim(), "assign"))})
            expected = {s for s in graph if s not in done and set(graph[s]) <= done}
            self.assertEqual(set(out), expected)
            for a in out.values():
                self.assertEqual(set(json.loads(a.dependency_results)), set(ancestors(graph, a.step_name)))
            name = sorted(out)[-1]
            rows = self.e.settle([out.pop(name)], credit={"shop": 10000 if take == "eager" else 0})
            done.add(name)
            self.assertEqual(kinds(rows).get("settled"), 1)
            self.assertEqual(self.c.query("SELECT * FROM tasker.check_consistency($1)", task), [])
        self.assertEqual(self.one(rows, "done").step_name, "complete")
        self.assertEqual(set(self.e.states(task).values()), {"complete"})
        ended = self.e.task(task)
        self.assertEqual((ended.state, ended.open_steps, ended.active_steps), ("complete", 0, 0))
        self.assertIsNotNone(ended.completed_at)
        self.assertEqual(self.c.value("SELECT count(*) FROM tasker.open_tasks"), 0)
        self.assertEqual(self.e.messages(), 0)

    def test_every_shape_eagerly(self):
        for name, graph in SHAPES.items():
            with self.subTest(name):
                self.run_to_end(graph, "eager")

    def test_every_shape_through_the_queue(self):
        for name, graph in SHAPES.items():
            with self.subTest(name):
                self.run_to_end(graph, "queue")

    def test_assignment_carries_everything_a_handler_needs(self):
        parent = str(uuid.uuid4())
        template = self.e.register(CHAIN, two={"max_attempts": 7, "retryable": False})
        rows = self.e.create(template, credit=1, context='{"n": 6, "s": "ü"}', priority=5, parent=parent)
        a = self.one(rows, "assign")
        self.assertEqual((a.attempt, a.step_no, a.step_name, a.namespace, a.template_digest, a.priority, a.retry_count),
                         (1, 0, "one", "shop", template.digest, 5, 0))
        self.assertEqual(json.loads(a.context), {"n": 6, "s": "ü"})
        self.assertEqual((a.initiator, a.source_system, a.reason, a.parent_correlation_id), ("test", "db", "to see it run", parent))
        self.assertEqual((a.dependency_results, a.dependencies_complete), ("{}", True))
        two = self.one(self.e.settle([a], result={"success": True, "result": {"deep": [1, "ü"]}}), "assign")
        self.assertEqual(json.loads(two.dependency_results), {"one": {"success": True, "result": {"deep": [1, "ü"]}}})
        self.assertEqual((two.max_attempts, two.retryable), (7, False))

    def test_a_result_is_stored_and_handed_on_byte_by_byte(self):
        _, (first,) = self.start(CHAIN)
        document = '{ "result" : 1.50,  "success":true, "result": 2e3 }'
        self.c.query("SELECT * FROM tasker.settle_steps($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14)", [first.step_uuid],
                     [first.task_uuid], [1], [first.msg_id], [True], [False], [-1], [document], ["w"], [3], ["shop"], [0], 1000, None)
        self.assertEqual(self.one(self.e.claim(), "assign").dependency_results, '{"one":' + document + "}")

    def test_more_ancestors_than_travel_are_said_to_be_missing(self):
        graph = {f"s{i}": [f"s{i - 1}"] if i else [] for i in range(35)}
        task, out = self.start(graph)
        for _ in range(34):
            out = of(self.e.settle(out), "assign")
        (last,) = out
        self.assertEqual(set(json.loads(last.dependency_results)), {f"s{i}" for i in range(2, 34)})
        self.assertFalse(last.dependencies_complete)
        rest = self.c.query("SELECT * FROM tasker.fetch_results($1, $2)", task, ["s0", "s1", "s34", "nobody"])
        self.assertEqual({r.step_name: json.loads(r.result)["result"] for r in rest}, {"s0": "s0", "s1": "s1"})
        self.e.settle(out)

    def updates(self):
        """Row updates of this session so far, by table."""
        self.c.query("SELECT pg_stat_force_next_flush()")
        return dict(r.values() for r in self.c.query(
            "SELECT relname, n_tup_upd FROM pg_stat_user_tables WHERE relname IN ('tasks', 'workflow_steps')"))

    def test_a_thousand_parents_in_one_call_update_their_child_once(self):
        graph = {f"p{i}": [] for i in range(1000)}
        graph["end"] = list(graph)
        task, out = self.start(graph)
        self.assertEqual(len(out), 1000)
        before = self.updates()
        rows = self.e.settle(out)
        after = self.updates()
        self.assertEqual({t: after[t] - before[t] for t in after}, {"workflow_steps": 1001, "tasks": 1})
        self.assertEqual(kinds(rows), {"settled": 1000, "assign": 1})
        end = self.one(rows, "assign")
        self.assertEqual((end.step_name, len(json.loads(end.dependency_results)), end.dependencies_complete), ("end", 32, False))
        self.assertEqual(self.e.history(task, "end"), [("pending", "in_progress", 1, None)])
        self.e.settle([end])
        self.assertEqual(self.e.task(task).state, "complete")

    def test_parents_in_one_call_and_task_changes_once(self):
        task, (start,) = self.start(DIAMOND)
        pair = of(self.e.settle([start]), "assign")
        rows = self.e.settle(pair)
        self.assertEqual(kinds(rows), {"settled": 2, "assign": 1})
        rows = self.e.settle(of(rows, "assign"))
        self.assertEqual(kinds(rows), {"settled": 1, "done": 1})
        changes = self.c.column("SELECT to_state FROM tasker.task_transitions WHERE task_uuid = $1 ORDER BY at", task)
        self.assertEqual(changes, ["steps_in_process", "complete"])

    def test_tasks_of_several_namespaces_in_one_call(self):
        a, b = self.e.register(CHAIN, namespace="shop"), self.e.register(CHAIN, namespace="bank")
        rows = self.e.create_many([{"template": a}, {"template": b}, {"template": b}], {"bank": 1})
        self.assertEqual(kinds(rows), {"created": 3, "assign": 1, "queued": 2})
        self.assertEqual({(r.namespace, r.idx) for r in of(rows, "queued")}, {("shop", 1), ("bank", 1)})
        self.assertEqual(self.one(rows, "assign").namespace, "bank")
        claimed = self.e.claim(10, ["shop", "bank"])
        self.assertEqual({r.namespace for r in of(claimed, "assign")}, {"shop", "bank"})
        rows = self.e.settle(of(claimed, "assign") + of(rows, "assign"), credit={"bank": 5, "shop": 5})
        self.assertEqual(sorted(r.namespace for r in of(rows, "assign")), ["bank", "bank", "shop"])

    def test_short_credit_goes_to_higher_priority(self):
        t = self.e.register(CHAIN)
        rows = self.e.create_many([{"template": t, "priority": p} for p in (0, 9, -3, 5)], {"shop": 2})
        self.assertEqual(sorted(r.priority for r in of(rows, "assign")), [5, 9])
        self.assertEqual(self.one(rows, "queued").idx, 2)

    def test_readiness_functions_agree_with_the_counters(self):
        task, (start,) = self.start(MIXED)
        self.assertEqual(self.e.ready(task), set())
        status = {r.name: r for r in self.c.query("SELECT * FROM tasker.get_step_readiness_status($1)", task)}
        self.assertEqual({n: r.total_parents for n, r in status.items()}, {n: len(p) for n, p in MIXED.items()})
        left, right = sorted(of(self.e.settle([start]), "assign"), key=lambda r: r.step_name)
        self.e.settle([left])
        status = {r.name: r for r in self.c.query("SELECT * FROM tasker.get_step_readiness_status($1)", task)}
        self.assertEqual((status["validate"].completed_parents, status["validate"].dependencies_satisfied), (1, False))
        self.assertTrue(status["transform"].dependencies_satisfied)
        # Restricting the rows does not restrict where parents are looked up.
        only = self.c.query("SELECT * FROM tasker.get_step_readiness_status($1, $2)", task, [status["transform"].workflow_step_uuid])
        self.assertEqual([(r.name, r.completed_parents) for r in only], [("transform", 1)])
        x = self.c.query("SELECT * FROM tasker.get_task_execution_context($1)", task)[0]
        self.assertEqual((x.total_steps, x.completed_steps, x.in_progress_steps, x.pending_steps, x.ready_steps), (7, 2, 2, 3, 0))
        self.assertEqual((x.execution_status, x.recommended_action, x.health_status), ("processing", "wait_for_completion", "healthy"))
        self.assertEqual(x.completion_percentage, 28.57)
        self.assertEqual(right.step_name, "right")

    def test_a_hand_made_ready_step_is_discovered(self):
        task, _ = self.start(CHAIN, credit=0, name="flow")
        self.assertEqual(self.c.query("SELECT * FROM tasker.get_next_ready_tasks()"), [])
        self.c.query("UPDATE tasker.workflow_steps SET state = 'pending' WHERE task_uuid = $1 AND name = 'one'", task)
        (row,) = self.c.query("SELECT * FROM tasker.get_next_ready_tasks(3)")
        self.assertEqual((row.task_uuid, row.task_name, row.ready_steps_count), (task, "flow", 1))
        x = self.c.query("SELECT * FROM tasker.get_task_execution_context($1)", task)[0]
        self.assertEqual((x.execution_status, x.recommended_action), ("has_ready_steps", "execute_ready_steps"))
        self.c.query("UPDATE tasker.workflow_steps SET state = 'enqueued' WHERE task_uuid = $1 AND name = 'one'", task)


class Concurrency(DbTest):
    def test_two_connections_claim_disjoint_steps(self):
        self.e.create(self.e.register(CHAIN), n=50)
        other = Engine(self.connect())
        first, second = self.e.claim(30), other.claim(30)
        a, b = ({r.step_uuid for r in of(rows, "assign")} for rows in (first, second))
        self.assertEqual((len(a), len(b), a & b), (30, 20, set()))


class Producers(DbTest):
    def test_a_producer_outside_sends_and_wakes_who_listens(self):
        """The message and the notices appear together, with the commit, on the reference's channels and on ours."""
        self.e.register(CHAIN)
        ear, channels = self.connect(), ("pgmq_message_ready", "pgmq_message_ready.shop", "tasker_hint")
        for channel in channels:
            ear.script(f'LISTEN "{channel}"')
        self.c.script("BEGIN")
        sent = self.c.value("SELECT tasker.pgmq_send_with_notify('worker_shop_queue', '{\"a\": 1}', 0)")
        ear.query("SELECT 1")
        self.assertEqual(ear.notifications(), [])
        self.c.script("COMMIT")
        ear.query("SELECT 1")
        heard = dict(ear.notifications())
        self.assertEqual(set(heard), set(channels))
        self.assertEqual(heard["tasker_hint"], "q shop")
        note = json.loads(heard["pgmq_message_ready"])
        self.assertEqual((note["event_type"], note["msg_id"], note["queue_name"], note["namespace"]), ("message_ready", sent, "worker_shop_queue", "shop"))
        self.assertEqual(heard["pgmq_message_ready.shop"], heard["pgmq_message_ready"])
        row, = self.c.query("SELECT msg_id, message FROM pgmq.q_worker_shop_queue")
        self.assertEqual((row.msg_id, json.loads(row.message)), (sent, {"a": 1}))
        self.c.query("DELETE FROM pgmq.q_worker_shop_queue")

    def test_the_counts_by_state(self):
        self.start(DIAMOND)
        task, held = self.start(CHAIN)
        self.e.settle(held, success=False, retryable=False)
        counts = {(r.kind, r.state): r.n for r in self.c.query("SELECT * FROM tasker.get_system_health_counts()")}
        self.assertEqual(counts, {("task", "steps_in_process"): 1, ("task", "blocked_by_failures"): 1, ("step", "in_progress"): 1, ("step", "pending"): 6,
                                  ("step", "error"): 1})
