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
	{ .name = "GET /00100", .request = REQ("/00100 HTTP/1.1", ""), .status = 200, .size = 100 },
	{ .name = "GET /1k", .request = REQ("/1k HTTP/1.1", ""), .status = 200, .size = 1024 },
	{ .name = "GET /0001K", .request = REQ("/0001K HTTP/1.1", ""), .status = 200, .size = 1024 },
	{ .name = "GET http://host/100", .request = REQ("http://10.77.0.2:8000/100 HTTP/1.1", ""), .status = 200,
	  .size = 100 },
	{ .name = "GET HTTP://host/", .request = REQ("HTTP://x/ HTTP/1.1", ""), .status = 200, .size = -1 },
	{ .name = "an empty line before it", .request = "\r\nGET /100 HTTP/1.1\r\n\r\n", .status = 200, .size = 100 },
	{ .name = "an LF before it", .request = "\nGET /100 HTTP/1.1\r\n\r\n", .status = 200, .size = 100 },
	{ .name = "GET /100?query", .request = REQ("/100?a=b&c=/200 HTTP/1.1", ""), .status = 200, .size = 100 },
	{ .name = "GET /100?", .request = REQ("/100? HTTP/1.1", ""), .status = 200, .size = 100 },
	{ .name = "GET /", .request = REQ("/ HTTP/1.1", ""), .status = 200, .size = -1 },
	{ .name = "GET /?", .request = REQ("/? HTTP/1.1", ""), .status = 200, .size = 0 },
	{ .name = "GET /?query", .request = REQ("/?200 HTTP/1.1", ""), .status = 200, .size = 0 },
	{ .name = "GET /?s=", .request = REQ("/?s=200 HTTP/1.1", ""), .status = 200, .size = 200 },
	{ .name = "size and status", .request = REQ("/?s=200/r=404 HTTP/1.1", ""), .status = 404, .size = 200 },
	{ .name = "status and size", .request = REQ("/?r=503&s=1k HTTP/1.1", ""), .status = 503, .size = 1024 },
	{ .name = "status 200", .request = REQ("/?r=200 HTTP/1.1", ""), .status = 200, .size = 0 },
	{ .name = "redirection", .request = REQ("/?r=302 HTTP/1.1", ""), .status = 302, .size = 0 },
	{ .name = "C closes", .request = REQ("/?C/s=9 HTTP/1.1", ""), .status = 200, .size = 9, .close = 1 },
	{ .name = "K keeps", .request = REQ("/?K/s=9 HTTP/1.0", ""), .status = 200, .size = 9 },
	{ .name = "K is no help against close", .request = REQ("/?K/s=9 HTTP/1.1", "Connection: close\r\n"), .status = 200,
	  .size = 9, .close = 1 },
	{ .name = "the last size counts", .request = REQ("/?s=9&s=10 HTTP/1.1", ""), .status = 200, .size = 10 },
	{ .name = "arguments that nobody knows", .request = REQ("/?x=1&ys=3/zr=7&s=5 HTTP/1.1", ""), .status = 200,
	  .size = 5 },
	{ .name = "a status that there is not", .request = REQ("/?r=299 HTTP/1.1", ""), .status = 400, .size = -1,
	  .method = ROW_OTHER, .close = 1 },
	{ .name = "a size that is no number", .request = REQ("/?s=x HTTP/1.1", ""), .status = 400, .size = -1,
	  .method = ROW_OTHER, .close = 1 },
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
	{ .name = "GET /1073741825", .request = REQ("/1073741825 HTTP/1.1", ""), .status = 416, .size = -1, .close = 1 },
	{ .name = "GET /2g", .request = REQ("/2g HTTP/1.1", ""), .status = 416, .size = -1, .close = 1 },
	{ .name = "GET /4g", .request = REQ("/4g HTTP/1.1", ""), .status = 416, .size = -1, .close = 1 },
	{ .name = "GET /4294967295", .request = REQ("/4294967295 HTTP/1.1", ""), .status = 416, .size = -1, .close = 1 },
	{ .name = "GET /4294967396", .request = REQ("/4294967396 HTTP/1.1", ""), .status = 416, .size = -1,
	  .close = 1 },
	{ .name = "GET /18446744073709551716", .request = REQ("/18446744073709551716 HTTP/1.1", ""), .status = 416,
	  .size = -1, .close = 1 },
	{ .name = "HEAD /2g", .request = "HEAD /2g HTTP/1.1\r\n\r\n", .status = 416, .size = -1, .close = 1,
	  .head = 1 },
	{ .name = "HEAD /1g", .request = "HEAD /1g HTTP/1.1\r\n\r\n", .status = 200, .size = 1 << 30, .head = 1 },
	{ .name = "HEAD /99999", .request = "HEAD /99999 HTTP/1.1\r\n\r\n", .status = 200, .size = 99999, .head = 1 },

	/* --- not found -------------------------------------------------------------------------------------- */
	{ .name = "GET /100/", .request = REQ("/100/ HTTP/1.1", ""), .status = 404, .size = -1, .close = 1 },
	{ .name = "GET /index.html", .request = REQ("/index.html HTTP/1.1", ""), .status = 404, .size = -1,
	  .close = 1 },
	{ .name = "GET /100x", .request = REQ("/100x HTTP/1.1", ""), .status = 404, .size = -1, .close = 1 },
	{ .name = "GET /-1", .request = REQ("/-1 HTTP/1.1", ""), .status = 404, .size = -1, .close = 1 },
	{ .name = "GET /%31", .request = REQ("/%31 HTTP/1.1", ""), .status = 404, .size = -1, .close = 1 },
	{ .name = "GET //100", .request = REQ("//100 HTTP/1.1", ""), .status = 404, .size = -1, .close = 1 },

	/* --- bodies ----------------------------------------------------------------------------------------- */
	{ .name = "POST", .request = "POST /100 HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc", .status = 200, .size = -1,
	  .method = ROW_POST },
	{ .name = "POST, close", .request = "POST / HTTP/1.1\r\nContent-Length: 3\r\nConnection: close\r\n\r\nabc",
	  .status = 200, .size = -1, .method = ROW_POST, .close = 1 },
	{ .name = "POST, HTTP/1.0", .request = "POST / HTTP/1.0\r\ncontent-length:3\r\n\r\nabc", .status = 200,
	  .size = -1, .method = ROW_POST, .close = 1 },
	{ .name = "PUT", .request = "PUT /100 HTTP/1.1\r\n\r\n", .status = 200, .size = -1, .method = ROW_POST },
	{ .name = "POST of nothing", .request = "POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\n", .status = 200,
	  .size = -1, .method = ROW_POST },
	{ .name = "POST and the next request", .request = "POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\nabcGET /",
	  .status = 200, .size = -1, .method = ROW_POST,
	  .acked = ALREADY("POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc") },
	{ .name = "the same length twice", .request = "POST / HTTP/1.1\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc",
	  .status = 200, .size = -1, .method = ROW_POST },
	{ .name = "two lengths", .request = "POST / HTTP/1.1\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
	  .status = 400, .size = -1, .method = ROW_OTHER, .close = 1 },
	{ .name = "a length that is no number", .request = "POST / HTTP/1.1\r\nContent-Length: 3x\r\n\r\nabc",
	  .status = 400, .size = -1, .method = ROW_OTHER, .close = 1 },
	{ .name = "a length below 0", .request = "POST / HTTP/1.1\r\nContent-Length: -3\r\n\r\nabc",
	  .status = 400, .size = -1, .method = ROW_OTHER, .close = 1 },
	{ .name = "a length of 20 digits", .request = "POST / HTTP/1.1\r\nContent-Length: 18446744073709551619\r\n\r\nabc",
	  .status = 400, .size = -1, .method = ROW_OTHER, .close = 1 },
	{ .name = "a length with a blank before the colon",
	  .request = "POST / HTTP/1.1\r\nContent-Length : 18\r\n\r\nGET /9 HTTP/1.1\r\n\r\n",
	  .status = 400, .size = -1, .method = ROW_OTHER, .close = 1 },
	{ .name = "a length with a tab before the colon", .request = "GET /9 HTTP/1.1\r\nContent-Length\t: 3\r\n\r\nabc",
	  .status = 400, .size = -1, .method = ROW_OTHER, .close = 1 },
	{ .name = "chunks", .request = "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
	  .status = 411, .size = -1, .method = ROW_POST, .close = 1 },
	{ .name = "GET with a body", .request = "GET /9 HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc", .status = 200,
	  .size = 9 },
	{ .name = "GET with a part of a body", .request = "GET /9 HTTP/1.1\r\nContent-Length: 4\r\n\r\nabc", .status = 200,
	  .size = 9, .close = 1 },
	{ .name = "another field of that beginning", .request = "POST / HTTP/1.1\r\nContent-Lengths: 9\r\n\r\n",
	  .status = 200, .size = -1, .method = ROW_POST },

	/* --- other methods ---------------------------------------------------------------------------------- */
	{ .name = "DELETE", .request = "DELETE /100 HTTP/1.1\r\n\r\n", .status = 405, .size = -1, .method = ROW_OTHER, .close = 1 },
	{ .name = "OPTIONS", .request = "OPTIONS * HTTP/1.1\r\n\r\n", .status = 405, .size = -1, .method = ROW_OTHER, .close = 1 },
	{ .name = "PATCH", .request = "PATCH / HTTP/1.1\r\n\r\n", .status = 405, .size = -1, .method = ROW_OTHER, .close = 1 },
	{ .name = "TRACE", .request = "TRACE / HTTP/1.1\r\n\r\n", .status = 405, .size = -1, .method = ROW_OTHER, .close = 1 },
	{ .name = "CONNECT", .request = "CONNECT x:80 HTTP/1.1\r\n\r\n", .status = 405, .size = -1, .method = ROW_OTHER, .close = 1 },

	/* --- bad requests ----------------------------------------------------------------------------------- */
	{ .name = "one byte", .request = "G", .status = 400, .method = ROW_OTHER, .size = -1, .close = 1 },
	{ .name = "an empty line", .request = "\r\n", .status = 400, .method = ROW_OTHER, .size = -1, .close = 1 },
	{ .name = "method in lower case", .request = "get /100 HTTP/1.1\r\n\r\n", .status = 400, .method = ROW_OTHER, .size = -1,
	  .close = 1 },
	{ .name = "no version", .request = "GET /100\r\n\r\n", .status = 400, .method = ROW_OTHER, .size = -1, .close = 1 },
	{ .name = "no version, but a blank", .request = "GET /100 \r\n\r\n", .status = 400, .method = ROW_OTHER, .size = -1, .close = 1 },
	{ .name = "HTTP/2.0", .request = "GET /100 HTTP/2.0\r\n\r\n", .status = 400, .method = ROW_OTHER, .size = -1, .close = 1 },
	{ .name = "HTTP/1.x", .request = "GET /100 HTTP/1.x\r\n\r\n", .status = 400, .method = ROW_OTHER, .size = -1, .close = 1 },
	{ .name = "http/1.1", .request = "GET /100 http/1.1\r\n\r\n", .status = 400, .method = ROW_OTHER, .size = -1, .close = 1 },
	{ .name = "two blanks behind the method", .request = "GET  /100 HTTP/1.1\r\n\r\n", .status = 400, .method = ROW_OTHER, .size = -1,
	  .close = 1 },
	{ .name = "two blanks behind the URL", .request = "GET /100  HTTP/1.1\r\n\r\n", .status = 400, .method = ROW_OTHER, .size = -1,
	  .close = 1 },
	{ .name = "no blank behind the method", .request = "GET/100 HTTP/1.1\r\n\r\n", .status = 400, .method = ROW_OTHER, .size = -1,
	  .close = 1 },
	{ .name = "no slash", .request = "GET 100 HTTP/1.1\r\n\r\n", .status = 400, .method = ROW_OTHER, .size = -1, .close = 1 },
	{ .name = "no method that anybody knows", .request = "BREW /pot HTTP/1.1\r\n\r\n", .status = 400, .method = ROW_OTHER, .size = -1,
	  .close = 1 },
	{ .name = "TLS", .request = "\x16\x03\x01\x02\x01\x01\x01\xfc\x03\x03", .status = 400, .method = ROW_OTHER, .size = -1,
	  .close = 1 },
	{ .name = "HTTP/2 preface", .request = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", .status = 400, .method = ROW_OTHER, .size = -1,
	  .close = 1 },
	{ .name = "a URL without end", .request = "GET /100" HUNDRED HUNDRED HUNDRED HUNDRED, .status = 400, .method = ROW_OTHER,
	  .size = -1,
	  .close = 1 },

	/* --- headers that are not whole: answered at once ---------------------------------------------------- */
	{ .name = "header without end", .request = "GET /100 HTTP/1.1\r\nHost: x\r\n", .status = 200, .size = 100,
	  .close = 1 },
	{ .name = "first line only", .request = "GET /100 HTTP/1.1\r\n", .status = 200, .size = 100, .close = 1 },
	{ .name = "half of the last line end", .request = "GET /100 HTTP/1.1\r\nHost: x\r\n\r", .status = 200,
	  .size = 100, .close = 1 },
	{ .name = "header of 1400 bytes", .request = REQ("/100 HTTP/1.1", "X: " HUNDRED HUNDRED HUNDRED HUNDRED
	  HUNDRED HUNDRED
	  HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED "\r\n"), .status = 200, .size = 100,
	  .close = 1 },
	{ .name = "request of several buffers", .request = REQ("/100 HTTP/1.1", "X: " HUNDRED HUNDRED HUNDRED HUNDRED
	  HUNDRED
	  HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED
	  HUNDRED HUNDRED
	  HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED
	  HUNDRED HUNDRED
	  HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED "\r\n"), .status = 200, .size = 100, .close = 1 },

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
	static const struct {
		int	status;
		const char *text;
	} texts[] = {
		{ 200, "200 OK" }, { 201, "201 Created" }, { 202, "202 Accepted" },
		{ 203, "203 Non-Authoritative Information" }, { 300, "300 Multiple Choices" },
		{ 301, "301 Moved Permanently" }, { 302, "302 Found" }, { 303, "303 See Other" },
		{ 307, "307 Temporary Redirect" }, { 308, "308 Permanent Redirect" }, { 400, "400 Bad Request" },
		{ 401, "401 Unauthorized" }, { 402, "402 Payment Required" }, { 403, "403 Forbidden" },
		{ 404, "404 Not Found" }, { 405, "405 Method Not Allowed" }, { 406, "406 Not Acceptable" },
		{ 408, "408 Request Timeout" }, { 409, "409 Conflict" }, { 410, "410 Gone" },
		{ 411, "411 Length Required" }, { 413, "413 Content Too Large" }, { 414, "414 URI Too Long" },
		{ 415, "415 Unsupported Media Type" }, { 416, "416 Range Not Satisfiable" },
		{ 418, "418 I'm a teapot" }, { 421, "421 Misdirected Request" }, { 429, "429 Too Many Requests" },
		{ 431, "431 Request Header Fields Too Large" }, { 500, "500 Internal Server Error" },
		{ 501, "501 Not Implemented" }, { 502, "502 Bad Gateway" }, { 503, "503 Service Unavailable" },
		{ 504, "504 Gateway Timeout" },
	};
	size_t i;

	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (texts[i].status == status)
			return texts[i].text;
	return "no such status";
}

