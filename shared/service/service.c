/* SPDX-License-Identifier: MIT */
/* service/service.c: see the header. */
#include "service/service.h"
#include "base/buf.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/time.h"
#include "fault/fault.h"
#include "run/signal.h"
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { EXIT_OK, EXIT_RUN, EXIT_USAGE, SETS_MAX = 256, OUTPUT_MAX = 1 << 20 };
#define READY_POLL_NS (5 * TK_NS_PER_MS)

enum option_id { OPT_CONFIG = 256, OPT_SET, OPT_DUMP_CONFIG, OPT_CHECK_CONFIG, OPT_DUMP_ROUTES, OPT_HELP, OPT_VERSION };

static const struct option options[] = {
        {"config", required_argument, NULL, OPT_CONFIG},
        {"set", required_argument, NULL, OPT_SET},
        {"dump-config", no_argument, NULL, OPT_DUMP_CONFIG},
        {"check-config", no_argument, NULL, OPT_CHECK_CONFIG},
        {"dump-routes", no_argument, NULL, OPT_DUMP_ROUTES},
        {"help", no_argument, NULL, OPT_HELP},
        {"version", no_argument, NULL, OPT_VERSION},
        {0},
};

struct arguments {
        const char *config;
        const char *sets[SETS_MAX + 1];
        unsigned sets_n;
        enum option_id action; /* 0: run */
};

static void help(const struct tk_service *service)
{
        printf("%s - %s\n\n"
               "usage: %s [--config FILE] [--set key=value]...\n\n"
               "  --config FILE     YAML configuration; without it defaults and environment are used\n"
               "  --set key=value   override one key (repeatable), e.g. --set rest.bind=127.0.0.1:8080\n"
               "  --dump-config     print the effective configuration with units, ranges and environment names\n"
               "  --check-config    check it and exit\n"
               "  --dump-routes     print the REST routes\n"
               "  --version         print the version\n\n"
               "Every key is also read from the environment: TASKER_ + the key in capitals, dots as underscores\n"
               "(rest.bind is TASKER_REST_BIND). Order: defaults, file, environment, --set.\n",
               service->name, service->summary, service->name);
}

/* 0, or an exit status + 1. */
static int parse(const struct tk_service *service, int argc, char **argv, struct arguments *ret)
{
        for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
                switch (c) {
                case OPT_CONFIG:
                        ret->config = optarg;
                        break;
                case OPT_SET:
                        if (ret->sets_n == SETS_MAX) {
                                fprintf(stderr, "%s: at most %d --set options\n", service->name, SETS_MAX);
                                return EXIT_USAGE + 1;
                        }
                        ret->sets[ret->sets_n++] = optarg;
                        break;
                case OPT_DUMP_CONFIG:
                case OPT_CHECK_CONFIG:
                case OPT_DUMP_ROUTES:
                        ret->action = (enum option_id)c;
                        break;
                case OPT_HELP:
                        help(service);
                        return EXIT_OK + 1;
                case OPT_VERSION:
                        printf("%s %s\n", service->name, TASKER_VERSION);
                        return EXIT_OK + 1;
                default:
                        fprintf(stderr, "Try '%s --help'.\n", service->name);
                        return EXIT_USAGE + 1;
                }
        }
        if (optind < argc) {
                fprintf(stderr, "%s: unexpected argument '%s'\nTry '%s --help'.\n", service->name, argv[optind],
                        service->name);
                return EXIT_USAGE + 1;
        }
        return 0;
}

static void dump_config(const struct tk_service *service, const void *conf)
{
        TK_AUTOBUF struct tk_buf buf;
        tk_buf_init(&buf, OUTPUT_MAX);
        tk_conf_dump(service->rows, *service->rows_n, conf, &buf);
        fputs(tk_buf_str(&buf), stdout);
}

static void dump_routes(const struct tk_service *service)
{
        static const char *const methods[] = {"GET", "POST", "PUT", "PATCH", "DELETE"};
        for (size_t i = 0; service->routes && i < *service->routes_n; i++)
                printf("%-7s %-60s %s\n", methods[service->routes[i].method], service->routes[i].pattern,
                       service->routes[i].summary);
}

static void write_ready_file(const struct tk_service *service, const struct tk_service_ports *ports)
{
        const char *path = getenv("TASKER_READY_FILE");
        if (!path || !*path)
                return;
        TK_AUTOBUF struct tk_buf name;
        tk_buf_init(&name, 4096);
        tk_buf_printf(&name, "%s.tmp", path);
        FILE *file = fopen(tk_buf_str(&name), "w");
        if (!file) {
                tk_log_warn("service.ready_file", "The ready file cannot be written.", TK_STR("path", path));
                return;
        }
        fprintf(file, "{\"service\":\"%s\",\"pid\":%d,\"rest_port\":%u,\"grpc_port\":%u,\"instance_id\":\"%s\"}\n",
                service->name, (int)getpid(), ports->rest, ports->grpc, ports->instance_id);
        if (fclose(file) || rename(tk_buf_str(&name), path))
                tk_log_warn("service.ready_file", "The ready file cannot be written.", TK_STR("path", path));
}

