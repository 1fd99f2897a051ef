#include "lag/why_judge.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/buf.h"
#include "core/json.h"
#include "core/num.h"
#include "core/text.h"

#define HOT_SHARE 0.3
#define BIG_RATIO 8.0
#define LITTLE_S  10.0 /* a lag of less than what arrives meanwhile is none */
enum { BIG_BYTES = 16384, KEY_COLS = 40 };

static const struct {
    const char *name, *title;
} kinds[EVS_SUSPECT_N] = {
    [EVS_SUSPECT_RECORD] = {"record-at-commit", "record at the commit"},
    [EVS_SUSPECT_HOT_KEY] = {"hot-key", "hot key in the lag"},
    [EVS_SUSPECT_OPEN_TXN] = {"open-transaction", "open transaction"},
    [EVS_SUSPECT_RETENTION] = {"retention-loss", "data lost to retention"},
    [EVS_SUSPECT_NO_OWNER] = {"no-owner", "no owner"},
    [EVS_SUSPECT_ALL_SLOW] = {"all-slow", "all partitions slow"},
    [EVS_SUSPECT_PROCESSING] = {"slow-processing", "slow processing"},
};

const char *evs_suspect_name(enum evs_suspect_kind kind)
{
    return kinds[kind].name;
}

const char *evs_suspect_title(enum evs_suspect_kind kind)
{
    return kinds[kind].title;
}

static void settle(struct evs_why *w, enum evs_suspect_kind kind, enum evs_suspicion found,
                   const char *evidence, const char *fmt, ...) EVS_PRINTF(5, 6);

static void settle(struct evs_why *w, enum evs_suspect_kind kind, enum evs_suspicion found,
                   const char *evidence, const char *fmt, ...)
{
    struct evs_suspect *s = &w->suspects[kind];
    va_list ap;
    s->found = found;
    snprintf(s->evidence, sizeof(s->evidence), "%s", evidence);
    va_start(ap, fmt);
    vsnprintf(s->text, sizeof(s->text), fmt, ap);
    va_end(ap);
}

static void judge_txn(struct evs_why *w, const struct evs_lag_row *r)
{
    char n[EVS_NUM_LEN];
    const char *how = "2 requests";
    if (r->f.high < 0 || r->lso < 0)
        settle(w, EVS_SUSPECT_OPEN_TXN, EVS_UNKNOWN, how, "the ends are not known");
    else if (r->f.open == 0)
        settle(w, EVS_SUSPECT_OPEN_TXN, EVS_CLEARED, how, "last stable offset = high");
    else if (r->committed >= r->lso)
        settle(w, EVS_SUSPECT_OPEN_TXN, EVS_FOUND, how,
               "%s records wait for it; the commit is at the last stable offset",
               evs_num_commas(n, r->f.open));
    else
        settle(w, EVS_SUSPECT_OPEN_TXN, EVS_CLEARED, how,
               "one holds the last %s, but the commit is before it", evs_num_commas(n, r->f.open));
}

static void judge_retention(struct evs_why *w, const struct evs_lag_row *r)
{
    char n[EVS_NUM_LEN], t[EVS_NUM_LEN];
    if (r->committed < 0 || r->low < 0)
        settle(w, EVS_SUSPECT_RETENTION, EVS_UNKNOWN, "exact", "no commit to compare with");
    else if (r->f.lost > 0)
        settle(w, EVS_SUSPECT_RETENTION, EVS_FOUND, "exact",
               "%s offsets after the commit were deleted unread", evs_num_commas(n, r->f.lost));
    else if (r->retention_left_s >= 0)
        settle(w, EVS_SUSPECT_RETENTION, EVS_CLEARED, "exact",
               "committed is %s above the log start; it may be deleted in %s",
               evs_num_commas(n, r->committed - r->low),
               evs_num_ago(t, (int64_t)(r->retention_left_s * 1000)));
    else
        settle(w, EVS_SUSPECT_RETENTION, EVS_CLEARED, "exact",
               "committed is %s above the log start", evs_num_commas(n, r->committed - r->low));
}

