#include "core/opt.h"

#include <assert.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/num.h"
#include "core/xalloc.h"

enum { WORD_MAX = 64 };

static bool last_row(const struct evs_opt *r)
{
    return !r->name && !r->letter;
}

static const struct evs_opt *canonical(const struct evs_opt *const *tables,
                                       const struct evs_opt *row)
{
    return row->same_as ? evs_opt_find(tables, row->same_as, strlen(row->same_as)) : row;
}

const struct evs_opt *evs_opt_find(const struct evs_opt *const *tables, const char *name,
                                   size_t len)
{
    for (; *tables; tables++)
        for (const struct evs_opt *r = *tables; !last_row(r); r++)
            if (r->name && strlen(r->name) == len && !memcmp(r->name, name, len))
                return canonical(tables, r);
    return NULL;
}

static const struct evs_opt *find_letter(const struct evs_opt *const *tables, char letter)
{
    for (const struct evs_opt *const *t = tables; *t; t++)
        for (const struct evs_opt *r = *t; !last_row(r); r++)
            if (r->letter == letter)
                return canonical(tables, r);
    return NULL;
}

static enum evs_rc check_choice(const char *choices, const char *text, struct evs_err *err)
{
    size_t n = strlen(text);
    for (const char *p = choices; *p;) {
        size_t len = strcspn(p, "|");
        if (len == n && !memcmp(p, text, n))
            return EVS_OK;
        p += len + (p[len] == '|');
    }
    return evs_fail(err, EVS_INVALID, "'%s' is none of %s", text, choices);
}

static enum evs_rc check(const struct evs_opt *row, const char *text, int64_t *ret_number,
                         struct evs_err *err)
{
    double unused;
    switch (row->type) {
    case EVS_OPT_INT:
        return evs_num_i64(text, row->min, row->max ? row->max : INT64_MAX, ret_number, err);
    case EVS_OPT_NUMBER: return evs_num_double(text, &unused, err);
    case EVS_OPT_SIZE: return evs_num_size(text, ret_number, err);
    case EVS_OPT_DURATION: return evs_num_duration(text, ret_number, err);
    case EVS_OPT_CHOICE: return check_choice(row->choices, text, err);
    case EVS_OPT_FLAG:
    case EVS_OPT_STR:
    case EVS_OPT_MAYBE:
    case EVS_OPT_MAYBE_NEXT: break;
    }
    return EVS_OK;
}

static enum evs_rc add(struct evs_opts *o, const struct evs_opt *row, const char *text,
                       struct evs_err *err)
{
    int64_t number = 0;
    enum evs_rc rc = check(row, text, &number, err);
    if (rc)
        return evs_wrap(err, "--%s", row->name ? row->name : "?");
    o->values = evs_xgrow(o->values, o->n + 1, sizeof(*o->values));
    o->values[o->n++] = (struct evs_opt_value){row, evs_xstrdup(text), number};
    return EVS_OK;
}

static size_t distance(const char *a, const char *b)
{
    size_t n = strlen(a), m = strlen(b);
    if (n >= WORD_MAX || m >= WORD_MAX)
        return WORD_MAX;
    size_t row[WORD_MAX + 1];
    for (size_t j = 0; j <= m; j++)
        row[j] = j;
    for (size_t i = 1; i <= n; i++) {
        size_t diag = row[0];
        row[0] = i;
        for (size_t j = 1; j <= m; j++) {
            size_t best = diag + (a[i - 1] != b[j - 1]);
            diag = row[j];
            if (row[j] + 1 < best)
                best = row[j] + 1;
            if (row[j - 1] + 1 < best)
                best = row[j - 1] + 1;
            row[j] = best;
        }
    }
    return row[m];
}

const char *evs_suggest(const char *word, const char *(*nth)(const void *ctx, size_t i),
                        const void *ctx)
{
    const char *best = NULL;
    size_t least = WORD_MAX;
    const char *name;
    for (size_t i = 0; (name = nth(ctx, i)) != NULL; i++) {
        size_t d = distance(word, name);
        if (d < least && d <= 1 + strlen(name) / 3) {
            least = d;
            best = name;
        }
    }
    return best;
}

static const char *nth_name(const void *ctx, size_t i)
{
    for (const struct evs_opt *const *t = ctx; *t; t++)
        for (const struct evs_opt *r = *t; !last_row(r); r++)
            if (r->name && i-- == 0)
                return r->name;
    return NULL;
}

static enum evs_rc unknown(const struct evs_opts *o, const char *name, struct evs_err *err)
{
    evs_fail(err, EVS_INVALID, "unknown option --%s", name);
    const char *near = evs_suggest(name, nth_name, o->tables);
    if (near)
        evs_hint(err, "did you mean --%s?", near);
    return EVS_INVALID;
}

/* The words of one parse. */
struct words {
    int argc, at;
    char **argv;
};

static bool wants_value(const struct evs_opt *row)
{
    return row->type != EVS_OPT_FLAG && row->type != EVS_OPT_MAYBE &&
           row->type != EVS_OPT_MAYBE_NEXT;
}

