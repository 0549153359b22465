# SPDX-License-Identifier: MIT
"""task_responses writes JSON by hand: whatever a task holds, it stays JSON, and its steps are those that readiness knows."""
import json

from engine import DIAMOND, DbTest, of

NASTY = 'a "quoted" \\ back\\slash\n\ttab, \u0001, ünïcödé 🦑, {"json": [1]}'


class Responses(DbTest):
    def document(self, task, steps=True):
        return json.loads(self.c.value("SELECT body FROM tasker.task_responses($1, $2)", [task], steps))

    def test_texts_are_escaped(self):
        template = self.e.register({"root": [], 'the "next" \\ step': ["root"]}, namespace="shop")
        task = of(self.e.create(template, initiator=NASTY, source=NASTY, reason=NASTY, tags=json.dumps([NASTY]), context=json.dumps({NASTY: NASTY})), "created")[0].task_uuid
        found = self.document(task)
        self.assertEqual([found[k] for k in ("initiator", "source_system", "reason")], [NASTY] * 3)
        self.assertEqual((found["tags"], found["context"]), ([NASTY], {NASTY: NASTY}))
        self.assertEqual({s["name"] for s in found["steps"]}, {"root", 'the "next" \\ step'})
        self.c.query("UPDATE tasker.tasks SET message = $1 WHERE task_uuid = $2", NASTY, task)
        self.assertEqual(self.document(task)["message"], NASTY)

    def test_what_is_not_there_is_null(self):
        found = self.document(of(self.e.create(self.e.register(DIAMOND)), "created")[0].task_uuid)
        for name in ("completed_at", "parent_correlation_id", "run_at", "deadline", "on_timeout", "message", "parent_task_uuid", "parent_step_uuid"):
            self.assertIsNone(found[name], name)
        self.assertEqual(found["held"], [])

    def test_steps_are_those_that_readiness_knows(self):
        rows = self.e.create(self.e.register(DIAMOND), credit=10)
        task = of(rows, "created")[0].task_uuid
        self.e.settle(of(rows, "assign"), success=False, retryable=True, delay_ms=60000)
        found = self.document(task)
        known = json.loads(self.c.value("""SELECT json_agg(r ORDER BY r.workflow_step_uuid) FROM (SELECT workflow_step_uuid, task_uuid, named_step_uuid, name, current_state,
          dependencies_satisfied, retry_eligible, ready_for_execution, tasker.time_text(last_failure_at, 'naive') AS last_failure_at,
          tasker.time_text(next_retry_at, 'naive') AS next_retry_at, tasker.time_text(last_attempted_at, 'naive') AS last_attempted_at, total_parents,
          completed_parents, attempts, max_attempts, backoff_request_seconds FROM tasker.get_step_readiness_status($1)) r""", task))
        self.assertEqual(found["steps"], known)
        self.assertEqual(sum(s["backoff_request_seconds"] == 60 for s in known), 1)
        self.assertEqual((found["total_steps"], found["pending_steps"], found["ready_steps"], found["execution_status"]), (4, 3, 0, "waiting_for_dependencies"))
        self.assertEqual(self.document(task, False)["steps"], [])
