# SPDX-License-Identifier: MIT
"""The dead-letter queue over REST: every route, its shapes as the contract has them, and bad input."""
import re
import uuid

from lib.clock import age
from lib.single import Single
from lib.system import eventually

T2 = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}$"
WHY = {"by": "kim", "reason": "because"}
ENTRY = {"dlq_entry_uuid": str, "task_uuid": str, "original_state": str, "dlq_reason": str, "dlq_timestamp": T2, "resolution_status": str,
         "resolution_timestamp": None, "resolution_notes": None, "resolved_by": None, "task_snapshot": dict, "metadata": dict, "created_at": T2, "updated_at": T2}
QUEUED = {"dlq_entry_uuid": str, "task_uuid": str, "original_state": str, "dlq_reason": str, "dlq_timestamp": T2, "minutes_in_dlq": float,
          "namespace_name": str, "task_name": str, "current_state": str, "time_in_state_minutes": int, "priority_score": float}
STATS = {"dlq_reason": str, "total_entries": int, "pending": int, "manually_resolved": int, "permanent_failures": int, "cancelled": int,
         "oldest_entry": T2, "newest_entry": T2, "avg_resolution_time_minutes": float}
WATCHED = {"task_uuid": str, "namespace_name": str, "task_name": str, "current_state": str, "time_in_state_minutes": int, "task_age_minutes": int,
           "staleness_threshold_minutes": int, "health_status": str, "priority": int}


