// SPDX-License-Identifier: GPL-2.0-only
/* cmd_probe.c - ndiv probe: what kernel and interface offer, and what ndiv uses of it */
#include <inttypes.h>
#include <string.h>
#include "cmd.h"
#include "out.h"

struct options {
	int json;
};

static const char *presence(int present)
{
	return present < 0 ? "?" : present ? "yes" : "no";
}

static void put_text(const char *ifname, const struct ndiv_probe *pr)
{
	struct tab t;
	size_t i;

	out_line(stdout, "kernel %s", pr->kernel);
	if (ifname)
		out_line(stdout, "interface %s, driver %s, mtu %u", ifname, pr->driver[0] ? pr->driver : "?", pr->mtu);
	if (pr->foreign)
		out_line(stdout, "another XDP program is there: \"%s\", id %" PRIu32 ": ndiv cannot attach",
			 pr->foreign_name, pr->foreign);
	tab_begin(&t, "lll");
	for (i = 0; i < pr->count; i++) {
		tab_cell(&t, "%s", pr->feature[i].name);
		tab_cell(&t, "%s", presence(pr->feature[i].present));
		tab_cell(&t, "%s", pr->feature[i].use);
	}
	tab_end(&t, stdout, 2);
}

/* Another program than ndiv's, or null. */
static void json_foreign(struct json *j, const struct ndiv_probe *pr)
{
	if (!pr->foreign) {
		json_text(j, "foreign", NULL);
		return;
	}
	json_open(j, "foreign", '{');
	json_text(j, "name", pr->foreign_name);
	json_uint(j, "prog_id", pr->foreign);
	json_close(j, '}');
}

static void put_json(const char *ifname, const struct ndiv_probe *pr)
{
	struct json j;
	size_t i;

	json_begin(&j, stdout, 1);
	json_open(&j, NULL, '{');
	json_text(&j, "kernel", pr->kernel);
	if (ifname) {
		json_text(&j, "ifname", ifname);
		json_text(&j, "driver", pr->driver);
		json_uint(&j, "mtu", pr->mtu);
		json_bool(&j, "attached", pr->attached);
		json_foreign(&j, pr);
	}
	json_open(&j, "features", '{');
	for (i = 0; i < pr->count; i++) {
		json_open(&j, pr->feature[i].name, '{');
		if (pr->feature[i].present < 0)
			json_text(&j, "present", NULL);
		else
			json_bool(&j, "present", pr->feature[i].present);
		json_text(&j, "use", pr->feature[i].use);
		json_close(&j, '}');
	}
	json_close(&j, '}');
	json_close(&j, '}');
	json_end(&j);
}

static int run(const void *opts, int argc, char **argv)
{
	const struct options *o = opts;
	const char *ifname = argc ? argv[0] : NULL;
	struct ndiv_probe pr;
	char err[256] = "";
	int ret;

	ret = ndiv_probe(ifname, &pr, err, sizeof(err));
	if (ret) {
		message("%s%s%s", ifname ? ifname : "", ifname ? ": " : "", *err ? err : strerror(-ret));
		return EXIT_FAILURE;
	}
	if (o->json)
		put_json(ifname, &pr);
	else
		put_text(ifname, &pr);
	return EXIT_SUCCESS;
}

static const struct arg args[] = {
	{ ARG_IF, "IF", 1, 0 },
	{ ARG_NONE, NULL, 0, 0 },
};

static const struct opt opts[] = {
	{ 'j', "json", OPT_FLAG, offsetof(struct options, json), NULL, "print JSON", 0, 0, NULL },
	{ 0 },
};

const struct cmd cmd_probe = {
	.name = "probe",
	.about = "Prints what this kernel and an interface offer, and what ndiv uses of it.",
	.text = "Nothing is attached or changed. \"?\": it cannot be told.\n",
	.args = args,
	.opts = opts,
	.size = sizeof(struct options),
	.run = run,
};
