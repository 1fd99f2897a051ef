#include "filter/jq.h"

#include "core/thread.h"

static struct evs_stop *the_stop;
static int64_t the_limit_ms = 10000;

void evs_jq_limits(struct evs_stop *stop, int64_t limit_ms)
{
    the_stop = stop;
    the_limit_ms = limit_ms;
}

#ifdef HAVE_JQ
#include <jq.h>
#include <stdio.h>
#include <string.h>

#include "core/clock.h"
#include "core/text.h"
#include "core/xalloc.h"
#include "decode/decoder.h"

enum { LOOK_MS = 50, GIVE_UP = 3 };
enum phase { IDLE, RUNNING, HALTING, HALTED };

struct evs_jq {
    jq_state *state;
    struct evs_buf text; /* scratch for decoding */
    char said[256];      /* jq's first complaint */
    struct evs_thread *guard;
    struct evs_stop over; /* for the guard */
    struct evs_stop *stop;
    int64_t limit_ms;
    atomic_int phase;
    _Atomic int64_t began_us;
    int endless; /* records on which it was halted for the time it took */
};

/* --- the guard --- */

static bool stopped(const struct evs_jq *jq)
{
    return jq->stop && evs_stop_raised(jq->stop);
}

static void guard(void *arg)
{
    struct evs_jq *jq = arg;
    while (!evs_stop_wait(&jq->over, LOOK_MS)) {
        int64_t began_us = atomic_load(&jq->began_us);
        bool late = evs_clock_mono_us() - began_us > jq->limit_ms * 1000;
        int running = RUNNING;
        if (atomic_load(&jq->phase) != RUNNING || !(late || stopped(jq)) ||
            atomic_load(&jq->began_us) != began_us ||
            !atomic_compare_exchange_strong(&jq->phase, &running, HALTING))
            continue;
        /* jq looks at this before each of its steps; no evaluation begins or ends meanwhile. */
        jq_halt(jq->state, jv_invalid(), jv_invalid());
        atomic_store(&jq->phase, HALTED);
    }
}

static void begin(struct evs_jq *jq)
{
    atomic_store(&jq->began_us, evs_clock_mono_us());
    atomic_store(&jq->phase, RUNNING);
}

/* True when the guard ended it. */
static bool end(struct evs_jq *jq)
{
    int running = RUNNING;
    if (atomic_compare_exchange_strong(&jq->phase, &running, IDLE))
        return false;
    while (atomic_load(&jq->phase) == HALTING)
        ; /* a few instructions of the guard */
    atomic_store(&jq->phase, IDLE);
    return true;
}

static void say_endless(struct evs_jq *jq)
{
    snprintf(jq->said, sizeof(jq->said),
             jq->endless < GIVE_UP ? "no result within %lld s"
                                   : "given up: no result within %lld s, three times",
             (long long)(jq->limit_ms / 1000));
}

static void hear(void *data, jv msg)
{
    struct evs_jq *jq = data;
    if (!jq->said[0] && jv_get_kind(msg) == JV_KIND_STRING) {
        const char *s = jv_string_value(msg);
        size_t skip = strncmp(s, "jq: error: ", 11) ? 0 : 11;
        snprintf(jq->said, sizeof(jq->said), "%.*s", (int)strcspn(s + skip, "\n"), s + skip);
    }
    jv_free(msg);
}

enum evs_rc evs_jq_new(const char *expr, struct evs_jq **ret_jq, struct evs_err *err)
{
    struct evs_jq *jq = evs_xcalloc(1, sizeof(*jq));
    jq->text = (struct evs_buf)EVS_BUF_INIT((size_t)1 << 30);
    jq->state = jq_init();
    if (!jq->state) {
        evs_free(jq);
        return evs_fail(err, EVS_FATAL, "jq: cannot start");
    }
    jq_set_error_cb(jq->state, hear, jq);
    jq->stop = the_stop;
    jq->limit_ms = the_limit_ms;
    enum evs_rc rc = evs_stop_init(&jq->over, err);
    if (rc) {
        jq_teardown(&jq->state);
        evs_free(jq);
        return rc;
    }
    if (!jq_compile(jq->state, expr))
        rc = evs_fail(err, EVS_INVALID, "jq '%s': %s", expr,
                      jq->said[0] ? jq->said : "does not compile");
    if (!rc)
        rc = evs_thread_start("evs-jq", guard, jq, &jq->guard, err);
    if (rc) {
        evs_jq_free(jq);
        return rc;
    }
    *ret_jq = jq;
    return EVS_OK;
}

void evs_jq_free(struct evs_jq *jq)
{
    if (!jq)
        return;
    evs_stop_raise(&jq->over);
    evs_thread_join(jq->guard);
    evs_stop_done(&jq->over);
    jq_teardown(&jq->state);
    evs_buf_done(&jq->text);
    evs_free(jq);
}

static jv decoded(struct evs_jq *jq, const void *p, size_t n, bool scalars)
{
    if (!p)
        return jv_null();
    struct evs_decoded d;
    evs_buf_reset(&jq->text);
    jq->text.over = false;
    evs_decode(NULL, p, n, &jq->text, &d);
    const char *s = evs_buf_str(&jq->text);
    bool same = jq->text.len == n && !memcmp(s, p, n); /* text, not a number read from bytes */
    if (d.decoder->is_json && (scalars || !same || *s == '{' || *s == '[')) {
        jv v = jv_parse_sized(s, (int)jq->text.len);
        if (jv_is_valid(v))
            return v;
        jv_free(v);
        return jv_null();
    }
    if (!strcmp(d.decoder->name, "hex"))
        return jv_null();
    return jv_string_sized(s, (int)jq->text.len);
}

