# SPDX-License-Identifier: MIT
"""A task whose data makes a statement over many raise does not hold up the others: each is tried by itself, and who raises alone is set aside
where people see it. What raises is a trigger that knows one task, or the data itself where that is cheap."""
import json
import os
import re
from concurrent import futures

import sub_tasks
from engine import LEASE_MS, LOSSES_MAX, PROCESSOR, DbTest, kinds, new_uuid, of
from lib.pg import PgError
from lib.system import ROOT

CREDIT = {"shop": 10000}


class ApartTest(DbTest):
    def poison(self, task, when="true", table="workflow_steps", on="UPDATE", state="22003", column="task_uuid"):
        """Whoever writes such a row of the task raises."""
        name = f"poison_{new_uuid().replace('-', '')}"
        self.c.query(f"CREATE FUNCTION tasker.{name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
                     f"RAISE EXCEPTION 'the data of this task is odd' USING ERRCODE = '{state}'; END $$")
        self.c.query(f"CREATE TRIGGER {name} BEFORE {on} ON tasker.{table} FOR EACH ROW WHEN (NEW.{column} = '{task}' AND {when}) EXECUTE FUNCTION tasker.{name}()")
        return lambda: self.c.query(f"DROP FUNCTION tasker.{name}() CASCADE")

    def three(self, graph=None, credit=0, **kwargs):
        """Three tasks, of which the middle one will be at fault."""
        template = self.e.register(graph or {"one": [], "two": ["one"]}, **kwargs)
        rows = self.e.create(template, n=3, credit=credit)
        return sorted(r.task_uuid for r in of(rows, "created")), of(rows, "assign")

    def claim_apart(self, n=100, lost=None, conn=None):
        return (conn or self.c).query("SELECT * FROM tasker.claim_apart($1, $2, $3, $4, $5, $6)", ["shop"], [n], LEASE_MS, LOSSES_MAX, PROCESSOR, lost)

    def fire_apart(self, limit=100):
        return self.c.query("SELECT * FROM tasker.fire_apart($1, $2, $3, $4, $5)", limit, ["shop"], [100], LEASE_MS, PROCESSOR)

    def settle_children_apart(self):
        return self.c.query("SELECT * FROM tasker.settle_sub_tasks_apart($1, $2, $3, $4, $5, $6)", 100, 1 << 18, ["shop"], [100], LEASE_MS, PROCESSOR)

    def explained(self, task):
        return json.loads(self.c.value("SELECT tasker.explain_task($1, '{}', '{}', '{}')", task))

    def aside(self, rows, task, how):
        row = self.one(rows, "set_aside")
        self.assertEqual((row.task_uuid, row.step_name), (task, how))
        return row.reason


class Fault(ApartTest):
    def test_orchestrators_and_functions_agree_on_what_one_row_may_be_why_of(self):
        with open(os.path.join(ROOT, "shared", "pg", "outcome.c"), encoding="utf-8") as f:
            table = re.findall(r'{"(\w+)", TK_PG_E_(\w+)}', f.read())
        for state in ("21000", "22003", "22P02", "23505", "23514", "54000", "P0001", "XX000", "40001", "55P03", "57014", "57P01", "08006", "53100", "58030", "42P01", "25006", "0A000"):
            outcome = next((outcome for prefix, outcome in table if state.startswith(prefix)), "SERVER")
            self.assertEqual(self.c.value("SELECT tasker._at_fault($1)", state), outcome in ("DATA", "UNIQUE", "INTERNAL"), state)


