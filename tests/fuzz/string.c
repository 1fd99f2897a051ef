/* string.c - what fuzz targets share. */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

char *evs_fuzz_string(const uint8_t *data, size_t size)
{
    char *s = malloc(size + 1);

    assert(s);
    memcpy(s, data, size);
    s[size] = '\0';
    return s;
}
