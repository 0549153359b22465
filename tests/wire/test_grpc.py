# SPDX-License-Identifier: MIT
"""gRPC by an independent client (grpcio): health on all services, the dispatch stream as a worker of another language would
speak it, and peers that do not keep to the rules."""
import json
import os
import queue
import socket
import unittest
import uuid

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from lib.stubs import dispatch, dispatch_grpc
from lib.system import SLOW, System, eventually

NAMESPACE = "wire"
TEMPLATE = b"""name: pair
namespace_name: wire
version: 1.0.0
steps:
  - {name: first, handler: {callable: any}}
  - {name: second, dependencies: [first], handler: {callable: any}}
"""
REPLY_S = 20 * SLOW


class Worker:
    """A worker made of nothing but the protocol."""

    def __init__(self, address, worker_id, credit=10, namespaces=(NAMESPACE,), held=()):
        self.channel = grpc.insecure_channel(address)
        self.out, self.pending = queue.Queue(), {"assign": [], "acks": [], "cancel": [], "recalled": []}
        self.call = dispatch_grpc.DispatchStub(self.channel).Connect(iter(self.out.get, None))
        hello = dispatch.Hello(worker_id=worker_id, version="test", hostname="h", namespaces=namespaces, permits=10, held=held)
        self.out.put(dispatch.WorkerFrame(hello=hello))
        self.welcome = next(self.call).welcome
        if credit:
            self.send(credit=[dispatch.Credit(namespace="", steps=credit)])

    def send(self, **fields):
        self.out.put(dispatch.WorkerFrame(**fields))

    def next(self, what, n=1):
        """The next n items of that kind; a frame may bring several kinds at once."""
        while len(self.pending[what]) < n:
            frame = next(self.call)
            for kind, items in self.pending.items():
                said = getattr(frame, kind)
                items += ([said] if said else []) if isinstance(said, int) else list(said)
        taken, self.pending[what] = self.pending[what][:n], self.pending[what][n:]
        return taken

    def result(self, assign, **over):
        document = {"step_uuid": str(uuid.UUID(bytes=assign.step_uuid)), "success": True, "result": {"by": "python"}, "status": "completed", "metadata": {}}
        return dispatch.Result(**{"step_uuid": assign.step_uuid, "task_uuid": assign.task_uuid, "attempt": assign.attempt,
                                  "lease_token": assign.lease_token, "outcome": dispatch.OUTCOME_SUCCESS, "retry_delay_ms": -1,
                                  "result_json": json.dumps(document).encode(), "execution_time_ms": 1, "namespace": assign.namespace, **over})

    @staticmethod
    def held(assign, **over):
        return dispatch.Held(**{"step_uuid": assign.step_uuid, "task_uuid": assign.task_uuid, "attempt": assign.attempt, "lease_token": assign.lease_token,
                                "namespace": assign.namespace, **over})

    def close(self):
        self.out.put(None)
        self.call.cancel()
        self.channel.close()


