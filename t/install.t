#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# install.t: what `make install` installs is all that somebody needs who has no tree of ndiv
set -u
# shellcheck source=t/e2e.sh
. "$(dirname "$0")/e2e.sh"

root=$tmp/root
prefix=$root/usr/local

# config ARGUMENT...: pkg-config as if it were installed where it is.
config() { PKG_CONFIG_PATH=$prefix/lib/pkgconfig pkg-config --define-variable=prefix="$prefix" "$@" libndiv; }

# possible: how many CPUs there can be, by the kernel's own list, which ends with the last one.
possible() { echo $(($(sed 's/.*[-,]//' /sys/devices/system/cpu/possible) + 1)); }

program() {
	cat >"$tmp/cpus.c" <<-'END'
		#include <stdio.h>
		#include <ndiv/ndiv.h>

		int main(void)
		{
			return printf("%d\n", ndiv_cpu_count()) < 0;
		}
	END
	# shellcheck disable=SC2046 # words
	cc -Wall -Wextra -Werror -o "$tmp/cpus" "$tmp/cpus.c" $(config --cflags --libs)
}

static_program() {
	# shellcheck disable=SC2046 # words
	cc -Wall -Wextra -Werror -o "$tmp/cpus.static" "$tmp/cpus.c" $(config --cflags) "$prefix/lib/libndiv.a" \
		$(config --static --libs-only-l | sed 's/-lndiv//')
}

# gcc and clang do not agree on what belongs to C++.
in_cxx() {
	printf '#include <ndiv/ndiv.h>\nint main() { return ndiv_cpu_count(); }\n' >"$tmp/cpus.cc"
	# shellcheck disable=SC2046 # words
	"${CLANG:-clang}" -x c++ -std=c++11 -pedantic-errors -Wall -Wextra -Werror -fsyntax-only $(config --cflags) "$tmp/cpus.cc"
}

own_handler() {
	# shellcheck disable=SC2046 # words
	"${CLANG:-clang}" $(config --variable=bpf_cflags) -Werror -c "$prefix/share/doc/ndiv/examples/template.bpf.c" -o "$tmp/own.bpf.o"
}

attached() { [ "$(nd show -j | jq -r '.[0].chain[0].name')" = template ]; }

ok 'make install' make -s install DESTDIR="$root" PREFIX=/usr/local
is 'libndiv.pc: where the library is' "$(config --libs-only-L)" "-L$prefix/lib "
is 'libndiv.pc: where the headers are' "$(config --cflags-only-I)" "-I$prefix/include "
is 'libndiv.pc: where the handlers are' "$(config --variable=handlerdir)" "$prefix/lib/ndiv"
is 'libndiv.pc: the version' "$(config --modversion)" "$("$build/ndiv" version -j | jq -r .version)"
ok 'a program' program
is 'it runs' "$(LD_LIBRARY_PATH=$prefix/lib "$tmp/cpus")" "$(possible)"
ok 'a program that has the library in it' static_program
is 'it runs, too' "$("$tmp/cpus.static")" "$(possible)"
ok 'the header is one of C++, too' in_cxx
ok 'a handler of one'\''s own' own_handler
lab_up "$@" || bail 'no lab'
ok 'which the installed command attaches' "$prefix/sbin/ndiv" -n "$LAB-s" attach lab0 "$tmp/own.bpf.o"
ok 'it is there' attached
ok 'and detaches' "$prefix/sbin/ndiv" -n "$LAB-s" detach lab0
ok 'make uninstall' make -s uninstall DESTDIR="$root" PREFIX=/usr/local
is 'no file is left' "$(find "$root" ! -type d)" ''
done_testing
