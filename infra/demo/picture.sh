#!/bin/bash
# Takes the picture of the report on personas that the README shows, from the demo world as it runs (make run):
#
#   infra/demo/picture.sh [http://127.0.0.1:8080]
#
# It needs curl, jq and a Chromium. Those who may sign in make a request first, and today's audit is made.
set -euo pipefail
url=${1:-http://127.0.0.1:8080}
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

token() { curl -fsS "$url/_local/token" -d '{"username":"'"$1"'","password":"Demo-pass-2026!"}' | jq -r .accessToken; }
jq -r '.users[] | select(.password) | .username' world.json | while read -r name; do
  curl -fsS "$url/v1/me" -H "Authorization: Bearer $(token "$name")" >/dev/null
done
curl -fsS -X POST "$url/_local/schedule/persona-audit" >/dev/null
token=$(token olivia.bennett)
curl -fsS "$url/v1/persona-report" -H "Authorization: Bearer $token" -H 'Accept: text/html' >"$work/report.html"
"${CHROMIUM:-chromium}" --headless --no-sandbox --disable-gpu --no-first-run --user-data-dir="$work/profile" --hide-scrollbars \
  --blink-settings=preferredColorScheme=1 --window-size=1100,1620 --screenshot="$PWD/persona-report.png" "file://$work/report.html" 2>/dev/null
ls -l persona-report.png
