# SPDX-License-Identifier: MIT
"""`GET /v1/tasks/{uuid}/timeline` and `tasker task timeline`: every attempt once, in order, with the times of the database."""
import datetime
import unittest

from lib.system import System, eventually, tasker


class Timeline(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.s = System()
        cls.addClassCleanup(cls.s.stop)

    def timeline(self, task):
        reply = self.s.call("GET", f"/v1/tasks/{task}/timeline")
        self.assertEqual((reply.status, reply.json["task_uuid"]), (200, task))
        return reply.json

    def shown(self, task):
        done = tasker("task", "timeline", task, env={"TASKER_URL": self.s.rest})
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return done.stdout.splitlines()

    def test_a_diamond(self):
        asked = datetime.datetime.now(datetime.timezone.utc)
        task = self.s.run("tests", "diamond", {"sleep_ms": 50})
        task, created = task["task_uuid"], datetime.datetime.fromisoformat(task["created_at"])
        said = self.timeline(task)
        self.assertEqual((said["status"], len(said["attempts"])), ("complete", 4))
        row, = self.s.sql("SELECT round(extract(epoch FROM completed_at - created_at) * 1000, 3)::float8 AS ms FROM tasker.tasks WHERE task_uuid = $1", task)
        self.assertAlmostEqual(said["total_ms"], row.ms, places=2)
        first, left, right, last = said["attempts"]
        self.assertEqual(first["ready_ms"], 0)
        for a in said["attempts"]:
            self.assertEqual((a["attempt"], a["outcome"], a["worker"]), (1, "complete", "worker-1"))
            self.assertTrue(a["ready_ms"] <= a["dispatched_ms"] < a["settled_ms"] <= said["total_ms"] + 0.001, a)
            self.assertGreaterEqual(a["handler_ms"], 50)
            self.assertGreaterEqual(a["settled_ms"] - a["dispatched_ms"], 50)
        self.assertTrue((asked - created).total_seconds() * 1000 - 1 < said["accepted_ms"] <= 0, said["accepted_ms"])
        for a in said["attempts"]:
            s = a["stages"]
            way = [a["dispatched_ms"], *(s[k + "_ms"] for k in ("committed", "received", "permit", "handled", "returned")), a["settled_ms"]]
            self.assertEqual(way, sorted(way), "one machine, one clock")
            self.assertGreaterEqual(s["handled_ms"] - s["permit_ms"], 50)
            self.assertLess(s["handled_ms"] - s["permit_ms"], a["settled_ms"] - a["dispatched_ms"])
            least, most = s["worker_clock_ms"]
            self.assertTrue(least <= 0 <= most, s)
        self.assertEqual({left["ready_ms"], right["ready_ms"]}, {first["settled_ms"]})
        self.assertEqual(last["ready_ms"], max(left["settled_ms"], right["settled_ms"]))
        head, _, titles, *lines = self.shown(task)
        *lines, _, clocks, _ = lines
        self.assertRegex(head, r"^diamond: complete, [\d.]+ ms by the database's clock(, accepted \d+ ms before)?$")
        self.assertEqual((titles.split(), len(lines)), (["STEP", "WAITED", "SENT", "PERMIT", "HANDLER", "BACK", "STORED", "OUTCOME"], 4))
        for line, a in zip(lines, said["attempts"]):
            self.assertRegex(line, rf"^{a['step']} +([\d.]+ ms +){{6}}complete +░*▒*█+▒*$")
        self.assertIn("other clocks", clocks)
        bars = [line.split("complete  ")[1] for line in lines]
        self.assertLessEqual(bars[0].index("█"), bars[1].index("█"))
        self.assertLessEqual(bars[1].index("█"), bars[3].index("█"))
        self.assertLess(bars[0].index("█"), bars[3].index("█"))

    def test_every_attempt_has_its_line(self):
        task = self.s.run("rust_e2e_retry", "retry_mechanics_test", {})["task_uuid"]
        attempts = self.timeline(task)["attempts"]
        self.assertEqual([(a["attempt"], a["outcome"]) for a in attempts], [(1, "waiting_for_retry"), (2, "waiting_for_retry"), (3, "complete")])
        for before, after in zip(attempts, attempts[1:]):
            self.assertEqual(after["ready_ms"], before["settled_ms"])
            self.assertGreater(after["dispatched_ms"], after["ready_ms"])
        self.assertTrue(self.shown(task)[5].startswith("fail_twice_then_succeed (attempt 3)"))

    def test_what_still_runs_has_no_end(self):
        task = self.s.submit("tests", "chain", {"sleep_ms": 60000})
        said = eventually(lambda: (t := self.timeline(task))["attempts"] and t, what="its first step runs")
        only, = said["attempts"]
        self.assertEqual((said["total_ms"], only["settled_ms"], only["outcome"], only["handler_ms"]), (None, None, None, None))
        self.assertIn("in_progress", self.shown(task)[-1])
        self.s.call("DELETE", f"/v1/tasks/{task}")
        self.assertEqual([a["outcome"] for a in self.timeline(task)["attempts"]], ["cancelled"])

    def test_unknown_and_bad(self):
        self.assertEqual(self.s.call("GET", "/v1/tasks/00000000-0000-0000-0000-000000000000/timeline").status, 404)
        self.assertEqual(self.s.call("GET", "/v1/tasks/zzz/timeline").status, 400)