static void judge_owner(struct evs_why *w, const struct evs_lag_group_row *g,
                        const struct evs_lag_row *r)
{
    const char *how = "describe";
    if (!g->described && g->state != EVS_GROUP_EMPTY)
        settle(w, EVS_SUSPECT_NO_OWNER, EVS_UNKNOWN, how, "%s",
               g->error ? g->error : "members are not known");
    else if (!g->n_members)
        settle(w, EVS_SUSPECT_NO_OWNER, EVS_FOUND, how, "the group has no member");
    else if (r->member < 0)
        settle(w, EVS_SUSPECT_NO_OWNER, EVS_FOUND, how, "none of the %zu members owns it",
               g->n_members);
    else
        settle(w, EVS_SUSPECT_NO_OWNER, EVS_CLEARED, how, "%s on %s holds it", w->member, w->host);
}

/* Reads about as much as arrives, or has nothing left. */
static bool keeps_up(const struct evs_lag_row *r)
{
    if (r->f.lag <= 0 || r->behind == 0)
        return true;
    bool bad = r->verdict.status >= EVS_LAG_WARN;
    bool little = r->produce >= 0 && (double)r->f.lag <= LITTLE_S * r->produce;
    return !bad && (little || (r->consume >= 0 && r->consume >= 0.95 * r->produce));
}

static void judge_all(struct evs_why *w, const struct evs_lag_group_row *g,
                      const struct evs_lag_row *row)
{
    size_t others = 0, keep = 0, rated = 0;
    double in = 0, out = 0;
    char a[EVS_NUM_LEN], b[EVS_NUM_LEN];
    for (size_t i = 0; i < g->n_rows; i++) {
        const struct evs_lag_row *r = &g->rows[i];
        if (r == row || r->f.lag < 0)
            continue;
        others++;
        keep += keeps_up(r) ? 1 : 0;
        if (r->consume >= 0 && r->produce >= 0) {
            rated++;
            in += r->produce;
            out += r->consume;
        }
    }
    if (row->f.lag == 0 || row->behind == 0)
        settle(w, EVS_SUSPECT_ALL_SLOW, EVS_CLEARED, "exact", "nothing waits");
    else if (!others)
        settle(w, EVS_SUSPECT_ALL_SLOW, EVS_UNKNOWN, "", "there is no other partition to compare");
    else if (!rated)
        settle(w, EVS_SUSPECT_ALL_SLOW, EVS_UNKNOWN, "1 reading", "no rates after one reading");
    else if (keep == others && in == 0)
        settle(w, EVS_SUSPECT_ALL_SLOW, EVS_CLEARED, "readings", "nothing waits on the other %zu",
               others);
    else if (keep * 2 >= others)
        settle(w, EVS_SUSPECT_ALL_SLOW, EVS_CLEARED, "readings",
               "%zu of the other %zu keep%s up: %s of %s messages/s", keep, others,
               keep == 1 ? "s" : "", evs_num_human(a, out), evs_num_human(b, in));
    else if (!keep && in == 0 && out == 0)
        settle(w, EVS_SUSPECT_ALL_SLOW, EVS_FOUND, "readings",
               "nor is anything read of the other %zu", others);
    else if (keep)
        settle(w, EVS_SUSPECT_ALL_SLOW, EVS_FOUND, "readings",
               "only %zu of the other %zu keep up: %s of %s messages/s", keep, others,
               evs_num_human(a, out), evs_num_human(b, in));
    else
        settle(w, EVS_SUSPECT_ALL_SLOW, EVS_FOUND, "readings",
               "none of the other %zu keeps up: %s of %s messages/s", others, evs_num_human(a, out),
               evs_num_human(b, in));
}

static int64_t last_commit(const struct evs_lag_row *r)
{
    return r->commit_ms > 0 ? r->commit_ms : r->moved_ms;
}

