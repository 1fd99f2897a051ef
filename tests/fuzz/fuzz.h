/* fuzz.h - the entry point that every fuzz_<parser>.c defines.
 *
 * The same function serves libFuzzer (./dev fuzz) and replay.c, which make check runs: the corpus
 * in tests/fuzz/corpus/<parser>/ and a fixed number of seeded mutations of it. Invariants are
 * assert()ed; any bytes are fine as input.
 *
 * Threads  none.
 */
#ifndef EVS_TESTS_FUZZ_H
#define EVS_TESTS_FUZZ_H

#undef NDEBUG
#include <assert.h>
#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The input as a C string: a copy, cut at its first NUL. The caller frees. */
char *evs_fuzz_string(const uint8_t *data, size_t size);

#endif
