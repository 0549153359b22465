# SPDX-License-Identifier: MIT
"""Random tasks on the real system agree with the reference model: states, attempts, steps created, results, every transaction between.

    scripts/test model                            # kept cases, then 10,000 runs
    scripts/test model --runs 500 --seed 7        # that seed; a failure prints its seed and leaves a case file
"""
import glob
import json
import os
import random
import tempfile
import unittest

import generate
from breaker import LOSSES_MAX, WHO, Breaker
from drive import Drive, Run, runs_of, write_templates
from lib.system import BUILD, SLOW, System
from template import Template

SEED = os.environ.get("TASKER_MODEL_SEED") or "1"
RUNS = int(os.environ.get("TASKER_MODEL_RUNS") or (10000 if SLOW == 1 else 1000))
POOL = 160
KILL_EVERY_S = 3
CASES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "cases")
CASE_TIMES = 25  # what is wrong with a case may need luck
ENV = {"TASKER_WORKER_PERMITS": "24", "LOG_LEVEL": "warn", "TASKER_SWEEPER_INTERVAL": "2s", "TASKER_SWEEPER_IDLE": "10s",  # long before patience ends
       "TASKER_TIMERS_POLL": "500ms",  # so long may a moment that another orchestrator knows of be overslept
       "TASKER_DISPATCH_HEARTBEAT": f"{5 * SLOW}s", "TASKER_DISPATCH_LEASE": f"{60 * SLOW}s"}  # on a busy machine nobody is lost before somebody breaks it


def kept_cases():
    """([template, those its steps start], [runs]) of every file in cases/. Names of templates that start with * are its own."""
    for path in sorted(glob.glob(os.path.join(CASES, "*.json"))):
        name = os.path.basename(path)[:-5]
        with open(path, encoding="utf-8") as f:
            case = json.loads(f.read().replace('"*', f'"case_{name}_'))
        template = Template.from_case("case_" + name, case)
        others = [Template.from_case(other, said) for other, said in case.get("starts", {}).items()]
        yield [template, *others], [Run(f"{name}/{i}", template, case["script"], case["people"], case.get("request")) for i in range(CASE_TIMES)]


def case_text(case):
    """JSON with a line per step."""
    def lines(items):
        return "[\n  " + ",\n  ".join(map(json.dumps, items)) + "\n ]"
    members = {key: lines(value) if key == "steps" else json.dumps(value) for key, value in case.items()}
    return "{\n " + ",\n ".join(f"{json.dumps(key)}: {text}" for key, text in members.items()) + "\n}\n"


def keep(runs, templates):
    """Case files of what failed, to be repeated and, once understood, kept."""
    folder = os.path.join(BUILD, "model")
    os.makedirs(folder, exist_ok=True)
    said = []
    for run in runs:
        path = os.path.join(folder, run.key.replace("/", "-") + ".json")
        with open(path, "w", encoding="utf-8") as f:
            f.write(case_text(run.as_case(templates, run.difference)))
        said.append(f"seed/run {run.key}, template {run.template.name}, task {run.task}, kept in {path}:\n  {run.difference}\n"
                    f"  context: {json.dumps(run.script)}\n  people: {run.people}\n  request: {run.request} {run.times}\n" + "\n".join(f"    {s}" for s in run.template.as_case()["steps"]))
    return "\n".join(said)


class Model(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        print(f"seed {SEED}, {RUNS} runs", flush=True)
        cls.cases = list(kept_cases())
        cls.pool = generate.pool(SEED, POOL)
        cls.templates = {t.name: t for t in cls.pool + [t for more, _ in cls.cases for t in more]}
        with tempfile.TemporaryDirectory() as folder:
            write_templates(os.path.join(folder, "model", "templates"), cls.templates.values())
            cls.s = System(orchestrators=2, workers=2, templates=(os.path.join(folder, "model", "templates"),), env=ENV)
        cls.addClassCleanup(cls.s.stop)
        cls.s.sql("UPDATE tasker.template_steps SET queue_timeout_ms = queue_timeout_ms / 1000")  # the least a template can say is a second
        cls.s.sql("CREATE INDEX ON pgmq.q_model_domain_events ((message #>> '{metadata,task_uuid}'))")  # for history.py
        cls.s.sql("ALTER SYSTEM SET track_commit_timestamp = on")  # history.py asks for it
        cls.s.restart_postgres("fast")
        for kind, at in WHO:
            cls.s.await_ready(kind, at)

    def agree(self, runs, **kwargs):
        done = Drive(self.s, self.templates, runs, nonce=self.id(), **kwargs).go()
        self.assertEqual(done.errors, [], done.errors[:1])
        self.assertFalse(done.failed, keep(done.failed, self.templates))
        self.s.doctor()
        self.assertEqual(self.repairs(), [])
        return done

    def repairs(self):
        """What the sweeper had to set going, by the logs: its counter does not outlive a killed orchestrator."""
        found = []
        for o in self.s.endpoints["orchestrators"]:
            with open(o["log"], encoding="utf-8", errors="replace") as log:
                found += [line for line in log if "sweeper.repaired" in line]
        return found

    def test_1_kept_cases(self):
        self.agree(random.Random(1).sample(runs := [r for _, more in self.cases for r in more], len(runs)))

    def test_2_a_few_at_a_time(self):
        """Batches of one go through functions of their own (settle_step, create_task); a busy system rarely has them."""
        self.agree(runs_of(f"{SEED}/few", self.pool, max(50, RUNS // 20)), players=2)

    def test_2_random_runs(self):
        done = self.agree(runs_of(SEED, self.pool, RUNS))
        print(dict(done.states), dict(done.seen))

    def test_3_random_runs_while_everything_breaks(self):
        breaker = Breaker(self.s, SEED, KILL_EVERY_S).begin()
        try:
            done = self.agree(runs_of(f"{SEED}/faults", self.pool, max(50, RUNS // 5)), faults=True, losses_max=LOSSES_MAX)
        finally:
            breaker.end()
        print(dict(done.states), dict(done.seen), f"{breaker.kills} kills, {done.losses} attempts lost")
        self.assertEqual(self.repairs(), [])
