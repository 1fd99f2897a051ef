/* A record of __consumer_offsets: its texts lie inside the key, whatever the bytes. The first byte
 * splits key from value. */
#include "fuzz.h"

#include "lag/commits.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct evs_commit c;
    if (!size)
        return 0;
    size_t key_len = data[0] < size ? data[0] : size - 1, value_len = size - 1 - key_len;
    const uint8_t *key = data + 1;
    enum evs_commit_kind kind =
        evs_commit_decode(key, key_len, value_len ? key + key_len : NULL, value_len, &c);
    if (kind != EVS_COMMIT_OFFSET && kind != EVS_COMMIT_REMOVED)
        return 0;
    assert((const uint8_t *)c.group >= key && c.group + c.group_len <= (const char *)key + key_len);
    assert((const uint8_t *)c.topic >= key && c.topic + c.topic_len <= (const char *)key + key_len);
    assert(c.partition >= 0);
    return 0;
}
