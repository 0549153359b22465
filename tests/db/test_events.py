# SPDX-License-Identifier: MIT
"""Durable domain events: they commit with the result that settles, once per attempt, with the outcome it really had."""
import json
import threading
import uuid

import sub_tasks
from engine import CHAIN, PROCESSOR, DbTest, Engine, kinds, of
from lib.events import KEYS, keys
from lib.pg import PgError

ALL = [(1, c, {"event_name": c}) for c in ("success", "failure", "retryable_failure", "permanent_failure", "always")]
DECLARED = {"one": [{"name": "one.over", "condition": "always"}]}


def names(events):
    return [e["event_name"] for e in events]


class Outbox(DbTest):
    def begin(self, graph=None, events=None, **options):
        rows = self.e.create(self.e.register(graph or CHAIN, events=events or DECLARED, **options), credit=1)
        return self.one(rows, "created").task_uuid, of(rows, "assign")[0]

    def test_an_event_commits_with_its_result(self):
        task, a = self.begin()
        self.c.query("BEGIN")
        self.assertEqual(kinds(self.e.publish([a], [(1, "success", {"event_name": "one.over"})])), {"settled": 1, "assign": 1})
        self.assertEqual(names(self.e.events()), ["one.over"])
        self.assertEqual(Engine(self.connect()).events(), [], "nobody else sees it before the commit")
        self.c.query("ROLLBACK")
        self.assertEqual((self.e.events(), self.e.states(task)["one"]), ([], "in_progress"), "neither without the other")
        self.e.publish([a], [(1, "success", {"event_name": "one.over", "n": 1})])
        self.assertEqual((self.e.events(), self.e.states(task)["one"]), ([{"event_name": "one.over", "n": 1}], "complete"))

    def test_the_outcome_decides_which_are_published(self):
        for success, retryable, expected in ((True, True, ["success", "always"]), (False, True, ["failure", "retryable_failure", "always"]),
                                             (False, False, ["failure", "permanent_failure", "always"])):
            with self.subTest(success=success, retryable=retryable):
                _, a = self.begin()
                self.c.query("DELETE FROM pgmq.q_shop_domain_events")
                self.e.publish([a], ALL, success=success, retryable=retryable)
                self.assertEqual(names(self.e.events()), expected)

    def test_the_last_attempt_that_may_fail_fails_for_good_whatever_it_says(self):
        _, a = self.begin(**{"*": {"max_attempts": 1}})
        self.e.publish([a], ALL, success=False, retryable=True)
        self.assertEqual(names(self.e.events()), ["failure", "permanent_failure", "always"])

    def test_every_attempt_publishes_once_and_only_the_one_that_settles(self):
        _, a = self.begin(**{"*": {"backoff": "none"}})
        first, second = [(1, "always", {"event_name": "attempt", "n": n}) for n in (1, 2)]
        self.assertEqual(kinds(self.e.publish([a], [first], success=False)), {"retry": 1, "done": 1})
        self.assertEqual(kinds(self.e.publish([a], [first], success=False)), {"already": 1})
        self.assertEqual(kinds(self.e.publish([a], [first], attempt=[7])), {"stale": 1})
        self.e.end_pauses()
        b, = of(self.e.fire(), "assign")
        self.assertEqual(kinds(self.e.publish([a], [first])), {"already": 1})
        self.e.publish([b], [second])
        self.assertEqual([e["n"] for e in self.e.events()], [1, 2])

    def test_twice_in_one_call_publishes_what_the_first_brought(self):
        _, a = self.begin()
        self.e.publish([a, a], [(1, "always", {"event_name": "first"}), (2, "always", {"event_name": "second"})])
        self.assertEqual(names(self.e.events()), ["first"])

    def test_in_a_batch_each_result_has_its_own(self):
        rows = self.e.create(self.e.register(CHAIN, events=DECLARED), n=3, credit=3)
        a, b, c = of(rows, "assign")
        self.e.settle([b])
        events = [(i, "always", {"event_name": f"of.{i}"}) for i in (3, 2, 1)]
        self.assertEqual(kinds(self.e.publish([a, b, c], events, success=[True, True, False])), {"settled": 1, "already": 1, "retry": 1, "assign": 1, "done": 1})
        self.assertEqual(names(self.e.events()), ["of.3", "of.1"], "in the order they were given")

    def test_a_batch_that_goes_on_without_it_failed_for_good_all_the_same(self):
        self.consistent = False  # an instance of no batch
        _, a = self.begin()
        self.c.query("""UPDATE tasker.workflow_steps SET inputs = '{"batch_metadata": {"failure_strategy": "continue_on_failure"}}'
                         WHERE workflow_step_uuid = $1""", a.step_uuid)
        self.assertEqual(kinds(self.e.publish([a], ALL, success=False, retryable=False)), {"settled": 1, "assign": 1})
        self.assertEqual(names(self.e.events()), ["failure", "permanent_failure", "always"])

    def test_a_cancelled_task_publishes_nothing(self):
        task, a = self.begin()
        self.e.cancel(task)
        self.e.publish([a], ALL)
        self.assertEqual(self.e.events(), [])

    def test_an_event_that_is_no_json_for_the_queue_changes_nothing(self):
        task, a = self.begin()
        for bad in ("{no", r'{"text": "\u0000"}'):
            with self.assertRaises(PgError) as caught:
                self.e.publish([a], [(1, "always", bad)])
            self.assertEqual(caught.exception.sqlstate[:2], "22")
        self.assertEqual((self.e.events(), self.e.states(task)["one"]), ([], "in_progress"))

    def test_two_orchestrators_with_one_result_publish_once(self):
        rows = self.e.create(self.e.register(CHAIN, events=DECLARED), n=20, credit=20)
        assigns, engines = of(rows, "assign"), [self.e, Engine(self.connect()), Engine(self.connect())]
        events = [(i + 1, "always", {"event_name": a.step_uuid}) for i, a in enumerate(assigns)]
        threads = [threading.Thread(target=e.publish, args=(assigns, events)) for e in engines]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        self.assertEqual(sorted(names(self.e.events())), sorted(a.step_uuid for a in assigns))

    def test_a_namespace_is_the_tasks_own(self):
        bank = of(self.e.create(self.e.register(CHAIN, namespace="bank", events=DECLARED), credit=1), "assign")[0]
        _, shop = self.begin()
        self.e.publish([bank, shop], [(1, "always", {"event_name": "of.bank"}), (2, "always", {"event_name": "of.shop"})])
        self.assertEqual((names(self.e.events("bank")), names(self.e.events())), (["of.bank"], ["of.shop"]))


