/* SPDX-License-Identifier: MIT */
/* cli/client.h: requests to an orchestrator's REST API. The only file pair of the program that knows libcurl.
 * Every failure is one sentence in err that says what to do. */
#pragma once
#include "base/attr.h"
#include "base/err.h"
#include "json/json.h"
#include <stdint.h>

/* What the program ends with. */
enum cli_exit { CLI_EXIT_OK, CLI_EXIT_FAILED, CLI_EXIT_USAGE, CLI_EXIT_UNREACHABLE, CLI_EXIT_TIMEOUT };

struct cli_client;
/* url NULL: $TASKER_URL, else http://127.0.0.1:8080. -EINVAL: not an http(s) URL. */
TK_MUST int cli_client_new(const char *url, struct cli_client **ret, struct tk_err *err);
struct cli_client *cli_client_free(struct cli_client *client);
TK_DEFINE_CLEANUP(struct cli_client *, cli_client_free);

enum { CLI_CLIENT_OK, CLI_CLIENT_E_UNREACHABLE, CLI_CLIENT_E_STATUS /* refused; *ret_status says how */,
       CLI_CLIENT_E_ANSWER /* not the JSON we know */ };
struct cli_request {
        const char *method, *path;         /* path with query, percent-encoded */
        const char *content_type;          /* of the body; NULL: application/json */
        const void *body;                  /* NULL: none */
        size_t body_len;
        int64_t wait_ns; /* how long the server may take on purpose (?wait=), beyond the usual time */
};
/* The JSON of a 2xx answer (yours to decref). */
TK_MUST int cli_client_send(struct cli_client *client, const struct cli_request *request, json_t **ret,
                            long *ret_status, struct tk_err *err);
/* GET. */
TK_MUST int cli_client_get(struct cli_client *client, const char *path, json_t **ret, struct tk_err *err);
/* The exit code that tells of this outcome. */
int cli_client_exit(int outcome);
/* text, percent-encoded for one path segment or query value; lives in the client until it ends. */
const char *cli_client_escape(struct cli_client *client, const char *text);