class Claim(ApartTest):
    def test_a_step_handed_over_too_often_ends_and_the_others_go_on(self):
        tasks, _ = self.three()
        self.c.query("UPDATE tasker.workflow_steps SET attempts = 32767, forgiven = 32767 WHERE task_uuid = $1 AND name = 'one'", tasks[1])
        with self.assertRaisesRegex(PgError, "handed over 32000 times"):
            self.e.claim()
        rows = self.claim_apart()
        self.assertEqual({a.task_uuid for a in of(rows, "assign")}, {tasks[0], tasks[2]})
        self.assertIn("handed over 32000 times", self.aside(rows, tasks[1], "step"))
        self.assertEqual(self.e.states(tasks[1]), {"one": "error", "two": "pending"})
        self.assertEqual(self.e.task(tasks[1]).state, "blocked_by_failures")
        result = json.loads(self.c.value("SELECT result::text FROM tasker.step_results WHERE task_uuid = $1", tasks[1]))
        self.assertEqual((result["error"]["error_type"], result["metadata"]["retryable"]), ("engine_error", False))
        self.assertIn("handed over 32000 times", self.explained(tasks[1])["summary"])
        self.assertEqual([e.dlq_reason for e in self.e.entries(tasks[1])], ["max_retries_exceeded"])
        self.assertEqual(kinds(self.e.claim()), {})  # nothing is left that raises
        self.e.settle(self.e.settle(of(rows, "assign")) and [])
        self.assertEqual([self.e.task(t).state for t in tasks[::2]], ["steps_in_process"] * 2)

    def test_one_below_the_limit_is_handed_over(self):
        tasks, _ = self.three()
        self.c.query("UPDATE tasker.workflow_steps SET attempts = 31999, forgiven = 31999 WHERE task_uuid = $1 AND name = 'one'", tasks[1])
        self.assertEqual({a.task_uuid: a.attempt for a in of(self.e.claim(), "assign")}, {tasks[0]: 1, tasks[1]: 32000, tasks[2]: 1})

    def test_a_step_that_raises_is_an_error_whatever_it_raises(self):
        for state in ("22003", "54000", "XX000", "23514", "21000", "P0001"):
            with self.subTest(state):
                tasks, _ = self.three()
                heal = self.poison(tasks[1], "NEW.state = 'in_progress' AND OLD.forgiven = NEW.forgiven", state=state)
                self.assertRaises(PgError, self.e.claim)
                rows = self.claim_apart()
                self.assertEqual({a.task_uuid for a in of(rows, "assign")}, {tasks[0], tasks[2]})
                self.assertIn(f"the data of this task is odd (SQLSTATE {state})", self.aside(rows, tasks[1], "step"))
                heal()
                self.e.settle(of(rows, "assign"), credit={})
                self.e.act(tasks[1], "one", "reset_for_retry")
                self.assertEqual({a.task_uuid for a in of(self.e.claim(), "assign")}, set(tasks))

    def test_where_the_step_cannot_end_the_task_is_paused_until_somebody_resumes_it(self):
        tasks, _ = self.three({"one": [], "other": []})
        heal = self.poison(tasks[1], "NEW.state = 'in_progress' AND NEW.name = 'one'")
        rows = self.claim_apart()
        why = self.aside(rows, tasks[1], "task")
        self.assertEqual(len(of(rows, "assign")), 5 if self.e.states(tasks[1])["other"] == "in_progress" else 4)
        self.assertEqual(self.e.states(tasks[1])["one"], "pending")
        self.assertEqual(self.e.task(tasks[1]).held, 17)
        explained = self.explained(tasks[1])
        self.assertIn(f"paused by orchestrator: {why}", explained["summary"])
        self.assertIn("tasker task resume", explained["advice"])
        self.assertIn("entered by orchestrator", explained["dead_letter"]["text"])
        self.assertEqual(kinds(self.e.claim()), {})
        self.assertEqual(self.e.sweep(), [])
        heal()
        self.assertEqual(kinds(self.e.hold(tasks[1], on=False))["acted"], 1)
        self.assertEqual(self.e.task(tasks[1]).held, 0)
        self.assertIn("one", {a.step_name for a in of(self.e.claim(), "assign")})

    def test_where_not_even_that_goes_it_comes_later(self):
        tasks, _ = self.three()
        heal = self.poison(tasks[1])
        self.poison(tasks[1], table="tasks")
        rows = self.claim_apart()
        self.aside(rows, tasks[1], "later")
        self.assertEqual({a.task_uuid for a in of(rows, "assign")}, {tasks[0], tasks[2]})
        self.assertEqual((kinds(self.e.claim()), self.e.states(tasks[1])["one"]), ({}, "enqueued"))
        self.e.wait(3601, tasks[1])
        heal()
        self.assertEqual([a.task_uuid for a in of(self.e.claim(), "assign")], [tasks[1]])

    def test_one_that_lost_its_worker(self):
        tasks, assigns = self.three(credit=100)
        for a in assigns:
            self.e.end_lease(a)
        heal = self.poison(tasks[1], "NEW.losses > OLD.losses")
        rows = self.claim_apart(lost=True)
        self.aside(rows, tasks[1], "step")
        self.assertEqual({a.task_uuid for a in of(rows, "assign")}, {tasks[0], tasks[2]})
        heal()

    def test_nobody_is_set_aside_for_what_is_not_the_datas_fault(self):
        for state in ("53100", "53200", "40001", "40P01", "55P03", "57014", "58030", "42P01", "25006"):
            with self.subTest(state):
                tasks, _ = self.three()
                heal = self.poison(tasks[1], "NEW.state = 'in_progress'", state=state)
                with self.assertRaisesRegex(PgError, "odd"):
                    self.claim_apart()
                heal()
                self.assertEqual(len(of(self.claim_apart(), "assign")), 3)

    def test_two_orchestrators_at_once_set_each_aside_once(self):
        template = self.e.register({"one": []})
        tasks = [r.task_uuid for r in of(self.e.create(template, n=24), "created")]
        odd = tasks[::4]
        for task in odd:
            self.poison(task, "NEW.state = 'in_progress' AND OLD.forgiven = NEW.forgiven")
        conns = [self.connect() for _ in range(4)]
        with futures.ThreadPoolExecutor(len(conns)) as pool:
            rows = [r for page in pool.map(lambda c: self.claim_apart(conn=c), conns) for r in page]
        self.assertEqual(sorted(r.task_uuid for r in of(rows, "set_aside")), sorted(odd))
        self.assertEqual(sorted(r.task_uuid for r in of(rows, "assign")), sorted(set(tasks) - set(odd)))

    def test_a_message_about_nothing_is_dropped(self):
        self.three()
        self.c.query("SELECT pgmq.send('worker_shop_queue', '{\"step_uuid\": 7}'::jsonb)")
        self.assertEqual(kinds(self.claim_apart()), {"assign": 3, "dropped": 1})


