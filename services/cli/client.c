/* SPDX-License-Identifier: MIT */
/* cli/client.c: see client.h. */
#include "cli/client.h"

#include "base/arena.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/time.h"
#include <curl/curl.h>
#include <errno.h>
#include <stdlib.h>

enum { ANSWER_MAX = 64 << 20, CONNECT_MS = 5000, ANSWER_MS = 30000, ESCAPED_MAX = 1 << 20 };
static const char default_url[] = "http://127.0.0.1:8080";
static const struct tk_json_limits limits = {
        .bytes_max = ANSWER_MAX, .depth_max = 256, .entries_max = 1 << 20, .string_max = ANSWER_MAX};

struct cli_client {
        CURL *curl;
        char *url;
        struct tk_arena *escaped;
};

int cli_client_new(const char *url, struct cli_client **ret, struct tk_err *err)
{
        const char *from_env = getenv("TASKER_URL");

        if (!url)
                url = from_env && *from_env ? from_env : default_url;
        if (!tk_str_starts(url, "http://") && !tk_str_starts(url, "https://"))
                return TK_ERR(err, -EINVAL,
                              "\"%s\" is not the address of an orchestrator: expected http://host:port", url);
        if (curl_global_init(CURL_GLOBAL_DEFAULT))
                return TK_ERR(err, -ENOMEM, "libcurl does not start");
        struct cli_client *client = TK_NEW(struct cli_client);
        client->curl = curl_easy_init();
        client->url = tk_strdup(url);
        client->escaped = tk_arena_new(4096, ESCAPED_MAX);
        for (size_t len = strlen(client->url); len && client->url[len - 1] == '/';)
                client->url[--len] = '\0';
        if (!client->curl) {
                cli_client_free(client);
                return TK_ERR(err, -ENOMEM, "libcurl does not start");
        }
        *ret = client;
        return 0;
}

struct cli_client *cli_client_free(struct cli_client *client)
{
        if (!client)
                return NULL;
        curl_easy_cleanup(client->curl);
        tk_free(client->url);
        tk_arena_free(client->escaped);
        curl_global_cleanup();
        return tk_free(client);
}

const char *cli_client_escape(struct cli_client *client, const char *text)
{
        char *escaped = curl_easy_escape(client->curl, text, 0);
        const char *copy = tk_arena_strdup(client->escaped, escaped ? escaped : "");

        curl_free(escaped);
        return copy;
}

static size_t take(char *data, size_t size, size_t n, void *into)
{
        tk_buf_put(into, data, size * n);
        return tk_buf_failed(into) ? 0 : size * n;
}

static void prepare(struct cli_client *client, const struct cli_request *request, const char *url,
                    struct curl_slist *headers, struct tk_buf *answer)
{
        CURL *curl = client->curl;

        curl_easy_reset(curl);
        curl_easy_setopt(curl, CURLOPT_URL, url);
        curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
        curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
        curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS);
        curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)(ANSWER_MS + request->wait_ns / TK_NS_PER_MS));
        curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take);
        curl_easy_setopt(curl, CURLOPT_WRITEDATA, answer);
        curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
        if (request->body) {
                curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request->body);
                curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body_len);
        }
        curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request->method);
}

/* The sentence in an error body: the envelope's, a flat one's, or the text itself. */
static void explain(struct tk_err *err, const struct cli_request *request, long status, const json_t *json,
                    const struct tk_buf *answer)
{
        const json_t *envelope = json_object_get(json, "error");
        const char *message = json_is_object(envelope) ? tk_json_str(envelope, "message")
                                                       : tk_json_str(json, "message");

        if (!message)
                message = answer->len ? tk_buf_str(answer) : "no further explanation";
        (void)TK_ERR(err, CLI_CLIENT_E_STATUS, "%s %.*s was refused (HTTP %ld): %.300s", request->method,
                     (int)strcspn(request->path, "?"), request->path, status, message);
}

static int unreachable(const struct cli_client *client, CURLcode why, struct tk_err *err)
{
        return TK_ERR(err, CLI_CLIENT_E_UNREACHABLE,
                      "cannot reach an orchestrator at %s: %s. Is it running (tasker dev)? Another address: "
                      "--url or TASKER_URL",
                      client->url, curl_easy_strerror(why));
}

int cli_client_send(struct cli_client *client, const struct cli_request *request, json_t **ret,
                    long *ret_status, struct tk_err *err)
{
        const char *type = request->content_type ? request->content_type : "application/json";
        TK_AUTOBUF struct tk_buf url, header, answer;
        json_t *json = NULL;
        struct tk_err why;
        long status = 0;

        tk_buf_init(&url, 1 << 16);
        tk_buf_init(&header, 1 << 10);
        tk_buf_init(&answer, ANSWER_MAX);
        tk_buf_printf(&url, "%s%s", client->url, request->path);
        tk_buf_printf(&header, "Content-Type: %s", type);
        struct curl_slist *headers = request->body ? curl_slist_append(NULL, tk_buf_str(&header)) : NULL;
        prepare(client, request, tk_buf_str(&url), headers, &answer);
        CURLcode r = curl_easy_perform(client->curl);
        curl_slist_free_all(headers);
        if (r != CURLE_OK)
                return unreachable(client, r, err);
        curl_easy_getinfo(client->curl, CURLINFO_RESPONSE_CODE, &status);
        if (ret_status)
                *ret_status = status;
        int parsed = tk_json_read(tk_buf_str(&answer), answer.len, &limits, &json, &why);
        if (status < 200 || status > 299) {
                explain(err, request, status, parsed ? NULL : json, &answer);
                json_decref(parsed ? NULL : json);
                return CLI_CLIENT_E_STATUS;
        }
        if (parsed)
                return TK_ERR(err, CLI_CLIENT_E_ANSWER,
                              "%s%s did not answer in JSON (%s): is this an orchestrator?", client->url,
                              request->path, tk_err_text(&why));
        *ret = json;
        return CLI_CLIENT_OK;
}

int cli_client_get(struct cli_client *client, const char *path, json_t **ret, struct tk_err *err)
{
        const struct cli_request request = {.method = "GET", .path = path};

        return cli_client_send(client, &request, ret, NULL, err);
}

int cli_client_exit(int outcome)
{
        return outcome == CLI_CLIENT_OK              ? CLI_EXIT_OK
               : outcome == CLI_CLIENT_E_UNREACHABLE ? CLI_EXIT_UNREACHABLE
                                                     : CLI_EXIT_FAILED;
}
