# prepare.sh: what ./demo and ./check share: Debian's packages and the build. To be sourced, with
# the working directory at the top of the source tree.

packages_build="autoconf automake gcc libc6-dev make pkg-config libevent-dev libjansson-dev
	libslurm-dev libssl-dev libsystemd-dev libyaml-dev"
packages_run="munge slurmctld slurmd slurm-client python3 python3-distributed"
packages_check="bindfs btrfs-progs check chromium chromium-driver curl dbus dbus-user-session
	faketime fish fonts-dejavu-core hostname iproute2 man-db mandoc mariadb-server-core
	openssl procps python3-dbus python3-gi python3-pytest python3-pytest-xdist
	python3-setuptools python3-venv slurmdbd strace systemd util-linux valgrind zsh"

say() {
	printf '\n== %s\n' "$*"
}

# install_missing PACKAGE...: install those that are not there; as root, or through sudo.
install_missing() {
	local missing=() package as=() log
	for package; do
		dpkg-query -W -f '${db:Status-Status}\n' "$package" 2>/dev/null |
			grep -qx installed || missing+=("$package")
	done
	[ ${#missing[@]} -gt 0 ] || return 0
	if [ "$(id -u)" -ne 0 ]; then
		as=(sudo -n)
		if ! sudo -n true 2>/dev/null; then
			printf '%s\n' "These packages are missing and only root can install them:" \
				"  apt-get install ${missing[*]}" >&2
			return 1
		fi
	fi
	say "Installing ${missing[*]}"
	log=$(mktemp)
	if ! { "${as[@]}" apt-get -q update &&
		"${as[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q install -y \
			--no-install-recommends "${missing[@]}"; } >"$log" 2>&1; then
		tail -n 20 "$log" >&2
		rm -f "$log"
		return 1
	fi
	rm -f "$log"
}

# build DIRECTORY [CONFIGURE-OPTION...]: configure once, and make. The output is shown only when it
# fails.
build() {
	local directory=$1 log=$1/build.log
	shift
	mkdir -p "$directory"
	if ! {
		if [ ! -f configure ] || [ configure.ac -nt configure ] ||
			[ Makefile.am -nt Makefile.in ]; then
			autoreconf -fi
		fi &&
			if [ ! -f "$directory/Makefile" ] ||
				[ "$*" != "$(cat "$directory/options" 2>/dev/null)" ]; then
				(cd "$directory" && "$OLDPWD/configure" "$@") &&
					printf '%s\n' "$*" >"$directory/options"
			fi &&
			make -C "$directory" -j"$(nproc)"
	} >"$log" 2>&1; then
		tail -n 40 "$log" >&2
		printf '%s\n' "The whole output of the build: $log" >&2
		return 1
	fi
}
