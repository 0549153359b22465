# SPDX-License-Identifier: MIT
"""Rules of the house that a machine can hold: who may include whom, what is banned, what must be there."""
import os
import re
import subprocess
import sys
import unittest

from lib.pg import ROOT

SHARED = {  # a room and the rooms it may use, itself aside (docs/design/architecture.md)
    "base": set(), "fault": {"base"}, "run": {"base", "fault"}, "crypto": {"base"}, "json": {"base"}, "schema": {"base", "json"}, "conf": {"base", "json"}, "metric": {"base", "run", "json"},
    "pg": {"base", "fault", "run", "crypto"}, "kv": {"base", "run"}, "http": {"base", "run"}, "rpc": {"base", "fault", "run"},
    "archive": {"base", "pg", "sql"},
    "model": {"base", "json", "schema", "crypto", "tbl"}, "queue": {"base", "run", "pg", "kv"}, "tbl": set(),
    "service": {"base", "fault", "run", "conf", "http", "metric"}, "sql": set(),
}
FOREIGN = {  # a header of a library and the only places that include it
    r"libpq-fe\.h": ("shared/pg/",), r"grpc/": ("shared/rpc/",), r"microhttpd\.h": ("shared/http/",), r"hiredis/": ("shared/kv/",),
    r"yaml\.h": ("shared/model/", "shared/conf/"), r"curl/": ("services/cli/",), r"gmp\.h": ("examples/",), r"pthread\.h": ("shared/run/", "shared/base/"),
    r"openssl/": ("shared/crypto/",), r"pcre2\.h": ("shared/schema/",), r"sys/sdt\.h": ("shared/base/probe.h",),
}
INSIDE = {  # within a service: a room and those it may use
    "core": {"core", "tbl", "handler", "abi"}, "actor": {"actor", "core", "feed", "handler", "abi", "tbl"},
    "feed": {"feed", "actor", "core", "tbl", "handler"}, "api": {"api", "actor", "feed", "core", "tbl", "handler"},
}
BANNED = re.compile(r"\b(strcpy|strcat|sprintf|strtok|atoi|gmtime|alloca|system|vsprintf|gets)\(")
LINES_MAX = 500
COLUMNS_MAX = 150


def files(*patterns):
    listed = subprocess.run(["git", "-C", ROOT, "ls-files", "-co", "--exclude-standard", "--", *patterns], capture_output=True, text=True, check=True)
    return [f for f in listed.stdout.splitlines() if os.path.exists(os.path.join(ROOT, f))]


def text(path):
    with open(os.path.join(ROOT, path), encoding="utf-8", errors="replace") as f:
        return f.read()


def includes(path):
    return re.findall(r'^#include ["<]([^">]+)[">]', text(path), re.M)


class Edges(unittest.TestCase):
    def test_shared_rooms_use_only_those_below_them(self):
        wrong = []
        for path in files("shared/*.c", "shared/*.h"):
            room = path.split("/")[1]
            for name in includes(path):
                used = name.split("/")[0]
                if "/" in name and used in SHARED and used != room and used not in SHARED[room]:
                    wrong.append(f"{path} includes {name}: {room} may use {sorted(SHARED[room])}")
                if used in ("orchestrator", "worker", "cache", "cli"):
                    wrong.append(f"{path} includes {name}: shared never uses services")
        self.assertEqual(wrong, [])

    def test_services_meet_in_proto_only(self):
        wrong = []
        for path in files("services/*.c", "services/*.h"):
            service = path.split("/")[1]
            for name in includes(path):
                if name.split("/")[0] in {"orchestrator", "worker", "cache", "cli"} - {service}:
                    wrong.append(f"{path} includes {name}")
        self.assertEqual(wrong, [])

    def test_inside_a_service_arrows_point_one_way(self):
        wrong = []
        for path in files("services/*.c", "services/*.h"):
            parts = path.split("/")
            if parts[1] == "cli" or len(parts) < 4 or parts[2] not in INSIDE:
                continue
            for name in includes(path):
                used = name.split("/")
                if used[0] == parts[1] and len(used) > 2 and used[1] not in INSIDE[parts[2]] | {parts[2]}:
                    wrong.append(f"{path} includes {name}: {parts[2]} may use {sorted(INSIDE[parts[2]])}")
        self.assertEqual(wrong, [])

    def test_a_library_is_included_in_its_adapter_only(self):
        wrong = []
        for path in files("shared/*.c", "shared/*.h", "services/*.c", "services/*.h", "examples/*.c"):
            for name in includes(path):
                for header, homes in FOREIGN.items():
                    if re.match(header, name) and not path.startswith(homes):
                        wrong.append(f"{path} includes {name}: only {homes} do")
        self.assertEqual(wrong, [])


