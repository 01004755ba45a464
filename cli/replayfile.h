/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * replayfile.h - a capture file that is read packet by packet, and whose packets in it are
 */
#ifndef NDIV_REPLAYFILE_H
#define NDIV_REPLAYFILE_H

#include <signal.h>
#include <pcap/pcap.h>
#include <ndiv/shield.h>

struct replayfile {
	const char *path; /* "-": standard input */
	pcap_t *pcap;
	int64_t size; /* bytes; 0: not known */
	int broken; /* it cannot be read any further: pcap_geterr() tells why */
};

/* 0, or -1 after a message: it cannot be read, or is not of Ethernet. */
int replayfile_open(struct replayfile *f, const char *path);
void replayfile_close(struct replayfile *f);

/* 1: <pkt> is the next packet, until the next call; 0: there is none. */
int replayfile_next(struct replayfile *f, struct ndiv_replay_packet *pkt);

/* How much of it has been read, in percent; below 0: it cannot be told. */
int replayfile_percent(const struct replayfile *f);

#define REPLAYFILE_HOSTS 64

/* A MAC address, and how many packets of IP went to it and came from it. */
struct replayhost {
	uint8_t mac[6];
	uint64_t to, from;
	char addr[46]; /* IP address of the first one that went to it */
};

struct replaylook {
	struct replayhost host[REPLAYFILE_HOSTS];
	int count;
	int more; /* there are others */
};

/* Reads all of the file. 0, or -1 after a message. <ended>: a signal came. */
int replayfile_look(const char *path, struct replaylook *look, const volatile sig_atomic_t *ended);

#endif
