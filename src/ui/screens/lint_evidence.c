/* lint_evidence.c - what a finding rests on, in words. */
#include "ui/screens/lint_evidence.h"

#include <string.h>

#include "core/json.h"
#include "core/num.h"
#include "lint/rule.h"
#include "ui/screen.h"

static bool ends_in(const char *p, size_t n, const char *end)
{
    return n > strlen(end) && !memcmp(p + n - strlen(end), end, strlen(end));
}

/* For people: strings without quotes, times, shares in percent, thousands, four digits. */
static void put_value(int64_t now_ms, const char *name, size_t name_len, const char *p,
                      size_t n, struct evs_buf *to)
{
    char text[48], num[EVS_NUM_LEN];
    double v;
    int64_t whole;
    struct evs_err err = EVS_ERR_INIT;
    evs_bands_say(text, sizeof(text), "%.*s", n < sizeof(text) ? (int)n : 0, p);
    if (*p == '"')
        evs_buf_add(to, p + 1, n - 2);
    else if (!evs_num_i64(text, INT64_MIN, INT64_MAX, &whole, &err))
        evs_buf_adds(to, ends_in(name, name_len, "_ts")
                             ? evs_num_moment(num, whole, now_ms, 0)
                             : evs_num_commas(num, whole));
    else if (!evs_num_double(text, &v, &err) && memmem(name, name_len, "share", 5))
        evs_buf_adds(to, evs_num_share(num, v));
    else if (!evs_num_double(text, &v, &err))
        evs_buf_printf(to, "%.4g", v);
    else
        evs_buf_add(to, p, n);
}

/* "max_over_mean" is "max over mean", "since_ts" is "since". */
static void put_name(const char *p, size_t n, struct evs_buf *to)
{
    n -= ends_in(p, n, "_ts") ? 3 : 0;
    for (size_t i = 0; i < n; i++)
        evs_buf_addc(to, p[i] == '_' ? ' ' : p[i]);
    evs_buf_addc(to, ' ');
}

/* The members of the evidence, "name value", a line each. */
static void put_evidence(const char *evidence, int64_t now_ms, struct evs_buf *to)
{
    struct evs_json_tree t = {0};
    struct evs_err err = EVS_ERR_INIT;
    if (evs_json_tree_read(&t, evidence, strlen(evidence), &err) || !t.nodes[0].size)
        return;
    for (uint32_t i = 1; i; i = t.nodes[i].next) {
        const struct evs_json_node *m = &t.nodes[i];
        if (m->type == EVS_JSON_NULL)
            continue;
        const char *name = t.text + m->name + 1;
        size_t name_len = m->name_len - 2;
        if (to->len)
            evs_buf_addc(to, '\n');
        put_name(name, name_len, to);
        char words[64];
        if (evs_lint_place_words(&t, m, words, sizeof(words)))
            evs_buf_adds(to, words);
        else
            put_value(now_ms, name, name_len, t.text + m->start, m->end - m->start, to);
    }
    evs_json_tree_done(&t);
}

/* Whole members, as many as fit into the rows; returns rows used. */
int lint_evidence_draw(struct evs_view *v, int row, int max_rows, const char *evidence,
                       int64_t now_ms)
{
    EVS_AUTO(evs_buf) struct evs_buf text = EVS_BUF_INIT(65536);
    put_evidence(evidence, now_ms, &text);
    const char *members = evs_buf_str(&text);
    int col = 2, used = 1;
    for (const char *p = members; *p;) {
        size_t n = strcspn(p, "\n");
        int width = (int)evs_text_width(p, n);
        if (col > 2 && col + width > v->cols) {
            if (used == max_rows) {
                evs_view_glyph(v, row + used - 1, col < v->cols ? col : v->cols - 1,
                               EVS_ROLE_TEXT_DIM, EVS_G_MORE);
                return used;
            }
            used++;
            col = 2;
        }
        col += 3 + evs_view_fit(v, row + used - 1, col, v->cols - col, EVS_ROLE_TEXT_DIM, p, n,
                                EVS_CUT_END);
        p += n + (p[n] == '\n');
    }
    return *members ? used : 0;
}
