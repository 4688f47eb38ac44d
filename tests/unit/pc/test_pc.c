/* The control half of peer connections with real workers on loopback: rounds, failures, ids. */
#include "pc_fix.h"

/* ---- tests ----------------------------------------------------------------------------------- */

static void an_offer_is_answered_and_the_client_connects(void **state)
{
    struct sl_jsep_in in;
    struct rtc_client c;
    struct sl_pc *pc;

    (void)state;
    SL_ASSUME(control);
    pc = create();
    assert_int_equal(set_remote(pc, fix.offer, &in), 0);
    assert_false(sl_pc_is_negotiated(pc));
    assert_int_equal(answer(pc, &in), 0);
    assert_int_equal(fix.ndone, 1); /* a lite agent has nothing to wait for */
    assert_true(sl_pc_is_negotiated(pc));
    connect_client(&c, 0);
    assert_int_equal(fix.nup, 1);
    assert_true(sl_pc_is_up(pc));
    sl_pc_destroy(pc);
    turn(50);
    sl_role_leave(&sl_role_control);
    sl_role_enter(&sl_role_worker);
    for (int i = 0; i < 6000 && c.state != SL_DTLS_CLOSED; i++)
        rtc_poll(&c, 5);
    assert_int_equal(c.state, SL_DTLS_CLOSED); /* close_notify came */
    rtc_fini(&c);
    sl_role_leave(&sl_role_worker);
    sl_role_enter(&sl_role_control);
    assert_int_equal(fix.ndown, 0); /* our own wish is silent */
}

static void a_slot_is_used_again_only_when_the_worker_is_done(void **state)
{
    struct sl_pc *pc;
    uint32_t before;
    sl_id id;

    (void)state;
    SL_ASSUME(control);
    pc = create(); /* the worker never heard of it */
    before = nfree();
    id = pc->id;
    assert_ptr_equal(sl_pc_world_find(fix.world, id), pc);
    sl_pc_destroy(pc);
    assert_null(sl_pc_world_find(fix.world, id));
    assert_int_equal(nfree(), before);
    wait_free(before + 1);
    pc = create();
    assert_int_equal(sl_id_slot(pc->id), sl_id_slot(id));
    assert_int_not_equal(pc->id, id);
    sl_pc_destroy(pc);
    turn(60);
}

static void refused_by_its_worker_it_goes_down_once_and_frees_its_slot_once(void **state)
{
    struct sl_jsep_in in;
    struct sl_wmsg *m;
    struct sl_pc *pc;
    uint32_t before;

    (void)state;
    SL_ASSUME(control);
    pc = create();
    before = nfree();
    m = sl_wmsg_new(SL_WMSG_PC_OPEN, pc->id, 0); /* so that its own finds the slot taken */
    m->open.lite = true;
    sl_ice_creds_make(0, &m->open.local);
    sl_pc_world_post(fix.world, m);
    assert_int_equal(set_remote(pc, fix.offer, &in), 0);
    assert_int_equal(answer(pc, &in), 0);
    for (int i = 0; i < 6000 && !fix.ndown; i++)
        turn(5);
    assert_int_equal(fix.ndown, 1);
    sl_pc_destroy(pc);
    wait_free(before + 1);
    assert_int_equal(fix.ndown, 1);
}

/* What its worker did until now, when that is more than @turns: it tells once a second. */
static json_t *loops_after(json_int_t turns) SL_ON_CONTROL
{
    json_t *loops = sl_pc_world_loops(fix.world);

    for (int i = 0; i < 6000; i++) {
        if (json_integer_value(json_object_get(json_array_get(loops, 0), "turns")) > turns)
            break;
        json_decref(loops);
        turn(5);
        loops = sl_pc_world_loops(fix.world);
    }
    return loops;
}

static void the_administrator_sees_what_a_worker_did(void **state)
{
    json_t *loops, *loop, *again;

    (void)state;
    SL_ASSUME(control);
    loops = loops_after(0);
    assert_int_equal(json_array_size(loops), 1);
    loop = json_array_get(loops, 0);
    assert_int_equal(json_integer_value(json_object_get(loop, "id")), 0);
    assert_int_equal(json_integer_value(json_object_get(loop, "handles")),
                     fix.world->slots[0].live);
    assert_true(json_integer_value(json_object_get(loop, "turns")) > 0);
    assert_true(json_integer_value(json_object_get(loop, "cpu_us")) > 0);
    assert_non_null(json_object_get(json_object_get(loop, "send"), "packets_per_message"));
    assert_non_null(json_object_get(json_object_get(loop, "latency"), "p99_us"));
    again = loops_after(json_integer_value(json_object_get(loop, "turns")));
    assert_true(json_integer_value(json_object_get(json_array_get(again, 0), "turns")) >
                json_integer_value(json_object_get(loop, "turns")));
    json_decref(again);
    json_decref(loops);
}

