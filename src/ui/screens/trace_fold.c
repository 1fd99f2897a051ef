/* trace_fold.c - folding a trace off the UI thread; the state of one step; its difference by
 * lines. */
#include <stdio.h>
#include <string.h>

#include "core/thread.h"
#include "decode/kind.h"
#include "ui/screens/trace_int.h"

enum { TEXT_CAP = 64 << 20, LINES_MAX = 600 };

void evs_trace_unhold(struct trace_hold *h)
{
    if (!h || atomic_fetch_sub(&h->refs, 1) != 1)
        return;
    evs_trace_free(h->run);
    evs_free(h);
}

/* --- all steps -------------------------------------------------------------------------------- */

struct work {
    struct trace_hold *hold;
    struct evs_trace_sn *sn;
    enum evs_fold_rule rule;
    char *map; /* NULL: none */
};

static void free_work(void *ctx)
{
    struct work *w = ctx;
    evs_snap_unref(&w->sn->snap);
    evs_trace_unhold(w->hold);
    evs_free(w->map);
    evs_free(w);
}

static void free_folded(struct evs_snap *snap)
{
    struct trace_folded *f = (void *)snap;
    for (size_t i = 0; i < f->n_checks; i++)
        evs_free(f->check[i]);
    evs_free(f->check);
    evs_free(f->change);
    evs_free(f->kind);
    evs_free(f->why);
    evs_free(f);
}

static char *text_of(const struct evs_json *j)
{
    struct evs_buf b = EVS_BUF_INIT(TEXT_CAP);
    if (!j)
        return NULL;
    evs_json_print(j, &b);
    return evs_buf_steal(&b);
}

static void fold_all(struct evs_task *task, void *ctx)
{
    struct work *w = ctx;
    struct evs_err err = EVS_ERR_INIT;
    struct evs_fold *fold = NULL;
    size_t n = w->sn->n;
    if (evs_fold_new(w->rule, w->map, &fold, &err))
        return;
    struct trace_folded *f = evs_xcalloc(1, sizeof(*f));
    evs_snap_init(&f->snap, free_folded);
    f->rule = w->rule;
    f->of = w->sn->snap.generation;
    f->n = n;
    f->every = w->rule == EVS_FOLD_MAP ? 1 : TRACE_CHECK;
    f->n_checks = n / f->every + 1;
    f->change = evs_xcalloc(n + 1, sizeof(*f->change));
    f->kind = evs_xcalloc(n + 1, sizeof(*f->kind));
    f->check = evs_xcalloc(f->n_checks, sizeof(*f->check));
    for (size_t i = 0; i < n && !evs_stop_raised(evs_task_stop_flag(task)); i++) {
        struct evs_event *ev = w->sn->events[i].ev;
        const struct evs_json *state = evs_fold_state(fold);
        struct evs_json *before = state ? evs_json_dup(state) : NULL;
        struct evs_changes c;
        if (i % f->every == 0)
            f->check[i / f->every] = text_of(before);
        evs_event_kind(ev, f->kind[i], TRACE_KIND);
        if (evs_fold_step(fold, ev, &err)) {
            snprintf(f->change[i], TRACE_WORD, w->map ? "not folded" : "not JSON");
            if (w->map && !f->why)
                f->why = evs_xprintf("#%zu: %s", i + 1, err.msg);
        } else if (w->rule != EVS_FOLD_NONE) {
            evs_changes_of(before, evs_fold_state(fold), &c);
            evs_changes_word(&c, evs_fold_state(fold), f->change[i], TRACE_WORD);
            evs_changes_done(&c);
        }
        evs_json_free(before);
    }
    if (n && n % f->every == 0)
        f->check[n / f->every] = text_of(evs_fold_state(fold));
    evs_fold_free(fold);
    if (evs_stop_raised(evs_task_stop_flag(task)))
        evs_snap_unref(&f->snap);
    else
        evs_task_publish(task, &f->snap);
}

void evs_trace_fold_start(struct trace *t)
{
    if (!t->sn || !t->hold || (t->asked_of == t->sn->snap.generation && t->asked_rule == t->rule))
        return;
    if (t->task && evs_task_running(t->task) && t->asked_rule == t->rule)
        return; /* let it end: the next frame asks for what came meanwhile */
    struct work *w = evs_xcalloc(1, sizeof(*w));
    *w = (struct work){t->hold, (void *)evs_snap_ref(&t->sn->snap), t->rule,
                       evs_xstrdup(t->rule == EVS_FOLD_MAP ? t->ask.map : NULL)};
    atomic_fetch_add(&t->hold->refs, 1);
    t->asked_of = t->sn->snap.generation;
    t->asked_rule = t->rule;
    evs_task_drop(t->task);
    t->task = evs_task_start("trace-fold", fold_all, w, free_work, evs_ui_wake(t->ui));
}

