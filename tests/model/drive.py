# SPDX-License-Identifier: MIT
"""Runs many random tasks at once on the real system, and holds each of them against the model once it rests.

Model: players (threads) take one run after another: submit, let people meddle as the run says, wait until the task rests, do something
about what failed, and leave the task to the one checker, which reads histories in bulk. Faults are somebody else's (breaker.py);
players only say again what was not answered, at another orchestrator.
"""
import http.client
import json
import os
import queue
import random
import threading
import time
import traceback
import urllib.parse

import generate
import history
from lib.system import RESTING, SLOW
from replay import PEOPLE, RERUN, Replay

CHUNK = 100
PATIENCE_S = 60
BY = {"reset_for_retry": "reset_by", "resolve_manually": "resolved_by", "complete_manually": "completed_by", "skip": "skipped_by",
      "rerun": "rerun_by"}
ACTIVE = """SELECT count(*) FROM tasker.tasks t WHERE task_uuid = ANY ($1) AND state = 'blocked_by_failures'
              AND (active_steps > 0 OR EXISTS (SELECT 1 FROM tasker.step_timers x WHERE x.task_uuid = t.task_uuid))"""


class Run:
    """One task: template, script, what people do, and what became of it."""

    def __init__(self, key, template, script, people):
        self.key, self.template, self.script, self.people = key, template, script, people
        self.task = self.difference = None

    def as_case(self, why=""):
        return {"why": why, "steps": self.template.as_case(), "script": self.script, "people": self.people}


def runs_of(seed, pool, n):
    for i in range(n):
        rnd = random.Random(f"{seed}/run/{i}")
        template = rnd.choice(pool)
        yield Run(f"{seed}/{i}", template, generate.script(rnd, template), generate.people(rnd))


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
    def __init__(self, system, runs, faults=False, losses_max=10, players=24, nonce=""):
        self.s, self.faults, self.losses_max, self.nonce, self.losses = system, faults, losses_max, nonce, 0
        self.todo, self.ended, self.failed, self.errors = queue.Queue(), queue.Queue(), [], []
        for run in runs:
            self.todo.put(run)
        self.n, self.states, self.pause = self.todo.qsize(), {}, threading.Event()
        self.addresses = [o["rest"] for o in system.endpoints["orchestrators"]]
        self.players = [threading.Thread(target=self._player, args=(i,), daemon=True) for i in range(players)]

    def go(self):
        """All runs; self.failed are those that differ."""
        for p in self.players:
            p.start()
        with self.s.conn() as conn:
            checked = 0
            while checked < self.n and not self.errors and not self.failed:
                runs = self._some()
                for run, h in self._histories(conn, runs):
                    run.difference = Replay(run.template, h, self.faults, self.losses_max).check()
                    self.losses += sum(s["losses"] for s in h.steps.values())
                    self.states[h.state] = self.states.get(h.state, 0) + 1
                    if run.difference:
                        run.difference += "".join(f"\n    {tx.at % 10**9:9} {tx}" for tx in h.transactions)
                        self.failed.append(run)
                checked += len(runs)
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
        if not runs:
            return []
        self._rest(conn, [r.task for r in runs])
        found = {h.task: h for h in history.read(conn, [r.task for r in runs])}
        return [(r, found[r.task]) for r in runs]

    def _rest(self, conn, tasks):
        """A blocked task may still have steps at work. One that does not rest is told by the model."""
        end = time.monotonic() + PATIENCE_S * SLOW
        while time.monotonic() < end and conn.value(ACTIVE, tasks):
            self.pause.wait(0.02)

    # -- players --

    def _player(self, number):
        client, conn = Client(self.addresses, number), self.s.conn()
        try:
            while not self.errors and not self.failed:
                run = self.todo.get_nowait()
                self._play(run, client, conn)
                self.ended.put(run)
        except queue.Empty:
            pass
        except Exception:  # whatever it is: the test shows it
            self.errors.append(traceback.format_exc())

    def _play(self, run, client, conn):
        body = {"namespace": "model", "name": run.template.name, "version": "1.0.0", "context": {"script": run.script}, "initiator": "model",
                "source_system": "tests", "reason": run.key, "idempotency_key": f"{self.nonce}/{run.key}"}
        status, said = client.call("POST", "/v1/tasks", body)
        assert status == 200, (status, said, run.as_case())
        run.task = said["task_uuid"]
        for act in run.people["meanwhile"]:
            client.pause.wait(act["ms"] / 1000)
            self._meddle(run, act, client, conn)
        state = self._wait(run, client)
        for action in run.people["revive"]:
            if state != "blocked_by_failures":
                break
            for step in conn.column("SELECT workflow_step_uuid FROM tasker.workflow_steps WHERE task_uuid = $1 AND state = 'error'", run.task):
                self._decide(run, step, action, client)
            state = self._wait(run, client)
        for number in run.people.get("rerun", []):
            self._meddle(run, {"do": "rerun", "step": number}, client, conn)
            self._meddle(run, {"do": "resume"}, client, conn)  # a task that ended while it was paused still is
            self._wait(run, client)

    def _meddle(self, run, act, client, conn):
        if act["do"] == "cancel":
            status, _ = client.call("DELETE", f"/v1/tasks/{run.task}")
        elif act["do"] in ("pause", "resume"):
            status, _ = client.call("POST", f"/v1/tasks/{run.task}/{act['do']}", {"by": PEOPLE + "pat", "reason": "to see"})
        else:
            steps = conn.column("SELECT workflow_step_uuid FROM tasker.workflow_steps WHERE task_uuid = $1 ORDER BY step_no, instance", run.task)
            status = self._decide(run, steps[act["step"] % len(steps)], act["do"], client)
        assert status in (200, 400), (status, act)

    @staticmethod
    def _decide(run, step, action, client):
        body = {"action_type": action, "reason": RERUN if action == "rerun" else "to see", BY[action]: PEOPLE + "pat"}
        if action == "complete_manually":
            body["completion_data"] = {"result": {"value": 7}}
        status, said = client.call("PATCH", f"/v1/tasks/{run.task}/workflow_steps/{step}", body)
        assert status in (200, 400), (status, said)
        return status

    def _wait(self, run, client):
        end = time.monotonic() + PATIENCE_S * SLOW
        while True:
            status, said = client.call("GET", f"/v1/tasks/{run.task}?wait=10s")
            assert status == 200, (status, said)
            if said["status"] in RESTING or time.monotonic() > end:
                return said["status"]  # of one that does not rest, the model will say why


def write_templates(folder, pool):
    os.makedirs(folder, exist_ok=True)
    for template in pool:
        with open(os.path.join(folder, template.name + ".yaml"), "w", encoding="utf-8") as f:
            json.dump(template.as_document(), f)
