/* distinct.c - what a key scan of very many distinct keys keeps, without a broker: the tables and
 * the key set alone, as two readers would fill them.
 *
 *   distinct KEYS [MEMORY-BYTES]
 *
 * Prints one line of JSON: the peak of the process, so the rest of a real scan's memory is
 * librdkafka's queues.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "keys/diagnose.h"
#include "keys/keyset.h"
#include "keys/whatif.h"

enum { PARTITIONS = 12, READERS = 2 };

static long peak_kib(void)
{
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return u.ru_maxrss;
}

int main(int argc, char **argv)
{
    long long keys = argc > 1 ? strtoll(argv[1], NULL, 10) : 100000000;
    size_t memory = argc > 2 ? strtoull(argv[2], NULL, 10) : (size_t)256 << 20;
    size_t each = memory / 8 * 5 / READERS; /* as keys/scan.c deals it */
    struct evs_keytab *t[READERS];
    struct evs_key_room *room = evs_key_room_new(READERS, each);

    for (size_t i = 0; i < READERS; i++) {
        t[i] = evs_keytab_new(PARTITIONS, each, 256, 1);
        evs_key_room_lend(room, i, t[i]);
    }
    for (long long k = 0; k < keys; k++) {
        char key[32];
        struct evs_key_rec r = {.key = key, .value_len = 120, .offset = k / PARTITIONS};
        r.partition = (int32_t)(k % PARTITIONS);
        r.key_len = (size_t)snprintf(key, sizeof(key), "order-%010lld", k);
        r.ts_ms = 1700000000000 + k / 100;
        evs_keytab_add(t[k % READERS], &r);
        if (k % 4096 == 0)
            for (size_t i = 0; i < READERS; i++)
                evs_keytab_prepare(t[i]);
    }
    long tables = peak_kib();
    struct evs_keyset *ks = evs_keyset_in(room, t, READERS, 20);
    struct evs_report *r = evs_report_new(ks, 1700000000000, false);
    struct evs_whatifs *w = evs_whatif_all(ks, r, EVS_WHATIF_TARGET, NULL, 0);
    printf("{\"keys\":%lld,\"estimate\":%.0f,\"error\":%.5f,\"listed\":%zu,\"bound\":%llu,"
           "\"tables_mib\":%.1f,\"peak_mib\":%.1f}\n",
           keys, ks->distinct, ks->distinct_error, ks->n, (unsigned long long)ks->over,
           (double)tables / 1024, (double)peak_kib() / 1024);
    evs_whatifs_free(w);
    evs_report_free(r);
    evs_keyset_free(ks);
    evs_key_room_free(room);
    for (int i = 0; i < READERS; i++)
        evs_keytab_free(t[i]);
    return 0;
}