bool evs_trace_fold_take(struct trace *t)
{
    struct trace_folded *f = t->task ? (void *)evs_task_take(t->task, 0) : NULL;
    if (!f)
        return false;
    if (t->folded && f->of == t->folded->of && f->rule == t->folded->rule) {
        evs_snap_unref(&f->snap);
        return false;
    }
    if (t->folded)
        evs_snap_unref(&t->folded->snap);
    t->folded = f;
    return true;
}

/* --- one step --------------------------------------------------------------------------------- */

/* A state as it was kept. */
static struct evs_json *kept(const struct trace_folded *f, size_t check)
{
    struct evs_json *j = NULL;
    struct evs_err err = EVS_ERR_INIT;
    const char *text = f->check[check];
    return text && !evs_json_parse(text, strlen(text), &j, &err) ? j : NULL;
}

void evs_trace_state_at(const struct trace *t, size_t i, struct evs_json **ret_before,
                        struct evs_json **ret_after, struct evs_err *ret_why)
{
    const struct trace_folded *f = t->folded;
    struct evs_fold *fold = NULL;
    size_t at = f ? i / f->every : 0;
    *ret_before = *ret_after = NULL;
    *ret_why = (struct evs_err)EVS_ERR_INIT;
    if (f && f->rule == EVS_FOLD_MAP && i < f->n) {
        *ret_before = kept(f, i);
        *ret_after = kept(f, i + 1);
        if (f->why && !strcmp(f->change[i], "not folded"))
            evs_fail(ret_why, EVS_POISON, "%s", f->why);
        return;
    }
    if (!f || i >= f->n || evs_fold_new(f->rule, NULL, &fold, ret_why))
        return;
    if (f->check[at])
        evs_fold_reset(fold, kept(f, at));
    for (size_t k = at * f->every; k <= i; k++) {
        if (k == i && evs_fold_state(fold))
            *ret_before = evs_json_dup(evs_fold_state(fold));
        *ret_why = (struct evs_err)EVS_ERR_INIT;
        if (evs_fold_step(fold, t->sn->events[k].ev, ret_why) == EVS_OK)
            ret_why->msg[0] = '\0';
    }
    if (evs_fold_state(fold))
        *ret_after = evs_json_dup(evs_fold_state(fold));
    evs_fold_free(fold);
}

struct lines {
    struct evs_buf text;
    size_t from[LINES_MAX], len[LINES_MAX];
    size_t n;
    bool over;
};

static void lines_of(const struct evs_json *j, struct lines *l)
{
    EVS_AUTO(evs_buf) struct evs_buf compact = EVS_BUF_INIT(TEXT_CAP);
    struct evs_err err = EVS_ERR_INIT;
    l->text = (struct evs_buf)EVS_BUF_INIT(TEXT_CAP);
    l->n = 0;
    l->over = false;
    if (!j)
        return;
    evs_json_print(j, &compact);
    if (evs_json_pretty(&l->text, evs_buf_str(&compact), compact.len, &err))
        return;
    for (size_t at = 0; at < l->text.len;) {
        size_t len = strcspn(l->text.data + at, "\n");
        if (l->n == LINES_MAX) {
            l->over = true;
            return;
        }
        l->from[l->n] = at;
        l->len[l->n++] = len;
        at += len + 1;
    }
}

/* Lines that differ only in the comma behind them are the same. */
static bool same(const struct lines *a, size_t i, const struct lines *b, size_t k)
{
    size_t n = a->len[i], m = b->len[k];
    n -= n && a->text.data[a->from[i] + n - 1] == ',';
    m -= m && b->text.data[b->from[k] + m - 1] == ',';
    return n == m && !memcmp(a->text.data + a->from[i], b->text.data + b->from[k], n);
}

