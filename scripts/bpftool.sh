#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# bpftool.sh: prints the path of a bpftool that works
#
# On Ubuntu up to 24.04 /usr/sbin/bpftool is a script that wants the tools of the
# running kernel, and fails in a container or after a kernel update. Those of any
# kernel will do for `gen skeleton`.

for tool in "$(command -v bpftool)" /usr/sbin/bpftool /usr/local/sbin/bpftool \
	/usr/lib/linux-tools/*/bpftool /usr/lib/linux-tools-*/bpftool; do
	if [ -x "$tool" ] && "$tool" version >/dev/null 2>&1; then
		echo "$tool"
		exit 0
	fi
done
exit 1
