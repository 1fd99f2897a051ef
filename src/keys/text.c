/* A scan's snapshot for people: sentences first, figures after. */
#include <math.h>
#include <string.h>

#include "core/num.h"
#include "keys/print.h"

static const char *mark_of(enum evs_severity s)
{
    return s == EVS_SEV_CRITICAL ? "!! " : s == EVS_SEV_WARN ? "!  " : "   ";
}

static void findings(struct evs_buf *b, const struct evs_report *r)
{
    for (size_t i = 0; i < r->n; i++) {
        const struct evs_finding *f = &r->finding[i];
        evs_buf_printf(b, "%s%s\n", mark_of(f->severity), f->text);
        if (f->advice && f->severity > EVS_SEV_INFO)
            evs_buf_printf(b, "   -> %s\n", f->advice);
    }
    evs_heat_say(r->pattern, r->n_patterns, "   ", b);
}

static void partitioner_line(struct evs_buf *b, const struct evs_keyset *ks,
                             const struct evs_placement *pl)
{
    evs_buf_printf(b, "partitioner %s", pl->verdict);
    if (pl->main && !pl->second)
        for (int i = 0; evs_partitioners[i]; i++)
            if (evs_partitioners[i] == pl->main)
                evs_buf_printf(b, " for %.1f %% of the keys (by chance %.1f %%)",
                               100 * pl->match[i], 100.0 / ks->partitions);
    if (pl->second)
        evs_buf_printf(b, ": %.1f %% of the messages %s, %.1f %% %s", 100 * pl->main_records,
                       pl->main->name, 100 * pl->second_records, pl->second->name);
    if (pl->reason)
        evs_buf_printf(b, ": %s", pl->reason);
    evs_buf_printf(b, " - keys on several partitions %llu", (unsigned long long)ks->split_keys);
    if (pl->previous_partitions)
        evs_buf_printf(b, " - earlier partition count %d", (int)pl->previous_partitions);
    evs_buf_addc(b, '\n');
}

void evs_scan_summary(struct evs_buf *b, const struct evs_scan_sn *sn)
{
    const struct evs_keyset *ks = sn->ks;
    const struct evs_report *r = sn->report;
    char n1[EVS_NUM_LEN], n2[EVS_NUM_LEN], n3[EVS_NUM_LEN], n4[EVS_NUM_LEN];
    char took[EVS_NUM_LEN];
    evs_buf_printf(b, "%s messages, %s in %s, %d partition%s, %s",
                   evs_num_commas(n1, (int64_t)ks->messages), evs_num_bytes(n2, (double)ks->bytes),
                   evs_num_took(took, sn->elapsed_us / 1000), (int)ks->read,
                   ks->read == 1 ? "" : "s",
                   sn->sample  ? "sample"
                   : ks->exact ? "exact"
                               : "bounded");
    if (sn->sample || !sn->complete)
        evs_buf_printf(b, " %.1f %%", 100 * sn->covered);
    if (!ks->exact)
        evs_buf_printf(b, " (counts too high by at most %s)",
                       evs_num_commas(n3, (int64_t)ks->over));
    if (sn->state == EVS_SCAN_STOPPED)
        evs_buf_adds(b, ", stopped early");
    if (sn->troubled)
        evs_buf_printf(b, ", %d of %d partitions not read", (int)sn->troubled, (int)sn->wanted);
    evs_buf_addc(b, '\n');
    findings(b, r);
    if (sn->recent && sn->recent->messages) {
        evs_buf_printf(b, "\nlately, %s messages since %s\n",
                       evs_num_commas(n1, (int64_t)sn->recent->messages),
                       evs_num_moment(n2, sn->recent->first_ts, sn->now_ms, 1000));
        findings(b, sn->recent_report);
    }
    evs_buf_printf(b, "\ndistinct keys %s", evs_num_commas(n1, (int64_t)(ks->distinct + 0.5)));
    if (sn->sample)
        evs_buf_printf(b, " seen (at least %s in all)",
                       evs_num_commas(n2, (int64_t)(sn->distinct + 0.5)));
    if (ks->distinct_error > 0)
        evs_buf_printf(b, " +-%.1f %%", 100 * ks->distinct_error);
    evs_buf_printf(b, " - null keys %s - empty keys %s - tombstones %s\n",
                   evs_num_commas(n2, (int64_t)ks->null_keys),
                   evs_num_commas(n3, (int64_t)ks->empty_keys),
                   evs_num_commas(n4, (int64_t)ks->tombstones));
    evs_buf_printf(b,
                   "works as %.1f of %d partitions - max/mean %.2f (bytes %.2f) - CV %.2f - "
                   "Gini %.2f\n",
                   r->messages.effective, (int)ks->read, r->messages.max_over_mean,
                   r->bytes.max_over_mean, r->messages.cv, r->messages.gini);
    partitioner_line(b, ks, &r->placement);
    char s1[EVS_NUM_LEN], s2[EVS_NUM_LEN], s3[EVS_NUM_LEN];
    evs_buf_printf(b, "value sizes: half under %s, 99 %% under %s, largest %s\n",
                   evs_num_bytes(s1, evs_quantile_at(&ks->value_size, 0.5)),
                   evs_num_bytes(s2, evs_quantile_at(&ks->value_size, 0.99)),
                   evs_num_bytes(s3, (double)evs_quantile_max(&ks->value_size)));
}
