#!/bin/bash
# by-hand.sh MASTER|BACKUP INTERFACE ADDRESS: what somebody does who follows the guide on one node, with a few of the liberties that people
# take: the NFS server by its name, soft mounts, a notify script that starts and stops. MASTER carries its data to the share first.
set -euo pipefail
services=(clickhouse-server nginx nms-core nms-dpm nms-integrations nms-ingestion)

systemctl --quiet disable --now nms "${services[@]}" 2>/dev/null
apt-get -qq update
DEBIAN_FRONTEND=noninteractive apt-get -qq -y install keepalived >/dev/null

if [[ $1 == MASTER ]]; then
  for name in clickhouse nms; do
    mount -t nfs4 "nfs:/mnt/nfs_share/$name" /mnt
    cp -a "/var/lib/$name/." /mnt/
    chown --reference="/var/lib/$name" /mnt
    umount /mnt
  done
fi
for name in clickhouse nms; do
  echo "nfs:/mnt/nfs_share/$name /var/lib/$name nfs vers=4.2,soft,sync 0 0" >>/etc/fstab
done
systemctl daemon-reload
mount /var/lib/clickhouse
mount /var/lib/nms

cat >/etc/nms/scripts/nms-notify-keepalived.sh <<END
#!/bin/bash
if [[ \$3 == MASTER ]]; then verb=start; else verb=stop; fi
systemctl "\$verb" ${services[*]}
END
cat >/etc/keepalived/keepalived.conf <<END
vrrp_script nms_check_keepalived {
    script "/etc/nms/scripts/nms-check-keepalived.sh"
    interval 10
    weight 10
}
vrrp_instance VI_28 {
    state $1
    interface $2
    priority 100
    virtual_router_id 251
    advert_int 1
    authentication {
        auth_type PASS
        auth_pass by-hand
    }
    virtual_ipaddress {
        $3
    }
    track_script {
        nms_check_keepalived
    }
    notify /etc/nms/scripts/nms-notify-keepalived.sh
}
END
systemctl --quiet enable keepalived
systemctl restart keepalived
