/* keys_text.h - a key scan as text for people.
 *
 * Threads  main.   Owns  nothing.   Errors  none: what cannot be written is told at the end.
 */
#ifndef EVS_CLI_KEYS_TEXT_H
#define EVS_CLI_KEYS_TEXT_H

#include <stddef.h>

#include "keys/scan.h"

/* top: how many hot keys. */
void evs_keys_text(const struct evs_scan_sn *sn, size_t top);

#endif
