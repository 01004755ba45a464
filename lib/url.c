// SPDX-License-Identifier: GPL-2.0-only
/* url.c - what a file is called in URLs, its content type, and the names of status codes */
#include <ctype.h>
#include <string.h>
#include <strings.h>
#include "content.h"

/*
 * The handler compares a URL's bytes as they come, so each way in which clients write a name is a URL of its own. All
 * leave letters, digits and these as they are: */
#define UNRESERVED	"-._~/"
/* What may stand in a path (RFC 3986), and browsers leave alone, but others do not: */
#define RESERVED	"!$&'()*+,;=:@"

#define INDEX		"index.html"

enum {
	KEEP_RESERVED = 1,
	KEEP_HIGH = 2,		/* bytes from 0x80 on: curl sends them as they are */
	LOWER = 4,		/* %c3 instead of %C3 */
};

static int is_kept(unsigned char c, int way)
{
	if (c >= 0x80)
		return way & KEEP_HIGH;
	return isalnum(c) || (c && strchr(UNRESERVED, c)) || (c && way & KEEP_RESERVED && strchr(RESERVED, c));
}

/* <name> with a slash in front, up to <len> bytes of it. */
static void escape(const char *name, size_t len, int way, char *url)
{
	static const char upper[] = "0123456789ABCDEF", lower[] = "0123456789abcdef";
	const char *hex = way & LOWER ? lower : upper;
	unsigned char c;
	size_t i;

	*url++ = '/';
	for (i = 0; i < len; i++) {
		c = name[i];
		if (is_kept(c, way)) {
			*url++ = c;
			continue;
		}
		*url++ = '%';
		*url++ = hex[c >> 4];
		*url++ = hex[c & 15];
	}
	*url = 0;
}

static void add(struct urls *urls, const char *url)
{
	size_t i;

	for (i = 0; i < urls->count; i++)
		if (!strcmp(urls->url[i], url))
			return;
	if (urls->count < URL_FORMS)
		strcpy(urls->url[urls->count++], url);
}

static void add_ways(struct urls *urls, const char *name, size_t len)
{
	static const int ways[] = { KEEP_RESERVED, 0, KEEP_RESERVED | LOWER, LOWER, KEEP_RESERVED | KEEP_HIGH };
	char url[URL_LEN];
	size_t i;

	for (i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		escape(name, len, ways[i], url);
		add(urls, url);
	}
}

/* 0, or the length of the directory's part, with its slash, of a name that ends in "/index.html". */
int url_is_index(const char *name)
{
	const char *slash = strrchr(name, '/');

	return slash && !strcmp(slash + 1, INDEX) ? slash + 1 - name : 0;
}

/*
 * The paths under which <name>, of up to NDIV_CONTENT_PATH bytes, can be asked for. The first one is the best. A
 * directory's index.html is found under the directory's own name, which comes first then.
 */
void url_forms(const char *name, struct urls *urls)
{
	size_t dir = url_is_index(name);

	urls->count = 0;
	if (dir || !strcmp(name, INDEX))
		add_ways(urls, name, dir);
	add_ways(urls, name, strlen(name));
}

static const char *const types[][2] = {
	{ "html", "text/html; charset=utf-8" },
	{ "htm", "text/html; charset=utf-8" },
	{ "css", "text/css; charset=utf-8" },
	{ "js", "text/javascript; charset=utf-8" },
	{ "mjs", "text/javascript; charset=utf-8" },
	{ "txt", "text/plain; charset=utf-8" },
	{ "md", "text/markdown; charset=utf-8" },
	{ "csv", "text/csv; charset=utf-8" },
	{ "xml", "application/xml" },
	{ "json", "application/json" },
	{ "map", "application/json" },
	{ "webmanifest", "application/manifest+json" },
	{ "wasm", "application/wasm" },
	{ "pdf", "application/pdf" },
	{ "gz", "application/gzip" },
	{ "zip", "application/zip" },
	{ "ico", "image/x-icon" },
	{ "svg", "image/svg+xml" },
	{ "png", "image/png" },
	{ "jpg", "image/jpeg" },
	{ "jpeg", "image/jpeg" },
	{ "gif", "image/gif" },
	{ "webp", "image/webp" },
	{ "avif", "image/avif" },
	{ "woff", "font/woff" },
	{ "woff2", "font/woff2" },
	{ "ttf", "font/ttf" },
	{ "otf", "font/otf" },
	{ "mp3", "audio/mpeg" },
	{ "ogg", "audio/ogg" },
	{ "mp4", "video/mp4" },
	{ "webm", "video/webm" },
};

/* By what follows the last dot of the file's name, whatever its case. */
const char *url_type(const char *name)
{
	const char *base = strrchr(name, '/'), *dot = strrchr(base ? base : name, '.');
	size_t i;

	for (i = 0; dot && i < sizeof(types) / sizeof(types[0]); i++)
		if (!strcasecmp(dot + 1, types[i][0]))
			return types[i][1];
	return "application/octet-stream";
}

static const struct {
	__u32	status;
	const char *text;
} statuses[] = {
	{ 200, "OK" },
	{ 301, "Moved Permanently" },
	{ 304, "Not Modified" },
	{ 400, "Bad Request" },
	{ 401, "Unauthorized" },
	{ 403, "Forbidden" },
	{ 404, "Not Found" },
	{ 405, "Method Not Allowed" },
	{ 408, "Request Timeout" },
	{ 410, "Gone" },
	{ 411, "Length Required" },
	{ 413, "Content Too Large" },
	{ 414, "URI Too Long" },
	{ 416, "Range Not Satisfiable" },
	{ 417, "Expectation Failed" },
	{ 421, "Misdirected Request" },
	{ 429, "Too Many Requests" },
	{ 431, "Request Header Fields Too Large" },
	{ 500, "Internal Server Error" },
	{ 501, "Not Implemented" },
	{ 502, "Bad Gateway" },
	{ 503, "Service Unavailable" },
	{ 504, "Gateway Timeout" },
	{ 505, "HTTP Version Not Supported" },
};

/* NULL: there is no such status, or none that is served here. */
const char *status_text(__u32 status)
{
	size_t i;

	for (i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++)
		if (statuses[i].status == status)
			return statuses[i].text;
	return NULL;
}

/* "404.html" is the page of that status, "a/404.html" and "299.html" are files: 200. */
__u32 status_of_name(const char *name)
{
	__u32 status;

	if (strlen(name) != 8 || strcmp(name + 3, ".html") || strspn(name, "0123456789") != 3)
		return 200;
	status = (name[0] - '0') * 100 + (name[1] - '0') * 10 + (name[2] - '0');
	return status >= NDIV_CONTENT_STATUS && status_text(status) ? status : 200;
}