class Files(unittest.TestCase):
    code = staticmethod(lambda: files("*.c", "*.h", "*.sql", "*.py", "scripts/*", ".ci/*", "CMakeLists.txt", "*/CMakeLists.txt"))

    def test_every_source_names_its_licence(self):
        missing = [p for p in files("*.c", "*.h", "*.py", "scripts/setup", "scripts/test", "scripts/demo", "scripts/trace/*", ".ci/run") if "SPDX-License-Identifier: MIT" not in text(p)[:300]]
        self.assertEqual(missing, [])

    def test_no_file_has_too_much_to_do(self):
        self.assertEqual([(p, n) for p in files("*.c", "*.h", "*.sql", "*.py") if (n := text(p).count("\n")) > LINES_MAX], [])

    def test_banned_calls(self):
        self.assertEqual([(p, m[0]) for p in files("*.c", "*.h") for m in BANNED.finditer(re.sub(r"/\*.*?\*/", "", text(p), flags=re.S))], [])

    def test_no_tabs_and_no_trailing_blanks(self):
        self.assertEqual([(p, i) for p in files("*.c", "*.h", "*.sql") for i, line in enumerate(text(p).split("\n"), 1) if "\t" in line or line != line.rstrip()], [])

    def test_lines_can_be_read(self):
        """Tables have rows as long as they need."""
        self.assertEqual([(p, i) for p in files("*.c", "*.h") if "/tbl/" not in p for i, line in enumerate(text(p).split("\n"), 1) if len(line) > COLUMNS_MAX], [])

    def test_a_buffer_is_made_before_any_way_out(self):
        """Its cleanup runs on every return; between the declaration and its first use there may be none."""
        wrong = []
        for path in files("*.c"):
            body = text(path)
            for declared in re.finditer(r"TK_AUTOBUF struct tk_buf ([^;=]+);", body):
                for name in declared[1].split(","):
                    used = re.compile(rf"&{name.strip()}\b|(return\b)").search(body, declared.end())
                    if used and used[1]:
                        wrong.append((path, body.count("\n", 0, declared.start()) + 1, name.strip()))
        self.assertEqual(wrong, [])

    def test_sql_stays_in_sql_files(self):
        word = re.compile(r'"(SELECT|INSERT INTO|UPDATE|DELETE FROM) [a-z]')
        self.assertEqual([p for p in files("services/*.c", "shared/*.c") if word.search(text(p)) and not p.startswith(("shared/pg/", "services/cli/dev/"))], [])

    def test_tests_do_not_sleep(self):
        self.assertEqual([p for p in files("tests/*.py", "tests/*.c") if re.search(r"\b(usleep|time\.sleep|[^_]sleep)\(", text(p)) and "lint/" not in p], [])

    def test_nothing_of_this_machine(self):
        here = os.path.dirname(ROOT) + "/"
        self.assertEqual([p for p in files("*") if not p.endswith((".png", ".svg")) and len(here) > 5 and here in text(p)], [])

    def test_every_function_is_in_the_order(self):
        order = {line for line in text("migrations/functions/ORDER").splitlines() if line and not line.startswith("#")}
        self.assertEqual(order, {os.path.basename(p)[:-4] for p in files("migrations/functions/*.sql")})


class Tools(unittest.TestCase):
    def run_tool(self, *command):
        done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done.stdout

    def test_scripts_parse(self):
        for path in files("scripts/setup", "scripts/test", "scripts/demo", "scripts/trace/run", ".ci/run"):
            self.run_tool("bash", "-n", path)

    def test_pages_made_from_the_code_are_current(self):
        self.run_tool(sys.executable, "scripts/docs", "--check")

    def test_links_between_pages_lead_somewhere(self):
        broken = []
        for path in files("*.md"):
            for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", text(path)):
                if "://" not in target and not os.path.exists(os.path.join(ROOT, os.path.dirname(path), target)):
                    broken.append(f"{path} → {target}")
        self.assertEqual(broken, [])

    def test_kubernetes_files_are_valid(self):
        import kubernetes_validate
        import yaml
        checked = 0
        for path in files("deploy/k8s/*.yaml", "deploy/k8s/*/*.yaml"):
            for document in yaml.safe_load_all(text(path)):
                if document and document.get("kind") != "Kustomization" and "kustomize" not in document.get("apiVersion", ""):
                    kubernetes_validate.validate(document, "1.31.0", strict=True)
                    checked += 1
        self.assertGreater(checked, 10)

    def test_kustomization_names_every_file(self):
        import yaml
        for path in files("deploy/k8s/*/kustomization.yaml"):
            folder = os.path.dirname(path)
            named = set(yaml.safe_load(text(path)).get("resources", []))
            present = {os.path.basename(p) for p in files(f"{folder}/*.yaml")} - {"kustomization.yaml"}
            self.assertEqual({n for n in named if n.endswith(".yaml") and "/" not in n}, present & named | (present - named and set()))
            self.assertTrue(named)