static void judge_processing(struct evs_why *w, const struct evs_lag_row *r)
{
    char t[EVS_NUM_LEN];
    int64_t at_ms = last_commit(r);
    if (at_ms > 0)
        settle(w, EVS_SUSPECT_PROCESSING, EVS_UNKNOWN, "inferred",
               "cannot be told from lag alone; last commit %s",
               evs_num_moment(t, at_ms, w->at_ms, 1000));
    else
        settle(w, EVS_SUSPECT_PROCESSING, EVS_UNKNOWN, "inferred",
               "cannot be told from lag alone; no commit while watched");
}

void evs_why_judge_rows(struct evs_why *w, const struct evs_lag_group_row *g,
                        const struct evs_lag_row *row)
{
    for (enum evs_suspect_kind k = EVS_SUSPECT_RECORD; k <= EVS_SUSPECT_HOT_KEY; k++)
        if (row->f.lag == 0)
            settle(w, k, EVS_CLEARED, "exact", "nothing waits");
        else
            settle(w, k, EVS_UNKNOWN, "", "%s", row->f.lag > 0 ? "..." : "the lag is not known");
    judge_txn(w, row);
    judge_retention(w, row);
    judge_owner(w, g, row);
    judge_all(w, g, row);
    judge_processing(w, row);
}

/* --- what was read --- */

static bool stands(const struct evs_why *w)
{
    return w->row.verdict.status == EVS_LAG_STALL || w->row.verdict.status == EVS_LAG_STOP;
}

/* Its value looks like JSON and is not, while the others are. */
static bool broken(struct evs_why *w, const struct evs_why_read *read)
{
    const uint8_t *p = w->record->value;
    size_t n = w->record->value_len;
    struct evs_json_fault fault;
    if (!p || !n || evs_json_check(p, n, &fault))
        return false;
    bool alike = read->checked ? read->json * 10 >= read->checked * 9 : *p == '{' || *p == '[';
    if (!alike)
        return false;
    char at[EVS_NUM_LEN];
    snprintf(w->record_why, sizeof(w->record_why), "value is not valid JSON from byte %s on",
             evs_num_commas(at, (int64_t)fault.at));
    return true;
}

static void judge_record(struct evs_why *w, const struct evs_why_read *read)
{
    char size[EVS_NUM_LEN], mean[EVS_NUM_LEN], at[EVS_NUM_LEN], how[48];
    if (!w->record) {
        settle(w, EVS_SUSPECT_RECORD, read->record_failed[0] ? EVS_UNKNOWN : EVS_CLEARED, "read",
               "%s",
               read->record_failed[0] ? read->record_failed
                                      : "no record is left, only markers or gaps");
        return;
    }
    double bytes = (double)(w->record->key_len + w->record->value_len);
    bool known = w->mean_bytes >= 0;
    bool big = known && bytes > BIG_BYTES && bytes > BIG_RATIO * w->mean_bytes;
    bool bad = broken(w, read);
    snprintf(how, sizeof(how), "read %s", evs_num_commas(at, w->record->offset));
    evs_num_bytes(size, bytes);
    evs_num_bytes(mean, known ? w->mean_bytes : 0);
    if ((big || bad) && stands(w))
        settle(w, EVS_SUSPECT_RECORD, EVS_FOUND, how, "%s%s%s%s%s", size, known ? " against " : "",
               known ? mean : "", known ? " mean" : "", bad ? "; its value breaks off" : "");
    else if (big || bad)
        settle(w, EVS_SUSPECT_RECORD, EVS_CLEARED, how,
               "unusual (%s), but the commit does not stand still", size);
    else
        settle(w, EVS_SUSPECT_RECORD, EVS_CLEARED, how, "%s, like the others%s%s%s", size,
               known ? " (" : "", known ? mean : "", known ? " mean)" : "");
}

