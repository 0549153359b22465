# SPDX-License-Identifier: MIT
"""A whole running system for tests: `tasker dev` on free ports below a temporary directory, and what tests do with it.

Model: System starts one launcher, reads its endpoints.json, and speaks HTTP with Python's own client. Processes are ended by
the pids the launcher wrote down. What a test killed comes back with respawn(): same command line, same addresses.
The build under test is $TASKER_BUILD (default build/); settings of services travel as TASKER_* environment variables.
"""
import atexit
import glob
import json
import os
import shutil
import signal
import subprocess
import tempfile
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid

from lib import pg

ROOT = pg.ROOT
BUILD = os.path.join(ROOT, os.environ.get("TASKER_BUILD", "build"))
BIN = os.path.join(BUILD, "bin")
EXAMPLES = os.path.join(ROOT, "examples", "templates")
OWN = os.path.join(ROOT, "tests", "lib", "templates")  # with handlers of tests/lib/handlers
HANDLERS = ",".join(os.path.join(BUILD, "lib", f"libtasker_{name}.so") for name in ("examples", "test_handlers"))
FIXTURES = os.environ.get("TASKER_FIXTURES", os.path.join(os.path.dirname(ROOT), "shared", "fixtures"))
SLOW = 4 if "asan" in BUILD or "tsan" in BUILD else 1  # sanitizers: deadlines grow, nothing else
_pause = threading.Event()  # never set: the pause between two looks
RESTING = ("complete", "error", "cancelled", "resolved_manually", "blocked_by_failures")


class Reply:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"<{self.status} {self.body[:400]!r}>"


def request(url, method="GET", body=None, headers=None, timeout=60):
    """One HTTP exchange; any status is an answer. A dict or list goes as JSON, bytes go as they are."""
    headers = dict(headers or {})
    if body is not None and not isinstance(body, bytes):
        body = json.dumps(body).encode()
    if body is not None:
        headers.setdefault("Content-Type", "application/json")
    try:
        with urllib.request.urlopen(urllib.request.Request(url, body, headers, method=method), timeout=timeout) as r:
            return Reply(r.status, r.headers, r.read())
    except urllib.error.HTTPError as e:
        with e:
            return Reply(e.code, e.headers, e.read())


def eventually(condition, seconds=20, what="the condition", every=0.02):
    """What `condition()` returned once it was true; asks again until then. The only way tests wait."""
    end, value = time.monotonic() + seconds * SLOW, None
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"{what} did not become true within {seconds * SLOW} s; last: {value!r}")
        _pause.wait(every)


def tasker(*args, env=None, timeout=120):
    """One run of the CLI."""
    return subprocess.run([os.path.join(BIN, "tasker"), *args], capture_output=True, text=True, timeout=timeout * SLOW,
                          env={**os.environ, **(env or {})}, check=False)


