/* SPDX-License-Identifier: MIT */
/* worker/core/document.h: the StepExecutionResult document: what is stored of an execution, and what later steps read. */
#pragma once
#include "base/buf.h"
#include "base/uuid.h"
#include "worker/abi/result.h"

struct work_execution {
        struct tk_uuid step;
        const char *worker_id, *worker_hostname;
        const char *handler_version;          /* NULL: unknown */
        int64_t started_ns, completed_ns;     /* wall clock */
        int64_t execution_ms;
        bool by_worker;                       /* the worker itself failed it: status "error" instead of "failed" */
};
/* The result must have a verdict. */
void work_document_write(const struct work_execution *execution, const struct tkw_result *result, struct tk_buf *buf);
