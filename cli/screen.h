/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * screen.h - a text that changes, on a terminal of any size
 */
#ifndef NDIV_SCREEN_H
#define NDIV_SCREEN_H

enum screen_key {
	SCREEN_NONE = 0, /* time is up, or a signal came */
	SCREEN_QUIT, /* so it was asked, or the terminal is gone */
	SCREEN_PAUSE,
	SCREEN_FASTER,
	SCREEN_SLOWER,
	SCREEN_REDRAW, /* scrolled, or of another size */
};

/* 0, or -1 after a message. */
int screen_open(void);
/* Gives the terminal back as it was. */
void screen_close(void);
/* <text>: lines; those that begin with no blank are headers. What does not fit is cut off, and reached by scrolling. */
void screen_draw(const char *title, const char *text);
/* Waits up to <ms> milliseconds (below 0: for ever) for a key. */
enum screen_key screen_wait(int ms);

#endif
