# SPDX-License-Identifier: MIT
"""Domain events from a template's declaration to the queue and to subscribers, on a running system: every value."""
import json
import os
import re
import unittest
import uuid

from lib.events import KEYS, keys
from lib.system import System, eventually

ORDER = ("domain_events_rust", "domain_event_publishing")
STEPS = ("domain_events_validate_order", "domain_events_process_payment", "domain_events_update_inventory", "domain_events_send_notification")
UUID7 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


class EventTest(unittest.TestCase):
    env, workers = None, 1

    @classmethod
    def setUpClass(cls):
        cls.s = System(workers=cls.workers, env=cls.env)
        cls.addClassCleanup(cls.s.stop)
        cls.worker = cls.s.process("worker")["rest"]

    def figures(self):
        return self.s.call("GET", "/metrics/events", base=self.worker).json

    def metric(self, name):
        return self.s.metric(self.worker, "tasker_worker_" + name)

    def queue(self, task, namespace="tests"):
        """The durable events of a task, oldest first."""
        rows = self.s.sql(f"SELECT message::text AS m FROM pgmq.q_{namespace}_domain_events ORDER BY msg_id")
        return [e for e in (json.loads(r.m) for r in rows) if e["metadata"]["task_uuid"] == task["task_uuid"]]

    def told(self, task):
        """What the recorder got of the task: (name, id)."""
        if not os.path.exists(self.s.journal):
            return []
        with open(self.s.journal, encoding="utf-8") as f:
            return [(name, event) for name, event, of, _ in (line.split() for line in f) if of == task["task_uuid"]]

    def publish(self, status="complete", name="events", **context):
        payload = {"journal": self.s.journal, **context.pop("payload", {})}
        task = self.s.run("tests", name, {"payload": payload, **context})
        self.assertEqual(task["status"], status, task)
        return task


