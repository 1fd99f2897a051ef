/* The contract of sinks/sink.h over the members of the registry that need no server, and over those
 * whose address is in the environment: EVENTSCOPE_SINKS="postgresql://... redis://...". */
#include "../unit/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/xalloc.h"
#include "sinks/sink.h"

static const char *url; /* of the sink under test */

static struct evs_sink *open_sink(enum evs_view_mode mode, const char *target, const char *id,
                                  bool write, struct evs_shape *shape)
{
    struct evs_err err = EVS_ERR_INIT;
    struct evs_sink *s = NULL;
    *shape = (struct evs_shape){.mode = mode, .topic = "contract", .target = target};
    struct evs_sink_spec spec = {.url = url,
                                 .view = shape,
                                 .id = id,
                                 .plan_hash = "cafe",
                                 .write = write,
                                 .timeout_ms = 10000};
    if (evs_sink_open(&spec, &s, &err))
        fail_msg("%s: %s", url, err.msg);
    return s;
}

static void claim(struct evs_sink *s, enum evs_claim how, struct evs_ckpt *c)
{
    struct evs_err err = EVS_ERR_INIT;
    memset(c, 0, sizeof(*c));
    evs_ckpt_part(c, 0)->n[EVS_CKPT_END] = 1000;
    evs_ckpt_part(c, 1)->n[EVS_CKPT_END] = 1000;
    if (s->ops->prepare && s->ops->prepare(s, &err))
        fail_msg("%s: prepare: %s", url, err.msg);
    if (s->ops->claim(s, how, c, &err))
        fail_msg("%s: claim: %s", url, err.msg);
}

/* A new job at its start. */
static struct evs_sink *begin(enum evs_view_mode mode, const char *target, const char *id,
                              struct evs_shape *shape, struct evs_ckpt *c)
{
    struct evs_sink *s = open_sink(mode, target, id, true, shape);
    claim(s, EVS_CLAIM_NEW, c);
    return s;
}

static struct evs_row row(const char *key, const char *value, int32_t partition, int64_t offset,
                          int64_t ts)
{
    return (struct evs_row){.key = key,
                            .key_len = strlen(key),
                            .value = value,
                            .value_len = value ? strlen(value) : 0,
                            .partition = partition,
                            .offset = offset,
                            .ts_ms = ts,
                            .rank = (ts << 21) + partition,
                            .deleted = !value,
                            .count = 1};
}

static enum evs_rc apply(struct evs_sink *s, const struct evs_row *rows, size_t n, int64_t next,
                         struct evs_sink_done *d, struct evs_err *err)
{
    struct evs_ckpt_part part = {.partition = 0};
    part.n[EVS_CKPT_NEXT] = next;
    part.n[EVS_CKPT_END] = 1000;
    struct evs_sink_batch b = {rows, n, &part, 1};
    return s->ops->apply(s, &b, d, err);
}

struct seen {
    char text[4096];
};

static bool see(void *ctx, const struct evs_row *r)
{
    struct seen *seen = ctx;
    size_t n = strlen(seen->text);
    if (r->deleted)
        return true; /* get may tell of what it knows as deleted */
    snprintf(seen->text + n, sizeof(seen->text) - n, "%.*s=%.*s@%d/%lld;", (int)r->key_len,
             (const char *)r->key, (int)r->value_len, r->value ? (const char *)r->value : "",
             (int)r->partition, (long long)r->offset);
    return true;
}

static void check_get(struct evs_sink *s, const char *key, const char *want)
{
    struct evs_err err = EVS_ERR_INIT;
    struct seen seen = {""};
    struct evs_row k = row(key, "", 0, 0, 0);
    assert_int_equal(s->ops->get(s, &k, 1, see, &seen, &err), EVS_OK);
    if (strcmp(seen.text, want))
        fail_msg("%s: get %s: '%s', wanted '%s'", url, key, seen.text, want);
}

