// SPDX-License-Identifier: GPL-2.0-only
/*
 * rows_http.c - requests, and what a web server answers
 */
#include <stdio.h>
#include <string.h>
#include "rows.h"

#define REQ(first, rest)	"GET " first "\r\nHost: 10.77.0.2:8000\r\n" rest "\r\n"
#define HUNDRED "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define ALREADY(s)	(sizeof(s) - 1)

/* clang-format off */
const struct http_row http_rows[] = {
	/* --- objects ---------------------------------------------------------------------------------------- */
	{ .name = "GET /100", .request = REQ("/100 HTTP/1.1", ""), .status = 200, .size = 100 },
	{ .name = "GET /0", .request = REQ("/0 HTTP/1.1", ""), .status = 200, .size = 0 },
	{ .name = "GET /1", .request = REQ("/1 HTTP/1.1", ""), .status = 200, .size = 1 },
	{ .name = "GET /1000", .request = REQ("/1000 HTTP/1.1", ""), .status = 200, .size = 1000 },
	{ .name = "GET /1300", .request = REQ("/1300 HTTP/1.1", ""), .status = 200, .size = 1300 },
	{ .name = "GET /00100", .request = REQ("/00100 HTTP/1.1", ""), .status = 200, .size = 100,
	  .number = "00100" },
	{ .name = "GET /100?query", .request = REQ("/100?a=b&c=/200 HTTP/1.1", ""), .status = 200, .size = 100 },
	{ .name = "GET /100?", .request = REQ("/100? HTTP/1.1", ""), .status = 200, .size = 100 },
	{ .name = "GET /", .request = REQ("/ HTTP/1.1", ""), .status = 200, .size = -1 },
	{ .name = "GET /?query", .request = REQ("/?200 HTTP/1.1", ""), .status = 200, .size = -1 },
	{ .name = "GET /, close", .request = REQ("/ HTTP/1.1", "Connection: close\r\n"), .status = 200, .size = -1,
	  .close = 1 },
	{ .name = "HEAD /100", .request = "HEAD /100 HTTP/1.1\r\n\r\n", .status = 200, .size = 100, .head = 1 },
	{ .name = "HEAD /", .request = "HEAD / HTTP/1.1\r\n\r\n", .status = 200, .size = -1, .head = 1 },
	{ .name = "HEAD /100, HTTP/1.0", .request = "HEAD /100 HTTP/1.0\r\n\r\n", .status = 200, .size = 100,
	  .head = 1,
	  .close = 1 },
	{ .name = "no header at all", .request = "GET /100 HTTP/1.1\r\n\r\n", .status = 200, .size = 100 },
	{ .name = "lines that end with LF only", .request = "GET /100 HTTP/1.1\nHost: x\nConnection: close\n\n",
	  .status = 200,
	  .size = 100, .close = 1 },
	{ .name = "HTTP/1.2 is like 1.1", .request = REQ("/100 HTTP/1.2", ""), .status = 200, .size = 100 },

	/* --- kept or closed --------------------------------------------------------------------------------- */
	{ .name = "HTTP/1.0 closes", .request = REQ("/100 HTTP/1.0", ""), .status = 200, .size = 100, .close = 1 },
	{ .name = "HTTP/1.0 keep-alive", .request = REQ("/100 HTTP/1.0", "Connection: keep-alive\r\n"), .status = 200,
	  .size = 100 },
	{ .name = "HTTP/1.0 Keep-Alive", .request = REQ("/100 HTTP/1.0", "CONNECTION:KEEP-ALIVE\r\n"), .status = 200,
	  .size = 100 },
	{ .name = "HTTP/1.1 close", .request = REQ("/100 HTTP/1.1", "Connection: close\r\n"), .status = 200,
	  .size = 100,
	  .close = 1 },
	{ .name = "HTTP/1.1 Close", .request = REQ("/100 HTTP/1.1", "connection: Close\r\n"), .status = 200,
	  .size = 100,
	  .close = 1 },
	{ .name = "HTTP/1.1 keep-alive", .request = REQ("/100 HTTP/1.1", "Connection: keep-alive\r\n"), .status = 200,
	  .size = 100 },
	{ .name = "blanks around the value", .request = REQ("/100 HTTP/1.1", "Connection: \t  close \t\r\n"),
	  .status = 200,
	  .size = 100, .close = 1 },
	{ .name = "close in a list", .request = REQ("/100 HTTP/1.1", "Connection: upgrade, close\r\n"), .status = 200,
	  .size = 100, .close = 1 },
	{ .name = "close in a list without blanks", .request = REQ("/100 HTTP/1.1", "Connection: te,close,x\r\n"),
	  .status = 200, .size = 100, .close = 1 },
	{ .name = "keep-alive in a list", .request = REQ("/100 HTTP/1.0", "Connection: te , keep-alive\r\n"),
	  .status = 200,
	  .size = 100 },
	{ .name = "the second Connection header", .request = REQ("/100 HTTP/1.1",
	  "Connection: te\r\nConnection: close\r\n"),
	  .status = 200, .size = 100, .close = 1 },
	{ .name = "closed is not close", .request = REQ("/100 HTTP/1.1", "Connection: closed\r\n"), .status = 200,
	  .size = 100 },
	{ .name = "disclose is not close", .request = REQ("/100 HTTP/1.1", "Connection: disclose\r\n"), .status = 200,
	  .size = 100 },
	{ .name = "not-close is not close", .request = REQ("/100 HTTP/1.1", "Connection: not-close\r\n"),
	  .status = 200,
	  .size = 100 },
	{ .name = "keep-alives is not keep-alive", .request = REQ("/100 HTTP/1.0", "Connection: keep-alives\r\n"),
	  .status = 200, .size = 100, .close = 1 },
	{ .name = "another header that ends in connection", .request = REQ("/100 HTTP/1.1",
	  "X-Connection: close\r\n"),
	  .status = 200, .size = 100 },
	{ .name = "another header that begins with connection", .request = REQ("/100 HTTP/1.1",
	  "Connections: close\r\n"),
	  .status = 200, .size = 100 },
	{ .name = "the word in another header", .request = REQ("/100 HTTP/1.1", "X: Connection: close\r\n"),
	  .status = 200,
	  .size = 100 },
	{ .name = "Connection without a value", .request = REQ("/100 HTTP/1.1", "Connection:\r\nX: close\r\n"),
	  .status = 200,
	  .size = 100 },
	{ .name = "close behind many headers", .request = REQ("/100 HTTP/1.1", "User-Agent: wrk\r\nAccept: */*\r\n"
	  "Accept-Language: en\r\nCookie: a=b; c=d\r\nCache-Control: no-cache\r\nConnection: close\r\n"),
	  .status = 200,
	  .size = 100, .close = 1 },
	{ .name = "close behind a long header", .request = REQ("/100 HTTP/1.1", "Cookie: " HUNDRED HUNDRED HUNDRED
	  HUNDRED
	  HUNDRED HUNDRED "\r\nConnection: close\r\n"), .status = 200, .size = 100, .close = 1 },

	/* --- too large -------------------------------------------------------------------------------------- */
	{ .name = "GET /1400 with MSS 1460", .request = REQ("/1400 HTTP/1.1", ""), .status = 416, .size = -1,
	  .close = 1 },
	{ .name = "GET /65536", .request = REQ("/65536 HTTP/1.1", ""), .status = 416, .size = -1, .close = 1 },
	{ .name = "GET /99999", .request = REQ("/99999 HTTP/1.1", ""), .status = 416, .size = -1, .close = 1 },
	{ .name = "GET /100000", .request = REQ("/100000 HTTP/1.1", ""), .status = 416, .size = -1, .close = 1 },
	{ .name = "GET /99999999", .request = REQ("/99999999 HTTP/1.1", ""), .status = 416, .size = -1, .close = 1 },
	{ .name = "GET /4294967396", .request = REQ("/4294967396 HTTP/1.1", ""), .status = 416, .size = -1,
	  .close = 1 },
	{ .name = "GET /18446744073709551716", .request = REQ("/18446744073709551716 HTTP/1.1", ""), .status = 416,
	  .size = -1, .close = 1 },
	{ .name = "HEAD /99999", .request = "HEAD /99999 HTTP/1.1\r\n\r\n", .status = 416, .size = -1, .close = 1,
	  .head = 1 },

	/* --- not found -------------------------------------------------------------------------------------- */
	{ .name = "GET /100/", .request = REQ("/100/ HTTP/1.1", ""), .status = 404, .size = -1, .close = 1 },
	{ .name = "GET /index.html", .request = REQ("/index.html HTTP/1.1", ""), .status = 404, .size = -1,
	  .close = 1 },
	{ .name = "GET /100x", .request = REQ("/100x HTTP/1.1", ""), .status = 404, .size = -1, .close = 1 },
	{ .name = "GET /-1", .request = REQ("/-1 HTTP/1.1", ""), .status = 404, .size = -1, .close = 1 },
	{ .name = "GET /%31", .request = REQ("/%31 HTTP/1.1", ""), .status = 404, .size = -1, .close = 1 },
	{ .name = "GET //100", .request = REQ("//100 HTTP/1.1", ""), .status = 404, .size = -1, .close = 1 },

	/* --- other methods ---------------------------------------------------------------------------------- */
	{ .name = "POST", .request = "POST /100 HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc", .status = 405, .size = -1,
	  .close = 1 },
	{ .name = "PUT", .request = "PUT /100 HTTP/1.1\r\n\r\n", .status = 405, .size = -1, .close = 1 },
	{ .name = "DELETE", .request = "DELETE /100 HTTP/1.1\r\n\r\n", .status = 405, .size = -1, .close = 1 },
	{ .name = "OPTIONS", .request = "OPTIONS * HTTP/1.1\r\n\r\n", .status = 405, .size = -1, .close = 1 },
	{ .name = "PATCH", .request = "PATCH / HTTP/1.1\r\n\r\n", .status = 405, .size = -1, .close = 1 },
	{ .name = "TRACE", .request = "TRACE / HTTP/1.1\r\n\r\n", .status = 405, .size = -1, .close = 1 },
	{ .name = "CONNECT", .request = "CONNECT x:80 HTTP/1.1\r\n\r\n", .status = 405, .size = -1, .close = 1 },

	/* --- bad requests ----------------------------------------------------------------------------------- */
	{ .name = "one byte", .request = "G", .status = 400, .size = -1, .close = 1 },
	{ .name = "an empty line", .request = "\r\n", .status = 400, .size = -1, .close = 1 },
	{ .name = "method in lower case", .request = "get /100 HTTP/1.1\r\n\r\n", .status = 400, .size = -1,
	  .close = 1 },
	{ .name = "no version", .request = "GET /100\r\n\r\n", .status = 400, .size = -1, .close = 1 },
	{ .name = "no version, but a blank", .request = "GET /100 \r\n\r\n", .status = 400, .size = -1, .close = 1 },
	{ .name = "HTTP/2.0", .request = "GET /100 HTTP/2.0\r\n\r\n", .status = 400, .size = -1, .close = 1 },
	{ .name = "HTTP/1.x", .request = "GET /100 HTTP/1.x\r\n\r\n", .status = 400, .size = -1, .close = 1 },
	{ .name = "http/1.1", .request = "GET /100 http/1.1\r\n\r\n", .status = 400, .size = -1, .close = 1 },
	{ .name = "two blanks behind the method", .request = "GET  /100 HTTP/1.1\r\n\r\n", .status = 400, .size = -1,
	  .close = 1 },
	{ .name = "two blanks behind the URL", .request = "GET /100  HTTP/1.1\r\n\r\n", .status = 400, .size = -1,
	  .close = 1 },
	{ .name = "no blank behind the method", .request = "GET/100 HTTP/1.1\r\n\r\n", .status = 400, .size = -1,
	  .close = 1 },
	{ .name = "no slash", .request = "GET 100 HTTP/1.1\r\n\r\n", .status = 400, .size = -1, .close = 1 },
	{ .name = "no method that anybody knows", .request = "BREW /pot HTTP/1.1\r\n\r\n", .status = 400, .size = -1,
	  .close = 1 },
	{ .name = "TLS", .request = "\x16\x03\x01\x02\x01\x01\x01\xfc\x03\x03", .status = 400, .size = -1,
	  .close = 1 },
	{ .name = "HTTP/2 preface", .request = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", .status = 400, .size = -1,
	  .close = 1 },
	{ .name = "a URL without end", .request = "GET /100" HUNDRED HUNDRED HUNDRED HUNDRED, .status = 400,
	  .size = -1,
	  .close = 1 },

	/* --- headers that are too long ---------------------------------------------------------------------- */
	{ .name = "header without end", .request = "GET /100 HTTP/1.1\r\nHost: x\r\n", .status = 431, .size = -1,
	  .close = 1 },
	{ .name = "first line only", .request = "GET /100 HTTP/1.1\r\n", .status = 431, .size = -1, .close = 1 },
	{ .name = "half of the last line end", .request = "GET /100 HTTP/1.1\r\nHost: x\r\n\r", .status = 431,
	  .size = -1,
	  .close = 1 },
	{ .name = "header of 1400 bytes", .request = REQ("/100 HTTP/1.1", "X: " HUNDRED HUNDRED HUNDRED HUNDRED
	  HUNDRED HUNDRED
	  HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED "\r\n"), .status = 431, .size = -1,
	  .close = 1 },
	{ .name = "request of several buffers", .request = REQ("/100 HTTP/1.1", "X: " HUNDRED HUNDRED HUNDRED HUNDRED
	  HUNDRED
	  HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED
	  HUNDRED HUNDRED
	  HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED
	  HUNDRED HUNDRED
	  HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED "\r\n"), .status = 431, .size = -1, .close = 1 },

	/* --- more than one request in a packet -------------------------------------------------------------- */
	{ .name = "two requests: the first is answered",
	  .request = "GET /100 HTTP/1.1\r\n\r\nGET /200 HTTP/1.1\r\n\r\n",
	  .status = 200, .size = 100, .acked = ALREADY("GET /100 HTTP/1.1\r\n\r\n") },
	{ .name = "a request and a part of another one", .request = "GET /100 HTTP/1.1\r\nHost: x\r\n\r\nGET /2",
	  .status = 200, .size = 100, .acked = ALREADY("GET /100 HTTP/1.1\r\nHost: x\r\n\r\n") },
	{ .name = "two requests, the first closes", .request = "GET /100 HTTP/1.0\r\n\r\nGET /200 HTTP/1.0\r\n\r\n",
	  .status = 200, .size = 100, .close = 1 },
};
/* clang-format on */

