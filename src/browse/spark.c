#include "browse/spark.h"

#include <math.h>
#include <string.h>

enum { SLOTS = EVS_SPARK + 1 };

void evs_spark_add(struct evs_spark *s, int64_t at_ms, int64_t counter)
{
    int64_t minute = at_ms / EVS_SPARK_MS;
    int64_t before = minute > 1 ? (minute - 1) % SLOTS : 0, at = minute % SLOTS;
    if ((s->minute[at] == minute && s->last[at] > counter) ||
        (s->minute[before] == minute - 1 && s->last[before] > counter))
        memset(s, 0, sizeof(*s));
    s->minute[at] = minute;
    s->last_ms[at] = at_ms;
    s->last[at] = counter;
}

void evs_spark_get(const struct evs_spark *s, int64_t at_ms, float to[EVS_SPARK])
{
    int64_t now = at_ms / EVS_SPARK_MS;
    for (int i = 0; i < EVS_SPARK; i++) {
        int64_t minute = now - EVS_SPARK + 1 + i;
        int64_t at = minute % SLOTS, before = (minute - 1) % SLOTS;
        int64_t span_ms = s->last_ms[at] - s->last_ms[before];
        bool known = minute > 1 && s->minute[at] == minute && s->minute[before] == minute - 1;
        to[i] = known && span_ms > 0
                    ? (float)((double)(s->last[at] - s->last[before]) * 1000 / (double)span_ms)
                    : NAN;
    }
}
