# SPDX-License-Identifier: MIT
"""Runs many random tasks at once on the real system, and holds each of them against the model once it rests.

Model: players (threads) take one run after another: submit, let people meddle as the run says, wait until the task rests, do something
about what failed, and leave the task to the one checker, which reads histories in bulk. Faults are somebody else's (breaker.py);
players only say again what was not answered, at another orchestrator.
"""
import datetime
import http.client
import json
import os
import queue
import random
import threading
import time
import traceback
import urllib.parse
from collections import Counter

import family
import generate
from lib.system import RESTING, SLOW
from replay import PEOPLE, RERUN
from rules import Times

CHUNK = 100
PATIENCE_S = 60
BY = {"reset_for_retry": "reset_by", "resolve_manually": "resolved_by", "complete_manually": "completed_by", "skip": "skipped_by",
      "rerun": "rerun_by"}
EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)


class Run:
    """One task: template, script, what is asked of time, what people do, and what became of it."""

    def __init__(self, key, template, script, people, request=None):
        self.key, self.template, self.script, self.people, self.request = key, template, script, people, request or {}
        self.task = self.times = self.difference = self.until = None

    def as_case(self, templates, why=""):
        """A file for cases/; what its steps start goes with it, under names that start with *."""
        case = {"why": why, **self.template.as_case(), "script": self.script, "people": self.people, "request": self.request}
        starts = {t.name: t.as_case() for t in templates.values() if f'"name": "{t.name}", "script"' in json.dumps(self.script)}
        text = json.dumps({**case, "starts": starts} if starts else case)
        for name in starts:
            text = text.replace(f'"{name}"', f'"*{name}"')
        return json.loads(text)

    def ask(self, slower):
        """What the request says of time, if it is sent now."""
        now, asked = time.time_ns() // 1000, self.request
        self.times = Times(*(now + 1000 * slower * asked[key] if key in asked else 0 for key in ("run_at_ms", "deadline_ms")),
                           asked.get("timeout_s", self.template.timeout_s), asked.get("on_timeout", self.template.on_timeout))
        said = {"run_at": moment(self.times.run_at), "deadline": moment(self.times.until), "timeout_seconds": asked.get("timeout_s"),
                "on_timeout": asked.get("on_timeout")}
        return {key: value for key, value in said.items() if value}


def context(script, at=0, scripts=None):
    """The context of a task of that script: as flat as contexts are, so the scripts of what it starts stand beside it, and a sub says which."""
    scripts = [None] if scripts is None else scripts

    def flat(entry):
        if "sub" not in entry:
            return entry
        scripts.append(None)
        number = len(scripts) - 1
        context(entry["sub"]["script"], number, scripts)
        return {**entry, "sub": {**entry["sub"], "script": number}}
    scripts[at] = {step: [flat(entry) for entry in entries] for step, entries in script.items()}
    return {"at": at, "scripts": scripts}


def moment(us):
    return (EPOCH + datetime.timedelta(microseconds=us)).isoformat() if us else None


def runs_of(seed, pool, n):
    for i in range(n):
        rnd = random.Random(f"{seed}/run/{i}")
        template, request = rnd.choice(pool), generate.request(rnd)
        script = generate.script(rnd, template, pool)
        yield Run(f"{seed}/{i}", template, script, generate.people(rnd, "run_at_ms" in request, '"sub"' in json.dumps(script)), request)


class Client:
    """REST with one connection per orchestrator, for one thread. Says the same again, elsewhere, until it is answered."""

    def __init__(self, addresses, start):
        self.hosts = [urllib.parse.urlsplit(a).netloc for a in addresses]
        self.at, self.open, self.pause = start % len(addresses), {}, threading.Event()

    def call(self, method, path, body=None):
        """(status, document) of the first answer that is one."""
        data = None if body is None else json.dumps(body).encode()
        for tries in range(int(PATIENCE_S * SLOW / 0.05)):
            host = self.hosts[self.at % len(self.hosts)]
            conn = self.open.pop(host, None) or http.client.HTTPConnection(host, timeout=60 * SLOW)
            try:
                conn.request(method, path, data, {"Content-Type": "application/json"} if data else {})
                reply = conn.getresponse()
                text = reply.read()
                self.open[host] = conn
                if reply.status not in (500, 503):
                    return reply.status, json.loads(text) if text else None
            except (OSError, http.client.HTTPException):
                conn.close()
            self.at += 1
            if tries:
                self.pause.wait(0.05)
        raise AssertionError(f"nobody answered {method} {path}")


