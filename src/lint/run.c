#include "lint/run.h"

#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/glob.h"
#include "core/thread.h"
#include "core/xalloc.h"
#include "decode/kind.h"
#include "kafka/client.h"
#include "kafka/configs.h"
#include "kafka/meta.h"
#include "kafka/range.h"
#include "kafka/reader.h"
#include "keys/keyset.h"

enum { RULES_MAX = 32, KEY_MEMORY = 64 << 20, FLOOR = 20, KIND_LEN = 96 };
enum { CONFIGS_AT_ONCE = 200, PUBLISH_US = 100 * 1000 };

struct active {
    const struct evs_lint_rule *rule;
    void *shared, *state;
    bool begun;
};

struct evs_lint {
    struct evs_client *client;
    char **globs;
    size_t n_globs;
    int64_t sample;
    bool full;
    struct evs_slot *slot;
    struct evs_stop stop;
    struct evs_thread *thread;
    /* the thread's */
    struct active rules[RULES_MAX];
    int n_rules;
    struct evs_lint_out out;
    struct evs_lint_skipped *skipped;
    size_t n_skipped, topics, topics_all;
    int64_t messages, start_us, published_us, loop_us;
    const char *doing;
    struct evs_meta *meta;
    struct evs_err err;
    /* of the topic being read */
    struct evs_lint_topic topic;
    struct evs_keytab *table;
    struct evs_json_tree tree;
    bool older, *started; /* started: the window of a partition has begun */
    int64_t first_ts, last_ts, newer;
};

/* --- snapshots -------------------------------------------------------------------------------- */

static void free_finding(struct evs_lint_finding *f)
{
    evs_free(f->topic);
    evs_free(f->text);
    evs_free(f->evidence);
    evs_free(f->advice);
}

static void free_sn(struct evs_snap *snap)
{
    struct evs_lint_sn *sn = (void *)snap;
    for (size_t i = 0; i < sn->n; i++)
        free_finding(&sn->findings[i]);
    for (size_t i = 0; i < sn->n_skipped; i++) {
        evs_free(sn->skipped[i].what);
        evs_free(sn->skipped[i].why);
    }
    evs_free(sn->findings);
    evs_free(sn->skipped);
    evs_free(sn);
}

static int worst_first(const void *a, const void *b)
{
    const struct evs_lint_finding *x = a, *y = b;
    if (x->severity != y->severity)
        return x->severity > y->severity ? -1 : 1;
    int by = strcmp(x->rule, y->rule);
    return by ? by : strcmp(x->topic, y->topic);
}

/* A copy of all findings: not after each of ten thousand topics. */
static bool due(const struct evs_lint *l)
{
    return evs_clock_mono_us() - l->published_us >= PUBLISH_US;
}

static void publish(struct evs_lint *l, bool done)
{
    l->published_us = evs_clock_mono_us();
    struct evs_lint_sn *sn = evs_xcalloc(1, sizeof(*sn));
    evs_snap_init(&sn->snap, free_sn);
    sn->n = l->out.n;
    sn->findings = evs_xcalloc(sn->n + 1, sizeof(*sn->findings));
    for (size_t i = 0; i < sn->n; i++) {
        const struct evs_lint_finding *f = &l->out.list[i];
        sn->findings[i] = *f;
        sn->findings[i].topic = evs_xstrdup(f->topic);
        sn->findings[i].text = evs_xstrdup(f->text);
        sn->findings[i].evidence = evs_xstrdup(f->evidence);
        sn->findings[i].advice = evs_xstrdup(f->advice);
    }
    if (sn->n)
        qsort(sn->findings, sn->n, sizeof(*sn->findings), worst_first);
    sn->n_skipped = l->n_skipped;
    sn->skipped = evs_xcalloc(sn->n_skipped + 1, sizeof(*sn->skipped));
    for (size_t i = 0; i < sn->n_skipped; i++)
        sn->skipped[i] = (struct evs_lint_skipped){evs_xstrdup(l->skipped[i].what),
                                                   evs_xstrdup(l->skipped[i].why)};
    sn->topics = l->topics;
    sn->topics_all = l->topics_all;
    sn->messages = l->messages;
    sn->rules = l->n_rules;
    sn->doing = l->doing;
    sn->checking_s = l->loop_us ? (double)(l->published_us - l->loop_us) / 1e6 : 0;
    sn->seconds = (double)(evs_clock_mono_us() - l->start_us) / 1e6;
    sn->err = l->err;
    sn->done = done;
    sn->complete = done && !l->n_skipped && !l->err.msg[0] && !evs_stop_raised(&l->stop);
    evs_slot_publish(l->slot, &sn->snap);
}

