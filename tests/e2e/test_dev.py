# SPDX-License-Identifier: MIT
"""`tasker dev`: what it writes down, how it stops, what it keeps, what it refuses, what it says when something dies."""
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import unittest
import uuid

from lib import pg
from lib.system import BIN, EXAMPLES, HANDLERS, OWN, SLOW, System, eventually, request, tasker

KINDS = ("caches", "orchestrators", "workers")


class Launcher:
    """`tasker dev` in the foreground, its output in a file."""

    def __init__(self, test, data=None, *options, port_base="0"):
        self.data = data or tempfile.mkdtemp(prefix="tasker-dev-")
        os.chmod(self.data, 0o755)
        test.addCleanup(shutil.rmtree, self.data, ignore_errors=True)
        with tempfile.TemporaryFile() as out:
            self.child = subprocess.Popen([os.path.join(BIN, "tasker"), "dev", "--data", self.data, "--port-base", port_base, "--templates", OWN,
                                           "--handlers", HANDLERS, *options], stdout=out, stderr=out, stdin=subprocess.DEVNULL)
            self._out = os.dup(out.fileno())
        test.addCleanup(os.close, self._out)
        test.addCleanup(self.end)
        path = os.path.join(self.data, "endpoints.json")
        eventually(lambda: os.path.exists(path) or self.child.poll() is not None, 60, "the system is ready")
        assert self.child.poll() is None, self.out
        with open(path, encoding="utf-8") as f:
            self.endpoints = json.load(f)

    @property
    def out(self):
        return os.pread(self._out, 1 << 20, 0).decode()

    @property
    def rest(self):
        return self.endpoints["orchestrators"][0]["rest"]

    @property
    def pids(self):
        return [p["pid"] for kind in KINDS for p in self.endpoints[kind]] + [self.endpoints["postgres_pid"], self.endpoints["redis_pid"]]

    @property
    def ports(self):
        urls = [p[way] for kind in KINDS for p in self.endpoints[kind] for way in ("rest", "grpc")]
        return [int(re.search(r":(\d+)(/|$)", url)[1]) for url in [*urls, self.endpoints["postgres"].split("@")[1], self.endpoints["redis"].split("//")[1]]]

    def end(self, sig=signal.SIGTERM):
        """Its exit status."""
        if self.child.poll() is None:
            self.child.send_signal(sig)
        return self.child.wait(60 * SLOW)

    def event(self, name, event):
        """When the service logged that."""
        with open(os.path.join(self.data, "logs", name + ".log"), encoding="utf-8") as f:
            return [line["time"] for line in map(json.loads, f.read().split("\n")[:-1]) if line["event"] == event][-1]

    def submit(self, base=None, **context):
        body = {"namespace": "tests", "name": "diamond", "version": "1.0.0", "context": {"run": str(uuid.uuid4()), **context}, "initiator": "test",
                "source_system": "tests", "reason": "test"}
        reply = request((base or self.rest) + "/v1/tasks", "POST", body)
        assert reply.status == 200, reply
        return reply.json["task_uuid"]

    def wait(self, task, base=None):
        return request(f"{base or self.rest}/v1/tasks/{task}?wait=30s").json["status"]


