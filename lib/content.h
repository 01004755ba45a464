/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * content.h - what the files that load ready-made responses share: from a directory to the maps of a handler
 *
 *	site.c		reads a directory into a struct site
 *	url.c		what a file is called in URLs, and its content type
 *	response.c	heads, and how they are padded
 *	image.c		a site as it will be in the kernel: a directory and a stream of bytes
 *	content.c	loads images into a handler's maps, switches between them, and reads them back
 */
#ifndef NDIV_LIB_CONTENT_H
#define NDIV_LIB_CONTENT_H

#include <ndiv/content.h>
#include "internal.h"

#define SITE_FILE_MAX	(NDIV_CONTENT_RESPONSE - 2048)	/* bytes of a file: a head has less than the rest */
#define SITE_BYTES_MAX	(64U << 20)			/* of all files of a site */
#define SITE_DEPTH_MAX	16				/* directories in each other */

/* One file, or error page, or redirection. */
struct file {
	char	*name;		/* below the directory, without a leading slash */
	char	*to;		/* a redirection's target, else NULL */
	const char *type;
	__u32	status;		/* 200, 301, or that of an error page, which has no URL */
	__u8	*body;
	__u32	len;
};

struct site {
	char	from[NDIV_CONTENT_DIR_LEN];	/* the directory, or the page's file */
	struct file *file;
	size_t	count;
	__u64	bytes;
	__u32	skipped;	/* hidden files */
};

/* Whom to tell how far it is; fn may be NULL. */
struct progress {
	ndiv_progress_fn *fn;
	void	*arg;
};

/* site.c. On failure nothing is left to be freed. */
int	site_read(struct ndiv *nd, const char *dir, const struct progress *progress, struct site *site);
int	site_read_page(struct ndiv *nd, const char *path, struct site *site);
void	site_free(struct site *site);

/* url.c */
#define URL_FORMS	10	/* of one file */
#define URL_LEN		(3 * NDIV_CONTENT_PATH + 2)

struct urls {
	size_t	count;
	char	url[URL_FORMS][URL_LEN];
};
void	url_forms(const char *name, struct urls *urls);
const char *url_type(const char *name);
int	url_is_index(const char *name);
const char *status_text(__u32 status);
__u32	status_of_name(const char *name);

/* response.c */
struct response {
	__u32	status;
	const char *type;
	const __u8 *body;
	__u32	len;
	__u64	etag;		/* 0: none */
	const char *to;		/* Location; NULL: none */
	__u32	retry_s;	/* Retry-After; 0: none */
};
#define HEAD_MAX	1280
size_t	response_head(const struct response *r, unsigned int variant, char *buf);
__u64	response_etag(const struct response *r);

/* image.c */
struct image {
	struct ndiv_content_dir *dir;
	__u8	*stream;
	size_t	len, room;
};

/* What an image depends on, besides its site. */
struct image_for {
	const __u64 *key;
	unsigned int first, last;	/* entries that it may use */
	const struct ndiv_content_dir *old; /* of the site that was in this slot, or NULL */
	__u32	left_s;			/* when that was last served, and what time it is: seconds since boot */
	__u32	now_s;
	__u32	retry_s;
};
int	image_build(struct ndiv *nd, const struct site *site, const struct image_for *f, struct image *img);
void	image_free(struct image *img);
__u32	image_pages(const struct image *img);
void	image_page(const struct image *img, __u32 nr, struct ndiv_content_page *page);

/* The list of files in an image's stream: one after the other, from *<pos> = 0 on. 1, 0 at the end, -1 if it is none.
 */
struct item {
	struct ndiv_content_item head;
	const char *url, *type;	/* not ended by 0 */
};
int	list_next(const void *list, size_t len, size_t *pos, struct item *item);

/* content.c */
struct content_maps {
	int	sites, hits;	/* fds */
	volatile struct ndiv_content *state;
};
int	content_put(struct ndiv *nd, const struct content_maps *maps, unsigned int slot, const struct site *site,
		__u32 retry_s, const struct progress *progress);
int	content_serve(struct ndiv *nd, const struct content_maps *maps, const struct site *site,
		  const struct progress *progress);
int	content_maintain(struct ndiv *nd, const struct content_maps *maps, const struct site *page, __u32 retry_s);

#endif
