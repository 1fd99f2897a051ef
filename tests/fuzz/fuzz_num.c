/* fuzz_num.c - numbers, sizes, durations and times as people type them; the formatters. */
#include <stdlib.h>
#include <string.h>

#include "core/err.h"
#include "core/num.h"
#include "fuzz.h"

static void formatters(int64_t v)
{
    char to[EVS_NUM_LEN];
    char *(*const of_int[])(char *, int64_t) = {evs_num_commas, evs_num_ago, evs_num_iso,
                                                evs_num_zone};
    char *(*const of_double[])(char *, double) = {evs_num_human, evs_num_bytes, evs_num_share,
                                                  evs_num_ratio};

    for (size_t i = 0; i < sizeof(of_int) / sizeof(of_int[0]); i++)
        assert(strlen(of_int[i](to, v)) < EVS_NUM_LEN);
    for (size_t i = 0; i < sizeof(of_double) / sizeof(of_double[0]); i++)
        assert(strlen(of_double[i](to, (double)v)) < EVS_NUM_LEN);
    assert(strlen(evs_num_clock(to, v, 0)) < EVS_NUM_LEN);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *s = evs_fuzz_string(data, size);
    struct evs_err err = EVS_ERR_INIT;
    int64_t v = -1;
    double d;

    if (!evs_num_i64(s, -100, 100, &v, &err))
        assert(v >= -100 && v <= 100);
    else
        assert(err.code == EVS_INVALID && err.msg[0] && strlen(err.msg) < sizeof(err.msg));
    if (!evs_num_size(s, &v, &err))
        assert(v >= 0);
    if (!evs_num_duration(s, &v, &err))
        assert(v >= 0);
    if (!evs_num_time(s, 1700000000000, &v, &err))
        formatters(v);
    if (!evs_num_double(s, &d, &err))
        assert(d == d);
    if (size >= sizeof(v)) {
        memcpy(&v, data, sizeof(v));
        formatters(v);
    }
    free(s);
    return 0;
}