/* The value of an option whose word ended: the next word. */
static enum evs_rc from_next(struct evs_opts *o, const struct evs_opt *row, struct words *w,
                             struct evs_err *err)
{
    if (row->type == EVS_OPT_MAYBE_NEXT && w->at < w->argc &&
        isdigit((unsigned char)w->argv[w->at][0]))
        return add(o, row, w->argv[w->at++], err);
    if (!wants_value(row))
        return add(o, row, "", err);
    if (w->at >= w->argc)
        return evs_fail(err, EVS_INVALID, "--%s needs a value: %s", row->name ? row->name : "?",
                        row->arg ? row->arg : "VALUE");
    return add(o, row, w->argv[w->at++], err);
}

static enum evs_rc parse_long(struct evs_opts *o, const char *word, struct words *w,
                              struct evs_err *err)
{
    size_t len = strcspn(word, "=");
    const struct evs_opt *row = evs_opt_find(o->tables, word, len);
    if (!row) {
        char name[WORD_MAX];
        snprintf(name, sizeof(name), "%.*s", (int)(len < WORD_MAX ? len : WORD_MAX - 1), word);
        return unknown(o, name, err);
    }
    if (word[len] != '=')
        return from_next(o, row, w, err);
    if (row->type == EVS_OPT_FLAG)
        return evs_fail(err, EVS_INVALID, "--%s takes no value", row->name);
    return add(o, row, word + len + 1, err);
}

static enum evs_rc parse_letters(struct evs_opts *o, const char *word, struct words *w,
                                 struct evs_err *err)
{
    for (const char *p = word; *p; p++) {
        const struct evs_opt *row = find_letter(o->tables, *p);
        if (!row)
            return evs_fail(err, EVS_INVALID, "unknown option -%c", *p);
        if (wants_value(row))
            return p[1] ? add(o, row, p + 1, err) : from_next(o, row, w, err);
        enum evs_rc rc = add(o, row, "", err);
        if (rc)
            return rc;
    }
    return EVS_OK;
}

enum evs_rc evs_opts_parse(struct evs_opts *o, int argc, char **argv, bool first_only,
                           char **ret_args, int *ret_n_args, int *ret_used, struct evs_err *err)
{
    struct words w = {argc, 0, argv};
    int n_args = 0;
    bool plain = false;
    while (w.at < argc) {
        char *word = argv[w.at];
        enum evs_rc rc = EVS_OK;
        if (!plain && !strcmp(word, "--")) {
            plain = true;
            w.at++;
        } else if (plain || word[0] != '-' || !word[1]) {
            if (first_only)
                break;
            ret_args[n_args++] = word;
            w.at++;
        } else {
            w.at++;
            rc = word[1] == '-' ? parse_long(o, word + 2, &w, err)
                                : parse_letters(o, word + 1, &w, err);
        }
        if (rc)
            return rc;
    }
    *ret_n_args = n_args;
    *ret_used = w.at;
    return EVS_OK;
}

enum evs_rc evs_opts_set(struct evs_opts *o, const char *name, const char *value,
                         struct evs_err *err)
{
    const struct evs_opt *row = evs_opt_find(o->tables, name, strlen(name));
    return row ? add(o, row, value, err) : unknown(o, name, err);
}

void evs_opts_done(struct evs_opts *o)
{
    for (size_t i = 0; i < o->n; i++)
        evs_free(o->values[i].text);
    evs_free(o->values);
    o->values = NULL;
    o->n = 0;
}

static const struct evs_opt_value *last_value(const struct evs_opts *o, const char *name,
                                              const struct evs_opt **ret_row)
{
    const struct evs_opt *row = evs_opt_find(o->tables, name, strlen(name));
    assert(row);
    *ret_row = row;
    for (size_t i = o->n; i-- > 0;)
        if (o->values[i].opt == row)
            return &o->values[i];
    return NULL;
}

bool evs_opts_given(const struct evs_opts *o, const char *name)
{
    const struct evs_opt *row = evs_opt_find(o->tables, name, strlen(name));
    for (size_t i = 0; row && i < o->n; i++)
        if (o->values[i].opt == row)
            return true;
    return false;
}

const char *evs_opts_str(const struct evs_opts *o, const char *name)
{
    const struct evs_opt *row;
    const struct evs_opt_value *v = last_value(o, name, &row);
    return v ? v->text : row->def;
}

int64_t evs_opts_int(const struct evs_opts *o, const char *name)
{
    const struct evs_opt *row;
    const struct evs_opt_value *v = last_value(o, name, &row);
    if (v)
        return v->number;
    int64_t number = 0;
    struct evs_err unused;
    if (row->def && check(row, row->def, &number, &unused))
        assert(!"a default of an option table is wrong");
    return number;
}

double evs_opts_double(const struct evs_opts *o, const char *name)
{
    const char *s = evs_opts_str(o, name);
    return s ? strtod(s, NULL) : 0;
}

const char *evs_opts_nth(const struct evs_opts *o, const char *name, size_t i)
{
    const struct evs_opt *row = evs_opt_find(o->tables, name, strlen(name));
    for (size_t k = 0; row && k < o->n; k++)
        if (o->values[k].opt == row && i-- == 0)
            return o->values[k].text;
    return NULL;
}
