/*
 * role.h - says in a prototype on which thread a function runs, and has it checked.
 *
 * clang's -Wthread-safety checks direct calls at compile time; builds with SL_DEBUG check at run
 * time too, which covers calls through function pointers. Callbacks begin with SL_ASSUME(role).
 *
 * A thread takes its role once, at its start: sl_role_enter(&sl_role_worker).
 */
#ifndef SL_BASE_ROLE_H
#define SL_BASE_ROLE_H

#if defined(__clang__)
#define SL_TSA(x) __attribute__((x))
#else
#define SL_TSA(x)
#endif

struct SL_TSA(capability("role")) sl_role {
    const char *name;
};

extern struct sl_role sl_role_control;   /* sessions, handles, plugins, JSON, SDP */
extern struct sl_role sl_role_worker;    /* N threads; each owns its peer connections */
extern struct sl_role sl_role_ice;       /* the one thread of all libnice agents */
extern struct sl_role sl_role_sctp;      /* the one thread of all data channels */
extern struct sl_role sl_role_transport; /* bytes to JSON and back */

#define SL_ON_CONTROL   SL_TSA(requires_capability(sl_role_control))
#define SL_ON_WORKER    SL_TSA(requires_capability(sl_role_worker))
#define SL_ON_ICE       SL_TSA(requires_capability(sl_role_ice))
#define SL_ON_SCTP      SL_TSA(requires_capability(sl_role_sctp))
#define SL_ON_TRANSPORT SL_TSA(requires_capability(sl_role_transport))

/* The calling thread plays @role until it ends or leaves it. One role per thread. To clang this is
 * an assertion, so that main functions need not leave the role before they return. */
void sl_role_enter(struct sl_role *role) SL_TSA(assert_capability(*role));
void sl_role_leave(struct sl_role *role) SL_TSA(release_capability(*role));

/* Declares inside a callback that @role is played here; aborts with a message in SL_DEBUG builds
 * if it is not. */
void sl_role_assume(struct sl_role *role) SL_TSA(assert_capability(*role));
#define SL_ASSUME(role) sl_role_assume(&sl_role_##role)

#endif