static void latest(const char *target, const char *id)
{
    struct evs_shape shape;
    struct evs_ckpt c;
    struct evs_err err = EVS_ERR_INIT;
    struct evs_sink_done d;
    struct evs_sink *s = begin(EVS_VIEW_LATEST, target, id, &shape, &c);
    struct evs_row first[] = {row("a", "1", 0, 10, 100), row("b", "2", 0, 11, 100),
                              row("c", "3", 0, 12, 100)};
    assert_int_equal(apply(s, first, 3, 13, &d, &err), EVS_OK);
    assert_int_equal(d.written, 3);
    assert_int_equal(apply(s, first, 3, 13, &d, &err), EVS_OK); /* once more is harmless */
    assert_int_equal(d.written, 0);
    assert_int_equal(d.left, 3);
    struct evs_row second[] = {row("a", "older", 0, 9, 90), row("b", NULL, 0, 20, 200),
                               row("c", "other partition, earlier", 1, 99, 50),
                               row("d", "4", 0, 21, 200)};
    assert_int_equal(apply(s, second, 4, 22, &d, &err), EVS_OK);
    assert_int_equal(d.written, 1);
    assert_int_equal(d.deleted, 1);
    struct evs_row third[] = {row("b", "resurrected", 0, 11, 100)};
    assert_int_equal(apply(s, third, 1, 22, &d, &err), EVS_OK);
    assert_int_equal(d.left, 1);
    assert_int_equal(s->ops->finish(s, "stopped", &err), EVS_OK);
    evs_ckpt_done(&c);
    evs_sink_close(s);
    s = open_sink(EVS_VIEW_LATEST, target, id, false, &shape);
    check_get(s, "a", "a=1@0/10;");
    check_get(s, "b", "");
    check_get(s, "c", "c=3@0/12;");
    check_get(s, "d", "d=4@0/21;");
    struct seen all = {""};
    assert_int_equal(s->ops->scan(s, see, &all, &err), EVS_OK);
    assert_int_equal(strlen(all.text), strlen("a=1@0/10;c=3@0/12;d=4@0/21;"));
    struct evs_ckpt have;
    assert_int_equal(s->ops->load(s, &have, &err), EVS_OK);
    assert_string_equal(have.state, "stopped");
    assert_string_equal(have.plan_hash, "cafe");
    assert_int_equal(evs_ckpt_part(&have, 0)->n[EVS_CKPT_NEXT], 22);
    assert_int_equal(evs_ckpt_part(&have, 0)->n[EVS_CKPT_END], 1000);
    assert_int_equal(have.n, 2);
    evs_ckpt_done(&have);
    evs_sink_close(s);
}

static void totals(const char *target, const char *id)
{
    struct evs_shape shape;
    struct evs_ckpt c;
    struct evs_err err = EVS_ERR_INIT;
    struct evs_sink_done d;
    struct evs_sink *s = begin(EVS_VIEW_SUM, target, id, &shape, &c);
    struct evs_row rows[] = {row("g", "", 0, 1, 1)};
    rows[0].sum = "9007199254740993.25";
    assert_int_equal(apply(s, rows, 1, 2, &d, &err), EVS_OK);
    rows[0].sum = "0.75";
    assert_int_equal(apply(s, rows, 1, 3, &d, &err), EVS_OK);
    assert_int_equal(s->ops->finish(s, "done", &err), EVS_OK);
    evs_ckpt_done(&c);
    evs_sink_close(s);
    s = open_sink(EVS_VIEW_SUM, target, id, true, &shape);
    claim(s, EVS_CLAIM_RESTART, &c); /* empties what was counted */
    struct seen none = {""};
    assert_int_equal(s->ops->scan(s, see, &none, &err), EVS_OK);
    assert_string_equal(none.text, "");
    evs_ckpt_done(&c);
    evs_sink_close(s);
}

