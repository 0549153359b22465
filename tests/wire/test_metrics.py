# SPDX-License-Identifier: MIT
"""/metrics of all three services: valid for Prometheus, and the figures are true."""
import os
import signal
import subprocess
import unittest

from lib.system import System, eventually
from test_rest import curl


class Metrics(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.s = System()
        cls.addClassCleanup(cls.s.stop)
        for _ in range(3):
            cls.s.run("tests", "diamond", {})
        cls.s.run("rust_e2e_retry", "retry_mechanics_test", {})
        eventually(lambda: cls.s.metric(cls.s.rest, "tasker_orchestrator_tasks_finished_total") == 4, what="what was told is counted")
        eventually(lambda: cls.s.metric(cls.s.process("worker")["rest"], "tasker_worker_permits_in_use") == 0, what="the last handler is forgotten")
        eventually(lambda: cls.s.metric(cls.s.rest, "tasker_orchestrator_steps_in_flight") == 0, what="the last step is forgotten")

    def page(self, kind):
        return curl(self.s.process(kind)["rest"] + "/metrics")

    def test_promtool_accepts_all_pages(self):
        for kind in ("orchestrator", "worker", "cache"):
            with self.subTest(kind):
                page = self.page(kind)
                self.assertEqual((page.status, page.headers["content-type"]), (200, "text/plain; version=0.0.4; charset=utf-8"))
                done = subprocess.run(["promtool", "check", "metrics"], input=page.body, capture_output=True, check=False)
                self.assertEqual((done.returncode, done.stdout + done.stderr), (0, b""))

    def test_the_runtime_as_json_agrees_with_the_page(self):
        actors = {"orchestrator": {"intake", "results", "dispatch", "timers", "sweeper", "query", "show", "hint"},
                  "worker": {"execute", "timer", "connect", "enlist", "recorder", "at_gate", "refuser", "order_watch"}, "cache": {"load", "invalidate"}}
        for kind, names in actors.items():
            with self.subTest(kind):
                rest = self.s.process(kind)["rest"]
                runtime = curl(rest + "/v1/debug/runtime").json
                self.assertEqual((runtime["service"], runtime["pid"]), (kind, self.s.process(kind)["pid"]))
                self.assertEqual({a["actor"] for a in runtime["actors"]}, names)
                self.assertEqual({a["actor_ready"] - a["actor_threads"] for a in runtime["actors"]}, {0})
                self.assertGreater(runtime["process"]["resident_bytes"], 1e6)
                for name in ("tasks_created_total", "steps_settled_total", "steps_taken_total", "loads_total"):
                    full = f"tasker_{kind}_{name}"
                    if full in runtime["metrics"]:
                        value = runtime["metrics"][full]
                        self.assertEqual(sum(value.values()) if isinstance(value, dict) else value, self.s.metric(rest, full), full)
        intake = next(a for a in curl(self.s.rest + "/v1/debug/runtime").json["actors"] if a["actor"] == "intake")
        self.assertEqual((intake["actor_messages_total"], intake["mailbox_received_total"], intake["mailbox_depth"]), (4, 4, 0))

    def things(self, kind, what):
        return {t["name"]: t for t in curl(self.s.process(kind)["rest"] + "/v1/debug/runtime").json[what]}

    def test_streams_count_the_same_on_both_sides(self):
        def agree():
            ours = self.things("orchestrator", "streams")["Connect"]
            theirs, = (s for name, s in self.things("worker", "streams").items() if name == self.s.process("orchestrator")["grpc"])
            pairs = [(ours[f"stream_{a}_total"], theirs[f"stream_{b}_total"]) for a, b in (
                ("frames_sent", "frames_received"), ("frames_received", "frames_sent"), ("sent_bytes", "received_bytes"), ("received_bytes", "sent_bytes"))]
            return all(a == b > 0 for a, b in pairs) and (ours["stream_open"], theirs["stream_open"], ours["stream_in_flight"], theirs["stream_in_flight"]) == (1, 1, 0, 0)
        eventually(agree, what="both sides have counted the same")

    def test_connections_and_permits_have_names(self):
        connections = self.things("orchestrator", "connections")
        self.assertLessEqual({"tasker-intake", "tasker-results", "tasker-query"}, set(connections))
        for name, c in connections.items():
            self.assertTrue(c["connection_open"] == c["connection_opened_total"] > 0 and c["connection_failures_total"] == 0, (name, c))
        self.assertIn(connections["tasker-intake"]["last"], ("engine.create_task", "engine.create_tasks"))
        permits = self.things("worker", "permits")["handlers"]
        self.assertEqual((permits["permits_in_use"], permits["permits_waiting"], permits["permits_acquired_total"]), (0, 0, 15))
        self.assertEqual(permits["permits_capacity"], self.s.metric(self.s.process("worker")["rest"], "tasker_worker_permits"))
        self.assertIn('tasker_permits_acquired_total{permits="handlers"} 15', self.page("worker").body.decode())

    def test_usr1_logs_the_runtime(self):
        for kind in ("orchestrator", "worker", "cache"):
            with self.subTest(kind):
                os.kill(self.s.process(kind)["pid"], signal.SIGUSR1)

                def logged():
                    return [line for line in self.s.log_lines(f"{kind}-1") if line["event"] == "service.runtime"]
                line, = eventually(logged, what="it is in the log")
                self.assertEqual(line["runtime"]["service"], kind)
                self.assertGreater(len(line["runtime"]["actors"]), 1)

    def test_counts_are_true(self):
        rest, worker = self.s.rest, self.s.process("worker")["rest"]
        steps, attempts = 3 * 4 + 1, 3 * 4 + 3
        self.assertEqual(self.s.metric(rest, "tasker_orchestrator_tasks_created_total"), 4)
        self.assertEqual(self.s.metric(rest, "tasker_orchestrator_tasks_finished_total"), 4)
        self.assertEqual(self.s.metric(rest, "tasker_orchestrator_steps_settled_total"), attempts)
        self.assertEqual(self.s.metric(rest, "tasker_orchestrator_steps_dispatched_total"), attempts)
        self.assertEqual(self.s.metric(rest, "tasker_orchestrator_steps_in_flight"), 0)
        self.assertEqual(self.s.metric(rest, "tasker_orchestrator_workers_connected"), 1)
        self.assertEqual(self.s.metric(worker, "tasker_worker_steps_taken_total"), attempts)
        self.assertEqual(self.s.metric(worker, "tasker_worker_steps_finished_total"), attempts)
        self.assertEqual(self.s.value("SELECT count(*) FROM tasker.step_results WHERE success"), steps)
        self.assertGreater(self.s.metric(self.s.process("cache")["rest"], "tasker_cache_loads_total"), 0)