static void skip(struct evs_lint *l, const char *what, const char *why)
{
    l->skipped = evs_xgrow(l->skipped, l->n_skipped + 1, sizeof(*l->skipped));
    l->skipped[l->n_skipped++] = (struct evs_lint_skipped){evs_xstrdup(what), evs_xstrdup(why)};
}

/* --- records ---------------------------------------------------------------------------------- */

static bool on_event(void *ctx, int worker, struct evs_event *ev)
{
    struct evs_lint *l = ctx;
    struct evs_err err = EVS_ERR_INIT;
    char kind[KIND_LEN];
    (void)worker;
    if (evs_stop_raised(&l->stop) || ev->partition >= l->topic.self->n_partitions)
        return false;
    struct evs_key_rec rec = {ev->key,       ev->key_len, ev->value_len, !ev->value,
                              ev->partition, ev->offset,  ev->ts_ms};
    evs_keytab_add(l->table, &rec);
    l->topic.seen++;
    const char *value = ev->value;
    bool json = value && ev->value_len && (*value == '{' || *value == '[') &&
                !evs_json_tree_read(&l->tree, value, ev->value_len, &err);
    evs_event_headers(ev);
    evs_event_kind_of(ev, json ? &l->tree : NULL, kind, sizeof(kind));
    struct evs_lint_event e = {ev, json ? &l->tree : NULL, kind, l->older,
                               !l->started[ev->partition]};
    l->started[ev->partition] = true;
    if (!l->older && ev->ts_ms >= 0) {
        l->first_ts = !l->newer || ev->ts_ms < l->first_ts ? ev->ts_ms : l->first_ts;
        l->last_ts = !l->newer || ev->ts_ms > l->last_ts ? ev->ts_ms : l->last_ts;
        l->newer++;
    }
    for (int i = 0; i < l->n_rules; i++)
        if (l->rules[i].rule->event && l->rules[i].begun)
            l->rules[i].rule->event(l->rules[i].state, &e);
    return true;
}

static enum evs_rc read_window(struct evs_lint *l, const struct evs_ranges *ranges, bool older,
                               struct evs_err *err)
{
    static const struct evs_reader_ops ops = {.event = on_event};
    struct evs_reader_opts ro = {.profile = EVS_READER_SCAN, .workers = 1};
    struct evs_reader *r = NULL;
    l->older = older;
    memset(l->started, 0, (size_t)l->topic.self->n_partitions);
    enum evs_rc rc = evs_reader_start(l->client, ranges, &ro, &ops, l, &r, err);
    if (rc)
        return rc;
    while ((rc = evs_reader_wait(r, 50, err)) == EVS_AGAIN)
        if (evs_stop_raised(&l->stop))
            evs_reader_stop(r);
    evs_reader_free(r);
    return rc == EVS_EOF ? EVS_OK : rc;
}

/* Halves of each partition's share from its two ends; a small one is read whole, its halves meet.
 * */
static enum evs_rc read_topic(struct evs_lint *l, const struct evs_ranges *all, struct evs_err *err)
{
    struct evs_ranges *old = evs_ranges_copy(all), *new = evs_ranges_copy(all);
    double share = l->topic.messages > l->sample && !l->full
                       ? (double)l->sample / (double)l->topic.messages
                       : 1;
    for (size_t i = 0; i < all->n; i++) {
        int64_t span = all->parts[i].to - all->parts[i].from;
        int64_t take = share < 1 ? (int64_t)((double)span * share) : span;
        take = take < FLOOR ? FLOOR : take;
        take = take > span ? span : take;
        old->parts[i].to = old->parts[i].from + take / 2;
        new->parts[i].from = new->parts[i].to - (take - take / 2);
    }
    enum evs_rc rc = read_window(l, old, true, err);
    if (!rc)
        rc = read_window(l, new, false, err);
    evs_ranges_free(old);
    evs_ranges_free(new);
    l->topic.whole = share >= 1;
    return rc;
}

/* --- one topic -------------------------------------------------------------------------------- */

static bool needs_records(const struct evs_lint *l)
{
    for (int i = 0; i < l->n_rules; i++)
        if (l->rules[i].rule->records)
            return true;
    return false;
}

