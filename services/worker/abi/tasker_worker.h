/* SPDX-License-Identifier: MIT */
/* tasker/worker.h: write step handlers in C.
 *
 * A handler is a function from a step's context to its result:
 *
 *     static int greet(struct tkw_context *ctx, struct tkw_result *result)
 *     {
 *             const char *name = tkw_str(tkw_input(ctx, "name"));
 *             if (!name)
 *                     return tkw_permanent(result, "ValidationError", "name is required");
 *             tkw_put_str(result, "greeting", tkw_format(ctx, "Hello, %s", name));
 *             return tkw_success(result);
 *     }
 *
 * Handlers come as a shared object that exports tasker_handlers_v1() and is named in the worker's configuration
 * (`handlers: [libmine.so]`), or are linked into a main of one's own that calls tkw_worker_run().
 *
 * Rules
 *  - A step runs at least once: after a crash, a timeout or a lost connection it runs again. Make effects idempotent;
 *    task_uuid and step_name make a good idempotency key.
 *  - Handlers run side by side in the worker's threads. One call's ctx and result belong to the thread of that call.
 *  - Every pointer that comes out of ctx (values, texts, info) lives until the handler returns. Nothing needs freeing.
 *    Every text that goes in is copied.
 *  - A crash ends the worker process; its steps are run again elsewhere. Return errors instead.
 *  - After the deadline the step has failed already (retryable, handler_timeout) and the result is dropped, but the slot
 *    stays occupied until the handler returns: look at tkw_cancelled() in long loops.
 *
 * Versions. TKW_ABI changes when something here is changed or removed, and the entry symbol with it (tasker_handlers_v2).
 * Functions may be added, and fields at the end of struct tkw_info, without that: check TKW_REVISION at compile time.
 *   revision 1: first.
 *   revision 2: graphs that grow: tkw_create_steps … tkw_no_batches, tkw_step_input, tkw_is_no_op, tkw_dependency_error,
 *               tkw_failed_dependency_name; tkw_checkpoint, tkw_checkpoint_yield.
 *   revision 3: tkw_start_task; domain events: tkw_event_payload, publishers and subscribers (tasker_events_v1, tkw_worker_run_events). */
#ifndef TASKER_WORKER_H
#define TASKER_WORKER_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define TKW_ABI 1
#define TKW_REVISION 3
#define TKW_API __attribute__((visibility("default")))
#define TKW_PRINTF(fmt_at, args_at) __attribute__((format(printf, fmt_at, args_at)))

struct tkw_context; /* what a handler knows */
struct tkw_result;  /* what it answers */
struct tkw_value;   /* a JSON value, read only; NULL stands for "not there" and is accepted everywhere */

/* Returns 0 when it has set a result (tkw_success, tkw_permanent, tkw_retryable all return 0), so that
 * `return tkw_success(result);` reads well. Anything else, or no result set, is a retryable error of type handler_error. */
typedef int tkw_handler_fn(struct tkw_context *ctx, struct tkw_result *result);

/* ---- Registration ------------------------------------------------------------------------------------------------ */

struct tkw_method {
        const char *name; /* NULL ends the list */
        tkw_handler_fn *fn;
};

struct tkw_handler {
        const char *name;                 /* what templates name as `callable`; also found by step name */
        tkw_handler_fn *fn;               /* runs when the template gives no `method`, or "call" */
        const struct tkw_method *methods; /* further entry points, for `method: x`; may be NULL */
};

struct tkw_module {
        uint32_t abi;         /* TKW_ABI */
        const char *name;     /* for logs */
        const char *version;  /* becomes handler_version of results; may be NULL */
        const struct tkw_handler *handlers;
        size_t handlers_n;
};

/* What a shared object with handlers exports, under exactly this name. The module and all it points at live as long as
 * the process; a name that two modules register is refused at start. */
TKW_API const struct tkw_module *tasker_handlers_v1(void);

/* The whole worker service, for a main of one's own: options and configuration as of tasker-worker. `module` may be NULL
 * (only shared objects from the configuration). Call it once, before any thread is started. Returns the exit status. */
TKW_API int tkw_worker_run(int argc, char **argv, const struct tkw_module *module);

/* ---- What a handler knows ---------------------------------------------------------------------------------------- */

