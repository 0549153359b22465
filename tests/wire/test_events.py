# SPDX-License-Identifier: MIT
"""Durable domain events as a worker of another language hands them in: with its results, published once, whatever it does."""
import json
import unittest
import uuid

import grpc

from lib.stubs import dispatch, dispatch_grpc
from lib.system import System, eventually
from test_grpc import REPLY_S, Worker

TEMPLATE = b"""name: telling
namespace_name: telling
version: 1.0.0
steps:
  - name: first
    handler: {callable: any}
    publishes_events:
      - {name: first.done, description: d}
      - {name: first.failed, description: d, condition: permanent_failure}
  - name: choose
    type: decision
    dependencies: [first]
    handler: {callable: any}
    publishes_events:
      - {name: choice.made, description: d}
      - {name: choice.failed, description: d, condition: failure, delivery_mode: broadcast}
  - {name: left, dependencies: [choose], handler: {callable: any}}
"""
W = dispatch.Event


class Events(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.s = System(orchestrators=2, env={"TASKER_DISPATCH_HEARTBEAT": "20s", "TASKER_EVENTS_KEEP": "1000", "TASKER_SWEEPER_INTERVAL": "500ms",
                                                 "TASKER_TIMERS_POLL": "500ms"})
        cls.addClassCleanup(cls.s.stop)
        with grpc.insecure_channel(cls.s.process("orchestrator")["grpc"]) as channel:
            reply = dispatch_grpc.DispatchStub(channel).RegisterTemplates(
                dispatch.RegisterTemplatesRequest(templates=[dispatch.TemplateSource(file="telling.yaml", yaml=TEMPLATE)]), timeout=REPLY_S)
        assert reply.outcomes[0].kind == dispatch.TemplateOutcome.KIND_REGISTERED, reply

    def setUp(self):
        self.w = self.worker()
        self.task = self.s.submit("telling", "telling", {})

    def tearDown(self):
        self.s.call("DELETE", f"/v1/tasks/{self.task}")  # or the next test's worker would get what is left of it
        self.s.doctor()

    def worker(self, at=0, **kwargs):
        worker = Worker(self.s.process("orchestrator", at)["grpc"], f"w-{uuid.uuid4()}", namespaces=("telling",), **kwargs)
        self.addCleanup(worker.close)
        return worker

    def event(self, when, name, **more):
        return W(when=when, event_json=json.dumps({"event_name": name, "metadata": {"task_uuid": self.task}, **more}).encode())

    def queue(self):
        events = (json.loads(m.m) for m in self.s.sql("SELECT message::text AS m FROM pgmq.q_telling_domain_events ORDER BY msg_id"))
        return [e for e in events if e["metadata"]["task_uuid"] == self.task]

    def names(self):
        return [e["event_name"] for e in self.queue()]

    def settle(self, w, assign, **over):
        w.send(results=[w.result(assign, **over)])
        ack, = w.next("acks")
        return ack

    def dropped(self, reason):
        return sum(self.s.metric(o["rest"], f'tasker_orchestrator_events_dropped_total{{reason="{reason}"}}') for o in self.s.endpoints["orchestrators"])

    def test_a_result_brings_its_events_and_the_outcome_chooses(self):
        first, = self.w.next("assign")
        ack = self.settle(self.w, first, events=[self.event(W.WHEN_SUCCESS, "a.a"), self.event(W.WHEN_FAILURE, "a.b"), self.event(W.WHEN_ALWAYS, "a.c")])
        self.assertEqual((ack.stale, ack.refused, self.names()), (False, False, ["a.a", "a.c"]))
        again = self.settle(self.w, first, events=[self.event(W.WHEN_SUCCESS, "b.b")])
        self.assertEqual((again.stale, self.names()), (False, ["a.a", "a.c"]), "the same result again is acknowledged, and publishes nothing")
        choose, = self.w.next("assign")
        document = {"step_uuid": str(uuid.UUID(bytes=choose.step_uuid)), "success": True, "status": "completed", "metadata": {},
                    "result": {"decision_point_outcome": {"type": "create_steps", "step_names": ["left"]}}}
        self.settle(self.w, choose, result_json=json.dumps(document).encode(), events=[self.event(W.WHEN_SUCCESS, "c.c")])
        self.assertEqual(self.names(), ["a.a", "a.c", "c.c"])
        left, = self.w.next("assign")
        self.settle(self.w, left)
        self.assertEqual(self.s.wait(self.task)["status"], "complete")

    def test_a_worker_that_dies_before_the_acknowledgement(self):
        """It sent its result, nobody knows whether it arrived; its successor, or itself again, hands the attempt in once more, elsewhere."""
        first, = self.w.next("assign")
        self.w.send(results=[self.w.result(first, events=[self.event(W.WHEN_SUCCESS, "a.a", n=1)])])
        eventually(self.names, 10, "the event is there")
        self.w.close()
        other = self.worker(at=1)
        ack = self.settle(other, first, events=[self.event(W.WHEN_SUCCESS, "a.a", n=2)])
        self.assertEqual((ack.stale, [e["n"] for e in self.queue()]), (False, [1]))

    def test_events_that_postgresql_does_not_take_cost_no_result(self):
        first, = self.w.next("assign")
        before = self.dropped("invalid")
        bad = W(when=W.WHEN_ALWAYS, event_json=b'{"text":"\\u0000"}')
        ack = self.settle(self.w, first, events=[self.event(W.WHEN_ALWAYS, "a.a"), bad])
        self.assertEqual((ack.stale, ack.refused, self.names(), self.dropped("invalid")), (False, False, [], before + 2))
        self.assertEqual(self.s.value("SELECT state FROM tasker.workflow_steps WHERE task_uuid = $1 AND name = 'first'", self.task), "complete")
        choose, = self.w.next("assign")
        ack = self.settle(self.w, choose, result_json=b'{"success":true,"result":{"decision_point_outcome":{"type":"no_branches"}}}', events=[bad])
        self.assertEqual((ack.refused, self.dropped("invalid"), self.s.wait(self.task)["status"]), (False, before + 3, "complete"))

    def test_a_result_that_is_refused_publishes_the_failure_it_became(self):
        first, = self.w.next("assign")
        self.settle(self.w, first)
        choose, = self.w.next("assign")
        document = {"success": True, "result": {"decision_point_outcome": {"type": "create_steps", "step_names": ["nobody"]}}}
        ack = self.settle(self.w, choose, result_json=json.dumps(document).encode(), events=[self.event(W.WHEN_SUCCESS, "choice.made")])
        self.assertEqual((ack.stale, ack.refused), (False, True))
        event, = self.queue()
        self.assertEqual((event["event_name"], event["metadata"]["fired_by"], event["payload"]["payload"]["error_type"]), ("choice.failed", "orchestrator", "invalid_outcome"))

    def test_an_event_whose_orchestrator_died_before_it_looked_at_its_schema(self):
        """It is in the table, and nobody is told."""
        event = {"event_id": str(uuid.uuid4()), "event_name": "a.a", "payload": {"payload": {"n": 1}}, "metadata": {"task_uuid": self.task}}
        for schema in ({"required": ["n"]}, {"required": ["m"]}):
            self.s.sql("INSERT INTO tasker.unchecked_events (task_uuid, schema, event) VALUES ($1, $2::jsonb, $3::jsonb)", self.task, json.dumps(schema), json.dumps(event))
        eventually(lambda: self.s.value("SELECT count(*) FROM tasker.unchecked_events") == 0, 20, "somebody has looked at both")
        self.assertEqual(self.names(), ["a.a"])

    def test_what_is_no_event_ends_the_stream(self):
        first, = self.w.next("assign")
        for events, why in (([W(event_json=b"{}")], "Event.when is missing or unknown"), ([W(when=W.WHEN_ALWAYS)], "Event.event_json must have 1 byte to 4 MiB"),
                            ([self.event(W.WHEN_ALWAYS, "a.a")] * 65, "Result.events has more than 64 events")):
            w = self.worker(credit=0)
            w.send(results=[w.result(first, events=events)])
            with self.assertRaises(grpc.RpcError) as caught:
                next(w.call)
            self.assertEqual((caught.exception.code(), caught.exception.details()), (grpc.StatusCode.INVALID_ARGUMENT, why))
        self.assertEqual(self.names(), [])

    def test_what_nobody_reads_is_bounded_and_told(self):
        first, = self.w.next("assign")
        self.settle(self.w, first, events=[self.event(W.WHEN_ALWAYS, "a.a")])
        before, rest = self.dropped("overflow"), self.s.process("orchestrator")["rest"]
        self.s.sql("SELECT pgmq.send('telling_domain_events', jsonb_build_object('metadata', jsonb_build_object('task_uuid', ''))) FROM generate_series(1, 1500)")
        eventually(lambda: self.dropped("overflow") - before >= 500, 20, "the oldest are gone")
        self.assertEqual((self.s.value("SELECT count(*) FROM pgmq.q_telling_domain_events"), self.names()), (1000, []))
        eventually(lambda: self.s.metric(rest, 'tasker_orchestrator_events_waiting{namespace="telling"}') == 1000, 20, "the metric says so")
        self.s.sql("DELETE FROM pgmq.q_telling_domain_events")
