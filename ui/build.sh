#!/bin/sh
# Builds the web app into src/conflux/faces/static, where the gateway finds it and the wheel takes it from.
# Law: what is fresh is left alone: a stamp beside the files holds the checksum of the sources they were built from.
# A build takes the place of the one before only when it is complete.
#   build.sh            build, where the sources have changed
#   build.sh fresh      is there nothing to do? (exit code 0)
#   build.sh modules    see only that node_modules is what the lock says
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd -P)
out="$here/../src/conflux/faces/static"
new="$here/node_modules/.static"

checksum() {
    cd "$here"
    find . \( -name node_modules -o -name .tanstack -o -name __pycache__ -o -name '*.test.ts*' \) -prune -o -type f -print |
        LC_ALL=C sort | xargs cksum | cksum
}

fresh() { [ -r "$out/index.html" ] && [ -r "$out/.stamp" ] && [ "$(cat "$out/.stamp")" = "$(checksum)" ]; }

modules() {
    mark=$(cksum <"$here/package-lock.json")
    if [ -r "$here/node_modules/.stamp" ] && [ "$(cat "$here/node_modules/.stamp")" = "$mark" ]; then return 0; fi
    cd "$here"
    npm ci --no-progress --fetch-retries 2 --fetch-timeout 60000
    printf '%s\n' "$mark" >"$here/node_modules/.stamp"
}

case "${1:-}" in
    fresh) fresh ;;
    modules) modules ;;
    '')
        if fresh; then exit 0; fi
        modules
        cd "$here"
        rm -rf "$new"
        node node_modules/vite/bin/vite.js build --logLevel warn --emptyOutDir --outDir "$new"
        # After the build, as it writes the table of routes anew where pages came or went.
        checksum >"$new/.stamp"
        rm -rf "$out"
        mv "$new" "$out"
        ;;
    *) echo "build.sh: fresh, modules or nothing" >&2; exit 2 ;;
esac
