/* fuzz_conf.c - any file: it parses or says the line; what parsed is imported or says why. */
#include "core/conf.h"
#include "fuzz.h"
#include "kafka/import.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct evs_conf conf;
    struct evs_err err = EVS_ERR_INIT;
    if (evs_conf_parse((const char *)data, size, "f", &conf, &err)) {
        assert(err.msg[0]);
        return 0;
    }
    for (size_t i = 0; i < conf.n; i++)
        assert(conf.items[i].line > 0 &&
               evs_conf_find(&conf, conf.items[i].section, conf.items[i].name));
    struct evs_client_conf to;
    EVS_AUTO(evs_buf) struct evs_buf ignored = EVS_BUF_INIT(1 << 20);
    evs_client_conf_init(&to);
    if (conf.kind != EVS_CONF_OWN && evs_import(&conf, &to, &ignored, &err))
        assert(err.msg[0]);
    evs_client_conf_done(&to);
    evs_conf_done(&conf);
    return 0;
}
