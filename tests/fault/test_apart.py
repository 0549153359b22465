# SPDX-License-Identifier: MIT
"""Tasks whose data makes the statements of two orchestrators raise, among healthy ones that must not notice. A trigger stands for the data: it raises for a
step in the moment that the context of its task names."""
import unittest
import uuid
from concurrent import futures

from lib.load import Load
from lib.replicas import Replicas
from lib.system import System, eventually

POISON = """
CREATE FUNCTION tasker.poison() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (SELECT t.context ->> 'poison' FROM tasker.tasks t WHERE t.task_uuid = NEW.task_uuid) = TG_ARGV[0] THEN
    RAISE EXCEPTION 'this task is odd' USING ERRCODE = TG_ARGV[1];
  END IF;
  RETURN NEW;
END $$"""
WHEN = {"handed": "NEW.dispatched_at IS DISTINCT FROM OLD.dispatched_at", "given": "NEW.state = 'in_progress' AND OLD.state <> 'in_progress'",
        "complete": "NEW.state = 'complete'", "settled": "NEW.settled_at IS DISTINCT FROM OLD.settled_at",
        "retried": "OLD.state = 'waiting_for_retry' AND NEW.state <> OLD.state"}
STATES = {"handed": "22003", "given": "XX000", "complete": "54000", "settled": "23514", "retried": "22003"}
# What becomes of its second step, and how the task is taken out of the way.
BECOMES = {"handed": ("error", "blocked_by_failures", 0), "given": ("pending", "waiting_for_dependencies", 17), "complete": ("error", "blocked_by_failures", 0),
           "settled": ("pending", "waiting_for_dependencies", 17), "retried": ("waiting_for_retry", "waiting_for_retry", 17)}
EACH = 3


