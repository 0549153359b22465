# SPDX-License-Identifier: MIT
"""Whoever looks at a service while it stops sees it come to rest, and is answered until it is gone."""
import http.client
import json
import subprocess
import threading
import time
import unittest
import urllib.parse

from lib.system import SLOW, System, eventually

LOOKS = ("/metrics", "/v1/debug/runtime", "/health/detailed")


class Looker(threading.Thread):
    """Asks for the same again and again, on one connection as scrapers do, until nobody answers."""

    def __init__(self, base, path):
        super().__init__(daemon=True)
        self.path, self.statuses, self.wrong = path, [], None
        self.refused_at = None  # when it first heard 503, seconds since 1970
        self.conn = http.client.HTTPConnection(urllib.parse.urlsplit(base).netloc, timeout=20 * SLOW)
        self.start()

    def run(self):
        try:
            while True:
                self.conn.request("GET", self.path)
                reply = self.conn.getresponse()
                body = reply.read()
                self.statuses.append(reply.status)
                if reply.status == 503 and self.refused_at is None:
                    self.refused_at = time.time()
                if self.path == "/v1/debug/runtime" and reply.status == 200:
                    json.loads(body)
        except (OSError, http.client.HTTPException):
            pass
        except ValueError as e:
            self.wrong = e


class Stopping(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.s = System()
        cls.addClassCleanup(cls.s.stop)  # tells what a sanitizer wrote

    def stop_under_their_eyes(self, kind):
        process = self.s.process(kind)
        lookers = [Looker(process["rest"], path) for path in LOOKS for _ in range(2)]
        eventually(lambda: all(len(x.statuses) > 20 for x in lookers), what="all look")
        self.s.kill(kind, sig=15)
        eventually(lambda: not self.s.alive(process["pid"]), 40, "it has stopped")
        for x in lookers:
            x.join(20 * SLOW)
            self.assertFalse(x.is_alive() or x.wrong, (x.path, x.wrong))
            self.assertLessEqual(set(x.statuses[-1:]), {200, 503})
        with open(process["log"], encoding="utf-8") as f:
            self.assertIn('"service.stopped"', f.read().splitlines()[-1])
        return lookers

    def test_0_an_address_that_is_taken(self):
        """A service that cannot listen says so and ends, without having been there."""
        for kind in ("orchestrator", "worker", "cache"):
            with self.subTest(kind):
                process = self.s.process(kind)
                argv, env = self.s._commands[process["pid"]]
                done = subprocess.run([*argv, "--set", "rest.bind=127.0.0.1:0", "--set", f"grpc.bind={process['grpc']}"], env=env, capture_output=True,
                                      text=True, timeout=30 * SLOW, check=False)
                self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
                self.assertNotIn("runtime error", done.stderr)
                self.assertIn(process["grpc"], done.stdout + done.stderr)

    def test_1_worker_that_finishes_a_step(self):
        task = self.s.submit("tests", "chain", {"sleep_ms": 1000, "journal": self.s.journal})
        eventually(lambda: self.s.value("SELECT count(*) FROM tasker.workflow_steps WHERE task_uuid = $1 AND state = 'in_progress'", task) == 1, what="it runs")
        lookers = self.stop_under_their_eyes("worker")
        ended = self.s.value("SELECT extract(epoch FROM max(settled_at)) FROM tasker.workflow_steps WHERE task_uuid = $1", task)
        for x in lookers:
            if x.path != "/health/detailed":  # a worker that drains says so there
                served = x.statuses.index(503) if x.refused_at else len(x.statuses)
                self.assertEqual((set(x.statuses[:served]), set(x.statuses[served:]) - {503}), ({200}, set()), x.path)
                self.assertGreater(x.refused_at or time.time(), ended, "answered while the step runs")
        self.assertEqual(self.s.value("SELECT max(losses) FROM tasker.workflow_steps WHERE task_uuid = $1", task), 0)

    def test_2_cache(self):
        self.stop_under_their_eyes("cache")

    def test_3_orchestrator(self):
        self.stop_under_their_eyes("orchestrator")
