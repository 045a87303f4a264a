/*
 * Second opinion for the tests: libsrtp2 protects or unprotects packets given as hex lines.
 *
 *   libsrtp2-tool protect|unprotect gcm|cm KEY_AND_SALT_HEX MKI_HEX_OR_DASH
 *
 * Each input line is "rtp HEX" or "rtcp HEX"; each output line is "ok HEX" or "error N", where N is
 * libsrtp2's srtp_err_status_t.
 */
#include <srtp2/srtp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_PACKET 4096

static int from_hex(const char *hex, unsigned char *out, int max)
{
    int n = 0;
    unsigned value;
    while (n < max && sscanf(hex + 2 * n, "%2x", &value) == 1) out[n++] = (unsigned char)value;
    return n;
}

int main(int argc, char **argv)
{
    if (argc != 5) return 2;
    int protect = strcmp(argv[1], "protect") == 0;
    int use_mki = strcmp(argv[4], "-") != 0;
    unsigned char key[64], mki[16];
    from_hex(argv[3], key, sizeof key);

    srtp_master_key_t master = { key, mki, 0 };
    if (use_mki) master.mki_size = (unsigned)from_hex(argv[4], mki, sizeof mki);
    srtp_master_key_t *keys[] = { &master };

    srtp_policy_t policy;
    memset(&policy, 0, sizeof policy);
    if (strcmp(argv[2], "gcm") == 0) {
        srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy.rtp);
        srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy.rtcp);
    } else {
        srtp_crypto_policy_set_aes_cm_128_hmac_sha1_80(&policy.rtp);
        srtp_crypto_policy_set_aes_cm_128_hmac_sha1_80(&policy.rtcp);
    }
    policy.ssrc.type = protect ? ssrc_any_outbound : ssrc_any_inbound;
    policy.keys = keys;
    policy.num_master_keys = 1;
    policy.window_size = 1024;

    srtp_t session;
    if (srtp_init() != srtp_err_status_ok) return 3;
    int created = srtp_create(&session, &policy);
    if (created != srtp_err_status_ok) {
        fprintf(stderr, "srtp_create %d\n", created);
        return 4;
    }

    static char line[2 * MAX_PACKET + 64];
    static unsigned char packet[MAX_PACKET + 256];
    while (fgets(line, sizeof line, stdin)) {
        int rtcp = strncmp(line, "rtcp ", 5) == 0;
        int length = from_hex(line + (rtcp ? 5 : 4), packet, MAX_PACKET);
        srtp_err_status_t status;
        if (protect) {
            status = rtcp ? srtp_protect_rtcp_mki(session, packet, &length, use_mki, 0)
                          : srtp_protect_mki(session, packet, &length, use_mki, 0);
        } else {
            status = rtcp ? srtp_unprotect_rtcp_mki(session, packet, &length, use_mki)
                          : srtp_unprotect_mki(session, packet, &length, use_mki);
        }
        if (status != srtp_err_status_ok) {
            printf("error %d\n", (int)status);
            continue;
        }
        printf("ok ");
        for (int i = 0; i < length; i++) printf("%02x", packet[i]);
        printf("\n");
    }
    return 0;
}
