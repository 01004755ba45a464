// SPDX-License-Identifier: GPL-2.0-only
/* replayfile.c - a capture file, packet by packet, and whose packets are in it */
#include <string.h>
#include <sys/stat.h>
#include "cmd.h"
#include "replayfile.h"

int replayfile_open(struct replayfile *f, const char *path)
{
	char err[PCAP_ERRBUF_SIZE] = "";
	struct stat st;
	int type;

	memset(f, 0, sizeof(*f));
	f->path = path;
	f->pcap = pcap_open_offline_with_tstamp_precision(path, PCAP_TSTAMP_PRECISION_NANO, err);
	if (!f->pcap) {
		/* libpcap names the file if it cannot be opened */
		message("replay: %s%s%s", strncmp(err, path, strlen(path)) ? path : "",
			strncmp(err, path, strlen(path)) ? ": " : "", err);
		return -1;
	}
	if (strcmp(path, "-") && !stat(path, &st) && S_ISREG(st.st_mode))
		f->size = st.st_size;
	type = pcap_datalink(f->pcap);
	if (type == DLT_EN10MB)
		return 0;
	message("replay: %s: its packets are %s, and only Ethernet can be replayed: capture on one interface, not on "
		"\"any\"",
		path, pcap_datalink_val_to_name(type) ? pcap_datalink_val_to_name(type) : "of an unknown kind");
	replayfile_close(f);
	return -1;
}

void replayfile_close(struct replayfile *f)
{
	if (f->pcap)
		pcap_close(f->pcap);
	f->pcap = NULL;
}

int replayfile_next(struct replayfile *f, struct ndiv_replay_packet *pkt)
{
	struct pcap_pkthdr *head;
	const u_char *data;
	int ret = pcap_next_ex(f->pcap, &head, &data);

	if (ret == 1) {
		pkt->ns = (uint64_t)head->ts.tv_sec * 1000000000 + head->ts.tv_usec;
		pkt->data = data;
		pkt->captured = head->caplen;
		pkt->len = head->len > head->caplen ? head->len : head->caplen;
		return 1;
	}
	f->broken = ret == PCAP_ERROR;
	return 0;
}

int replayfile_percent(const struct replayfile *f)
{
	FILE *file = pcap_file(f->pcap);
	long at = file && f->size ? ftell(file) : -1;

	return at < 0 ? -1 : (int)(at * 100.0 / f->size);
}

/* --- whose packets they are */

/* The entry of <mac>, or a new one; NULL: there are too many. */
static struct replayhost *find_host(struct replaylook *look, const uint8_t *mac)
{
	int i;

	for (i = 0; i < look->count; i++)
		if (!memcmp(look->host[i].mac, mac, 6))
			return &look->host[i];
	if (look->count == REPLAYFILE_HOSTS) {
		look->more = 1;
		return NULL;
	}
	memcpy(look->host[look->count].mac, mac, 6);
	return &look->host[look->count++];
}

static void look_at(struct replaylook *look, const uint8_t *p, uint32_t len)
{
	struct replayhost *host;
	struct ndiv_headers h;

	ndiv_headers_read(&h, p, len);
	if (!h.ip)
		return;
	host = find_host(look, p + 6);
	if (host)
		host->from++;
	host = p[0] & 1 ? NULL : find_host(look, p);
	if (host && !host->to++)
		snprintf(host->addr, sizeof(host->addr), "%s", h.dst);
}

int replayfile_look(const char *path, struct replaylook *look, const volatile sig_atomic_t *ended)
{
	struct ndiv_replay_packet pkt;
	struct replayfile f;

	memset(look, 0, sizeof(*look));
	if (replayfile_open(&f, path))
		return -1;
	while (!*ended && replayfile_next(&f, &pkt))
		look_at(look, pkt.data, pkt.captured);
	replayfile_close(&f);
	return 0;
}