static void judge_all(struct evs_lint *l, bool have_records)
{
    struct evs_keyset *keys = have_records ? evs_keyset_new(&l->table, 1, 0) : NULL;
    l->topic.keys = keys;
    l->topic.report =
        keys && l->topic.seen ? evs_report_new(keys, l->topic.now_ms, !l->topic.whole) : NULL;
    double seconds = (double)(l->last_ts - l->first_ts) / 1000;
    l->topic.rate = l->newer > 1 && seconds > 0.1 ? (double)l->newer / seconds : -1;
    l->out.topic = &l->topic;
    for (int i = 0; i < l->n_rules; i++) {
        const struct evs_lint_rule *rule = l->rules[i].rule;
        l->out.rule = rule->name;
        if (l->rules[i].begun && (have_records || !rule->records))
            rule->judge(l->rules[i].state, &l->topic, &l->out);
    }
    evs_report_free((struct evs_report *)(uintptr_t)l->topic.report);
    evs_keyset_free(keys);
    l->topic.report = NULL;
    l->topic.keys = NULL;
}

static void check_topic(struct evs_lint *l, const struct evs_meta_topic *self,
                        const struct evs_topic_config *config)
{
    struct evs_err err = EVS_ERR_INIT;
    struct evs_range_spec spec = {.isolation = EVS_READ_COMMITTED};
    struct evs_ranges *ranges = NULL;
    l->topic = (struct evs_lint_topic){.name = self->name,
                                       .meta = l->meta,
                                       .self = self,
                                       .config = config->error ? NULL : config,
                                       .now_ms = evs_clock_wall_ms()};
    l->newer = 0;
    l->started = evs_xcalloc((size_t)self->n_partitions + 1, sizeof(*l->started));
    l->table = evs_keytab_new(self->n_partitions > 0 ? self->n_partitions : 1, KEY_MEMORY, 64, 1);
    for (int i = 0; i < l->n_rules; i++)
        if (l->rules[i].begun && l->rules[i].rule->open)
            l->rules[i].state = l->rules[i].rule->open(&l->topic, l->rules[i].shared);
    enum evs_rc rc = EVS_OK;
    if (needs_records(l)) {
        rc = self->error ? evs_fail(&err, EVS_FATAL, "%s", self->error)
                         : evs_range_resolve(l->client, self->name, &spec, &ranges, &err);
        if (!rc) {
            l->topic.messages = evs_ranges_span(ranges);
            rc = read_topic(l, ranges, &err);
        }
    }
    if (rc)
        skip(l, self->name, err.msg);
    judge_all(l, !rc && needs_records(l));
    for (int i = 0; i < l->n_rules; i++)
        if (l->rules[i].begun && l->rules[i].rule->close)
            l->rules[i].rule->close(l->rules[i].state);
    l->messages += l->topic.seen;
    l->topics += !rc;
    evs_ranges_free(ranges);
    evs_keytab_free(l->table);
    evs_free(l->started);
    l->table = NULL;
    l->started = NULL;
}

static bool is_wanted(const struct evs_lint *l, const struct evs_meta_topic *t)
{
    bool hit = !l->n_globs && !t->internal && strncmp(t->name, "__", 2) != 0;
    for (size_t i = 0; i < l->n_globs; i++)
        hit |= evs_glob_match(l->globs[i], strlen(l->globs[i]), t->name, strlen(t->name), false);
    return hit;
}

/* --- the run ---------------------------------------------------------------------------------- */

static void begin_rules(struct evs_lint *l)
{
    for (int i = 0; i < l->n_rules; i++) {
        struct active *a = &l->rules[i];
        struct evs_err err = EVS_ERR_INIT;
        a->begun = !a->rule->begin || !a->rule->begin(l->client, &l->stop, &a->shared, &err);
        if (!a->begun)
            skip(l, a->rule->name, err.msg);
    }
}

/* Topics whose settings nobody told: one word for all, and which rules it is about. */
static void skip_unset(struct evs_lint *l, const struct evs_topic_config *configs, size_t n)
{
    EVS_AUTO(evs_buf) struct evs_buf what = EVS_BUF_INIT(8192);
    size_t unknown = 0;
    const struct evs_topic_config *first = NULL;
    for (size_t i = 0; i < n; i++)
        if (configs[i].error && !unknown++)
            first = &configs[i];
    if (!unknown)
        return;
    if (unknown == 1)
        evs_buf_printf(&what, "settings of %s", first->topic);
    else
        evs_buf_printf(&what, "settings of %zu topics, %s the first", unknown, first->topic);
    const char *before = ", for ";
    for (int i = 0; i < l->n_rules; i++)
        if (l->rules[i].begun && l->rules[i].rule->settings) {
            evs_buf_printf(&what, "%s%s", before, l->rules[i].rule->name);
            before = " and ";
        }
    if (!strcmp(before, " and "))
        skip(l, evs_buf_str(&what), first->error);
}