class System:
    def __init__(self, orchestrators=1, workers=1, templates=(EXAMPLES, OWN), env=None, options=(), durable=False):
        self.dir, self._pid = tempfile.mkdtemp(prefix="tasker-sys-"), os.getpid()
        os.chmod(self.dir, 0o755)  # PostgreSQL runs as somebody else and must get in
        self._spawned, self._pg_restarted = [], False
        atexit.register(self.stop)
        self.journal = os.path.join(self.dir, "journal")  # of the test handlers
        self.templates = os.path.join(self.dir, "templates")
        for folder in templates:
            shutil.copytree(folder, os.path.join(self.templates, os.path.basename(os.path.dirname(folder))))
        done = tasker("dev", "--detach", "--data", self.dir, "--port-base", "0", "--templates", self.templates,
                      "--handlers", HANDLERS, "--orchestrators", str(orchestrators), "--workers", str(workers), *options, env=env, timeout=180)
        if done.returncode:
            raise RuntimeError(f"tasker dev failed: {done.stdout}{done.stderr}\n{self.logs()}")
        with open(os.path.join(self.dir, "endpoints.json"), encoding="utf-8") as f:
            self.endpoints = json.load(f)
        if not durable:  # tests end processes, never the machine: nobody has to wait for a disk. What measures does
            self.sql("ALTER SYSTEM SET fsync = off")
            self.sql("SELECT pg_reload_conf()")
        self._commands = {p["pid"]: self._command(p["pid"]) for kind in ("orchestrators", "workers", "caches") for p in self.endpoints[kind]}

    # -- who is where --

    @property
    def rest(self):
        return self.endpoints["orchestrators"][0]["rest"]

    def process(self, kind, at=0):
        return self.endpoints[kind + "s"][at]

    def conn(self, hot=False):
        """hot: with the session's settings of an orchestrator."""
        return pg.Conn(self.endpoints["postgres"] + (f"?options={urllib.parse.quote(pg.HOT)}" if hot else ""))

    def sql(self, text, *args):
        with self.conn() as c:
            return c.query(text, *args)

    def value(self, text, *args):
        with self.conn() as c:
            return c.value(text, *args)

    def logs(self, tail=40):
        out = []
        folder = os.path.join(self.dir, "logs")
        for name in sorted(os.listdir(folder)) if os.path.isdir(folder) else []:
            with open(os.path.join(folder, name), encoding="utf-8", errors="replace") as f:
                out += [f"--- {name}", *f.read().splitlines()[-tail:]]
        return "\n".join(out)

    def log_lines(self, name):
        """The lines of a service's log that are written to their ends; each must be JSON."""
        with open(os.path.join(self.dir, "logs", name + ".log"), encoding="utf-8") as f:
            return [json.loads(line) for line in f.read().split("\n")[:-1]]

    def ready(self, kind, at=0):
        """Whether that process says it is ready; False while it does not answer."""
        try:
            return request(self.process(kind, at)["rest"] + "/health/ready").status == 200
        except OSError:
            return False

    def await_ready(self, kind, at=0, seconds=60):
        """Until it is, or the end of its log says why not."""
        try:
            eventually(lambda: self.ready(kind, at), seconds, f"{kind} {at} is ready")
        except AssertionError as e:
            with open(self.process(kind, at)["log"], encoding="utf-8", errors="replace") as log:
                raise AssertionError(f"{e}\n" + "".join(log.readlines()[-60:])) from None

    # -- tasks --

    def call(self, method, path, body=None, headers=None, base=None, timeout=90):
        return request((base or self.rest) + path, method, body, headers, timeout * SLOW)

    def submit(self, namespace, name, context, base=None, **fields):
        context = {**context, "_test_run_id": str(uuid.uuid4())}  # the same context twice would be the same task
        body = {"namespace": namespace, "name": name, "version": "1.0.0", "context": context, "initiator": "test",
                "source_system": "tests", "reason": "test", **fields}
        reply = self.call("POST", "/v1/tasks", body, base=base)
        assert reply.status == 200, reply
        return reply.json["task_uuid"]

    def wait(self, task, seconds=30, base=None):
        """The task once it rests."""
        end = time.monotonic() + seconds * SLOW
        while True:
            reply = self.call("GET", f"/v1/tasks/{task}?wait={max(1, int(end - time.monotonic()))}s", base=base)
            if reply.status == 200 and reply.json["status"] in RESTING:
                return reply.json
            assert time.monotonic() < end, f"task {task} does not rest: {reply!r}\n{self.logs()}"

    def run(self, namespace, name, context, seconds=30, **fields):
        """Submits and waits; the task, with its steps by name under 'by_name'."""
        task = self.wait(self.submit(namespace, name, context, **fields), seconds)
        task["by_name"] = {s["name"]: s for s in self.call("GET", f"/v1/tasks/{task['task_uuid']}/workflow_steps").json}
        return task

    def without_schema(self, example):
        """Registers an example template without its input_schema, so that its handlers see what it would refuse. Returns the fields that ask for it."""
        import yaml
        with open(os.path.join(EXAMPLES, example), encoding="utf-8") as f:
            template = {**yaml.safe_load(f), "version": "1.0.0-any"}
        del template["input_schema"]
        reply = self.call("POST", "/v1/templates", yaml.safe_dump(template).encode(), {"Content-Type": "application/yaml"})
        assert reply.status in (200, 201), reply
        return {"version": template["version"]}

    def refused(self, namespace, name, context):
        """The message of a submission that is 400."""
        reply = self.call("POST", "/v1/tasks", {"namespace": namespace, "name": name, "version": "1.0.0", "context": context, "initiator": "test",
                                                "source_system": "tests", "reason": "test"})
        assert reply.status == 400, reply
        return reply.json["error"]["message"]

    def doctor(self):
        done = tasker("doctor", "--json", "--database-url", self.endpoints["postgres"])
        assert done.returncode == 0, f"tasker doctor: {done.stdout}{done.stderr}"

    def metric(self, base, name):
        """The sum of the samples of that name."""
        total = 0.0
        for line in request(base + "/metrics").body.decode().splitlines():
            if line.startswith((name + " ", name + "{")):
                total += float(line.rsplit(" ", 1)[1])
        return total

    # -- faults --

    @staticmethod
    def _command(pid):
        def words(name):
            with open(f"/proc/{pid}/{name}", "rb") as f:
                return [w.decode() for w in f.read().split(b"\0") if w]
        return words("cmdline"), dict(w.split("=", 1) for w in words("environ"))

    @staticmethod
    def alive(pid):
        """Whether a thread of it is left: the first may be gone while others still hold its sockets."""
        def there(path):
            try:
                with open(path, encoding="ascii") as f:
                    return f.read().rsplit(")", 1)[1].split()[0] not in "ZX"
            except (FileNotFoundError, ProcessLookupError):
                return False
        return any(there(path) for path in glob.glob(f"/proc/{pid}/task/*/stat"))

    def kill(self, kind, at=0, sig=signal.SIGKILL):
        process = self.process(kind, at)
        os.kill(process["pid"], sig)
        if sig == signal.SIGKILL:
            eventually(lambda: not self.alive(process["pid"]), 10, "the process is gone")
        return process

    def respawn(self, kind, at=0, env=None):
        """Starts a killed service again, on its old addresses; `env` replaces settings."""
        process = self.process(kind, at)
        argv, old = self._commands.pop(process["pid"])
        argv, env = list(argv), {**old, **(env or {})}
        for key, value in (("rest.bind", process["rest"].removeprefix("http://")), ("grpc.bind", process["grpc"])):
            argv += ["--set", f"{key}={value}"]
        with open(process["log"], "ab") as log:
            child = subprocess.Popen(argv, env=env, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        self._spawned.append(child)
        process["pid"] = child.pid
        self._commands[child.pid] = (argv, env)
        return process

    def restart_postgres(self, mode):
        """pg_ctl restart with its old options; from then on the server is ours to stop."""
        self._pg_ctl("restart", "-w", "-t", "60", "-m", mode, "-l", os.path.join(self.endpoints["postgres_data"], "restarted.log"))
        self._pg_restarted = True

    def dir_of_socket(self):
        with open(os.path.join(self.endpoints["postgres_data"], "postmaster.opts"), encoding="utf-8") as f:
            return f.read().split('"-k" "')[1].split('"')[0]

    def _pg_ctl(self, *args):
        user = pg.Server._unprivileged()
        who = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []} if user else {}
        done = subprocess.run([os.path.join(self.endpoints["postgres_bin"], "pg_ctl"), "-D", self.endpoints["postgres_data"], *args],
                              stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, cwd="/", check=False, **who)
        assert done.returncode == 0, f"pg_ctl {args}: {done.stderr}"

    # -- the end --

    def stop(self):
        """Stops exactly what was started here. Returns the launcher's exit status."""
        if not self.dir or os.getpid() != self._pid:
            return None
        for child in self._spawned:
            if child.poll() is None:
                child.send_signal(signal.SIGCONT)
                child.terminate()
        for child in self._spawned:
            try:
                child.wait(40 * SLOW)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
        done = tasker("dev", "stop", "--data", self.dir)
        if self._pg_restarted:
            self._pg_ctl("stop", "-w", "-m", "fast")
        reports = self.sanitizer_reports()
        shutil.rmtree(self.dir, ignore_errors=True)
        self.dir = None
        assert not reports, "a sanitizer has something to say:\n" + "\n".join(reports)
        return done.returncode

    def sanitizer_reports(self):
        """The beginning of what sanitizers wrote into each log."""
        found = []
        for name in sorted(os.listdir(os.path.join(self.dir, "logs"))):
            with open(os.path.join(self.dir, "logs", name), encoding="utf-8", errors="replace") as f:
                text = f.read()
            at = min((text.find(word) for word in ("WARNING: ThreadSanitizer", "ERROR: AddressSanitizer", "ERROR: LeakSanitizer", ": runtime error: ") if word in text), default=-1)
            if at >= 0:
                found.append(f"--- {name}\n{text[max(0, at - 200):at + 6000]}")
        return found
