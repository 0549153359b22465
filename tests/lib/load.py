# SPDX-License-Identifier: MIT
"""A load of mixed graphs for fault tests, and what must hold when it is over whatever happened meanwhile.

Model: submitters hand in tasks at a steady pace while the test breaks things. A submitter that hears 503, or nothing, says the
same again (same `_test_run_id`, so a task stored without an answer is a 409 the second time). Who owns a result is asked of
the database, never of the answers.
"""
import http.client
import threading
import time
import urllib.error
import uuid

from lib.system import SLOW, eventually

MIX = [("chain", {"sleep_ms": 20}), ("diamond", {"sleep_ms": 15}), ("tree", {"sleep_ms": 10}), ("fan", {"sleep_ms": 5})]
STEPS = {"chain": 4, "diamond": 4, "tree": 8, "fan": 22}
PATIENCE_S = 90


class Load:
    def __init__(self, system, tasks=200, submitters=4, pace_ms=0, context=None):
        self.s, self.n, self.pace_ms, self.context = system, tasks, pace_ms, context or {}
        self.ids = [str(uuid.uuid4()) for _ in range(tasks)]
        self.answers, self._lock, self._at = {}, threading.Lock(), 0
        self._pause = threading.Event()
        self._threads = [threading.Thread(target=self._submitter, args=(i,), daemon=True) for i in range(submitters)]
        self.problems = []

    def start(self):
        for t in self._threads:
            t.start()
        return self

    def _next(self):
        with self._lock:
            at, self._at = self._at, self._at + 1
        return at if at < self.n else None

    def _submitter(self, number):
        while (at := self._next()) is not None:
            name, context = MIX[at % len(MIX)]
            body = {"namespace": "tests", "name": name, "version": "1.0.0", "initiator": "load", "source_system": "tests", "reason": "faults",
                    "context": {**context, **self.context, "_test_run_id": self.ids[at], "journal": self.s.journal}}
            end = time.monotonic() + PATIENCE_S * SLOW
            while True:
                base = self.s.endpoints["orchestrators"][(at + number) % len(self.s.endpoints["orchestrators"])]["rest"]
                try:
                    status = self.s.call("POST", "/v1/tasks", body, base=base, timeout=15).status
                except (urllib.error.URLError, http.client.HTTPException, OSError):
                    status = 0
                if status in (200, 409):
                    break
                if status not in (0, 500, 503) or time.monotonic() > end:
                    self.problems.append(f"submit {at} to {base}: {status}")
                    break
                number += 1  # another orchestrator may be alive
                self._pause.wait(0.1)
            with self._lock:
                self.answers[at] = status
            self._pause.wait(self.pace_ms / 1000)

    # -- looking --

    def count(self, where="true"):
        return self.s.value(f"SELECT count(*) FROM tasker.tasks WHERE context->>'_test_run_id' = ANY ($1) AND {where}", self.ids)

    def until(self, complete, seconds=60):
        """Until so many tasks are complete."""
        eventually(lambda: self.count("state = 'complete'") >= complete, seconds, f"{complete} tasks complete")

    def finish(self, test, seconds=120):
        """Everything submitted is complete, settled once, and the database is consistent."""
        for t in self._threads:
            t.join((PATIENCE_S + 30) * SLOW)
        test.assertEqual(self.problems, [])
        try:
            eventually(lambda: self.count("state = 'complete'") == self.n, seconds, f"{self.n} tasks complete", every=0.1)
        except AssertionError:
            open_steps = self.s.sql("SELECT t.task_uuid, t.state AS task, s.name, s.state, s.attempts, s.forgiven, s.losses, s.msg_id FROM tasker.tasks t "
                                    "JOIN tasker.workflow_steps s USING (task_uuid) WHERE t.state <> 'complete' AND s.state NOT IN ('complete', 'pending') LIMIT 10")
            states = self.s.sql("SELECT state, count(*) FROM tasker.tasks GROUP BY 1")
            raise AssertionError(f"not complete: {states}; {open_steps}\n{self.s.logs(60)}") from None
        test.assertEqual(self.count(), self.n)
        expected = sum(STEPS[MIX[i % len(MIX)][0]] for i in range(self.n))
        of_load = "FROM tasker.tasks t JOIN tasker.{0} x USING (task_uuid) WHERE t.context->>'_test_run_id' = ANY ($1)"
        test.assertEqual(self.s.value("SELECT count(*) " + of_load.format("workflow_steps") + " AND x.state = 'complete'", self.ids), expected)
        test.assertEqual(self.s.value("SELECT count(*) " + of_load.format("step_results") + " AND x.success", self.ids), expected)
        test.assertEqual(self.s.sql("SELECT workflow_step_uuid, count(*) FROM tasker.step_results WHERE success GROUP BY 1 HAVING count(*) > 1"), [])
        test.assertEqual(self.s.value("SELECT count(*) FROM pgmq.q_worker_tests_queue"), 0)
        self.s.doctor()
