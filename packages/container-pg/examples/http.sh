# examples/http.sh
api=http://127.0.0.1:8080/api
auth="Authorization: Bearer $CONTAINER_PG_TOKEN"
container-pg serve --port 8080 &
until curl -s -o /dev/null "$api/"; do sleep 0.1; done
curl -s -H "$auth" -d admin_password=secret -d storage_dir=bob "$api/containers/"
curl -s -H "$auth" "$api/containers/bob/logs?tail=3"
curl -s -H "$auth" -X DELETE "$api/containers/bob?keep_data=true"
kill $!
