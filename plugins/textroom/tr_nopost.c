/* In the place of tr_post.c where there is no libcurl: rooms cannot have a `post`. */
#include "tr.h"

bool tr_post_is_there(void)
{
    return false;
}

void tr_post(const char *url, const json_t *event)
{
    (void)url, (void)event;
}

void tr_post_fini(void)
{
}
