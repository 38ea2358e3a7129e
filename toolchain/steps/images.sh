# shellcheck shell=bash
# PostgreSQL images: the one that the engine has, the official one, or a stand-in from Debian's packages.

# image_step IMAGE
image_step() {
	begin_step image
	local image=$1
	if has_current_image "$image"; then
		end_step "$image$(stand_in_note "$image")"
	elif pull "$image"; then
		end_step "$image, pulled"
	else
		make_stand_in "$image"
		end_step "$image$(stand_in_note "$image")"
	fi
}

# An image of the user's stays as it is; a stand-in is made anew when its recipe has changed.
has_current_image() {
	local key
	key=$(image_label "$1" pg-topology.stand-in.key) || return
	[ -z "$key" ] || [ "$key" = "$(stand_in_key)" ]
}

image_label() {
	docker image inspect --format "{{with .Config.Labels}}{{index . \"$2\"}}{{end}}" "$1" 2>/dev/null
}

stand_in_note() {
	[ "$(image_label "$1" pg-topology.stand-in)" != true ] ||
		echo ', a stand-in from Debian packages (no registry reached)'
}

# A registry that does not even resolve the name within some seconds is taken as out of reach.
pull() {
	local log puller tries=0
	log=$(log_of image-pull)
	docker pull "$1" >"$log" 2>&1 &
	puller=$!
	until grep -qs 'Pulling from' "$log" || ! kill -0 "$puller" 2>/dev/null; do
		[ $((tries += 1)) -lt 100 ] || kill "$puller"
		sleep 0.1
	done
	wait "$puller"
}

debian_release_of() {
	case $1 in
		postgres:15) echo bookworm ;;
		postgres:17) echo trixie ;;
		postgres:18) echo forky ;;
		*) return 1 ;;
	esac
}

stand_in_key() { key_of images/postgres; }

make_stand_in() {
	local image=$1 release major rootfs
	release=$(debian_release_of "$image") ||
		fail "$image is not on this engine and could not be pulled ($(last_line "$(log_of image-pull)")); only postgres:15, :17 and :18 can be made from Debian packages instead."
	major=${image#postgres:}
	rootfs=$cache/rootfs-postgres-$major-$(key_of images/postgres/rootfs)
	if [ ! -e "$rootfs" ]; then
		need_debootstrap "$image"
		announce "making a stand-in for $image from Debian packages, which takes about a minute"
		make_entry "$rootfs" make_rootfs "$major" "$release"
	fi
	build_image "$image" "$major" "$rootfs"
}

need_debootstrap() {
	if [ "$(id -u)" != 0 ]; then
		fail "$1 could not be pulled, and making a stand-in for it needs root. Run this, then run the set-up again:" \
			"sudo apt-get install -y debootstrap" "sudo env PG_TOPOLOGY_CACHE=$cache $clone/toolchain/setup --image $1"
	fi
	command -v debootstrap >/dev/null || install_debian_packages debootstrap
}

make_rootfs() {
	local major=$1 release=$2 folder=$3 log
	log=$(log_of "rootfs-$major")
	"$clone/images/postgres/rootfs" "$major" "$release" "$folder" >"$log" 2>&1 ||
		fail "the file system of the stand-in could not be made (is there a network?): $(last_line "$log") (all of it: $log)"
}

build_image() {
	local image=$1 major=$2 rootfs=$3 base log data=/var/lib/postgresql/data volume=/var/lib/postgresql/data
	base=pg-topology/rootfs-postgres:$(basename "$rootfs")
	log=$(log_of "image-$major")
	if [ "$major" -ge 18 ]; then data=/var/lib/postgresql/$major/docker volume=/var/lib/postgresql; fi
	{
		docker import "$rootfs/rootfs.tar.gz" "$base" &&
			docker build --tag "$image" --label "pg-topology.stand-in.key=$(stand_in_key)" \
				--build-arg "BASE=$base" --build-arg "PG_MAJOR=$major" --build-arg "PG_VERSION=$(cat "$rootfs/version")" \
				--build-arg "DATA_DIRECTORY=$data" --build-arg "DATA_VOLUME=$volume" "$clone/images/postgres" &&
			docker image rm --no-prune "$base"
	} >"$log" 2>&1 || fail "$image could not be built: $(last_line "$log") (all of it: $log)"
}
