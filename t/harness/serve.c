// SPDX-License-Identifier: GPL-2.0-only
/* serve.c - loads a site into the maps of a handler under test */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "serve.h"

static const struct progress quiet;

static int told(const struct serve *s, const char *what, int err)
{
	if (err)
		fprintf(stderr, "serve: %s: %s\n", what, s->nd.err);
	return err;
}

int serve_open(struct serve *s, struct run *r, uint32_t id)
{
	void *p;

	memset(s, 0, sizeof(*s));
	s->maps.sites = run_map(r, id, "content_sites");
	s->maps.hits = run_map(r, id, "content_hits");
	p = mmap(NULL, getpagesize(), PROT_READ | PROT_WRITE, MAP_SHARED, run_map(r, id, ".data.content"), 0);
	if (s->maps.sites < 0 || s->maps.hits < 0 || p == MAP_FAILED) {
		fprintf(stderr, "serve: handler %u has no maps for it\n", id);
		return -1;
	}
	s->maps.state = p;
	return 0;
}

void serve_close(struct serve *s)
{
	if (s->maps.state)
		munmap((void *)s->maps.state, getpagesize());
	s->maps.state = NULL;
}

int serve_dir(struct serve *s, const char *dir)
{
	struct site site;
	int err;

	if (!dir)
		return told(s, "no files", content_serve(&s->nd, &s->maps, NULL, &quiet));
	err = site_read(&s->nd, dir, &quiet, &site);
	if (err)
		return told(s, dir, err);
	err = content_serve(&s->nd, &s->maps, &site, &quiet);
	site_free(&site);
	return told(s, dir, err);
}

int serve_page(struct serve *s, const char *path, unsigned int retry_s)
{
	struct site page;
	int err;

	if (!path)
		return told(s, "no page", content_maintain(&s->nd, &s->maps, NULL, 0));
	err = site_read_page(&s->nd, path, &page);
	if (err)
		return told(s, path, err);
	err = content_maintain(&s->nd, &s->maps, &page, retry_s);
	site_free(&page);
	return told(s, path, err);
}

void serve_forget(struct serve *s)
{
	__u32 slot;

	for (slot = 0; slot < NDIV_CONTENT_SLOTS; slot++)
		bpf_map_delete_elem(s->maps.sites, &slot);
	s->maps.state->now = 0;
	s->maps.state->changed = 0;
}
