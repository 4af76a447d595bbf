#!/bin/sh
# The whole application: `bakery front` serves the page, `bakery oven` bakes one loaf, `bakery delivery` watches the shelf.
set -eu
case $1 in
  front)
    trap 'kill "$httpd"' TERM INT
    cp /usr/share/bakery/version.txt /www/version.txt
    {
      echo "<html><body><h1>$GREETING</h1>"
      echo "<p>version $(cat /www/version.txt), served by $POD_NAME on $NODE_NAME</p>"
      echo "<pre>$(cat /www/menu.txt)</pre></body></html>"
    } >/www/index.html
    echo "front $(cat /www/version.txt) open on port 8080"
    httpd -f -p 8080 -h /www &
    httpd=$!
    wait "$httpd" || true
    echo "front closed"
    ;;
  oven)
    sleep 1
    echo "loaf $JOB_COMPLETION_INDEX" >"/shelf/loaf-$JOB_COMPLETION_INDEX"
    echo "baked loaf $JOB_COMPLETION_INDEX"
    ;;
  delivery)
    trap 'exit 0' TERM INT
    echo "delivery van of $NODE_NAME, $(cat /etc/pod/labels)"
    while :; do
      sleep 5 &
      wait $!
    done
    ;;
  *)
    echo "usage: bakery front | oven | delivery" >&2
    exit 2
    ;;
esac
