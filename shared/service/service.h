/* SPDX-License-Identifier: MIT */
/* service/service.h: the main() that all services share: options, configuration, log, signals, the ready line, the stop.
 *
 * Options: --config FILE, --set key=value (repeatable), --dump-config, --check-config, --dump-routes, --help, --version.
 * One log line "service.listening" with its ports. When the service first says it is ready: one log line "service.ready",
 * and, if TASKER_READY_FILE is set, a JSON file of that name (written whole, then renamed). TERM or INT: destroy, exit 0;
 * a second one: exit 1 at once. USR1: a log line "service.runtime" with all figures. */
#pragma once
#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "conf/conf.h"
#include "http/http.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tk_service_ports {
        uint16_t rest, grpc; /* 0: none */
        const char *instance_id;
};

struct tk_service {
        const char *name, *summary;
        const struct tk_conf_row *rows;
        const size_t *rows_n;
        size_t conf_size;
        size_t log_level, log_format;   /* offsets of these char * fields in the configuration */
        const struct tk_http_route *routes; /* for --dump-routes; may be NULL */
        const size_t *routes_n;
        int (*create)(void *conf, void **ret_app, struct tk_err *err); /* moves the configuration into the app */
        bool (*ready)(void *app, struct tk_service_ports *ret);        /* asked until true; *ret is set either way */
        void (*runtime)(void *app, struct tk_buf *out);                /* one JSON object; logged on USR1 */
        void (*destroy)(void *app);
};
/* Exit status: 0 clean stop, 1 failed at run time, 2 bad usage or configuration. */
TK_MUST int tk_service_main(const struct tk_service *service, int argc, char **argv);
