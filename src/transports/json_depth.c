#include "transports/json_depth.h"

bool sl_json_depth_is_ok(const char *text, size_t len, unsigned int max)
{
    bool in_string = false;
    unsigned int depth = 0;

    for (size_t i = 0; i < len; i++) {
        char c = text[i];

        if (in_string && c == '\\')
            i++; /* what follows ends no string */
        else if (c == '"')
            in_string = !in_string;
        else if (!in_string && (c == '{' || c == '[') && ++depth > max)
            return false;
        else if (!in_string && (c == '}' || c == ']') && depth)
            depth--;
    }
    return true;
}
