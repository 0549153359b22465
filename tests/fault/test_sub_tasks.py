# SPDX-License-Identifier: MIT
"""Processes die between a task and the one it waits for: one child per attempt, one end for both, nothing stranded.

Model: a connection of the test holds the row of the parent, so that the orchestrator stands still exactly where it would carry something over.
"""
import unittest

from lib.gate import Gate
from lib.system import System, eventually
from test_processes import ENV

WAITING = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND application_name = $1"


class SubTasks(unittest.TestCase):
    def system(self, **kwargs):
        s = System(env=ENV, **kwargs)
        self.addCleanup(s.stop)
        return s

    def hold(self, s, task):
        """Nobody changes the task until the connection is closed."""
        conn = s.conn()
        conn.script("BEGIN")
        conn.query("SELECT 1 FROM tasker.tasks WHERE task_uuid = $1 FOR UPDATE", task)
        return conn

    def stands(self, s, actor):
        eventually(lambda: s.value(WAITING, f"tasker-{actor}") > 0, what=f"{actor} waits for the parent")

    def state(self, s, task):
        return s.value("SELECT state FROM tasker.tasks WHERE task_uuid = $1", task)

    def finish(self, s, task, children=1):
        eventually(lambda: self.state(s, task) == "complete", 60, "the parent is complete")
        self.assertEqual(s.sql("SELECT count(*) AS n, count(*) FILTER (WHERE t.state = 'complete') AS complete FROM tasker.sub_tasks st "
                               "JOIN tasker.tasks t ON t.task_uuid = st.child_uuid WHERE st.parent_uuid = $1", task)[0], {"n": children, "complete": children})
        self.assertEqual(s.value("SELECT count(*) FROM tasker.step_results WHERE task_uuid = $1 AND success", task), 3)
        self.assertEqual(s.value("SELECT count(*) FROM tasker.sub_task_dues"), 0)
        s.doctor()

    def submit(self, s, child=None, **context):
        return s.submit("tests", "sub_task", {"sub": {"name": "chain", "context": child or {}}, **context})

    def holds_call(self, s):
        """A task whose step has not said yet what it wants when its row is held, and then says it: (task, the connection that holds it)."""
        with Gate(s) as gate:
            task = self.submit(s, hang=gate.path)
            eventually(lambda: s.value("SELECT state FROM tasker.workflow_steps WHERE task_uuid = $1 AND name = 'call'", task) == "in_progress")
            held = self.hold(s, task)
        self.stands(s, "results")
        return task, held

    def child(self, s, task):
        return eventually(lambda: s.sql("SELECT child_uuid FROM tasker.sub_tasks WHERE parent_uuid = $1", task), what="its child")[0].child_uuid

    def test_the_orchestrator_dies_between_the_end_of_the_child_and_that_of_the_step(self):
        s = self.system()
        with Gate(s) as gate:
            task = self.submit(s, child={"gate": gate.path})
            child = self.child(s, task)
            held = self.hold(s, task)
        eventually(lambda: self.state(s, child) == "complete", what="the child is complete")
        self.stands(s, "timers")
        self.assertEqual((self.state(s, task), s.value("SELECT count(*) FROM tasker.sub_task_dues")), ("waiting_for_dependencies", 1))
        s.kill("orchestrator")
        held.close()
        s.respawn("orchestrator")
        self.finish(s, task)

    def test_the_orchestrator_dies_while_it_starts_the_child(self):
        s = self.system()
        task, held = self.holds_call(s)
        s.kill("orchestrator")
        held.close()
        s.respawn("orchestrator")  # the worker offers what was not acknowledged again
        self.finish(s, task)

    def test_the_worker_dies_after_it_has_said_what_it_wants(self):
        s = self.system(workers=2)
        task, held = self.holds_call(s)
        for at in range(2):
            s.kill("worker", at)
        held.close()
        self.child(s, task)
        for at in range(2):
            s.respawn("worker", at)
        self.finish(s, task)

    def test_everybody_dies_again_and_again(self):
        s = self.system(orchestrators=2, workers=2)
        tasks = [s.submit("sub_tasks", "sum_by_halves", {"numbers": list(range(16))}, base=s.process("orchestrator", i % 2)["rest"]) for i in range(8)]

        def done():
            return s.value("SELECT count(*) FROM tasker.tasks WHERE state = 'complete'")
        for round_, (kind, at) in enumerate((("worker", 0), ("orchestrator", 0), ("worker", 1), ("orchestrator", 1))):
            eventually(lambda r=round_: done() >= 20 * (r + 1), 60, f"{20 * (round_ + 1)} tasks are complete")
            s.kill(kind, at)
            s.respawn(kind, at)
        for task in tasks:
            eventually(lambda t=task: self.state(s, t) == "complete", 60, "it is complete")
            self.assertEqual(s.value("SELECT (r.result -> 'result' ->> 'sum')::int FROM tasker.step_results r JOIN tasker.workflow_steps w USING (workflow_step_uuid) "
                                     "WHERE w.task_uuid = $1 AND w.name = 'add' AND r.success", task), 120)
        self.assertEqual(s.value("SELECT count(*) FROM tasker.tasks"), 8 * 15)
        s.doctor()
