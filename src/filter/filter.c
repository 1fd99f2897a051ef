#define PCRE2_CODE_UNIT_WIDTH 8
#include "filter/filter.h"

#include <assert.h>
#include <pcre2.h>
#include <stdlib.h>
#include <string.h>

#include "core/glob.h"
#include "core/xalloc.h"
#include "filter/bytes.h"
#include "filter/jq.h"

/* In the order in which they run. */
enum test { TEST_EXACT, TEST_GLOB, TEST_REGEX, TEST_GREP, TEST_HEADER, TEST_JQ };

struct term {
    enum test test;
    bool invert, ignore_case;
    enum evs_filter_kind kind;
    char *source;
    const char *pattern;          /* inside source: behind re: or = */
    size_t pattern_len, name_len; /* name_len: of a header */
    bool any_value;
    struct evs_bytes bytes;
    pcre2_code *code;
    struct evs_jq *jq;
};

struct evs_filter {
    struct term *terms;
    size_t n;
    pcre2_match_context *limits;
    pcre2_match_data *found;
    uint64_t faults;
};

/* A pattern that backtracks without end gives up here; one record takes at most some milliseconds.
 * */
enum { MATCH_LIMIT = 200000, DEPTH_LIMIT = 10000, HEAP_LIMIT_KIB = 4096 };

static enum evs_rc compile_regex(struct term *t, struct evs_err *err)
{
    int code;
    PCRE2_SIZE at;
    uint32_t how = PCRE2_UTF | PCRE2_MATCH_INVALID_UTF | PCRE2_NEVER_BACKSLASH_C |
                   (t->ignore_case ? PCRE2_CASELESS : 0);
    t->code = pcre2_compile((PCRE2_SPTR)t->pattern, t->pattern_len, how, &code, &at, NULL);
    if (t->code) {
        pcre2_jit_compile(t->code, PCRE2_JIT_COMPLETE); /* without JIT it is only slower */
        return EVS_OK;
    }
    PCRE2_UCHAR why[160];
    pcre2_get_error_message(code, why, sizeof(why));
    return evs_fail(err, EVS_INVALID, "key re:%s: at %zu: %s", t->pattern, (size_t)at, (char *)why);
}

static enum evs_rc compile_key(struct term *t, struct evs_err *err)
{
    const char *s = t->source;
    bool exact = *s == '=', regex = !strncmp(s, "re:", 3);
    t->pattern = s + (exact ? 1 : regex ? 3 : 0);
    t->pattern_len = strlen(t->pattern);
    if (regex) {
        t->test = TEST_REGEX;
        return compile_regex(t, err);
    }
    bool plain = exact || evs_glob_is_plain(t->pattern, t->pattern_len);
    t->test = plain && !t->ignore_case ? TEST_EXACT : TEST_GLOB;
    if (plain && t->ignore_case)
        evs_bytes_init(&t->bytes, t->pattern, t->pattern_len, true);
    return EVS_OK;
}

static enum evs_rc compile_header(struct term *t, struct evs_err *err)
{
    t->test = TEST_HEADER;
    t->name_len = strcspn(t->source, "=");
    t->any_value = !t->source[t->name_len];
    t->pattern = t->source + t->name_len + !t->any_value;
    t->pattern_len = strlen(t->pattern);
    if (!t->name_len)
        return evs_fail(err, EVS_INVALID, "header '%s': a name is missing", t->source);
    return EVS_OK;
}

static enum evs_rc compile(struct term *t, struct evs_err *err)
{
    switch (t->kind) {
    case EVS_FILTER_KEY: return compile_key(t, err);
    case EVS_FILTER_HEADER: return compile_header(t, err);
    case EVS_FILTER_JQ: t->test = TEST_JQ; return evs_jq_new(t->source, &t->jq, err);
    default: break;
    }
    t->test = TEST_GREP;
    if (!*t->source)
        return evs_fail(err, EVS_INVALID, "grep: the text to find is empty");
    evs_bytes_init(&t->bytes, t->source, strlen(t->source), t->ignore_case);
    return EVS_OK;
}

static int cheaper(const void *a, const void *b)
{
    const struct term *x = a, *y = b;
    return (x->test > y->test) - (x->test < y->test);
}

