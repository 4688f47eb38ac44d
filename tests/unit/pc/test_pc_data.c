/* What control tells of data channels, with an SCTP thread that is played: its functions are
 * wrapped (see api.am). */
#include "tests/unit/test_cmocka.h"

#include "pc/pc_priv.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ID sl_id_make(0, 0, 1)

static struct {
    struct sl_cq cq;
    struct sl_pc_world world;
    struct sl_pc_slots slots;
    struct sl_pc_slot slot;
    struct sl_pc pc;
    uint32_t gen;
    /* The played thread. */
    const struct sl_sctp_cb *cb;
    void *arg;
    unsigned int opened, closed;
    size_t consumed;
    char told[256]; /* by the callbacks of the peer connection */
} F;

int __wrap_sl_sctp_create(const struct sl_sctp_conf *conf, const struct sl_sctp_cb *cb, void *arg,
                          struct sl_sctp **out);
void __wrap_sl_sctp_open(struct sl_sctp *s, sl_id pc, const struct sl_sctp_open *o);
void __wrap_sl_sctp_close(struct sl_sctp *s, sl_id pc);
void __wrap_sl_sctp_consumed(struct sl_sctp *s, sl_id pc, size_t charge);

int __wrap_sl_sctp_create(const struct sl_sctp_conf *conf, const struct sl_sctp_cb *cb, void *arg,
                          struct sl_sctp **out)
{
    (void)conf;
    F.cb = cb;
    F.arg = arg;
    *out = (struct sl_sctp *)&F; /* nobody looks into it */
    return 0;
}

void __wrap_sl_sctp_open(struct sl_sctp *s, sl_id pc, const struct sl_sctp_open *o)
{
    (void)s, (void)o;
    assert_int_equal(pc, ID);
    F.opened++;
}

void __wrap_sl_sctp_close(struct sl_sctp *s, sl_id pc)
{
    (void)s;
    assert_int_equal(pc, ID);
    F.closed++;
}

void __wrap_sl_sctp_consumed(struct sl_sctp *s, sl_id pc, size_t charge)
{
    (void)s;
    assert_int_equal(pc, ID);
    F.consumed += charge;
}

static void tell(const char *what, const char *label, const char *text)
{
    size_t n = strlen(F.told);

    snprintf(F.told + n, sizeof(F.told) - n, "%s(%s%s) ", what, label, text);
}

static void on_open(void *arg, const char *label, const char *protocol)
{
    (void)arg, (void)protocol;
    tell("open", label, "");
}

static void on_close(void *arg, const char *label, const char *protocol)
{
    (void)arg, (void)protocol;
    tell("close", label, "");
}

static void on_data(void *arg, const struct sl_pc_message *m)
{
    (void)arg;
    tell("data", m->label, m->data);
}

static uint32_t no_dice(void *arg)
{
    (void)arg;
    return 4;
}

static int setup(void **state)
{
    static const struct sl_jsep_conf jc = { "test", 1, no_dice, NULL };

    (void)state;
    sl_role_enter(&sl_role_control);
    memset(&F, 0, sizeof(F));
    if (sl_cq_init(&F.cq, 1) || sl_jsep_create(&jc, &F.pc.jsep))
        return -1;
    F.gen = 1;
    F.slot.pc = &F.pc;
    F.slots.slot = &F.slot;
    F.slots.gen = &F.gen;
    F.slots.n = 1;
    F.world.cq = &F.cq;
    F.world.slots = &F.slots;
    F.world.nworkers = 1;
    F.pc.world = &F.world;
    F.pc.id = ID;
    F.pc.is_up = true;
    F.pc.cb.data_open = on_open;
    F.pc.cb.data_close = on_close;
    F.pc.cb.data = on_data;
    return sl_pc_data_start(&F.world, 1100);
}

static int teardown(void **state)
{
    (void)state;
    SL_ASSUME(control);
    sl_cq_fini(&F.cq);
    sl_jsep_destroy(F.pc.jsep);
    sl_role_leave(&sl_role_control);
    return 0;
}

