/* SPDX-License-Identifier: MIT */
/* worker/handler/registry.c: see the header. The only file that opens shared objects. */
#include "worker/handler/registry.h"
#include "base/log.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/str.h"
#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

enum { HANDLERS_MAX = 100000, NAME_MAX_BYTES = 255 };

struct work_registry {
        struct tk_map *names;        /* name → entry */
        struct work_handler **all;   /* owned, in order */
        size_t n;
};

struct work_registry *work_registry_new(void)
{
        struct work_registry *registry = TK_NEW(struct work_registry);
        registry->names = tk_map_new();
        return registry;
}

struct work_registry *work_registry_free(struct work_registry *registry)
{
        if (!registry)
                return NULL;
        for (size_t i = 0; i < registry->n; i++)
                tk_free(registry->all[i]);
        tk_free(registry->all);
        tk_map_free(registry->names);
        return tk_free(registry);
}

static int check_handler(const struct work_registry *registry, const struct tkw_module *module, size_t at,
                         struct tk_err *err)
{
        const struct tkw_handler *h = &module->handlers[at];
        if (!h->name || !*h->name || strlen(h->name) > NAME_MAX_BYTES)
                return TK_ERR(err, -EINVAL, "module %s: the name of handler %zu must have 1 to %d bytes",
                              module->name, at, NAME_MAX_BYTES);
        if (!h->fn)
                return TK_ERR(err, -EINVAL, "module %s: handler \"%s\" has no function", module->name, h->name);
        for (const struct tkw_method *m = h->methods; m && m->name; m++)
                if (!m->fn)
                        return TK_ERR(err, -EINVAL, "module %s: method \"%s\" of handler \"%s\" has no function",
                                      module->name, m->name, h->name);
        const struct work_handler *other = tk_map_gets(registry->names, h->name);
        if (other)
                return TK_ERR(err, -EEXIST, "handler \"%s\" of module %s is already registered by module %s",
                              h->name, module->name, other->module->name);
        return 0;
}

static int check_module(const struct work_registry *registry, const struct tkw_module *module, struct tk_err *err)
{
        if (!module)
                return TK_ERR(err, -EINVAL, "tasker_handlers_v1 returned no module");
        if (module->abi != TKW_ABI)
                return TK_ERR(err, -EINVAL, "module %s is made for version %u of the handler interface, this worker has %d",
                              module->name ? module->name : "?", module->abi, TKW_ABI);
        if (!module->name || !*module->name)
                return TK_ERR(err, -EINVAL, "a handler module has no name");
        if (module->handlers_n > HANDLERS_MAX || (module->handlers_n && !module->handlers))
                return TK_ERR(err, -EINVAL, "module %s lists %zu handlers, at most %d are possible", module->name,
                              module->handlers_n, HANDLERS_MAX);
        for (size_t i = 0; i < module->handlers_n; i++) {
                int r = check_handler(registry, module, i, err);
                if (r)
                        return r;
                for (size_t j = 0; j < i; j++)
                        if (tk_streq(module->handlers[i].name, module->handlers[j].name))
                                return TK_ERR(err, -EEXIST, "module %s lists handler \"%s\" twice", module->name,
                                              module->handlers[i].name);
        }
        return 0;
}

int work_registry_add(struct work_registry *registry, const struct tkw_module *module, struct tk_err *err)
{
        int r = check_module(registry, module, err);
        if (r)
                return r;
        registry->all = tk_realloc(registry->all, registry->n + module->handlers_n + 1, sizeof *registry->all);
        for (size_t i = 0; i < module->handlers_n; i++) {
                struct work_handler *entry = TK_NEW(struct work_handler);
                *entry = (struct work_handler){&module->handlers[i], module};
                registry->all[registry->n++] = entry;
                tk_map_puts(registry->names, entry->handler->name, entry);
        }
        tk_log_info("handlers.registered", NULL, TK_STR("module", module->name), TK_STR("version", module->version),
                    TK_INT("handlers", module->handlers_n));
        return 0;
}

/* A bare name that exists in ../lib beside the program, or in its own folder, is that file; else the loader decides. */
static void locate(const char *file, char ret_path[PATH_MAX])
{
        static const char *const places[] = {"../lib", "."};
        char program[PATH_MAX];
        (void)tk_str_copy(ret_path, PATH_MAX, file);
        ssize_t len = readlink("/proc/self/exe", program, sizeof program - 1);
        if (strchr(file, '/') || len <= 0)
                return;
        program[len] = '\0';
        *strrchr(program, '/') = '\0';
        for (size_t i = 0; i < tk_countof(places); i++) {
                char path[PATH_MAX];
                int n = snprintf(path, sizeof path, "%s/%s/%s", program, places[i], file);
                if (n > 0 && n < PATH_MAX && !access(path, R_OK)) {
                        (void)tk_str_copy(ret_path, PATH_MAX, path);
                        return;
                }
        }
}

static int load_events(struct work_parties *parties, void *object, const char *path, struct tk_err *err)
{
        const struct tkw_events *(*entry)(void);
        *(void **)&entry = dlsym(object, "tasker_events_v1");
        return entry ? work_parties_add(parties, entry(), path, err) : 0;
}

static int load(struct work_registry *registry, struct work_parties *parties, const char *file, struct tk_err *err)
{
        char path[PATH_MAX];
        locate(file, path);
        void *object = dlopen(path, RTLD_NOW | RTLD_LOCAL);
        if (!object)
                return TK_ERR(err, -ENOENT, "handlers: %s", dlerror());
        const struct tkw_module *(*entry)(void);
        *(void **)&entry = dlsym(object, "tasker_handlers_v1");
        if (!entry)
                return TK_ERR(err, -EINVAL, "handlers: %s does not export tasker_handlers_v1", path);
        int r = work_registry_add(registry, entry(), err);
        if (r)
                tk_err_prefix(err, "handlers: %s", path);
        return r ? r : load_events(parties, object, path, err);
}

int work_registry_load(struct work_registry *registry, struct work_parties *parties, const struct tk_conf_list *files, struct tk_err *err)
{
        for (size_t i = 0; i < files->count; i++) {
                int r = load(registry, parties, files->items[i], err);
                if (r)
                        return r;
        }
        return 0;
}

const struct work_handler *work_registry_find(const struct work_registry *registry, const char *name, size_t len)
{
        return len ? tk_map_get(registry->names, name, len) : NULL;
}

const char *work_registry_name(const struct work_registry *registry, size_t at)
{
        return at < registry->n ? registry->all[at]->handler->name : NULL;
}

size_t work_registry_count(const struct work_registry *registry)
{
        return registry->n;
}