static void a_bad_transport_changes_nothing(void **state)
{
    struct sl_jsep_in in;
    struct sl_pc *pc;
    char *bad = strdup(fix.offer);

    (void)state;
    SL_ASSUME(control);
    pc = create();
    patch(bad, "a=fingerprint:sha-256", "a=fingerprint:sha-999");
    assert_int_equal(set_remote(pc, bad, &in), -EBADMSG);
    assert_false(pc->is_open);
    assert_int_equal(pc->remote_cands.n, 0);
    assert_int_equal(set_remote(pc, "v=0", &in), -EBADMSG);
    assert_int_equal(set_remote(pc, fix.offer, &in), 0);
    assert_int_equal(answer(pc, &in), 0);
    assert_int_equal(fix.ndone, 1);
    sl_pc_destroy(pc);
    turn(60);
    free(bad);
}

static void an_offer_taken_back_leaves_the_round_before(void **state)
{
    struct sl_jsep_in in;
    struct sl_pc *pc;
    size_t n, again;
    char *restart = strdup(fix.offer);

    (void)state;
    SL_ASSUME(control);
    pc = create();
    assert_int_equal(set_remote(pc, fix.offer, &in), 0);
    assert_int_equal(answer(pc, &in), 0);
    (void)sl_pc_lines(pc, &n);
    patch(restart, "a=ice-ufrag:test", "a=ice-ufrag:next");
    patch(restart, "eoZhIK0HCCYpXYbSfrbstPiV", "foZhIK0HCCYpXYbSfrbstPiV");
    assert_int_equal(set_remote(pc, restart, &in), 0);
    assert_true(in.restart && in.update);
    assert_int_equal(set_remote(pc, restart, &in), 0); /* another one takes its place */
    sl_pc_rollback(pc);
    assert_true(sl_pc_is_negotiated(pc));
    assert_int_equal(pc->remote_cands.n, 0);
    (void)sl_pc_lines(pc, &again);
    assert_int_equal(again, n);
    assert_int_equal(set_remote(pc, restart, &in), 0);
    assert_true(in.restart);
    assert_int_equal(answer(pc, &in), 0);
    assert_int_equal(fix.ndone, 2);
    assert_int_equal(fix.ndown, 0);
    sl_pc_destroy(pc);
    turn(60);
    free(restart);
}

static void an_offer_of_ours_says_anew_whether_it_is_encrypted(void **state)
{
    const struct sl_mcodec opus = { .codec = SL_CODEC_OPUS };
    const struct sl_mline line = {
        .kind = SL_KIND_AUDIO, .dir = SL_DIR_SEND, .codecs = &opus, .ncodecs = 1
    };
    struct sl_jsep_out out = { .type = SL_JSEP_OFFER, .lines = &line, .nlines = 1, .e2ee = true };
    struct sl_pc *pc;

    (void)state;
    SL_ASSUME(control);
    pc = create();
    assert_int_equal(sl_pc_set_local(pc, &out, on_local, &fix), 0);
    assert_true(sl_pc_is_e2ee(pc));
    sl_pc_rollback(pc);
    out.e2ee = false; /* the subscription is of others now */
    assert_int_equal(sl_pc_set_local(pc, &out, on_local, &fix), 0);
    assert_false(sl_pc_is_e2ee(pc));
    sl_pc_destroy(pc);
    turn(60);
}

static int route_add(struct sl_pc *from, uint16_t from_mindex, struct sl_pc *to,
                     uint16_t to_mindex) SL_ON_CONTROL
{
    struct sl_pc_source src;
    int err = sl_pc_source(from, from_mindex, &src);

    return err < 0 ? err : sl_pc_route_add(&src, to, to_mindex, NULL);
}