class Letters(ApartTest):
    def set_aside(self):
        task, _ = self.start({"one": []}, credit=0)
        heal = self.poison(task, "NEW.state = 'in_progress'")
        self.aside(self.claim_apart(), task, "task")
        heal()
        return task

    def test_reviving_the_entry_resumes_the_task(self):
        task = self.set_aside()
        entry, = self.e.entries(task)
        self.assertEqual(kinds(self.e.revive(entry.dlq_entry_uuid)), {"acted": 1, "queued": 1, "done": 1})
        self.assertEqual((self.e.task(task).held, self.e.entries(task)[0].resolution_status), (0, "manually_resolved"))
        self.assertEqual(kinds(self.e.claim())["assign"], 1)

    def test_resuming_the_task_closes_the_entry(self):
        task = self.set_aside()
        self.c.query("UPDATE tasker.dead_letters SET dlq_timestamp = dlq_timestamp - interval '1 minute'")
        self.assertEqual(kinds(self.e.tidy()), {"gone": 1, "page": 1})
        self.e.hold(task, on=False)
        self.assertEqual(kinds(self.e.tidy()), {"gone": 1, "page": 1, "closed": 1})

    def test_a_task_that_was_set_aside_can_be_cancelled(self):
        task = self.set_aside()
        self.e.cancel(task)
        self.assertEqual((self.e.task(task).state, kinds(self.e.tidy())), ("cancelled", {"gone": 1, "page": 1, "closed": 1}))


class Timers(ApartTest):
    def test_retries(self):
        tasks, assigns = self.three(credit=100)
        self.e.settle(assigns, success=False)
        self.e.end_pauses()
        heal = self.poison(tasks[1], "NEW.state <> OLD.state")
        self.assertRaises(PgError, self.e.fire)
        rows = self.fire_apart()
        self.aside(rows, tasks[1], "task")
        self.assertEqual([self.e.states(t)["one"] for t in tasks], ["enqueued", "waiting_for_retry", "enqueued"])
        self.assertEqual(kinds(self.e.fire()), {})
        heal()
        self.assertEqual(kinds(self.e.hold(tasks[1], on=False))["timer"], 1)
        self.e.end_pauses()
        self.assertEqual(kinds(self.e.fire())["assign"], 1)

    def test_deadlines(self):
        template = self.e.register({"one": []})
        tasks = [r.task_uuid for r in of(self.e.create(template, n=3, deadline=self.e.at(60)), "created")]
        self.e.pass_time(61)
        heal = self.poison(tasks[1], "NEW.state = 'error'", table="tasks")
        self.assertRaises(PgError, self.e.fire)
        self.aside(self.fire_apart(), tasks[1], "task")
        self.assertEqual([self.e.task(t).state for t in tasks[::2]], ["error"] * 2)
        self.assertEqual(kinds(self.e.fire()), {})
        heal()
        self.assertEqual(kinds(self.e.hold(tasks[1], on=False))["timer"], 1)
        self.e.fire()
        self.assertEqual(self.e.task(tasks[1]).state, "error")

    def test_a_task_set_aside_before_its_deadline_is_in_order(self):
        template = self.e.register({"one": []})
        tasks = [r.task_uuid for r in of(self.e.create(template, n=2, deadline=self.e.at(60)), "created")]
        self.poison(tasks[1], "NEW.state = 'in_progress'")
        self.aside(self.claim_apart(), tasks[1], "task")

    def test_steps_nobody_took(self):
        tasks, _ = self.three(one={"queue_timeout_ms": 5000})
        self.e.pass_time(6)
        self.poison(tasks[1], "NEW.state = 'in_progress'")
        self.assertRaises(PgError, self.e.fire)
        rows = self.fire_apart()
        self.aside(rows, tasks[1], "task")
        self.assertEqual([self.e.states(t)["one"] for t in tasks], ["error", "pending", "error"])
        self.assertEqual(kinds(self.e.fire()), {})

    def test_where_the_task_cannot_be_paused_it_comes_later(self):
        tasks, assigns = self.three(credit=100)
        self.e.settle(assigns, success=False)
        self.e.end_pauses()
        for table in ("workflow_steps", "tasks"):
            self.poison(tasks[1], table=table)
        rows = self.fire_apart()
        self.aside(rows, tasks[1], "later")
        self.assertGreater(self.one(rows, "next").due_at, self.e.at(3000))


