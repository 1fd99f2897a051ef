/* search_http.c - one HTTP request to OpenSearch or Elasticsearch. */
#include <stdlib.h>
#include <string.h>

#include "core/xalloc.h"
#include "sinks/search.h"

enum { REQUEST_MS = 120000 };

static size_t take_reply(char *p, size_t size, size_t n, void *ctx)
{
    struct evs_buf *reply = ctx;
    return evs_buf_add(reply, p, size * n) ? size * n : 0;
}

static int look_for_stop(void *ctx, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
    const struct evs_es *s = ctx;
    (void)a, (void)b, (void)c, (void)d;
    return s->stop && !s->claimed && evs_stop_raised(s->stop);
}

/* No answer. A certificate will not be another one the next time. */
static enum evs_rc refused(const struct evs_es *s, CURLcode code, const char *why,
                           struct evs_err *err)
{
    bool tls = code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CACERT_BADFILE;
    evs_fail_native(err, tls || code == CURLE_WRITE_ERROR ? EVS_FATAL : EVS_RETRY, "http",
                    (int)code, "%s: %s", s->url, why);
    if (tls)
        evs_hint(err, "SSL_CERT_FILE=ca.pem in the environment names the authority to trust");
    return err->code;
}

enum evs_rc evs_es_ask(struct evs_es *s, const char *method, const char *path,
                       const struct evs_buf *body, long *ret_status, struct evs_err *err)
{
    char *url = evs_xprintf("%s%s", s->url, path), detail[CURL_ERROR_SIZE] = "";
    struct curl_slist *headers =
        curl_slist_append(NULL, body && strstr(path, "_bulk") ? "Content-Type: application/x-ndjson"
                                                              : "Content-Type: application/json");
    headers = curl_slist_append(headers, "Expect:");
    evs_buf_reset(&s->reply);
    s->reply.over = false;
    curl_easy_reset(s->curl);
    curl_easy_setopt(s->curl, CURLOPT_URL, url);
    curl_easy_setopt(s->curl, CURLOPT_CUSTOMREQUEST, method);
    curl_easy_setopt(s->curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(s->curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(s->curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(s->curl, CURLOPT_ERRORBUFFER, detail);
    curl_easy_setopt(s->curl, CURLOPT_CONNECTTIMEOUT_MS, (long)s->timeout_ms);
    curl_easy_setopt(s->curl, CURLOPT_TIMEOUT_MS, (long)REQUEST_MS);
    curl_easy_setopt(s->curl, CURLOPT_TCP_NODELAY, 1L);
    curl_easy_setopt(s->curl, CURLOPT_WRITEFUNCTION, take_reply);
    curl_easy_setopt(s->curl, CURLOPT_WRITEDATA, &s->reply);
    curl_easy_setopt(s->curl, CURLOPT_XFERINFOFUNCTION, look_for_stop);
    curl_easy_setopt(s->curl, CURLOPT_XFERINFODATA, s);
    curl_easy_setopt(s->curl, CURLOPT_NOPROGRESS, 0L);
    if (s->userpwd)
        curl_easy_setopt(s->curl, CURLOPT_USERPWD, s->userpwd);
    if (getenv("SSL_CERT_FILE"))
        curl_easy_setopt(s->curl, CURLOPT_CAINFO, getenv("SSL_CERT_FILE"));
    if (body) {
        curl_easy_setopt(s->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body->len);
        curl_easy_setopt(s->curl, CURLOPT_POSTFIELDS, evs_buf_str(body));
    }
    if (!strcmp(method, "HEAD"))
        curl_easy_setopt(s->curl, CURLOPT_NOBODY, 1L);
    CURLcode code = curl_easy_perform(s->curl);
    curl_slist_free_all(headers);
    evs_free(url);
    *ret_status = 0;
    if (code)
        return refused(s, code, *detail ? detail : curl_easy_strerror(code), err);
    curl_easy_getinfo(s->curl, CURLINFO_RESPONSE_CODE, ret_status);
    return EVS_OK;
}

enum evs_rc evs_es_hint_rights(const char *why, struct evs_err *err)
{
    if (strstr(why, "unauthorized") || strstr(why, "permissions"))
        evs_hint(err, "a run needs create_index, manage, read and write on the target, "
                      "eventscope_checkpoint and eventscope_tombstones.*");
    return err->code;
}

enum evs_rc evs_es_fail(struct evs_es *s, long status, const char *what, struct evs_err *err)
{
    EVS_AUTO(evs_buf) struct evs_buf why = EVS_BUF_INIT(300);
    struct evs_json_tree t = {0};
    struct evs_err ignored = EVS_ERR_INIT;
    bool again = status == 429 || status == 502 || status == 503 || status == 504;
    if (!evs_json_tree_read(&t, evs_buf_str(&s->reply), s->reply.len, &ignored)) {
        const struct evs_json_node *n = evs_json_path(&t, "error.caused_by.reason");
        n = n ? n : evs_json_path(&t, "error.reason");
        if (n && n->type == EVS_JSON_STRING)
            evs_json_unquote(&why, t.text + n->start, n->end - n->start);
    }
    evs_json_tree_done(&t);
    evs_fail_native(err, again ? EVS_RETRY : EVS_FATAL, "http", (int)status, "%s: HTTP %ld%s%s",
                    what, status, why.len ? ": " : "", evs_buf_str(&why));
    if (status == 401)
        evs_hint(err, "user and password stand in the URL: %s+https://user:password@host",
                 s->base.ops->name);
    return status == 403 ? evs_es_hint_rights(evs_buf_str(&why), err) : err->code;
}

/* opensearch+http://user:password@host:9200/prefix */
enum evs_rc evs_es_connect(struct evs_es *s, const char *url, struct evs_err *err)
{
    const char *plus = strchr(url, '+');
    CURLU *u = curl_url();
    char *part = NULL, *user = NULL, *password = NULL;
    enum evs_rc rc = EVS_OK;
    if (!plus || curl_url_set(u, CURLUPART_URL, plus + 1, 0)) {
        rc = evs_fail(err, EVS_INVALID, "the URL is not opensearch+http://host:9200");
    } else {
        curl_url_get(u, CURLUPART_USER, &user, CURLU_URLDECODE);
        curl_url_get(u, CURLUPART_PASSWORD, &password, CURLU_URLDECODE);
        if (user)
            s->userpwd = evs_xprintf("%s:%s", user, password ? password : "");
        curl_url_set(u, CURLUPART_USER, NULL, 0);
        curl_url_set(u, CURLUPART_PASSWORD, NULL, 0);
        curl_url_get(u, CURLUPART_URL, &part, 0);
        s->url = evs_xstrdup(part ? part : "");
        size_t n = strlen(s->url);
        while (n && s->url[n - 1] == '/')
            s->url[--n] = '\0';
    }
    curl_free(part);
    curl_free(user);
    curl_free(password);
    curl_url_cleanup(u);
    s->curl = curl_easy_init();
    return rc;
}