/* A round with a data m-line; @port 0: it was rejected. */
static void agree(uint16_t port) SL_ON_CONTROL
{
    struct sl_media *m = calloc(1, sizeof(*m) + sizeof(m->line[0]));

    m->n = 1;
    m->line[0].kind = SL_KIND_DATA;
    m->line[0].sctp_port = port;
    sl_pc_data_agree(&F.pc, m);
    free(m);
}

static void run(void) SL_ON_CONTROL
{
    sl_cq_run(&F.cq, 2);
}

static const struct sl_sctp_channel chat = { .label = "chat", .protocol = "" };

static void a_line_that_is_rejected_closes_its_channels(void **state)
{
    (void)state;
    SL_ASSUME(control);
    agree(5000);
    assert_int_equal(F.opened, 1);
    F.cb->channel_open(F.arg, ID, &chat);
    F.cb->message(F.arg, ID, &chat, false, (const uint8_t *)"1", 1);
    run();
    assert_string_equal(F.told, "open(chat) data(chat1) ");
    agree(0);
    assert_int_equal(F.closed, 1);
    /* What was under way, and what the end of the association tells. */
    F.cb->message(F.arg, ID, &chat, false, (const uint8_t *)"2", 1);
    F.cb->channel_closed(F.arg, ID, &chat);
    run();
    assert_string_equal(F.told, "open(chat) data(chat1) close(chat) ");
    assert_int_equal(sl_pc_data_pause(&F.pc, true), -ENOTCONN);
}

static void a_line_that_comes_back_has_a_new_association(void **state)
{
    (void)state;
    SL_ASSUME(control);
    agree(5000);
    agree(5000); /* the same one */
    assert_int_equal(F.opened, 1);
    agree(0);
    agree(5000);
    assert_int_equal(F.opened, 1); /* not before the old one has told all */
    F.cb->message(F.arg, ID, &chat, false, (const uint8_t *)"old", 3);
    F.cb->down(F.arg, ID, "closed");
    run();
    assert_int_equal(F.opened, 2);
    F.cb->message(F.arg, ID, &chat, false, (const uint8_t *)"new", 3);
    run();
    assert_string_equal(F.told, "data(chatnew) ");
}

static void nor_does_the_end_of_the_old_one_stand_in_its_way(void **state)
{
    (void)state;
    SL_ASSUME(control);
    agree(5000);
    F.cb->down(F.arg, ID, "by the peer");
    run();
    agree(5000);
    assert_int_equal(F.opened, 1); /* it ended, and its m-line still stands */
    agree(0);
    assert_int_equal(F.closed, 1);
    agree(5000);
    assert_int_equal(F.opened, 2);
    assert_int_equal(sl_pc_data_pause(&F.pc, true), 0);
}

static void a_channel_that_opens_meanwhile_is_told_both_ways(void **state)
{
    (void)state;
    SL_ASSUME(control);
    agree(5000);
    F.cb->channel_open(F.arg, ID, &chat);
    agree(0);
    F.cb->channel_closed(F.arg, ID, &chat);
    run();
    assert_string_equal(F.told, "open(chat) close(chat) ");
}

static void nobody_is_told_after_the_end(void **state)
{
    (void)state;
    SL_ASSUME(control);
    agree(5000);
    F.cb->channel_open(F.arg, ID, &chat);
    run();
    sl_pc_data_fini(&F.pc);
    F.slot.pc = NULL;
    F.cb->channel_closed(F.arg, ID, &chat);
    run();
    assert_string_equal(F.told, "open(chat) ");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_line_that_is_rejected_closes_its_channels, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_line_that_comes_back_has_a_new_association, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(nor_does_the_end_of_the_old_one_stand_in_its_way, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_channel_that_opens_meanwhile_is_told_both_ways, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(nobody_is_told_after_the_end, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