static void put(struct evs_pager *p, enum evs_role role, const char *mark, const struct lines *l,
                size_t i)
{
    EVS_AUTO(evs_buf) struct evs_buf line = EVS_BUF_INIT(TEXT_CAP);
    evs_buf_adds(&line, mark);
    evs_buf_add(&line, l->text.data + l->from[i], l->len[i]);
    evs_pager_add(p, role, evs_buf_str(&line), line.len);
}

/* The longest common subsequence of lines; removed before added. */
static void put_diff(struct evs_pager *p, const struct lines *a, const struct lines *b)
{
    size_t w = b->n + 1;
    uint16_t *lcs = evs_xcalloc((a->n + 1) * w, sizeof(*lcs));
    for (size_t i = a->n; i-- > 0;)
        for (size_t k = b->n; k-- > 0;) {
            uint16_t down = lcs[(i + 1) * w + k], right = lcs[i * w + k + 1];
            lcs[i * w + k] = same(a, i, b, k) ? (uint16_t)(lcs[(i + 1) * w + k + 1] + 1)
                             : down > right   ? down
                                              : right;
        }
    for (size_t i = 0, k = 0; i < a->n || k < b->n;) {
        if (i < a->n && k < b->n && same(a, i, b, k)) {
            put(p, EVS_ROLE_TEXT, "  ", b, k++);
            i++;
        } else if (i < a->n && (k == b->n || lcs[(i + 1) * w + k] >= lcs[i * w + k + 1])) {
            put(p, EVS_ROLE_DIFF_DEL, "- ", a, i++);
        } else {
            put(p, EVS_ROLE_DIFF_ADD, "+ ", b, k++);
        }
    }
    evs_free(lcs);
}

static void put_changes(struct evs_pager *p, const struct evs_json *before,
                        const struct evs_json *after)
{
    struct evs_changes c;
    evs_changes_of(before, after, &c);
    for (size_t i = 0; i < c.n; i++) {
        const struct evs_change *x = &c.list[i];
        if (x->before)
            evs_pager_printf(p, EVS_ROLE_DIFF_DEL, "- %s %s", x->path, x->before);
        if (x->after)
            evs_pager_printf(p, EVS_ROLE_DIFF_ADD, "+ %s %s", x->path, x->after);
    }
    evs_changes_done(&c);
}

static void show(struct trace *t, const struct evs_json *before, const struct evs_json *after)
{
    struct lines a, b;
    lines_of(before, &a);
    lines_of(after, &b);
    if (!t->diff) {
        EVS_AUTO(evs_buf) struct evs_buf text = EVS_BUF_INIT(TEXT_CAP);
        if (after) {
            evs_json_print(after, &text);
            evs_pager_json(&t->pager, evs_buf_str(&text), text.len);
        }
    } else if (a.over || b.over) {
        put_changes(&t->pager, before, after);
    } else {
        put_diff(&t->pager, &a, &b);
    }
    if (!after)
        evs_pager_printf(&t->pager, EVS_ROLE_TEXT_DIM, "no state: nothing there after this event");
    evs_buf_done(&a.text);
    evs_buf_done(&b.text);
}

void evs_trace_show_step(struct trace *t)
{
    size_t row = evs_table_row(&t->table);
    uint64_t of = t->folded ? t->folded->of : 0;
    if (row == t->shown && of == t->shown_of && t->diff == t->shown_diff && t->folded &&
        t->folded->rule == t->shown_rule)
        return;
    evs_pager_reset(&t->pager);
    t->shown = row;
    t->shown_of = of;
    t->shown_diff = t->diff;
    if (!t->folded || row == SIZE_MAX || row >= t->folded->n)
        return;
    t->shown_rule = t->folded->rule;
    if (t->folded->rule == EVS_FOLD_NONE) {
        const struct evs_event *ev = t->sn->events[row].ev;
        struct evs_json_fault fault;
        if (!ev->value)
            evs_pager_printf(&t->pager, EVS_ROLE_NULL, "tombstone");
        else if (evs_json_check(ev->value, ev->value_len, &fault))
            evs_pager_json(&t->pager, ev->value, ev->value_len);
        else
            evs_pager_add(&t->pager, EVS_ROLE_TEXT, ev->value, ev->value_len);
        return;
    }
    struct evs_json *before, *after;
    struct evs_err why;
    evs_trace_state_at(t, row, &before, &after, &why);
    if (why.msg[0])
        evs_pager_printf(&t->pager, EVS_ROLE_WARN, "%s: the state stays", why.msg);
    show(t, before, after);
    evs_json_free(before);
    evs_json_free(after);
}