class Dev(unittest.TestCase):
    def all_gone(self, launcher):
        self.assertEqual([pid for pid in launcher.pids if System.alive(pid)], [])
        self.assertFalse(os.path.exists(os.path.join(launcher.data, "endpoints.json")))

    def test_two_at_once_do_not_collide(self):
        one, two = Launcher(self), Launcher(self)
        self.assertEqual(len({*one.ports, *two.ports}), 16)
        tasks = [(system, system.submit()) for system in (one, two)]
        for system, task in tasks:
            self.assertEqual(system.wait(task), "complete")
        self.assertEqual(request(f"{two.rest}/v1/tasks/{tasks[0][1]}").status, 404)
        self.assertEqual((one.end(), two.wait(two.submit()), two.end()), (0, "complete", 0))

    def test_endpoints_have_their_shape(self):
        d = Launcher(self)
        self.assertLessEqual({"orchestrators", "workers", "caches", "postgres", "redis"}, set(d.endpoints))
        for kind in KINDS:
            process, = d.endpoints[kind]
            self.assertRegex(process["rest"], r"^http://127\.0\.0\.1:\d+$")
            self.assertRegex(process["grpc"], r"^127\.0\.0\.1:\d+$")
            self.assertEqual(request(process["rest"] + "/health/ready").status, 200)
            with open(f"/proc/{process['pid']}/comm", encoding="ascii") as f:
                self.assertEqual(f.read().strip(), f"tasker-{kind[:-1]}"[:15])
            self.assertIn(process["rest"], d.out)
        self.assertRegex(d.endpoints["postgres"], r"^postgresql://")
        self.assertRegex(d.endpoints["redis"], r"^redis://127\.0\.0\.1:\d+$")
        self.assertEqual(tasker("doctor", "--database-url", d.endpoints["postgres"]).returncode, 0)
        self.assertEqual(len(d.ports), len(set(d.ports)))

    def test_its_server_waits_for_the_disk_and_compresses_pages_as_well_as_it_can(self):
        d = Launcher(self)
        with pg.Conn(d.endpoints["postgres"]) as c:
            self.assertEqual(("on", "on"), (c.value("SHOW fsync"), c.value("SHOW synchronous_commit")))
            can = c.value("SELECT 'lz4' = ANY (enumvals) FROM pg_settings WHERE name = 'wal_compression'")
            self.assertEqual("lz4" if can else "pglz", c.value("SHOW wal_compression").replace("on", "pglz"))

    def test_ctrl_c_and_term_stop_all_in_order(self):
        for sig in (signal.SIGINT, signal.SIGTERM):
            d = Launcher(self)
            self.assertEqual((sig, d.end(sig)), (sig, 0), d.out)
            self.all_gone(d)
            for first, then in (("worker-1", "orchestrator-1"), ("orchestrator-1", "cache-1")):
                self.assertLess(d.event(first, "service.stopped"), d.event(then, "service.stopping"))
            with open(os.path.join(d.data, "logs", "postgres.log"), encoding="utf-8") as f:
                self.assertIn("database system is shut down", f.read().splitlines()[-1])

    def test_a_task_under_way_is_finished_by_the_next_start(self):
        first = Launcher(self)
        done, journal = first.submit(), os.path.join(first.data, "journal")
        self.assertEqual(first.wait(done), "complete")
        under_way = first.submit(sleep_ms=400, journal=journal)
        eventually(lambda: os.path.exists(journal), 20, "its first step runs")
        self.assertEqual(first.end(), 0)
        second = Launcher(self, first.data)
        self.assertEqual(request(f"{second.rest}/v1/tasks/{done}").json["status"], "complete")
        self.assertEqual(second.wait(under_way), "complete")
        with open(journal, encoding="utf-8") as f:
            self.assertEqual([line.split()[2] for line in f if line.startswith("end")].count("start"), 1)
        self.assertEqual(second.end(), 0)

    def test_a_second_one_on_the_same_directory_is_refused(self):
        d = Launcher(self)
        for how in ((), ("--detach",)):
            done = tasker("dev", "--data", d.data, "--port-base", "0", *how)
            self.assertEqual((done.returncode, done.stdout), (1, ""))
            self.assertEqual(done.stderr, f"tasker dev: a system is running on {d.data} already (tasker dev stop --data {d.data} ends it)\n")
        self.assertTrue(os.path.exists(os.path.join(d.data, "endpoints.json")))
        self.assertEqual(d.wait(d.submit()), "complete")

    def test_detach_status_and_stop(self):
        data = tempfile.mkdtemp(prefix="tasker-dev-")
        self.addCleanup(shutil.rmtree, data, ignore_errors=True)
        os.chmod(data, 0o755)
        self.addCleanup(tasker, "dev", "stop", "--data", data)
        done = tasker("dev", "--detach", "--data", data, "--port-base", "0", "--templates", EXAMPLES)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        with open(os.path.join(data, "endpoints.json"), encoding="utf-8") as f:
            endpoints = json.load(f)
        for said in ("Tasker is ready.", endpoints["orchestrators"][0]["rest"], f"Stop it with: tasker dev stop --data {data}"):
            self.assertIn(said, done.stdout)
        self.assertEqual(request(endpoints["orchestrators"][0]["rest"] + "/health").status, 200)
        status = tasker("dev", "status", "--data", data)
        self.assertEqual((status.returncode, json.loads(status.stdout.splitlines()[1])), (0, endpoints))
        self.assertEqual(tasker("dev", "stop", "--data", data).returncode, 0)
        self.assertFalse(System.alive(endpoints["postgres_pid"]))
        eventually(lambda: not System.alive(endpoints["pid"]), what="the launcher, which has let go of its directory, is gone too")
        again, status = tasker("dev", "stop", "--data", data), tasker("dev", "status", "--data", data)
        self.assertEqual((again.returncode, status.returncode), (0, 1))
        self.assertEqual(again.stdout, f"No system is running on {data}.\n")

    def test_a_killed_service_is_reported_and_not_restarted(self):
        d = Launcher(self)
        os.kill(d.endpoints["caches"][0]["pid"], signal.SIGKILL)
        eventually(lambda: "tasker dev: cache-1 was ended by signal 9. It is not restarted." in d.out, 20, "it says so")
        self.assertEqual(d.out.count("It is not restarted"), 1)
        self.assertEqual(d.wait(d.submit()), "complete")  # the rest goes on
        children = subprocess.run(["ps", "-o", "comm=", "--ppid", str(d.child.pid)], capture_output=True, text=True, check=True).stdout.split()
        self.assertNotIn("tasker-cache", children)
        self.assertEqual(d.end(), 1)  # not all was well
        self.all_gone(d)

    def test_replicas(self):
        d = Launcher(self, None, "--orchestrators", "2", "--workers", "2")
        self.assertEqual([len(d.endpoints[kind]) for kind in KINDS], [1, 2, 2])
        self.assertEqual(len(set(d.ports)), 12)
        one, two = [o["rest"] for o in d.endpoints["orchestrators"]]
        for base, metric in [(o["rest"], "tasker_orchestrator_workers_connected") for o in d.endpoints["orchestrators"]] + \
                            [(w["rest"], "tasker_worker_links_up") for w in d.endpoints["workers"]]:
            eventually(lambda: System.metric(None, base, metric) == 2, 20, f"{base} knows both")
        for here, there in ((one, two), (two, one)):
            self.assertEqual(d.wait(d.submit(here), there), "complete")
        self.assertEqual(d.end(), 0)
        self.all_gone(d)

    def test_a_port_base_is_used_and_a_taken_one_named(self):
        base = self.free_base()
        d = Launcher(self, port_base=str(base))
        self.assertEqual(d.ports[:6], [base + 2, base + 1112, base, base + 1110, base + 1, base + 1111])
        other = tempfile.mkdtemp(prefix="tasker-dev-")
        self.addCleanup(shutil.rmtree, other, ignore_errors=True)
        done = tasker("dev", "--data", other, "--port-base", str(base), "--templates", OWN)
        self.assertEqual(done.returncode, 1)
        self.assertIn("are its ports taken? --port-base 0 takes free ones", done.stderr)
        self.assertIn("Address already in use", done.stderr)
        self.assertEqual(tasker("dev", "status", "--data", other).returncode, 1)
        self.assertEqual(d.wait(d.submit()), "complete")

    @staticmethod
    def free_base():
        for base in range(21000, 29000, 37):
            sockets = [socket.socket() for _ in range(6)]
            try:
                for s, port in zip(sockets, (base, base + 1, base + 2, base + 1110, base + 1111, base + 1112)):
                    s.bind(("127.0.0.1", port))
                return base
            except OSError:
                continue
            finally:
                for s in sockets:
                    s.close()
        raise AssertionError("no free ports")

    def test_bad_arguments_are_named(self):
        with tempfile.TemporaryDirectory() as data:
            for exits, args, says in ((2, ("--orchestrators", "0"), "--orchestrators must be between 1 and 16, found '0'"),
                                      (2, ("--workers", "99"), "--workers must be between 0 and 16, found '99'"),
                                      (2, ("--port-base", "x"), "--port-base must be between 0 and 60000, found 'x'"),
                                      (1, ("--pg-bin", "/nowhere"), "/nowhere: holds no postgres and initdb"),
                                      (1, ("--templates", "/nowhere"), "--templates /nowhere: No such file or directory"),
                                      (1, ("--handlers", "/nowhere.so"), "--handlers /nowhere.so: No such file or directory"),
                                      (1, ("--data", "/proc/nowhere"), "/proc/nowhere: "), (2, ("begin",), "'begin' is neither stop nor status")):
                done = tasker("dev", "--data", data, *args)
                self.assertEqual((args, done.returncode, done.stdout), (args, exits, ""))
                self.assertIn(says, done.stderr)
            self.assertFalse(os.path.exists(os.path.join(data, "postgres")))