static jv header_map(struct evs_event *ev)
{
    jv map = jv_object();
    int n = evs_event_headers(ev);
    for (int i = 0; i < n; i++) {
        const struct evs_header *h = &ev->headers[i];
        jv value = !h->value ? jv_null() : jv_string_sized(h->value, (int)h->value_len);
        map = jv_object_set(map, jv_string_sized(h->name, (int)h->name_len), value);
    }
    return map;
}

static jv envelope(struct evs_jq *jq, struct evs_event *ev)
{
    jv o = jv_object();
    o = jv_object_set(o, jv_string("topic"), jv_string(ev->topic));
    o = jv_object_set(o, jv_string("partition"), jv_number(ev->partition));
    o = jv_object_set(o, jv_string("offset"), jv_number((double)ev->offset));
    o = jv_object_set(o, jv_string("timestamp"), jv_number((double)ev->ts_ms));
    o = jv_object_set(o, jv_string("key"), decoded(jq, ev->key, ev->key_len, false));
    o = jv_object_set(o, jv_string("value"), decoded(jq, ev->value, ev->value_len, true));
    return jv_object_set(o, jv_string("headers"), header_map(ev));
}

/* The first result, or an invalid jv; *ret_failed tells "failed" from "no result". */
static jv first_result(struct evs_jq *jq, jv input, bool *ret_failed)
{
    jq->said[0] = '\0';
    *ret_failed = true;
    if (stopped(jq) || jq->endless >= GIVE_UP) {
        jv_free(input);
        say_endless(jq);
        return jv_invalid();
    }
    jq_start(jq->state, input, 0); /* forgets an earlier halt */
    begin(jq);
    jv result = jq_next(jq->state);
    if (end(jq) && !jv_is_valid(result)) {
        jq->endless += stopped(jq) ? 0 : 1;
        jv_free(result);
        say_endless(jq);
        return jv_invalid();
    }
    *ret_failed = false;
    if (!jv_is_valid(result) && jv_invalid_has_msg(jv_copy(result))) {
        *ret_failed = true;
        hear(jq, jv_invalid_get_msg(result));
        return jv_invalid();
    }
    return result;
}

bool evs_jq_keeps(struct evs_jq *jq, struct evs_event *ev, bool *ret_failed)
{
    jv result = first_result(jq, envelope(jq, ev), ret_failed);
    jv_kind kind = jv_get_kind(result);
    jv_free(result);
    return kind != JV_KIND_INVALID && kind != JV_KIND_FALSE && kind != JV_KIND_NULL;
}

static enum evs_rc eval(struct evs_jq *jq, jv input, struct evs_buf *out, struct evs_err *err)
{
    bool failed;
    jv result = first_result(jq, input, &failed);
    if (failed)
        return evs_fail(err, EVS_POISON, "jq: %s", jq->said[0] ? jq->said : "failed");
    if (!jv_is_valid(result)) {
        jv_free(result);
        return EVS_OK;
    }
    begin(jq);
    jv another = jq_next(jq->state);
    bool late = end(jq), more = jv_is_valid(another);
    jv_free(another);
    if (more || late) {
        jv_free(result);
        return evs_fail(err, EVS_POISON,
                        "jq: gives several results where one is wanted: first(...)"
                        " takes one, [...] makes an array of them");
    }
    jv text = jv_dump_string(result, 0);
    evs_buf_add(out, jv_string_value(text), (size_t)jv_string_length_bytes(jv_copy(text)));
    jv_free(text);
    return EVS_OK;
}

enum evs_rc evs_jq_eval(struct evs_jq *jq, struct evs_event *ev, struct evs_buf *out,
                        struct evs_err *err)
{
    return eval(jq, envelope(jq, ev), out, err);
}

enum evs_rc evs_jq_eval_json(struct evs_jq *jq, const void *json, size_t n, struct evs_buf *out,
                             struct evs_err *err)
{
    jv input = n > INT32_MAX ? jv_invalid() : jv_parse_sized(json, (int)n);
    if (!jv_is_valid(input)) {
        jv_free(input);
        return evs_fail(err, EVS_POISON, "jq: the input is not JSON");
    }
    return eval(jq, input, out, err);
}

bool evs_jq_available(void)
{
    return true;
}

#else

enum evs_rc evs_jq_new(const char *expr, struct evs_jq **ret_jq, struct evs_err *err)
{
    (void)expr;
    (void)ret_jq;
    evs_fail(err, EVS_INVALID, "this eventscope was built without libjq: no jq expressions");
    return evs_hint(err, "install libjq-dev and run ./configure again");
}

void evs_jq_free(struct evs_jq *jq)
{
    (void)jq;
}

bool evs_jq_keeps(struct evs_jq *jq, struct evs_event *ev, bool *ret_failed)
{
    (void)jq;
    (void)ev;
    *ret_failed = true;
    return false;
}

enum evs_rc evs_jq_eval(struct evs_jq *jq, struct evs_event *ev, struct evs_buf *out,
                        struct evs_err *err)
{
    (void)ev;
    return evs_jq_eval_json(jq, NULL, 0, out, err);
}

enum evs_rc evs_jq_eval_json(struct evs_jq *jq, const void *json, size_t n, struct evs_buf *out,
                             struct evs_err *err)
{
    (void)jq;
    (void)json;
    (void)n;
    (void)out;
    return evs_fail(err, EVS_FATAL, "built without libjq");
}

bool evs_jq_available(void)
{
    return false;
}
#endif