struct tkw_info {
        const char *task_uuid, *step_uuid;            /* 36 characters */
        const char *correlation_id;
        const char *parent_correlation_id;            /* "" when there is none */
        const char *namespace_name, *template_name, *template_version;
        const char *step_name;
        const char *callable, *method;                /* of the template; method is "call" by default */
        const char *initiator, *source_system, *reason; /* of the task request */
        const char *worker_id;
        int64_t requested_at_us;                      /* since 1970, UTC */
        int32_t priority;
        uint32_t attempt;                             /* 1 on the first run */
        uint32_t retry_count;                         /* failed attempts before this one: 0 on the first run */
        uint32_t max_attempts;
        bool retryable;                               /* of the template: a retryable error will be retried */
        uint32_t timeout_ms;                          /* whole time the handler has */
};
TKW_API const struct tkw_info *tkw_info(struct tkw_context *ctx); /* never NULL */
static inline bool tkw_is_last_retry(const struct tkw_info *info) { return info->retry_count + 1 >= info->max_attempts; }

/* Where a value is looked up by path, the path is member names and array indexes separated by '/', as in
 * "customer/address/0/city" ('~1' stands for a slash in a name, '~0' for a tilde); NULL or "" is the whole value.
 * The result is NULL when any part of the path is not there. */
TKW_API const struct tkw_value *tkw_input(struct tkw_context *ctx, const char *path);  /* the task's context */
TKW_API const struct tkw_value *tkw_config(struct tkw_context *ctx, const char *path); /* the template's handler.initialization */
/* The result of an ancestor step (its `result`, unwrapped); NULL when that step is no ancestor or has not succeeded.
 * A result that did not travel with the step is fetched: the call may then wait for the network, up to the deadline. */
TKW_API const struct tkw_value *tkw_dependency(struct tkw_context *ctx, const char *step, const char *path);
/* Names of the ancestors with a result: the at-th (from 0) that starts with `prefix` (NULL: any); NULL after the last. */
TKW_API const char *tkw_dependency_name(struct tkw_context *ctx, const char *prefix, size_t at);

/* In a batch that goes on without those that failed (failure_strategy continue_on_failure): the `error` of such an instance,
 * and their names like tkw_dependency_name. NULL otherwise. */
TKW_API const struct tkw_value *tkw_dependency_error(struct tkw_context *ctx, const char *step, const char *path);
TKW_API const char *tkw_failed_dependency_name(struct tkw_context *ctx, const char *prefix, size_t at);

/* An instance of a batch: "cursor" is its entry of the analyzer's cursor_configs ("cursor/start_cursor"), "batch_metadata" says
 * cursor_field and failure_strategy, other members are the handler's initialization. NULL for other steps. */
TKW_API const struct tkw_value *tkw_step_input(struct tkw_context *ctx, const char *path);
/* The placeholder of an analyzer that found no batches: succeed and do nothing. */
TKW_API bool tkw_is_no_op(struct tkw_context *ctx);

/* The last checkpoint of this step, from this attempt or one before: "cursor", "items_processed", "accumulated_results",
 * "timestamp", "history" (the last 32 cursors). NULL when there is none. */
TKW_API const struct tkw_value *tkw_checkpoint(struct tkw_context *ctx, const char *path);

/* The task was cancelled, the deadline has passed, or the worker is being stopped: give up soon. */
TKW_API bool tkw_cancelled(struct tkw_context *ctx);
TKW_API int64_t tkw_remaining_ms(struct tkw_context *ctx); /* until the deadline; 0 after it */

/* ---- JSON values ------------------------------------------------------------------------------------------------- */

enum tkw_type { TKW_MISSING, TKW_NULL, TKW_BOOL, TKW_INTEGER, TKW_REAL, TKW_STRING, TKW_ARRAY, TKW_OBJECT };
TKW_API enum tkw_type tkw_type(const struct tkw_value *value);
TKW_API const struct tkw_value *tkw_get(const struct tkw_value *value, const char *path);
/* True, and *ret is set, when the value is of that type; false leaves *ret alone, so that it may hold a default.
 * tkw_i64 takes reals without a fraction too, tkw_f64 takes integers. */
TKW_API bool tkw_i64(const struct tkw_value *value, int64_t *ret);
TKW_API bool tkw_f64(const struct tkw_value *value, double *ret);
TKW_API bool tkw_bool(const struct tkw_value *value, bool *ret);
TKW_API const char *tkw_str(const struct tkw_value *value);     /* UTF-8; NULL when it is not a string */
TKW_API size_t tkw_count(const struct tkw_value *value);        /* elements or members; 0 for anything else */
TKW_API const struct tkw_value *tkw_at(const struct tkw_value *array, size_t at);
/* Walks an object: for (const char *key = NULL; (v = tkw_next(object, &key));) */
TKW_API const struct tkw_value *tkw_next(const struct tkw_value *object, const char **key);
/* The value as compact JSON text; "null" when it is not there. */
TKW_API const char *tkw_json(struct tkw_context *ctx, const struct tkw_value *value);

/* ---- What a handler answers -------------------------------------------------------------------------------------- */

