#!/bin/bash
# Called by keepalived with TYPE NAME STATE PRIORITY whenever the state of this node changes.
check_nms_services=(
  "clickhouse-server"
  "nginx"
  "nms-core"
  "nms-dpm"
  "nms-integrations"
  "nms-ingestion"
)
. /usr/local/lib/nim-ha/notify.sh