class Apart(Replicas):
    @classmethod
    def setUpClass(cls):
        cls.s = System(orchestrators=2, workers=2, env={"TASKER_TIMERS_POLL": "1s"})  # that looks at events nobody told of
        cls.addClassCleanup(cls.s.stop)

    def poison(self):
        conn = self.s.conn()
        conn.script(POISON)
        for name, when in WHEN.items():
            conn.script(f"CREATE TRIGGER poison_{name} BEFORE UPDATE ON tasker.workflow_steps FOR EACH ROW WHEN (NEW.name IN ('two', 'later') AND {when}) "
                        f"EXECUTE FUNCTION tasker.poison('{name}', '{STATES[name]}')")
        conn.close()
        self.addCleanup(lambda: self.s.sql("DROP FUNCTION IF EXISTS tasker.poison() CASCADE"))

    def is_now(self, task):
        row = self.s.sql("SELECT s.state AS step, t.state, t.held FROM tasker.tasks t JOIN tasker.workflow_steps s ON s.task_uuid = t.task_uuid AND s.name IN ('two', 'later') "
                         "WHERE t.task_uuid = $1", task)[0]
        return row.step, row.state, row.held

    def counted(self, name):
        return sum(self.s.metric(self.s.process("orchestrator", at)["rest"], f"tasker_orchestrator_{name}") for at in range(2))

    def test_healthy_tasks_do_not_notice_odd_ones(self):
        self.poison()
        self.publish(["one", "odd", "two"])
        load = Load(self.s, tasks=40, context={"sleep_ms": 5}).start()
        odd = {how: [self.s.submit("tests", "later" if how == "retried" else "chain", {"poison": how}, base=self.s.process("orchestrator", i % 2)["rest"])
                     for i in range(EACH)] for how in WHEN}
        for how, tasks in odd.items():
            for task in tasks:
                eventually(lambda: self.is_now(task) == BECOMES[how], 60, f"{how}: {self.is_now(task)}")
        load.until(20)
        load.finish(self)
        for how, tasks in odd.items():
            for task in tasks:
                self.assertEqual(self.is_now(task), BECOMES[how], how)
                said = self.s.call("GET", f"/v1/tasks/{task}/explain").json
                self.assertIn("this task is odd", said["summary"])
                self.assertIsNotNone(said["dead_letter"])
        set_aside = EACH * (len(WHEN) - 1)  # a result that cannot be stored is refused, its step can be settled
        self.assertEqual(self.counted("tasks_set_aside_total"), set_aside)
        self.assertEqual(self.s.value("SELECT count(*) FROM tasker.task_transitions WHERE metadata ->> 'actor' = 'orchestrator'"),
                         sum(EACH for _, _, held in BECOMES.values() if held))
        eventually(lambda: self.s.value("SELECT count(*) FROM tasker.unchecked_events") == 0, 60, "the events were looked at")
        self.assertEqual(self.s.sql("SELECT message ->> 'event_name' AS name FROM pgmq.q_tests_domain_events WHERE message ->> 'event_name' IN ('one', 'odd', 'two') ORDER BY msg_id"),
                         [{"name": "one"}, {"name": "two"}])
        self.assertEqual(self.counted("events_failed_total"), 1)
        apart = self.counted("batches_apart_total")
        self.mended(odd)
        self.assertEqual(self.counted("batches_apart_total"), apart)

    def test_a_task_that_cannot_be_stored_is_refused_alone(self):
        conn = self.s.conn()
        conn.script("CREATE FUNCTION tasker.unstorable() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'odd' USING ERRCODE = NEW.context ->> 'unstorable'; END $$;"
                    "CREATE TRIGGER unstorable BEFORE INSERT ON tasker.tasks FOR EACH ROW WHEN (NEW.context ->> 'unstorable' IS NOT NULL) EXECUTE FUNCTION tasker.unstorable()")
        conn.close()
        self.addCleanup(lambda: self.s.sql("DROP FUNCTION tasker.unstorable() CASCADE"))

        def submit(context):
            body = {"namespace": "tests", "name": "chain", "version": "1.0.0", "initiator": "t", "source_system": "t", "reason": "t",
                    "context": {**context, "_test_run_id": str(uuid.uuid4())}}
            return self.s.call("POST", "/v1/tasks", body).status
        with futures.ThreadPoolExecutor(16) as pool:
            said = list(pool.map(submit, [{}, {"unstorable": "22003"}, {}, {"unstorable": "XX000"}] * 8))
        self.assertEqual(said, [200, 400, 200, 500] * 8)

    def test_results_that_no_assignment_carries_are_asked_for(self):
        task = self.s.run("tests", "much", {"bytes": 3000000}, seconds=60)
        self.assertEqual((task["status"], task["by_name"]["measure"]["results"]["result"]), ("complete", {"total": 6000000}))

    def publish(self, names):
        """Events of the orchestrator's own that wait for a look at their schema, of which the one called odd cannot be published."""
        task = self.s.submit("tests", "chain", {})
        conn = self.s.conn()
        conn.script("CREATE OR REPLACE FUNCTION tasker.poison_event() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE program_limit_exceeded; END $$;"
                    "CREATE TRIGGER poison BEFORE INSERT ON pgmq.q_tests_domain_events FOR EACH ROW WHEN (NEW.message ->> 'event_name' = 'odd') EXECUTE FUNCTION tasker.poison_event()")
        conn.query("INSERT INTO tasker.unchecked_events (task_uuid, schema, event) SELECT $1::uuid, '{}', jsonb_build_object('event_name', n, 'payload', jsonb_build_object("
                   "'payload', '{}'::jsonb), 'metadata', jsonb_build_object('namespace', 'tests', 'task_uuid', $1::uuid, 'step_uuid', $1::uuid)) FROM unnest($2::text[]) n", task, names)
        conn.close()

    def mended(self, odd):
        """What made them odd is gone, and people let them go on."""
        self.s.sql("DROP FUNCTION tasker.poison() CASCADE")
        for how, tasks in odd.items():
            for task in tasks:
                url = f"/v1/tasks/{task}"
                if BECOMES[how][2]:
                    reply = self.s.call("POST", f"{url}/resume", {"by": "pat", "reason": "mended"})
                else:
                    step = self.s.value("SELECT workflow_step_uuid FROM tasker.workflow_steps WHERE task_uuid = $1 AND name IN ('two', 'later')", task)
                    reply = self.s.call("PATCH", f"{url}/workflow_steps/{step}", {"action_type": "reset_for_retry", "reset_by": "pat", "reason": "mended"})
                self.assertEqual(reply.status, 200, reply.body)
        every = [task for tasks in odd.values() for task in tasks]
        eventually(lambda: self.s.value("SELECT count(*) FROM tasker.tasks WHERE task_uuid = ANY ($1) AND state = 'complete'", every) == len(every), 60, "they are complete")


if __name__ == "__main__":
    unittest.main()
