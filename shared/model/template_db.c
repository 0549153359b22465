/* SPDX-License-Identifier: MIT */
/* model/template_db.c: a template as the arguments of tasker.register_template. */
#include "base/uuid.h"
#include "crypto/sha256.h"
#include "model/template_internal.h"
#include <string.h>

enum { UUID_VERSION_8 = 0x80, UUID_VARIANT = 0x80 };

/* The same step of the same template version has the same id everywhere. */
static void named_step(const struct tk_template *tpl, const char *step, char ret[TK_UUID_TEXT])
{
        const char *const parts[] = {tpl->ns, tpl->name, tpl->version, step};
        uint8_t hash[TK_SHA256_SIZE];
        struct tk_sha256 sha;
        struct tk_uuid id;
        tk_sha256_init(&sha);
        for (size_t i = 0; i < tk_countof(parts); i++)
                tk_sha256_update(&sha, parts[i], strlen(parts[i]) + 1);
        tk_sha256_final(&sha, hash);
        memcpy(id.b, hash, sizeof id.b);
        id.b[6] = (uint8_t)((id.b[6] & 0x0f) | UUID_VERSION_8);
        id.b[8] = (uint8_t)((id.b[8] & 0x3f) | UUID_VARIANT);
        tk_uuid_format(&id, ret);
}

static void put_ms(struct tk_buf *buf, uint32_t ms)
{
        if (ms)
                tk_buf_printf(buf, "%u", ms);
        else
                tk_buf_puts(buf, "null");
}

/* One of the words the format knows, if it was said. */
static void put_word(struct tk_buf *buf, const char *key, const char *word)
{
        if (word)
                tk_buf_printf(buf, ",\"%s\":\"%s\"", key, word);
}

void tk_template_db_steps(const struct tk_template *tpl, struct tk_buf *buf)
{
        tk_buf_putc(buf, '[');
        for (uint32_t i = 0; i < tpl->steps_n; i++) {
                const struct tk_template_step *s = &tpl->steps[i];
                char id[TK_UUID_TEXT];
                named_step(tpl, s->name, id);
                tk_buf_printf(buf, "%s{\"step_no\":%u,\"name\":", i ? "," : "", i);
                tk_buf_put_json_str(buf, s->name, strlen(s->name));
                tk_buf_printf(buf,
                              ",\"named_step_uuid\":\"%s\",\"step_type\":\"%s\",\"retryable\":%s,\"max_attempts\":%"
                              "u,\"backoff\":\"%s\","
                              "\"backoff_base_ms\":%u,\"backoff_max_ms\":%u,\"parents\":%u,\"ancestors_all\":%u,"
                              "\"at_start\":%s,\"timeout_ms\":",
                              id, tk_template_step_types[s->type], s->retryable ? "true" : "false", s->max_attempts,
                              tk_template_backoffs[s->backoff], s->backoff_base_ms, s->backoff_max_ms, s->parents_n,
                              s->ancestors_all, s->at_start ? "true" : "false");
                put_ms(buf, s->timeout_ms);
                tk_buf_puts(buf, ",\"queue_timeout_ms\":");
                put_ms(buf, s->queue_timeout_ms);
                put_word(buf, "on_timeout", s->on_timeout);
                put_word(buf, "on_queue_timeout", s->on_queue_timeout);
                tk_buf_puts(buf, ",\"ancestors\":[");
                for (uint32_t k = 0; k < s->ancestors_n; k++)
                        tk_buf_printf(buf, "%s%u", k ? "," : "", s->ancestors[k]);
                tk_buf_puts(buf, "]}");
        }
        tk_buf_putc(buf, ']');
}

void tk_template_db_edges(const struct tk_template *tpl, struct tk_buf *buf)
{
        const char *comma = "";
        tk_buf_putc(buf, '[');
        for (uint32_t i = 0; i < tpl->steps_n; i++)
                for (uint32_t k = 0; k < tpl->steps[i].parents_n; k++) {
                        tk_buf_printf(buf, "%s{\"from_no\":%u,\"to_no\":%u}", comma, tpl->steps[i].parents[k], i);
                        comma = ",";
                }
        tk_buf_putc(buf, ']');
}
