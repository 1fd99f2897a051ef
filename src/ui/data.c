#include "ui/data.h"

#include "ui/app.h"

const char *evs_data_topic_name(const struct evs_ui *ui, size_t i)
{
    (void)ui;
    (void)i;
    return NULL;
}

bool evs_data_has_topic(const struct evs_ui *ui, const char *name)
{
    (void)ui;
    (void)name;
    return false;
}