static const char *body_text(const struct http_answer *a)
{
	switch (a->status) {
	case 200:
		return a->post ? "Received.\n" : "ndiv httpd: GET /N gives N bytes; k, m and g are units.\n";
	case 400:
		return "This is no HTTP/1.x request.\n";
	case 404:
		return "There are objects /N only, of N bytes.\n";
	case 405:
		return "GET, HEAD, POST and PUT only.\n";
	case 411:
		return "Bodies in chunks are not taken.\n";
	case 416:
		return "Too large: 1g is the limit; without TCP timestamps, eight segments.\n";
	default:
		return "A header longer than a packet: 16 segments are the limit.\n";
	}
}

/* The pattern ends with the object. Returns the body's length. */
static size_t body(char *buf, const struct http_answer *a)
{
	int i;

	if (a->size < 0)
		return sprintf(buf, "%s", body_text(a));
	for (i = 0; i < a->size && !a->head; i++)
		buf[i] = PATTERN[(unsigned int)(i - a->size) % 64];
	return a->size;
}

size_t http_response(char *buf, const struct http_answer *a)
{
	size_t first, pad, len, mask = a->ts ? 31 : a->close ? 15 : 127;
	static char text[9000];
	char rest[200];

	len = body(text, a);
	first = sprintf(buf, "HTTP/1.1 %s\r\nX-Pad: ", status_text(a->status));
	snprintf(rest, sizeof(rest), "%s\r\nConnection: %s\r\nContent-Length: %10zu\r\n\r\n",
		 a->status == 405 ? "\r\nAllow: GET, HEAD, POST, PUT" : "", a->close ? "close" : "keep-alive", len);
	if (a->head)
		len = 0;
	pad = -(first + strlen(rest) + len) & mask;
	memset(buf + first, '.', pad);
	memcpy(buf + first + pad, rest, strlen(rest));
	memcpy(buf + first + pad + strlen(rest), text, len);
	return first + pad + strlen(rest) + len;
}
