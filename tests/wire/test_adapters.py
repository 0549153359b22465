# SPDX-License-Identifier: MIT
"""The adapters of libpq and hiredis against a real PostgreSQL and a real Redis: their C tests, with a server to talk to."""
import os
import re
import shutil
import subprocess
import tempfile
import unittest

from lib import pg
from lib.system import BUILD, SLOW, eventually


class Adapters(unittest.TestCase):
    def run_test(self, name, **env):
        """Runs a C test; nothing of it may fail or be skipped."""
        done = subprocess.run([os.path.join(BUILD, "tests", name)], env={**os.environ, **env}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, timeout=60 * SLOW, check=False)
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertNotRegex(done.stdout, r"SKIPPED|WARNING: Thread")
        self.assertGreater(int(re.search(r"PASSED  \] (\d+) test", done.stdout)[1]), 4)

    def test_postgresql(self):
        server = pg.shared()
        self.run_test("test_pg_conn", TASKER_TEST_DATABASE_URL=server.url(server.database()))

    def test_redis(self):
        folder = tempfile.mkdtemp(prefix="tasker-redis-")
        self.addCleanup(shutil.rmtree, folder, ignore_errors=True)
        socket = os.path.join(folder, "redis.sock")
        child = subprocess.Popen(["redis-server", "--port", "0", "--unixsocket", socket, "--save", "", "--dir", folder], stdout=subprocess.DEVNULL)
        self.addCleanup(child.wait)
        self.addCleanup(child.terminate)
        eventually(lambda: os.path.exists(socket), what="Redis is there")
        self.run_test("test_kv_kv", TASKER_TEST_REDIS_URL=f"unix://{socket}")