class Grpc(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.s = System(env={"TASKER_DISPATCH_HEARTBEAT": "20s"})
        cls.addClassCleanup(cls.s.stop)
        cls.address = cls.s.process("orchestrator")["grpc"]
        cls.pid = cls.s.process("orchestrator")["pid"]
        with grpc.insecure_channel(cls.address) as channel:
            reply = dispatch_grpc.DispatchStub(channel).RegisterTemplates(
                dispatch.RegisterTemplatesRequest(templates=[dispatch.TemplateSource(file="pair.yaml", yaml=TEMPLATE)]), timeout=REPLY_S)
        assert reply.outcomes[0].kind == dispatch.TemplateOutcome.KIND_REGISTERED, reply

    def worker(self, name="w", **kwargs):
        worker = Worker(self.address, f"{name}-{uuid.uuid4()}", **kwargs)
        self.addCleanup(worker.close)
        return worker

    def tearDown(self):
        self.assertTrue(self.s.alive(self.pid), self.s.logs())
        self.s.doctor()

    def test_health_of_all_three(self):
        for kind, service in (("orchestrator", "tasker.dispatch.v1.Dispatch"), ("worker", ""), ("cache", "tasker.cache.v1.TemplateCache")):
            with self.subTest(kind), grpc.insecure_channel(self.s.process(kind)["grpc"]) as channel:
                stub = health_pb2_grpc.HealthStub(channel)
                for name in {"", service}:
                    reply = stub.Check(health_pb2.HealthCheckRequest(service=name), timeout=REPLY_S)
                    self.assertEqual(reply.status, health_pb2.HealthCheckResponse.SERVING)
                with self.assertRaises(grpc.RpcError) as caught:
                    stub.Check(health_pb2.HealthCheckRequest(service="nobody"), timeout=REPLY_S)
                self.assertEqual(caught.exception.code(), grpc.StatusCode.NOT_FOUND)
                watch = stub.Watch(health_pb2.HealthCheckRequest(), timeout=REPLY_S)
                self.assertEqual(next(watch).status, health_pb2.HealthCheckResponse.SERVING)
                watch.cancel()

    def test_a_worker_of_another_language_runs_a_task(self):
        w = self.worker()
        task = self.s.submit(NAMESPACE, "pair", {"n": 1}, priority=3)
        (first,) = w.next("assign")
        self.assertEqual((first.step_name, first.attempt, first.retry_count, first.max_attempts, first.retryable, first.priority, first.initiator),
                         ("first", 1, 0, 3, True, 3, "test"))
        self.assertEqual(json.loads(first.context_json)["n"], 1)
        w.send(results=[w.result(first)])
        frame_acks = w.next("acks")
        self.assertEqual([(a.step_uuid, a.attempt, a.stale) for a in frame_acks], [(first.step_uuid, 1, False)])
        (second,) = w.next("assign")
        self.assertEqual(json.loads(second.dependency_results_json)["first"]["result"], {"by": "python"})
        self.assertTrue(second.dependencies_complete)
        w.send(results=[w.result(second)])
        self.assertEqual(self.s.wait(task)["status"], "complete")

    def test_no_credit_no_work_and_the_queue_keeps_it(self):
        w = self.worker(credit=0)
        task = self.s.submit(NAMESPACE, "pair", {})
        eventually(lambda: self.s.value("SELECT state FROM tasker.workflow_steps WHERE task_uuid = $1 AND name = 'first'", task) == "enqueued", 10, "it is enqueued")
        w.send(credit=[dispatch.Credit(namespace="", steps=1)])
        (first,) = w.next("assign")
        w.send(results=[w.result(first)], credit=[dispatch.Credit(namespace="", steps=1)])
        (second,) = w.next("assign")
        w.send(results=[w.result(second)])
        self.assertEqual(self.s.wait(task)["status"], "complete")

    def test_a_dropped_stream_gives_its_steps_to_another_worker(self):
        w = self.worker()
        task = self.s.submit(NAMESPACE, "pair", {})
        (lost,) = w.next("assign")
        w.close()
        other = self.worker()
        (again,) = other.next("assign")
        self.assertEqual((again.step_uuid, again.attempt, again.retry_count), (lost.step_uuid, 2, 0))
        other.send(results=[other.result(lost)])
        self.assertEqual([a.stale for a in other.next("acks")], [True], "the lost attempt's result comes too late")
        other.send(results=[other.result(again)])
        (second,) = other.next("assign")
        other.send(results=[other.result(second)])
        self.assertEqual(self.s.wait(task)["status"], "complete")

    def first_step(self, task):
        row, = self.s.sql("SELECT workflow_step_uuid AS id, state, attempts, forgiven, losses FROM tasker.workflow_steps WHERE task_uuid = $1 AND name = 'first'", task)
        return row

    def test_a_step_that_is_given_back_waits_for_whoever_has_credit(self):
        w = self.worker(credit=4)
        self.assertTrue(w.welcome.takes_returned)
        task = self.s.submit(NAMESPACE, "pair", {})
        (first,) = w.next("assign")
        w.send(recall=True, returned=[w.held(first)])
        recalled = 0
        while recalled < 3:  # what is granted and not used; some of it later where a claim on its way has reserved it
            recalled += w.next("recalled")[0]
        self.assertEqual(recalled, 3)
        self.assertEqual([(a.step_uuid, a.attempt, a.stale, a.refused) for a in w.next("acks")], [(first.step_uuid, 1, False, False)])
        row = self.first_step(task)
        self.assertEqual((row.state, row.attempts, row.forgiven, row.losses), ("enqueued", 1, 1, 0))
        self.assertEqual(self.s.value("SELECT from_state FROM tasker.workflow_step_transitions WHERE workflow_step_uuid = $1 AND reason = 'given back'", row.id), "in_progress")
        other = self.worker()
        (again,) = other.next("assign")
        self.assertEqual((again.step_uuid, again.attempt, again.retry_count), (first.step_uuid, 2, 0))
        w.send(returned=[w.held(first), w.held(again)])  # once more, and what another one has
        self.assertEqual([a.stale for a in w.next("acks", 2)], [True, True])
        self.assertEqual(self.first_step(task).state, "in_progress")
        for step in (again, None):
            other.send(results=[other.result(step or other.next("assign")[0])])
        self.assertEqual(self.s.wait(task)["status"], "complete")

    def test_a_step_is_given_back_to_another_orchestrator_that_is_told_of_it_first(self):
        w = self.worker(credit=1)
        task = self.s.submit(NAMESPACE, "pair", {})
        (first,) = w.next("assign")
        other = self.worker(credit=0)  # another stream, as to another orchestrator
        other.send(held=[other.held(first)], returned=[other.held(first)])
        self.assertEqual([a.stale for a in other.next("acks")], [False])
        self.assertEqual(self.first_step(task).state, "enqueued")
        w.send(results=[w.result(first)])
        self.assertEqual([a.stale for a in w.next("acks")], [True], "the attempt is over")
        other.send(credit=[dispatch.Credit(steps=2)])
        for _ in range(2):
            other.send(results=[other.result(other.next("assign")[0])])
        self.assertEqual(self.s.wait(task)["status"], "complete")

    def test_results_for_steps_it_does_not_hold_are_stale(self):
        w = self.worker()
        task = self.s.submit(NAMESPACE, "pair", {})
        (first,) = w.next("assign")
        foreign = [w.result(first, attempt=9), w.result(first, lease_token=first.lease_token + 1000), w.result(first, step_uuid=uuid.uuid4().bytes),
                   w.result(first, task_uuid=uuid.uuid4().bytes)]
        w.send(results=foreign)
        acks = w.next("acks", len(foreign))
        self.assertEqual([a.stale for a in acks], [True] * len(foreign))
        self.assertEqual(self.s.value("SELECT state FROM tasker.workflow_steps WHERE task_uuid = $1 AND name = 'first'", task), "in_progress")
        w.send(results=[w.result(first), w.result(first)])
        acks = w.next("acks", 2)
        self.assertEqual([a.stale for a in acks], [False, False], "said twice, stored once")
        (second,) = w.next("assign")
        w.send(results=[w.result(second)])
        self.assertEqual(self.s.wait(task)["status"], "complete")

    def refused(self, frames):
        """The status with which a stream of these frames ends."""
        with grpc.insecure_channel(self.address) as channel:
            call = dispatch_grpc.DispatchStub(channel).Connect(iter(frames), timeout=REPLY_S)
            with self.assertRaises(grpc.RpcError) as caught:
                for _ in call:
                    pass
            return caught.exception

    def test_broken_protocol_ends_the_stream_and_says_why(self):
        hello = dispatch.WorkerFrame(hello=dispatch.Hello(worker_id="w", namespaces=[NAMESPACE], permits=1))
        cases = {
            "no hello": [dispatch.WorkerFrame(credit=[dispatch.Credit(steps=1)])],
            "two hellos": [hello, hello],
            "no name": [dispatch.WorkerFrame(hello=dispatch.Hello(namespaces=[NAMESPACE]))],
            "short uuid": [hello, dispatch.WorkerFrame(results=[dispatch.Result(step_uuid=b"abc", task_uuid=b"def", attempt=1, outcome=1, result_json=b"{}")])],
            "short uuid given back": [hello, dispatch.WorkerFrame(returned=[dispatch.Held(step_uuid=b"abc", task_uuid=bytes(16), attempt=1, namespace=NAMESPACE)])],
            "more given back than there can be": [hello, dispatch.WorkerFrame(returned=[dispatch.Held(step_uuid=bytes(16))] * 100001)],
        }
        for name, frames in cases.items():
            with self.subTest(name):
                error = self.refused(frames)
                self.assertEqual(error.code(), grpc.StatusCode.INVALID_ARGUMENT, error)
                self.assertGreater(len(error.details()), 10)

    def test_a_name_that_is_no_text_is_refused(self):
        """It would go into statements with the names of others, and PostgreSQL would refuse them all."""
        def bad(**fields):
            return dispatch.WorkerFrame(**fields).SerializeToString().replace(b"ODD", b"\xff\xfe\xfd")
        hello = dispatch.WorkerFrame(hello=dispatch.Hello(worker_id="w", namespaces=[NAMESPACE], permits=1)).SerializeToString()
        uuids = {"step_uuid": bytes(16), "task_uuid": bytes(16), "attempt": 1}
        cases = {
            "Hello.namespaces": [bad(hello=dispatch.Hello(worker_id="w", namespaces=["ODD"], permits=1))],
            "Hello.worker_id": [bad(hello=dispatch.Hello(worker_id="ODD", namespaces=[NAMESPACE], permits=1))],
            "Held.namespace": [hello, bad(held=[dispatch.Held(**uuids, namespace="ODD")])],
            "Result.namespace": [hello, bad(results=[dispatch.Result(**uuids, outcome=1, namespace="ODD", result_json=b"{}")])],
        }
        with grpc.insecure_channel(self.address) as channel:
            connect = channel.stream_stream("/tasker.dispatch.v1.Dispatch/Connect", request_serializer=None, response_deserializer=None)
            for name, frames in cases.items():
                with self.subTest(name):
                    with self.assertRaises(grpc.RpcError) as caught:
                        for _ in connect(iter(frames), timeout=REPLY_S):
                            pass
                    self.assertEqual((caught.exception.code(), name in caught.exception.details()), (grpc.StatusCode.INVALID_ARGUMENT, True), caught.exception)

    def test_a_result_that_is_not_json_fails_its_step_only(self):
        w = self.worker()
        task = self.s.submit(NAMESPACE, "pair", {})
        (first,) = w.next("assign")
        w.send(results=[w.result(first, result_json=b"{no json")])
        try:
            w.next("acks")
        except grpc.RpcError as e:
            self.assertEqual(e.code(), grpc.StatusCode.INVALID_ARGUMENT)
        state = self.s.value("SELECT state FROM tasker.workflow_steps WHERE task_uuid = $1 AND name = 'first'", task)
        self.assertNotEqual(state, "complete")
        self.assertEqual(self.s.run("tests", "chain", {})["status"], "complete", "others go on")
        self.s.call("DELETE", f"/v1/tasks/{task}")

    def test_a_result_nested_too_deeply_fails_its_step_only(self):
        w = self.worker()
        tasks = [self.s.submit(NAMESPACE, "pair", {}) for _ in range(4)]
        deep, deeper, most, plain = w.next("assign", 4)
        nested = {a.step_uuid: b"[" * n + b"]" * n for a, n in ((deep, 129), (deeper, 100000), (most, 128))}
        w.send(results=[w.result(a, result_json=nested[a.step_uuid]) for a in (deep, deeper, most)] + [w.result(plain)])  # one frame, one transaction
        self.assertEqual({a.step_uuid: a.refused for a in w.next("acks", 4)},
                         {deep.step_uuid: True, deeper.step_uuid: True, most.step_uuid: False, plain.step_uuid: False})
        row, = self.s.sql("SELECT r.result ->> 'success' AS ok, r.result -> 'error' ->> 'error_type' AS type, r.result -> 'error' ->> 'message' AS says "
                          "FROM tasker.step_results r WHERE r.workflow_step_uuid = $1", str(uuid.UUID(bytes=deep.step_uuid)))
        self.assertEqual((row.ok, row.type, row.says), ("false", "invalid_result", "result: objects and arrays stand in each other more than 128 deep"))
        for task in tasks:
            self.s.call("DELETE", f"/v1/tasks/{task}")

    def test_a_result_that_text_cannot_hold_is_one(self):
        """Half of a surrogate pair, and \\u0000: kept as it was said, in every answer."""
        w = self.worker()
        task = self.s.submit(NAMESPACE, "pair", {})
        (first,) = w.next("assign")
        said = rb'{"success": true, "result": {"text": "a\u0000b \ud800"}, "status": "completed", "metadata": {}}'
        w.send(results=[w.result(first, result_json=said)])
        self.assertFalse(w.next("acks")[0].refused)
        (second,) = w.next("assign")
        self.assertIn(b"a\\u0000b", second.dependency_results_json)
        w.send(results=[w.result(second)])
        self.assertEqual(self.s.wait(task)["status"], "complete")
        for path in ("", "/workflow_steps", "/summary", "/timeline"):
            self.assertEqual(self.s.call("GET", f"/v1/tasks/{task}{path}").status, 200, path)
        self.assertEqual(self.s.call("GET", f"/v1/tasks/{task}/workflow_steps").json[0]["results"]["result"], {"text": "a\0b \ud800"})

    def test_garbage_on_the_port(self):
        host, port = self.address.rsplit(":", 1)
        for bytes_ in (b"GET / HTTP/1.0\r\n\r\n", os.urandom(4096), b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + os.urandom(4096), b""):
            with socket.create_connection((host, int(port)), REPLY_S) as sock:
                sock.settimeout(REPLY_S)
                try:
                    sock.sendall(bytes_)
                    sock.shutdown(socket.SHUT_WR)
                    while sock.recv(65536):
                        pass
                except (ConnectionError, TimeoutError):
                    pass
        with grpc.insecure_channel(self.address) as channel:
            for method in ("/tasker.dispatch.v1.Dispatch/RegisterTemplates", "/tasker.dispatch.v1.Dispatch/FetchResults"):
                with self.assertRaises(grpc.RpcError) as caught:
                    channel.unary_unary(method, lambda b: b, lambda b: b)(b"\xff" * 300, timeout=REPLY_S)
                self.assertEqual(caught.exception.code(), grpc.StatusCode.INVALID_ARGUMENT)
            with self.assertRaises(grpc.RpcError) as caught:
                channel.unary_unary("/tasker.dispatch.v1.Dispatch/Nothing", lambda b: b, lambda b: b)(b"", timeout=REPLY_S)
            self.assertEqual(caught.exception.code(), grpc.StatusCode.UNIMPLEMENTED)
            stream = channel.stream_stream("/tasker.dispatch.v1.Dispatch/Connect", lambda b: b, lambda b: b)(iter([b"\xff" * 300]), timeout=REPLY_S)
            with self.assertRaises(grpc.RpcError) as caught:
                next(stream)
            self.assertEqual(caught.exception.code(), grpc.StatusCode.INVALID_ARGUMENT)
        self.assertEqual(self.s.run("tests", "chain", {})["status"], "complete")
