/* SPDX-License-Identifier: MIT */
/* worker/api/rest_templates.c: the templates of this worker's own files, and whether it can run them. */
#include "base/str.h"
#include "base/time.h"
#include "json/json.h"
#include "worker/api/reply.h"
#include "worker/api/routes.h"
#include "worker/app.h"
#include "worker/handler/resolver.h"

enum { PAGE_MAX = 32 << 20 };

static void put_namespaces(struct tk_buf *buf, const struct work_app *app)
{
        tk_buf_puts(buf, "\"supported_namespaces\":[");
        for (size_t i = 0; i < app->sources.namespaces_n; i++) {
                tk_buf_puts(buf, i ? "," : "");
                work_put_str(buf, app->sources.namespaces[i]);
        }
        tk_buf_putc(buf, ']');
}

static void put_cache(struct tk_buf *buf, struct work_app *app)
{
        struct work_templates_stats stats;
        work_templates_stats(app->templates, &stats);
        tk_buf_printf(buf,
                      "{\"total_cached\":%zu,\"cache_hits\":%llu,\"cache_misses\":%llu,\"cache_evictions\":%llu,"
                      "\"oldest_entry_age_seconds\":%lld,"
                      "\"average_access_count\":%.3f,",
                      stats.entries, (unsigned long long)stats.hits, (unsigned long long)stats.misses,
                      (unsigned long long)stats.evictions,
                      (long long)((tk_time_wall_ns() - app->started_ns) / TK_NS_PER_S),
                      stats.entries ? (double)(stats.hits + stats.misses) / (double)stats.entries : 0.0);
        put_namespaces(buf, app);
        tk_buf_putc(buf, '}');
}

void work_rest_template_list(struct tk_http_req *req, void *app_)
{
        struct work_app *app = app_;
        TK_AUTOBUF struct tk_buf buf;
        tk_buf_init(&buf, PAGE_MAX);
        tk_buf_putc(&buf, '{');
        put_namespaces(&buf, app);
        tk_buf_printf(&buf, ",\"template_count\":%zu,\"cache_stats\":", app->sources.valid);
        if (tk_streq(tk_http_req_query(req, "include_cache_stats"), "true"))
                put_cache(&buf, app);
        else
                tk_buf_puts(&buf, "null");
        tk_buf_puts(&buf, ",\"worker_capabilities\":[\"command_processing\",\"message_queues\"]}");
        work_reply_json(req, &buf);
}

/* The template of the path; replies 404 itself when there is none. */
static const struct work_source *find(struct tk_http_req *req, const struct work_app *app)
{
        const char *ns = tk_http_req_param(req, 0), *name = tk_http_req_param(req, 1), *version = tk_http_req_param(req, 2);
        const struct work_source *source = work_sources_find(&app->sources, ns, name, version);
        if (!source)
                work_reply_error(req, 404, "template_not_found", "Template not found: %s/%s/%s", ns, name, version);
        return source;
}

void work_rest_template_get(struct tk_http_req *req, void *app_)
{
        struct work_app *app = app_;
        const struct work_source *source = find(req, app);
        TK_AUTOBUF struct tk_buf buf;
        tk_buf_init(&buf, PAGE_MAX);
        if (!source)
                return;
        const struct tk_template *tpl = source->tpl;
        tk_buf_puts(&buf, "{\"template\":{\"template\":");
        tk_json_dump(tpl->body, &buf);
        tk_buf_puts(&buf, ",\"environment\":");
        work_put_str(&buf, app->conf.environment);
        tk_buf_puts(&buf, ",\"resolved_at\":");
        work_put_now(&buf);
        tk_buf_puts(&buf, "},\"handler_metadata\":{\"namespace\":");
        work_put_str(&buf, tpl->ns);
        tk_buf_puts(&buf, ",\"name\":");
        work_put_str(&buf, tpl->name);
        tk_buf_puts(&buf, ",\"version\":");
        work_put_str(&buf, tpl->version);
        tk_buf_puts(&buf, ",\"handler_class\":");
        work_put_str(&buf, tpl->steps_n ? tpl->steps[0].handler.callable : "");
        tk_buf_puts(&buf, ",\"config_schema\":null,\"default_dependent_system\":null,\"registered_at\":");
        work_put_time(&buf, source->loaded_ns);
        tk_buf_puts(&buf, "},\"cached\":true,\"cache_age_seconds\":null,\"access_count\":null}");
        work_reply_json(req, &buf);
}

/* One message per step whose handler is not here. */
static bool put_errors(struct tk_buf *buf, const struct work_app *app, const struct tk_template *tpl)
{
        bool valid = true;
        for (uint32_t i = 0; i < tpl->steps_n; i++) {
                const struct tk_template_step *step = &tpl->steps[i];
                const struct work_handler *handler;
                tkw_handler_fn *fn;
                struct tk_err err = {0};
                if (!work_resolve(app->registry,
                                  &(struct work_definition){step->handler.callable, step->handler.method,
                                                            step->handler.resolver, step->name},
                                  &fn, &handler, &err))
                        continue;
                tk_err_prefix(&err, "step %s", step->name);
                tk_buf_puts(buf, valid ? "" : ",");
                work_put_str(buf, tk_err_text(&err));
                valid = false;
        }
        return valid;
}

static void put_capabilities(struct tk_buf *buf, const struct tk_template *tpl)
{
        static const char *const words[][2] = {
                {"FFI", "ffi"}, {"External", "external_api"}, {"Database", "database_access"}};
        const char *comma = "";
        for (size_t w = 0; w < tk_countof(words); w++)
                for (uint32_t i = 0; i < tpl->steps_n; i++)
                        if (strstr(tpl->steps[i].handler.callable, words[w][0])) {
                                tk_buf_printf(buf, "%s\"%s\"", comma, words[w][1]);
                                comma = ",";
                                break;
                        }
}

void work_rest_template_validate(struct tk_http_req *req, void *app_)
{
        struct work_app *app = app_;
        const struct work_source *source = find(req, app);
        TK_AUTOBUF struct tk_buf buf, errors;
        tk_buf_init(&buf, PAGE_MAX);
        tk_buf_init(&errors, PAGE_MAX);
        if (!source)
                return;
        bool valid = put_errors(&errors, app, source->tpl);
        tk_buf_printf(&buf, "{\"valid\":%s,\"errors\":[", valid ? "true" : "false");
        tk_buf_put(&buf, errors.data, errors.len);
        tk_buf_puts(&buf, "],\"required_capabilities\":[");
        put_capabilities(&buf, source->tpl);
        tk_buf_puts(&buf, "],\"step_handlers\":[");
        for (uint32_t i = 0; i < source->tpl->steps_n; i++) {
                tk_buf_puts(&buf, i ? "," : "");
                work_put_str(&buf, source->tpl->steps[i].handler.callable);
        }
        tk_buf_puts(&buf, "]}");
        work_reply_json(req, &buf);
}
