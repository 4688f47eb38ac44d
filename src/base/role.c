#include "base/role.h"
#include <stdio.h>
#include <stdlib.h>

struct sl_role sl_role_control = { "control" };
struct sl_role sl_role_worker = { "worker" };
struct sl_role sl_role_ice = { "ice" };
struct sl_role sl_role_sctp = { "sctp" };
struct sl_role sl_role_transport = { "transport" };

#ifdef SL_DEBUG
static _Thread_local const struct sl_role *role_now;

static const char *role_name(const struct sl_role *role)
{
    return role ? role->name : "no role";
}

static _Noreturn void role_wrong(const char *what, const struct sl_role *role)
{
    (void)fprintf(stderr, "role: %s %s on a thread that plays %s\n", what, role->name,
                  role_name(role_now));
    abort();
}
#endif

SL_TSA(no_thread_safety_analysis)
void sl_role_enter(struct sl_role *role)
{
#ifdef SL_DEBUG
    if (role_now)
        role_wrong("entering", role);
    role_now = role;
#else
    (void)role;
#endif
}

SL_TSA(no_thread_safety_analysis)
void sl_role_leave(struct sl_role *role)
{
#ifdef SL_DEBUG
    if (role_now != role)
        role_wrong("leaving", role);
    role_now = NULL;
#else
    (void)role;
#endif
}

void sl_role_assume(struct sl_role *role)
{
#ifdef SL_DEBUG
    if (role_now != role)
        role_wrong("assuming", role);
#else
    (void)role;
#endif
}
