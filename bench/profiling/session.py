# SPDX-License-Identifier: MIT
"""A running system of the profile build, a load on it, and the folder the findings go to."""
import contextlib
import json
import os
import shutil
import signal
import subprocess
import threading
import time

import client
from cost import cpu_seconds, postgres
from graphs import GRAPHS, LOADS
from lib import system as lib
from lib.system import eventually, request
from start import start

WARM_UP_SECONDS = 3
LOADS_HELP = {
    "tiers": "one task at a time, the graphs of tiers 1 and 2 (linear, diamond; tree, complex DAG, conditional) by turns",
    "linear": "64 clients, chains of four steps",
    "large": "16 clients, tasks of 100 steps",
    "idle": "nothing at all",
}


class Session:
    def __init__(self, args, program=None):
        """program: the client, if not that of the build."""
        self.args, self.seconds, self.program = args, args.seconds, program or os.path.join(lib.BIN, "tasker-bench")
        self.system, self.later = start(args), client.Later()

    def check(self):
        """Reads back what every run so far came to; nothing is measured any more."""
        self.later.read_back(self.program, self.system.rest)

    def stop(self):
        self.system.stop()

    def pids(self, service):
        return postgres(self.system) if service == "postgres" else [self.system.process(service)["pid"]]

    def runtime(self, service):
        return request(self.system.process(service)["rest"] + "/v1/debug/runtime").json

    def restart(self, service, env):
        """With other settings; ready again when this returns."""
        self.end(service)
        self.begin(service, env)

    def begin(self, service, env=None):
        self.system.respawn(service, env=env)
        eventually(lambda: self.system.ready(service), 60, f"{service} is ready")
        eventually(lambda: self.system.ready("worker") and self.system.ready("orchestrator"), 60, "the system is ready")

    def end(self, service):
        pid = self.system.kill(service, sig=signal.SIGTERM)["pid"]
        eventually(lambda: not self.system.alive(pid), 60, f"{service} has ended")

    # -- load --

    def run(self, seconds):
        graphs, clients = {"tiers": ([g for g in GRAPHS.values() if g.tier in (1, 2)], 1), "linear": ([GRAPHS["linear"]], 64), "large": ([LOADS["mixed100"]], 16)}[self.args.load]
        return client.run(self.program, self.system.rest, graphs, clients=clients, patience=600, seconds=seconds, later=self.later)

    @contextlib.contextmanager
    def load(self):
        """The load runs inside; yields a dict that has, afterwards, what was done."""
        done = {}
        if self.args.load == "idle":
            yield done
            return
        self.run(WARM_UP_SECONDS)

        def body():
            try:
                done.update(self.run(self.seconds + 2))
            except client.Wrong as e:
                done["wrong"] = str(e)
        worker = threading.Thread(target=body)
        before = self.steps()
        worker.start()
        time.sleep(1)
        yield done
        worker.join()
        if "wrong" in done:
            raise client.Wrong(done["wrong"])
        done["steps"] = self.steps() - before

    def steps(self):
        return self.system.value("SELECT count(*) FROM tasker.step_results")

    def cpu(self, service):
        return sum(cpu_seconds(pid) for pid in self.pids(service))


class Folder:
    """Where the findings of one profile go: graph.svg, table.txt, stacks.folded and whatever else."""

    def __init__(self, path):
        self.path = path
        os.makedirs(path, exist_ok=True)

    def file(self, name):
        return os.path.join(self.path, name)

    def put(self, name, text):
        with open(self.file(name), "w", encoding="utf-8") as f:
            f.write(text)

    def json(self, name, value):
        self.put(name, json.dumps(value, indent=1) + "\n")


def need(tool, package):
    if not shutil.which(tool):
        raise SystemExit(f"scripts/profile: {tool} is missing: apt-get install {package}")


def quiet(*argv, **more):
    return subprocess.run(argv, check=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **more).stdout