class DeadLetters(Single):
    env = {"TASKER_STALENESS_INTERVAL": "1d"}  # nobody looks for what the tests make stale

    def call(self, method, path, body=None, status=200):
        answer = self.s.call(method, "/v1/dlq" + path, body)
        self.assertEqual(answer.status, status, answer)
        return answer

    def get(self, path):
        return self.call("GET", path).json

    def blocked(self):
        """A task that is blocked, and its entry."""
        task = self.s.submit("tests", "blocked", {})
        self.assertEqual(self.s.wait(task)["status"], "blocked_by_failures")
        return task, self.get(f"/task/{task}")

    def shape(self, value, keys):
        for key, kind in keys.items():
            with self.subTest(key):
                if isinstance(kind, str):
                    self.assertRegex(value[key], kind)
                elif kind is float:
                    self.assertIsInstance(value[key], (int, float))
                elif kind is None:
                    self.assertIsNone(value[key])
                else:
                    self.assertIsInstance(value[key], kind)

    def test_the_summary_of_its_task_tells_of_it(self):
        task, entry = self.blocked()
        def told():
            return self.s.call("GET", f"/v1/tasks/{task}/summary").json["dlq"]
        self.assertEqual(told(), {"in_dlq": True, "dlq_reason": "max_retries_exceeded", "resolution_status": "pending"})
        self.call("PATCH", f"/entry/{entry['dlq_entry_uuid']}", {"resolution_status": "ManuallyResolved", "resolved_by": "kim", "resolution_notes": "seen"})
        self.assertEqual(told(), {"in_dlq": False, "dlq_reason": "max_retries_exceeded", "resolution_status": "manually_resolved"})

    def test_an_entry(self):
        task, entry = self.blocked()
        self.shape(entry, ENTRY)
        self.assertEqual((entry["task_uuid"], entry["original_state"], entry["dlq_reason"], entry["resolution_status"]),
                         (task, "blocked_by_failures", "MaxRetriesExceeded", "Pending"))
        self.assertEqual(entry["task_snapshot"]["steps"][0]["error"], "gave up at attempt 1")
        self.assertEqual(self.get(f"/entry/{entry['dlq_entry_uuid']}"), entry)
        self.assertEqual(self.get(f"/entry/urn:uuid:{entry['dlq_entry_uuid'].upper()}"), entry)
        said = self.s.call("GET", f"/v1/tasks/{task}/explain").json["dead_letter"]
        self.assertEqual((said["dlq_entry_uuid"], said["reason"]), (entry["dlq_entry_uuid"], "max_retries_exceeded"))
        self.assertRegex(said["text"], r"^It is in the dead-letter queue since \S+: a step of it failed for good\.$")

    def test_lists(self):
        made = [self.blocked()[1] for _ in range(3)]
        ids = [e["dlq_entry_uuid"] for e in reversed(made)]
        self.assertEqual([e["dlq_entry_uuid"] for e in self.get("?limit=3")], ids, "newest first")
        self.assertEqual([e["dlq_entry_uuid"] for e in self.get("?limit=2&offset=1")], ids[1:])
        self.call("PATCH", f"/entry/{ids[0]}", {"resolution_status": "Cancelled"})
        for spelling in ("pending", "Pending"):
            pending = [e["dlq_entry_uuid"] for e in self.get(f"?resolution_status={spelling}&limit=1000")]
            self.assertEqual((pending[:2], ids[0] in pending), (ids[1:], False))
        self.assertIn(ids[0], [e["dlq_entry_uuid"] for e in self.get("?resolution_status=cancelled&namespace=tests&name=blocked&version=1.0.0&reason=MaxRetriesExceeded")])
        for nothing in ("?namespace=nobody", "?name=nobody", "?version=9", "?reason=dependency_cycle_detected", "?offset=100000"):
            self.assertEqual(self.get(nothing), [])

    def test_pages_by_cursor_and_by_time(self):
        made = [self.blocked()[1] for _ in range(4)]
        ids = [e["dlq_entry_uuid"] for e in reversed(made)]
        self.assertEqual([e["dlq_entry_uuid"] for e in self.get(f"?limit=2&cursor={ids[0]}")], ids[1:3])
        since, until = (made[i]["dlq_timestamp"] + "Z" for i in (1, 3))
        between = f"entered_after={since}&entered_before={until}"
        self.assertEqual([e["dlq_entry_uuid"] for e in self.get("?" + between)], ids[1:3])
        self.assertEqual([e["dlq_entry_uuid"] for e in self.get("/investigation-queue?" + between)], [m["dlq_entry_uuid"] for m in made[1:3]])
        self.assertEqual([e["dlq_entry_uuid"] for e in self.get(f"/investigation-queue?{between}&cursor={ids[2]}")], [ids[1]])
        for path in ("", "/investigation-queue"):
            self.assertEqual(self.call("GET", f"{path}?cursor={uuid.uuid4()}", None, 404).json["error"]["message"], "DLQ entry of the cursor not found")
            self.assertIn("cursor must be a UUID", self.call("GET", path + "?cursor=x", None, 400).json["error"]["message"])
            self.assertIn("entered_after must be a date and time", self.call("GET", path + "?entered_after=now", None, 400).json["error"]["message"])
        self.assertIn("exclude each other", self.call("GET", f"?cursor={ids[0]}&offset=1", None, 400).json["error"]["message"])

    def test_how_long_they_were_pending_is_told(self):
        def count():
            return self.s.metric(self.s.rest, "tasker_orchestrator_dlq_pending_seconds_count")
        before = count()
        _, entry = self.blocked()
        self.s.sql("UPDATE tasker.dead_letters SET dlq_timestamp = dlq_timestamp - interval '2 days' WHERE dlq_entry_uuid = $1", entry["dlq_entry_uuid"])
        self.call("PATCH", f"/entry/{entry['dlq_entry_uuid']}", {"resolution_status": "permanently_failed"})
        page = self.s.call("GET", "/metrics").body.decode()
        self.assertIn('tasker_orchestrator_dlq_pending_seconds_bucket{how="permanently_failed",le="86400"} 0\n', page)
        self.assertIn('tasker_orchestrator_dlq_pending_seconds_bucket{how="permanently_failed",le="259200"} 1\n', page)
        self.call("POST", f"/entry/{self.blocked()[1]['dlq_entry_uuid']}/revive", WHY)
        self.assertEqual(count(), before + 2)

    def test_writing_down(self):
        task, entry = self.blocked()
        path = f"/entry/{entry['dlq_entry_uuid']}"
        answer = self.call("PATCH", path, {"resolution_notes": "asked the bank", "resolved_by": "kim", "metadata": {"ticket": 7}, "resolution_status": None}).json
        self.assertEqual(answer, {"success": True, "message": "Investigation status updated successfully", "dlq_entry_uuid": entry["dlq_entry_uuid"]})
        got = self.get(path)
        self.assertEqual((got["resolution_status"], got["resolution_notes"], got["resolved_by"], got["metadata"]["ticket"]), ("Pending", "asked the bank", "kim", 7))
        self.call("PATCH", path, {"resolution_status": "PermanentlyFailed"})
        got = self.get(path)
        self.assertEqual((got["resolution_status"], got["resolution_notes"]), ("PermanentlyFailed", "asked the bank"))
        self.assertRegex(got["resolution_timestamp"], T2)
        self.assertEqual(self.s.call("GET", f"/v1/tasks/{task}").json["status"], "blocked_by_failures", "closing has no effect on the task")
        self.call("POST", "", {**WHY, "task_uuid": task})
        self.assertIn("there can be one only", self.call("PATCH", path, {"resolution_status": "pending"}, 409).json["error"]["message"])

    def test_reviving(self):
        task, entry = self.blocked()
        path = f"/entry/{entry['dlq_entry_uuid']}/revive"
        for _ in range(2):
            got = self.call("POST", path, WHY).json
            self.assertEqual((got["resolution_status"], got["resolution_notes"], got["resolved_by"], got["revived"]), ("ManuallyResolved", "because", "kim", True))
        self.assertEqual(self.s.wait(task)["status"], "complete")
        _, other = self.blocked()
        path = f"/entry/{other['dlq_entry_uuid']}"
        self.call("PATCH", path, {"resolution_status": "permanently_failed"})
        self.assertEqual(self.call("POST", path + "/revive", WHY, 400).json["error"]["message"], "Cannot revive: the entry is closed: permanently_failed")
        self.call("PATCH", path, {"resolution_status": "pending"})
        self.s.call("DELETE", f"/v1/tasks/{other['task_uuid']}")
        self.assertEqual(self.call("POST", path + "/revive", WHY, 400).json["error"]["message"], "Cannot revive: its task has ended: cancelled")

    def test_a_person_enters_a_task(self):
        task = self.s.submit("tests", "chain", {})
        self.s.wait(task)
        entry = self.call("POST", "", {**WHY, "task_uuid": task}).json
        self.shape(entry, ENTRY)
        self.assertEqual((entry["dlq_reason"], entry["original_state"], entry["metadata"]["actor"]), ("ManualDlq", "complete", "kim"))
        self.assertEqual(self.call("POST", "", {**WHY, "task_uuid": task}).json["dlq_entry_uuid"], entry["dlq_entry_uuid"])
        self.call("POST", "", {**WHY, "task_uuid": str(uuid.uuid4())}, 404)

    def test_many(self):
        self.call("POST", "/bulk", {**WHY, "action": "resolve", "filter": {"all": True}})
        tasks = [self.blocked() for _ in range(3)]
        ask = {**WHY, "action": "revive", "filter": {"reason": "MaxRetriesExceeded", "namespace": "tests", "name": "blocked"}}
        dry = self.call("POST", "/bulk", {**ask, "dry_run": True}).json
        self.assertEqual((sorted(dry["matched"]), dry["changed"], dry["looked_at"], dry["next"]), (sorted(e["dlq_entry_uuid"] for _, e in tasks), 0, 3, None))
        self.assertEqual(self.call("POST", "/bulk", {**ask, "filter": {"version": "9"}}).json["matched"], [])
        self.assertEqual(self.call("POST", "/bulk", ask).json["changed"], 3)
        self.assertEqual({self.s.wait(t)["status"] for t, _ in tasks}, {"complete"})
        self.assertEqual(self.call("POST", "/bulk", ask).json["changed"], 0)

    def test_queue_and_figures(self):
        task, entry = self.blocked()
        queue = self.get("/investigation-queue?limit=1000")
        self.shape(queue[0], QUEUED)
        self.assertEqual(sorted(queue, key=lambda q: -q["priority_score"]), queue)
        mine = next(q for q in queue if q["dlq_entry_uuid"] == entry["dlq_entry_uuid"])
        self.assertEqual((mine["current_state"], mine["task_name"], int(mine["priority_score"])), ("blocked_by_failures", "blocked", 500))
        self.assertEqual(len(self.get("/investigation-queue?limit=1")), 1)
        stats = {s["dlq_reason"]: s for s in self.get("/stats")}
        self.shape(stats["MaxRetriesExceeded"], STATS)
        self.assertGreaterEqual(stats["MaxRetriesExceeded"]["pending"], 1)
        self.assertEqual(stats["MaxRetriesExceeded"]["total_entries"],
                         self.s.value("SELECT count(*) FROM tasker.dead_letters WHERE dlq_reason = 'max_retries_exceeded'"))
        self.assertGreaterEqual(self.s.metric(self.s.rest, 'tasker_orchestrator_dlq_entries_created_total'), 1)
        self.assertEqual(task, mine["task_uuid"])

    def test_staleness(self):
        task = self.s.submit("tests", "stall", {})
        eventually(lambda: self.s.value("SELECT count(*) FROM tasker.workflow_steps WHERE task_uuid = $1 AND name = 'middle' AND state = 'in_progress'", task))

        def row():
            return next(r for r in self.get("/staleness") if r["task_uuid"] == task)
        self.shape(row(), WATCHED)
        self.assertEqual((row()["health_status"], row()["staleness_threshold_minutes"], row()["spared"]), ("healthy", 2, None), "its template's own limit")
        age(self.s, task, 2)
        self.assertEqual((row()["health_status"], row()["time_in_state_minutes"]), ("stale", 2))
        self.s.call("POST", f"/v1/tasks/{task}/pause", WHY)
        self.assertEqual((row()["health_status"], row()["spared"]), ("healthy", "it is held"))
        self.s.call("DELETE", f"/v1/tasks/{task}")
        self.assertNotIn(task, [r["task_uuid"] for r in self.get("/staleness")])

    def test_bad_input(self):
        for path, says in (("?resolution_status=gone", "resolution_status: unknown variant `gone`"), ("?reason=Pending", "reason: unknown variant"),
                           ("?limit=0", "limit: must be a number between 1 and 1000, found '0'"), ("?limit=1001", "limit"), ("?limit=x", "limit"),
                           ("?offset=-1", "offset: must be a number between 0 and 2147483647"), ("/investigation-queue?limit=0", "limit"),
                           ("/staleness?limit=1e3", "limit")):
            answer = self.call("GET", path, None, 400)
            self.assertEqual(answer.headers["content-type"], "text/plain; charset=utf-8")
            self.assertTrue(answer.body.decode().startswith("Failed to deserialize query string: " + says), answer)
        entry = str(uuid.uuid4())
        for method, path, name in (("GET", "/task/x", "task_uuid"), ("GET", "/entry/x", "dlq_entry_uuid"), ("PATCH", "/entry/x", "dlq_entry_uuid"),
                                   ("POST", "/entry/x/revive", "dlq_entry_uuid")):
            answer = self.call(method, path, {} if method != "GET" else None, 400)
            self.assertTrue(answer.body.decode().startswith(f"Invalid URL: Cannot parse `{name}` with value `x`: UUID parsing failed: "), answer)
        for method, path, body, says in (("GET", f"/task/{entry}", None, f"DLQ entry not found for task {entry}"), ("GET", f"/entry/{entry}", None, f"DLQ entry not found: {entry}"),
                                         ("PATCH", f"/entry/{entry}", {}, f"DLQ entry not found: {entry}"), ("POST", f"/entry/{entry}/revive", WHY, f"DLQ entry not found: {entry}")):
            self.assertEqual(self.call(method, path, body, 404).json["error"]["message"], says)
        for method, path, body, status, says in (
                ("PATCH", f"/entry/{entry}", {"resolution_status": "Gone"}, 422, "resolution_status: unknown variant `Gone`"),
                ("PATCH", f"/entry/{entry}", {"resolution_notes": "x" * 4097}, 400, "resolution_notes: must have 1 to 4096 bytes, found 4097"),
                ("PATCH", f"/entry/{entry}", b"{", 400, "Failed to parse the request body as JSON"),
                ("PATCH", f"/entry/{entry}", {"metadata": {"a": "x" * 40000}}, 400, "metadata: may have 32768 bytes"),
                ("POST", f"/entry/{entry}/revive", {}, 422, "missing field `by`"), ("POST", "", WHY, 422, "missing field `task_uuid`"),
                ("POST", "", {**WHY, "task_uuid": "x"}, 422, "task_uuid: expected a UUID"),
                ("POST", "/bulk", {**WHY, "action": "burn", "filter": {"all": True}}, 422, "unknown variant `burn`"),
                ("POST", "/bulk", {**WHY, "action": "revive", "filter": {}}, 400, "needs at least one of reason"),
                ("POST", "/bulk", {**WHY, "action": "revive", "filter": {"reason": "x"}}, 422, "filter.reason: unknown variant `x`")):
            answer = self.call(method, path, body, status)
            self.assertTrue(re.search(re.escape(says), answer.body.decode()), answer)
        self.assertEqual(self.s.call("PATCH", f"/v1/dlq/entry/{entry}", b"{}", {"Content-Type": "text/plain"}).status, 415)
        self.assertEqual(self.s.call("DELETE", "/v1/dlq").status, 405)
