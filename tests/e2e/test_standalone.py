# SPDX-License-Identifier: MIT
"""A worker of one's own: Tasker is installed, examples/standalone is built against nothing but that, and its handlers run."""
import os
import shutil
import subprocess
import tempfile
import unittest

from lib.system import BUILD, ROOT, SLOW, System, eventually, request


@unittest.skipIf(SLOW > 1, "a library with a sanitizer in it needs a program with one")
class Standalone(unittest.TestCase):
    def run_it(self, *command, **env):
        done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, **env}, check=False)
        self.assertEqual(done.returncode, 0, f"{command}: {done.stdout}{done.stderr}")
        return done.stdout

    def setUp(self):
        self.dir = tempfile.mkdtemp(prefix="tasker-standalone-")
        self.addCleanup(shutil.rmtree, self.dir)
        self.prefix, project = os.path.join(self.dir, "prefix"), os.path.join(self.dir, "greet")
        self.run_it("cmake", "--install", BUILD, "--prefix", self.prefix)
        shutil.copytree(os.path.join(ROOT, "examples", "standalone"), project, ignore=shutil.ignore_patterns("build"))
        found = {"PKG_CONFIG_PATH": os.path.join(self.prefix, "lib", "pkgconfig")}
        self.run_it("cmake", "-S", project, "-B", os.path.join(self.dir, "build"), **found)
        self.run_it("cmake", "--build", os.path.join(self.dir, "build"))
        self.templates = os.path.join(project, "templates")

    def test_it_is_built_and_its_handlers_run(self):
        s = System(workers=0)
        self.addCleanup(s.stop)
        log = open(os.path.join(self.dir, "log"), "wb")
        self.addCleanup(log.close)
        child = subprocess.Popen([os.path.join(self.dir, "build", "greet-worker"), "--set", f"orchestrators={s.process('orchestrator')['grpc']}",
                                  "--set", f"templates.path={self.templates}", "--set", "rest.bind=127.0.0.1:0", "--set", "grpc.bind=127.0.0.1:0"],
                                 stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.addCleanup(child.wait)
        self.addCleanup(child.kill)
        eventually(lambda: any(t["name"] == "greet" for t in request(s.rest + "/v1/templates").json["templates"]), what="it registered its template")
        task = s.run("greetings", "greet", {"name": "Ada"})
        self.assertEqual((task["status"], task["by_name"]["deliver"]["attempts"]), ("complete", 2))
        self.assertEqual((task["by_name"]["compose"]["results"]["result"], task["by_name"]["deliver"]["results"]["result"]),
                         ({"text": "Hello, Ada!"}, {"delivered": "Hello, Ada!"}))
        task = s.run("greetings", "greet", {})
        self.assertEqual((task["status"], task["by_name"]["compose"]["attempts"]), ("blocked_by_failures", 1))
        child.terminate()
        self.assertEqual(child.wait(30), 0)
        s.doctor()