const size_t http_row_count = sizeof(http_rows) / sizeof(http_rows[0]);

#define PATTERN "0123456789abcdefghijklmnopqrstuvwxyz-ABCDEFGHIJKLMNOPQRSTUVWXYZ\n"

static const char *status_text(int status)
{
	switch (status) {
	case 200:
		return "200 OK";
	case 400:
		return "400 Bad Request";
	case 404:
		return "404 Not Found";
	case 405:
		return "405 Method Not Allowed";
	case 416:
		return "416 Range Not Satisfiable";
	default:
		return "431 Request Header Fields Too Large";
	}
}

static const char *body_text(int status)
{
	switch (status) {
	case 200:
		return "ndiv httpd: GET /N gives N bytes, as many as fit one segment.\n";
	case 400:
		return "This is no HTTP/1.x request.\n";
	case 404:
		return "There are objects /N only, of N bytes.\n";
	case 405:
		return "GET and HEAD only.\n";
	case 416:
		return "Too large: header and body must fit one segment of this connection.\n";
	default:
		return "The request must be in one segment, of up to about 1400 bytes.\n";
	}
}

/* Body of <size> bytes, or of the status's text if it is below 0. Returns its length. */
static size_t body(char *buf, int status, int size)
{
	int i;

	if (size < 0)
		return sprintf(buf, "%s", body_text(status));
	for (i = 0; i < size; i++)
		buf[i] = PATTERN[i % 64];
	return size;
}

/* The whole response into <buf>; its length, which is a multiple of 16. <number>: as Content-Length has it, or NULL. */
size_t http_response(char *buf, int status, int close, int head, int size, const char *number)
{
	static char text[9000];
	char rest[200], digits[12];
	size_t len = body(text, status, size), first, pad;

	snprintf(digits, sizeof(digits), "%zu", len);
	first = sprintf(buf, "HTTP/1.1 %s\r\nX-Pad: ", status_text(status));
	snprintf(rest, sizeof(rest), "%s\r\nConnection: %s\r\nContent-Length: %5s\r\n\r\n",
		 status == 405 ? "\r\nAllow: GET, HEAD" : "", close ? "close" : "keep-alive", number ? number : digits);
	if (head)
		len = 0;
	pad = -(first + strlen(rest) + len) & 15;
	memset(buf + first, '.', pad);
	memcpy(buf + first + pad, rest, strlen(rest));
	memcpy(buf + first + pad + strlen(rest), text, len);
	return first + pad + strlen(rest) + len;
}
