#include "stats/partitioner.h"

#include <string.h>

const struct evs_partitioner *const evs_partitioners[EVS_PARTITIONERS + 1] = {
    &evs_partitioner_murmur2, &evs_partitioner_crc32, &evs_partitioner_fnv1a,
    &evs_partitioner_fnv1a_reference, NULL};

const struct evs_partitioner *evs_partitioner_find(const char *name)
{
    for (int i = 0; evs_partitioners[i]; i++)
        if (strcmp(evs_partitioners[i]->name, name) == 0)
            return evs_partitioners[i];
    return NULL;
}