static void key_text(const struct evs_why_key *k, char *to, size_t size)
{
    EVS_AUTO(evs_buf) struct evs_buf b = EVS_BUF_INIT(1024);
    size_t n = k->len < sizeof(k->key) ? k->len : sizeof(k->key);
    evs_text_fit(&b, k->key, n, KEY_COLS, EVS_CUT_END);
    snprintf(to, size, "%s", evs_buf_str(&b));
}

static void judge_keys(struct evs_why *w, const struct evs_why_read *read)
{
    char key[200], share[EVS_NUM_LEN], n[EVS_NUM_LEN], how[48];
    char took[EVS_NUM_LEN];
    if (!w->read || !w->n_keys) {
        settle(w, EVS_SUSPECT_HOT_KEY, w->read ? EVS_CLEARED : EVS_UNKNOWN, "read", "%s",
               read->window_failed[0] ? read->window_failed
               : w->read              ? "the records that wait have no key"
                                      : "no record could be read");
        return;
    }
    const struct evs_why_key *k = &w->keys[0];
    double part = (double)(k->count - k->error) / (double)w->read;
    bool hot = part >= HOT_SHARE && w->read > 1 && k->count - k->error > 1;
    key_text(k, key, sizeof(key));
    evs_num_share(share, part);
    snprintf(how, sizeof(how), "%s, %s",
             k->error   ? "bounded"
             : w->whole ? "exact"
                        : "a part",
             evs_num_took(took, (int64_t)(w->seconds * 1000)));
    settle(w, EVS_SUSPECT_HOT_KEY, hot ? EVS_FOUND : EVS_CLEARED, how,
           "heaviest key %s has %s of %s%s waiting", key, share, w->whole ? "the " : "",
           evs_num_commas(n, w->read));
    if (!w->whole)
        settle(w, EVS_SUSPECT_HOT_KEY, hot ? EVS_FOUND : EVS_CLEARED, how,
               "heaviest key %s has %s of the first %s read", key, share,
               evs_num_commas(n, w->read));
}

void evs_why_judge_records(struct evs_why *w, const struct evs_why_read *read)
{
    judge_record(w, read);
    judge_keys(w, read);
}

/* --- the verdict --- */

/* A partition of the same member whose commit has moved lately; NULL none. */
static const struct evs_lag_row *sister(const struct evs_why *w, const struct evs_lag_group_row *g,
                                        const struct evs_lag_row *row)
{
    for (size_t i = 0; i < g->n_rows; i++) {
        const struct evs_lag_row *r = &g->rows[i];
        if (r != row && row->member >= 0 && r->member == row->member && r->moved_ms > 0 &&
            w->at_ms - r->moved_ms < 60000)
            return r;
    }
    return NULL;
}

static void say(struct evs_why *w, const char *fmt, ...) EVS_PRINTF(2, 3);

static void say(struct evs_why *w, const char *fmt, ...)
{
    size_t n = strlen(w->verdict);
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(w->verdict + n, sizeof(w->verdict) - n, fmt, ap);
    va_end(ap);
}

static void say_since(struct evs_why *w, const struct evs_lag_row *row)
{
    char t[EVS_NUM_LEN];
    if (last_commit(row) > 0)
        say(w, " since %s", evs_num_moment(t, last_commit(row), w->at_ms, 1000));
}

static void say_record(struct evs_why *w, const struct evs_lag_group_row *g,
                       const struct evs_lag_row *row)
{
    char at[EVS_NUM_LEN], ratio[EVS_NUM_LEN];
    const struct evs_lag_row *other = sister(w, g, row);
    double bytes = (double)(w->record->key_len + w->record->value_len);
    bool big = w->mean_bytes > 0 && bytes > BIG_RATIO * w->mean_bytes;
    say(w, "Stuck on one record: %s is the committed offset", evs_num_commas(at, row->committed));
    say_since(w, row);
    if (other)
        say(w, ", while the same member moves on p%d", (int)other->partition);
    say(w, ".");
    if (big)
        say(w, " The record is %s%s the mean size",
            evs_num_commas(ratio, (int64_t)(bytes / w->mean_bytes + 0.5)),
            evs_text_ascii() ? "x" : "×");
    if (w->record_why[0])
        say(w, "%s %s", big ? " and its" : " Its", w->record_why);
    say(w, ".");
}