static void check_topics(struct evs_lint *l)
{
    size_t n = 0;
    const struct evs_meta_topic **wanted =
        evs_xcalloc((size_t)l->meta->n_topics + 1, sizeof(*wanted));
    struct evs_topic_config *configs = evs_xcalloc((size_t)l->meta->n_topics + 1, sizeof(*configs));
    for (int i = 0; i < l->meta->n_topics; i++)
        if (is_wanted(l, &l->meta->topics[i])) {
            configs[n].topic = l->meta->topics[i].name;
            wanted[n++] = &l->meta->topics[i];
        }
    l->topics_all = n;
    l->doing = "reading what the groups committed";
    publish(l, false);
    begin_rules(l);
    l->doing = NULL;
    l->loop_us = evs_clock_mono_us();
    size_t known = 0;
    for (size_t i = 0; i < n && !evs_stop_raised(&l->stop); i++) {
        if (i == known) {
            size_t some = n - i < CONFIGS_AT_ONCE ? n - i : CONFIGS_AT_ONCE;
            struct evs_err err = EVS_ERR_INIT;
            bool good = !evs_topic_configs(l->client, configs + i, some, &err);
            for (known += some; !good && some--;)
                configs[i + some].error = evs_xstrdup(err.msg);
        }
        check_topic(l, wanted[i], &configs[i]);
        if (due(l))
            publish(l, false);
    }
    skip_unset(l, configs, known);
    evs_topic_configs_done(configs, known);
    evs_free(configs);
    evs_free(wanted);
}

static void run(void *arg)
{
    struct evs_lint *l = arg;
    l->start_us = evs_clock_mono_us();
    if (!evs_meta_fetch(l->client, NULL, &l->meta, &l->err))
        check_topics(l);
    publish(l, true);
    for (int i = 0; i < l->n_rules; i++)
        if (l->rules[i].begun && l->rules[i].rule->end && l->rules[i].shared)
            l->rules[i].rule->end(l->rules[i].shared);
}

enum evs_rc evs_lint_open(struct evs_client *c, const struct evs_lint_opts *opts,
                          const struct evs_wake *wake, struct evs_lint **ret_l, struct evs_err *err)
{
    struct evs_lint *l = evs_xcalloc(1, sizeof(*l));
    l->client = c;
    l->globs = evs_xtexts(opts->globs, opts->n_globs);
    l->n_globs = opts->n_globs;
    l->sample = opts->sample > 0 ? opts->sample : EVS_LINT_SAMPLE;
    l->full = opts->full;
    for (const struct evs_lint_rule *const *r = evs_lint_rules; *r; r++) {
        bool wanted = !opts->n_rules;
        for (size_t i = 0; i < opts->n_rules; i++)
            wanted |= !strcmp(opts->rules[i], (*r)->name);
        if (wanted)
            l->rules[l->n_rules++].rule = *r;
    }
    l->slot = evs_slot_new(wake);
    if (evs_stop_init(&l->stop, err) || evs_thread_start("evs-lint", run, l, &l->thread, err)) {
        evs_lint_free(l);
        return err->code;
    }
    *ret_l = l;
    return EVS_OK;
}

struct evs_lint_sn *evs_lint_take(struct evs_lint *l, uint64_t than)
{
    return (void *)evs_slot_take(l->slot, than);
}

void evs_lint_stop(struct evs_lint *l)
{
    evs_stop_raise(&l->stop);
}

void evs_lint_free(struct evs_lint *l)
{
    if (!l)
        return;
    evs_stop_raise(&l->stop);
    evs_thread_join(l->thread);
    for (size_t i = 0; i < l->out.n; i++)
        free_finding(&l->out.list[i]);
    for (size_t i = 0; i < l->n_skipped; i++) {
        evs_free(l->skipped[i].what);
        evs_free(l->skipped[i].why);
    }
    evs_free(l->out.list);
    evs_free(l->skipped);
    evs_free_texts(l->globs, l->n_globs);
    evs_json_tree_done(&l->tree);
    evs_meta_free(l->meta);
    evs_slot_free(l->slot);
    evs_stop_done(&l->stop);
    evs_free(l);
}
