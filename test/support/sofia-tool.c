/*
 * A user agent on sofia-sip, the SIP stack that FreeSWITCH is built on, set up as its SIP module does: no
 * answer, acknowledgement, following of a redirection or retry after a 503 by itself, session timers taken
 * part in, UPDATE allowed, UDP at any size. It holds one description of audio and lets the stack negotiate.
 *
 *   tool ADDRESS PORT
 *
 * It reads commands, a line each: `invite ID URI FROM-USER`, `again ID URI`, `respond ID STATUS`,
 * `reinvite ID`, `update ID`, `bye ID`, `cancel ID`. ID is the Call-ID. It writes events, a line each, with
 * fields between tabs: `EVENT ID STATUS DETAIL`. A re-INVITE is answered with 200 at once.
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
typedef struct call call_t;
#define NUA_HMAGIC_T call_t
#include <sofia-sip/nua.h>
#include <sofia-sip/sdp.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/sip_status.h>
#include <sofia-sip/su_tag_io.h>

#define CALLS 64

struct call {
  char id[128];
  nua_handle_t *nh;
  int up;
};

static call_t calls[CALLS];
static nua_t *nua;
static su_root_t *root;
static const char *address;
static char sdp[512];

static call_t *find(const char *id) {
  for (int i = 0; i < CALLS; i++)
    if (calls[i].nh && strcmp(calls[i].id, id) == 0) return &calls[i];
  return NULL;
}

static call_t *add(const char *id, nua_handle_t *nh) {
  for (int i = 0; i < CALLS; i++) {
    if (calls[i].nh) continue;
    snprintf(calls[i].id, sizeof calls[i].id, "%s", id);
    calls[i].nh = nh;
    calls[i].up = 0;
    nua_handle_bind(nh, &calls[i]);
    return &calls[i];
  }
  exit(3);
}

static void say(const char *event, const char *id, int status, const char *detail) {
  printf("%s\t%s\t%d\t%s\n", event, id, status, detail ? detail : "");
  fflush(stdout);
}

static const char *header(const sip_t *sip, const char *name) {
  for (sip_unknown_t *un = sip->sip_unknown; un; un = un->un_next)
    if (strcasecmp(un->un_name, name) == 0) return un->un_value;
  return "";
}

static void respond(call_t *call, int status) {
  nua_respond(call->nh, status, sip_status_phrase(status),
              TAG_IF(status < 300 && status != 180, SOATAG_USER_SDP_STR(sdp)), NUTAG_AUTOANSWER(0),
              TAG_END());
}

static void invited(nua_handle_t *nh, call_t *call, const sip_t *sip) {
  char detail[512];
  const char *id = sip->sip_call_id->i_id;
  if (call) {
    say("reinvite", id, 0, "");
    return;
  }
  if (sip->sip_error) say("unreadable", id, 0, "a header");
  snprintf(detail, sizeof detail, "%s %s", sip->sip_request->rq_url->url_user,
           header(sip, "X-SeGy-Session"));
  add(id, nh);
  say("invite", id, 0, detail);
}

static void answered(call_t *call, int status, const sip_t *sip) {
  char *contact = NULL;
  su_home_t home[1] = {SU_HOME_INIT(home)};
  if (!call) return;
  if (status >= 300 && status < 400 && sip && sip->sip_contact)
    contact = url_as_string(home, sip->sip_contact->m_url);
  say("response", call->id, status, contact);
  su_home_deinit(home);
}

static void state(call_t *call, tagi_t tags[]) {
  int callstate = 0, offered = 0, got = 0;
  const char *remote = NULL;
  tl_gets(tags, NUTAG_CALLSTATE_REF(callstate), NUTAG_OFFER_RECV_REF(offered),
          NUTAG_ANSWER_RECV_REF(got), SOATAG_REMOTE_SDP_STR_REF(remote), TAG_END());
  if (!call) return;
  if ((offered || got) && remote) {
    const char *way = strstr(remote, "a=inactive")   ? "inactive"
                      : strstr(remote, "a=sendonly") ? "sendonly"
                      : strstr(remote, "a=recvonly") ? "recvonly"
                                                     : "sendrecv";
    say(offered ? "offer" : "answer", call->id, 0, way);
  }
  if (callstate == nua_callstate_received && call->up) respond(call, 200);
  if (callstate == nua_callstate_completing) nua_ack(call->nh, TAG_END());
  if (callstate == nua_callstate_ready) {
    if (!call->up) say("up", call->id, 0, "");
    call->up = 1;
  }
  if (callstate == nua_callstate_terminated) {
    say("down", call->id, 0, "");
    call->up = 0;
  }
}

static void on_event(nua_event_t event, int status, char const *phrase, nua_t *agent, void *magic,
                     nua_handle_t *nh, call_t *call, sip_t const *sip, tagi_t tags[]) {
  (void)phrase;
  (void)agent;
  (void)magic;
  switch (event) {
    case nua_i_invite:
      invited(nh, call, sip);
      break;
    case nua_r_invite:
      answered(call, status, sip);
      break;
    case nua_r_update:
      if (call) say("updated", call->id, status, "");
      break;
    case nua_i_state:
      state(call, tags);
      break;
    case nua_i_update:
    case nua_i_bye:
    case nua_i_cancel:
      if (call) say(nua_event_name(event) + 6, call->id, status, "");
      break;
    case nua_i_error:
      say("error", call ? call->id : "", status, phrase);
      break;
    default:
      break;
  }
}

static void invite(const char *id, const char *uri, const char *user) {
  char from[256];
  snprintf(from, sizeof from, "<sip:%s@%s>", user, address);
  nua_handle_t *nh = nua_handle(nua, NULL, NUTAG_URL(uri), SIPTAG_CALL_ID_STR(id),
                                SIPTAG_TO_STR(uri), SIPTAG_FROM_STR(from), TAG_END());
  add(id, nh);
  nua_invite(nh, NUTAG_AUTOANSWER(0), NUTAG_AUTOACK(0), NUTAG_SESSION_TIMER(0),
             SOATAG_USER_SDP_STR(sdp), SOATAG_REUSE_REJECTED(1), TAG_END());
}

static void command(char *line) {
  char *save = NULL;
  const char *name = strtok_r(line, " \n", &save);
  const char *id = strtok_r(NULL, " \n", &save);
  const char *first = strtok_r(NULL, " \n", &save);
  const char *second = strtok_r(NULL, " \n", &save);
  if (!name || !id) return;
  if (strcmp(name, "invite") == 0 && first && second) {
    invite(id, first, second);
    return;
  }
  call_t *call = find(id);
  if (!call) return;
  if (strcmp(name, "again") == 0 && first)
    nua_invite(call->nh, NUTAG_AUTOANSWER(0), NUTAG_AUTOACK(0), NUTAG_SESSION_TIMER(0),
               NUTAG_URL(first), SOATAG_USER_SDP_STR(sdp), SOATAG_REUSE_REJECTED(1), TAG_END());
  else if (strcmp(name, "respond") == 0 && first)
    respond(call, atoi(first));
  else if (strcmp(name, "reinvite") == 0)
    nua_invite(call->nh, NUTAG_AUTOACK(0), SOATAG_USER_SDP_STR(sdp), TAG_END());
  else if (strcmp(name, "update") == 0)
    nua_update(call->nh, TAG_END());
  else if (strcmp(name, "bye") == 0)
    nua_bye(call->nh, TAG_END());
  else if (strcmp(name, "cancel") == 0)
    nua_cancel(call->nh, TAG_END());
}

int main(int argc, char **argv) {
  char url[128], line[1024];
  size_t used = 0;
  if (argc != 3) return 2;
  address = argv[1];
  snprintf(url, sizeof url, "sip:mod_sofia@%s:%s;transport=udp,tcp", address, argv[2]);
  snprintf(sdp, sizeof sdp,
           "v=0\r\no=- 1 1 IN IP4 %s\r\ns=-\r\nc=IN IP4 %s\r\nt=0 0\r\n"
           "m=audio 40000 RTP/AVP 0 101\r\na=rtpmap:0 PCMU/8000\r\n"
           "a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=ptime:20\r\n",
           address, address);
  su_init();
  root = su_root_create(NULL);
  nua = nua_create(root, on_event, NULL, NUTAG_URL(url), NTATAG_UDP_MTU(65535), TAG_END());
  if (!nua) return 1;
  nua_set_params(nua, SIPTAG_USER_AGENT_STR("FreeSWITCH-mod_sofia"), NUTAG_AUTOANSWER(0),
                 NUTAG_AUTOACK(0), NUTAG_AUTOALERT(0), NUTAG_ENABLEMESSENGER(1),
                 NUTAG_SESSION_TIMER(0), NUTAG_MIN_SE(120), NUTAG_AUTO302(0), NUTAG_MAX_RETRY_AFTER(0),
                 NUTAG_ALLOW("UPDATE"), NUTAG_ALLOW("INFO"),
                 SIPTAG_SUPPORTED_STR("timer, path, replaces"), SOATAG_AF(SOA_AF_IP4_ONLY),
                 TAG_END());
  say("ready", "", 0, "");
  for (;;) {
    struct pollfd in = {.fd = 0, .events = POLLIN};
    su_root_step(root, 10);
    if (poll(&in, 1, 0) <= 0) continue;
    ssize_t got = read(0, line + used, sizeof line - 1 - used);
    if (got <= 0) return 0;
    used += (size_t)got;
    line[used] = '\0';
    for (char *end; (end = strchr(line, '\n'));) {
      *end = '\0';
      command(line);
      used -= (size_t)(end + 1 - line);
      memmove(line, end + 1, used + 1);
    }
  }
}
