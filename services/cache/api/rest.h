/* SPDX-License-Identifier: MIT */
/* cache/api/rest.h: health, metrics and configuration over HTTP. */
#pragma once
#include "base/buf.h"
#include "http/http.h"

extern const struct tk_http_route cache_routes[];
extern const size_t cache_routes_n;
/* What GET /v1/debug/runtime answers, for the log. */
void cache_runtime(void *app, struct tk_buf *out);
/* {"error":{"code":…,"message":…}}; the error callback of the server (http.h). */
const char *cache_rest_error(struct tk_http_req *req, int status, const char *message);
