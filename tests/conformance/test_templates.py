# SPDX-License-Identifier: MIT
"""The 25 templates for native workers run with every result the reference states (runs.py): the reference's own files where its fixtures are present, our twins
of them in examples/ where they are not. And with the fixtures: all of the reference's templates, of whatever language, register."""
import collections
import csv
import glob
import importlib.util
import os
import re
import signal
import unittest
import uuid

from lib.clock import age
from lib.system import EXAMPLES, FIXTURES, OWN, ROOT, System, eventually, request, tasker

import runs  # of this folder

FILES = sorted(glob.glob(os.path.join(FIXTURES, "task_templates", "**", "*.yaml"), recursive=True))
NATIVE = 25
YIELDS = "python_e2e_checkpoint_yield" if FILES else "rust_e2e_checkpoint_yield"


def apply(rest, path):
    with open(path, "rb") as f:
        return request(f"{rest}/v1/templates?file={os.path.basename(path)}", "POST", f.read(), {"Content-Type": "application/yaml"})


def namespace(path):
    with open(path, encoding="utf-8") as f:
        found = re.search(r"^namespace_name:\s*[\"']?([\w]+)", f.read(), re.M)
    return found[1] if found else "default"


def make_products(folder):
    spec = importlib.util.spec_from_file_location("products", os.path.join(ROOT, "examples", "data", "products.py"))
    products = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(products)
    products.write(os.path.join(folder, "products.csv"), 1000)
    products.write(os.path.join(folder, "products_empty.csv"), 0)
    return folder


def add_up(path):
    """What a file of 1000 products comes to, and its five batches."""
    def of(part):
        best = max(part, key=lambda r: float(r["price"]))
        return {"total_inventory_value": round(sum(float(r["price"]) * int(r["stock"]) for r in part), 2), "max_price": float(best["price"]),
                "max_price_product": best["title"], "category_counts": dict(collections.Counter(r["category"] for r in part)),
                "average_rating": round(sum(float(r["rating"]) for r in part) / len(part), 4)}
    with open(path, encoding="utf-8", newline="") as f:
        rows = list(csv.DictReader(f))
    return {"rows": len(rows), **of(rows), "batches": [of(rows[i:i + 200]) for i in range(0, len(rows), 200)]}


