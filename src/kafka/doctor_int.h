/* doctor_int.h - what the files of doctor share.
 *
 * Threads, errors: doctor.h.   Owns  client and meta, ended by evs_doctor.
 */
#ifndef EVS_KAFKA_DOCTOR_INT_H
#define EVS_KAFKA_DOCTOR_INT_H

#include <stdbool.h>
#include <stdint.h>

#include "core/attr.h"
#include "kafka/doctor.h"
#include "kafka/meta.h"

struct evs_doctor {
    const struct evs_client_conf *conf;
    const struct evs_doctor_opts *opts;
    struct evs_client *client;
    struct evs_meta *meta;
    int64_t wait_ms;
    char host[256]; /* the bootstrap broker that stands */
    int port;
};

void evs_doctor_say(struct evs_doctor *d, const char *name, enum evs_step_state state,
                    const char *fix, const char *fmt, ...) EVS_PRINTF(5, 6);
void evs_doctor_clock(struct evs_doctor *d);
void evs_doctor_permissions(struct evs_doctor *d);
void evs_doctor_library(struct evs_doctor *d);
/* The linked librdkafka is older than this version. */
bool evs_doctor_library_before(int major, int minor, int patch);

#endif
