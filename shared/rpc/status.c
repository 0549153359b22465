/* SPDX-License-Identifier: MIT */
/* rpc/status.c: the standard names of status codes. */
#include "rpc/rpc.h"

const char *tk_rpc_status_name(enum tk_rpc_status status)
{
        static const char *const names[] = {
                "OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS",
                "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED",
                "INTERNAL", "UNAVAILABLE", "DATA_LOSS", "UNAUTHENTICATED",
        };
        return (unsigned)status < tk_countof(names) ? names[status] : "UNKNOWN";
}
