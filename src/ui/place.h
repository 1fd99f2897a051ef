/* place.h - what a screen opens at: a topic, a partition in it, an offset, a key, a time window, a
 * group.
 *
 * Whatever is unknown is unset: NULL, -1. A screen takes what it needs and ignores the rest, so one
 * place can be carried through Topics, Keys, Messages and back.
 *
 * Units    offsets; epoch ms; windows half-open [from, to).   Threads  none.
 * Owns     copies of its texts; evs_place_done frees them.    Errors  none.   Cost  small copies.
 */
#ifndef EVS_UI_PLACE_H
#define EVS_UI_PLACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct evs_place {
    char *topic;
    char *group;
    char *job;  /* id of a job */
    char *text; /* search words, a rule, what the target screen reads */
    void *key;  /* record key, key_len bytes; NULL: none */
    size_t key_len;
    int32_t partition;         /* -1: all */
    int64_t offset, offset_to; /* -1: unset */
    int64_t from_ms, to_ms;    /* -1: unset */
    bool alone; /* Messages shows the record at offset alone, from where its value breaks off */
};
#define EVS_PLACE_INIT                                                                             \
    {                                                                                              \
        NULL, NULL, NULL, NULL, NULL, 0, -1, -1, -1, -1, -1, false                                 \
    }

void evs_place_set(char **field, const char *text); /* frees the old, copies the new; NULL unsets */
void evs_place_set_key(struct evs_place *p, const void *key, size_t len);
void evs_place_copy(struct evs_place *to,
                    const struct evs_place *from); /* to must be initialised */
void evs_place_done(struct evs_place *p);
bool evs_place_equal(const struct evs_place *a, const struct evs_place *b);

#endif