class Drive:
    def __init__(self, system, templates, runs, faults=False, losses_max=10, players=24, nonce=""):
        self.s, self.templates, self.faults, self.losses_max, self.nonce, self.losses = system, templates, faults, losses_max, nonce, 0
        self.todo, self.ended, self.failed, self.errors = queue.Queue(), queue.Queue(), [], []
        for run in runs:
            self.todo.put(run)
        self.n, self.states, self.seen, self.pause = self.todo.qsize(), Counter(), Counter(), threading.Event()
        self.addresses = [o["rest"] for o in system.endpoints["orchestrators"]]
        self.players = [threading.Thread(target=self._player, args=(i,), daemon=True) for i in range(players)]

    def go(self):
        """All runs; self.failed are those that differ."""
        for p in self.players:
            p.start()
        with self.s.conn() as conn:
            conn.script("SET enable_seqscan = off")  # plans are made while tables are small, and kept
            checked = 0
            while checked < self.n and not self.errors and not self.failed:
                for run, histories in self._histories(conn, self._some()):
                    relatives = family.Family(self.templates, histories, run.times, self.faults, self.losses_max)
                    run.difference = relatives.check()
                    self.seen += sum((r.seen for r in relatives.replays.values()), Counter())
                    self.losses += sum(s["losses"] for h in histories for s in h.steps.values())
                    self.states[histories[0].state] += 1
                    if run.difference:
                        self.failed.append(run)
                    checked += 1
        return self

    def _some(self):
        """What has ended meanwhile, not more than a chunk; waits a moment for the first."""
        runs = []
        try:
            runs.append(self.ended.get(timeout=0.1))
            while len(runs) < CHUNK:
                runs.append(self.ended.get_nowait())
        except queue.Empty:
            pass
        return runs

    def _histories(self, conn, runs):
        """Of those at rest; the others are looked at again. One that never rests is told by the model."""
        restless = family.restless(conn, [r.task for r in runs])
        later = [r for r in runs if r.task in restless and time.monotonic() < r.until]
        for run in later:
            self.ended.put(run)
        if later and len(later) == len(runs):
            self.pause.wait(0.02)
        rest = [r for r in runs if r not in later]
        found = family.read(conn, [r.task for r in rest])
        return [(r, found[r.task]) for r in rest]

    # -- players --

    def _player(self, number):
        client, conn = Client(self.addresses, number), self.s.conn()
        try:
            while not self.errors and not self.failed:
                run = self.todo.get_nowait()
                self._play(run, client, conn)
                run.until = time.monotonic() + PATIENCE_S * SLOW
                self.ended.put(run)
        except queue.Empty:
            pass
        except Exception:  # whatever it is: the test shows it
            self.errors.append(traceback.format_exc())

    def _play(self, run, client, conn):
        self._submit(run, client)
        for act in run.people["meanwhile"]:
            client.pause.wait(act["ms"] / 1000)
            self._meddle(run, act, client, conn)
        state = self._wait(run, client, conn)
        for action in run.people["revive"]:
            steps = conn.query("SELECT workflow_step_uuid, state FROM tasker.workflow_steps WHERE task_uuid = $1 AND state IN ('error', 'cancelled')", run.task)
            if state not in ("blocked_by_failures", "error"):
                break
            for step in [s for s in steps if s.state == "error"] or steps[:1]:
                self._decide(run.task, step.workflow_step_uuid, action, client)
            state = self._wait(run, client, conn)
        for number in run.people.get("rerun", []):
            self._meddle(run, {"do": "rerun", "step": number}, client, conn)
            self._meddle(run, {"do": "resume"}, client, conn)  # a task that ended while it was paused still is
            self._wait(run, client, conn)

    def _submit(self, run, client):
        body = {"namespace": "model", "name": run.template.name, "version": "1.0.0", "context": context(run.script), "initiator": "model",
                "source_system": "tests", "reason": run.key}
        for tries in range(1, 10):
            status, said = client.call("POST", "/v1/tasks", {**body, **run.ask(tries ** 2), "idempotency_key": f"{self.nonce}/{run.key}/{tries}"})
            if status == 200:
                run.task = said["task_uuid"]
                return
            assert status == 400 and "deadline: must be" in said["error"]["message"], (status, said)  # it passed on the way

    def _meddle(self, run, act, client, conn):
        if act["do"] == "cancel":
            status, _ = client.call("DELETE", f"/v1/tasks/{run.task}")
        elif act["do"] == "cancel_below":
            below = family.below(conn, run.task)
            status, _ = client.call("DELETE", f"/v1/tasks/{below[0]}") if below else (200, None)
        elif act["do"] in ("pause", "resume", "start"):
            status, _ = client.call("POST", f"/v1/tasks/{run.task}/{act['do']}", {"by": PEOPLE + "pat", "reason": "to see"})
        else:
            steps = conn.column("SELECT workflow_step_uuid FROM tasker.workflow_steps WHERE task_uuid = $1 ORDER BY step_no, instance", run.task)
            status = self._decide(run.task, steps[act["step"] % len(steps)], act["do"], client)
        assert status in (200, 400), (status, act)

    @staticmethod
    def _decide(task, step, action, client):
        body = {"action_type": action, "reason": RERUN if action == "rerun" else "to see", BY[action]: PEOPLE + "pat"}
        if action == "complete_manually":
            body["completion_data"] = {"result": {"value": 7}}
        status, said = client.call("PATCH", f"/v1/tasks/{task}/workflow_steps/{step}", body)
        assert status in (200, 400), (status, said)
        return status

    def _wait(self, run, client, conn):
        """Until it rests; what its steps have started and wait for until somebody has mended it is mended."""
        end, mends = time.monotonic() + PATIENCE_S * SLOW, '"wait_blocked": true' in json.dumps(run.script)
        while True:
            status, said = client.call("GET", f"/v1/tasks/{run.task}?wait={'200ms' if mends else '10s'}")
            assert status == 200, (status, said)
            if said["status"] in RESTING or time.monotonic() > end:
                return said["status"]  # of one that does not rest, the model will say why
            for step in family.unmended(conn, run.task) if mends else ():
                self._decide(step.task_uuid, step.workflow_step_uuid, "resolve_manually", client)


def write_templates(folder, pool):
    os.makedirs(folder, exist_ok=True)
    for template in pool:
        with open(os.path.join(folder, template.name + ".yaml"), "w", encoding="utf-8") as f:
            json.dump(template.as_document(), f)
