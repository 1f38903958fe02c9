import { AUTH_PASS_PLACEHOLDER, NodeModel, PairModel } from './model';

/** `/etc/keepalived/keepalived.conf`. Nodes differ in `state` (hardened: `priority`) and, where theirs differ, in `interface`. */
export function renderKeepalivedConf(pair: PairModel, node: NodeModel): string {
  return pair.profile === 'hardened' ? hardened(pair, node) : guide(pair, node);
}

/** The guide's block, byte for byte but for its comments and placeholders. A test holds it against the guide. */
function guide(pair: PairModel, node: NodeModel): string {
  return `vrrp_script nms_check_keepalived {
    script "/etc/nms/scripts/nms-check-keepalived.sh"
    interval 10
    weight 10
}

vrrp_instance VI_28 {
    state ${node.role === 'primary' ? 'MASTER' : 'BACKUP'}
    interface ${node.networkInterface}
    priority 100
${instanceTail(pair)}`;
}

/**
 * The guide's block where it leaves something to chance, changed:
 * - `enable_script_security` with `script_user root`: the guide's file makes `keepalived -t` report a security violation,
 *   and on a host with a user `keepalived_script` the scripts would run as that user, without the rights they need.
 *   Security means that keepalived refuses scripts which anyone but root could have written.
 * - `vrrp_startup_delay`: a switch port that has just come up forwards nothing for a while. A node that boots would hear
 *   no peer, call itself master, and be the second one. It listens first.
 * - both `state BACKUP`, `priority` 150 and 100: with equal priorities two nodes that start together can both run
 *   the MASTER notify before one of them gives way. Unequal ones settle it in the first election.
 * - `nopreempt`: the higher priority must not take the address back from a node that serves well. keepalived
 *   honours it only in an instance that starts as BACKUP.
 * - `weight 0`: a failed check puts the node in FAULT, which gives the address up whether or not there is a peer to
 *   hear of it. A weight only lowers a priority: between 150 and 100 the guide's 10 would change nothing.
 * - `garp_master_refresh`: keepalived announces the address when it takes it, and not again. Clients that have learnt it from a second
 *   master go on talking to that one for up to a minute after it has given way; announced every ten seconds, they come back.
 */
function hardened(pair: PairModel, node: NodeModel): string {
  return `global_defs {
    enable_script_security
    script_user root
    vrrp_startup_delay 5
}

vrrp_script nms_check_keepalived {
    script "/etc/nms/scripts/nms-check-keepalived.sh"
    interval 10
    weight 0
}

vrrp_instance VI_28 {
    state BACKUP
    nopreempt
    interface ${node.networkInterface}
    priority ${node.role === 'primary' ? 150 : 100}
    garp_master_refresh 10
${instanceTail(pair)}`;
}

/** What follows `priority` is the same in both profiles. */
function instanceTail(pair: PairModel): string {
  return `    virtual_router_id ${pair.virtualIp.virtualRouterId}
    advert_int 1
    authentication {
        auth_type PASS
        auth_pass ${AUTH_PASS_PLACEHOLDER}
    }
    virtual_ipaddress {
        ${pair.virtualIp.address}
    }
    track_script {
        nms_check_keepalived
    }
    notify /etc/nms/scripts/nms-notify-keepalived.sh
}
`;
}
