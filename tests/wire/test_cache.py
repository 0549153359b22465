# SPDX-License-Identifier: MIT
"""The template cache by an independent gRPC client: levels, single flight, negative answers, invalidation everywhere."""
import os
import signal
import time
import unittest
import uuid

import grpc

from lib.stubs import cache, cache_grpc
from lib.system import SLOW, System, eventually
from test_rest import curl

REPLY_S = 20 * SLOW


def yaml(name, callable_="x", version="1.0.0"):
    return f"name: {name}\nnamespace_name: wire_cache\nversion: {version}\nsteps:\n  - {{name: a, handler: {{callable: {callable_}}}}}\n".encode()


class Cache(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.s = System(orchestrators=2)
        cls.addClassCleanup(cls.s.stop)
        cls.channel = grpc.insecure_channel(cls.s.process("cache")["grpc"])
        cls.addClassCleanup(cls.channel.close)
        cls.stub = cache_grpc.TemplateCacheStub(cls.channel)

    def apply(self, body, at=0, replace=False):
        """Registers it, and waits until the cache has heard of it: until then it may load twice what it should load once."""
        heard = self.stats().invalidations
        answer = curl(self.s.process("orchestrator", at)["rest"] + "/v1/templates?file=c.yaml" + ("&replace=true" if replace else ""), data=body)
        self.assertEqual(answer.status // 100, 2, answer.body)
        eventually(lambda: self.stats().invalidations > heard, what="the cache has heard of it")

    def named(self, name, version="1.0.0", namespace="wire_cache"):
        return self.stub.GetNamedTask(cache.GetNamedTaskRequest(namespace=namespace, name=name, version=version), timeout=REPLY_S)

    def status(self, call):
        with self.assertRaises(grpc.RpcError) as caught:
            call()
        return caught.exception.code()

    def stats(self):
        return self.stub.Stats(cache.StatsRequest(), timeout=REPLY_S)

    def fresh(self):
        """A template nobody has asked for yet."""
        name = f"t_{uuid.uuid4().hex[:12]}"
        self.apply(yaml(name))
        return name

    def test_a_name_leads_to_a_digest_and_a_digest_to_a_body(self):
        name = self.fresh()
        named = self.named(name)
        self.assertEqual((named.namespace, named.name, named.version, len(named.digest), len(named.named_task_uuid)), ("wire_cache", name, "1.0.0", 64, 16))
        body = self.stub.GetTemplate(cache.GetTemplateRequest(digest=named.digest), timeout=REPLY_S)
        self.assertEqual(body.digest, named.digest)
        self.assertIn(name.encode(), body.body_json)
        self.assertEqual(self.s.value("SELECT digest FROM tasker.named_tasks WHERE name = $1", name), named.digest)

    def test_levels(self):
        name = self.fresh()
        self.named(name)
        before = self.stats()
        self.named(name)
        after = self.stats()
        self.assertEqual((after.l1_hits - before.l1_hits, after.loads - before.loads), (1, 0))
        key = f"tasker:v1:named:wire_cache/{name}/1.0.0"
        self.assertTrue(self.redis("EXISTS", key))

    def redis(self, *command):
        """One Redis command over its own protocol; its integer or None."""
        import socket
        host, port = self.s.endpoints["redis"].removeprefix("redis://").split(":")
        with socket.create_connection((host, int(port)), REPLY_S) as sock:
            sock.sendall(b"*%d\r\n" % len(command) + b"".join(b"$%d\r\n%s\r\n" % (len(c), c) for c in (x.encode() if isinstance(x, str) else x for x in command)))
            reply = sock.recv(65536)
        return int(reply[1:].split(b"\r\n")[0]) if reply[:1] == b":" else reply

    def test_bytes_in_redis_that_are_no_answer_are_ignored(self):
        name = self.fresh()
        self.redis("SET", f"tasker:v1:named:wire_cache/{name}/1.0.0", b"\xff\xff garbage")
        self.assertEqual(self.named(name).name, name)

    def test_a_thousand_at_once_make_one_query(self):
        name = self.fresh()
        before = self.stats()
        futures = [self.stub.GetNamedTask.future(cache.GetNamedTaskRequest(namespace="wire_cache", name=name, version="1.0.0"), timeout=REPLY_S)
                   for _ in range(1000)]
        self.assertEqual({f.result().name for f in futures}, {name})
        after = self.stats()
        self.assertEqual(after.loads - before.loads, 1)
        self.assertEqual((after.l1_hits - before.l1_hits) + (after.shared_flights - before.shared_flights), 999)

    def test_what_does_not_exist_is_remembered_shortly(self):
        name = f"none_{uuid.uuid4().hex[:12]}"
        self.assertEqual(self.status(lambda: self.named(name)), grpc.StatusCode.NOT_FOUND)
        before = self.stats()
        self.assertEqual(self.status(lambda: self.named(name)), grpc.StatusCode.NOT_FOUND)
        after = self.stats()
        self.assertEqual((after.negative_hits - before.negative_hits, after.loads - before.loads), (1, 0))
        self.apply(yaml(name))
        eventually(lambda: self.exists(name), 5, "the new template is found")

    def exists(self, name):
        try:
            return self.named(name)
        except grpc.RpcError as e:
            self.assertEqual(e.code(), grpc.StatusCode.NOT_FOUND)
            return None

    def test_the_newest_version_by_number(self):
        name = self.fresh()
        for version in ("1.2.0", "1.10.0", "1.9.9", "1.10.0-rc1"):
            self.apply(yaml(name, version=version))
        eventually(lambda: self.named(name, "").version == "1.10.0", 5, "1.10.0 is the newest")
        versions = [n.version for n in self.stub.ListTemplates(cache.ListTemplatesRequest(namespace="wire_cache"), timeout=REPLY_S).named_tasks if n.name == name]
        self.assertEqual(len(versions), 5)

    def test_a_new_body_is_seen_everywhere(self):
        name = self.fresh()
        old = self.named(name).digest
        body = {"namespace": "wire_cache", "name": name, "version": "1.0.0", "context": {}, "initiator": "t", "source_system": "t", "reason": "t"}
        for at in (0, 1):
            body["context"] = {"run": str(uuid.uuid4())}
            self.assertEqual(self.s.call("POST", "/v1/tasks", body, base=self.s.process("orchestrator", at)["rest"]).status, 200)
        self.apply(yaml(name, "y"), at=0, replace=True)
        eventually(lambda: self.named(name).digest != old, 5, "the cache answers the new digest", every=0.002)
        new = self.s.value("SELECT digest FROM tasker.named_tasks WHERE name = $1", name)
        self.assertEqual(self.named(name).digest, new)
        for at in (0, 1):
            body["context"] = {"run": str(uuid.uuid4())}
            task = self.s.call("POST", "/v1/tasks", body, base=self.s.process("orchestrator", at)["rest"]).json["task_uuid"]
            self.assertEqual(self.s.value("SELECT template_digest FROM tasker.tasks WHERE task_uuid = $1", task), new)

    def test_within_100_ms_of_the_registration(self):
        """Both other processes: the cache, and the other orchestrator by what it pins a new task to. The quickest of five: this machine may be busy."""
        name, took = self.fresh(), []
        body = {"namespace": "wire_cache", "name": name, "version": "1.0.0", "initiator": "t", "source_system": "t", "reason": "t"}

        def pinned():
            reply = self.s.call("POST", "/v1/tasks", {**body, "context": {"run": str(uuid.uuid4())}}, base=self.s.process("orchestrator", 1)["rest"])
            return self.s.value("SELECT template_digest FROM tasker.tasks WHERE task_uuid = $1", reply.json["task_uuid"])
        for at in range(5):
            old = (self.named(name).digest, pinned())
            self.apply(yaml(name, f"handler_{at}"), at=0, replace=True)
            began = time.monotonic()
            eventually(lambda: self.named(name).digest != old[0], 5, "the cache answers the new digest", every=0.002)
            eventually(lambda: pinned() != old[1], 5, "the other orchestrator uses it", every=0.002)
            took.append((time.monotonic() - began) * 1000)
        print("seen by both after " + ", ".join(f"{ms:.1f}" for ms in took) + " ms")
        self.assertLess(min(took), 100 * SLOW)

    def test_invalidate_by_call(self):
        name = self.fresh()
        self.named(name)
        reply = self.stub.Invalidate(cache.InvalidateRequest(namespace="wire_cache", name=name, version="1.0.0"), timeout=REPLY_S)
        self.assertGreaterEqual(reply.dropped, 1)
        before = self.stats().loads
        self.named(name)
        self.assertEqual(self.stats().loads - before, 1)

    def test_bad_questions(self):
        for call in (lambda: self.named(""), lambda: self.named("a/b"), lambda: self.named("x" * 1000),
                     lambda: self.stub.GetTemplate(cache.GetTemplateRequest(digest="abc"), timeout=REPLY_S),
                     lambda: self.channel.unary_unary("/tasker.cache.v1.TemplateCache/GetTemplate", lambda b: b, lambda b: b)(b"\xff" * 99, timeout=REPLY_S)):
            self.assertEqual(self.status(call), grpc.StatusCode.INVALID_ARGUMENT)
        self.assertEqual(self.status(lambda: self.stub.GetTemplate(cache.GetTemplateRequest(digest="0" * 64), timeout=REPLY_S)), grpc.StatusCode.NOT_FOUND)

    def test_zz_without_redis_the_breaker_opens_and_answers_go_on(self):
        """Last by name: it ends Redis."""
        os.kill(self.s.endpoints["redis_pid"], signal.SIGKILL)
        eventually(lambda: not self.s.alive(self.s.endpoints["redis_pid"]), 10, "Redis is gone")

        def breaker():
            self.named(self.fresh())
            return self.stats().redis_breaker == "open"
        eventually(breaker, 20, "the breaker is open")
        self.assertEqual(self.s.run("tests", "chain", {})["status"], "complete")
        name = self.fresh()
        old = self.named(name).digest
        self.apply(yaml(name, "z"), replace=True)
        eventually(lambda: self.named(name).digest != old, 5, "invalidated by NOTIFY")