/* Members of the result object, in any number before tkw_success; a name given twice keeps the last value. NULL texts
 * become null, reals that JSON cannot express (NaN, infinite) too. Names and texts must be UTF-8. */
TKW_API void tkw_put_str(struct tkw_result *result, const char *name, const char *value);
TKW_API void tkw_put_i64(struct tkw_result *result, const char *name, int64_t value);
TKW_API void tkw_put_f64(struct tkw_result *result, const char *name, double value);
TKW_API void tkw_put_bool(struct tkw_result *result, const char *name, bool value);
TKW_API void tkw_put_null(struct tkw_result *result, const char *name);
TKW_API void tkw_put_value(struct tkw_result *result, const char *name, const struct tkw_value *value);
/* Any JSON text. Text that is not JSON makes the step fail (permanent, invalid_result), saying where it is wrong. */
TKW_API void tkw_put_json(struct tkw_result *result, const char *name, const char *json);

/* Succeeds with the members put so far ({} without any). */
TKW_API int tkw_success(struct tkw_result *result);
/* Succeeds with any JSON value as the whole result; members put so far are dropped. */
TKW_API int tkw_success_json(struct tkw_result *result, const char *json);
/* What a step of type `decision` must say: which steps below it come into being (by name), or that none does. Both succeed,
 * with the members put so far beside the outcome. A name that cannot be made fails the step (permanent, invalid_outcome). */
TKW_API int tkw_create_steps(struct tkw_result *result, const char *const *names, size_t n);
TKW_API int tkw_no_branches(struct tkw_result *result);

/* What a step of type `batchable` must say: batches for instances of a batch_worker step (<worker_template>_<batch_id>), added
 * one by one or as a range of integers, or that there are none. Cursors are any JSON; batch_id is up to 64 bytes. A NULL
 * worker_template means the one of the template. */
TKW_API void tkw_add_batch(struct tkw_result *result, const char *batch_id, const char *start_json, const char *end_json, int64_t size);
/* [first, first + total) in at most `batches` parts of equal size (the last may be smaller), "001", "002"…: start inclusive, end
 * exclusive, nothing left over and none empty. Returns how many there are. */
TKW_API unsigned tkw_add_batches(struct tkw_result *result, int64_t first, int64_t total, unsigned batches);
TKW_API int tkw_create_batches(struct tkw_result *result, const char *worker_template, int64_t total_items);
TKW_API int tkw_no_batches(struct tkw_result *result, const char *worker_template);

/* Not done yet: stores how far it has come (cursor and accumulated results are any JSON, NULL is null), then runs the handler again,
 * here and now, as the same attempt with its whole time; tkw_checkpoint tells it where to go on. Whoever runs the step later, after a
 * failure or a crash, anywhere, goes on from the last one stored; what was done since is done again. A checkpoint that cannot be
 * stored fails the attempt: permanent (checkpoint_refused) when it is too large or no JSON, else retryable (checkpoint_error). */
TKW_API int tkw_checkpoint_yield(struct tkw_result *result, const char *cursor_json, int64_t items_processed,
                                 const char *accumulated_json);

/* Starts another task and lets the step wait for it, without a worker's permit: the handler is done, the end of that task settles
 * the step. Complete: the step succeeds with {"sub_task": {"task_uuid", "namespace", "name", "version", "status", "correlation_id"}, "results":
 * {step name: its result}, "results_complete"}; failed: this attempt fails (sub_task_failed), and the next one, which calls the handler
 * again, starts a new task; cancelled: the step fails for good (sub_task_cancelled). Each attempt starts one task, however often it is
 * handed in. Members put so far are dropped. Not for steps that decide or analyze. A task that cannot be started (no such template,
 * nested too deep, too many) fails the step: permanent, invalid_sub_task. */
struct tkw_task {
        const char *namespace_name; /* NULL: that of the step */
        const char *name, *version; /* of a registered template; a NULL version is "1.0.0" */
        const char *context_json;   /* a JSON object; NULL: {} */
        const char *reason;         /* NULL: which step wants it */
        const char *tags_json;      /* an array of texts; NULL: none */
        const int32_t *priority;    /* -100 to 100; NULL: that of the step's task */
        bool wait_blocked;          /* a failure in it that somebody may mend is waited for; else it fails the step at once, and ends that task */
};
TKW_API int tkw_start_task(struct tkw_result *result, const struct tkw_task *task);

/* Fails for good, or until the step's attempts are used up. `type` is a word for machines ("ValidationError"), the message is
 * for people. Members put so far are dropped. */
