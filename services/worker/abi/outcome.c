/* SPDX-License-Identifier: MIT */
/* worker/abi/outcome.c: what decisions and analyzers say, a member of their result; a handler that goes on later; and one that waits for
 * another task. */
#include "worker/abi/result.h"
#include <inttypes.h>
#include <stdio.h>

enum { BATCHES_MAX = 100000 };

static int outcome(struct tkw_result *result, const char *member, json_t *value)
{
        work_result_put(result, member, value, "a text is not UTF-8");
        return tkw_success(result);
}

int tkw_create_steps(struct tkw_result *result, const char *const *names, size_t n)
{
        json_t *list = json_array();
        bool good = true;
        for (size_t i = 0; i < n; i++)
                good &= names[i] && !json_array_append_new(list, json_string(names[i]));
        return outcome(result, "decision_point_outcome", good ? json_pack("{s:s,s:o}", "type", "create_steps", "step_names", list)
                                                              : (json_decref(list), NULL));
}

int tkw_no_branches(struct tkw_result *result)
{
        return outcome(result, "decision_point_outcome", json_pack("{s:s}", "type", "no_branches"));
}

static void add(struct tkw_result *result, const char *batch_id, json_t *start, json_t *end, int64_t size)
{
        if (!result->batches)
                result->batches = json_array();
        json_t *config = batch_id ? json_string(batch_id) : NULL;
        if (!config || !start || !end || json_array_size(result->batches) >= BATCHES_MAX) {
                json_decref(config);
                json_decref(start);
                json_decref(end);
                work_result_put(result, "batch_processing_outcome", NULL,
                                start && end && config ? "more than 100000 batches" : "a batch needs an id in UTF-8 and two cursors");
                return;
        }
        json_array_append_new(result->batches, json_pack("{s:o,s:o,s:o,s:I}", "batch_id", config, "start_cursor", start, "end_cursor", end,
                                                         "batch_size", (json_int_t)size));
}

void tkw_add_batch(struct tkw_result *result, const char *batch_id, const char *start_json, const char *end_json, int64_t size)
{
        json_t *start = work_result_parse(result, "start_cursor", start_json), *end = work_result_parse(result, "end_cursor", end_json);
        add(result, batch_id, start, end, size);
}

unsigned tkw_add_batches(struct tkw_result *result, int64_t first, int64_t total, unsigned batches)
{
        unsigned n = 0;
        if (total <= 0 || !batches)
                return 0;
        int64_t size = (total - 1) / batches + 1;
        for (int64_t at = 0; at < total; at += size) {
                int64_t end = total - at > size ? at + size : total;
                char id[16];
                snprintf(id, sizeof id, "%03u", ++n);
                add(result, id, json_integer(first + at), json_integer(first + end), end - at);
        }
        return n;
}

int tkw_create_batches(struct tkw_result *result, const char *worker_template, int64_t total_items)
{
        json_t *configs = result->batches ? json_incref(result->batches) : json_array();
        json_t *value = json_pack("{s:s,s:I,s:I,s:o}", "type", "create_batches", "worker_count", (json_int_t)json_array_size(configs),
                                  "total_items", (json_int_t)total_items, "cursor_configs", configs);
        if (worker_template && json_object_set_new(value, "worker_template_name", json_string(worker_template))) {
                json_decref(value);
                value = NULL;
        }
        return outcome(result, "batch_processing_outcome", value);
}

int tkw_no_batches(struct tkw_result *result, const char *worker_template)
{
        json_t *value = json_pack("{s:s}", "type", "no_batches");
        if (worker_template && json_object_set_new(value, "worker_template_name", json_string(worker_template))) {
                json_decref(value);
                value = NULL;
        }
        return outcome(result, "batch_processing_outcome", value);
}

int tkw_checkpoint_yield(struct tkw_result *result, const char *cursor_json, int64_t items_processed, const char *accumulated_json)
{
        json_decref(result->cursor);
        json_decref(result->accumulated);
        result->cursor = work_result_parse(result, "cursor", cursor_json ? cursor_json : "null");
        result->accumulated = work_result_parse(result, "accumulated_results", accumulated_json ? accumulated_json : "null");
        result->items = items_processed < 0 ? 0 : items_processed;
        result->verdict = WORK_YIELD;
        return 0;
}

/* A text of the request; NULL stands for what it is without. */
static void put_text(struct tkw_result *result, json_t *request, const char *name, const char *text, const char *otherwise)
{
        const char *value = text ? text : otherwise;
        json_t *json = value ? json_string(value) : NULL;
        if (value && !json)
                work_result_put(result, name, NULL, "the text is not UTF-8");
        else if (json)
                json_object_set_new(request, name, json);
}

int tkw_start_task(struct tkw_result *result, const struct tkw_task *task)
{
        json_t *request = json_object();
        put_text(result, request, "namespace", task->namespace_name, NULL);
        put_text(result, request, "name", task->name, "");
        put_text(result, request, "version", task->version, "1.0.0");
        put_text(result, request, "reason", task->reason, NULL);
        json_object_set_new(request, "context", work_result_parse(result, "context", task->context_json ? task->context_json : "{}"));
        if (task->tags_json)
                json_object_set_new(request, "tags", work_result_parse(result, "tags", task->tags_json));
        if (task->priority)
                json_object_set_new(request, "priority", json_integer(*task->priority));
        json_object_set_new(request, "wait_blocked", json_boolean(task->wait_blocked));
        json_decref(result->task);
        result->task = request;
        result->verdict = WORK_SUB_TASK;
        return 0;
}
