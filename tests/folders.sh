# folders.sh: folders with another Debian, for tests/wheel and tests/packages. To be sourced, with
# the working directory at the top of the source tree. Needs root, for chroot and mounts.

# inside TOP COMMAND...: in the folder, in name spaces of its own: all processes end with the first
# one, and that with this script.
inside() {
	setpriv --pdeathsig KILL unshare --mount --pid --uts --ipc --fork --kill-child bash -c '
		top=$1 && shift
		mount --make-rprivate / && mount --bind "$top" "$top" && cd "$top" &&
			mount -t proc proc proc &&
			mount --rbind /dev dev && mount --rbind /sys sys &&
			mount -t tmpfs -o mode=1777 tmpfs tmp &&
			mount -t tmpfs -o mode=755 tmpfs run &&
			mount -t tmpfs -o mode=1777 tmpfs dev/shm &&
			mkdir -p run/lock old && pivot_root . old && umount -l /old || exit 2
		exec "$@"' - "$@"
}

# make_folder TOP RELEASE PACKAGE...: with the user "tester", and the host's way into the net.
make_folder() {
	local top=$1 release=$2 mirror certificates=usr/local/share/ca-certificates
	shift 2
	mirror=$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' 'Label: Debian' |
		head -n 1)
	rm -rf "$top"
	mkdir -p "$top"
	debootstrap --variant=minbase --include=ca-certificates "$release" "$top" "$mirror" &&
		useradd --root "$top" --create-home --shell /bin/bash tester || return 1
	mkdir -p "$top/$certificates"
	cp "/$certificates"/*.crt "$top/$certificates/" 2>/dev/null
	# A mirror may be some weeks behind; a folder for tests need not fear what is old.
	printf '%s\n' 'APT::Install-Recommends "false";' 'DPkg::Options {"--force-unsafe-io";};' \
		'Acquire::Check-Valid-Until "false";' >"$top/etc/apt/apt.conf.d/90draco"
	cp -L /etc/resolv.conf /etc/hosts "$top/etc/"
	inside "$top" env DEBIAN_FRONTEND=noninteractive bash -c '
		update-ca-certificates && apt-get -q update && apt-get -q -y install "$@" &&
			apt-get -q clean' - "$@" && touch "$top/complete"
}
