// SPDX-License-Identifier: GPL-2.0-only
/* screen.c - a text that changes, on a terminal of any size */
#include <curses.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>
#include "cmd.h"
#include "screen.h"

static SCREEN *screen;
static int top; /* first line of the text that is on the screen */
static int lines; /* of the text */

int screen_open(void)
{
	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO)) {
		message("top needs a terminal; `ndiv top --batch` prints plain tables");
		return -1;
	}
	screen = newterm(NULL, stdout, stdin);
	if (!screen) {
		message("unknown terminal type \"%s\": set TERM, or use `ndiv top --batch`",
			getenv("TERM") ? getenv("TERM") : "");
		return -1;
	}
	cbreak();
	noecho();
	nonl();
	keypad(stdscr, TRUE);
	nodelay(stdscr, TRUE);
	curs_set(0);
	atexit(screen_close);
	return 0;
}

void screen_close(void)
{
	if (!screen)
		return;
	endwin();
	delscreen(screen);
	screen = NULL;
}

static int count_lines(const char *text)
{
	int n = 0;

	for (; (text = strchr(text, '\n')); text++)
		n++;
	return n;
}

/* Keeps the last line on the screen or below its end. */
static void limit_scroll(void)
{
	int room = LINES - 1, most = lines > room ? lines - room : 0;

	top = top > most ? most : top < 0 ? 0 : top;
}

void screen_draw(const char *title, const char *text)
{
	const char *end;
	int n, y;

	lines = count_lines(text);
	limit_scroll();
	erase();
	attrset(A_REVERSE);
	mvprintw(0, 0, "%-*.*s", COLS, COLS, title);
	for (n = 0; (end = strchr(text, '\n')); text = end + 1, n++) {
		y = n - top + 1;
		if (y < 1 || y >= LINES)
			continue;
		attrset(*text == ' ' ? A_NORMAL : A_BOLD);
		mvaddnstr(y, 0, text, end - text < COLS ? (int)(end - text) : COLS);
	}
	attrset(A_NORMAL);
	refresh();
}

static enum screen_key scroll_by(int n)
{
	top += n;
	limit_scroll();
	return SCREEN_REDRAW;
}

static int page(void)
{
	return LINES > 3 ? LINES - 2 : 1;
}

static enum screen_key translate(int key)
{
	switch (key) {
	case 'q':
	case 'Q':
		return SCREEN_QUIT;
	case ' ':
		return SCREEN_PAUSE;
	case '-':
		return SCREEN_FASTER;
	case '+':
		return SCREEN_SLOWER;
	case KEY_UP:
		return scroll_by(-1);
	case KEY_DOWN:
		return scroll_by(1);
	case KEY_PPAGE:
		return scroll_by(-page());
	case KEY_NPAGE:
		return scroll_by(page());
	case KEY_HOME:
		return scroll_by(-lines);
	case KEY_END:
		return scroll_by(lines);
	case KEY_RESIZE:
		return SCREEN_REDRAW;
	}
	return SCREEN_NONE;
}

enum screen_key screen_wait(int ms)
{
	struct pollfd p = { .fd = STDIN_FILENO, .events = POLLIN };

	/* also after a signal: ncurses tells of another size as of a key */
	if (poll(&p, 1, ms) > 0 && (p.revents & (POLLHUP | POLLERR | POLLNVAL)))
		return SCREEN_QUIT;
	return translate(getch());
}
