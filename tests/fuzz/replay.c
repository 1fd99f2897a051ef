/* replay.c - main() of the fuzz programs in make check: the corpus, then seeded mutations of it.
 *
 *   fuzz_NAME [FILE...]     these files; without any, corpus/NAME and the mutations
 *
 * Environment: EVS_FUZZ_SEED (printed), EVS_FUZZ_RUNS (mutations, 20000), srcdir.
 */
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "fuzz.h"

enum { INPUT_CAP = 65536, CORPUS_CAP = 1024 };

static struct input {
    uint8_t *data;
    size_t size;
} corpus[CORPUS_CAP];
static size_t corpus_n;
static struct input now; /* what runs, for the crash handler */

static uint64_t next_random(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15ULL; /* splitmix64 */

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
}

/* Leaves the input that did it beside the log. */
static void crashed(int sig)
{
    FILE *f = fopen("fuzz-crash.bin", "wb");

    if (f) {
        fwrite(now.data, 1, now.size, f);
        fclose(f);
        fputs("the input is in fuzz-crash.bin\n", stderr);
    }
    signal(sig, SIG_DFL);
    raise(sig);
}

static void run(struct input in)
{
    now = in;
    LLVMFuzzerTestOneInput(in.data, in.size);
}

static void load(const char *path)
{
    FILE *f = fopen(path, "rb");

    if (!f) {
        perror(path);
        exit(1);
    }
    struct input in = {.data = malloc(INPUT_CAP)};
    assert(in.data && corpus_n < CORPUS_CAP);
    in.size = fread(in.data, 1, INPUT_CAP, f);
    fclose(f);
    corpus[corpus_n++] = in;
}

static void load_folder(const char *program)
{
    char folder[2048], path[4096];
    const char *name = strstr(program, "fuzz_");
    const char *srcdir = getenv("srcdir");

    for (const char *later = name; later; later = strstr(later + 1, "fuzz_"))
        name = later;
    snprintf(folder, sizeof(folder), "%s/tests/fuzz/corpus/%s", srcdir ? srcdir : ".",
             name ? name + 5 : program);
    DIR *d = opendir(folder);
    if (!d) {
        perror(folder);
        exit(1);
    }
    for (struct dirent *e; (e = readdir(d));) {
        snprintf(path, sizeof(path), "%s/%s", folder, e->d_name);
        if (e->d_name[0] != '.')
            load(path);
    }
    closedir(d);
}

/* One of: flip, overwrite, insert, delete, splice with another input; one to eight times. */
static size_t mutate(uint8_t *to, const struct input *from, uint64_t *random)
{
    static const char tricky[] = "\x00\x01\x1b\x7f\x80\xc2\xe2\xf4\xff\"\\{}[]:,.-0918eE%()*/ ";
    size_t size = from->size;

    memcpy(to, from->data, size);
    for (uint64_t n = 1 + next_random(random) % 8; n; n--) {
        uint64_t r = next_random(random);
        size_t at = size ? (r >> 16) % size : 0;
        const struct input *other = &corpus[(r >> 40) % corpus_n];
        size_t take = other->size ? (r >> 8) % (other->size + 1) : 0;
        if (r % 5 == 0 && size) {
            to[at] ^= (uint8_t)(1u << (r >> 60) % 8);
        } else if (r % 5 == 1 && size) {
            to[at] = (uint8_t)tricky[(r >> 48) % sizeof(tricky)];
        } else if (r % 5 == 2 && size < INPUT_CAP) {
            memmove(to + at + 1, to + at, size - at);
            to[at] = (uint8_t)tricky[(r >> 48) % sizeof(tricky)];
            size++;
        } else if (r % 5 == 3 && size) {
            memmove(to + at, to + at + 1, size - at - 1);
            size--;
        } else if (at + take <= INPUT_CAP) {
            memcpy(to + at, other->data, take);
            size = at + take;
        }
    }
    return size;
}

int main(int argc, char **argv)
{
    const char *runs = getenv("EVS_FUZZ_RUNS"), *seed = getenv("EVS_FUZZ_SEED");
    uint64_t random = seed ? strtoull(seed, NULL, 10) : (uint64_t)time(NULL);

    for (int i = 1; i < argc; i++)
        load(argv[i]);
    if (argc == 1)
        load_folder(argv[0]);
    printf("EVS_FUZZ_SEED=%llu, %zu inputs\n", (unsigned long long)random, corpus_n);
    fflush(stdout);
    assert(corpus_n > 0);
    signal(SIGABRT, crashed);
    signal(SIGSEGV, crashed);
    for (size_t i = 0; i < corpus_n; i++)
        run(corpus[i]);
    struct input in = {.data = malloc(INPUT_CAP)};
    assert(in.data);
    for (long n = argc > 1 ? 0 : runs ? atol(runs) : 20000; n > 0; n--) {
        in.size = mutate(in.data, &corpus[next_random(&random) % corpus_n], &random);
        run(in);
    }
    free(in.data);
    for (size_t i = 0; i < corpus_n; i++)
        free(corpus[i].data);
    return 0;
}
