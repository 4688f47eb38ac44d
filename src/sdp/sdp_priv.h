/*
 * sdp_priv.h - between the files of the parser.
 */
#ifndef SL_SDP_PRIV_H
#define SL_SDP_PRIV_H

#include "sdp/sdp.h"

struct sdp_parser {
    struct sl_arena *arena;
    struct sl_sdp *sdp;
    struct sl_sdp_section *section; /* the one that lines go to */
    unsigned line;                  /* number of the current line, from 1 */
    size_t nattrs;                  /* of the current section */
    char *err;
};

/* Takes "name" or "name:value" (changed in place). 0; -EBADMSG with the error set; -ENOMEM. */
int sdp_attr_parse(struct sdp_parser *p, char *text);
/* Sets the error text and returns -EBADMSG. */
int sdp_fail(struct sdp_parser *p, const char *what);
/* A decimal number of digits alone, at most @max. */
bool sdp_number(const char *text, uint64_t max, uint64_t *out);
/* Cuts the next word off *@text at blanks; NULL when there is none. */
char *sdp_word(char **text);

#endif
