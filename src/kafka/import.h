/* import.h - other clients' configurations: kcat's names as they are, Java's translated.
 *
 * Java's sasl.jaas.config becomes user name and password (PLAIN, SCRAM), keytab and principal
 * (GSSAPI) or the OAuth settings; PEM stores become the ssl.* locations; a PKCS#12 key store is
 * used as it is. What only matters to Java (serializers, buffers, ...) is left out and listed.
 *
 * Threads  any.   Owns  nothing.   Cost  O(items).
 * Errors   EVS_INVALID "client.properties:7: ..." with the command that converts a JKS store.
 */
#ifndef EVS_KAFKA_IMPORT_H
#define EVS_KAFKA_IMPORT_H

#include "core/buf.h"
#include "core/conf.h"
#include "core/err.h"
#include "kafka/client.h"

/* topic.acks is kcat's way to name a topic's property acks; librdkafka's own names that begin so
 * (topic.metadata.refresh.interval.ms, topic.blacklist) stay whole. */
const char *evs_import_name(const char *name);
/* Sets to's properties with their origins. ignored (may be NULL): names left out, ", " between. */
enum evs_rc evs_import(const struct evs_conf *conf, struct evs_client_conf *to,
                       struct evs_buf *ignored, struct evs_err *err) EVS_MUST_USE;

#endif
