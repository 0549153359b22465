# SPDX-License-Identifier: MIT
"""A batch of one has functions of its own for speed. Whichever is called, answers and database are the same after every call."""
from engine import SHAPES, DbTest, Engine, kinds, of

WIDE = {"start": [], **{f"w{i}": ["start"] for i in range(7)}, "end": [f"w{i}" for i in range(7)]}  # more children than settle_step takes
ROOTS = {**{f"r{i}": [] for i in range(6)}, "end": [f"r{i}" for i in range(6)]}                   # more roots than create_task takes
GRAPHS = {**SHAPES, "wide": WIDE, "roots": ROOTS, "alone": {"only": []}}
SAID = ("kind", "idx", "attempt", "namespace", "step_no", "step_name", "priority", "retry_count", "max_attempts", "retryable", "initiator", "source_system",
        "reason", "context", "dependency_results", "dependencies_complete")
KEPT = {
    "task": "SELECT state, total_steps, open_steps, failed_steps, active_steps, retry_steps, completed_at IS NULL AS open, updated_at IS NULL AS untouched, "
            "context, tags, priority FROM tasker.tasks WHERE task_uuid = $1",
    "steps": "SELECT name, state, unmet_parents, attempts, forgiven, msg_id IS NULL AS free, settled_at IS NULL AS unsettled, dispatched_at IS NULL AS waits, "
             "updated_at IS NULL AS untouched FROM tasker.workflow_steps WHERE task_uuid = $1 ORDER BY step_no",
    "history": "SELECT s.name, h.from_state, h.to_state, h.attempt, h.actor, h.at = s.settled_at AS as_settled FROM tasker.workflow_step_transitions h "
               "JOIN tasker.workflow_steps s USING (workflow_step_uuid) WHERE h.task_uuid = $1 ORDER BY 1, 3, 4",
    "results": "SELECT s.name, r.attempt, r.success, r.execution_time_ms, r.worker_id, r.result::text FROM tasker.step_results r "
               "JOIN tasker.workflow_steps s USING (workflow_step_uuid) WHERE r.task_uuid = $1 ORDER BY 1, 2",
    "edges": "SELECT f.name, t.name AS to FROM tasker.workflow_step_edges e JOIN tasker.workflow_steps f ON f.workflow_step_uuid = e.from_step_uuid "
             "JOIN tasker.workflow_steps t ON t.workflow_step_uuid = e.to_step_uuid WHERE f.task_uuid = $1 ORDER BY 1, 2",
    "states": "SELECT from_state, to_state FROM tasker.task_transitions WHERE task_uuid = $1 ORDER BY at, 2",
    "listed": "SELECT namespace FROM tasker.open_tasks WHERE task_uuid = $1",
    "tags": "SELECT tag FROM tasker.task_tags WHERE task_uuid = $1 ORDER BY 1",
    "messages": "SELECT s.name, q.read_ct, q.vt > clock_timestamp() AS hidden FROM pgmq.q_worker_shop_queue q "
                "JOIN tasker.workflow_steps s ON s.workflow_step_uuid = (q.message->>'step_uuid')::uuid WHERE s.task_uuid = $1 ORDER BY 1",
}


class Single(DbTest):
    def look(self, rows, task):
        return ([{k: r[k] for k in SAID} for r in sorted(rows, key=lambda r: (r["kind"], r["step_name"] or ""))],
                {what: self.c.query(sql, task) for what, sql in KEPT.items()})

    def story(self, single, name, credit):
        """What was said and kept after each call, until the task is complete."""
        engine, graph = Engine(self.c, single), GRAPHS[name]
        rows = engine.create(engine.register(graph, name=f"{name} {credit} {single}"), credit=credit, tags='["b", "a"]')
        task = self.one(rows, "created").task_uuid
        seen, held = [self.look(rows, task)], of(rows, "assign")
        while engine.task(task).state != "complete":
            held = sorted(held or of(engine.claim(1), "assign"), key=lambda r: r["step_no"])
            rows = engine.settle(held[:1], credit={"shop": credit})
            held = held[1:] + of(rows, "assign")
            seen.append(self.look(rows, task))
        self.assertEqual(len(seen), 1 + len(graph))
        return seen

    def test_nobody_can_tell_the_difference(self):
        for name in GRAPHS:
            for credit in (1000, 1, 0):
                with self.subTest(f"{name}, credit {credit}"):
                    for one, many in zip(self.story(True, name, credit), self.story(False, name, credit)):
                        self.assertEqual(one, many)

    def test_what_is_refused(self):
        for single in (True, False):
            with self.subTest(single=single):
                engine = Engine(self.c, single)
                template = engine.register(SHAPES["chain"], name=f"refused {single}")
                rows = engine.create(template, credit=5, identity=[b"the same %d" % single])
                task, (a,) = self.one(rows, "created").task_uuid, of(rows, "assign")
                again = self.one(engine.create(template, credit=5, identity=[b"the same %d" % single]), "duplicate")
                self.assertEqual((again.idx, again.task_uuid), (1, task))
                self.assertEqual(kinds(engine.create(template, credit=5, steps_n=3)), {"step_count": 1})
                _, new = engine.register_row(SHAPES["diamond"], name=f"refused {single}", replace=True)
                self.assertNotEqual(new.digest, template.digest)
                self.assertEqual(kinds(engine.create(template, credit=5)), {"unknown_template": 1}, "its steps are there, its name is another's")
                template.digest = "0" * 64
                self.assertEqual(kinds(engine.create(template, credit=5)), {"unknown_template": 1})
                self.assertEqual(kinds(engine.settle([dict(a, attempt=2)])), {"stale": 1})
                self.assertEqual(kinds(engine.settle([a])), {"settled": 1, "assign": 1})
                self.assertEqual(kinds(engine.settle([a])), {"already": 1})

    def test_a_task_that_has_failed_gets_nothing_new(self):
        for single in (True, False):
            with self.subTest(single=single):
                engine = Engine(self.c, single)
                rows = engine.create(engine.register({"a": [], "b": [], "c": ["b"]}, name=f"failed {single}"), credit=5)
                a, b = sorted(of(rows, "assign"), key=lambda r: r["step_no"])
                engine.settle([a], success=False, retryable=False)
                self.assertEqual(kinds(engine.settle([b])), {"settled": 1})
                self.assertEqual(engine.states(a.task_uuid), {"a": "error", "b": "complete", "c": "pending"})
                self.assertEqual(engine.step(a.task_uuid, "c").unmet_parents, 0)
