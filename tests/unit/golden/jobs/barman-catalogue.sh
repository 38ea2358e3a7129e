# Says which backups a Barman volume holds, as Barman itself has written it down: no Barman has to run.
# Run as: bash -c TEXT, as root.
set -Eeuo pipefail
meta='/var/lib/barman/pg-topology-production/meta'
base='/var/lib/barman/pg-topology-production/base'

# Every segment of WAL that there is, without its timeline.
segments=$(mktemp)
trap 'rm -f "$segments"' EXIT
find '/var/lib/barman/pg-topology-production/wals' '/var/lib/barman/pg-topology-production/streaming' -type f -name '????????????????????????*' -printf '%f\n' 2> /dev/null |
  cut -c 9-24 | sort -u > "$segments" || true

echo "free bytes: $(df --output=avail --block-size=1 '/var/lib/barman' | tail -n 1)"
printf 'backups: ['
between=
for info in "$meta"/*-backup.info "$base"/*/backup.info; do
  [ -e "$info" ] || continue
  id=$(basename "$info" -backup.info)
  [ "$id" != backup.info ] || id=$(basename "$(dirname "$info")")
  begin=$(sed -n 's/^begin_wal=//p' "$info")
  printf '%s{"id":"%s","segmentsSince":"%s"' "$between" "$id" "$(awk -v begin="${begin:8}" '$0 >= begin' "$segments" | wc -l)"
  sed -nE 's/^(status|version|end_time|begin_xlog|end_xlog|end_wal|size|xlog_segment_size|tablespaces)=([^"\\]*)$/,"\1":"\2"/p' "$info" | tr -d '\n'
  printf '}'
  between=,
done
echo ']'
