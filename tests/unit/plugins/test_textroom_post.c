/* TextRoom: messages of rooms that web servers get, and which. */
#include "textroom_test.h"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

bool tr_post_is_there(void);

#define NONE_THERE      ERROR(499, "posting of messages is not available")
#define FORBIDDEN(name) ERROR(419, "Unauthorized (" name " is not an allowed URL)")

/* ---- a web server ---------------------------------------------------------------------------- */

static int web;
static char web_url[64];

static int start(void **state)
{
    struct sockaddr_in a = { .sin_family = AF_INET };
    socklen_t len = sizeof(a);

    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    web = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(web, (struct sockaddr *)&a, sizeof(a)), 0);
    assert_int_equal(listen(web, 8), 0);
    assert_int_equal(getsockname(web, (struct sockaddr *)&a, &len), 0);
    snprintf(web_url, sizeof(web_url), "http://127.0.0.1:%d/chat/", ntohs(a.sin_port));
    return setup(state);
}

static int stop(void **state)
{
    close(web);
    return teardown(state);
}

/* Starts the plugin anew with a line of [general], and @room of the configuration. */
static void configure(const char *general, const char *room)
{
    char text[400];

    mock_stop();
    snprintf(text, sizeof(text), "{'general':{%s}%s}", general, room);
    assert_int_equal(mock_start(&sl_plugin, text), 0);
}

static void allow_web(void)
{
    char text[100];

    snprintf(text, sizeof(text), "'post_to':'%s'", web_url);
    configure(text, "");
}

/* Whether a request comes within @ms. */
static bool is_called(int ms)
{
    return poll(&(struct pollfd){ .fd = web, .events = POLLIN }, 1, ms) == 1;
}

/* Takes one request and answers with @status; its body is @want. */
static void takes(const char *status, const char *want)
{
    char text[4096] = "", answer[100], *body = NULL;
    size_t len = 0;
    json_t *got = NULL;
    int fd;

    assert_true(is_called(10000));
    fd = accept(web, NULL, NULL);
    while (!got && len < sizeof(text) - 1) {
        ssize_t n = recv(fd, text + len, sizeof(text) - 1 - len, 0);

        assert_true(n > 0);
        len += (size_t)n;
        body = strstr(text, "\r\n\r\n");
        got = body ? json_loads(body + 4, 0, NULL) : NULL;
    }
    assert_memory_equal(text, "POST /chat/", 11);
    assert_non_null(strstr(text, "Content-Type: application/json\r\n"));
    mock_data_check(got, want);
    json_decref(got);
    snprintf(answer, sizeof(answer),
             "HTTP/1.1 %s\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", status);
    assert_true(send(fd, answer, strlen(answer), MSG_NOSIGNAL) > 0);
    close(fd);
}

static void create_posting(void)
{
    char body[200];

    snprintf(body, sizeof(body), "{'request':'create','room':1,'post':'%s1?key=k'}", web_url);
    mock_call(mock_attach(), body, CREATED);
}

/* ---- tests ----------------------------------------------------------------------------------- */

static void public_messages_are_posted(void **state)
{
    static const struct {
        const char *what, *said, *posted;
    } v[] = {
        { "{'textroom':'message','transaction':'t','room':1,'text':'hi'}", "message",
          "{'textroom':'message','room':1,'from':'alice'," DATE ",'text':'hi'}" },
        { "{'textroom':'announcement','transaction':'t','room':1,'text':'all'}", "announcement",
          "{'textroom':'announcement','room':1," DATE ",'text':'all'}" },
    };
    sl_hid alice;

    (void)state;
    allow_web();
    create_posting();
    alice = joined("alice");
    for (size_t i = 0; i < COUNT(v); i++) {
        says(alice, v[i].what);
        hears(alice, v[i].posted); /* before the web server has answered */
        hears(alice, SUCCESS);
        takes(i ? "204 OK" : "500 No", v[i].posted);
    }
    says(alice, "{'textroom':'message','transaction':'t','room':1,'text':'psst','to':'alice'}");
    assert_false(is_called(200));
    mock_call(mock_attach(), "{'request':'edit','room':1,'new_post':'http://127.0.0.1/'}",
              FORBIDDEN("new_post"));
}

