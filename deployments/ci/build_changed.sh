#!/usr/bin/env bash
# Build the models that differ from a base commit, and what depends on them, in a database of its own; all others are read
# from production (`state:modified+`, `--defer`).
#
#   REGULARS_CI_ENGINE=snowflake REGULARS_CI_PRODUCTION=REGULARS REGULARS_CI_DATABASE=REGULARS_CI_42 \
#       REGULARS_AS_OF=2026-01-05 deployments/ci/build_changed.sh origin/main
#
# On DuckDB REGULARS_CI_PRODUCTION_PATH is production's file and REGULARS_CI_PRODUCTION the name of that file without its ending.
set -euo pipefail
base=${1:?the commit that production runs}
engine=${REGULARS_CI_ENGINE:-snowflake}
: "${REGULARS_CI_PRODUCTION:?}" "${REGULARS_CI_DATABASE:?}" "${REGULARS_AS_OF:?the newest business date that production has built}"
export DO_NOT_TRACK=1

root=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
trap 'git -C "$root" worktree remove --force "$work/base" 2>/dev/null || true; rm -rf "$work"' EXIT
git -C "$root" worktree add --quiet --detach "$work/base" "$base"

run() { # project folder, target, folder for what dbt writes, then the command
    local project=$1 target=$2 out=$3
    shift 3
    dbt --no-use-colors "$@" --project-dir "$project" --profiles-dir "$root/deployments/ci" --target "$target" \
        --target-path "$out" --log-path "$out"
}

run "$work/base/dbt/warehouse" "production_$engine" "$work/state" --quiet parse
run "$root/dbt/warehouse" "changes_$engine" "$work/target" --quiet run-operation prepare_ci --args "{production: $REGULARS_CI_PRODUCTION}"
if [ "$engine" = snowflake ]; then # what grows day by day begins as what production holds, without a copy
    run "$root/dbt/warehouse" "changes_$engine" "$work/target" clone --state "$work/state" \
        --select "state:modified+,config.materialized:incremental"
fi
run "$root/dbt/warehouse" "changes_$engine" "$work/target" build --select state:modified+ --defer --state "$work/state" \
    --exclude-resource-type unit_test