static void routes_name_m_lines_that_exist(void **state)
{
    struct sl_jsep_in in;
    struct sl_pc *pub, *sub;

    (void)state;
    SL_ASSUME(control);
    pub = create();
    sub = create();
    assert_int_equal(route_add(pub, 0, sub, 0), -ENOENT); /* nothing negotiated */
    assert_int_equal(set_remote(pub, fix.offer, &in), 0);
    assert_int_equal(answer(pub, &in), 0);
    assert_int_equal(route_add(pub, 0, sub, 3), 0); /* kept until there is such a line */
    assert_int_equal(route_add(pub, 60000, sub, 0), -ENOENT);
    assert_int_equal(route_add(pub, 0, sub, 60000), -ENOENT);
    assert_int_equal(route_add(pub, 2, sub, 0), -ENOENT); /* data */
    assert_int_equal(sl_pc_route_pause(sub, 3, true), 0);
    assert_int_equal(sl_pc_route_pause(sub, 2, true), -ENOENT);
    assert_int_equal(sl_pc_route_del(sub, 3), 0);
    assert_int_equal(sl_pc_route_del(sub, 3), -ENOENT);
    sl_pc_destroy(pub);
    sl_pc_destroy(sub);
    turn(60);
}

/* ---- what the administrator sees ------------------------------------------------------------- */

static json_t *told;
static int ntold;

static void on_info(void *arg, json_t *info)
{
    (void)arg;
    ntold++;
    json_decref(told);
    told = info;
}

static const json_t *at(const char *path)
{
    const json_t *j = told;
    char copy[128], *save = NULL;

    snprintf(copy, sizeof(copy), "%s", path);
    for (char *k = strtok_r(copy, "/", &save); k; k = strtok_r(NULL, "/", &save))
        j = json_object_get(j, k);
    if (!j)
        fail_msg("nothing at %s", path);
    return j;
}

static const char *text_at(const char *path)
{
    return json_string_value(at(path));
}

static void info(struct sl_pc *pc) SL_ON_CONTROL
{
    int before = ntold;

    assert_int_equal(sl_pc_info(pc, on_info, NULL), 0);
    for (int i = 0; i < 6000 && ntold == before; i++)
        turn(5);
    assert_int_equal(ntold, before + 1);
    assert_non_null(told);
}

static void a_dump_grows_with_the_connection(void **state)
{
    struct sl_jsep_in in;
    struct rtc_client c;
    struct sl_pc *pc;

    (void)state;
    SL_ASSUME(control);
    pc = create();
    info(pc); /* the worker does not know it */
    assert_true(json_is_false(at("flags/got-offer")));
    assert_string_equal(text_at("webrtc/dtls/dtls-state"), "created");
    assert_int_equal(set_remote(pc, fix.offer, &in), 0);
    info(pc);
    assert_true(json_is_true(at("flags/processing-offer")));
    assert_string_equal(text_at("sdps/remote"), fix.offer);
    assert_int_equal(answer(pc, &in), 0);
    info(pc);
    assert_true(json_is_true(at("flags/negotiated")));
    assert_true(json_is_false(at("flags/ready")));
    assert_string_equal(text_at("sdps/local"), fix.local);
    assert_string_equal(text_at("ice-mode"), "lite");
    assert_string_equal(text_at("webrtc/dtls/remote-fingerprint"),
                        sl_cert_fingerprint(fix.client_cert));
    connect_client(&c, 0);
    info(pc);
    assert_true(json_is_true(at("flags/ready")));
    assert_string_equal(text_at("webrtc/ice/state"), "ready");
    assert_non_null(strstr(text_at("webrtc/ice/selected-pair"), "127.0.0.1:"));
    assert_string_equal(text_at("webrtc/dtls/dtls-state"), "connected");
    assert_string_equal(text_at("webrtc/dtls/dtls-role"), "passive");
    assert_string_equal(text_at("webrtc/dtls/srtp-profile"), "AEAD_AES_128_GCM");
    assert_true(json_integer_value(at("webrtc/dtls/stats/in/packets")) >= 2);
    assert_true(json_integer_value(at("webrtc/dtls/stats/in/bytes")) > 300);
    assert_true(json_integer_value(at("webrtc/dtls/stats/out/bytes")) > 300);
    assert_string_equal(text_at("webrtc/media/0/type"), "audio");
    assert_non_null(strstr(fix.local, text_at("webrtc/media/0/msid/local-track")));
    assert_string_equal(text_at("webrtc/media/1/msid/remote-stream"),
                        "5914f148-4d43-426c-a40c-58e61f61debf");
    assert_string_equal(text_at("webrtc/media/1/msid/remote-track"),
                        "607d3d19-95d6-49ff-8d4a-66909075989a");
    assert_int_equal(json_integer_value(at("webrtc/media/0/stats/in/packets")), 0);
    json_decref(told);
    told = NULL;
    assert_int_equal(sl_pc_info(pc, on_info, NULL), 0);
    sl_pc_destroy(pc); /* before the worker could answer */
    assert_null(told);
    turn(60);
    sl_role_leave(&sl_role_control);
    sl_role_enter(&sl_role_worker);
    rtc_fini(&c);
    sl_role_leave(&sl_role_worker);
    sl_role_enter(&sl_role_control);
}

