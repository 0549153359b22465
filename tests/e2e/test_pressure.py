# SPDX-License-Identifier: MIT
"""More work than fits, and the end of a process: what is accepted is kept, what is not is told so."""
import concurrent.futures
import os
import signal
import unittest
import uuid

from lib.system import SLOW, System, eventually

MAILBOX = 4


def body(**context):
    return {"namespace": "tests", "name": "chain", "version": "1.0.0", "context": {"run": str(uuid.uuid4()), **context}, "initiator": "test",
            "source_system": "tests", "reason": "test"}


class Pressure(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.s = System(env={"TASKER_INTAKE_MAILBOX_MAX": str(MAILBOX), "TASKER_INTAKE_BATCH_MAX": "1"})
        cls.addClassCleanup(cls.s.stop)

    def test_a_full_intake_refuses_with_retry_after_and_keeps_what_it_took(self):
        clients = 4 * MAILBOX
        bodies = [body() for _ in range(clients)]
        with concurrent.futures.ThreadPoolExecutor(clients) as pool, self.s.conn() as c:  # the lock goes first, whatever happens
            c.script("BEGIN; LOCK TABLE tasker.tasks IN EXCLUSIVE MODE")  # the next creating transaction waits
            answers = [pool.submit(self.s.call, "POST", "/v1/tasks", b) for b in bodies]
            waiting = MAILBOX + 2  # one is in the database, one may be between
            eventually(lambda: sum(a.done() for a in answers) >= clients - waiting, what="all but those that wait are answered")
            refused = [a.result() for a in answers if a.done()]
            self.assertEqual({r.status for r in refused}, {503})
            for r in refused:
                self.assertGreaterEqual(int(r.headers["Retry-After"]), 1)
                self.assertEqual(r.json["error"]["code"], "BACKPRESSURE")
            ready = self.s.call("GET", "/health/live")
            self.assertEqual(ready.status, 200)
            c.script("COMMIT")
            statuses = [a.result().status for a in answers]
        self.assertEqual(statuses.count(200) + statuses.count(503), clients)
        self.assertIn(statuses.count(200), range(MAILBOX, waiting + 1))
        self.assertEqual(self.s.value("SELECT count(*) FROM tasker.tasks"), statuses.count(200))
        again = [self.s.call("POST", "/v1/tasks", b).status for b, status in zip(bodies, statuses) if status == 503]
        self.assertEqual(set(again), {200})
        eventually(lambda: self.s.value("SELECT count(*) FROM tasker.tasks WHERE state = 'complete'") == clients, what="all are complete")
        self.s.doctor()


class Shedding(unittest.TestCase):
    """New tasks are refused before the mailbox is full, and it is told: in the answer, in the log, in health, in the metrics."""
    ROOM, PERCENT = 20, 50

    @classmethod
    def setUpClass(cls):
        cls.s = System(env={"TASKER_INTAKE_MAILBOX_MAX": str(cls.ROOM), "TASKER_INTAKE_BATCH_MAX": "1", "TASKER_SHEDDING_PERCENT": str(cls.PERCENT),
                            "TASKER_SHEDDING_WARN_PERCENT": "25"})
        cls.addClassCleanup(cls.s.stop)

    def metric(self, name):
        return self.s.metric(self.s.rest, f"tasker_orchestrator_{name}")

    def test_tasks_are_refused_at_the_mark_and_taken_again_below_it(self):
        clients, most = 2 * self.ROOM, self.ROOM * self.PERCENT // 100
        with concurrent.futures.ThreadPoolExecutor(clients) as pool, self.s.conn() as c:
            c.script("BEGIN; LOCK TABLE tasker.tasks IN EXCLUSIVE MODE")
            answers = []
            for _ in range(clients):  # one after the other, so that each sees the depth the one before left
                before = len([a for a in answers if not a.done()])
                answers.append(pool.submit(self.s.call, "POST", "/v1/tasks", body()))
                eventually(lambda seen=before, last=answers[-1]: last.done() or self.metric("pressure_percent") >= 5 * max(0, seen - 1), what="it is inside or refused")
            eventually(lambda: sum(a.done() for a in answers) >= clients - most - 2, what="what is above the mark is answered")
            refused = [a.result() for a in answers if a.done()]
            self.assertEqual({r.status for r in refused}, {503})
            for r in refused:
                self.assertEqual(r.json["error"]["code"], "BACKPRESSURE")
                self.assertGreaterEqual(int(r.headers["Retry-After"]), 1)
                self.assertRegex(r.json["error"]["message"], rf"mailbox 'intake' is \d+ % full \(\d+ of {self.ROOM}\)")
            self.assertGreaterEqual(self.metric("pressure_percent"), self.PERCENT)
            self.assertLess(self.metric("pressure_percent"), 100)  # refused before it was full
            eventually(lambda: self.metric("tasks_refused_total") == sum(a.done() for a in answers), what="every refusal is counted")
            check = self.s.call("GET", "/health/detailed").json["checks"]["channel_saturation"]
            self.assertIn("new tasks are refused", check["message"])
            c.script("COMMIT")
            statuses = [a.result().status for a in answers]
        self.assertIn(statuses.count(200), range(most, most + 3))
        eventually(lambda: self.metric("pressure_percent") == 0, what="the mailbox is empty")
        self.assertEqual(self.s.call("POST", "/v1/tasks", body()).status, 200)
        with open(self.s.process("orchestrator")["log"], encoding="utf-8") as f:
            log = f.read()
        self.assertEqual(log.count('"pressure.high"'), 1)
        self.assertEqual(log.count('"pressure.over"'), 1)
        self.s.doctor()


class Permits(unittest.TestCase):
    """Where somebody wants it, new tasks are refused too when the workers of their namespace have little room left."""
    PERMITS, PERCENT = 10, 80

    @classmethod
    def setUpClass(cls):
        cls.s = System(env={"TASKER_WORKER_PERMITS": str(cls.PERMITS), "TASKER_WORKER_PREFETCH": "0", "TASKER_SHEDDING_PERMITS_PERCENT": str(cls.PERCENT),
                            "TASKER_SHEDDING_PERMITS_WARN_PERCENT": "70", "TASKER_SHEDDING_WARN_PERCENT": "0"})
        cls.addClassCleanup(cls.s.stop)

    def in_use(self, n):
        eventually(lambda: self.s.metric(self.s.rest, "tasker_orchestrator_permits_percent") == 100 * n // self.PERMITS, what=f"{n} permits are in use")

    def test_tasks_are_refused_while_the_permits_of_their_namespace_are_in_use(self):
        self.in_use(0)
        self.assertTrue(self.s.call("GET", "/health/detailed").json["checks"]["channel_saturation"]["message"].startswith("all mailboxes have room"))
        most, tasks = self.PERMITS * self.PERCENT // 100, []
        for n in range(most):
            tasks.append(self.s.submit("tests", "chain", {"sleep_ms": 600000, "n": n}))
            self.in_use(n + 1)
        refused = self.s.call("POST", "/v1/tasks", body())
        self.assertEqual((refused.status, refused.json["error"]["code"]), (503, "BACKPRESSURE"))
        self.assertGreaterEqual(int(refused.headers["Retry-After"]), 1)
        self.assertIn(f"permits of namespace 'tests' are {self.PERCENT} % in use ({most} of {self.PERMITS})", refused.json["error"]["message"])
        self.assertIn('tasker_orchestrator_tasks_refused_total{reason="permits"} 1\n', self.s.call("GET", "/metrics").body.decode())
        self.assertIn("new tasks are refused", self.s.call("GET", "/health/detailed").json["checks"]["channel_saturation"]["message"])
        self.assertEqual(self.s.value("SELECT count(*) FROM tasker.tasks"), most)
        self.assertEqual(self.s.call("DELETE", f"/v1/tasks/{tasks.pop()}").status, 200)
        self.in_use(most - 1)
        self.assertEqual(self.s.run("tests", "chain", {"n": most})["status"], "complete")
        self.in_use(most - 1)
        told = [line for line in self.s.log_lines("orchestrator-1") if line["event"] == "permits.high"]
        self.assertTrue(told)
        self.assertGreaterEqual(told[0]["percent"], 70)
        for task in tasks:
            self.assertEqual(self.s.call("DELETE", f"/v1/tasks/{task}").status, 200)
        self.in_use(0)
        self.s.doctor()


class Stop(unittest.TestCase):
    def setUp(self):
        self.s = System(env={"TASKER_SHUTDOWN_GRACE": "60s"})
        self.addCleanup(self.s.stop)

    def own(self, kind):
        """Starts the service anew as a child of ours, so that its exit status can be read."""
        self.s.kill(kind)
        self.s.respawn(kind)
        return self.s._spawned[-1]

    def long_task(self):
        task = self.s.submit("tests", "chain", {"sleep_ms": 600000, "journal": self.s.journal})
        eventually(lambda: os.path.exists(self.s.journal) and task in open(self.s.journal, encoding="utf-8").read(), what="its handler runs")
        return task

    def test_a_worker_finishes_what_it_runs_unless_told_twice(self):
        child = self.own("worker")
        task = self.long_task()
        child.send_signal(signal.SIGTERM)
        eventually(lambda: not self.s.ready("worker"), what="it is not ready any more")
        self.assertIsNone(child.poll())
        self.assertEqual(self.s.value("SELECT state FROM tasker.workflow_steps WHERE task_uuid = $1 AND step_no = 0", task), "in_progress")
        child.send_signal(signal.SIGTERM)
        self.assertEqual(child.wait(10 * SLOW), 1)
        self.s.respawn("worker")  # nothing is lost: the step runs again
        eventually(lambda: self.s.value("SELECT attempts FROM tasker.workflow_steps WHERE task_uuid = $1 AND step_no = 0", task) == 2, what="the step runs again")
        self.assertEqual(self.s.call("DELETE", f"/v1/tasks/{task}").status, 200)
        self.s.doctor()

    def test_an_orchestrator_that_stops_answers_its_waiters_and_the_worker_keeps_its_step(self):
        child = self.own("orchestrator")
        eventually(lambda: self.s.ready("orchestrator"), what="it is ready")
        task = self.long_task()
        with concurrent.futures.ThreadPoolExecutor(20) as pool:
            waits = [pool.submit(self.s.call, "GET", f"/v1/tasks/{task}?wait=60s") for _ in range(20)]
            eventually(lambda: self.s.metric(self.s.rest, "tasker_orchestrator_waiters") == 20, what="all wait")
            child.send_signal(signal.SIGTERM)
            self.assertEqual({(w.result().status, w.result().json["status"]) for w in waits}, {(200, "steps_in_process")})
        self.assertEqual(child.wait(60 * SLOW), 0)
        self.s.respawn("orchestrator")
        eventually(lambda: self.s.ready("orchestrator"), what="it is back")
        row, = self.s.sql("SELECT state, attempts FROM tasker.workflow_steps WHERE task_uuid = $1 AND step_no = 0", task)
        self.assertEqual((row.state, row.attempts), ("in_progress", 1))
        eventually(lambda: self.s.metric(self.s.rest, "tasker_orchestrator_steps_in_flight") == 1, what="the worker says what it still holds")
        self.assertEqual(self.s.call("DELETE", f"/v1/tasks/{task}").status, 200)
        eventually(lambda: "cancelled" in open(self.s.journal, encoding="utf-8").read(), what="the handler is told")
        self.s.doctor()