class Orders(EventTest):
    def order(self, **context):
        return self.s.run(*ORDER, {"order_id": str(uuid.uuid4()), "customer_id": "cust-7", "amount": 99.95, **context})

    def test_an_order_tells_what_happened(self):
        before = self.figures()
        task = self.order()
        self.assertEqual((task["status"], task["completed_steps"]), ("complete", 4))
        results = {n: s["results"]["result"] for n, s in task["by_name"].items()}
        order = task["context"]["order_id"]
        self.assertEqual({k: results[STEPS[0]][k] for k in ("order_id", "customer_id", "amount", "validated", "validation_checks")},
                         {"order_id": order, "customer_id": "cust-7", "amount": 99.95, "validated": True,
                          "validation_checks": ["order_id", "customer_id", "amount"]})
        payment = results[STEPS[1]]
        self.assertEqual({k: payment[k] for k in ("amount", "payment_method", "payment_provider", "status")},
                         {"amount": 99.95, "payment_method": "credit_card", "payment_provider": "mock", "status": "success"})
        self.assertTrue(payment["transaction_id"].startswith("TXN-"))
        self.assertEqual({k: results[STEPS[2]][k] for k in ("order_id", "success", "items", "inventory_source")},
                         {"order_id": order, "success": True, "inventory_source": "mock",
                          "items": [{"sku": "ITEM-001", "quantity": 1}, {"sku": "ITEM-002", "quantity": 2}]})
        self.assertEqual({k: results[STEPS[3]][k] for k in ("channel", "recipient", "status")}, {"channel": "email", "recipient": "cust-7", "status": "delivered"})
        self.assertTrue(results[STEPS[3]]["notification_id"].startswith("NOTIF-"))

        event, = self.queue(task, ORDER[0])
        step = task["by_name"][STEPS[1]]
        self.assertEqual(keys(event), KEYS)
        self.assertRegex(event["event_id"], UUID7)
        self.assertEqual((event["event_name"], event["event_version"]), ("payment.processed", "1.0"))
        self.assertEqual(event["payload"]["payload"],
                         {"transaction_id": payment["transaction_id"], "amount": 99.95, "payment_method": "credit_card", "processed_at": payment["processed_at"],
                          "order_id": order, "customer_tier": "standard", "attempt_number": 1})
        self.assertEqual(event["payload"]["execution_result"]["result"], payment)
        sequence = event["payload"]["task_sequence_step"]
        self.assertEqual(sequence["task"]["task"]["context"]["order_id"], order)
        self.assertEqual((sequence["task"]["task_name"], sequence["task"]["task_version"], sequence["task"]["namespace_name"]), (ORDER[1], "1.0.0", ORDER[0]))
        self.assertEqual((sequence["workflow_step"]["workflow_step_uuid"], sequence["workflow_step"]["name"], sequence["workflow_step"]["attempts"]),
                         (step["step_uuid"], STEPS[1], 1))
        self.assertEqual(set(sequence["dependency_results"]), {STEPS[0]})
        self.assertEqual(sequence["step_definition"]["handler"]["initialization"], {"payment_provider": "mock"})
        self.assertEqual({k: v for k, v in event["metadata"].items() if k != "fired_at"},
                         {"task_uuid": task["task_uuid"], "step_uuid": step["step_uuid"], "step_name": STEPS[1], "namespace": ORDER[0],
                          "correlation_id": task["correlation_id"], "parent_correlation_id": None, "fired_by": "PaymentEventPublisher", "condition": "success", "attempt": 1,
                          "worker_id": before["worker_id"]})
        self.assertRegex(event["metadata"]["fired_at"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$")

        eventually(lambda: self.figures()["in_process_bus"]["rust_handler_dispatches"] >= before["in_process_bus"]["rust_handler_dispatches"] + 3, 10, "told")
        after = self.figures()
        self.assertEqual({k: after["router"][k] - before["router"][k] for k in after["router"]},
                         {"total_routed": 4, "durable_routed": 1, "fast_routed": 3, "broadcast_routed": 0, "fast_delivery_errors": 0, "routing_errors": 0})
        self.assertEqual({k: after["in_process_bus"][k] - before["in_process_bus"][k] for k in after["in_process_bus"]},
                         {"total_events_dispatched": 3, "rust_handler_dispatches": 3, "ffi_channel_dispatches": 0, "rust_handler_errors": 0,
                          "ffi_channel_drops": 0, "rust_subscriber_patterns": 0, "rust_handler_count": 0, "ffi_subscriber_count": 0})
        self.assertEqual((after["in_process_bus"]["rust_subscriber_patterns"], after["in_process_bus"]["rust_handler_count"]), (6, 4))
        for name in ("order.validated", "inventory.updated", "notification.sent"):
            self.assertGreater(self.metric(f'events_told_total{{event="{name}"}}'), 0)

    def test_three_orders_at_once(self):
        tasks = [self.s.submit(*ORDER, {"order_id": str(uuid.uuid4()), "customer_id": "c", "amount": n + 1}) for n in range(3)]
        for n, task in enumerate(self.s.wait(t) for t in tasks):
            self.assertEqual(task["status"], "complete")
            event, = self.queue(task, ORDER[0])
            self.assertEqual(event["payload"]["payload"]["amount"], n + 1)

    def test_every_declined_attempt_tells_so(self):
        task = self.order(simulate_failure=True)
        self.assertEqual(task["status"], "blocked_by_failures")
        events = self.queue(task, ORDER[0])
        self.assertEqual([e["event_name"] for e in events], ["payment.failed"] * 3)
        self.assertEqual(len({e["event_id"] for e in events}), 3)
        order = task["context"]["order_id"]
        for n, event in enumerate(events, 1):
            payload = event["payload"]["payload"]
            self.assertRegex(payload.pop("failed_at"), r"^\d{4}-.*Z$")
            text = f"the payment of order {order} was declined"
            self.assertEqual(payload, {"order_id": order, "error_type": "PaymentError", "error_code": "PAYMENT_DECLINED", "message": text,
                                       "error_message": text, "retryable": True, "attempt": n})
            self.assertEqual((event["metadata"]["fired_by"], event["metadata"]["condition"]), ("default", "failure"))

    def test_an_order_that_does_not_pass_tells_nothing(self):
        before = self.figures()["router"]
        task = self.order(amount=0)
        self.assertEqual(task["status"], "blocked_by_failures")
        self.assertEqual(task["by_name"][STEPS[0]]["results"]["error"]["message"], "amount must be above 0, found 0")
        self.assertEqual((self.queue(task, ORDER[0]), self.figures()["router"]), ([], before))


class Conditions(EventTest):
    def names(self, task):
        return [e["event_name"] for e in self.queue(task)]

    def test_success(self):
        task = self.publish(payload={"n": 1})
        done, over, made = self.queue(task)
        self.assertEqual([e["event_name"] for e in (done, over, made)], ["test.done", "test.over", "test.made.anew"])
        self.assertEqual(done["payload"]["payload"], {"journal": self.s.journal, "n": 1})
        self.assertEqual(made["payload"]["payload"], {"event": "test.made.anew", "step": "publish", "success": True, "before": done["payload"]["payload"]})
        self.assertEqual(made["metadata"]["fired_by"], "Test::Publisher")
        eventually(lambda: sorted(self.told(task)) == sorted([("test.done", done["event_id"])] * 2), 10, "recorder and refuser got the queue's event")

    def test_failures_that_will_be_tried_again_and_the_last_one(self):
        task = self.publish("blocked_by_failures", failures=9)
        per_attempt = [["test.over", "test.failed", "test.again", "test.made.anew"]] * 2 + [["test.over", "test.failed", "test.gone", "test.made.anew"]]
        events = self.queue(task)
        self.assertEqual([e["event_name"] for e in events], [name for names in per_attempt for name in names])
        self.assertEqual([e["metadata"]["attempt"] for e in events], [1] * 4 + [2] * 4 + [3] * 4)
        gone = events[10]["payload"]["payload"]
        self.assertEqual({k: v for k, v in gone.items() if k != "failed_at"},
                         {"where": "here", "error_type": "TestError", "error_code": "E42", "message": "attempt 3", "error_message": "attempt 3",
                          "retryable": True, "attempt": 3})
        self.assertEqual(events[3]["payload"]["payload"]["success"], False)

    def test_a_failure_for_good_is_the_last(self):
        task = self.publish("blocked_by_failures", failures=1, for_good=True)
        self.assertEqual(self.names(task), ["test.over", "test.failed", "test.gone", "test.made.anew"])

    def test_success_after_failures(self):
        task = self.publish(failures=2)
        self.assertEqual(self.names(task), ["test.over", "test.failed", "test.again", "test.made.anew"] * 2 + ["test.done", "test.over", "test.made.anew"])
        self.assertEqual(len({e["event_id"] for e in self.queue(task)}), 11)

    def test_a_timeout_is_told_by_the_worker(self):
        task = self.publish("blocked_by_failures", hang_ms=2600)
        events = self.queue(task)
        self.assertEqual([e["event_name"] for e in events], ["test.over", "test.failed", "test.again", "test.made.anew"] * 2 +
                         ["test.over", "test.failed", "test.gone", "test.made.anew"])
        self.assertEqual({e["payload"]["payload"]["error_type"] for e in events}, {"handler_timeout"})

    def test_a_handler_gives_payloads_of_its_own(self):
        task = self.publish(given={"test.done": {"mine": [1, 2]}, "test.over": None, "no.such": {"x": 1}})
        done, made = self.queue(task)
        self.assertEqual((done["event_name"], done["payload"]["payload"], made["event_name"]), ("test.done", {"mine": [1, 2]}, "test.made.anew"))
        self.assertEqual(done["payload"]["execution_result"]["result"], {"journal": self.s.journal})
        self.assertIn("event.undeclared", self.s.logs(400))

    def test_a_publisher_declines_or_fails_and_the_step_goes_on(self):
        skipped, failed = self.metric('events_skipped_total{reason="declined"}'), self.metric('events_failed_total{reason="publisher"}')
        self.assertEqual(self.names(self.publish(payload={"how": "skip"})), ["test.done", "test.over"])
        self.assertEqual(self.names(self.publish(payload={"how": "fail"})), ["test.done", "test.over"])
        self.assertEqual((self.metric('events_skipped_total{reason="declined"}'), self.metric('events_failed_total{reason="publisher"}')), (skipped + 1, failed + 1))

    def test_a_payload_that_does_not_fit_its_schema_is_not_published(self):
        misfits = 'events_failed_total{reason="schema"}'
        before = self.metric(misfits)
        bad = self.publish(name="events_typed", payload={"total": "12"})
        given = self.publish(name="events_typed", payload={"total": 12}, given={"test.typed": {"total": -1}})
        good = self.publish(name="events_typed", payload={"total": 12})
        self.assertEqual([self.names(t) for t in (bad, given, good)], [["test.untyped"]] * 2 + [["test.typed", "test.untyped"]])
        self.assertEqual(self.metric(misfits), before + 2)
        log = self.s.logs(400)
        for place in ("/total: must be number, found string", "/total: must be at least 0, found -1"):
            self.assertIn(place, log)
        eventually(lambda: [name for name, _ in self.told(good)] == ["test.typed"], 10, "the recorder is told of the one that fits")
        self.assertEqual(self.told(bad) + self.told(given), [])

    def test_a_subscriber_that_returns_an_error_hurts_nobody(self):
        task, handed = self.publish(), 'event_deliveries_total{subscriber="refuser"}'
        eventually(lambda: len(self.told(task)) == 2, 10, "recorder and refuser got it")
        eventually(lambda: self.figures()["in_process_bus"]["rust_handler_errors"] == self.metric(handed) > 0, 10, "each error is counted")

    def test_a_large_event_first_loses_the_ancestors_then_itself(self):
        """256 KiB; the payload is in it as payload, as result, in the task's context, and as the result of the step before."""
        before = self.metric('events_failed_total{reason="too_large"}')
        for bytes_, ancestors in ((60_000, {"before"}), (70_000, set()), (100_000, None)):
            event, = self.queue(self.publish(name="events_after", payload={"text": ["x" * 5_000] * (bytes_ // 5_000)})) or [None]
            self.assertEqual(event and set(event["payload"]["task_sequence_step"]["dependency_results"]), ancestors)
        self.assertEqual(self.metric('events_failed_total{reason="too_large"}'), before + 1)
        self.assertIn("event.failed", self.s.logs(400))


class Pressure(EventTest):
    env = {"TASKER_EVENTS_MAILBOX_MAX": "4", "TASKER_EVENTS_LOG": "test.passed", "TASKER_EVENTS_DRAIN": "200ms"}

    def test_a_slow_subscriber_loses_events_and_nobody_else_does(self):
        gate = os.path.join(self.s.dir, "gate")
        with open(gate, "w", encoding="ascii"):
            pass
        tasks = [self.publish(name="gate", payload={"gate": gate})]
        inside = 'event_deliveries_total{subscriber="recorder"}'
        eventually(lambda: self.metric(inside) == 1, 10, "the first event is on its way")
        tasks += [self.publish(name="gate", payload={"gate": gate}) for _ in range(19)]
        eventually(lambda: self.metric(inside) == 20, 10, "the others are served while one waits")
        self.assertIn(self.metric('events_dropped_total{reason="full"}'), (15, 16), "one in hand, four in the mailbox, perhaps one between")
        dropped = self.metric('events_dropped_total{reason="full"}')
        self.assertEqual(self.metric('events_published_total{delivery="fast"}'), 40)
        self.assertEqual(self.figures()["router"]["fast_delivery_errors"], dropped)
        self.assertIn("subscriber.slow", self.s.logs(400))
        self.assertEqual(self.s.logs(400).count('"event":"event.published"'), 20)
        os.unlink(gate)
        eventually(lambda: self.metric('event_deliveries_total{subscriber="at_gate"}') == 20 - dropped, 10, "what waited is told")