TKW_API int tkw_permanent(struct tkw_result *result, const char *type, const char *fmt, ...) TKW_PRINTF(3, 4);
TKW_API int tkw_retryable(struct tkw_result *result, const char *type, const char *fmt, ...) TKW_PRINTF(3, 4);
/* Details of a failure, before or after it is stated. */
TKW_API void tkw_set_code(struct tkw_result *result, const char *code);             /* application code: "OUT_OF_STOCK" */
TKW_API void tkw_set_retry_after(struct tkw_result *result, int64_t delay_ms);      /* not before; 0 to 1 hour */
TKW_API void tkw_set_detail(struct tkw_result *result, const char *name, const char *json); /* error context */
/* The payload of a domain event that this step's template declares (publishes_events), in place of the result; NULL: do not publish it
 * this time. It matters only if the event's condition holds in the end. An event that is not declared is told in the log, nothing else. */
TKW_API void tkw_event_payload(struct tkw_result *result, const char *event, const char *json);
/* A note kept in the result's metadata.custom, whatever the outcome. */
TKW_API void tkw_set_note(struct tkw_result *result, const char *name, const char *json);

/* ---- Domain events ----------------------------------------------------------------------------------------------- */

/* A step's template declares events, the outcome of an attempt decides which of them happen. Their payload is what the handler gave to
 * tkw_event_payload; else the result of a success, or of a failure {error_type, error_code, message, error_message, retryable, attempt,
 * failed_at} and the details. A publisher that the declaration names may make another one out of it. */
struct tkw_occasion {
        const char *event;                /* its name */
        bool success;
        bool retried;                     /* the step failed and will be tried again */
        const struct tkw_value *payload;  /* as it would be without this publisher */
};
enum { TKW_SKIP = 1 };
/* Runs after the handler, in its thread and in what is left of its time. Fills `payload` as a handler fills a result and returns
 * tkw_success(payload), or returns TKW_SKIP to publish nothing. Anything else, a failure included, loses this event, which is counted
 * and told in the log; the step goes on. Not asked when the worker itself fails the step (a timeout, a stop). */
typedef int tkw_publisher_fn(struct tkw_context *ctx, const struct tkw_occasion *occasion, struct tkw_result *payload);
struct tkw_publisher {
        const char *name;                 /* what templates name as `publisher` */
        tkw_publisher_fn *fn;
};

/* Subscribers get the events with delivery fast or broadcast of results of this worker, once these are stored. Each has a thread and a
 * bounded queue of its own: while it is slow, events pass it by (counted), nobody waits for it. Lost with the process. */
struct tkw_event;
TKW_API const char *tkw_event_name(const struct tkw_event *event);
TKW_API const char *tkw_event_id(const struct tkw_event *event);
TKW_API const char *tkw_event_json(const struct tkw_event *event);  /* the whole document, as durable ones have it */
TKW_API const struct tkw_value *tkw_event_data(struct tkw_event *event, const char *path);     /* of the payload */
TKW_API const struct tkw_value *tkw_event_metadata(struct tkw_event *event, const char *path); /* task_uuid, step_name, correlation_id… */
/* Everything of the event lives until it returns. Not 0: an error, counted. */
typedef int tkw_subscriber_fn(struct tkw_event *event, void *user);
struct tkw_subscriber {
        const char *name;                 /* for logs and metrics */
        const char *pattern;              /* of event names, several separated by blanks: "payment.*" ('*' is one segment), "**.failed" (any
                                             number of them), "*" (everything) */
        tkw_subscriber_fn *fn;
        void *user;
};

struct tkw_events {
        uint32_t abi;                     /* TKW_ABI */
        const struct tkw_publisher *publishers;
        size_t publishers_n;
        const struct tkw_subscriber *subscribers;
        size_t subscribers_n;
};
/* May be exported beside tasker_handlers_v1; the same rules. */
TKW_API const struct tkw_events *tasker_events_v1(void);
/* tkw_worker_run with publishers and subscribers; `events` may be NULL. */
TKW_API int tkw_worker_run_events(int argc, char **argv, const struct tkw_module *module, const struct tkw_events *events);

/* ---- Help -------------------------------------------------------------------------------------------------------- */

/* Formatted text that lives until the handler returns; at most 1 MiB, cut there. */
TKW_API const char *tkw_format(struct tkw_context *ctx, const char *fmt, ...) TKW_PRINTF(2, 3);
enum tkw_level { TKW_ERROR, TKW_WARN, TKW_INFO, TKW_DEBUG };
/* A line of the worker's log with the ids of task, step and correlation. */
TKW_API void tkw_log(struct tkw_context *ctx, enum tkw_level level, const char *fmt, ...) TKW_PRINTF(3, 4);

#ifdef __cplusplus
}
#endif
#endif