class Speaking(DbTest):
    """What the orchestrator publishes for workers that cannot."""

    def begin(self, **options):
        events = {"one": [{"name": "one.failed", "condition": "failure"}, {"name": "one.done"}, {"name": "one.now", "condition": "always", "delivery_mode": "fast"},
                          {"name": "one.gone", "condition": "permanent_failure", "delivery_mode": "broadcast"},
                          {"name": "one.again", "condition": "retryable_failure"}]}
        rows = self.e.create(self.e.register(CHAIN, events=events, **options), credit=1, context='{"order": 7}')
        return self.one(rows, "created").task_uuid, of(rows, "assign")[0]

    def test_a_lost_worker(self):
        task, a = self.begin(one={"retryable": False})
        self.assertEqual(kinds(self.e.release([a], True))["failed"], 1)
        failed, gone = self.e.events()
        self.assertEqual((failed["event_name"], gone["event_name"]), ("one.failed", "one.gone"))
        self.assertNotEqual(failed["event_id"], gone["event_id"])
        self.assertEqual(failed["event_version"], "1.0")
        meta, payload = failed["metadata"], failed["payload"]["payload"]
        self.assertEqual({k: meta[k] for k in ("task_uuid", "step_uuid", "step_name", "namespace", "correlation_id", "fired_by", "condition", "attempt")},
                         {"task_uuid": task, "step_uuid": a.step_uuid, "step_name": "one", "namespace": "shop", "correlation_id": a.correlation_id,
                          "fired_by": "orchestrator", "condition": "failure", "attempt": 1})
        self.assertEqual((payload["error_type"], payload["error_code"], payload["retryable"], payload["attempt"]), ("worker_lost", "worker_lost", False, 1))
        self.assertIn("must not run twice", payload["error_message"])
        self.assertEqual(failed["payload"]["execution_result"]["error"]["error_type"], "worker_lost")
        self.assertEqual(failed["payload"]["task_sequence_step"]["task"]["task"]["context"], {"order": 7})
        self.assertEqual(failed["payload"]["task_sequence_step"]["step_definition"]["name"], "one")

    def test_a_lost_worker_whose_step_runs_again_is_no_failure(self):
        _, a = self.begin()
        self.e.release([a], True)
        self.assertEqual(self.e.events(), [])

    def test_a_step_that_no_worker_takes(self):
        """Each time it is given up it has failed, the last time for good."""
        events = {"one": [{"name": c, "condition": c} for c in ("success", "failure", "retryable_failure", "permanent_failure", "always")]}
        self.e.create(self.e.register(CHAIN, events=events, one={"queue_timeout_ms": 5000, "on_queue_timeout": "retry", "max_attempts": 2, "backoff": "none"}))
        said = []
        for _ in range(2):
            self.e.pass_time(6)
            self.e.fire({})
            self.e.fire({})
            said.append([(e["event_name"], e["payload"]["payload"]["retryable"]) for e in self.e.events()])
        self.assertEqual(said[0], [("failure", True), ("retryable_failure", True), ("always", True)])
        self.assertEqual(said[1][3:], [("failure", True), ("permanent_failure", True), ("always", True)], "what it says of itself, as a worker's failure does")

    def test_a_step_that_is_tried_again_while_another_ends_its_task(self):
        """Both are given up in one transaction: the first had failed retryably before it was called off."""
        events = {"again": [{"name": c, "condition": c} for c in ("retryable_failure", "permanent_failure")]}
        template = self.e.register({"again": [], "over": []}, events=events, again={"queue_timeout_ms": 5000, "on_queue_timeout": "retry"},
                                   over={"queue_timeout_ms": 5000, "on_queue_timeout": "cancel"})
        task = self.one(self.e.create(template), "created").task_uuid
        self.e.pass_time(6)
        self.e.fire({})
        self.assertEqual((self.e.task(task).state, self.e.states(task)), ("cancelled", {"again": "cancelled", "over": "cancelled"}))
        self.assertEqual([e["event_name"] for e in self.e.events()], ["retryable_failure"])

    def test_it_is_the_document_a_worker_makes(self):
        """Step `two` is given up by the queue's timer after `one` has told something."""
        events = {"two": [{"name": "two.failed", "condition": "failure"}]}
        rows = self.e.create(self.e.register(CHAIN, events=events, two={"queue_timeout_ms": 5000}), credit=1, context='{"order": 7}', priority=3)
        task = self.one(rows, "created").task_uuid
        self.e.settle(of(rows, "assign"), credit={}, result={"success": True, "result": {"n": 1, "text": "a\0b"}})
        self.e.pass_time(6)
        rows = self.e.fire({})
        self.assertEqual((self.one(rows, "published").attempt, kinds(rows).get("unpublished")), (1, None))
        event, = self.e.events()
        self.assertEqual(keys(event), KEYS)
        said, row = event["payload"]["task_sequence_step"], self.e.task(task)
        self.assertEqual(said["dependency_results"], {"one": {"success": True, "result": {"n": 1, "text": r"a\u0000b"}}})
        self.assertEqual(said["task"]["task"], {"task_uuid": task, "named_task_uuid": row.named_task_uuid, "complete": False, "requested_at": "2026-01-02T03:04:05.000000Z",
                                                "initiator": "test", "source_system": "db", "reason": "to see it run", "priority": 3, "context": {"order": 7},
                                                "correlation_id": row.correlation_id, "parent_correlation_id": None})
        self.assertEqual({k: v for k, v in said["workflow_step"].items() if not k.endswith("uuid")},
                         {"name": "two", "template_step_name": "two", "in_process": True, "processed": False, "processed_at": None, "results": None, "retryable": True,
                          "max_attempts": 3, "attempts": 1, "inputs": None, "checkpoint": None})
        self.assertEqual(uuid.UUID(event["event_id"]).version, 7)
        self.assertIsNone(event["metadata"]["worker_id"])

    def test_what_has_a_schema_waits_for_a_look(self):
        """Two orchestrators look at once, one of them dies: nothing is lost, and nothing published twice."""
        events = {"one": [{"name": name, "condition": "failure", "schema": {"type": "object"}} for name in ("a.a", "b.b")] + [{"name": "c.c", "condition": "failure"}]}
        rows = self.e.create(self.e.register(CHAIN, events=events, one={"retryable": False}), n=2, credit=2)
        rows = self.e.release(of(rows, "assign"), True)
        self.assertEqual((kinds(rows)["unchecked"], self.one(rows, "published").attempt, names(self.e.events())), (1, 2, ["c.c"] * 2))
        dies, other = self.connect(), self.connect()
        for c, limit in ((dies, 3), (other, 100)):
            c.query("BEGIN")
            c.taken = c.query("SELECT * FROM tasker.take_events($1)", limit)
        self.assertEqual(([e.name for e in dies.taken], [e.name for e in other.taken]), (["a.a", "b.b", "a.a"], ["b.b"]))
        self.assertEqual((json.loads(other.taken[0].schema), json.loads(other.taken[0].payload)["error_type"], other.taken[0].namespace), ({"type": "object"}, "worker_lost", "shop"))
        dies.query("ROLLBACK")
        other.query("SELECT tasker.checked_events($1, $2)", [e.event_no for e in other.taken], [True])
        other.query("COMMIT")
        self.assertEqual(names(self.e.events()), ["c.c", "c.c", "b.b"])
        taken = self.c.query("SELECT * FROM tasker.take_events(100)")
        self.c.query("SELECT tasker.checked_events($1, $2)", [e.event_no for e in taken], [True, False, True])
        self.assertEqual((names(self.e.events())[3:], self.c.query("SELECT * FROM tasker.take_events(100)")), (["a.a", "a.a"], []))

    def test_what_a_handler_said_of_its_failure_is_told_though_it_is_refused(self):
        _, a = self.begin()
        error = {"message": "no", "error_type": "Nope", "retryable": False, "context": {"where": "here", "retryable": "no matter"}}
        self.e.publish([a], [], refused=[1], success=False, retryable=False,
                       result={"success": False, "error": error, "metadata": {"error_code": "E42"}})
        payload = self.e.events()[0]["payload"]["payload"]
        self.assertEqual({k: v for k, v in payload.items() if k != "failed_at"},
                         {"where": "here", "error_type": "Nope", "error_code": "E42", "message": "no", "error_message": "no", "retryable": False, "attempt": 1})

    def test_what_cannot_be_published_is_told(self):
        """By a limit of the session: first the results of earlier steps are left out, then it is not published."""
        events = {"two": [{"name": "two.failed", "condition": "failure"}, {"name": "two.always", "condition": "always"}]}
        for size, expected in ((100, ["one"]), (3000, []), (40000, None)):
            with self.subTest(size=size):
                self.c.query("SET tasker.events_bytes_max = '5000'")
                rows = self.e.create(self.e.register(CHAIN, events=events, two={"queue_timeout_ms": 5000}), credit=1,
                                     context=json.dumps({"text": "x" * (size if expected is None else 1)}))
                task = self.one(rows, "created").task_uuid
                self.c.query("DELETE FROM pgmq.q_shop_domain_events")
                self.e.settle(of(rows, "assign"), credit={}, result={"success": True, "result": "x" * min(size, 4000)})
                self.e.pass_time(6)
                rows = self.e.fire({})
                step = self.e.step(task, "two")
                self.assertEqual(step.state, "error")
                self.assertEqual([(r.step_uuid, r.task_uuid, r.namespace, r.step_name, r.reason) for r in of(rows, "unpublished")],
                                 [] if expected is not None else [(step.workflow_step_uuid, task, "shop", name, "too_large") for name in ("two.failed", "two.always")])
                self.assertEqual([list(e["payload"]["task_sequence_step"]["dependency_results"]) for e in self.e.events()], [] if expected is None else [expected] * 2)

    def test_a_result_that_jsonb_does_not_take_is_told(self):
        """A number that no numeric holds, in what a sub-task gives to the step that waits for it."""
        rows = self.e.create(self.e.register({"order": []}, events={"order": [{"name": "order.done"}]}), credit=1)
        rows = sub_tasks.start(self.e, of(rows, "assign")[0], self.e.register({"pick": []}))
        assign, = of(rows, "assign")
        self.c.query("SELECT * FROM tasker.settle_steps($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14,$15)", [assign.step_uuid], [assign.task_uuid], [1], [assign.msg_id], [True],
                     [True], [-1], ['{"success": true, "result": {"n": 1e999999}}'], ["w"], [5], [], [], 1000, PROCESSOR, None)
        rows = sub_tasks.look_at_all(self.e)
        self.assertEqual([(r.step_name, r.reason) for r in of(rows, "unpublished")], [("order.done", "invalid")])
        self.assertEqual((self.e.events(), kinds(rows)["settled"]), ([], 1))

    def test_a_refused_result(self):
        _, a = self.begin()
        self.e.publish([a], [], refused=[1], success=False, retryable=False)
        self.assertEqual([(e["event_name"], e["payload"]["payload"]["error_type"]) for e in self.e.events()], [("one.failed", "Nope"), ("one.gone", "Nope")])
        self.e.publish([a], [], refused=[1], success=False, retryable=False)
        self.assertEqual(len(self.e.events()), 2)