static void say_none(struct evs_why *w, const struct evs_lag_row *row)
{
    char at[EVS_NUM_LEN];
    if (row->f.lag == 0 || row->behind == 0)
        say(w, "Nothing waits: this partition is not behind.");
    else if (row->f.lag < 0)
        say(w, "The lag is not known: %s.",
            evs_lag_note_text(row->f.note) ? evs_lag_note_text(row->f.note)
                                           : "the brokers gave no answer");
    else {
        if (stands(w)) {
            say(w, "The commit stands still at %s", evs_num_commas(at, row->committed));
            say_since(w, row);
            say(w, ". ");
        }
        if (row->verdict.status != EVS_LAG_REWIND)
            say(w, "Not explained by data, keys or transactions: slow processing is likely.");
    }
}

/* What the trend itself tells, before any suspect. */
static void say_trend(struct evs_why *w, const struct evs_lag_row *row)
{
    char out[EVS_NUM_LEN], in[EVS_NUM_LEN];
    if (row->verdict.status == EVS_LAG_REWIND)
        say(w, "The committed offset went back: what was read is read again. ");
    else if (row->verdict.rule == EVS_RULE_GROWS && row->consume >= 0 && row->produce >= 0)
        say(w, "%s messages/s are read while %s arrive. ", evs_num_human(out, row->consume),
            evs_num_human(in, row->produce));
}

static bool found(const struct evs_why *w, enum evs_suspect_kind kind)
{
    return w->suspects[kind].found == EVS_FOUND;
}

void evs_why_conclude(struct evs_why *w, const struct evs_lag_group_row *g,
                      const struct evs_lag_row *row)
{
    char n[EVS_NUM_LEN], key[200];
    w->confirmed = 0;
    w->verdict[0] = '\0';
    for (int i = 0; i < EVS_SUSPECT_N; i++)
        w->confirmed += w->suspects[i].found == EVS_FOUND;
    bool waits = row->f.lag > 0 && row->behind != 0;
    if (waits)
        say_trend(w, row);
    if (found(w, EVS_SUSPECT_NO_OWNER) && waits)
        say(w, "Nobody reads it: %s.", w->suspects[EVS_SUSPECT_NO_OWNER].text);
    else if (found(w, EVS_SUSPECT_OPEN_TXN))
        say(w,
            "Behind an open transaction: %s records after offset %lld cannot be read with "
            "read_committed until it ends.",
            evs_num_commas(n, row->f.open), (long long)row->lso);
    else if (found(w, EVS_SUSPECT_RECORD))
        say_record(w, g, row);
    else if (found(w, EVS_SUSPECT_HOT_KEY)) {
        key_text(&w->keys[0], key, sizeof(key));
        say(w, "One key fills it: %s has %s of what waits, and a key stays in one partition.", key,
            evs_num_share(n, (double)(w->keys[0].count - w->keys[0].error) / (double)w->read));
    } else if (found(w, EVS_SUSPECT_ALL_SLOW))
        say(w, "The whole group is slow, not this partition: %s.",
            w->suspects[EVS_SUSPECT_ALL_SLOW].text);
    else if (!found(w, EVS_SUSPECT_RETENTION))
        say_none(w, row);
    if (found(w, EVS_SUSPECT_RETENTION))
        say(w, "%sData was lost: %s.", w->verdict[0] ? " " : "",
            w->suspects[EVS_SUSPECT_RETENTION].text);
    size_t len = strlen(w->verdict);
    if (len && w->verdict[len - 1] == ' ')
        w->verdict[len - 1] = '\0';
}
