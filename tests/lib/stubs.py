# SPDX-License-Identifier: MIT
"""grpcio stubs of our own protocols, generated from proto/ when imported: an independent reading of the same files."""
import os
import sys
import tempfile

from grpc_tools import protoc

from lib.pg import ROOT

_dir = tempfile.TemporaryDirectory(prefix="tasker-stubs-")
_proto = os.path.join(ROOT, "proto")
_files = ["tasker/dispatch/v1/dispatch.proto", "tasker/cache/v1/cache.proto"]
if protoc.main(["protoc", f"-I{_proto}", f"--python_out={_dir.name}", f"--grpc_python_out={_dir.name}", *_files]):
    raise RuntimeError("protoc failed")
sys.path.insert(0, _dir.name)

from tasker.cache.v1 import cache_pb2 as cache, cache_pb2_grpc as cache_grpc  # noqa: E402, F401
from tasker.dispatch.v1 import dispatch_pb2 as dispatch, dispatch_pb2_grpc as dispatch_grpc  # noqa: E402, F401