class Queues(DbTest):
    def exists(self, namespace="shop"):
        return self.c.value("SELECT count(*) FROM pgmq.meta WHERE queue_name = $1", f"{namespace}_domain_events") == 1

    def send(self, n, age_s=0):
        self.c.query("SELECT pgmq.send('shop_domain_events', '{}') FROM generate_series(1, $1::int)", n)
        self.c.query("UPDATE pgmq.q_shop_domain_events SET enqueued_at = clock_timestamp() - $1::int * interval '1 second' "
                     "WHERE enqueued_at > clock_timestamp() - interval '10 seconds'", age_s)

    def trim(self, max_age_s=3600, keep=1000, limit=1000):
        return self.c.query("SELECT * FROM tasker.trim_events($1, $2, $3)", max_age_s, keep, limit)

    def test_only_namespaces_with_durable_events_have_one(self):
        self.e.register(CHAIN, events={"one": [{"name": "a.b", "delivery_mode": "fast"}]})
        self.assertEqual((self.exists(), self.trim()), (False, []))
        self.e.register(CHAIN, events={"two": [{"name": "a.b", "delivery_mode": "broadcast"}]})
        self.assertTrue(self.exists())
        self.e.register(CHAIN, events=DECLARED, namespace="BANK")
        self.assertTrue(self.exists("BANK"))
        self.assertEqual({r.namespace: r.depth for r in self.trim()}, {"BANK": 0, "shop": 0})

    def test_a_dropped_queue_is_made_again(self):
        a, = of(self.e.create(self.e.register(CHAIN, events=DECLARED), credit=1), "assign")
        self.c.query("SELECT pgmq.drop_queue('shop_domain_events')")
        self.e.publish([a], [(1, "always", {"event_name": "still.there"})])
        self.assertEqual(names(self.e.events()), ["still.there"])

    def test_what_nobody_reads_goes_by_age_and_then_by_number(self):
        self.e.register(CHAIN, events=DECLARED)
        self.send(30, age_s=7200)
        self.send(50, age_s=60)
        row, = self.trim(limit=20)
        self.assertEqual((row.depth, row.expired, row.overflowed), (60, 20, 0))
        self.assertGreater(row.oldest_s, 7000)
        row, = self.trim()
        self.assertEqual((row.depth, row.expired, row.overflowed), (50, 10, 0))
        self.assertTrue(50 < row.oldest_s < 200, row)
        row, = self.trim(keep=10)
        self.assertEqual((row.depth, row.expired, row.overflowed), (10, 0, 40))
        self.assertEqual(self.c.column("SELECT msg_id FROM pgmq.q_shop_domain_events ORDER BY 1"), list(range(71, 81)), "the newest stay")

    def test_a_consumer_reads_them_with_pgmq(self):
        a, = of(self.e.create(self.e.register(CHAIN, events=DECLARED), credit=1), "assign")
        self.e.publish([a], [(1, "always", {"event_name": "one.over"})])
        row, = self.c.query("SELECT msg_id, message::text AS message FROM pgmq.read('shop_domain_events', 30, 10)")
        self.assertEqual(row.message, '{"event_name": "one.over"}')
        self.assertTrue(self.c.value("SELECT pgmq.delete('shop_domain_events', $1::bigint)", row.msg_id))
