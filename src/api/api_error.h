/*
 * api_error.h - the numbers and default texts of the JSON API, in one table.
 *
 * Spec: control protocol, section 4. Clients show the text and decide by the number.
 */
#ifndef SL_API_ERROR_H
#define SL_API_ERROR_H

enum sl_api_error {
    SL_API_UNAUTHORIZED = 403,
    SL_API_UNAUTHORIZED_PLUGIN = 405,
    SL_API_TRANSPORT = 450,
    SL_API_MISSING_REQUEST = 452,
    SL_API_UNKNOWN_REQUEST = 453,
    SL_API_INVALID_JSON = 454,
    SL_API_INVALID_JSON_OBJECT = 455,
    SL_API_MISSING_ELEMENT = 456,
    SL_API_INVALID_PATH = 457,
    SL_API_NO_SESSION = 458,
    SL_API_NO_HANDLE = 459,
    SL_API_NO_PLUGIN = 460,
    SL_API_PLUGIN_ATTACH = 461,
    SL_API_PLUGIN_MESSAGE = 462,
    SL_API_PLUGIN_DETACH = 463,
    SL_API_JSEP_TYPE = 464,
    SL_API_INVALID_SDP = 465,
    SL_API_INVALID_STREAM = 466,
    SL_API_INVALID_TYPE = 467,
    SL_API_SESSION_CONFLICT = 468,
    SL_API_UNEXPECTED_ANSWER = 469,
    SL_API_NO_TOKEN = 470,
    SL_API_WRONG_STATE = 471,
    SL_API_NOT_ACCEPTING = 472,
    SL_API_UNKNOWN = 490,
};

/* The default reason; "Unknown error" for numbers that the table does not have. */
const char *sl_api_error_to_str(int code);

#endif
