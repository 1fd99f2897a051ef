#include "core/event.h"

#include <string.h>

#include "core/xalloc.h"

int evs_event_headers(struct evs_event *ev)
{
    if (ev->n_headers < 0) {
        ev->n_headers = 0;
        if (ev->load_headers)
            ev->load_headers(ev);
    }
    return ev->n_headers;
}

size_t evs_event_bytes(const struct evs_event *ev)
{
    size_t n = ev->key_len + ev->value_len;
    for (int i = 0; i < ev->n_headers; i++)
        n += ev->headers[i].name_len + ev->headers[i].value_len;
    return n;
}

static const void *pack(char **at, const void *p, size_t n)
{
    if (!p)
        return NULL;
    char *to = *at;
    if (n)
        memcpy(to, p, n);
    to[n] = '\0';
    *at = to + n + 1;
    return to;
}

struct evs_event *evs_event_copy(struct evs_event *ev)
{
    int n = evs_event_headers(ev);
    size_t table = sizeof(struct evs_header) * (size_t)n;
    size_t names = strlen(ev->topic) + 1;
    size_t total = sizeof(*ev) + table + names + evs_event_bytes(ev) + 2 + 2 * (size_t)n;
    char *block = evs_xmalloc(total);
    struct evs_event *own = (void *)block;
    struct evs_header *headers = (void *)(block + sizeof(*ev));
    char *at = block + sizeof(*ev) + table;
    *own = *ev;
    own->native = NULL;
    own->load_headers = NULL;
    own->headers = headers;
    own->topic = pack(&at, ev->topic, names - 1);
    own->key = pack(&at, ev->key, ev->key_len);
    own->value = pack(&at, ev->value, ev->value_len);
    for (int i = 0; i < n; i++) {
        headers[i] = ev->headers[i];
        headers[i].name = pack(&at, ev->headers[i].name, ev->headers[i].name_len);
        headers[i].value = pack(&at, ev->headers[i].value, ev->headers[i].value_len);
    }
    return own;
}

void evs_event_free(struct evs_event *ev)
{
    evs_free(ev);
}

const char *evs_tstype_name(enum evs_tstype t)
{
    static const char *const names[] = {"unknown", "create", "logappend"};
    return names[t];
}
