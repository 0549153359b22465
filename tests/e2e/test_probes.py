# SPDX-License-Identifier: MIT
"""Static tracepoints: the table of docs/ops/tracing.md is what the programs have, and the scripts of scripts/trace can be run."""
import glob
import os
import re
import shutil
import subprocess
import tempfile
import unittest

from lib.system import BUILD, ROOT, System, eventually

PROGRAMS = {"orchestrator": "bin/tasker-orchestrator", "worker": "lib/libtasker-worker.so.1", "cache": "bin/tasker-cache"}
RUN = os.path.join(ROOT, "scripts", "trace", "run")
KERNEL = ("/sys/kernel/tracing/events", "/sys/kernel/debug/tracing/events")  # its own tracepoints, where they are mounted
SCRIPTS = sorted(os.path.basename(p)[:-3] for p in glob.glob(os.path.join(ROOT, "scripts", "trace", "*.bt")))


def documented():
    """{program: {probe: number of arguments}}"""
    found = {program: {} for program in PROGRAMS}
    with open(os.path.join(ROOT, "docs", "ops", "tracing.md"), encoding="utf-8") as f:
        for name, programs, arguments in re.findall(r"^\| `(\w+)` \| ([^|]+) \| ([^|]+) \|", f.read(), re.M):
            for program in programs.split(", "):
                found[program.strip()][name] = len(arguments.split(","))
    return found


def present(program):
    notes = subprocess.run(["readelf", "-n", "-W", os.path.join(BUILD, PROGRAMS[program])], capture_output=True, text=True, check=True).stdout
    found = re.findall(r"Provider: tasker\s+Name: (\w+)\s+Location:[^\n]*\n\s+Arguments:([^\n]*)", notes)
    return {name: len(re.findall(r"-?\d@", arguments)) for name, arguments in found}


class Table(unittest.TestCase):
    def test_every_probe_is_documented_and_every_documented_one_is_there(self):
        for program, expected in documented().items():
            with self.subTest(program):
                self.assertEqual(present(program), expected)

    def test_scripts_use_probes_that_exist(self):
        everywhere = {name for probes in documented().values() for name in probes}
        for script in SCRIPTS:
            with open(os.path.join(ROOT, "scripts", "trace", script + ".bt"), encoding="utf-8") as f:
                text = f.read()
            self.assertLessEqual(set(re.findall(r"usdt:\$\d:tasker:(\w+)", text)), everywhere, script)
            self.assertRegex(text, r"\A/\* SPDX-License-Identifier: MIT\n \* .+\n \*\n \* .+", "a head that teaches")


@unittest.skipUnless(shutil.which("bpftrace") and os.geteuid() == 0, "bpftrace and root are needed")
@unittest.skipIf("san" in BUILD, "the sanitizers' builds are not for measuring")
class Traced(unittest.TestCase):
    def trace(self, *argv):
        return subprocess.run([RUN, *argv, "--build", BUILD], capture_output=True, text=True, check=False)

    def test_every_script_is_understood(self):
        mounted = any(map(os.path.isdir, KERNEL))
        for script in SCRIPTS:
            with self.subTest(script), open(os.path.join(ROOT, "scripts", "trace", script + ".bt"), encoding="utf-8") as f:
                done = self.trace(script, "--check")
                if mounted or "\ntracepoint:" not in f.read():
                    self.assertEqual(done.returncode, 0, done.stderr)
                else:
                    self.assertEqual(done.returncode, 1)
                    self.assertIn("mount -t tracefs", done.stderr)

    def test_a_task_is_seen_from_end_to_end(self):
        events = ("task accepted", "step ready", "step received", "handler start", "handler end", "result reported", "result received", "result stored",
                  "acknowledged", "task finalised")
        system = System()
        self.addCleanup(system.stop)
        with tempfile.NamedTemporaryFile("w") as out, open(out.name, encoding="utf-8") as reader, \
                subprocess.Popen([RUN, "follow", "--build", BUILD], stdout=out, stderr=subprocess.STDOUT) as p:
            def seen():
                reader.seek(0)
                return reader.read()

            def missing():
                text = seen()
                return [event for event in events if event not in text]

            def whole():
                """Probes are attached one after the other, and nobody tells when the last one is: so tasks are run until all of them have been seen."""
                system.run("tests", "chain", {})
                return not missing() or p.poll() is not None
            try:
                eventually(whole, 60, "the trace tells of every stage of a task")
            finally:
                p.terminate()
            text = seen()
            if "not supported" in text or "not permitted" in text:
                self.skipTest(text)
            self.assertEqual(missing(), [], text[:2000])