class Templates(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        env = {"TASKER_STALENESS_INTERVAL": "1s"}
        if FILES:
            env["TASKER_WORKER_NAMESPACES"] = ",".join(sorted({namespace(f) for f in FILES}))
        cls.s = System(templates=(OWN,) if FILES else (OWN, EXAMPLES), env=env)
        cls.addClassCleanup(cls.s.stop)
        cls.answers = {f: apply(cls.s.rest, f) for f in FILES}
        cls.data = FIXTURES if FILES else make_products(cls.s.dir)
        cls.products = add_up(os.path.join(cls.data, "products.csv"))

    @unittest.skipUnless(FILES, f"no fixtures in {FIXTURES}")
    def test_every_template_registers(self):
        refused = {os.path.relpath(f, FIXTURES): a.body[:300] for f, a in self.answers.items() if a.status != 201}
        self.assertEqual(refused, {})
        stored = self.s.value("SELECT count(*) FROM tasker.named_tasks nt JOIN tasker.namespaces ns USING (namespace_uuid) WHERE ns.name <> 'tests'")
        self.assertEqual(stored, len({(a.json["namespace"], a.json["name"], a.json["version"]) for a in self.answers.values()}))
        again = [apply(self.s.rest, f) for f in FILES]
        self.assertEqual({(a.status, a.json["outcome"]) for a in again}, {(200, "unchanged")})

    def submit(self, run):
        """Its task, once it is known to have begun with the right steps. A context the template's schema refuses goes to its handlers all the same,
        which is what the reference does: registered a second time, without the schema."""
        body = {"namespace": run.namespace, "name": run.name, "version": "1.0.0", "context": {**run.context, "_test_run_id": str(id(run))}, "initiator": "test",
                "source_system": "tests", "reason": "test"}
        reply = self.s.call("POST", "/v1/tasks", body)
        if reply.status == 400 and run.state != "complete":
            reply = self.s.call("POST", "/v1/tasks", {**body, "version": self.without_schema(run)})
        self.assertEqual(reply.status, 200, reply)
        self.assertEqual(reply.json["total_steps"], run.first, "steps at creation")
        return reply.json["task_uuid"]

    def without_schema(self, run):
        import yaml
        paths = FILES or glob.glob(os.path.join(EXAMPLES, "*.yaml"))
        for path in paths:
            with open(path, encoding="utf-8") as f:
                template = yaml.safe_load(f)
            if (template.get("namespace_name"), template["name"]) == (run.namespace, run.name):
                break
        else:
            self.fail(f"no template {run}")
        template = {**template, "version": "1.0.0-any"}
        del template["input_schema"]
        reply = self.s.call("POST", "/v1/templates", yaml.safe_dump(template).encode(), {"Content-Type": "application/yaml"})
        self.assertIn(reply.status, (200, 201), reply)
        return template["version"]

    def check(self, run, uuid):
        task = self.s.wait(uuid, 60)
        steps = {s["name"]: s for s in self.s.call("GET", f"/v1/tasks/{uuid}/workflow_steps?per_page=100").json}
        self.assertEqual((task["status"], task["total_steps"], len(steps)), (run.state, run.steps, run.steps), steps)
        if run.state == "complete":
            self.assertEqual((task["execution_status"], task["completed_steps"]), ("all_complete", run.steps))
            self.assertEqual({s["current_state"] for s in steps.values()}, {"complete"})
        else:
            self.assertEqual(task["execution_status"], "blocked_by_failures")
        for name, expected in run.results.items():
            found = steps[name]
            if isinstance(expected, runs.fails):
                self.check_failure(found, expected)
            else:
                self.assertIsNone(runs.differs(expected, found["results"]["result"]), name)
                self.assertTrue(found["results"]["success"])
                self.assertEqual(found["attempts"], run.attempts.get(name, 1), name)
        for name, n in run.parents.items():
            self.assertEqual((steps[name]["total_parents"], steps[name]["completed_parents"]), (n, n), name)
        self.assertEqual([n for n in steps if n.startswith(tuple(run.without))], [])

    def check_failure(self, found, expected):
        self.assertEqual(found["current_state"], "error", found)
        results = found["results"]
        self.assertEqual((results["success"], results["result"], results["error"]["error_type"], results["metadata"]["error_code"], found["attempts"]),
                         (False, {}, expected.error_type, expected.code, expected.attempts))
        self.assertEqual((results["error"]["retryable"], bool(results["error"]["message"])), (expected.retryable, True))

    def test_native_templates_run(self):
        """All at once: they hinder each other as little as those of different people would."""
        todo = list(runs.native(self.data, self.products)) + list(runs.yields(YIELDS))
        self.assertEqual(len({(r.namespace, r.name) for r in todo}), NATIVE + 1)
        tasks = []
        for run in todo:
            with self.subTest(str(run)):
                tasks.append((run, self.submit(run)))
        for run, uuid in tasks:
            with self.subTest(str(run)):
                self.check(run, uuid)
        self.s.doctor()
        print(f"{NATIVE} templates of {'the fixtures' if FILES else 'examples/'}, {len(todo)} runs")

    def figures(self):
        return self.s.call("GET", "/metrics/events", base=self.s.process("worker")["rest"]).json["router"]

    def test_domain_events(self):
        """worker.md 9.10: counted by the worker, and the durable one is in the queue."""
        before = self.figures()
        parent = str(uuid.uuid4())
        task = self.s.run("domain_events_rust", "domain_event_publishing", runs.EVENT_ORDER, parent_correlation_id=parent)
        self.assertEqual(task["status"], "complete")
        after = eventually(lambda: (f := self.figures())["total_routed"] >= before["total_routed"] + 4 and f, 10, "four events are routed")
        self.assertEqual({k: after[k] - before[k] for k in ("total_routed", "durable_routed", "fast_routed")}, {"total_routed": 4, "durable_routed": 1, "fast_routed": 3})
        sent = self.s.sql("SELECT message->>'event_name' AS name, message #>> '{payload,payload,amount}' AS amount,"
                          " message #>> '{metadata,correlation_id}' AS correlation, message #>> '{metadata,parent_correlation_id}' AS parent FROM pgmq.q_domain_events_rust_domain_events"
                          " WHERE message #>> '{metadata,task_uuid}' = $1", task["task_uuid"])
        self.assertEqual([(e.name, float(e.amount), e.correlation, e.parent) for e in sent], [("payment.processed", 12.5, task["correlation_id"], parent)])

    def test_one_that_stands_still(self):
        """worker.md 9.12: found once, moved to the dead-letter queue, an error; then investigated, and set going again."""
        worker = self.s.process("worker")
        os.kill(worker["pid"], signal.SIGSTOP)
        try:
            task = self.s.submit("dlq_test", "dlq_staleness_test", {"test_input": 7})
            eventually(lambda: age(self.s, task, 3) or self.s.call("GET", f"/v1/tasks/{task}").json["status"] == "error", 30, "it is found", every=1)
        finally:
            os.kill(worker["pid"], signal.SIGCONT)
        entry, = self.s.sql("SELECT dlq_entry_uuid AS uuid, dlq_reason AS reason, original_state AS state FROM tasker.dead_letters WHERE task_uuid = $1", task)
        self.assertEqual(entry.state, "steps_in_process")
        self.assertIn(entry.reason, ("staleness_timeout", "worker_unavailable"), "as long as the worker's stream is open, or after")
        done = self.s.call("PATCH", f"/v1/dlq/entry/{entry.uuid}", {"resolution_notes": "the worker was stopped"})
        self.assertEqual(done.status, 200, done)
        eventually(lambda: self.s.ready("worker"), 30, "the worker is back")
        revived = tasker("dlq", "revive", entry.uuid, "--reason", "it runs again", env={"TASKER_URL": self.s.rest})
        self.assertEqual(revived.returncode, 0, revived)
        self.assertEqual(self.s.wait(task, 60)["status"], "complete")
        steps = self.s.call("GET", f"/v1/tasks/{task}/workflow_steps").json
        self.assertEqual([s["results"]["result"]["test_input"] for s in steps], [7, 7])