static void log_runtime(const struct tk_service *service, void *app)
{
        TK_AUTOBUF struct tk_buf buf;
        tk_buf_init(&buf, OUTPUT_MAX);
        service->runtime(app, &buf);
        tk_log_info("service.runtime", NULL, TK_JSON("runtime", tk_buf_str(&buf)));
}

static int run(const struct tk_service *service, void *app, int64_t started_ns)
{
        struct tk_service_ports ports = {0};
        bool ready = service->ready(app, &ports), told = false;
        tk_log_info("service.listening", NULL, TK_INT("rest_port", ports.rest), TK_INT("grpc_port", ports.grpc));
        for (;;) {
                ready = ready || service->ready(app, &ports);
                if (ready && !told) {
                        told = true;
                        tk_log_info("service.ready", NULL, TK_INT("rest_port", ports.rest),
                                    TK_INT("grpc_port", ports.grpc), TK_STR("instance", ports.instance_id),
                                    TK_INT("after_ms", (tk_time_mono_ns() - started_ns) / TK_NS_PER_MS));
                        write_ready_file(service, &ports);
                }
                enum tk_signal signal = tk_signal_wait(ready ? TK_TIME_NEVER : tk_time_mono_ns() + READY_POLL_NS);
                if (signal == TK_SIGNAL_TERM)
                        break;
                if (signal == TK_SIGNAL_USR1)
                        log_runtime(service, app);
        }
        tk_log_info("service.stopping", "Finishing what is in hand; a second signal stops at once.");
        tk_signal_exit_on_next_term(EXIT_RUN);
        service->destroy(app);
        tk_log_info("service.stopped", NULL);
        return EXIT_OK;
}

static int start(const struct tk_service *service, void *conf, int64_t started_ns)
{
        const char *level_text = *(char **)((char *)conf + service->log_level);
        const char *format = *(char **)((char *)conf + service->log_format);
        enum tk_log_level level;
        if (tk_log_level_parse(level_text, &level)) {
                fprintf(stderr, "%s: log.level must be error, warn, info or debug, found '%s'\n", service->name,
                        level_text);
                return EXIT_USAGE;
        }
        if (!tk_streq(format, "json") && !tk_streq(format, "text")) {
                fprintf(stderr, "%s: log.format must be json or text, found '%s'\n", service->name, format);
                return EXIT_USAGE;
        }
        tk_log_init(service->name, level, tk_streq(format, "text") ? TK_LOG_TEXT : TK_LOG_JSON);
        tk_signal_block();
        void *app = NULL;
        struct tk_err err = {0};
        if (tk_fault_init(getenv("TASKER_FAULTS"), &err)) {
                fprintf(stderr, "%s: %s\n", service->name, tk_err_text(&err));
                return EXIT_USAGE;
        }
        if (tk_fault_on)
                tk_log_warn("faults.on", "TASKER_FAULTS is for tests: this process fails on purpose.", TK_STR("faults", getenv("TASKER_FAULTS")));
        if (service->create(conf, &app, &err)) {
                tk_log_error("service.failed", tk_err_text(&err));
                return EXIT_RUN;
        }
        return run(service, app, started_ns);
}

int tk_service_main(const struct tk_service *service, int argc, char **argv)
{
        int64_t started_ns = tk_time_mono_ns();
        struct arguments arguments = {0};
        struct tk_err err = {0};
        int exits = parse(service, argc, argv, &arguments);
        if (exits)
                return exits - 1;
        if (arguments.action == OPT_DUMP_ROUTES) {
                dump_routes(service);
                return EXIT_OK;
        }
        TK_AUTOFREE void *conf = tk_zalloc(service->conf_size);
        if (tk_conf_load(service->rows, *service->rows_n, conf, arguments.config, arguments.sets, &err)) {
                fprintf(stderr, "%s: %s\n", service->name, tk_err_text(&err));
                return EXIT_USAGE;
        }
        if (arguments.action == OPT_DUMP_CONFIG)
                dump_config(service, conf);
        int status = arguments.action ? EXIT_OK : start(service, conf, started_ns);
        tk_conf_deinit(service->rows, *service->rows_n, conf); /* empty where it was moved into the app */
        return status;
}
