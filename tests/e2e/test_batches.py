# SPDX-License-Identifier: MIT
"""Batches: how many instances, what each is given, how many run at once, what converges, what a failure means."""
import importlib.util
import os

from lib.gate import Gate
from lib.replicas import Replicas
from lib.system import ROOT, SLOW, eventually

CSV = ("csv_processing_rust", "csv_product_inventory_analyzer")
_spec = importlib.util.spec_from_file_location("products", os.path.join(ROOT, "examples", "data", "products.py"))
products = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(products)


def result(task, step):
    return task["by_name"][step]["results"]["result"]


def instances(task, worker):
    return sorted(n for n in task["by_name"] if n.startswith(worker + "_"))


class Batches(Replicas):
    def complete(self, namespace, name, context, **fields):
        task = self.s.run(namespace, name, context, **fields)
        self.assertEqual((task["status"], {s["current_state"] for s in task["by_name"].values()}), ("complete", {"complete"}), task)
        return task

    # -- data set --

    def test_a_data_set_by_size(self):
        for size, workers in ((500, 0), (1000, 1), (1001, 2), (3500, 4), (5000, 5), (25000, 10)):
            with self.subTest(size):
                task = self.complete("data_processing", "large_dataset_processor", {"dataset_size": size})
                names = [f"process_batch_{i:03}" for i in range(1, workers + 1)] or ["process_batch_000"]
                self.assertEqual((instances(task, "process_batch"), task["total_steps"]), (names, len(names) + 2))
                total = result(task, "aggregate_results")
                self.assertEqual((total["total_processed"], total["worker_count"], total["scenario"]),
                                 (size, workers, "with_batches" if workers else "no_batches"))
                if not workers:
                    self.assertIs(result(task, "process_batch_000")["no_op"], True)
                    continue
                ranges = [(result(task, n)["start_cursor"], result(task, n)["end_cursor"]) for n in names]
                self.assertEqual((ranges[0][0], ranges[-1][1]), (0, size))
                self.assertTrue(all(a[1] == b[0] for a, b in zip(ranges, ranges[1:])))
                self.assertEqual(sum(result(task, n)["processed_count"] for n in names), size)

    def test_only_the_analyzer_exists_at_first(self):
        reply = self.s.call("POST", "/v1/tasks", {"namespace": "data_processing", "name": "large_dataset_processor", "version": "1.0.0",
                                                  "initiator": "test", "source_system": "tests", "reason": "count", "context": {"dataset_size": 50}})
        self.assertEqual(reply.json["total_steps"], 1, reply)
        task = self.s.wait(reply.json["task_uuid"])
        self.assertEqual((task["status"], task["total_steps"]), ("complete", 3))

    # -- CSV --

    def csv(self, rows, **context):
        path = os.path.join(self.s.dir, f"products_{rows}.csv")
        totals = products.write(path, rows)
        return self.complete(*CSV, {"csv_file_path": path, **context}), totals

    def test_a_csv_file_adds_up(self):
        for rows, workers in ((1000, 5), (200, 1), (999, 5), (450, 3)):
            with self.subTest(rows):
                task, totals = self.csv(rows, analysis_mode="inventory")
                self.assertEqual(instances(task, "process_csv_batch"), [f"process_csv_batch_{i:03}" for i in range(1, workers + 1)])
                found = result(task, "aggregate_csv_results")
                self.assertEqual((found["total_processed"], found["worker_count"], found["failed_batches"], found["scenario"]), (rows, workers, 0, "with_batches"))
                self.assertAlmostEqual(found["total_inventory_value"], totals["total_inventory_value"], 1)
                self.assertAlmostEqual(found["overall_average_rating"], totals["average_rating"], 9)
                self.assertEqual({k: found[k] for k in ("category_counts", "max_price", "max_price_product")},
                                 {k: totals[k] for k in ("category_counts", "max_price", "max_price_product")})
                cursors = [s["inputs"]["cursor"] for n, s in sorted(task["by_name"].items()) if n.startswith("process_csv_batch_")]
                self.assertEqual((cursors[0]["start_cursor"], cursors[-1]["end_cursor"]), (1, rows + 1))
                self.assertEqual(task["by_name"]["process_csv_batch_001"]["inputs"], {
                    "operation": "inventory_analysis", "cursor": cursors[0], "is_no_op": False, "__template_step_name": "process_csv_batch", "__window": 5,
                    "batch_metadata": {"cursor_field": "row_number", "failure_strategy": "continue_on_failure"}})

    def test_an_empty_csv_file(self):
        for rows in (0, 199):
            task, _ = self.csv(rows)
            self.assertEqual(instances(task, "process_csv_batch"), ["process_csv_batch_000"])
            found = result(task, "aggregate_csv_results")
            self.assertEqual((found["scenario"], found["total_processed"], found["worker_count"], found["total_inventory_value"]), ("no_batches", 0, 0, 0))

    def test_a_file_that_is_not_there_fails_the_analyzer(self):
        task = self.s.run(*CSV, {"csv_file_path": "/nowhere.csv"})
        self.assertEqual((task["status"], task["total_steps"], task["by_name"]["analyze_csv"]["attempts"]), ("blocked_by_failures", 1, 1))

    # -- diamond, decision, batches --

    def test_the_larger_party_is_summed_up(self):
        for numbers, party, batches in (([2, 4, 6, 8, 10, 12], "even", 3), ([1, 3, 5, 7, 9, 11, 2, 4], "odd", 3), (list(range(1, 11)), "even", 3),
                                        ([7], "odd", 1)):
            with self.subTest(str(numbers)):
                task = self.complete("combined_workflow_test", "diamond_decision_batch_processor", {"numbers": numbers})
                other = "odd" if party == "even" else "even"
                self.assertEqual((len(instances(task, f"process_{party}_batch")), instances(task, f"process_{other}_batch")), (batches, []))
                self.assertEqual(task["total_steps"], 4 + 1 + batches + 1)
                mine = [n for n in numbers if n % 2 == (party == "odd")]
                total = result(task, f"aggregate_{party}_results")
                self.assertEqual((total["total_processed"], total["total_sum"], total["batch_count"], total["average"]),
                                 (len(mine), sum(mine), batches, sum(mine) // len(mine)))

    def test_no_numbers_fail_for_good(self):
        name = ("combined_workflow_test", "diamond_decision_batch_processor")
        self.assertIn("/numbers: must have at least 1 items, found 0", self.s.refused(*name, {"numbers": []}))
        task = self.s.run(*name, {"numbers": []}, **self.s.without_schema("diamond_decision_batch.yaml"))
        self.assertEqual((task["total_steps"], task["by_name"]["ddb_diamond_start"]["results"]["error"]["error_type"]), (4, "ValidationError"))

    # -- what an instance is given, and how many run --

    def test_cursors_are_any_json(self):
        configs = [{"batch_id": "a", "start_cursor": "2026-01-01T00:00:00Z", "end_cursor": "2026-02-01T00:00:00Z"},
                   {"batch_id": "b", "start_cursor": {"k": [1, None, "ü"]}, "end_cursor": {"k": []}}, {"batch_id": "c", "start_cursor": None, "end_cursor": 1.5}]
        task = self.complete("tests", "batches", {"outcome": {"type": "create_batches", "worker_template_name": "part", "cursor_configs": configs}})
        for config in configs:
            inputs = result(task, f"part_{config['batch_id']}")["inputs"]
            self.assertEqual((inputs["cursor"], inputs["mode"], inputs["batch_metadata"]), (config, "fast", {"cursor_field": "row", "failure_strategy": "fail_fast"}))
        self.assertEqual(set(result(task, "join")["names"]), {"analyze", "beside", "part_a", "part_b", "part_c"})
        self.assertEqual(set(task["by_name"]["join"]["dependencies"]), {"beside", "part_a", "part_b", "part_c"})

    def most_at_once(self, journal):
        running, most = set(), 0
        with open(journal, encoding="ascii") as f:
            for what, _, step, _ in map(str.split, f):
                if step.startswith("part_"):
                    (running.add if what == "begin" else running.discard)(step)
                    most = max(most, len(running))
        return most

    def test_no_more_run_than_the_window_lets(self):
        journal = os.path.join(self.s.dir, "window")
        task = self.complete("tests", "batches", {"batches": 40, "sleep_ms": 20, "journal": journal})
        self.assertEqual(result(task, "join")["count"], 42)
        self.assertEqual(self.most_at_once(journal), 4)

    def test_nor_when_they_run_again(self):
        """Because of another step they depend on: the analyzer does not run again, the instances are the same."""
        with open(os.path.join(ROOT, "tests/lib/templates/batches.yaml"), encoding="utf-8") as f:
            template = f.read().replace("name: batches\n", "name: batches_beside\n").replace("dependencies: [analyze]\n", "dependencies: [analyze, beside]\n")
        self.assertEqual(self.s.call("POST", "/v1/templates", template.encode(), {"Content-Type": "application/yaml"}).json["outcome"], "registered")
        journal = os.path.join(self.s.dir, "again")
        task = self.complete("tests", "batches_beside", {"batches": 20, "sleep_ms": 10, "journal": journal})
        step = task["by_name"]["beside"]["step_uuid"]
        again = {"action_type": "rerun", "rerun_by": "kim", "reason": "wrong rate"}
        self.assertEqual(self.s.call("PATCH", f"/v1/tasks/{task['task_uuid']}/workflow_steps/{step}", again).status, 200)
        done = self.s.wait(task["task_uuid"], 60)
        self.assertEqual((done["status"], done["generation"]), ("complete", 1))
        with open(journal, encoding="ascii") as f:
            self.assertEqual(sum(line.startswith("begin") and " part_" in line for line in f), 40)
        self.assertEqual(self.most_at_once(journal), 4)

    def test_isolated_failures_wait_for_a_person_and_then_for_their_turn(self):
        journal, batch = os.path.join(self.s.dir, "isolated"), [f"part_{i:03}" for i in range(1, 10)]
        task = self.s.submit("tests", "batches_isolated", {"batches": 9, "broken_once": 6, "sleep_ms": 20, "journal": journal})

        def states():
            return {s["name"]: s["current_state"] for s in self.s.call("GET", f"/v1/tasks/{task}/workflow_steps").json}
        ran = {"analyze": "complete", **{n: "error" for n in batch[:6]}, **{n: "complete" for n in batch[6:]}, "join": "pending"}
        eventually(lambda: states() == ran, 60, "those that did not fail have run to their ends")
        self.assertEqual(self.s.call("GET", f"/v1/tasks/{task}").json["status"], "blocked_by_failures")
        self.assertIn("part_001 failed", self.s.call("GET", f"/v1/tasks/{task}/explain").json["summary"])
        tasks = {"by": "kim", "reason": "mended", "action": "reset", "filter": {"status": "blocked_by_failures", "name": "batches_isolated"}}
        self.assertEqual(self.s.call("POST", "/v1/tasks/bulk", tasks).json["changed"], 1)
        self.assertEqual(self.s.wait(task, 60)["status"], "complete")
        joined = self.s.value("SELECT r.result -> 'result' ->> 'count' FROM tasker.step_results r JOIN tasker.workflow_steps s USING (workflow_step_uuid) "
                              "WHERE s.task_uuid = $1 AND s.name = 'join'", task)
        self.assertEqual((int(joined), self.most_at_once(journal)), (10, 2))

    def test_explain_tells_of_room(self):
        with Gate(self.s) as gate:
            task = self.s.submit("tests", "batches", {"batches": 12, "gate": gate.path})
            eventually(lambda: self.s.value("SELECT count(*) FROM tasker.workflow_steps WHERE task_uuid = $1 AND instance > 0", task) == 12, what="all are there")
            why = {s["name"]: s["why"] for s in self.s.call("GET", f"/v1/tasks/{task}/explain").json["steps"]}
            self.assertIn("waits for room", why["part_012"])
            self.s.call("DELETE", f"/v1/tasks/{task}")
            self.assertEqual(self.s.wait(task)["status"], "cancelled")

    def test_instances_are_one_step_to_analytics(self):
        def runs():
            slow = self.s.call("GET", "/v1/analytics/bottlenecks?min_executions=1&limit=100").json["slow_steps"]
            return {s["step_name"]: s["execution_count"] for s in slow if s["task_name"] == "batches"}
        before = runs()
        self.complete("tests", "batches", {"batches": 7})
        after = runs()
        self.assertEqual({k: n - before.get(k, 0) for k, n in after.items()}, {"analyze": 1, "beside": 1, "part": 7, "join": 1})

    def test_a_batch_that_fails_blocks_or_not(self):
        task = self.s.run("tests", "batches", {"batches": 12, "broken": "002"})
        self.assertEqual((task["status"], task["by_name"]["part_002"]["current_state"], task["by_name"]["join"]["current_state"]),
                         ("blocked_by_failures", "error", "pending"))
        task = self.complete("tests", "batches_go_on", {"batches": 12, "broken": "002"})
        joined = result(task, "join")
        self.assertEqual((joined["count"], joined["failed"], joined["part_002"]), (12, 1, "Broken"))  # the analyzer and eleven
        self.assertFalse(task["by_name"]["part_002"]["results"]["success"])

    def test_a_wrong_outcome_fails_the_analyzer_and_creates_nothing(self):
        one = {"batch_id": "1", "start_cursor": 0, "end_cursor": 1}
        for outcome, says in (({"type": "create_batches", "cursor_configs": []}, "at least one"), ({"type": "some"}, "found some"),
                              ({"type": "create_batches", "cursor_configs": [one, one]}, "stands twice"),
                              ({"type": "create_batches", "cursor_configs": [one], "worker_template_name": "join"}, "not a batch_worker"),
                              ({"type": "create_batches", "cursor_configs": [one], "worker_count": 3}, "worker_count is 3"),
                              ({"type": "create_batches", "cursor_configs": [{"batch_id": 7}]}, "needs a batch_id")):
            with self.subTest(says):
                task = self.s.run("tests", "batches", {"outcome": outcome})
                self.assertEqual((task["status"], task["total_steps"]), ("blocked_by_failures", 2))
                error = task["by_name"]["analyze"]["results"]["error"]
                self.assertEqual(error["error_type"], "invalid_outcome")
                self.assertIn(says, error["message"])

    def most_memory(self, pid):
        """Bytes that the process had in memory at most, ever."""
        with open(f"/proc/{pid}/status", encoding="ascii") as f:
            return int(next(line.split()[1] for line in f if line.startswith("VmHWM:"))) << 10

    def test_ten_thousand_batches(self):
        n = 10000 if SLOW == 1 else 2000  # sanitizers look at the same code with fewer
        task = self.s.submit("tests", "many_batches", {"batches": n})
        done = self.s.wait(task, 120)
        failed = self.s.sql("SELECT s.name, s.attempts, r.result -> 'error' AS error FROM tasker.step_results r JOIN tasker.workflow_steps s USING (workflow_step_uuid) "
                            "WHERE s.task_uuid = $1 AND NOT r.success LIMIT 3", task)
        self.assertEqual((done["status"], done["total_steps"], done["completed_steps"]), ("complete", n + 2, n + 2), failed)
        joined = self.s.value("SELECT r.result -> 'result' ->> 'count' FROM tasker.step_results r JOIN tasker.workflow_steps s USING (workflow_step_uuid) "
                              "WHERE s.task_uuid = $1 AND s.name = 'join'", task)
        self.assertEqual(int(joined), n + 1)
        self.assertEqual(self.s.value("SELECT count(*) FROM tasker.step_results WHERE task_uuid = $1", task), n + 2)
        if SLOW == 1:  # sanitizers remember what was freed
            most = [self.most_memory(p["pid"]) >> 20 for kind in ("orchestrators", "workers") for p in self.s.endpoints[kind]]
            self.assertLess(max(most), 256, f"MiB of the orchestrators and workers: {most}")
        task = self.s.run("tests", "many_batches", {"batches": 10001})
        self.assertIn("10001 batches, 10000 are allowed", task["by_name"]["analyze"]["results"]["error"]["message"])