static void a_web_server_that_does_not_answer_holds_up_nobody(void **state)
{
    char text[1200];
    sl_hid alice;

    (void)state;
    allow_web();
    create_posting();
    alice = joined("alice");
    snprintf(text, sizeof(text),
             "{'textroom':'message','transaction':'t','room':1,'text':'%01000d','ack':false}", 0);
    for (int i = 0; i < 2000; i++) { /* 2 MB; 1 MiB may wait */
        says(alice, text);
        silence(alice);
    }
    assert_true(is_called(1000));
    configure("", ""); /* ends at once */
}

static void clients_name_what_the_operator_allows(void **state)
{
    static const struct {
        const char *url, *want;
    } v[] = {
        { "http://one.example/hooks/a", NULL },
        { "http://one.example/hooks/", NULL },
        { "http://one.example/hook", FORBIDDEN("post") },
        { "http://one.example.net/hooks/", FORBIDDEN("post") },
        { "https://one.example/hooks/", FORBIDDEN("post") },
        { "http://one.example/hooks/../admin", FORBIDDEN("post") },
        { "http://one.example/hooks/%2e%2e/admin", FORBIDDEN("post") },
        { "http://127.0.0.1/", FORBIDDEN("post") },
        { "file:///etc/passwd", ERROR(414, "Invalid element (post should be a URL)") },
        { "http://one.example/hooks/ x", ERROR(414, "Invalid element (post should be a URL)") },
        { "http:///hooks", ERROR(414, "Invalid element (post should be a URL)") },
    };
    char body[300];
    sl_hid h;

    (void)state;
    configure("'post_to':'http://one.example/hooks/'", "");
    h = mock_attach();
    for (size_t i = 0; i < COUNT(v); i++) {
        snprintf(body, sizeof(body), "{'request':'create','room':1,'post':'%s'}", v[i].url);
        mock_call(h, body, v[i].want ? v[i].want : CREATED);
        if (!v[i].want)
            mock_call(h, "{'request':'destroy','room':1}",
                      "{'textroom':'destroyed','room':1,'permanent':false}");
    }
    mock_admin("{'request':'create','room':1,'post':'http://127.0.0.1/'}", CREATED);
    configure("", "");
    mock_call(mock_attach(), "{'request':'create','room':1,'post':'http://one.example/hooks/'}",
              NONE_THERE);
}

static void rooms_of_the_configuration_post_anywhere(void **state)
{
    static const char *const wrong[] = {
        "{'room 1':{'post':'ftp://127.0.0.1/'}}",
        "{'room 1':{'post':'x'}}",
        "{'general':{'post_to':'http://one.example'}}",
        "{'general':{'post_to':'one'}}",
    };
    char room[200];
    const json_t *keys;

    (void)state;
    snprintf(room, sizeof(room), ",'room 1':{'post':'%s'}", web_url);
    configure("", room);
    mock_call(mock_attach(), "{'request':'announcement','room':1,'text':'x'}",
              "{'textroom':'success'}");
    takes("200 OK", "{'textroom':'announcement','room':1," DATE ",'text':'x'}");
    mock_call(mock_attach(), "{'request':'edit','room':1,'permanent':true}",
              "{'textroom':'edited','room':1,'permanent':true}");
    keys = mock_saved("room 1");
    assert_string_equal(json_string_value(json_object_get(keys, "post")), web_url);
    mock_stop();
    for (size_t i = 0; i < COUNT(wrong); i++)
        assert_int_not_equal(mock_start(&sl_plugin, wrong[i]), 0);
    assert_int_equal(mock_start(&sl_plugin, NULL), 0);
}

#define P(f) cmocka_unit_test_setup_teardown(f, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        P(public_messages_are_posted),
        P(a_web_server_that_does_not_answer_holds_up_nobody),
        P(clients_name_what_the_operator_allows),
        P(rooms_of_the_configuration_post_anywhere),
    };

    if (!tr_post_is_there()) {
        printf("built without libcurl: rooms post nothing, which test_textroom_rooms covers\n");
        return 0;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