/* Payloads of the packets in a capture (IPv4), one behind the other. */
static size_t read_capture(const char *path, uint8_t *out, size_t cap)
{
    FILE *f = fopen(path, "r");
    uint8_t head[24], ip[28];
    uint32_t rec[4];
    size_t n = 0;

    assert_non_null(f);
    assert_int_equal(fread(head, 1, sizeof(head), f), sizeof(head));
    while (fread(rec, sizeof(rec), 1, f) == 1) {
        assert_int_equal(fread(ip, 1, sizeof(ip), f), sizeof(ip));
        assert_true(rec[2] == rec[3] && n + rec[2] - sizeof(ip) <= cap);
        n += fread(out + n, 1, rec[2] - sizeof(ip), f);
    }
    fclose(f);
    return n;
}

static void a_capture_has_what_came_in_clear_text(void **state)
{
    uint8_t rtp[32] = { 0x80, 111, 0, 1, 0, 0, 0, 9, 0, 0, 0, 5 }, got[4096];
    char dir[] = "/tmp/sluice-pc-XXXXXX", path[64];
    struct sl_pcap_conf conf = { .dir = dir, .name = "c" };
    struct sl_pcap *pcap;
    struct sl_jsep_in in;
    struct rtc_client c;
    struct sl_pc *pc;
    size_t n;

    (void)state;
    SL_ASSUME(control);
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof(path), "%s/c", dir);
    assert_int_equal(sl_pcap_open(&conf, &pcap), 0);
    pc = create();
    assert_int_equal(sl_pc_capture(pc, pcap), 0); /* waits until there is something to capture */
    assert_int_equal(set_remote(pc, fix.offer, &in), 0);
    assert_int_equal(answer(pc, &in), 0);
    connect_client(&c, 0);
    sl_role_leave(&sl_role_control);
    sl_role_enter(&sl_role_worker);
    for (uint8_t i = 0; i < 3; i++) {
        rtp[3] = i;
        memset(rtp + 12, 0xa0 + i, sizeof(rtp) - 12);
        rtc_send_rtp(&c, rtp, sizeof(rtp));
    }
    sl_role_leave(&sl_role_worker);
    sl_role_enter(&sl_role_control);
    info(pc);
    for (int i = 0; i < 6000 && json_integer_value(at("captured-packets")) < 3; i++)
        info(pc);
    assert_true(json_integer_value(at("captured-packets")) >= 3);
    assert_int_equal(json_integer_value(at("captured-dropped")), 0);
    assert_int_equal(sl_pc_capture(pc, NULL), 0);
    turn(50);
    sl_pcap_wait();
    n = read_capture(path, got, sizeof(got));
    assert_true(n >= 3 * sizeof(rtp));
    for (uint8_t i = 0; i < 3; i++) {
        rtp[3] = i;
        memset(rtp + 12, 0xa0 + i, sizeof(rtp) - 12);
        assert_non_null(memmem(got, n, rtp, sizeof(rtp)));
    }
    sl_pc_destroy(pc);
    turn(60);
    json_decref(told);
    told = NULL;
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(dir), 0);
    sl_role_leave(&sl_role_control);
    sl_role_enter(&sl_role_worker);
    rtc_fini(&c);
    sl_role_leave(&sl_role_worker);
    sl_role_enter(&sl_role_control);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_offer_is_answered_and_the_client_connects),
        cmocka_unit_test(a_slot_is_used_again_only_when_the_worker_is_done),
        cmocka_unit_test(refused_by_its_worker_it_goes_down_once_and_frees_its_slot_once),
        cmocka_unit_test(the_administrator_sees_what_a_worker_did),
        cmocka_unit_test(a_bad_transport_changes_nothing),
        cmocka_unit_test(an_offer_taken_back_leaves_the_round_before),
        cmocka_unit_test(an_offer_of_ours_says_anew_whether_it_is_encrypted),
        cmocka_unit_test(routes_name_m_lines_that_exist),
        cmocka_unit_test(a_dump_grows_with_the_connection),
        cmocka_unit_test(a_capture_has_what_came_in_clear_text),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
