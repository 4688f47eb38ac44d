/* A list of lines: candidates that wait, or are kept for the administrator. */
#include "pc/pc_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int sl_pc_texts_add(struct sl_pc_texts *t, const char *text)
{
    char **list, *copy;

    if (t->n == SL_PC_CANDS_MAX)
        return -ENOSPC;
    list = realloc(t->text, (t->n + 1) * sizeof(*list));
    if (!list)
        return -ENOMEM;
    t->text = list;
    copy = strdup(text);
    if (!copy)
        return -ENOMEM;
    t->text[t->n++] = copy;
    return 0;
}

void sl_pc_texts_clear(struct sl_pc_texts *t)
{
    while (t->n)
        free(t->text[--t->n]);
    free(t->text);
    t->text = NULL;
}
