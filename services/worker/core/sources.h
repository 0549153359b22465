/* SPDX-License-Identifier: MIT */
/* worker/core/sources.h: the worker's own template files: read and checked at start, registered with an orchestrator,
 * and the namespaces this worker serves. Read-only after loading, so any thread may look. */
#pragma once
#include "base/attr.h"
#include "base/err.h"
#include "conf/conf.h"
#include "model/template.h"

enum { WORK_SOURCES_MAX = 1000, WORK_SOURCE_NAMESPACES_MAX = 256 };

struct work_source {
        char *file;
        char *yaml;                 /* owned; NULL: could not be read */
        size_t len;
        struct tk_template *tpl;    /* owned; NULL: not valid */
        char *problem;              /* why; "file:line: …" */
        int64_t loaded_ns;          /* wall clock */
};

struct work_sources {
        struct work_source *list;
        size_t n, valid;
        const char **namespaces;    /* of the templates and of `extra`, without repetition */
        size_t namespaces_n;
};

/* Reads every *.yaml and *.yml below dir ("" = none), in order of name. A file that is not a template is kept with its
 * problem and does not stop the others. 0, or negative with err: the folder cannot be read, or too much of something. */
TK_MUST int work_sources_load(struct work_sources *ret, const char *dir, const char *environment,
                              const struct tk_conf_list *extra, struct tk_err *err);
void work_sources_free(struct work_sources *sources);
const struct work_source *work_sources_find(const struct work_sources *sources, const char *ns, const char *name,
                                            const char *version);
const struct work_source *work_sources_by_digest(const struct work_sources *sources, const char *digest);