/* A second process with the id: refused, or the first one is fenced. Never both go on. */
static void one_at_a_time(const char *target, const char *id)
{
    struct evs_shape shape, other;
    struct evs_ckpt c, c2;
    struct evs_err err = EVS_ERR_INIT, err2 = EVS_ERR_INIT;
    struct evs_sink_done d;
    struct evs_sink *a = begin(EVS_VIEW_LATEST, target, id, &shape, &c);
    struct evs_sink *b = open_sink(EVS_VIEW_LATEST, target, id, true, &other);
    memset(&c2, 0, sizeof(c2));
    enum evs_rc rc = b->ops->prepare ? b->ops->prepare(b, &err2) : EVS_OK;
    if (!rc)
        rc = b->ops->claim(b, EVS_CLAIM_RESUME, &c2, &err2);
    struct evs_row rows[] = {row("x", "1", 0, 1, 1)};
    enum evs_rc first = apply(a, rows, 1, 2, &d, &err);
    assert_true((rc == EVS_FATAL) != (first == EVS_FATAL));
    evs_ckpt_done(&c);
    evs_ckpt_done(&c2);
    evs_sink_close(a);
    evs_sink_close(b);
}

static void suite(const char *tag)
{
    char name[3][64];
    for (int i = 0; i < 3; i++)
        snprintf(name[i], sizeof(name[i]), "evs_contract_%s_%d_%d", tag, (int)getpid(), i);
    latest(name[0], name[0]);
    totals(name[1], name[1]);
    one_at_a_time(name[2], name[2]);
}

static void test_files(void **state)
{
    (void)state;
    char folder[] = "/tmp/eventscope-contract-XXXXXX";
    assert_non_null(mkdtemp(folder));
#ifdef HAVE_SQLITE
    char *db = evs_xprintf("sqlite:%s/a.db", folder);
    url = db;
    suite("sqlite");
    evs_free(db);
#endif
    static void (*const parts[])(const char *, const char *) = {latest, totals, one_at_a_time};
    for (int i = 0; i < 3; i++) { /* a file is one view */
        char *path = evs_xprintf("jsonl:%s/%d.jsonl", folder, i), id[16];
        snprintf(id, sizeof(id), "j%d", i);
        url = path;
        parts[i]("", id);
        evs_free(path);
    }
    char *rm = evs_xprintf("rm -rf %s", folder);
    assert_int_equal(system(rm), 0);
    evs_free(rm);
}

static void test_servers(void **state)
{
    (void)state;
    const char *list = getenv("EVENTSCOPE_SINKS");
    assert_non_null(list);
    char *copy = evs_xstrdup(list), *rest = copy;
    for (char *one = strtok_r(copy, " ", &rest); one; one = strtok_r(NULL, " ", &rest)) {
        const struct evs_sink_ops *ops;
        struct evs_err err = EVS_ERR_INIT;
        assert_int_equal(evs_sink_find(one, &ops, &err), EVS_OK);
        url = one;
        suite(ops->name);
    }
    evs_free(copy);
}

static void test_registry(void **state)
{
    (void)state;
    for (const struct evs_sink_ops *const *s = evs_sinks; *s; s++) {
        assert_true((*s)->name && (*s)->help && (*s)->url && (*s)->schemes);
        assert_true((*s)->open && (*s)->info && (*s)->load && (*s)->claim && (*s)->apply);
        assert_true((*s)->beat && (*s)->finish && (*s)->close);
        if ((*s)->caps & EVS_SINK_READ)
            assert_true((*s)->get && (*s)->scan);
        if ((*s)->caps & EVS_SINK_SWAP)
            assert_non_null((*s)->swap);
    }
}

int main(void)
{
    const struct CMUnitTest files[] = {cmocka_unit_test(test_registry),
                                       cmocka_unit_test(test_files)};
    const struct CMUnitTest servers[] = {cmocka_unit_test(test_servers)};
    if (getenv("EVENTSCOPE_SINKS")) /* set by the services suite, which runs the servers */
        return cmocka_run_group_tests(servers, NULL, NULL);
    return cmocka_run_group_tests(files, NULL, NULL);
}
