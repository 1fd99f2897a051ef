/* replay_report.c - what eventscope replay says while it runs and at its end. */
#include <stdio.h>
#include <string.h>

#include "cli/out.h"
#include "cli/replay.h"
#include "core/jsonw.h"
#include "core/num.h"

enum { JSON_CAP = 64 << 20, SLOW_MS = 3000 };

/* Rows that go to standard output have it to themselves. */
static bool rows_on_stdout(const struct evs_plan *p)
{
    return !strcmp(p->sink, "jsonl:-");
}

static void say(const struct evs_plan *p, struct evs_buf *line, bool json)
{
    if (rows_on_stdout(p))
        fprintf(stderr, "%s\n", evs_buf_str(line));
    else if (json)
        evs_out_json(line);
    else
        evs_out_text("%s", evs_buf_str(line));
    evs_buf_reset(line);
}

void evs_cli_replay_watched(void *ctx, const struct evs_report *r)
{
    struct evs_cli_replay_watch *w = ctx;
    if (w->lines && (int64_t)r->seconds > w->told_s) {
        w->told_s = (int64_t)r->seconds;
        EVS_AUTO(evs_buf) struct evs_buf out = EVS_BUF_INIT(JSON_CAP);
        struct evs_jsonw j;
        evs_jsonw_init(&j, &out);
        evs_jsonw_obj(&j, NULL);
        evs_jsonw_obj(&j, "progress");
        evs_report_json(r, &j);
        evs_jsonw_double(&j, "wait_source", r->wait_source);
        evs_jsonw_double(&j, "wait_sink", r->wait_sink);
        if (r->eta_seconds < 0)
            evs_jsonw_null(&j, "eta_seconds");
        else
            evs_jsonw_double(&j, "eta_seconds", r->eta_seconds);
        evs_jsonw_end(&j);
        evs_jsonw_end(&j);
        say(w->plan, &out, true);
    }
    evs_cli_replay_progress(r);
}

void evs_cli_replay_progress(const struct evs_report *r)
{
    char read[EVS_NUM_LEN], rate[EVS_NUM_LEN], eta[EVS_NUM_LEN], share[EVS_NUM_LEN];
    int64_t left = 0;
    for (size_t i = 0; i < r->ckpt.n; i++)
        if (r->ckpt.parts[i].n[EVS_CKPT_END] != EVS_RANGE_OPEN)
            left += r->ckpt.parts[i].n[EVS_CKPT_END] - r->ckpt.parts[i].n[EVS_CKPT_NEXT];
    char slow[EVS_NUM_LEN + 40] = "";
    if (r->waiting_ms > SLOW_MS)
        snprintf(slow, sizeof(slow), "  the sink has been at it for %s",
                 evs_num_ago(eta, r->waiting_ms));
    evs_progress("replay %s  %s  read %s  %s/s  left %s%s", r->id,
                 evs_num_share(share, r->span ? 1 - (double)left / (double)r->span : 1),
                 evs_num_commas(read, r->run_read), evs_num_human(rate, r->rate),
                 r->eta_seconds < 0 ? "-" : evs_num_ago(eta, (int64_t)(r->eta_seconds * 1000)),
                 slow);
}

static void print_text(const struct evs_plan *p, const struct evs_report *r)
{
    char a[EVS_NUM_LEN], b[EVS_NUM_LEN], c[EVS_NUM_LEN], d[EVS_NUM_LEN], e[EVS_NUM_LEN];
    EVS_AUTO(evs_buf) struct evs_buf out = EVS_BUF_INIT(8192);
    evs_buf_printf(&out, "replay %s  %s%s  %s", r->id, r->state,
                   r->nothing_to_do ? " before, nothing to do" : "", r->guarantee);
    say(p, &out, false);
    evs_buf_printf(&out, "events  read %s  matched %s  applied %s  skipped %s  dead letters %s",
                   evs_num_commas(a, evs_ckpt_total(&r->ckpt, EVS_CKPT_READ)),
                   evs_num_commas(b, evs_ckpt_total(&r->ckpt, EVS_CKPT_MATCHED)),
                   evs_num_commas(c, evs_ckpt_total(&r->ckpt, EVS_CKPT_APPLIED)),
                   evs_num_commas(d, evs_ckpt_total(&r->ckpt, EVS_CKPT_SKIPPED)),
                   evs_num_commas(e, evs_ckpt_total(&r->ckpt, EVS_CKPT_DEAD)));
    say(p, &out, false);
    evs_buf_printf(&out, "rows    written %s  deleted %s  left (newer in the view) %s",
                   evs_num_commas(a, evs_ckpt_total(&r->ckpt, EVS_CKPT_WRITTEN)),
                   evs_num_commas(b, evs_ckpt_total(&r->ckpt, EVS_CKPT_DELETED)),
                   evs_num_commas(c, r->left));
    say(p, &out, false);
    evs_buf_printf(&out, "took    %s  %s/s", evs_num_ago(a, (int64_t)(r->seconds * 1000)),
                   evs_num_human(b, r->rate));
    say(p, &out, false);
}

static void warn_of(const struct evs_cli *cli, const struct evs_report *r)
{
    char n[EVS_NUM_LEN];
    if (!r->span && !r->nothing_to_do && !strcmp(r->state, "done") && !r->run_read)
        evs_cli_warn(cli, "nothing was left to read between the window's beginning and its end");
    if (r->null_keys)
        evs_cli_warn(cli, "%s events have no key and no place in this view: counted as skipped",
                     evs_num_commas(n, r->null_keys));
    if (r->split_keys)
        evs_cli_warn(cli,
                     "%s times a key was met on two partitions: the later timestamp decides, "
                     "then partition and offset",
                     evs_num_commas(n, r->split_keys));
    if (r->tombstones_filtered)
        evs_cli_warn(cli, "%s tombstones did not pass the filter: they deleted nothing",
                     evs_num_commas(n, r->tombstones_filtered));
    if (r->filter_faults)
        evs_cli_warn(cli, "%s events could not be judged by the filter and were not kept",
                     evs_num_commas(n, r->filter_faults));
    if (r->guarantee && !strcmp(r->guarantee, "at-least-once"))
        evs_cli_warn(cli, "at-least-once: this sink has no checkpoint");
}

void evs_cli_replay_report(const struct evs_cli *cli, const struct evs_plan *p,
                           const struct evs_report *r)
{
    if (cli->json) {
        EVS_AUTO(evs_buf) struct evs_buf out = EVS_BUF_INIT(JSON_CAP);
        struct evs_jsonw w;
        evs_jsonw_init(&w, &out);
        evs_jsonw_obj(&w, NULL);
        evs_report_json(r, &w);
        evs_jsonw_end(&w);
        say(p, &out, true);
    } else {
        print_text(p, r);
    }
    warn_of(cli, r);
}
