# SPDX-License-Identifier: MIT
"""`GET /v1/analytics/performance` and `/bottlenecks`: figures that can be counted, and `tasker analytics`."""
import re
import unittest

from lib.system import System, tasker

T4 = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00$")
PERFORMANCE = {"total_tasks", "active_tasks", "completed_tasks", "failed_tasks", "completion_rate", "error_rate", "average_task_duration_seconds",
               "average_step_duration_seconds", "tasks_per_hour", "steps_per_hour", "system_health_score", "analysis_period_start", "calculated_at"}


class Analytics(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.s = System()
        cls.addClassCleanup(cls.s.stop)
        for _ in range(6):
            cls.s.run("tests", "chain", {"sleep_ms": 20})
        for _ in range(2):
            assert cls.s.run("tests", "blocked", {})["status"] == "blocked_by_failures"

    def get(self, path, status=200):
        answer = self.s.call("GET", f"/v1/analytics/{path}")
        self.assertEqual(answer.status, status, answer)
        return answer.json if status == 200 else answer.body.decode()

    def test_performance(self):
        for query in ("performance", "performance?hours=0", "performance?hours=1"):
            found = self.get(query)
            self.assertEqual(set(found), PERFORMANCE)
            self.assertEqual((found["total_tasks"], found["active_tasks"], found["completed_tasks"], found["failed_tasks"]), (8, 2, 6, 2))
            self.assertEqual((found["completion_rate"], found["error_rate"], found["system_health_score"]), (75, 25, 0.75))
            self.assertGreater(found["average_task_duration_seconds"], 4 * 0.02)
            self.assertGreater(found["average_step_duration_seconds"], 0.01)
            self.assertEqual((found["tasks_per_hour"], found["steps_per_hour"]), (0, 1) if query == "performance" else (8, 26))
            for key in ("analysis_period_start", "calculated_at"):
                self.assertRegex(found[key], T4)

    def test_bottlenecks(self):
        found = self.get("bottlenecks?min_executions=2")
        self.assertEqual(set(found), {"slow_steps", "slow_tasks", "resource_utilization", "recommendations"})
        steps = {(s["task_name"], s["step_name"]): s for s in found["slow_steps"]}
        self.assertEqual((len(steps), steps["chain", "one"]["execution_count"], steps["blocked", "middle"]["error_rate"]), (6, 6, 100))
        self.assertEqual([s["average_duration_seconds"] for s in found["slow_steps"]], sorted((s["average_duration_seconds"] for s in found["slow_steps"]), reverse=True))
        self.assertGreater(steps["chain", "one"]["average_duration_seconds"], 0.02)
        tasks = {t["task_name"]: t for t in found["slow_tasks"]}
        self.assertEqual((tasks["chain"]["average_step_count"], tasks["chain"]["error_count"], tasks["blocked"]["error_rate"]), (4, 0, 100))
        self.assertRegex(tasks["chain"]["last_executed_at"], T4)
        health = found["resource_utilization"]["system_health"]
        self.assertEqual((len(health), health["complete_tasks"], health["blocked_by_failures_tasks"], health["error_steps"], health["total_tasks"], health["total_steps"]),
                         (24, 6, 2, 2, 8, 30))
        self.assertTrue(0 <= found["resource_utilization"]["database_pool_utilization"] <= 1)
        self.assertEqual(found["recommendations"], ["Step middle of tests/blocked@1.0.0 fails in 100.0 % of its runs.",
                                                    "2 tasks are blocked by failures: tasker task list --status blocked_by_failures"])
        self.assertEqual([t["task_name"] for t in self.get("bottlenecks")["slow_tasks"]], ["chain"], "at least five runs")
        self.assertEqual(len(self.get("bottlenecks?limit=2")["slow_steps"]), 2)

    def test_bad_numbers(self):
        for query in ("performance?hours=x", "performance?hours=-1", "bottlenecks?limit=", "bottlenecks?min_executions=1e3"):
            self.assertTrue(self.get(query, 400).startswith("Failed to deserialize query string: "), query)

    def test_the_command_line(self):
        env = {"TASKER_URL": self.s.rest}
        shown = tasker("analytics", "performance", "--hours", "1", env=env)
        self.assertIn("6 complete (75.00 %), 2 failed (25.00 %)", shown.stdout)
        shown = tasker("analytics", "bottlenecks", "--min-executions", "2", env=env)
        self.assertRegex(shown.stdout, r"(?m)^tests/chain@1\.0\.0 one +\d\.\d{3} s +\d\.\d{3} s +6 +0\.00 %$")
        self.assertIn("fails in 100.0 % of its runs", shown.stdout)
        self.assertIn('"slow_steps"', tasker("analytics", "bottlenecks", "--json", env=env).stdout)
        self.assertEqual(tasker("analytics", "performance", "--hours", "x", env=env).returncode, 1)