enum evs_rc evs_filter_new(const struct evs_filter_term *terms, size_t n, struct evs_filter **ret_f,
                           struct evs_err *err)
{
    struct evs_filter *f = evs_xcalloc(1, sizeof(*f));
    f->terms = evs_xcalloc(n ? n : 1, sizeof(*f->terms));
    for (size_t i = 0; i < n; i++) {
        struct term *t = &f->terms[f->n++];
        t->kind = terms[i].kind;
        t->invert = terms[i].invert;
        t->ignore_case = terms[i].ignore_case;
        t->source = evs_xstrdup(terms[i].text);
        if (compile(t, err)) {
            evs_filter_free(f);
            return err->code;
        }
    }
    qsort(f->terms, f->n, sizeof(*f->terms), cheaper);
    f->limits = pcre2_match_context_create(NULL);
    f->found = pcre2_match_data_create(1, NULL);
    assert(f->limits && f->found);
    pcre2_set_match_limit(f->limits, MATCH_LIMIT);
    pcre2_set_depth_limit(f->limits, DEPTH_LIMIT);
    pcre2_set_heap_limit(f->limits, HEAP_LIMIT_KIB);
    *ret_f = f;
    return EVS_OK;
}

struct evs_filter *evs_filter_clone(const struct evs_filter *f)
{
    if (!f)
        return NULL;
    struct evs_filter_term *terms = evs_xcalloc(f->n ? f->n : 1, sizeof(*terms));
    for (size_t i = 0; i < f->n; i++)
        terms[i] = (struct evs_filter_term){f->terms[i].kind, f->terms[i].source,
                                            f->terms[i].invert, f->terms[i].ignore_case};
    struct evs_err err = EVS_ERR_INIT;
    struct evs_filter *copy = NULL;
    enum evs_rc rc = evs_filter_new(terms, f->n, &copy, &err);
    evs_free(terms);
    assert(!rc && copy); /* it compiled before */
    return rc ? NULL : copy;
}

void evs_filter_free(struct evs_filter *f)
{
    if (!f)
        return;
    for (size_t i = 0; i < f->n; i++) {
        evs_bytes_done(&f->terms[i].bytes);
        pcre2_code_free(f->terms[i].code);
        evs_jq_free(f->terms[i].jq);
        evs_free(f->terms[i].source);
    }
    pcre2_match_context_free(f->limits);
    pcre2_match_data_free(f->found);
    evs_free(f->terms);
    evs_free(f);
}

static bool regex_hits(struct evs_filter *f, const struct term *t, const void *p, size_t n)
{
    int rc = pcre2_match(t->code, p, n, 0, 0, f->found, f->limits);
    if (rc < 0 && rc != PCRE2_ERROR_NOMATCH)
        f->faults++;
    return rc >= 0;
}

static bool header_hits(const struct term *t, struct evs_event *ev)
{
    int n = evs_event_headers(ev);
    for (int i = 0; i < n; i++) {
        const struct evs_header *h = &ev->headers[i];
        if (h->name_len != t->name_len || memcmp(h->name, t->source, t->name_len))
            continue;
        if (t->any_value || (h->value && evs_glob_match(t->pattern, t->pattern_len, h->value,
                                                        h->value_len, t->ignore_case)))
            return true;
    }
    return false;
}

static bool jq_hits(struct evs_filter *f, const struct term *t, struct evs_event *ev,
                    bool *ret_failed)
{
    bool hit = evs_jq_keeps(t->jq, ev, ret_failed);
    f->faults += *ret_failed;
    return hit;
}

static bool hits(struct evs_filter *f, const struct term *t, struct evs_event *ev, bool *ret_failed)
{
    switch (t->test) {
    case TEST_EXACT:
        return ev->key && ev->key_len == t->pattern_len &&
               !memcmp(ev->key, t->pattern, t->pattern_len);
    case TEST_GLOB:
        if (t->bytes.needle)
            return ev->key_len == t->pattern_len && evs_bytes_in(&t->bytes, ev->key, ev->key_len);
        return ev->key &&
               evs_glob_match(t->pattern, t->pattern_len, ev->key, ev->key_len, t->ignore_case);
    case TEST_REGEX: return ev->key && regex_hits(f, t, ev->key, ev->key_len);
    case TEST_GREP:
        return evs_bytes_in(&t->bytes, ev->value, ev->value_len) ||
               evs_bytes_in(&t->bytes, ev->key, ev->key_len);
    case TEST_HEADER: return header_hits(t, ev);
    default: return jq_hits(f, t, ev, ret_failed);
    }
}

bool evs_filter_keeps(struct evs_filter *f, struct evs_event *ev)
{
    if (!f)
        return true;
    for (size_t i = 0; i < f->n; i++) {
        bool failed = false; /* what jq cannot judge is not kept, inverted or not */
        bool hit = hits(f, &f->terms[i], ev, &failed);
        if (failed || hit == f->terms[i].invert)
            return false;
    }
    return true;
}

uint64_t evs_filter_faults(const struct evs_filter *f)
{
    return f ? f->faults : 0;
}

const char *evs_filter_exact_key(const struct evs_filter *f, size_t *ret_len)
{
    for (size_t i = 0; f && i < f->n; i++)
        if (f->terms[i].test == TEST_EXACT && !f->terms[i].invert) {
            *ret_len = f->terms[i].pattern_len;
            return f->terms[i].pattern;
        }
    return NULL;
}
