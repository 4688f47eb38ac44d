#include "api/api_error.h"
#include "base/opt.h"

static const struct {
    int code;
    const char *text;
} errors[] = {
    { SL_API_UNAUTHORIZED, "Unauthorized request (wrong or missing secret/token)" },
    { SL_API_UNAUTHORIZED_PLUGIN, "Unauthorized access to plugin (token is not allowed to)" },
    { SL_API_TRANSPORT, "Transport specific error" },
    { SL_API_MISSING_REQUEST, "Missing request" },
    { SL_API_UNKNOWN_REQUEST, "Unknown request" },
    { SL_API_INVALID_JSON, "Invalid JSON" },
    { SL_API_INVALID_JSON_OBJECT, "Invalid JSON Object" },
    { SL_API_MISSING_ELEMENT, "Missing mandatory element" },
    { SL_API_INVALID_PATH, "Invalid path for this request" },
    { SL_API_NO_SESSION, "Session not found" },
    { SL_API_NO_HANDLE, "Handle not found" },
    { SL_API_NO_PLUGIN, "Plugin not found" },
    { SL_API_PLUGIN_ATTACH, "Error attaching plugin" },
    { SL_API_PLUGIN_MESSAGE, "Error sending message to plugin" },
    { SL_API_PLUGIN_DETACH, "Error detaching from plugin" },
    { SL_API_JSEP_TYPE, "Unsupported JSEP type" },
    { SL_API_INVALID_SDP, "Invalid SDP" },
    { SL_API_INVALID_STREAM, "Invalid stream" },
    { SL_API_INVALID_TYPE, "Invalid element type" },
    { SL_API_SESSION_CONFLICT, "Session ID already in use" },
    { SL_API_UNEXPECTED_ANSWER, "Unexpected ANSWER (no OFFER)" },
    { SL_API_NO_TOKEN, "Token not found" },
    { SL_API_WRONG_STATE, "Wrong WebRTC state" },
    { SL_API_NOT_ACCEPTING, "Currently not accepting new sessions" },
    { SL_API_UNKNOWN, "Unknown error" },
};

const char *sl_api_error_to_str(int code)
{
    for (size_t i = 0; i < SL_COUNT(errors); i++) {
        if (errors[i].code == code)
            return errors[i].text;
    }
    return "Unknown error";
}
