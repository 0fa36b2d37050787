# Functions of every job script; its last lines call them. The prologue runs in the same shell,
# so all names here begin with draco_.

draco_say() {
	echo "draco: job $draco_job on $draco_node: $*" >&2
}

draco_begin() {
	unset SLURM_JWT # sbatch needs it, and hands all that it has on to the job
	draco_job=$SLURM_JOB_ID
	[ -z "$SLURM_ARRAY_JOB_ID" ] || draco_job=${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID
	draco_node=${SLURMD_NODENAME:-$HOSTNAME}
	draco_step= draco_worker= draco_watcher= draco_stopped= draco_directory= draco_failed=
	trap draco_stop TERM INT
	trap draco_finish EXIT
}

# SIGTERM ends the job in good order: hand it on to the workers.
draco_stop() {
	draco_stopped=yes draco_interrupted=yes
	[ -z "$draco_worker" ] || kill -TERM "$draco_worker" 2>/dev/null
}

# On every way out, whatever the shell ran at that time.
draco_finish() {
	draco_status=$?
	trap : TERM INT
	trap - ERR EXIT
	set +eu
	if [ "$draco_step" = prologue ]; then
		[ -n "$draco_stopped" ] ||
			draco_say "the prologue failed with exit status $draco_status" \
				"${draco_failed:+at $draco_failed}"
		draco_status=$draco_exit_prologue
	elif [ "$draco_step" = workers ] && [ -n "$draco_epilogue" ]; then
		(eval "$draco_epilogue") || draco_say "the epilogue failed with exit status $?"
	fi
	[ -z "$draco_directory" ] || rm -rf -- "$draco_directory"
	exit "$draco_status"
}

# Set draco_why when the directory $1 cannot be trusted with our files: where all users can write,
# another one may have made it, or a link of its name, before.
draco_check_base() {
	draco_why=
	mkdir -p -m 700 -- "$1" 2>/dev/null
	if ! [ -d "$1" ]; then
		draco_why="does not exist and cannot be made"
		return
	fi
	# owner of the name itself, owner and mode of what it leads to
	set -- "$1" $(stat -c %u -- "$1") $(stat -L -c '%u %a' -- "$1")
	if { [ "$2" != 0 ] && [ "$2" != "$EUID" ]; } ||
		{ [ "$3" != 0 ] && [ "$3" != "$EUID" ]; }; then
		draco_why="belongs to another user"
	elif (($((8#$4)) & 8#0002)) && ! (($((8#$4)) & 8#1000)); then
		draco_why="can be changed by all users (mode $4)"
	fi
}

# Set draco_why when a variable, of these names, is not set here.
draco_check_variables() {
	draco_why=
	for draco_name; do
		[ "$draco_name" = USER ] || [ -n "${!draco_name}" ] ||
			draco_why="is not known, as the variable $draco_name is not set here"
	done
}

# Set draco_directory to a new directory for the workers' local files: in $1, else in TMPDIR. The
# names of variables in $1 follow.
draco_make_directory() {
	if [ -n "$1" ]; then
		draco_check_variables "${@:2}"
		[ -n "$draco_why" ] || draco_check_base "$1"
		if [ -z "$draco_why" ]; then
			draco_directory=$1/draco-$draco_job
			# mkdir never takes what is there already
			mkdir -m 700 -- "$draco_directory" 2>/dev/null ||
				draco_directory=$(
					mktemp -d -- "$draco_directory-XXXXXX" 2>/dev/null
				) || draco_why="is not writable"
		fi
		[ -z "$draco_why" ] ||
			draco_say "$1 $draco_why: local files go to ${TMPDIR:-/tmp}" \
				"(use_scratch_dir: false avoids this line)"
	fi
	if [ -z "$draco_directory" ] &&
		! draco_directory=$(mktemp -d -- "${TMPDIR:-/tmp}/draco-$draco_job-XXXXXX"); then
		draco_say "there is no place for local files: ${TMPDIR:-/tmp} is not writable"
		exit "$draco_exit_directory"
	fi
	export DRACO_LOCAL_DIRECTORY=$draco_directory
	draco_hold_directory
}

# Lock our directory for as long as a process of this job lives. Then remove those beside it that
# jobs on this node have left: one that Slurm kills cannot remove its own.
draco_hold_directory() {
	[ -n "$(type -P flock)" ] && : 2>/dev/null >"$draco_directory/.draco-lock" || return 0
	eval 'exec {draco_lock}<>"$draco_directory/.draco-lock"' 2>/dev/null || return 0
	flock -n "$draco_lock" 2>/dev/null && echo "$HOSTNAME" >&"$draco_lock"
	(
		eval "exec $draco_lock>&-"
		draco_sweep "${draco_directory%/*}"
	) 2>/dev/null &
}

# A lock may not be seen on other nodes, so directories of other nodes are left alone, and so are
# those that do not tell their node.
draco_sweep() {
	local directory lock node
	for directory in "$1"/draco-*; do
		lock=$directory/.draco-lock node=
		[ -O "$directory" ] && ! [ -L "$directory" ] && [ -f "$lock" ] || continue
		read -r node <"$lock"
		[ "$node" = "$HOSTNAME" ] || continue
		(flock -n 9 && rm -rf -- "$directory") 9<>"$lock"
	done
}

# Around the prologue, which ends at the first command of its own that fails. "set -e" would also
# hold for the files and functions that it uses, and few of them are written for that. $1 is the
# line in front of the prologue's first.
draco_begin_prologue() {
	draco_step=prologue draco_line=$1 draco_depth=${#FUNCNAME[@]}
	trap 'draco_notice "$?" "$LINENO" "$BASH_COMMAND"' ERR
}

# A command has failed, with status $1 at line $2: end, unless it is none of the prologue itself.
draco_notice() {
	((${#FUNCNAME[@]} <= draco_depth)) || return # inside a file that is being read
	draco_find_line $(($2 - draco_line))
	[ -z "$draco_tolerated" ] || return
	case $3 in
	"source "* | ". "*) draco_was_read "${3#* }" && return ;;
	"eval "*) draco_text= ;; # it cannot be read as shell text
	esac
	[ -z "$draco_text" ] || draco_failed="line $(($2 - draco_line)): $draco_text"
	exit "$1"
}

# Set draco_text to line $1 of the prologue, and draco_tolerated when it says "set +e" before.
draco_find_line() {
	draco_text= draco_tolerated= draco_at=0
	while ((draco_at < $1)) && IFS= read -r draco_text; do
		draco_at=$((draco_at + 1))
		case ${draco_text##*set -[eo]} in
		*"set +e"* | *"set +o errexit"*) draco_tolerated=yes ;;
		"$draco_text") ;;
		*) draco_tolerated= ;;
		esac
	done <<<"$draco_prologue"
	draco_text=${draco_text#"${draco_text%%[![:space:]]*}"}
}

# Was the file of "source $1" there? What it returns says nothing: that is the status of whatever
# command is its last.
draco_was_read() {
	case $1 in
	*'$('* | *'`'* | *'<('*) return 0 ;; # not to be run a second time
	esac
	(
		eval "set -- $1"
		[ -r "$1" ] || [ -r "$(type -P -- "$1")" ]
	) 2>/dev/null
}

draco_end_prologue() {
	trap - ERR
	set +eu
	trap draco_stop TERM INT
	trap draco_finish EXIT
	draco_step=
	[ -z "$draco_stopped" ] || exit 0
}

draco_check_python() {
	[ -n "$(type -P -- "${draco_python[0]}")" ] && return
	draco_say "there is no ${draco_python[0]} on this node (the setting python, or the first" \
		"in PATH where dracod runs): it must be the same on all nodes"
	exit "$draco_exit_python"
}

# A home directory that the node does not share shows here first.
draco_check_certificate() {
	draco_certificate=$DASK_DISTRIBUTED__COMM__TLS__CA_FILE
	if [ -n "$draco_certificate" ] && ! [ -r "$draco_certificate" ]; then
		draco_say "cannot read $draco_certificate: the nodes must share that directory" \
			"with the host of dracod (XDG_STATE_HOME names another one)"
		exit "$draco_exit_certificate"
	fi
}

# Set draco_limit to the least limit of memory, in bytes, of our cgroup and those around it;
# nothing where there is none.
draco_find_cgroup_limit() {
	draco_limit=
	while IFS=: read -r draco_number draco_names draco_path; do
		case $draco_names in
		"") draco_root=/sys/fs/cgroup draco_file=memory.max ;;
		memory | *,memory | memory,*)
			draco_root=/sys/fs/cgroup/memory draco_file=memory.limit_in_bytes
			;;
		*) continue ;;
		esac
		while draco_value= && [ -n "$draco_path" ]; do
			read -r draco_value 2>/dev/null <"$draco_root$draco_path/$draco_file"
			case $draco_value in
			"" | *[!0-9]*) ;; # "max", or not there
			*)
				((draco_value < ${draco_limit:-9223372036854771712})) &&
					draco_limit=$draco_value
				;;
			esac
			draco_path=${draco_path%/*}
		done
	done 2>/dev/null <"${1:-/proc/self/cgroup}"
}

# Set draco_bytes to the memory of each of $2 workers: a part of the least of what Slurm gave the
# job, what its cgroup allows and what the node has; of the last only the share of its CPUs, where
# nothing says that the job has it all ($1 is node).
draco_find_memory() {
	while read -r draco_name draco_total draco_unit; do
		[ "$draco_name" != MemTotal: ] || break
	done </proc/meminfo
	draco_total=$((draco_total * 1024)) draco_bytes=0
	draco_cpus=${SLURM_CPUS_ON_NODE:-1} draco_all=$(nproc --all)
	if ((${SLURM_MEM_PER_NODE:-0} > 0)); then
		draco_bytes=$((SLURM_MEM_PER_NODE * 1048576))
	elif ((${SLURM_MEM_PER_CPU:-0} > 0)); then
		draco_bytes=$((SLURM_MEM_PER_CPU * 1048576 * draco_cpus))
	fi
	draco_find_cgroup_limit
	((${draco_limit:-$draco_total} >= draco_total)) || draco_total=$draco_limit
	if ((draco_bytes == 0)); then
		draco_bytes=$draco_total
		[ "$1" = node ] || [ "$draco_total" = "$draco_limit" ] ||
			((draco_cpus >= draco_all)) ||
			draco_bytes=$((draco_total / draco_all * draco_cpus))
	elif ((draco_bytes > draco_total)); then
		draco_bytes=$draco_total
	fi
	draco_bytes=$((draco_bytes / $2))
}

# Set draco_threads to the threads of each of $1 workers: the CPUs of the job, shared evenly.
draco_find_threads() {
	draco_threads=$((${SLURM_CPUS_ON_NODE:-$(nproc)} / $1))
	((draco_threads > 0)) || draco_threads=1
}

# Variables that Dask sets for workers by default, where they are not set: so that workers can
# be copies of the process that starts them (draco_program).
draco_foresee() {
	export DRACO_FORESEEN=
	for draco_variable in MALLOC_TRIM_THRESHOLD_=65536 OMP_NUM_THREADS=1 MKL_NUM_THREADS=1 \
		OPENBLAS_NUM_THREADS=1 PYTHONHASHSEED=6640; do
		draco_name=${draco_variable%%=*}
		[ -z "${!draco_name+set}" ] || continue
		export "$draco_variable"
		DRACO_FORESEEN+=" $draco_name"
	done
}

# Become the process of Dask that starts workers, with these arguments.
draco_become_workers() {
	unset DRACO_FORESEEN
	case "$DASK_DISTRIBUTED__WORKER__MULTIPROCESSING_METHOD $* " in
	*" --no-nanny "* | *" --preload-nanny"[\ =]*) ;;
	forkserver\ *) draco_foresee ;;
	esac
	if [ -n "${DRACO_FORESEEN+set}$DRACO_TLS_FIX$CUDA_VISIBLE_DEVICES$HIP_VISIBLE_DEVICES" ] ||
		[ -n "$ROCR_VISIBLE_DEVICES$ZE_AFFINITY_MASK" ]; then
		export DRACO_PROGRAM=$draco_program DRACO_PREIMPORT=$draco_preimport
		exec "${draco_python[@]}" -c \
			'import os; exec(os.environ.pop("DRACO_PROGRAM"), {})' \
			distributed.cli.dask_worker "$@"
	fi
	exec "${draco_python[@]}" -m distributed.cli.dask_worker "$@"
}

# Whether anything on this node has a connection to port $2 of the IPv4 address $1.
draco_has_connection() {
	local IFS=. remote
	set -- $1 "$2"
	printf -v remote '%02X%02X%02X%02X:%04X' "$4" "$3" "$2" "$1" "$5" 2>/dev/null
	grep -q " $remote 01 " /proc/net/tcp
}

# Watch whether this node reaches the scheduler, at port $2 of the address $1: after draco_watch
# seconds without, end the workers, and with draco_exit_scheduler. As soon as somebody here is
# connected nothing is tried, because that would be a line in the scheduler's log.
draco_watch_scheduler() {
	local never why status tries=0 pause=$((draco_watch < 20 ? 1 : draco_watch / 10))
	SECONDS=0
	# A pipe from which nothing comes: to wait without a process. An old bash in POSIX mode
	# does not know how.
	eval 'exec {never}<> <(:)' 2>/dev/null || return
	while ((SECONDS < draco_watch || tries < 4)); do
		read -r -t "$pause" -u "$never"
		(($? > 128)) || return # this bash cannot wait so
		draco_has_connection "$1" "$2" && return
		why=$(BASH_ENV='' LC_ALL=C timeout "$pause" \
			bash -c 'exec 3<>"/dev/tcp/$0/$1"' "$1" "$2" 2>&1)
		status=$?
		case $status,$why in
		0,* | *"No such file"* | *"not found"*) return ;; # no /dev/tcp, or no timeout
		124,*) why="no answer within $pause s" ;;
		*) why=${why##*: } ;;
		esac
		((tries += 1))
	done
	# When they have ended draco_run says so by SIGTERM, and what was wrong is the last line of
	# the log.
	draco_why="$1, port $2 ($why)"
	trap draco_tell_unreached TERM
	kill -TERM "$draco_worker"
	read -r -t 10 -u "$never"
	kill -KILL "$draco_worker"
	draco_tell_unreached
}

draco_tell_unreached() {
	trap '' TERM
	draco_say "cannot connect to the scheduler at $draco_why: a firewall between this node" \
		"and that host may be why; the setting scheduler_port chooses the port, interface" \
		"the address, and \"dracoctl doctor --nodes\" tries them"
	exit "$draco_exit_scheduler"
}

# Run the workers that the arguments describe. This shell stays between Slurm and them, to run the
# epilogue and to remove their directory when they are gone.
draco_run() {
	draco_step=workers
	draco_become_workers "$@" &
	draco_worker=$!
	[ -z "$draco_stopped" ] || draco_stop
	draco_scheduler=${1#*://}
	if ((draco_watch > 0)); then
		draco_watch_scheduler "${draco_scheduler%:*}" "${draco_scheduler##*:}" &
		draco_watcher=$!
	fi
	while :; do
		draco_interrupted=
		wait "$draco_worker"
		draco_status=$?
		# When a signal had ended wait, the status is not that of the workers.
		[ -n "$draco_interrupted" ] || break
	done
	if [ -n "$draco_watcher" ]; then
		{
			kill -TERM "$draco_watcher"
			wait "$draco_watcher"
		} 2>/dev/null
		[ $? != "$draco_exit_scheduler" ] || draco_status=$draco_exit_scheduler
	fi
	# asked to end while Python had yet to come so far as to hear it: that is good order, too
	[ -z "$draco_stopped" ] || [ "$draco_status" != 143 ] || draco_status=0
	# A job that is asked to end meanwhile does not learn it.
	if [ "$draco_status" = 1 ] &&
		! "${draco_python[@]}" -c 'import distributed' 2>/dev/null &&
		[ -z "$draco_stopped" ]; then
		draco_say "${draco_python[*]} has no distributed on this node: it must be the" \
			"same on all nodes"
		draco_status=$draco_exit_python
	fi
	exit "$draco_status"
}