class SubTasks(ApartTest):
    def waiting(self, n=3):
        """n parents whose step waits for a child: (parents, children, their assignments)."""
        parent, child = self.e.register({"one": [], "two": ["one"]}), self.e.register({"work": []})
        parents, children, assigns = [], [], []
        for _ in range(n):
            rows = self.e.create(parent, credit=10)
            parents.append(self.one(rows, "created").task_uuid)
            rows = sub_tasks.start(self.e, self.one(rows, "assign"), child)
            children.append(self.one(rows, "created").task_uuid)
            assigns += of(rows, "assign")
        return parents, children, assigns

    def test_the_step_that_waits_is_an_error_when_its_child_cannot_be_carried_over(self):
        parents, children, assigns = self.waiting()
        self.e.settle(assigns)
        heal = self.poison(parents[1], "NEW.state = 'complete'")
        self.assertRaises(PgError, sub_tasks.look, self.e)
        rows = self.settle_children_apart()
        self.assertIn("settle_sub_tasks", self.aside(rows, parents[1], "step"))
        self.assertEqual([self.e.states(p) for p in parents],
                         [{"one": "complete", "two": "enqueued"}, {"one": "error", "two": "pending"}, {"one": "complete", "two": "enqueued"}])
        self.assertEqual(kinds(sub_tasks.look(self.e)), {})
        self.assertEqual(kinds(self.e.sweep()), {})
        heal()

    def test_a_child_nobody_waits_for_is_paused_when_it_cannot_be_ended(self):
        parents, children, _ = self.waiting()
        for p in parents:
            self.e.cancel(p)
        self.poison(children[1], "NEW.state = 'cancelled'")
        self.assertRaises(PgError, sub_tasks.look, self.e)
        rows = self.settle_children_apart()
        self.aside(rows, children[1], "task")
        self.assertEqual([self.e.task(c).state for c in children[::2]], ["cancelled"] * 2)
        self.assertEqual(kinds(sub_tasks.look(self.e)), {})
        self.assertEqual(kinds(self.e.sweep()), {})


class Background(ApartTest):
    def test_the_sweeper(self):
        tasks, _ = self.three()
        self.c.query("UPDATE tasker.workflow_steps SET state = 'pending', msg_id = NULL WHERE state = 'enqueued'")
        self.c.query("DELETE FROM pgmq.q_worker_shop_queue")
        self.c.query("UPDATE tasker.tasks SET active_steps = 0")
        heal = self.poison(tasks[1], "NEW.state = 'enqueued'")
        self.assertRaises(PgError, self.e.sweep)
        rows = self.c.query("SELECT * FROM tasker.sweep_apart(0, 3, NULL)")
        self.assertEqual([(r.kind, r.task_uuid) for r in rows], [("repaired", tasks[0]), ("set_aside", tasks[1]), ("repaired", tasks[2]), ("next", tasks[2])])
        self.assertIn("the data of this task is odd", rows[1].what)
        self.assertEqual(self.e.sweep(), [])
        heal()
        self.e.hold(tasks[1], on=False)
        self.assertEqual([self.e.states(t)["one"] for t in tasks], ["enqueued"] * 3)

    def test_the_look_for_stale_tasks(self):
        tasks, assigns = self.three(credit=100)
        for t in tasks:
            self.e.age(t, 61)
        heal = self.poison(tasks[1], table="dead_letters", on="INSERT")
        self.assertRaises(PgError, self.e.detect)
        args = ("SELECT * FROM tasker.detect_apart($1, $2, $3, true, true, $4, NULL, 100, $5)", [60, 30, 30, 0, 15], [])
        self.assertEqual(kinds(self.c.query(*args, True, 100, PROCESSOR)), {"page": 1, "detected": 3})  # only looked
        rows = self.c.query(*args, False, 1, PROCESSOR)
        self.assertEqual([r.task_uuid for r in of(rows, "detected")], tasks[:1])
        rows = self.c.query(*args, False, 100, PROCESSOR)
        self.assertEqual([r.task_uuid for r in of(rows, "detected")], tasks[2:])
        self.aside(rows, tasks[1], "task")
        self.assertEqual(kinds(self.e.detect()), {"page": 1})
        heal()
