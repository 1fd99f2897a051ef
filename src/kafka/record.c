#include "kafka/record.h"

#include <string.h>

#include "core/xalloc.h"

static void load_headers(struct evs_event *ev)
{
    struct evs_record *rec = (struct evs_record *)(void *)ev;
    rd_kafka_headers_t *list = NULL;
    if (rd_kafka_message_headers(ev->native, &list) || !list)
        return;
    size_t n = rd_kafka_header_cnt(list);
    if (n > rec->alloc) {
        rec->headers = evs_xgrow(rec->headers, n, sizeof(*rec->headers));
        rec->alloc = n;
    }
    for (size_t i = 0; i < n; i++) {
        struct evs_header *h = &rec->headers[i];
        const char *name;
        if (rd_kafka_header_get_all(list, i, &name, &h->value, &h->value_len)) {
            n = i;
            break;
        }
        h->name = name;
        h->name_len = strlen(name);
    }
    ev->headers = rec->headers;
    ev->n_headers = (int)n;
}

static enum evs_tstype tstype_of(rd_kafka_timestamp_type_t t)
{
    return t == RD_KAFKA_TIMESTAMP_CREATE_TIME       ? EVS_TS_CREATE
           : t == RD_KAFKA_TIMESTAMP_LOG_APPEND_TIME ? EVS_TS_LOGAPPEND
                                                     : EVS_TS_UNKNOWN;
}

void evs_record_see(struct evs_record *rec, rd_kafka_message_t *m)
{
    struct evs_event *ev = &rec->ev;
    rd_kafka_timestamp_type_t type;
    ev->key = m->key;
    ev->key_len = m->key_len;
    ev->value = m->payload;
    ev->value_len = m->len;
    ev->offset = m->offset;
    ev->ts_ms = rd_kafka_message_timestamp(m, &type);
    ev->tstype = tstype_of(type);
    ev->partition = m->partition;
    ev->broker = rd_kafka_message_broker_id(m);
    ev->headers = NULL;
    ev->n_headers = -1;
    ev->load_headers = load_headers;
    ev->native = m;
}

void evs_record_done(struct evs_record *rec)
{
    evs_free(rec->headers);
    rec->headers = NULL;
    rec->alloc = 0;
}
